/* loop.c: epoll, the timing wheel, the mailbox and the deferred tasks, turned in that order.
 *
 *      poster:  push mail ─▶ asleep: true→false? ── was true ──▶ ring the bell (eventfd)
 *      loop:    asleep := true ─▶ any mail? ── none ──▶ epoll_wait
 *
 * Waking. Both sides exchange the same atomic, so one comes first. If the poster does, the loop's exchange
 * reads what the poster's wrote and so sees the mail; if the loop does, the poster finds it asleep and
 * rings. A wake-up cannot be lost, and a loop that is busy costs the poster no system call. The bell is
 * edge-triggered and never read: each write is an edge.
 *
 * Stale events. epoll_wait hands over a batch of pointers to watches. One callback may unwatch and free
 * what a later event of the batch points at, or watch something new at that very address; so loop_unwatch
 * scrubs the rest of the batch.
 *
 * Owner: the thread in loop_run; only `mail`, `asleep`, `stopping` and the bell are touched by others.
 */
#include <larder/net/loop.h>

#include "wheel.h"

#include <larder/base/check.h>
#include <larder/base/metric.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BATCH = 256, MAIL_PER_TURN = 256 };

#define SLOW_TURN (2 * NSEC_PER_MSEC)

struct loop {
    int    epoll, bell;
    size_t watches;
    bool   turning;

    struct epoll_event batch[BATCH];
    unsigned           batch_at, batch_count; /* the event being told, and the batch's end */

    mono_time    now;
    wall_time    wall;
    struct wheel wheel;
    struct list  tasks;   /* for the end of this turn */
    struct list  running; /* at the end of this turn */

    struct queue       mail;
    struct queue_node *first; /* mail that was found on the way to sleep */
    atomic_bool        asleep, stopping;

    metric_cell turns, slow_turns, longest;
};

/* ── life ── */

static void
free_loop(struct loop *loop)
{
    if (loop->epoll >= 0)
        close(loop->epoll);
    if (loop->bell >= 0)
        close(loop->bell);
    free(loop);
}

/* The bell's event carries no watch: waking up is all it does. */
static bool
open_descriptors(struct loop *loop)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = NULL };

    loop->bell = -1;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0)
        return false;
    loop->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return loop->bell >= 0 && epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->bell, &event) == 0;
}

enum err
loop_create(struct loop **loop, struct fault *fault)
{
    struct loop *new = calloc(1, sizeof *new);

    if (new == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "cannot make an event loop: %s", err_text(ERR_NO_MEMORY));
    if (!open_descriptors(new)) {
        fault_set_errno(fault, errno, "cannot make an event loop");
        free_loop(new);
        return fault->code;
    }
    new->now = clock_mono();
    new->wall = clock_wall();
    wheel_init(&new->wheel, new->now);
    list_init(&new->tasks);
    list_init(&new->running);
    queue_init(&new->mail);
    *loop = new;
    return ERR_NONE;
}

/* ── mail ── */

/* True if the loop slept or may have been about to, so that it must be woken. */
static bool
take_sleep(struct loop *loop)
{
    return atomic_exchange_explicit(&loop->asleep, false, memory_order_acq_rel);
}

static void
wake(struct loop *loop)
{
    uint64_t one = 1;

    if (!take_sleep(loop))
        return;
    /* It fails only when 2^64 rings were not read (the counter stays readable then) or by a signal. */
    while (write(loop->bell, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

void
loop_post(struct loop *loop, struct mail *mail)
{
    queue_push(&loop->mail, &mail->node);
    wake(loop);
}

static struct mail *
next_mail(struct loop *loop)
{
    struct queue_node *node = loop->first != NULL ? loop->first : queue_pop(&loop->mail);

    loop->first = NULL;
    return node == NULL ? NULL : CONTAINER_OF(node, struct mail, node);
}

/* Bounded, as a callback may post to its own loop. The rest is found before the next sleep. */
static void
deliver_mail(struct loop *loop)
{
    struct mail *mail;

    for (unsigned i = 0; i < MAIL_PER_TURN && (mail = next_mail(loop)) != NULL; i++)
        mail->deliver(mail);
}

void
loop_destroy(struct loop **loop)
{
    struct loop *old = *loop;
    struct mail *mail;

    if (old == NULL)
        return;
    CHECK(!old->turning);
    while ((mail = next_mail(old)) != NULL)
        mail->deliver(mail);
    CHECK(old->watches == 0 && old->wheel.count == 0 && list_empty(&old->tasks));
    free_loop(old);
    *loop = NULL;
}

/* ── sockets ── */

enum err
loop_watch(struct loop *loop, struct watch *watch)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = watch };

    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) < 0)
        return err_from_errno(errno);
    loop->watches++;
    return ERR_NONE;
}

void
loop_unwatch(struct loop *loop, struct watch *watch)
{
    CHECK(epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL) == 0);
    CHECK(loop->watches > 0);
    loop->watches--;
    for (unsigned i = loop->batch_at; i < loop->batch_count; i++)
        if (loop->batch[i].data.ptr == watch)
            loop->batch[i].data.ptr = NULL;
}

