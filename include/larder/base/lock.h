/* lock.h: mutexes with a rank.
 *
 * Locks are taken in the order of their ranks, never two of one rank; debug builds keep the held
 * ranks of each thread and panic on a lock taken out of order. A lock is held for nanoseconds: never
 * across a system call, a copy of a body, or a callback.
 */
#ifndef LARDER_BASE_LOCK_H
#define LARDER_BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>

/* From the outermost to the innermost. */
enum lock_rank {
    LOCK_RANK_CONTROL = 1, /* server-wide lists */
    LOCK_RANK_POOL,        /* addresses of an origin pool */
    LOCK_RANK_FLIGHT,      /* the flights of a cache shard */
    LOCK_RANK_SHARD,       /* a shard's index and segments */
    LOCK_RANK_RATE,        /* buckets of clients' rates */
    LOCK_RANK_CROWD,       /* how many connections a client has */
    LOCK_RANK_QUEUE,       /* a queue to a store thread */
    LOCK_RANK_LOG          /* the log's buffer */
};

struct lock {
    pthread_mutex_t mutex;
    const char     *name;
    enum lock_rank  rank;
#ifndef NDEBUG
    pthread_t holder;
    bool      held;
#endif
};

void lock_init(struct lock *lock, enum lock_rank rank, const char *name);
void lock_fini(struct lock *lock);
void lock_acquire(struct lock *lock);
void lock_release(struct lock *lock);

/* Panics, in debug builds, when the calling thread does not hold it. */
void lock_assert_held(const struct lock *lock);

#endif
