/* thread.c: see thread.h.
 *
 * Sleeping. The thread sets `sleeping` and looks at its queues once more; a pusher pushes and then clears
 * it. Both change the same word with a read-modify-write, so one of them comes second: the thread second
 * sees the push, the pusher second sees the 1 and wakes. Neither needs a lock.
 */
#include "thread.h"
#include "clean.h"
#include "writer.h"

#include <larder/base/check.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool
run_job(struct store_thread *thread, struct shard *shard)
{
    struct queue_node *node = queue_pop(&shard->jobs);
    if (node == NULL)
        return false;

    struct store_job   *job = (struct store_job *)(void *)((char *)node - offsetof(struct store_job, node));
    struct store_writer writer = { .shard = shard, .shards = thread->shards_all };
    size_t              cost = job->cost; /* the job may be gone when it has run */

    job->run(job, &writer);
    writer_finish(&writer);
    atomic_fetch_sub_explicit(thread->waiting, cost, memory_order_relaxed);
    clean_ahead(shard);
    return true;
}

/* One job of each shard that has one. */
static bool
run_jobs(struct store_thread *thread)
{
    bool ran = false;
    for (unsigned i = 0; i < thread->count; i++)
        ran |= run_job(thread, thread->shards[i]);
    return ran;
}

static bool
clean_shards(struct store_thread *thread)
{
    bool cleaned = false;
    for (unsigned i = 0; i < thread->count; i++)
        cleaned |= clean_ahead(thread->shards[i]);
    return cleaned;
}

static void
sleep_until_woken(struct store_thread *thread)
{
    atomic_exchange(&thread->sleeping, 1);
    bool stop = atomic_load(&thread->stop);
    if (!run_jobs(thread) && !stop) {
        /* Returns at once when the word is not 1 any more; every return is looked into by the caller. */
        syscall(SYS_futex, &thread->sleeping, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
    }
    atomic_store(&thread->sleeping, 0);
}

static void *
main_of_thread(void *argument)
{
    struct store_thread *thread = argument;

    for (;;) {
        bool stop = atomic_load(&thread->stop); /* before the queues: what was pushed before it is seen */
        if (run_jobs(thread))
            continue;
        if (stop)
            return NULL;
        if (!clean_shards(thread))
            sleep_until_woken(thread);
    }
}

void
store_thread_wake(struct store_thread *thread)
{
    if (atomic_exchange(&thread->sleeping, 0) == 1)
        syscall(SYS_futex, &thread->sleeping, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* Signals are for the server's own threads. */
enum err
store_thread_start(struct store_thread *thread, struct fault *fault)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->thread, NULL, main_of_thread, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return fault_set_errno(fault, error, "cannot start a store thread");
    thread->started = true;
    return ERR_NONE;
}

void
store_thread_stop(struct store_thread *thread)
{
    if (!thread->started)
        return;
    atomic_store(&thread->stop, true);
    store_thread_wake(thread);
    int error = pthread_join(thread->thread, NULL);
    CHECK(error == 0);
    thread->started = false;
}