/* A broken socket is told in both directions: whichever the owner waits for finds the error. */
static unsigned
events_of(uint32_t bits)
{
    unsigned events = 0;

    if (bits & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
        events |= WATCH_READ;
    if (bits & EPOLLOUT)
        events |= WATCH_WRITE;
    if (bits & (EPOLLRDHUP | EPOLLHUP))
        events |= WATCH_END;
    if (bits & EPOLLERR)
        events |= WATCH_ERROR | WATCH_READ | WATCH_WRITE;
    return events;
}

static void
tell_sockets(struct loop *loop)
{
    for (; loop->batch_at < loop->batch_count; loop->batch_at++) {
        const struct epoll_event *event = &loop->batch[loop->batch_at];
        struct watch             *watch = event->data.ptr;
        if (watch != NULL)
            watch->ready(watch, events_of(event->events));
    }
    loop->batch_at = loop->batch_count = 0;
}

/* ── timers ── */

void
timer_init(struct timer *timer, void (*fire)(struct timer *timer))
{
    *timer = (struct timer){ .fire = fire };
    list_init(&timer->node);
}

void
timer_set(struct loop *loop, struct timer *timer, mono_time at)
{
    wheel_set(&loop->wheel, timer, at);
}

void
timer_cancel(struct loop *loop, struct timer *timer)
{
    wheel_cancel(&loop->wheel, timer);
}

/* ── tasks ── */

void
task_init(struct task *task, void (*run)(struct task *task))
{
    *task = (struct task){ .run = run };
    list_init(&task->node);
}

void
task_defer(struct loop *loop, struct task *task)
{
    if (task->queued)
        return;
    task->queued = true;
    list_push_back(&loop->tasks, &task->node);
}

void
task_cancel(struct loop *loop, struct task *task)
{
    (void)loop; /* the list's ends are nodes too */
    list_remove(&task->node);
    task->queued = false;
}

/* Not more than some: tasks are what is long, and between them come the sockets of those who want little. */
static void
run_tasks(struct loop *loop)
{
    struct list *node;

    list_splice_back(&loop->running, &loop->tasks);
    for (unsigned i = 0; i < TASKS_PER_TURN && (node = list_pop_front(&loop->running)) != NULL; i++) {
        struct task *task = CONTAINER_OF(node, struct task, node);
        task->queued = false;
        task->run(task);
    }
    list_splice_back(&loop->running, &loop->tasks);
    list_splice_back(&loop->tasks, &loop->running); /* what was left comes first */
}

/* ── a turn ── */

static bool
is_stopping(struct loop *loop)
{
    return atomic_load_explicit(&loop->stopping, memory_order_acquire);
}

/* In milliseconds and rounded up, so that the timer which ends the wait is due then; -1: for ever. */
static int
timeout_of(struct loop *loop, mono_time now, nsec wait)
{
    mono_time next;

    if (wait <= 0 || !list_empty(&loop->tasks))
        return 0;
    next = wheel_next(&loop->wheel);
    if (next.ns != INT64_MAX) {
        nsec left = mono_since(next, now);
        wait = left < wait ? left : wait;
    }
    if (wait == INT64_MAX)
        return -1;
    if (wait <= 0)
        return 0;
    nsec milliseconds = (wait - 1) / NSEC_PER_MSEC + 1;
    return milliseconds < INT32_MAX ? (int)milliseconds : INT32_MAX;
}

/* False when mail or a stop came before we said that we sleep: their posters did not ring. */
static bool
may_sleep(struct loop *loop)
{
    atomic_exchange_explicit(&loop->asleep, true, memory_order_acq_rel);
    loop->first = queue_pop(&loop->mail);
    return loop->first == NULL && !is_stopping(loop);
}

static void
wait_for_events(struct loop *loop, mono_time now, nsec wait)
{
    int  timeout = timeout_of(loop, now, wait);
    bool sleeps = timeout != 0;

    if (sleeps && !may_sleep(loop))
        timeout = 0;
    int count = epoll_wait(loop->epoll, loop->batch, BATCH, timeout);
    CHECK(count >= 0 || errno == EINTR);
    /* An exchange, not a store: who posted while another one rang left its mail visible only to those who
     * read it. */
    if (sleeps)
        (void)take_sleep(loop);
    loop->batch_at = 0;
    loop->batch_count = count < 0 ? 0 : (unsigned)count;
}

static void
measure_turn(struct loop *loop, mono_time end)
{
    nsec took = mono_since(end, loop->now);

    metric_add(&loop->turns, 1);
    if (took > SLOW_TURN)
        metric_add(&loop->slow_turns, 1);
    if (took > (nsec)metric_read(&loop->longest))
        metric_set(&loop->longest, (uint64_t)took);
}

/* From now until it returns, which is what it tells: reading the clock is a good part of a short turn. */
static mono_time
turn(struct loop *loop, mono_time now, nsec wait)
{
    CHECK(!loop->turning);
    loop->turning = true;
    wait_for_events(loop, now, wait);
    loop->now = clock_mono();
    loop->wall = clock_wall();
    tell_sockets(loop);
    deliver_mail(loop);
    wheel_advance(&loop->wheel, loop->now);
    run_tasks(loop);
    mono_time end = clock_mono();
    measure_turn(loop, end);
    loop->turning = false;
    return end;
}

void
loop_turn(struct loop *loop, nsec wait)
{
    turn(loop, clock_mono(), wait);
}

/* The turn after the one in which we learn of the stop does not wait: mail that was posted before the
 * stop, and events that were there, are still handled. */
void
loop_run(struct loop *loop)
{
    mono_time now = clock_mono();
    bool      last;

    do {
        last = is_stopping(loop);
        now = turn(loop, now, last ? 0 : INT64_MAX);
    } while (!last);
    atomic_store_explicit(&loop->stopping, false, memory_order_relaxed);
}

void
loop_stop(struct loop *loop)
{
    atomic_store_explicit(&loop->stopping, true, memory_order_release);
    wake(loop);
}

mono_time
loop_now(const struct loop *loop)
{
    return loop->now;
}

wall_time
loop_wall(const struct loop *loop)
{
    return loop->wall;
}

struct loop_stats
loop_stats_read(const struct loop *loop)
{
    return (struct loop_stats){ .turns = metric_read(&loop->turns),
                                .slow_turns = metric_read(&loop->slow_turns),
                                .longest = (nsec)metric_read(&loop->longest) };
}
