/* The schedule of an open loop. */
#include "schedule.h"

#include <criterion/criterion.h>

#define START ((mono_time){ 1000 * NSEC_PER_SEC })

Test(bench_schedule, requests_are_due_at_even_distances)
{
    struct schedule schedule = { .start = START, .rate = 1000, .threads = 1 };
    for (uint64_t k = 0; k < 10; k++)
        cr_assert_eq(schedule_at(&schedule, k).ns, START.ns + (nsec)k * NSEC_PER_MSEC);
}

Test(bench_schedule, threads_interleave)
{
    struct schedule first = { .start = START, .rate = 100, .thread = 0, .threads = 2 };
    struct schedule second = { .start = START, .rate = 100, .thread = 1, .threads = 2 };
    cr_assert_eq(schedule_at(&first, 1).ns - START.ns, 20 * NSEC_PER_MSEC);
    cr_assert_eq(schedule_at(&second, 0).ns - START.ns, 10 * NSEC_PER_MSEC);
    cr_assert_eq(schedule_at(&second, 1).ns - START.ns, 30 * NSEC_PER_MSEC);
}

Test(bench_schedule, does_not_drift)
{
    struct schedule schedule = { .start = START, .rate = 3, .threads = 1 };
    uint64_t        day = 86400;
    cr_assert_eq(schedule_at(&schedule, 3 * day).ns - START.ns, (nsec)day * NSEC_PER_SEC);
}

Test(bench_schedule, take_gives_what_is_due_and_since_when)
{
    struct schedule schedule = { .start = START, .rate = 1000, .threads = 1 };
    mono_time       due;
    mono_time       now = mono_add(START, 2 * NSEC_PER_MSEC + 1);
    for (int k = 0; k < 3; k++) {
        cr_assert(schedule_take(&schedule, now, &due));
        cr_assert_eq(due.ns, START.ns + k * NSEC_PER_MSEC);
    }
    cr_assert_not(schedule_take(&schedule, now, &due));
    cr_assert_eq(schedule.next, 3);
}

Test(bench_schedule, nothing_is_due_before_the_start)
{
    struct schedule schedule = { .start = START, .rate = 1000, .threads = 1 };
    mono_time       due;
    cr_assert_not(schedule_take(&schedule, mono_add(START, -1), &due));
    cr_assert(schedule_take(&schedule, START, &due));
}

Test(bench_schedule, missed_counts_what_was_due_and_not_taken)
{
    struct schedule schedule = { .start = START, .rate = 1000, .threads = 1, .next = 4 };
    cr_assert_eq(schedule_missed(&schedule, mono_add(START, NSEC_PER_SEC)), 996);
    cr_assert_eq(schedule_missed(&schedule, mono_add(START, 4 * NSEC_PER_MSEC)), 0);
    cr_assert_eq(schedule_missed(&schedule, mono_add(START, 4 * NSEC_PER_MSEC + 1)), 1);
    cr_assert_eq(schedule_missed(&schedule, START), 0);
}

Test(bench_schedule, shares_add_up)
{
    uint64_t sum = 0;
    for (unsigned thread = 0; thread < 7; thread++) {
        uint64_t share = schedule_share(100, thread, 7);
        cr_assert(share == 14 || share == 15);
        sum += share;
    }
    cr_assert_eq(sum, 100);
    cr_assert_eq(schedule_share(0, 3, 7), 0);
}

/* ── a list of times ── */

static const uint64_t dues[] = { 0, 10, 10, 500, 501 };

Test(bench_schedule, a_list_says_when)
{
    struct schedule schedule = { .start = START, .dues = dues, .due_count = 5, .threads = 1 };
    mono_time       due;
    for (uint64_t k = 0; k < 5; k++)
        cr_assert_eq(schedule_at(&schedule, k).ns, START.ns + (nsec)dues[k]);
    cr_assert_eq(schedule_at(&schedule, 5).ns, INT64_MAX);
    for (int k = 0; k < 3; k++)
        cr_assert(schedule_take(&schedule, mono_add(START, 10), &due));
    cr_assert_eq(due.ns, START.ns + 10);
    cr_assert_not(schedule_take(&schedule, mono_add(START, 10), &due));
    cr_assert_eq(due.ns, START.ns + 500);
}

Test(bench_schedule, threads_share_a_list)
{
    struct schedule second = { .start = START, .dues = dues, .due_count = 5, .thread = 1, .threads = 2 };
    cr_assert_eq(schedule_at(&second, 0).ns, START.ns + 10);
    cr_assert_eq(schedule_at(&second, 1).ns, START.ns + 500);
    cr_assert_eq(schedule_at(&second, 2).ns, INT64_MAX);
}

Test(bench_schedule, what_a_list_had_due_and_was_missed)
{
    struct schedule schedule = { .start = START, .dues = dues, .due_count = 5, .threads = 1, .next = 1 };
    cr_assert_eq(schedule_missed(&schedule, START), 0);
    cr_assert_eq(schedule_missed(&schedule, mono_add(START, 11)), 2);
    cr_assert_eq(schedule_missed(&schedule, mono_add(START, NSEC_PER_SEC)), 4);
    schedule.next = 5;
    cr_assert_eq(schedule_missed(&schedule, mono_add(START, NSEC_PER_SEC)), 0);
}
