/* thread.c: see thread.h.
 *
 * Sleeping. The thread sets `sleeping` and looks at its queues once more; a pusher pushes and then clears
 * it. Both change the same word with a read-modify-write, so one of them comes second: the thread second
 * sees the push, the pusher second sees the 1 and wakes. Neither needs a lock.
 */
#include "thread.h"
#include "clean.h"
#include "commit.h"
#include "snapshot.h"
#include "stage.h"
#include "writer.h"

#include <larder/base/check.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static bool
run_job(struct store_thread *thread, struct shard *shard)
{
    struct queue_node *node = queue_pop(&shard->jobs);
    if (node == NULL) {
        stage_pass(shard);
        return false;
    }

    struct store_job   *job = (struct store_job *)(void *)((char *)node - offsetof(struct store_job, node));
    size_t              cost = job->cost;
    bool                waits = job->done != NULL; /* else the job may be gone when it has run */
    struct store_writer writer = { .shard = shard, .shards = thread->shards_all, .stages = waits };

    stage_begin_job(shard, job);
    job->run(job, &writer);
    writer_finish(&writer);
    if (waits)
        stage_end_job(shard, job);
    atomic_fetch_sub_explicit(thread->waiting, cost, memory_order_relaxed);
    clean_ahead(shard);
    return true;
}

static bool
is_recovered(const struct shard *shard)
{
    return atomic_load_explicit(&shard->recovered_all, memory_order_acquire);
}

/* One job of each shard that has one and is recovered. */
static bool
run_jobs(struct store_thread *thread)
{
    bool ran = false;
    for (unsigned i = 0; i < thread->count; i++)
        if (is_recovered(thread->shards[i]))
            ran |= run_job(thread, thread->shards[i]);
    return ran;
}

/* Did any shard that is recovered have something to do? */
static bool
each_shard(struct store_thread *thread, bool (*work)(struct shard *shard))
{
    bool worked = false;
    for (unsigned i = 0; i < thread->count; i++)
        if (is_recovered(thread->shards[i]))
            worked |= work(thread->shards[i]);
    return worked;
}

static void
report(struct store_thread *thread)
{
    for (unsigned i = 0; i < thread->count; i++) {
        struct shard *shard = thread->shards[i];
        if (shard->reported || !atomic_load_explicit(&shard->ready, memory_order_relaxed))
            continue;
        shard->reported = true;
        report_recovered(thread->report);
    }
}

/* ── the disk ── */

static mono_time
now_of(const struct store_thread *thread)
{
    return thread->shards[0]->disk.calls->mono();
}

/* What is due is brought to the disk. Until when nothing else will be due. */
static mono_time
bring_to_disk(struct store_thread *thread)
{
    mono_time now = now_of(thread), next = MONO_NEVER;

    for (unsigned i = 0; i < thread->count; i++) {
        struct shard *shard = thread->shards[i];
        if (!is_recovered(shard))
            continue;
        if (shard->journal.due.ns <= now.ns)
            journal_sync(&shard->journal);
        if (commit_due(shard).ns <= now.ns)
            commit_run(shard, now);
        mono_time due = commit_due(shard);
        if (shard->journal.due.ns < due.ns)
            due = shard->journal.due;
        if (due.ns < next.ns)
            next = due;
    }
    return next;
}

/* In order, so that the next start need not look for anything. */
static void
finish(struct store_thread *thread)
{
    for (unsigned i = 0; i < thread->count; i++) {
        struct shard *shard = thread->shards[i];
        if (!shard->disk.in_file || !is_recovered(shard)) /* opening failed: what is in the files stays */
            continue;
        commit_all(shard);
        journal_sync(&shard->journal);
        snapshot_write(shard);
    }
}

/* ── its life ── */

static void
sleep_until_woken(struct store_thread *thread, mono_time until)
{
    atomic_exchange(&thread->sleeping, 1);
    bool stop = atomic_load(&thread->stop);
    if (!run_jobs(thread) && !stop) {
        nsec            span = mono_since(until, now_of(thread));
        struct timespec wait = { span / NSEC_PER_SEC, span % NSEC_PER_SEC };
        /* Returns at once when the word is not 1 any more; every return is looked into by the caller. */
        if (span > 0)
            syscall(SYS_futex, &thread->sleeping, FUTEX_WAIT_PRIVATE, 1,
                    until.ns == MONO_NEVER.ns ? NULL : &wait, NULL, 0);
    }
    atomic_store(&thread->sleeping, 0);
}

/* A wake-up takes the core away from nobody (sched(7), SCHED_BATCH): where a worker has the same one, it goes on, and what it
 * brings meanwhile is written in one go, not with a wake-up and two switches for each record. Refused: then as before. */
static void
run_behind(void)
{
    const struct sched_param none = { .sched_priority = 0 };
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
}

static void *
main_of_thread(void *argument)
{
    struct store_thread *thread = argument;

    run_behind();
    for (;;) {
        bool stop = atomic_load(&thread->stop); /* before the queues: what was pushed before it is seen */
        /* What is staged waits for more only while there are jobs. */
        bool ran = run_jobs(thread) || each_shard(thread, stage_flush);
        report(thread);
        mono_time next = bring_to_disk(thread);
        if (ran)
            continue;
        if (stop)
            break;
        if (!each_shard(thread, clean_ahead))
            sleep_until_woken(thread, next);
    }
    finish(thread);
    return NULL;
}

void
store_thread_wake(struct store_thread *thread)
{
    if (atomic_exchange(&thread->sleeping, 0) == 1)
        syscall(SYS_futex, &thread->sleeping, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

int
store_thread_spawn(pthread_t *thread, void *(*run)(void *), void *argument)
{
    sigset_t all, before;

    sigfillset(&all);
    sigdelset(&all, SIGBUS);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

enum err
store_thread_start(struct store_thread *thread, struct fault *fault)
{
    int error = store_thread_spawn(&thread->thread, main_of_thread, thread);
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
