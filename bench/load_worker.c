/* load_worker.c: a thread of the load: who asks when, and when it is over. See load.h. */
#include "load.h"

#include <larder/base/check.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SWEEP_EVERY (100 * NSEC_PER_MSEC)
#define SETTLE_LIMIT (1 * NSEC_PER_SEC)
#define ALARM_LEAST (50 * NSEC_PER_USEC) /* closer dates share an alarm */

/* ── the end ── */

static uint64_t
count_unfinished(const struct load_worker *worker, mono_time now)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < worker->conn_count; i++)
        count += worker->conns[i].count;
    if (!load_is_open(worker->plan) || !worker->begun)
        return count;
    uint64_t missed = schedule_missed(&worker->schedule, now);
    uint64_t left = worker->share == 0 ? missed : worker->share - worker->taken;
    return count + (missed < left ? missed : left);
}

static void
finish(struct load_worker *worker)
{
    if (worker->ended)
        return;
    mono_time now = clock_mono();
    worker->ended = true;
    worker->tally.end = now;
    worker->tally.unfinished = count_unfinished(worker, now);
    loop_stop(worker->loop);
}

static void
time_is_up(struct timer *timer)
{
    finish(CONTAINER_OF(timer, struct load_worker, end));
}

void
load_worker_finished(struct load_worker *worker, uint64_t count)
{
    worker->finished += count;
    if (worker->share > 0 && worker->finished >= worker->share)
        finish(worker);
}

/* ── the beginning ── */

static void
start(struct task *task)
{
    struct load_worker *worker = CONTAINER_OF(task, struct load_worker, start);
    mono_time           now = loop_now(worker->loop);
    timer_set(worker->loop, &worker->settle, mono_add(now, SETTLE_LIMIT));
    timer_set(worker->loop, &worker->sweep, mono_add(now, SWEEP_EVERY));
    for (unsigned i = 0; i < worker->conn_count && !worker->ended; i++)
        load_conn_open(&worker->conns[i]);
}

static void
begin(struct load_worker *worker)
{
    mono_time now = clock_mono();
    worker->begun = true;
    worker->tally.begin = now;
    worker->schedule.start = now;
    timer_cancel(worker->loop, &worker->settle);
    if (worker->plan->duration > 0)
        timer_set(worker->loop, &worker->end, mono_add(now, worker->plan->duration));
    load_worker_dispatch(worker);
}

void
load_worker_settled(struct load_worker *worker)
{
    worker->settled++;
    if (worker->settled == worker->conn_count && worker->tally.connections > 0 && !worker->begun)
        begin(worker);
}

/* Some connections are slow to come: begin with those that are there. None: there is nothing to measure. */
static void
settle(struct timer *timer)
{
    struct load_worker *worker = CONTAINER_OF(timer, struct load_worker, settle);
    if (worker->tally.connections > 0)
        begin(worker);
    else
        finish(worker);
}

/* ── requests ── */

bool
load_worker_has_more(const struct load_worker *worker)
{
    return !worker->ended && (worker->share == 0 || worker->taken < worker->share);
}

/* The threads take every n-th: together they ask for each once in a pass. */
static uint64_t
next_number(struct load_worker *worker)
{
    const struct load_plan *plan = worker->plan;
    if (plan->zipf.count > 0)
        return zipf_draw(&plan->zipf, &worker->random);
    uint64_t at = worker->asked++ * plan->threads + worker->number;
    return plan->order != NULL ? plan->order[at] : at % plan->requests.count;
}

bool
load_worker_take(struct load_worker *worker, mono_time now, struct load_slot *slot)
{
    if (!worker->begun || !load_worker_has_more(worker))
        return false;
    *slot = (struct load_slot){ .due = now, .sent = now };
    if (load_is_open(worker->plan) && !schedule_take(&worker->schedule, now, &slot->due))
        return false;
    slot->number = next_number(worker);
    worker->taken++;
    return true;
}

/* Wakes us when the next request is due. An alarm that is set is left alone: it is not later, since dates are in order, and
 * one that rings for nothing is cheaper than a system call for each answer. */
static void
set_alarm(struct load_worker *worker)
{
    if (worker->alarmed)
        return;
    worker->alarmed = true;
    nsec wait = mono_since(schedule_at(&worker->schedule, worker->schedule.next), clock_mono());
    if (wait < ALARM_LEAST)
        wait = ALARM_LEAST;
    struct itimerspec spec = { .it_value = { .tv_sec = wait / NSEC_PER_SEC,
                                             .tv_nsec = wait % NSEC_PER_SEC } };
    int               failed = timerfd_settime(worker->alarm.fd, 0, &spec, NULL);
    CHECK(failed == 0);
}

