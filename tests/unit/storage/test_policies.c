/* test_policies.c: SC and S3-FIFO, verdict by verdict.
 */
#include "fixture.h"

#include <criterion/criterion.h>
#include <math.h>

/* ── a policy and what it is asked ── */

struct policy {
    const struct eviction *eviction;
    void                  *state;
    unsigned               logs;
};

static const struct eviction_shape roomy = {
    .bytes = 1000000, .object_max = UINT64_C(1) << 40, .logs_max = 64, .alpha = EVICTION_ALPHA
};

static struct policy
create(const struct eviction *eviction, struct eviction_shape shape)
{
    struct policy policy = { .eviction = eviction };
    policy.state = eviction->create(&shape, &policy.logs);
    cr_assert_not_null(policy.state);
    cr_assert_leq(policy.logs, shape.logs_max);
    return policy;
}

static void
destroy(struct policy *policy)
{
    policy->eviction->destroy(policy->state);
}

static struct eviction_verdict
place_living(struct policy *policy, uint64_t hash, uint64_t size, uint32_t lifetime)
{
    struct eviction_object object = { .hash = hash, .size = size, .lifetime = lifetime };
    return policy->eviction->place(policy->state, &object);
}

static int
place(struct policy *policy, uint64_t hash, uint64_t size)
{
    return place_living(policy, hash, size, HOUR).log;
}

static struct eviction_verdict
hit(struct policy *policy, uint64_t size, unsigned freq)
{
    struct eviction_object object = { .hash = 1, .size = size, .freq = freq };
    return policy->eviction->hit(policy->state, &object);
}

static struct eviction_verdict
keep(struct policy *policy, unsigned log, unsigned freq)
{
    struct eviction_object object = { .hash = 1, .size = 100, .freq = freq, .log = log };
    return policy->eviction->keep(policy->state, &object);
}

static void
drop(struct policy *policy, uint64_t hash, uint64_t size)
{
    struct eviction_object object = { .hash = hash, .size = size };
    policy->eviction->dropped(policy->state, &object);
}

/* ── by name ── */

Test(storage_policies, each_is_found_by_its_name)
{
    const struct eviction *all[] = { &eviction_sc, &eviction_s3fifo, &eviction_lru, &eviction_fifo };
    struct span            names = SPAN(EVICTION_NAMES), name;

    for (size_t i = 0; span_split(&names, '|', &name); i++)
        cr_assert_eq(eviction_by_name(name), all[i]);
    cr_assert_null(eviction_by_name(SPAN("LRU")));
    cr_assert_null(eviction_by_name(SPAN("")));
}

/* ── SC ── */

Test(storage_policies, sc_has_twelve_classes_of_size)
{
    struct policy sc = create(&eviction_sc, roomy);

    cr_assert_eq(sc.logs, 2 * 13);
    cr_assert_eq(place(&sc, 1, 1), 0);
    cr_assert_eq(place(&sc, 1, 1024), 0);
    cr_assert_eq(place(&sc, 1, 1025), 1);
    cr_assert_eq(place(&sc, 1, 4096), 1);
    cr_assert_eq(place(&sc, 1, 4097), 2);
    cr_assert_eq(place(&sc, 1, 1 << 20), 5);
    cr_assert_eq(place(&sc, 1, (1 << 20) + 1), 6);
    cr_assert_eq(place(&sc, 1, UINT64_C(1) << 32), 11);
    cr_assert_eq(place(&sc, 1, UINT64_C(1) << 40), 11); /* the last class has the rest */
    destroy(&sc);
}

/* The store's shapes: 64 segments of 1 MiB, 16 of 512 KiB, and less than there is. */
Test(storage_policies, sc_has_wider_classes_where_segments_are_few)
{
    struct eviction_shape shape = { .bytes = 64 * MIB, .object_max = MIB, .alpha = EVICTION_ALPHA };

    shape.logs_max = eviction_logs_max(64);
    struct policy sc = create(&eviction_sc, shape);
    cr_assert_eq(sc.logs, 2 * (6 + 1)); /* 1K 4K 16K 64K 256K 1M, and the short-lived */
    cr_assert_eq(place(&sc, 1, MIB), 5);
    destroy(&sc);

    shape.logs_max = eviction_logs_max(16);
    shape.object_max = MIB / 2;
    sc = create(&eviction_sc, shape);
    cr_assert_eq(sc.logs, 6);
    cr_assert_eq(place(&sc, 1, 1024), 0);
    cr_assert_eq(place(&sc, 1, 1025), 1);
    cr_assert_eq(place(&sc, 1, MIB / 2), 1);
    destroy(&sc);

    shape.logs_max = EVICTION_LOGS_LEAST;
    sc = create(&eviction_sc, shape);
    cr_assert_eq(sc.logs, 4);
    cr_assert_eq(place(&sc, 1, MIB / 2), 0);
    cr_assert_eq(place_living(&sc, 1, 1, 10).log, 1);
    destroy(&sc);
}

