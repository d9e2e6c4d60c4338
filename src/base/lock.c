/* lock.c: mutexes, and in debug builds the proof that they are taken in order.
 *
 * Each thread keeps a bit per rank that it holds: a lock may be taken only when no bit of its own rank or of an inner one is set.
 */
#include <larder/base/lock.h>

#include <larder/base/check.h>

#ifndef NDEBUG
static _Thread_local unsigned held_ranks;

static void
note_acquired(struct lock *lock)
{
    CHECK(held_ranks >> lock->rank == 0); /* a lock of this rank, or of an inner one, is held already */
    held_ranks |= 1u << lock->rank;
    lock->holder = pthread_self();
    lock->held = true;
}

static void
note_released(struct lock *lock)
{
    lock_assert_held(lock);
    held_ranks &= ~(1u << lock->rank);
    lock->held = false;
}
#else
static void
note_acquired(struct lock *lock)
{
    (void)lock;
}

static void
note_released(struct lock *lock)
{
    (void)lock;
}
#endif

void
lock_init(struct lock *lock, enum lock_rank rank, const char *name)
{
    *lock = (struct lock){ .name = name, .rank = rank };
    int failed = pthread_mutex_init(&lock->mutex, NULL);
    CHECK(failed == 0);
}

void
lock_fini(struct lock *lock)
{
    int failed = pthread_mutex_destroy(&lock->mutex);
    CHECK(failed == 0);
}

void
lock_acquire(struct lock *lock)
{
    int failed = pthread_mutex_lock(&lock->mutex);
    CHECK(failed == 0);
    note_acquired(lock);
}

void
lock_release(struct lock *lock)
{
    note_released(lock);
    int failed = pthread_mutex_unlock(&lock->mutex);
    CHECK(failed == 0);
}

void
lock_assert_held(const struct lock *lock)
{
#ifndef NDEBUG
    CHECK(lock->held && pthread_equal(lock->holder, pthread_self()));
#else
    (void)lock;
#endif
}
