/* shard.h: a shard is a complete small cache: index, segments, policy, one lock, one file or memfd.
 *
 *      readers ─────── shard_find ──▶ index ──▶ pin ──▶ record in the map
 *                                       ▲
 *      store thread ─ writer ─ append ─ catalog ─ clean      (catalog: the index and its accounts)
 *
 * Guard: `lock` for index, policy and the worth of segments, held for one lookup or one change. All the
 * rest belongs to the store thread of the shard, the pins to their readers. The store thread is the pins'
 * last reader. After a start all of it belongs to the thread that recovers it, until `recovered_all`.
 */
#ifndef LARDER_STORAGE_SHARD_H
#define LARDER_STORAGE_SHARD_H

#include "disk.h"
#include "journal.h"
#include "index.h"
#include "pins.h"
#include "recall.h"
#include "segment.h"
#include "warm.h"

#include <larder/base/lock.h>
#include <larder/storage/eviction.h>
#include <larder/storage/store.h>

enum { SHARD_SPARE = 1 }; /* a free segment that only copies may take: else cleaning could not begin */

struct shard {
    struct lock            lock;
    struct index           index;
    const struct eviction *eviction;
    void                  *policy;
    struct pins            pins;

    struct segment_table table;
    struct disk          disk;
    struct stage        *stage;  /* what is on its way to the disk */
    struct hash_stream  *stream; /* scratch for sums */
    struct eviction_log *views;  /* scratch for choose, one for each log */
    uint32_t            *held;   /* segments that the job under way has pinned */
    uint32_t             held_count;
    uint32_t             reserve; /* so many free segments are kept ready */
    unsigned             streak;  /* victims cleaned since new records got a segment */
    uint64_t             clock;   /* records placed */
    wall_time            now;     /* when the newest record came: the cleaner's idea of the time */
    struct queue         jobs;
    struct cold_pool    *cold; /* who reads for those that must not wait */
    struct warm         *warm; /* one for each reader, which is its owner; NULL in memory */
    unsigned             warm_count;
    struct recall       *recalls; /* one for each reader, which is its owner */
    unsigned             recall_count;
    _Atomic uint64_t    *versions; /* of segments: see recall.h */

    struct journal   journal;
    uint32_t         pending;    /* segments that wait for their footer; see commit.h */
    mono_time        sealed_due; /* when they must have it */
    mono_time        open_due;   /* ... and the open ones */
    struct recovery *recovery;   /* while it runs, and its own */
    atomic_bool recovered_all;   /* what earlier runs stored is in the index; no job runs before. Set once */
    struct store_job opening;    /* sets ready, behind the jobs that waited for that */
    atomic_bool      ready;      /* readers may look; set once */
    bool             reported;   /* ... and the report knows */
    uint64_t         recovered, recovered_bytes;

    int64_t              epoch; /* s since 1970, of the index's expiry; frozen when it is ready */
    unsigned             number, shards;
    unsigned char        store[16], boot[16];
    uint64_t             run;
    bool                 was_clean, same_policy; /* what the run before left */
    bool                 read_only;              /* it is only looked at: inspect.h */
    int                  directory;              /* -1: in memory */
    const char          *path;
    struct log          *log;
    struct store_metrics metrics;
};

struct shard_config {
    const struct eviction *eviction;
    double                 alpha;
    struct log            *log;
    const unsigned char   *store, *boot; /* 16 bytes each */
    unsigned               number, shards, readers;
    struct cold_pool      *cold;
    uint64_t               run;
    bool                   was_clean, same_policy, read_only;
    int                    directory; /* -1: in memory */
    const char            *path;      /* lives as long as the shard */
    uint32_t               segments, segment_size;
};

/* Takes the disk: it is closed with the shard, and also when this fails. Only memory can be lacking. */
MUST_CHECK enum err shard_create(struct shard **shard, struct disk disk, const struct shard_config *config);

/* All leases must be back. */
void shard_destroy(struct shard **shard);

/* A record whose bytes are not what was written; its place is taken out of the index by a job. */
struct shard_damage {
    bool               found;
    uint64_t           hash;
    struct index_place place;
};

/* An entry of the index that may be the one that is looked for. */
struct shard_match {
    struct index_place place;
    uint64_t           size; /* up to a sixteenth too large */
    bool               unverified;
    bool               settled; /* a further hit would change nothing; then also: */
    uint64_t           version; /* of the segment, when the index said so */
    uint32_t           expiry;
};

/* Pins what may be it, and counts a hit unless it is at a place of `counted`; how many places. */
unsigned shard_pin_matches(struct shard *shard, unsigned reader, uint64_t hash, wall_time now,
                           const struct cold_set *counted, struct shard_match *found);

/* The match was what is wanted: the reader remembers it, if that saves the next look at the index. */
void shard_recall(struct shard *shard, unsigned reader, uint64_t hash, const struct shard_match *match);

/* Is there a match at all? Neither pins nor counts. */
bool shard_knows(struct shard *shard, uint64_t hash, wall_time now);

/* Is the pinned match the record of that key? Touches its pages; reads the disk for what is unverified. */
bool shard_is_wanted(struct shard *shard, const struct shard_match *match, const struct store_key *key,
                     wall_time now, struct record *record, struct shard_damage *damage);

/* The read for that place, or NULL. */
struct cold *cold_set_find(const struct cold_set *set, const struct shard *shard, struct index_place place);

bool shard_find(struct shard *shard, unsigned reader, const struct store_key *key, wall_time now,
                struct lease *lease, struct shard_damage *damage);

/* The record at that place, as far as its header can be read. The caller has pinned it, or is the store
 * thread. */
bool shard_parse(const struct shard *shard, struct index_place place, struct record *record,
                 struct digest *digest);

/* What the index and the table of segments take has changed. */
void shard_count_memory(struct shard *shard);

/* A write to that segment failed. */
void shard_count_error(struct shard *shard, const struct segment *segment, enum err err);

/* By the store thread: what was at that place has left the index. */
static inline void
shard_outdate(struct shard *shard, struct index_place place)
{
    recall_outdate(shard->versions, place.segment);
}

/* By the store thread: what was stored under that digest so far does not come back at a start, nor what the index does not know
 * and lies on the disk. */
static inline void
shard_bury(struct shard *shard, struct digest digest)
{
    journal_add(&shard->journal, JOURNAL_PURGE, digest, ++shard->table.writes);
}

/* The store thread's row of pins. */
static inline unsigned
shard_own_reader(const struct shard *shard)
{
    return shard->pins.readers - 1;
}

/* Where a place is in the file. */
static inline uint64_t
shard_offset(const struct shard *shard, struct index_place place)
{
    return (uint64_t)place.segment * shard->table.size + (uint64_t)place.offset * RECORD_ALIGN;
}

/* The record is set; the pin is the lease's, unless there is a buffer. */
static inline void
lease_set(struct lease *lease, struct shard *shard, unsigned reader, uint32_t segment, void *buffer)
{
    lease->shard = shard;
    lease->segment = segment;
    lease->reader = reader;
    lease->buffer = buffer;
}

/* The bytes from a place to the end of its segment. */
static inline struct span
shard_room(const struct shard *shard, struct index_place place)
{
    uint64_t from = (uint64_t)place.offset * RECORD_ALIGN;
    return span_of(shard->disk.map + shard_offset(shard, place), shard->table.size - from);
}

static inline struct segment_stamp
shard_stamp(const struct shard *shard, const struct segment *segment)
{
    struct segment_stamp stamp = { .seq = le64_of(segment->seq) };
    memcpy(stamp.store, shard->store, sizeof stamp.store);
    return stamp;
}

#endif
