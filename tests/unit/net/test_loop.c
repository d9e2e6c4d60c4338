/* test_loop.c: the order of a turn, stale events, tasks and mail, on one thread. */
#include <larder/net/loop.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *
create_loop(void)
{
    struct loop *loop;
    struct fault fault;

    cr_assert_eq(loop_create(&loop, &fault), ERR_NONE);
    return loop;
}

struct peer {
    struct watch watch;
    struct loop *loop;
    struct peer *other; /* what this one unwatches when it is told */
    int          far;   /* the other end of its socket pair */
    unsigned     told;
    unsigned     events;
    bool         frees, reuses;
};

static void
open_pair(struct peer *peer)
{
    int fds[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    peer->watch.fd = fds[0];
    peer->far = fds[1];
}

static void
note_events(struct watch *watch, unsigned events)
{
    struct peer *peer = CONTAINER_OF(watch, struct peer, watch);

    peer->told++;
    peer->events |= events;
}

static void
start_peer(struct peer *peer, struct loop *loop, void (*ready)(struct watch *, unsigned))
{
    *peer = (struct peer){ .loop = loop, .watch.ready = ready };
    open_pair(peer);
    cr_assert_eq(loop_watch(loop, &peer->watch), ERR_NONE);
}

static void
stop_peer(struct peer *peer)
{
    loop_unwatch(peer->loop, &peer->watch);
    close(peer->watch.fd);
    close(peer->far);
}

Test(net_loop, tells_edges_in_both_directions, .timeout = 30)
{
    struct loop *loop = create_loop();
    struct peer  peer;

    start_peer(&peer, loop, note_events);
    loop_turn(loop, 0);
    cr_expect_eq(peer.events, WATCH_WRITE);
    loop_turn(loop, 0);
    cr_expect_eq(peer.told, 1, "an edge is told once");

    cr_assert_eq(write(peer.far, "x", 1), 1);
    loop_turn(loop, INT64_MAX);
    cr_expect(peer.events & WATCH_READ);
    cr_expect_eq(peer.told, 2);

    peer.events = 0;
    shutdown(peer.far, SHUT_RDWR);
    loop_turn(loop, INT64_MAX);
    cr_expect(peer.events & WATCH_READ, "a hang-up can be read");
    cr_expect(peer.events & WATCH_END, "and is told as such");
    stop_peer(&peer);
    loop_destroy(&loop);
    cr_expect_null(loop);
}

Test(net_loop, an_error_is_told_in_both_directions, .timeout = 30)
{
    struct loop *loop = create_loop();
    struct peer  peer;

    start_peer(&peer, loop, note_events);
    loop_turn(loop, 0);
    cr_assert_eq(write(peer.watch.fd, "x", 1), 1);
    peer.events = 0;
    close(peer.far); /* with bytes unread: the peer's socket breaks */
    loop_turn(loop, INT64_MAX);
    cr_expect_eq(peer.events, WATCH_READ | WATCH_WRITE | WATCH_ERROR | WATCH_END);
    loop_unwatch(loop, &peer.watch);
    close(peer.watch.fd);
    loop_destroy(&loop);
}

/* Whichever comes first removes the other one, whose event is in the same batch. */
static void
remove_other(struct watch *watch, unsigned events)
{
    struct peer *peer = CONTAINER_OF(watch, struct peer, watch), *other = peer->other;

    note_events(watch, events);
    if (other == NULL)
        return;
    peer->other = NULL;
    stop_peer(other);
    if (other->reuses) {
        *other = (struct peer){ .loop = peer->loop, .watch.ready = note_events };
        open_pair(other);
        cr_assert_eq(loop_watch(peer->loop, &other->watch), ERR_NONE);
    } else if (other->frees) {
        free(other);
    }
}

Test(net_loop, a_watch_removed_in_a_turn_is_not_told_even_if_freed, .timeout = 30)
{
    struct loop *loop = create_loop();
    struct peer *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);

    start_peer(a, loop, remove_other);
    start_peer(b, loop, remove_other);
    a->other = b;
    b->other = a;
    a->frees = b->frees = true;
    loop_turn(loop, 0); /* both are writable; the sanitizers see a touch of freed memory */
    loop_turn(loop, 0);
    /* One is left; which one is the kernel's choice, and that it was told is seen in its `other`. */
    struct peer *left = fcntl(a->watch.fd, F_GETFD) >= 0 && a->other == NULL ? a : b;
    cr_expect_eq(left->told, 1);
    stop_peer(left);
    free(left);
    loop_destroy(&loop);
}

