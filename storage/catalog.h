/* catalog.h: the index and the accounts of what it holds, as the store thread changes them.
 *
 * Each change is one hold of the shard's lock; the accounts (live records of each segment, the gauges)
 * follow outside of it. Where the index has to drop an entry, or to grow, it is done here.
 *
 * Owner: the shard's store thread.
 */
#ifndef LARDER_STORAGE_CATALOG_H
#define LARDER_STORAGE_CATALOG_H

#include "shard.h"

struct catalog_item {
    struct index_place place;
    struct record      record;
    uint64_t           size; /* in the segment */
};

/* What was just written. */
struct catalog_written {
    struct index_place place;
    uint64_t           size;
    wall_time          expires;
};

/* Why something leaves; each has its counter. */
enum catalog_reason { CATALOG_REMOVED, CATALOG_EXPIRED, CATALOG_EVICTED, CATALOG_DAMAGED };

/* The record of that digest, expired or not, whatever its key is. */
bool catalog_find(struct shard *shard, struct digest digest, struct catalog_item *item);

/* Has nobody looked at its sums since an earlier run wrote it? */
bool catalog_is_unverified(struct shard *shard, struct digest digest, struct index_place place);

/* Takes out a record that cannot be read as it was written, if it is still there. */
void catalog_drop_damaged(struct shard *shard, uint64_t hash, struct index_place place);

/* Makes what was written the record of its digest, in place of `old` (NULL: there was none). */
void catalog_put(struct shard *shard, struct digest digest, const struct catalog_item *old,
                 const struct catalog_written *written, const struct eviction_verdict *verdict);

/* What an earlier run wrote, by its footer. */
struct catalog_restored {
    struct index_place place;
    uint64_t           size;
    int64_t            expires; /* s since 1970 */
    unsigned           freq;
};

/* Before records are restored: room for so many, so that their spots stay good meanwhile. */
void catalog_make_room(struct shard *shard, uint32_t records);

/* Enters a record of an earlier run, unverified, at the spot of its digest. `old` as above. Nobody reads yet, so it
 * takes no lock. */
void catalog_restore(struct shard *shard, const struct index_spot *spot, struct digest digest,
                     const struct catalog_item *old, const struct catalog_restored *restored);

/* Takes the record at that place out; it must be there. */
void catalog_remove(struct shard *shard, struct digest digest, struct index_place place, uint64_t size,
                    enum catalog_reason reason);

/* The record at `from`, which must be there, is now at `written`. */
void catalog_move(struct shard *shard, struct digest digest, struct index_place from,
                  const struct catalog_written *written, const struct eviction_verdict *verdict);

/* Takes out all there is; how many they were. */
uint64_t catalog_clear(struct shard *shard);

/* Takes out all that lies in a segment, by a look at the whole index: for segments that do not tell what
 * they hold. */
void catalog_sweep(struct shard *shard, struct segment *segment);

#endif