void
load_worker_dispatch(struct load_worker *worker)
{
    struct list *node = list_first(&worker->vacant);
    while (node != NULL && !worker->ended && load_conn_work(CONTAINER_OF(node, struct load_conn, node)))
        node = list_first(&worker->vacant);
    if (load_is_open(worker->plan) && !list_empty(&worker->vacant) && load_worker_has_more(worker))
        set_alarm(worker);
}

static void
alarm_rings(struct watch *watch, unsigned events)
{
    struct load_worker *worker = CONTAINER_OF(watch, struct load_worker, alarm);
    uint64_t            times;
    if ((events & WATCH_READ) == 0 || read(watch->fd, &times, sizeof times) <= 0)
        return;
    worker->alarmed = false;
    if (worker->begun)
        load_worker_dispatch(worker);
}

static void
sweep(struct timer *timer)
{
    struct load_worker *worker = CONTAINER_OF(timer, struct load_worker, sweep);
    mono_time           now = loop_now(worker->loop);
    for (unsigned i = 0; i < worker->conn_count && !worker->ended; i++)
        load_conn_sweep(&worker->conns[i], now);
    if (worker->plan->live != NULL)
        live_tell(worker->plan->live, worker->number, &worker->tally, now);
    if (!worker->ended)
        timer_set(worker->loop, timer, mono_add(now, SWEEP_EVERY));
}

/* ── life ── */

static enum err
open_alarm(struct load_worker *worker, struct fault *fault)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0)
        return fault_set(fault, ERR_SYSTEM, "cannot have a timer from the system");
    worker->alarm.ready = alarm_rings;
    worker->alarm.fd = fd;
    enum err err = loop_watch(worker->loop, &worker->alarm);
    if (err == ERR_NONE)
        return ERR_NONE;
    close(fd);
    worker->alarm.fd = -1;
    return fault_set(fault, err, "cannot watch a timer: %s", err_text(err));
}

static enum err
make_conns(struct load_worker *worker, unsigned count)
{
    worker->waste = malloc(LOAD_WASTE);
    worker->conns = calloc(count, sizeof *worker->conns);
    if (worker->waste == NULL || worker->conns == NULL)
        return ERR_NO_MEMORY;
    while (worker->conn_count < count) {
        enum err err = load_conn_init(&worker->conns[worker->conn_count++], worker);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

enum err
load_worker_init(struct load_worker *worker, const struct load_plan *plan, unsigned number,
                 struct fault *fault)
{
    worker->plan = plan;
    worker->number = number;
    worker->alarm.fd = -1;
    worker->share = schedule_share(plan->total, number, plan->threads);
    worker->random = number;
    worker->random = zipf_random(&worker->random); /* threads must not draw alike */
    worker->schedule = (struct schedule){ .rate = plan->rate,
                                          .dues = plan->dues,
                                          .due_count = plan->total,
                                          .thread = number,
                                          .threads = plan->threads };
    tally_init(&worker->tally);
    list_init(&worker->vacant);
    task_init(&worker->start, start);
    timer_init(&worker->sweep, sweep);
    timer_init(&worker->settle, settle);
    timer_init(&worker->end, time_is_up);
    enum err err = loop_create(&worker->loop, fault);
    if (err == ERR_NONE)
        err = open_alarm(worker, fault);
    if (err != ERR_NONE)
        return err;
    err = make_conns(worker, (unsigned)schedule_share(plan->connections, number, plan->threads));
    return err == ERR_NONE ? ERR_NONE : fault_set(fault, err, "%s", err_text(err));
}

void *
load_worker_main(void *argument)
{
    struct load_worker *worker = argument;
    nsec                cpu = clock_thread_cpu();
    task_defer(worker->loop, &worker->start);
    loop_run(worker->loop);
    worker->tally.cpu = clock_thread_cpu() - cpu;
    if (worker->plan->live != NULL)
        live_leave(worker->plan->live);
    return NULL;
}

void
load_worker_fini(struct load_worker *worker)
{
    while (worker->conn_count > 0)
        load_conn_fini(&worker->conns[--worker->conn_count]);
    if (worker->alarm.fd >= 0) {
        loop_unwatch(worker->loop, &worker->alarm);
        close(worker->alarm.fd);
    }
    if (worker->loop != NULL) {
        task_cancel(worker->loop, &worker->start);
        timer_cancel(worker->loop, &worker->sweep);
        timer_cancel(worker->loop, &worker->settle);
        timer_cancel(worker->loop, &worker->end);
        loop_destroy(&worker->loop);
    }
    free(worker->conns);
    free(worker->waste);
}
