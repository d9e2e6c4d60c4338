/* loop.h: one thread's event loop: sockets, timers, mail from other threads, and the clock.
 *
 *      turn:  wait ─▶ read the clocks ─▶ sockets ─▶ mail ─▶ timers ─▶ tasks ─▶ wait ...
 *
 * Everything in a loop runs on its thread, one callback after the other; only loop_post and
 * loop_stop may be called from elsewhere. Watches are edge-triggered (EPOLLET, both directions, set once):
 * after an event read or write until ERR_AGAIN. Nothing here allocates per event.
 *
 * Owner: the thread that calls loop_run.
 */
#ifndef LARDER_NET_LOOP_H
#define LARDER_NET_LOOP_H

#include <larder/base/clock.h>
#include <larder/base/err.h>
#include <larder/base/list.h>
#include <larder/base/queue.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;

MUST_CHECK enum err loop_create(struct loop **loop, struct fault *fault);

/* Mail still queued is delivered first (`deliver` is called), so that what it owns is given back;
 * watches, timers and tasks must be gone. */
void loop_destroy(struct loop **loop);

/* Runs until loop_stop; events that are already there are still handled in that turn. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* One turn that waits at most `wait` (0: only what is ready now): for tests and tools. */
void loop_turn(struct loop *loop, nsec wait);

/* The clocks as read at the start of this turn. */
mono_time loop_now(const struct loop *loop);
wall_time loop_wall(const struct loop *loop);

/* ── sockets ── */
enum watch_event { WATCH_READ = 1, WATCH_WRITE = 2, WATCH_ERROR = 4, WATCH_END = 8 };

struct watch {
    int fd;
    void (*ready)(struct watch *watch, unsigned events); /* bits of watch_event; a hang-up sets READ and END */
};

/* Watches fd until loop_unwatch, which must come before close(fd). After loop_unwatch no event of it
 * is delivered any more, not even one of this turn. */
MUST_CHECK enum err loop_watch(struct loop *loop, struct watch *watch);
void                loop_unwatch(struct loop *loop, struct watch *watch);

/* ── timers: a wheel of milliseconds; set and cancel are O(1). A timer never fires early. ── */
struct timer {
    struct list node;
    mono_time   at;
    void (*fire)(struct timer *timer);
    bool set;
};

void timer_init(struct timer *timer, void (*fire)(struct timer *timer));

/* Sets or moves it. In its callback a timer is no longer set and may be set again. */
void timer_set(struct loop *loop, struct timer *timer, mono_time at);
void timer_cancel(struct loop *loop, struct timer *timer);

/* ── tasks: to be run at the end of this turn, or of the next when posted by a task; in their order, and of many
 * so many in a turn ── */
enum { TASKS_PER_TURN = 16 };

struct task {
    struct list node;
    void (*run)(struct task *task);
    bool queued;
};

void task_init(struct task *task, void (*run)(struct task *task));
void task_defer(struct loop *loop, struct task *task); /* at once if queued already: no second run */
void task_cancel(struct loop *loop, struct task *task);

/* ── mail: how other threads reach this one. Any thread may post; the loop wakes (eventfd) only if
 * it sleeps or may be about to. The mail belongs to the loop until `deliver` is called. ── */
struct mail {
    struct queue_node node;
    void (*deliver)(struct mail *mail);
};

void loop_post(struct loop *loop, struct mail *mail);

/* Turns that took longer than 2 ms between wake and sleep, and the longest: for the metrics. */
struct loop_stats {
    uint64_t turns, slow_turns;
    nsec     longest;
};
struct loop_stats loop_stats_read(const struct loop *loop);

#endif
