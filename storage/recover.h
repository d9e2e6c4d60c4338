/* recover.h: a shard finds again what earlier runs stored in it.
 *
 *      journal ─▶ snapshot of a clean stop? ─────────────────────────────────────────────▶ jobs ─▶ readers
 *                    └─ no ─▶ headers of all segments ─▶ by seq ─▶ records of each ─▶ index ─┘
 *
 * It runs on a thread of its own (restart.h), beside those of other shards. Until it is through the shard has nothing
 * for readers (a miss), and its jobs wait; readers come in when the jobs that waited have run. So what is fetched
 * and what is purged meanwhile comes after all that is recovered, and wins.
 *
 * Of two records of one digest the one with the later position counts. What a tombstone of the journal
 * covers, or has expired, is not entered. Bodies are not read: see verify.h.
 *
 * Owner: the thread that runs it, to whom the shard belongs meanwhile.
 */
#ifndef LARDER_STORAGE_RECOVER_H
#define LARDER_STORAGE_RECOVER_H

#include "shard.h"

/* When it returns shard->recovered_all is set, and the shard is its store thread's. What fails (memory, a damaged
 * journal) leaves the shard empty. */
void recover_run(struct shard *shard);

/* Positions of a run begin here, or 2^32 behind the last one that was found: what a power failure took from
 * an earlier run was not further ahead. */
static inline uint64_t
recover_first_position(uint64_t run)
{
    return run << 32;
}

/* So many runs has a store; then it begins anew. */
#define RECOVER_RUNS_MAX (UINT64_C(1) << 21)

#endif
