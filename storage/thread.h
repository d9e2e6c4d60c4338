/* thread.h: a store thread: it runs its shards' jobs one after the other, cleans ahead, and waits for the disk when it
 * is time.
 *
 *      at a start: the jobs of a shard wait until others have recovered it (restart.h)
 *      submit ──▶ queue of the shard ──▶ run ──▶ a victim, if the reserve is low ──▶ next
 *                                         └── no jobs, all clean ──▶ sleep (futex)
 *
 * Owner: the store.
 */
#ifndef LARDER_STORAGE_THREAD_H
#define LARDER_STORAGE_THREAD_H

#include "report.h"

struct store_thread {
    pthread_t         thread;
    struct shard    **shards; /* its own: `count` from here */
    unsigned          count;
    unsigned          shards_all;
    struct report    *report;
    _Atomic uint64_t *waiting;  /* of the store: bytes of jobs not yet run */
    _Atomic uint32_t  sleeping; /* the futex: 1 while it sleeps, or is about to */
    atomic_bool       stop;
    bool              started;
};

/* A thread of the store: signals are for the server's own threads, but a SIGBUS is its own (guard.h). 0 or an
 * errno. */
int store_thread_spawn(pthread_t *thread, void *(*run)(void *), void *argument);

MUST_CHECK enum err store_thread_start(struct store_thread *thread, struct fault *fault);

/* After a push to one of its shards' queues, or when one of them is recovered. Any thread. */
void store_thread_wake(struct store_thread *thread);

/* Nobody pushes any more, and all shards are recovered: runs what is queued, brings all to the disk, ends.
 * Idempotent. */
void store_thread_stop(struct store_thread *thread);

#endif
