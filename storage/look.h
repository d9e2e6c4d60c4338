/* look.h: finding without waiting for the disk. See store_look in store.h for the contract.
 *
 *      index ─▶ pin ─┬─ was read for us            ──▶ from its buffer
 *                    ├─ used a moment ago, probed  ──▶ from the map
 *                    └─ else, or unverified        ──▶ a read, to be begun
 */
#ifndef LARDER_STORAGE_LOOK_H
#define LARDER_STORAGE_LOOK_H

#include "cold.h"

struct look_question {
    unsigned                reader;
    const struct store_key *key;
    wall_time               now;
    const struct cold_set  *reads;
};

enum find shard_look(struct shard *shard, const struct look_question *question, struct lease *lease,
                     struct cold **cold, struct shard_damage *damage);

#endif
