/* thread.h: a store thread: it runs the jobs of its shards, one after the other, and cleans ahead.
 *
 *      submit ──▶ queue of the shard ──▶ run ──▶ a victim, if the reserve is low ──▶ next
 *                                         └── no jobs, all clean ──▶ sleep (futex)
 *
 * Owner: the store.
 */
#ifndef LARDER_STORAGE_THREAD_H
#define LARDER_STORAGE_THREAD_H

#include "shard.h"

struct store_thread {
    pthread_t         thread;
    struct shard    **shards; /* its own: `count` from here */
    unsigned          count;
    unsigned          shards_all;
    _Atomic uint64_t *waiting;  /* of the store: bytes of jobs not yet run */
    _Atomic uint32_t  sleeping; /* the futex: 1 while it sleeps, or is about to */
    atomic_bool       stop;
    bool              started;
};

MUST_CHECK enum err store_thread_start(struct store_thread *thread, struct fault *fault);

/* After a push to one of its shards' queues. Any thread. */
void store_thread_wake(struct store_thread *thread);

/* Nobody pushes any more: runs what is queued, ends. Idempotent. */
void store_thread_stop(struct store_thread *thread);

#endif
