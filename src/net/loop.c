/* loop.c: epoll, a wheel, a mailbox and a clock.
 *
 * Waking: a poster pushes its mail and then looks at `asleep`; the loop sets `asleep`, and then looks at the mailbox once
 * more before it waits. With both in sequential order one of them sees the other, so the eventfd is written only when it is needed and mail
 * is never missed.
 *
 * A watch may be removed, and its memory be gone, while events of the same batch still name it: loop_unwatch strikes them out.
 */
#include <larder/net/loop.h>

#include "wheel.h"

#include <errno.h>
#include <larder/base/check.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_MAX = 256 };

#define SLOW_TURN (2 * NSEC_PER_MSEC)

struct loop {
    int          epoll;
    int          bell; /* eventfd */
    mono_time    now;
    wall_time    wall;
    struct wheel wheel;
    struct list  tasks;
    bool         stopping;

    struct queue mail;
    _Atomic bool asleep;
    _Atomic bool stop_asked;

    struct epoll_event events[EVENTS_MAX];
    int                event_at, event_count;

    /* read by other threads */
    _Atomic uint64_t turns, slow_turns;
    _Atomic nsec     longest;
};

static void
read_clocks(struct loop *loop)
{
    loop->now = clock_mono();
    loop->wall = clock_wall();
}

enum err
loop_create(struct loop **out, struct fault *fault)
{
    struct loop *loop = calloc(1, sizeof *loop);
    *out = NULL;
    if (loop == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "no memory for an event loop");
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = NULL };
    if (loop->epoll < 0 || loop->bell < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->bell, &event) != 0) {
        enum err err = fault_set_errno(fault, errno, "cannot create an event loop");
        if (loop->epoll >= 0)
            close(loop->epoll);
        if (loop->bell >= 0)
            close(loop->bell);
        free(loop);
        return err;
    }
    read_clocks(loop);
    wheel_init(&loop->wheel, loop->now);
    list_init(&loop->tasks);
    queue_init(&loop->mail);
    *out = loop;
    return ERR_NONE;
}

static bool
deliver_mail(struct loop *loop)
{
    struct queue_node *node;
    bool               any = false;

    while ((node = queue_pop(&loop->mail)) != NULL) {
        struct mail *mail = CONTAINER_OF(node, struct mail, node);
        mail->deliver(mail);
        any = true;
    }
    return any;
}

void
loop_destroy(struct loop **pointer)
{
    struct loop *loop = *pointer;
    *pointer = NULL;
    if (loop == NULL)
        return;
    deliver_mail(loop);
    CHECK(list_empty(&loop->tasks) && loop->wheel.count == 0);
    close(loop->bell);
    close(loop->epoll);
    free(loop);
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

/* ── sockets ── */

enum err
loop_watch(struct loop *loop, struct watch *watch)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = watch };
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event) == 0 ? ERR_NONE : err_from_errno(errno);
}

void
loop_unwatch(struct loop *loop, struct watch *watch)
{
    int failed = epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    CHECK(failed == 0);
    for (int i = loop->event_at; i < loop->event_count; i++)
        if (loop->events[i].data.ptr == watch)
            loop->events[i].data.ptr = NULL;
}

static unsigned
translate(uint32_t events)
{
    unsigned out = 0;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
        out |= WATCH_READ;
    if (events & EPOLLOUT)
        out |= WATCH_WRITE;
    if (events & EPOLLERR)
        out |= WATCH_ERROR | WATCH_READ | WATCH_WRITE;
    return out;
}

static void
dispatch(struct loop *loop)
{
    for (loop->event_at = 0; loop->event_at < loop->event_count;) {
        struct epoll_event event = loop->events[loop->event_at++];
        struct watch      *watch = event.data.ptr;
        if (watch != NULL) /* NULL: the bell, or struck out */
            watch->ready(watch, translate(event.events));
    }
    loop->event_at = loop->event_count = 0;
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
    if (timer->set)
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
    (void)loop;
    task->queued = false;
    list_remove(&task->node);
}

