/* warm.h: which records a reader has used a moment ago, so that it need not ask whether they are in memory.
 *
 * A table of one word for each slot, found by the record's place; what falls on a slot takes it. So a hot hit
 * costs one look at a cache line of the reader's own, and one write to it in a second.
 *
 * What was used in the last second is in memory as long as memory suffices for what is read in a second. So one in
 * WARM_SAMPLE is asked about all the same, and when it turns out cold, all are for the next WARM_ASKS seconds.
 *
 * Owner: the reader.
 */
#ifndef LARDER_STORAGE_WARM_H
#define LARDER_STORAGE_WARM_H

#include "index.h"

#include <larder/base/clock.h>

enum { WARM_SLOTS = 16384, WARM_SLOTS_LEAST = 1024, WARM_SECONDS = 1, WARM_SAMPLE = 16, WARM_ASKS = 10 };

struct warm {
    uint64_t *slots; /* place 40 bits, unused 8, second 16; 0: nothing */
    uint32_t  mask;
    uint32_t  known;      /* times that it knew */
    int64_t   asks_until; /* second: what it knows is not to be relied on */
};

/* Of the slots that a reader has in all, this shard's part. */
MUST_CHECK enum err warm_init(struct warm *warm, unsigned shards);
void                warm_fini(struct warm *warm);

/* Was it noted in the last WARM_SECONDS, and is that to be relied on? When the clock was set back: no. */
bool warm_knows(struct warm *warm, struct index_place place, wall_time now);
void warm_note(struct warm *warm, struct index_place place, wall_time now);

/* It is not in memory. If it was noted in the last WARM_SECONDS, nothing is relied on for WARM_ASKS. */
void warm_was_wrong(struct warm *warm, struct index_place place, wall_time now);

#endif
