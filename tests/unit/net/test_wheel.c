/* test_wheel.c: the timing wheel against a naive model, with time moved by hand. */
#include "wheel.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { TIMERS = 200, STEPS = 20000 };

struct probe {
    struct timer timer;
    unsigned     fired;
    bool         expected; /* by the model: set, and not fired */
};

static void
count_fire(struct timer *timer)
{
    struct probe *probe = CONTAINER_OF(timer, struct probe, timer);

    cr_assert_not(timer->set);
    probe->fired++;
}

static struct wheel *
create_wheel(nsec now)
{
    struct wheel *wheel = malloc(sizeof *wheel);

    wheel_init(wheel, (mono_time){ now });
    return wheel;
}

static struct probe
probe_new(void)
{
    struct probe probe = { 0 };

    timer_init(&probe.timer, count_fire);
    return probe;
}

static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Of any magnitude: 0 ns up to a month, and now and then years. */
static nsec
random_span(uint64_t *state)
{
    unsigned bits = (unsigned)(next_random(state) % 52);

    if (next_random(state) % 50 == 0)
        bits = 60;
    return (nsec)(next_random(state) & ((UINT64_C(1) << bits) - 1));
}

static bool
is_due(const struct probe *probe, nsec now)
{
    nsec at = probe->timer.at.ns < 0 ? 0 : probe->timer.at.ns;

    return (at + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC <= now / NSEC_PER_MSEC;
}

static void
advance_and_compare(struct wheel *wheel, struct probe *probes, nsec now)
{
    wheel_advance(wheel, (mono_time){ now });
    for (unsigned i = 0; i < TIMERS; i++) {
        bool fires = probes[i].expected && is_due(&probes[i], now);
        cr_assert_eq(probes[i].fired, fires, "timer %u at %ld, now %ld", i, (long)probes[i].timer.at.ns,
                     (long)now);
        cr_assert_eq(probes[i].timer.set, probes[i].expected && !fires);
        probes[i].expected = probes[i].expected && !fires;
        probes[i].fired = 0;
    }
}

/* wheel_next never lies behind the earliest timer, and never says "never" while one is set. */
static void
compare_next(struct wheel *wheel, const struct probe *probes, nsec now)
{
    nsec   least = INT64_MAX;
    size_t count = 0;

    for (unsigned i = 0; i < TIMERS; i++) {
        if (!probes[i].expected)
            continue;
        count++;
        least = probes[i].timer.at.ns < least ? probes[i].timer.at.ns : least;
    }
    cr_assert_eq(wheel->count, count);
    nsec next = wheel_next(wheel).ns;
    if (count == 0)
        cr_assert_eq(next, INT64_MAX);
    else if (least > now)
        cr_assert_lt(next - NSEC_PER_MSEC, least);
    else
        cr_assert_leq(next, now + NSEC_PER_MSEC);
}

static void
change_some(struct wheel *wheel, struct probe *probes, nsec now, uint64_t *state)
{
    for (uint64_t changes = next_random(state) % 8; changes > 0; changes--) {
        struct probe *probe = &probes[next_random(state) % TIMERS];
        if (next_random(state) % 4 == 0) {
            wheel_cancel(wheel, &probe->timer);
            probe->expected = false;
        } else {
            nsec back = next_random(state) % 16 == 0 ? 5 * NSEC_PER_MSEC : 0;
            wheel_set(wheel, &probe->timer, (mono_time){ now + random_span(state) - back });
            probe->expected = true;
        }
    }
}

Test(net_wheel, does_what_a_naive_model_does, .timeout = 120)
{
    uint64_t      state = 0x9e3779b97f4a7c15;
    nsec          now = 123456789;
    struct wheel *wheel = create_wheel(now);
    struct probe *probes = calloc(TIMERS, sizeof *probes);

    for (unsigned i = 0; i < TIMERS; i++)
        probes[i] = probe_new();
    for (unsigned step = 0; step < STEPS; step++) {
        change_some(wheel, probes, now, &state);
        compare_next(wheel, probes, now);
        if (next_random(&state) % 2 == 0) {
            nsec next = wheel_next(wheel).ns;
            now = next != INT64_MAX && next > now ? next : now;
        } else {
            nsec span = random_span(&state);
            now += span < INT64_C(1) << 50 ? span : 0; /* else the end of time would come too early */
        }
        advance_and_compare(wheel, probes, now);
    }
    free(probes);
    free(wheel);
}

/* Waking only when wheel_next says so fires every timer at its tick, after a few moves at most. */
Test(net_wheel, following_next_fires_each_timer_in_its_millisecond)
{
    for (unsigned bits = 0; bits < 62; bits++) {
        nsec          now = 77 * NSEC_PER_MSEC + 5;
        struct wheel *wheel = create_wheel(now);
        struct probe  probe = probe_new();
        unsigned      wakes = 0;
        mono_time     at = { now + (INT64_C(1) << bits) };

        wheel_set(wheel, &probe.timer, at);
        while (probe.fired == 0) {
            cr_assert_lt(wakes++, WHEEL_LEVELS + 1);
            now = wheel_next(wheel).ns;
            wheel_advance(wheel, (mono_time){ now });
        }
        cr_expect_geq(now, at.ns);
        cr_expect_lt(now - at.ns, NSEC_PER_MSEC);
        cr_expect_eq(wheel_next(wheel).ns, INT64_MAX);
        free(wheel);
    }
}

Test(net_wheel, a_timer_is_never_early)
{
    struct wheel *wheel = create_wheel(0);
    struct probe  probe = probe_new();

    wheel_set(wheel, &probe.timer, (mono_time){ 3 * NSEC_PER_MSEC + 1 });
    wheel_advance(wheel, (mono_time){ 4 * NSEC_PER_MSEC - 1 });
    cr_expect_eq(probe.fired, 0);
    wheel_advance(wheel, (mono_time){ 4 * NSEC_PER_MSEC });
    cr_expect_eq(probe.fired, 1);
    free(wheel);
}

Test(net_wheel, the_end_of_time_can_be_set)
{
    struct wheel *wheel = create_wheel(5);
    struct probe  never = probe_new(), past = probe_new();

    wheel_set(wheel, &never.timer, MONO_NEVER);
    wheel_advance(wheel, (mono_time){ INT64_MAX / 2 });
    cr_expect_eq(never.fired, 0);
    wheel_set(wheel, &past.timer, (mono_time){ INT64_MIN });
    wheel_advance(wheel, (mono_time){ 0 }); /* a clock that stands still, or worse */
    cr_expect_eq(past.fired, 1);
    wheel_cancel(wheel, &never.timer);
    wheel_cancel(wheel, &never.timer);
    cr_expect_eq(wheel->count, 0);
    free(wheel);
}

struct chain {
    struct timer  timer;
    struct wheel *wheel;
    struct timer *victim; /* cancelled on fire */
    mono_time     again;
    unsigned      fired;
};

static void
set_again(struct timer *timer)
{
    struct chain *chain = CONTAINER_OF(timer, struct chain, timer);

    chain->fired++;
    if (chain->victim != NULL)
        wheel_cancel(chain->wheel, chain->victim);
    wheel_set(chain->wheel, timer, chain->again);
}

Test(net_wheel, a_timer_that_sets_itself_to_the_past_fires_once_a_turn, .timeout = 30)
{
    struct wheel *wheel = create_wheel(0);
    struct chain  chain = { .wheel = wheel };

    timer_init(&chain.timer, set_again);
    wheel_set(wheel, &chain.timer, (mono_time){ NSEC_PER_MSEC });
    wheel_advance(wheel, (mono_time){ 10 * NSEC_PER_MSEC });
    cr_expect_eq(chain.fired, 1);
    cr_expect_leq(wheel_next(wheel).ns, 10 * NSEC_PER_MSEC);
    wheel_advance(wheel, (mono_time){ 10 * NSEC_PER_MSEC });
    cr_expect_eq(chain.fired, 2);
    wheel_cancel(wheel, &chain.timer);
    free(wheel);
}

Test(net_wheel, a_timer_may_cancel_one_that_is_due_as_well)
{
    struct wheel *wheel = create_wheel(0);
    struct probe  victim = probe_new();
    struct chain  chain = { .wheel = wheel, .victim = &victim.timer, .again = { INT64_C(1) << 50 } };

    timer_init(&chain.timer, set_again);
    wheel_set(wheel, &chain.timer, (mono_time){ NSEC_PER_MSEC });
    wheel_set(wheel, &victim.timer, (mono_time){ 2 * NSEC_PER_MSEC });
    wheel_advance(wheel, (mono_time){ 10 * NSEC_PER_MSEC });
    cr_expect_eq(chain.fired, 1);
    cr_expect_eq(victim.fired, 0);
    cr_expect_eq(wheel->count, 1);
    free(wheel);
}

static unsigned order[3], ordered;

static void
note_order(struct timer *timer)
{
    order[ordered++] = (unsigned)(timer->at.ns / NSEC_PER_MSEC);
}

Test(net_wheel, fires_in_the_order_of_ticks)
{
    static const nsec times[3] = { 5000, 70, 3 };
    struct wheel     *wheel = create_wheel(0);
    struct timer      timers[3];

    for (unsigned i = 0; i < 3; i++) {
        timer_init(&timers[i], note_order);
        wheel_set(wheel, &timers[i], (mono_time){ times[i] * NSEC_PER_MSEC });
    }
    wheel_advance(wheel, (mono_time){ 10 * NSEC_PER_SEC });
    cr_expect(order[0] == 3 && order[1] == 70 && order[2] == 5000);
    free(wheel);
}
