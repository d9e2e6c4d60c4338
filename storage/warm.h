/* warm.h: which records a reader has used a moment ago, so that it need not ask whether they are in memory.
 *
 * A table of one word for each slot, found by the record's place; what falls on a slot takes it. It says
 * nothing false, it only forgets. So a hot hit costs one look at a cache line of the reader's own, and one
 * write to it in a second.
 *
 * Owner: the reader.
 */
#ifndef LARDER_STORAGE_WARM_H
#define LARDER_STORAGE_WARM_H

#include "index.h"

#include <larder/base/clock.h>

enum { WARM_SLOTS = 16384, WARM_SLOTS_LEAST = 1024, WARM_SECONDS = 10 };

struct warm {
    uint64_t *slots; /* place 40 bits, unused 8, second 16; 0: nothing */
    uint32_t  mask;
};

/* Of the slots that a reader has in all, this shard's part. */
MUST_CHECK enum err warm_init(struct warm *warm, unsigned shards);
void                warm_fini(struct warm *warm);

/* Was it noted in the last WARM_SECONDS? When the clock was set back: no. */
bool warm_knows(const struct warm *warm, struct index_place place, wall_time now);
void warm_note(struct warm *warm, struct index_place place, wall_time now);

#endif
