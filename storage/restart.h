/* restart.h: the threads that recover the shards after a start, as many at a time as there are readers.
 *
 *      shard 0 ─▶ thread ─ recover_run ─▶ recovered_all ─ wake ─▶ its store thread: the jobs that waited
 *      shard 1 ─▶ thread ─ ...
 *
 * A shard of its own file, index and journal asks nothing of the others, so they go side by side: that is more of the
 * processors' time at once, and more reads for the disk to choose from. A thread that is through takes the next shard
 * that nobody has, and ends when there is none.
 *
 * Owner: the store.
 */
#ifndef LARDER_STORAGE_RESTART_H
#define LARDER_STORAGE_RESTART_H

#include "thread.h"

enum { RESTART_THREADS = 16 };

struct restart {
    pthread_t            threads[RESTART_THREADS];
    unsigned             started;
    _Atomic unsigned     next; /* the first shard that nobody has taken */
    struct shard       **shards;
    unsigned             count;
    struct store_thread *writers; /* of the shards, in their order; each has `each` of them */
    unsigned             each;
};

/* Begins with the shards, the writers and `each` set. A thread less than `most` makes it slower; none is a fault. */
MUST_CHECK enum err restart_begin(struct restart *restart, unsigned most, struct fault *fault);

/* Waits until all shards are recovered. Idempotent. */
void restart_end(struct restart *restart);

#endif