Test(storage_policies, sc_writes_the_short_lived_apart)
{
    struct policy sc = create(&eviction_sc, roomy);

    cr_assert_eq(place_living(&sc, 1, 100, 299).log, 12);
    cr_assert_eq(place_living(&sc, 1, 1 << 20, 0).log, 12);
    cr_assert_eq(place_living(&sc, 1, 100, 300).log, 0);
    cr_assert_eq(keep(&sc, 12, 1).log, 25); /* they have a main log too */
    cr_assert_eq(keep(&sc, 25, 1).log, 25);
    drop(&sc, 7, 100);
    cr_assert_eq(place_living(&sc, 7, 100, 10).log, 25);
    destroy(&sc);
}

Test(storage_policies, sc_sends_what_comes_back_to_main)
{
    struct policy sc = create(&eviction_sc, roomy);

    drop(&sc, 7, 5000);
    cr_assert_eq(place(&sc, 7, 5000), 15);
    cr_assert_eq(place(&sc, 7, 5000), 2); /* forgotten with that */
    drop(&sc, 8, 5000);
    drop(&sc, 9, 900000); /* 0.9 of the shard after it: still known */
    cr_assert_eq(place(&sc, 8, 5000), 15);
    drop(&sc, 8, 5000);
    drop(&sc, 9, 900001);
    cr_assert_eq(place(&sc, 8, 5000), 2);
    destroy(&sc);
}

Test(storage_policies, sc_counts_fifteen_hits)
{
    struct policy           sc = create(&eviction_sc, roomy);
    struct eviction_verdict verdict = hit(&sc, 1 << 20, 0);

    cr_assert_eq(verdict.freq, 1);
    cr_assert_float_eq(verdict.worth, 64.0, 1e-9); /* 2 ^ (20 * 0.3) */
    cr_assert_eq(hit(&sc, 1, 14).freq, 15);
    cr_assert_float_eq(hit(&sc, 1, 14).worth, 1.0, 1e-9);
    cr_assert_eq(hit(&sc, 1, 15).freq, 15);
    cr_assert_eq(hit(&sc, 1, 15).worth, 0);
    destroy(&sc);
}

/* Never more than a sixteenth of the size off, from 1 byte to all of them. */
Test(storage_policies, sc_weighs_any_size)
{
    struct eviction_shape shape = roomy;

    for (unsigned tenths = 0; tenths <= 10; tenths += 5) {
        shape.alpha = tenths / 10.0;
        struct policy sc = create(&eviction_sc, shape);
        for (uint64_t size = 1; size < UINT64_C(1) << 62; size += 1 + size / 3) {
            double most = pow((double)size, 1 - shape.alpha), worth = hit(&sc, size, 0).worth;
            cr_assert_leq(worth, most * (1 + 1e-9));
            cr_assert_geq(worth, pow((double)size * 15 / 16, 1 - shape.alpha) * (1 - 1e-9));
        }
        cr_assert_gt(hit(&sc, UINT64_MAX, 0).worth, 0);
        destroy(&sc);
    }
}

Test(storage_policies, sc_halves_the_count_at_each_passage)
{
    static const unsigned passages[][2] = { { 15, 7 }, { 7, 3 }, { 3, 1 }, { 2, 0 }, { 1, 0 } };
    struct policy         sc = create(&eviction_sc, roomy);

    for (size_t i = 0; i < sizeof passages / sizeof passages[0]; i++) {
        struct eviction_verdict verdict = keep(&sc, 14, passages[i][0]);
        cr_assert_eq(verdict.log, 14);
        cr_assert_eq(verdict.freq, passages[i][1]);
        cr_assert_gt(verdict.worth, 0);
    }
    cr_assert_eq(keep(&sc, 14, 0).log, EVICTION_DROP);
    cr_assert_eq(keep(&sc, 1, 0).log, EVICTION_DROP);
    cr_assert_eq(keep(&sc, 1, 9).log, 14); /* from probation to main: there it starts anew */
    cr_assert_eq(keep(&sc, 1, 9).freq, 0);
    destroy(&sc);
}

/* ── SC's victims ── */

enum { LOGS = 26, NOW = 1000 };