Test(net_loop, a_new_watch_at_the_same_place_does_not_get_the_old_event, .timeout = 30)
{
    struct loop *loop = create_loop();
    struct peer  peers[2];

    for (unsigned i = 0; i < 2; i++)
        start_peer(&peers[i], loop, remove_other);
    for (unsigned i = 0; i < 2; i++) {
        peers[i].other = &peers[1 - i];
        peers[i].reuses = true;
    }
    loop_turn(loop, 0);
    cr_expect_eq(peers[0].told + peers[1].told, 1);
    loop_turn(loop, 0);
    cr_expect_eq(peers[0].told, 1);
    cr_expect_eq(peers[1].told, 1);
    stop_peer(&peers[0]);
    stop_peer(&peers[1]);
    loop_destroy(&loop);
}

static void
remove_itself(struct watch *watch, unsigned events)
{
    struct peer *peer = CONTAINER_OF(watch, struct peer, watch);

    (void)events;
    stop_peer(peer);
    free(peer);
}

Test(net_loop, a_watch_may_remove_and_free_itself, .timeout = 30)
{
    struct loop *loop = create_loop();

    for (unsigned i = 0; i < 3; i++)
        start_peer(calloc(1, sizeof(struct peer)), loop, remove_itself);
    loop_turn(loop, 0);
    loop_turn(loop, 0);
    loop_destroy(&loop); /* checks that no watch is left */
    cr_expect_null(loop);
}

Test(net_loop, what_cannot_be_watched_is_an_error)
{
    struct loop *loop = create_loop();
    struct watch watch = { .fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), .ready = note_events };

    cr_expect_eq(loop_watch(loop, &watch), ERR_DENIED, "a plain file has no events");
    close(watch.fd);
    loop_destroy(&loop);
}

Test(net_loop, no_descriptors_is_a_fault)
{
    struct loop  *loop = NULL;
    struct fault  fault;
    struct rlimit limit, none;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){ 3, limit.rlim_max };
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cr_expect_eq(loop_create(&loop, &fault), ERR_NO_DESCRIPTORS);
    cr_expect_not_null(strstr(fault.text, "event loop"));
    cr_expect_null(loop);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0); /* the leak sanitizer needs some */
}

/* ── timers, tasks and the order of a turn ── */

struct step {
    struct task  task;
    struct timer timer;
    struct mail  mail;
    struct loop *loop;
    char        *log; /* one letter for each thing that ran */
    mono_time    fired;
    unsigned     repeats;
};

static void
log_letter(struct step *step, char letter)
{
    step->log[strlen(step->log)] = letter;
}

static void
run_step(struct task *task)
{
    struct step *step = CONTAINER_OF(task, struct step, task);

    log_letter(step, 'k');
    if (step->repeats > 0) {
        step->repeats--;
        task_defer(step->loop, task);
        task_defer(step->loop, task); /* a second time is once */
    }
}

static void
fire_step(struct timer *timer)
{
    struct step *step = CONTAINER_OF(timer, struct step, timer);

    step->fired = loop_now(step->loop);
    log_letter(step, 't');
}

static void
deliver_step(struct mail *mail)
{
    log_letter(CONTAINER_OF(mail, struct step, mail), 'm');
}

static struct step
step_new(struct loop *loop, char *log)
{
    struct step step = { .loop = loop, .log = log, .mail.deliver = deliver_step };

    task_init(&step.task, run_step);
    timer_init(&step.timer, fire_step);
    return step;
}

static void
log_socket(struct watch *watch, unsigned events)
{
    struct peer *peer = CONTAINER_OF(watch, struct peer, watch);
    struct step *step = (struct step *)(void *)peer->other; /* borrowed: this test's context */

    (void)events;
    log_letter(step, 's');
}

Test(net_loop, a_turn_goes_sockets_mail_timers_tasks, .timeout = 30)
{
    char         log[32] = "";
    struct loop *loop = create_loop();
    struct step  step = step_new(loop, log);
    struct peer  peer;

    start_peer(&peer, loop, log_socket);
    peer.other = (struct peer *)(void *)&step;
    task_defer(loop, &step.task);
    timer_set(loop, &step.timer, (mono_time){ 0 }); /* long due */
    loop_post(loop, &step.mail);
    loop_turn(loop, INT64_MAX);
    cr_expect_str_eq(log, "smtk");
    stop_peer(&peer);
    loop_destroy(&loop);
}

Test(net_loop, a_timer_ends_the_wait_and_is_not_early, .timeout = 30)
{
    char         log[32] = "";
    struct loop *loop = create_loop();
    struct step  step = step_new(loop, log);

    for (nsec wait = 1; wait < 100 * NSEC_PER_MSEC; wait *= 7) {
        mono_time at = mono_add(clock_mono(), wait);
        step.fired = (mono_time){ 0 };
        timer_set(loop, &step.timer, mono_add(at, NSEC_PER_SEC));
        timer_set(loop, &step.timer, at);
        while (step.fired.ns == 0)
            loop_turn(loop, INT64_MAX);
        cr_expect_geq(step.fired.ns, at.ns);
        cr_expect_not(step.timer.set);
    }
    loop_destroy(&loop);
}

