/* test_rate.c: how often is too often, and that nobody gains by being forgotten. Time is moved by hand. */
#include <larder/proxy/rate.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static struct rate
rate_of(uint64_t count, nsec period, uint64_t burst)
{
    struct rate rate;

    cr_assert_eq(rate_set(&rate, count, period, burst), ERR_NONE);
    return rate;
}

static struct rates *
table_of(size_t buckets)
{
    struct rates *rates;

    cr_assert_eq(rates_create(&rates, buckets), ERR_NONE);
    return rates;
}

static bool
takes(struct rates *rates, const char *name, const struct rate *rate, nsec now)
{
    nsec wait;
    bool may = rates_take(rates, span_of_text(name), rate, (mono_time){ now }, &wait);

    cr_assert(may ? wait == 0 : wait > 0);
    return may;
}

/* How many of `tries` at one moment are let through. */
static unsigned
burst_of(struct rates *rates, const char *name, const struct rate *rate, nsec now, unsigned tries)
{
    unsigned taken = 0;

    while (tries-- > 0)
        taken += takes(rates, name, rate, now);
    return taken;
}

Test(proxy_rate, refuses_what_is_no_rate)
{
    struct rate rate;

    cr_expect_eq(rate_set(&rate, 0, NSEC_PER_SEC, 1), ERR_RANGE);
    cr_expect_eq(rate_set(&rate, 1, NSEC_PER_SEC, 0), ERR_RANGE);
    cr_expect_eq(rate_set(&rate, 2000000000, NSEC_PER_SEC, 1), ERR_RANGE);
    cr_expect_eq(rate_set(&rate, 1, NSEC_PER_SEC, RATE_BURST_MAX + 1), ERR_RANGE);
    cr_expect_eq(rate_set(&rate, 1, 86400 * NSEC_PER_SEC, 366), ERR_RANGE, "more than a year to fill");
    cr_expect_eq(rate_set(&rate, 1, 86400 * NSEC_PER_SEC, 365), ERR_NONE);
}

Test(proxy_rate, a_burst_and_then_the_rate)
{
    const nsec    start = 1000 * NSEC_PER_SEC, every = 20 * NSEC_PER_MSEC;
    struct rates *rates = table_of(1);
    struct rate   rate = rate_of(50, NSEC_PER_SEC, 100);
    nsec          wait;

    cr_expect_eq(burst_of(rates, "a", &rate, start, 300), 100);
    cr_expect(!rates_take(rates, SPAN("a"), &rate, (mono_time){ start }, &wait));
    cr_expect_eq(wait, every, "what it is told to wait is enough, and not more");
    cr_expect(!takes(rates, "a", &rate, start + every - 1));
    cr_expect(takes(rates, "a", &rate, start + every));
    cr_expect(!takes(rates, "a", &rate, start + every));
    cr_expect_eq(burst_of(rates, "a", &rate, start + 11 * every, 300), 10);
    cr_expect_eq(burst_of(rates, "a", &rate, start + 1000 * every, 300), 100, "a bucket does not overflow");
    rates_destroy(&rates);
    cr_expect_null(rates);
}

Test(proxy_rate, a_burst_of_one_is_an_even_pace)
{
    struct rates *rates = table_of(1);
    struct rate   rate = rate_of(1, NSEC_PER_SEC, 1);

    cr_expect_eq(burst_of(rates, "a", &rate, NSEC_PER_SEC, 5), 1);
    cr_expect_eq(burst_of(rates, "a", &rate, 2 * NSEC_PER_SEC, 5), 1);
    rates_destroy(&rates);
}

Test(proxy_rate, names_do_not_share)
{
    struct rates *rates = table_of(RATES_BUCKETS);
    struct rate   rate = rate_of(1, NSEC_PER_SEC, 3);

    cr_expect_eq(burst_of(rates, "a", &rate, NSEC_PER_SEC, 5), 3);
    cr_expect_eq(burst_of(rates, "b", &rate, NSEC_PER_SEC, 5), 3);
    cr_expect_eq(burst_of(rates, "a", &rate, NSEC_PER_SEC, 5), 0);
    rates_destroy(&rates);
}

/* A clock that lags by a turn gives nothing away. */
Test(proxy_rate, clocks_of_workers_may_differ)
{
    struct rates *rates = table_of(1);
    struct rate   rate = rate_of(1, NSEC_PER_SEC, 2);

    cr_expect_eq(burst_of(rates, "a", &rate, 100 * NSEC_PER_SEC, 1), 1);
    cr_expect_eq(burst_of(rates, "a", &rate, 100 * NSEC_PER_SEC - NSEC_PER_MSEC, 5), 0);
    cr_expect_eq(burst_of(rates, "a", &rate, 100 * NSEC_PER_SEC, 5), 1);
    rates_destroy(&rates);
}

/* One set of eight, and a flood of other names from the one who is at his limit. */
Test(proxy_rate, a_flood_of_names_does_not_reset_a_busy_one)
{
    struct rates *rates = table_of(1);
    struct rate   rate = rate_of(1, NSEC_PER_SEC, 10);
    const nsec    start = 100 * NSEC_PER_SEC;
    char          name[16];
    unsigned      taken = burst_of(rates, "busy", &rate, start, 20);

    cr_assert_eq(taken, 10);
    for (nsec second = 0; second < 100; second++)
        for (unsigned i = 0; i < 50; i++) {
            snprintf(name, sizeof name, "other-%u", i);
            (void)takes(rates, name, &rate, start + second * NSEC_PER_SEC);
            taken += takes(rates, "busy", &rate, start + second * NSEC_PER_SEC);
        }
    cr_expect_leq(taken, 10 + 100, "%u", taken);
    rates_destroy(&rates);
}

/* What is full again is worth nothing: eight newcomers find room. */
Test(proxy_rate, full_buckets_make_room)
{
    struct rates *rates = table_of(1);
    struct rate   rate = rate_of(1, NSEC_PER_SEC, 2);
    char          name[16];

    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "old-%u", i);
        cr_assert_eq(burst_of(rates, name, &rate, 100 * NSEC_PER_SEC, 3), 2);
    }
    cr_expect_eq(burst_of(rates, "new", &rate, 100 * NSEC_PER_SEC, 3), 0);
    for (unsigned i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "new-%u", i);
        cr_expect_eq(burst_of(rates, name, &rate, 102 * NSEC_PER_SEC, 3), 2);
    }
    rates_destroy(&rates);
}

/* ── threads ── */

enum { THREADS = 4, TRIES = 20000, NAMES = 16 };

struct crowd {
    struct rates *rates;
    struct rate   rate;
    atomic_uint   taken[NAMES];
};

static void *
push(void *argument)
{
    struct crowd *crowd = argument;
    nsec          wait;

    for (unsigned i = 0; i < TRIES; i++) {
        unsigned char name = (unsigned char)(i % NAMES);
        if (rates_take(crowd->rates, span_of(&name, 1), &crowd->rate, (mono_time){ NSEC_PER_SEC }, &wait))
            atomic_fetch_add(&crowd->taken[name], 1);
    }
    return NULL;
}

Test(proxy_rate, is_exact_across_threads)
{
    struct crowd crowd = { .rates = table_of(RATES_BUCKETS), .rate = rate_of(1, 60 * NSEC_PER_SEC, 333) };
    pthread_t    threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, push, &crowd), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < NAMES; i++)
        cr_expect_eq(atomic_load(&crowd.taken[i]), 333);
    rates_destroy(&crowd.rates);
}