Test(storage_policies, sc_takes_the_least_use_for_bytes_and_age)
{
    struct policy           sc = create(&eviction_sc, roomy);
    struct eviction_log     logs[LOGS] = { 0 };
    struct eviction_segment useful = { .worth = 100, .born = 0, .bytes = 1000 };
    struct eviction_segment large = { .worth = 100, .born = 0, .bytes = 2000 };
    struct eviction_segment old = { .worth = 99, .born = 0, .bytes = 1000 };
    struct eviction_segment young = { .worth = 99, .born = 900, .bytes = 1000 };

    cr_assert_eq(sc.eviction->choose(sc.state, logs, NOW), EVICTION_NONE);
    logs[13].oldest = &useful;
    cr_assert_eq(sc.eviction->choose(sc.state, logs, NOW), 13);
    logs[14].oldest = &large;
    cr_assert_eq(sc.eviction->choose(sc.state, logs, NOW), 14);
    logs[14].oldest = &young;
    cr_assert_eq(sc.eviction->choose(sc.state, logs, NOW), 13);
    logs[15].oldest = &old;
    cr_assert_eq(sc.eviction->choose(sc.state, logs, NOW), 15);
    destroy(&sc);
}

Test(storage_policies, sc_halves_the_worth_of_probation_and_caps_it)
{
    struct policy           sc = create(&eviction_sc, roomy);
    struct eviction_log     logs[LOGS] = { 0 };
    struct eviction_segment main = { .worth = 60, .bytes = 1000 };
    struct eviction_segment probation = { .worth = 100, .bytes = 1000 };
    struct eviction_segment favourite = { .worth = 1000, .bytes = 1000 };

    logs[13] = (struct eviction_log){ .oldest = &main, .bytes = 800000 };
    logs[2] = (struct eviction_log){ .oldest = &probation, .bytes = 100000 };
    cr_assert_eq(sc.eviction->choose(sc.state, logs, NOW), 2); /* 50 against 60 */
    logs[2].oldest = &favourite;
    cr_assert_eq(sc.eviction->choose(sc.state, logs, NOW), 13);
    logs[4].bytes = 100000; /* a fifth of the shard, no more */
    cr_assert_eq(sc.eviction->choose(sc.state, logs, NOW), 13);
    logs[4].bytes++;
    cr_assert_eq(sc.eviction->choose(sc.state, logs, NOW), 2);
    logs[2].oldest = NULL; /* none of probation can go: main must */
    cr_assert_eq(sc.eviction->choose(sc.state, logs, NOW), 13);
    destroy(&sc);
}

/* ── S3-FIFO ── */

Test(storage_policies, s3fifo_moves_what_was_found_twice)
{
    struct policy s3fifo = create(&eviction_s3fifo, roomy);

    cr_assert_eq(s3fifo.logs, 2);
    cr_assert_eq(place(&s3fifo, 1, 100), 0);
    cr_assert_eq(keep(&s3fifo, 0, 0).log, EVICTION_DROP);
    cr_assert_eq(keep(&s3fifo, 0, 1).log, EVICTION_DROP);
    cr_assert_eq(keep(&s3fifo, 0, 2).log, 1);
    cr_assert_eq(keep(&s3fifo, 0, 2).freq, 0);
    for (unsigned freq = 3; freq > 0; freq--) {
        cr_assert_eq(keep(&s3fifo, 1, freq).log, 1);
        cr_assert_eq(keep(&s3fifo, 1, freq).freq, freq - 1);
    }
    cr_assert_eq(keep(&s3fifo, 1, 0).log, EVICTION_DROP);
    cr_assert_eq(hit(&s3fifo, 1, 2).freq, 3);
    cr_assert_eq(hit(&s3fifo, 1, 3).freq, 3);
    drop(&s3fifo, 7, 100);
    cr_assert_eq(place(&s3fifo, 7, 100), 1);
    cr_assert_eq(place(&s3fifo, 7, 100), 0);
    destroy(&s3fifo);
}

Test(storage_policies, s3fifo_holds_small_to_a_tenth)
{
    struct policy           s3fifo = create(&eviction_s3fifo, roomy);
    struct eviction_segment segment = { .bytes = 1000 };
    struct eviction_log     logs[2] = { { .bytes = 100000 }, { .bytes = 900000 } };

    cr_assert_eq(s3fifo.eviction->choose(s3fifo.state, logs, NOW), EVICTION_NONE);
    logs[0].oldest = &segment;
    cr_assert_eq(s3fifo.eviction->choose(s3fifo.state, logs, NOW), 0);
    logs[1].oldest = &segment;
    cr_assert_eq(s3fifo.eviction->choose(s3fifo.state, logs, NOW), 1);
    logs[0].bytes++;
    cr_assert_eq(s3fifo.eviction->choose(s3fifo.state, logs, NOW), 0);
    destroy(&s3fifo);
}
