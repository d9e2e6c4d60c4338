/* journal.h: what was taken away and must not come back: one small file for each shard.
 *
 *      page: header { floor } │ slot 32 │ slot 32 │ ... │ slot 32      a ring of tombstones
 *
 * A shard numbers all that it writes in one row (position = seq of the segment + order of the record). A
 * tombstone says: what was written under this digest up to this position is gone. It is written before the
 * record leaves the index, whether the index knows one or not: an old record may lie in a segment that the
 * index has forgotten. A tombstone is true for ever, so neither their order nor their number matters.
 *
 * The ring has a fixed size, allocated at the start. Before tombstones are written over, the floor in the
 * header is raised to the last of them: after a crash all that was written up to the floor is not read
 * any more. By then the ring has gone around once, so that is the oldest part of the store.
 *
 * What is written survives the process at once, and a power failure after the next sync (store threads do it
 * within JOURNAL_DELAY). A journal that is damaged, or whose writing failed, makes the next start begin
 * empty: never a purged object.
 *
 * Owner: the shard's store thread.
 */
#ifndef LARDER_STORAGE_JOURNAL_H
#define LARDER_STORAGE_JOURNAL_H

#include "disk.h"
#include "le.h"

#include <larder/base/hash.h>
#include <larder/base/log.h>

enum { JOURNAL_HEAD = 4096, JOURNAL_SLOT = 32, JOURNAL_NAME_SIZE = 32 };

#define JOURNAL_DELAY (100 * NSEC_PER_MSEC)
#define JOURNAL_POSITION_MAX ((UINT64_C(1) << 56) - 1)

enum journal_type {
    JOURNAL_PURGE = 1 /* the record of the digest */
    /* 2 and 3 are for tags and bans. A type that a version does not know makes it begin empty. */
};

struct journal_header {
    unsigned char magic[8]; /* "larderJR" */
    le32          format;
    le32          shard;
    unsigned char store[16];
    le32          slots;
    le32          reserved;
    le64          floor; /* what was written up to here is gone */
    le64          sum;   /* xxh3 of the bytes before */
};

struct journal_slot {
    le64 digest_high;
    le64 digest_low;
    le64 what; /* the type in the top 8 bits, the position in the others */
    le64 sum;  /* xxh3 of store, shard, slot number and the bytes before */
};

struct journal {
    struct disk   disk;      /* fd -1: there is none */
    int           directory; /* the store's */
    char          name[JOURNAL_NAME_SIZE];
    unsigned char store[16];
    uint32_t      shard, slots;
    uint32_t      next; /* the slot that is written next */
    uint64_t      floor;
    uint64_t      last;      /* the largest position in it */
    mono_time     due;       /* when it must be synced; MONO_NEVER: it is */
    bool          lost;      /* nothing more is written, and the next start begins empty */
    bool          read_only; /* it is only looked at; set before it is opened */
    struct log   *log;
};

/* For a shard of so many bytes: 1/512 of it, 64 KiB at least. */
uint32_t journal_slots(uint64_t shard_size);

/* An empty one, allocated, in place of what there may be: what was written up to `floor` is gone. The same
 * members are set as for journal_open. */
MUST_CHECK enum err journal_create(struct journal *journal, const char *path, uint64_t floor,
                                   struct fault *fault);

/* The one that is there: `directory`, `name`, `store`, `shard`, `slots` and `disk.calls` are set.
 * ERR_CORRUPT: it is not there, not this store's, or damaged; then nothing of the shard may be read. */
MUST_CHECK enum err journal_open(struct journal *journal, const char *path, struct fault *fault);

/* Without a journal the next start begins empty: so it will be. */
void journal_abandon(struct journal *journal);

void journal_close(struct journal *journal);

/* Nothing when there is no journal. Positions rise from call to call. A failure is dealt with here: the next
 * start will begin empty, or without all that was written up to now. */
void journal_add(struct journal *journal, enum journal_type type, struct digest digest, uint64_t position);

/* All that was written up to there is gone, at once instead of one by one. */
void journal_raise_floor(struct journal *journal, uint64_t position);

/* Once `due` has come, or at the end. */
void journal_sync(struct journal *journal);

/* ── replay ── */

/* The newest tombstone of each digest. */
struct tombs {
    struct tomb *slots;
    uint64_t     mask, count;
    uint64_t     floor;
};

/* Reads all slots, and finds where to go on. ERR_CORRUPT as above; `next` is the slot that was wrong. */
MUST_CHECK enum err journal_replay(struct journal *journal, struct tombs *tombs);
void                tombs_fini(struct tombs *tombs);

/* Looks at all of an open journal, and changes nothing. ERR_CORRUPT: `*at` is where in the file. By its owner. */
MUST_CHECK enum err journal_check(const struct journal *journal, uint64_t *at);

/* The digest will be asked about soon. */
void tombs_prefetch(const struct tombs *tombs, struct digest digest);

/* Is what was written there gone? */
bool tombs_cover(const struct tombs *tombs, struct digest digest, uint64_t position);

#endif
