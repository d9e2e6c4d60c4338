/* verify.h: is a record that an earlier run wrote still what was written?
 *
 * A start reads no bodies. So the first who uses such a record looks at its sums, once: from then on the
 * index says that it was done. What this run writes is never looked at.
 */
#ifndef LARDER_STORAGE_VERIFY_H
#define LARDER_STORAGE_VERIFY_H

#include "shard.h"

/* Reads the record of that hash at a place that the caller has pinned; any thread. True: all its bytes are
 * those that were written, and not later than the clock allows. Tells the index. */
bool verify_record(struct shard *shard, uint64_t hash, struct index_place place, const struct record *record,
                   wall_time now);

#endif
