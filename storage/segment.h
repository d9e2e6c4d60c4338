/* segment.h: the table of a shard's segments, and the lists they are in.
 *
 *      free ──take──▶ OPEN (one for each log) ──seal──▶ SEALED (in its log, oldest first) ──cleaned──▶ free
 *        ▲                     └─ write failed ─▶ SEALED, broken                             │ pinned
 *        └────────────────────────────── all leases back ◀── DEFERRED ◀──────────────────────┘
 *
 * A broken segment's records stay readable; it has no footer on the disk, so the list of what it holds
 * stays in memory. At a start, free ones that an earlier run wrote become SEALED (segment_restore).
 *
 * Owner: the shard's store thread, but for `view.worth`, which readers raise under the shard's lock, and
 * `wanted` and `deferred_count`, which they read.
 */
#ifndef LARDER_STORAGE_SEGMENT_H
#define LARDER_STORAGE_SEGMENT_H

#include "layout.h"

#include <larder/base/list.h>
#include <stdatomic.h>
#include <larder/storage/eviction.h>

enum segment_state { SEGMENT_FREE, SEGMENT_OPEN, SEGMENT_SEALED, SEGMENT_DEFERRED };

struct segment {
    struct list             link;
    struct eviction_segment view;
    uint64_t                seq;
    uint64_t                closed;  /* the position at which it was sealed; of an earlier run's its seq */
    int64_t                 expires; /* s since 1970: all its records have expired by then */
    struct footer_entry    *entries; /* while open, and if broken; NULL: read the footer */
    uint32_t                count;   /* records written */
    uint32_t                room;    /* entries that have memory */
    uint32_t                used;    /* where the next record goes, in bytes */
    uint32_t                live;    /* records that the index knows */
    uint64_t                live_bytes;
    uint32_t                noted; /* records that a footer on the disk tells of */
    uint8_t                 state;
    uint8_t                 log;
    bool                    pending; /* sealed, and its footer waits for the data to be synced */
    atomic_bool             wanted;  /* deferred: readers are asked to let go; they look at it */
};

struct segment_log {
    struct list     sealed; /* oldest first */
    struct segment *open;   /* NULL: none */
    uint64_t        bytes;  /* of all its segments */
};

struct segment_table {
    struct segment     *segments;
    uint32_t            count;
    uint32_t            size; /* of a segment, in bytes */
    struct segment_log *logs;
    unsigned            log_count;
    struct list         unused;
    struct list         deferred;
    uint32_t            unused_count, deferred_count;
    uint64_t            writes; /* the last position: segments opened, records written, removals */
};

MUST_CHECK enum err segment_table_init(struct segment_table *table, uint32_t count, uint32_t size);
void                segment_table_fini(struct segment_table *table);

/* Once, when the policy has said how many logs it writes. */
MUST_CHECK enum err segment_table_set_logs(struct segment_table *table, unsigned logs);

static inline uint32_t
segment_number(const struct segment_table *table, const struct segment *segment)
{
    return (uint32_t)(segment - table->segments);
}

/* From the free list to the open one of `log`, which has none. There must be one. Those freed last come
 * last: a bad place of the disk is not met again at once. */
struct segment *segment_open(struct segment_table *table, unsigned log, uint64_t clock);

/* Does a record of that size fit, with its entry in the footer? */
bool segment_has_room(const struct segment_table *table, const struct segment *segment, uint64_t size);

/* Memory for one more entry. */
MUST_CHECK enum err segment_reserve(struct segment *segment);

/* The order that the next record written to it has. */
uint32_t segment_next_order(const struct segment_table *table, const struct segment *segment);

/* Notes a record that was written at `used`; an entry was reserved for it. */
void segment_note(struct segment_table *table, struct segment *segment, struct digest digest, uint64_t size,
                  wall_time expires);

/* One that an earlier run wrote goes from the free ones to the sealed of its log, as the newest. The caller
 * has set seq, log, count, used, expires and view.bytes. */
void segment_restore(struct segment_table *table, struct segment *segment, uint64_t clock);

/* s since 1970, rounded up. */
int64_t segment_expiry(wall_time expires);

/* The open one of its log becomes the newest of the sealed. */
void segment_seal(struct segment_table *table, struct segment *segment);

/* Out of its log: a sealed one that holds nothing any more, to the free ones or, while it is pinned, to
 * the deferred. */
void segment_retire(struct segment_table *table, struct segment *segment, bool pinned);

/* A deferred one whose pins are gone, or one that could not be opened. */
void segment_give_back(struct segment_table *table, struct segment *segment);

#endif
