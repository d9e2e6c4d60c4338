/* test_warm.c: what a reader remembers to be in memory, and when it does not rely on that. */
#include "warm.h"

#include <criterion/criterion.h>

static const struct index_place place = { .segment = 3, .offset = 5 }, other = { .segment = 3, .offset = 6 };

static struct warm warm;
static wall_time   now;

static void
begin(void)
{
    cr_assert_eq(warm_init(&warm, 1), ERR_NONE);
    now = (wall_time){ 1000 * NSEC_PER_SEC };
}

static void
end(void)
{
    warm_fini(&warm);
}

static wall_time
after(int64_t seconds)
{
    return wall_add(now, seconds * NSEC_PER_SEC);
}

static unsigned
times_known(wall_time when, unsigned times)
{
    unsigned known = 0;
    for (unsigned i = 0; i < times; i++)
        known += warm_knows(&warm, place, when);
    return known;
}

TestSuite(storage_warm, .init = begin, .fini = end);

Test(storage_warm, what_was_used_is_known_for_some_seconds)
{
    cr_assert_not(warm_knows(&warm, place, now));
    warm_note(&warm, place, now);
    cr_assert(warm_knows(&warm, place, now));
    cr_assert(warm_knows(&warm, place, after(WARM_SECONDS)));
    cr_assert_not(warm_knows(&warm, place, after(WARM_SECONDS + 1)));
    cr_assert_not(warm_knows(&warm, place, after(-2)), "the clock was set back");
    cr_assert_not(warm_knows(&warm, other, now));
}

Test(storage_warm, one_in_some_is_asked_about_all_the_same)
{
    warm_note(&warm, place, now);
    cr_assert_eq(times_known(now, 10 * WARM_SAMPLE), 10 * (WARM_SAMPLE - 1));
}

Test(storage_warm, one_that_was_not_in_memory_makes_it_ask_about_all)
{
    warm_note(&warm, place, now);
    warm_note(&warm, other, now);
    warm_was_wrong(&warm, other, after(1));
    cr_assert_eq(times_known(after(1), WARM_SAMPLE), 0);
    warm_note(&warm, place, after(WARM_ASKS));
    cr_assert_eq(times_known(after(WARM_ASKS), WARM_SAMPLE), 0);
    cr_assert_eq(times_known(after(WARM_ASKS + 1), WARM_SAMPLE), WARM_SAMPLE - 1);
}

Test(storage_warm, what_it_did_not_say_was_not_wrong)
{
    warm_note(&warm, place, now);
    warm_was_wrong(&warm, other, now);
    warm_was_wrong(&warm, place, after(WARM_SECONDS + 1));
    cr_assert_eq(times_known(now, WARM_SAMPLE), WARM_SAMPLE - 1);
}

Test(storage_warm, a_clock_that_was_set_back_does_not_make_it_ask_for_ever)
{
    warm_note(&warm, place, now);
    warm_was_wrong(&warm, place, now);
    warm_note(&warm, place, after(-3600));
    cr_assert_eq(times_known(after(-3600), WARM_SAMPLE), WARM_SAMPLE - 1);
}