Test(net_loop, a_cancelled_timer_does_not_fire, .timeout = 30)
{
    char         log[32] = "";
    struct loop *loop = create_loop();
    struct step  step = step_new(loop, log);

    timer_set(loop, &step.timer, (mono_time){ 0 });
    timer_cancel(loop, &step.timer);
    timer_cancel(loop, &step.timer);
    loop_turn(loop, 0);
    cr_expect_str_eq(log, "");
    loop_destroy(&loop);
}

Test(net_loop, a_task_that_defers_itself_runs_once_a_turn, .timeout = 30)
{
    char         log[32] = "";
    struct loop *loop = create_loop();
    struct step  step = step_new(loop, log);

    step.repeats = 2;
    task_defer(loop, &step.task);
    task_defer(loop, &step.task);
    loop_turn(loop, INT64_MAX); /* a task that waits forbids sleeping */
    cr_expect_str_eq(log, "k");
    loop_turn(loop, INT64_MAX);
    cr_expect_str_eq(log, "kk");
    task_cancel(loop, &step.task);
    task_cancel(loop, &step.task);
    loop_turn(loop, 0);
    cr_expect_str_eq(log, "kk");
    loop_destroy(&loop);
}

/* ── mail ── */

Test(net_loop, destroy_delivers_what_is_queued)
{
    char         log[32] = "";
    struct loop *loop = create_loop();
    struct step  a = step_new(loop, log), b = step_new(loop, log);

    loop_post(loop, &a.mail);
    loop_post(loop, &b.mail);
    loop_destroy(&loop);
    cr_expect_str_eq(log, "mm");
}

static void
post_again(struct mail *mail)
{
    struct step *step = CONTAINER_OF(mail, struct step, mail);

    step->repeats++;
    loop_post(step->loop, mail);
}

Test(net_loop, mail_that_posts_itself_does_not_hold_the_loop, .timeout = 30)
{
    char         log[32] = "";
    struct loop *loop = create_loop();
    struct step  step = step_new(loop, log), timer = step_new(loop, log);

    step.mail.deliver = post_again;
    loop_post(loop, &step.mail);
    timer_set(loop, &timer.timer, (mono_time){ 0 });
    loop_turn(loop, INT64_MAX);
    cr_expect_str_eq(log, "t");
    unsigned first = step.repeats;
    cr_expect_geq(first, 1);
    loop_turn(loop, INT64_MAX); /* the rest keeps it awake */
    cr_expect_gt(step.repeats, first);
    step.mail.deliver = deliver_step;
    loop_destroy(&loop);
}

Test(net_loop, mail_posted_before_the_stop_is_delivered_by_the_run, .timeout = 30)
{
    char         log[32] = "";
    struct loop *loop = create_loop();
    struct step  step = step_new(loop, log);

    loop_post(loop, &step.mail);
    loop_stop(loop);
    loop_run(loop);
    cr_expect_str_eq(log, "m");
    loop_destroy(&loop);
}

Test(net_loop, sockets_come_between_many_tasks)
{
    char         log[TASKS_PER_TURN * 2 + 8] = "", all[sizeof log] = "";
    struct loop *loop = create_loop();
    struct step  steps[TASKS_PER_TURN * 2], last = step_new(loop, log);

    for (unsigned i = 0; i < TASKS_PER_TURN * 2; i++) {
        steps[i] = step_new(loop, log);
        task_defer(loop, &steps[i].task);
    }
    loop_post(loop, &last.mail);
    steps[0].repeats = 1;
    memset(strcpy(all, "m") + 1, 'k', TASKS_PER_TURN);
    loop_turn(loop, INT64_MAX);
    cr_expect_str_eq(log, all);
    loop_post(loop, &last.mail);
    memset(strcat(all, "m") + TASKS_PER_TURN + 2, 'k', TASKS_PER_TURN);
    loop_turn(loop, INT64_MAX); /* what is left forbids sleeping */
    cr_expect_str_eq(log, all);
    loop_turn(loop, INT64_MAX); /* the one that deferred itself came behind the others */
    cr_expect_str_eq(log, strcat(all, "k"));
    loop_destroy(&loop);
}

static void
burn_three_milliseconds(struct task *task)
{
    mono_time start = clock_mono();

    (void)task;
    while (mono_since(clock_mono(), start) < 3 * NSEC_PER_MSEC)
        continue;
}

Test(net_loop, slow_turns_are_counted)
{
    struct loop *loop = create_loop();
    struct task  task;

    loop_turn(loop, 0);
    uint64_t before = loop_stats_read(loop).slow_turns;
    task_init(&task, burn_three_milliseconds);
    task_defer(loop, &task);
    loop_turn(loop, 0);
    struct loop_stats stats = loop_stats_read(loop);
    cr_expect_eq(stats.turns, 2);
    cr_expect_eq(stats.slow_turns, before + 1);
    cr_expect_geq(stats.longest, 3 * NSEC_PER_MSEC);
    loop_destroy(&loop);
}