/* What tasks defer runs in the next turn, so that a task which defers itself does not hold the loop. */
static void
run_tasks(struct loop *loop)
{
    struct list  now = LIST_INIT(now);
    struct list *node;

    list_splice_back(&now, &loop->tasks);
    while ((node = list_pop_front(&now)) != NULL) {
        struct task *task = CONTAINER_OF(node, struct task, node);
        task->queued = false;
        task->run(task);
    }
}

/* ── mail ── */

static void
ring(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t  put = write(loop->bell, &one, sizeof one);
    CHECK(put == (ssize_t)sizeof one || errno == EAGAIN); /* full: it rings already */
}

void
loop_post(struct loop *loop, struct mail *mail)
{
    queue_push(&loop->mail, &mail->node);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_exchange(&loop->asleep, false))
        ring(loop);
}

/* ── turns ── */

static int
milliseconds_until(const struct loop *loop, mono_time until)
{
    nsec wait = mono_since(until, loop->now);
    if (until.ns == INT64_MAX)
        return -1;
    if (wait <= 0)
        return 0;
    nsec ms = (wait + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
    return ms > 60000 ? 60000 : (int)ms;
}

/* Mail that came before we said that we sleep is found here; mail after it rings. */
static bool
may_sleep(struct loop *loop)
{
    atomic_store(&loop->asleep, true);
    atomic_thread_fence(memory_order_seq_cst);
    if (deliver_mail(loop) || atomic_load(&loop->stop_asked)) {
        atomic_store(&loop->asleep, false);
        return false;
    }
    return true;
}

static void
wait_for_events(struct loop *loop, mono_time limit)
{
    mono_time next = wheel_next(&loop->wheel);
    mono_time until = next.ns < limit.ns ? next : limit;
    bool      sleep = list_empty(&loop->tasks) && milliseconds_until(loop, until) != 0 && may_sleep(loop);
    int       wait = sleep ? milliseconds_until(loop, until) : 0;

    int count = epoll_wait(loop->epoll, loop->events, EVENTS_MAX, wait);
    atomic_store(&loop->asleep, false);
    CHECK(count >= 0 || errno == EINTR);
    loop->event_count = count < 0 ? 0 : count;
}

static void
count_turn(struct loop *loop, nsec took)
{
    atomic_fetch_add_explicit(&loop->turns, 1, memory_order_relaxed);
    if (took > SLOW_TURN)
        atomic_fetch_add_explicit(&loop->slow_turns, 1, memory_order_relaxed);
    if (took > atomic_load_explicit(&loop->longest, memory_order_relaxed))
        atomic_store_explicit(&loop->longest, took, memory_order_relaxed);
}

static void
turn(struct loop *loop, mono_time limit)
{
    wait_for_events(loop, limit);
    read_clocks(loop);
    mono_time begun = loop->now;
    dispatch(loop);
    deliver_mail(loop);
    wheel_advance(&loop->wheel, loop->now);
    run_tasks(loop);
    count_turn(loop, mono_since(clock_mono(), begun));
}

void
loop_turn(struct loop *loop, nsec wait)
{
    read_clocks(loop);
    turn(loop, mono_add(loop->now, wait));
}

void
loop_run(struct loop *loop)
{
    read_clocks(loop);
    while (!atomic_load(&loop->stop_asked))
        turn(loop, MONO_NEVER);
    atomic_store(&loop->stop_asked, false);
}

void
loop_stop(struct loop *loop)
{
    atomic_store(&loop->stop_asked, true);
    ring(loop);
}

struct loop_stats
loop_stats_read(const struct loop *loop)
{
    struct loop *stats = (struct loop *)(uintptr_t)loop;
    return (struct loop_stats){ atomic_load(&stats->turns), atomic_load(&stats->slow_turns), atomic_load(&stats->longest) };
}
