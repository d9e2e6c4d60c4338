/* test_uncacheable.c: what the table remembers, and that forgetting is its worst. */
#include "uncacheable.h"

#include <criterion/criterion.h>

static const mono_time start = { 1000 * NSEC_PER_SEC };

static struct digest
digest_of(uint64_t n)
{
    return (struct digest){ n * UINT64_C(0x9e3779b97f4a7c15), n * UINT64_C(0xd6e8feb86659fd93) };
}

Test(cache_uncacheable, remembers_for_two_minutes)
{
    struct uncacheable *table = uncacheable_create(64);

    cr_assert_not(uncacheable_knows(table, digest_of(1), start));
    uncacheable_remember(table, digest_of(1), start);
    cr_assert(uncacheable_knows(table, digest_of(1), start));
    cr_assert_not(uncacheable_knows(table, digest_of(2), start));
    cr_assert(uncacheable_knows(table, digest_of(1), mono_add(start, 119 * NSEC_PER_SEC)));
    cr_assert_not(uncacheable_knows(table, digest_of(1), mono_add(start, 121 * NSEC_PER_SEC)));
    uncacheable_remember(table, digest_of(1), mono_add(start, 121 * NSEC_PER_SEC));
    cr_assert(uncacheable_knows(table, digest_of(1), mono_add(start, 200 * NSEC_PER_SEC)));
    uncacheable_destroy(&table);
}

Test(cache_uncacheable, forgets_what_it_is_told_to)
{
    struct uncacheable *table = uncacheable_create(64);

    uncacheable_remember(table, digest_of(1), start);
    uncacheable_remember(table, digest_of(2), start);
    uncacheable_forget(table, digest_of(1));
    uncacheable_forget(table, digest_of(3));
    cr_assert_not(uncacheable_knows(table, digest_of(1), start));
    cr_assert(uncacheable_knows(table, digest_of(2), start));
    uncacheable_destroy(&table);
}

Test(cache_uncacheable, a_full_set_drops_its_oldest)
{
    struct uncacheable *table = uncacheable_create(8); /* one set */

    for (uint64_t i = 0; i < 9; i++)
        uncacheable_remember(table, digest_of(i + 1), mono_add(start, (nsec)i * NSEC_PER_SEC));
    mono_time now = mono_add(start, 9 * NSEC_PER_SEC);
    cr_assert_not(uncacheable_knows(table, digest_of(1), now));
    for (uint64_t i = 1; i < 9; i++)
        cr_assert(uncacheable_knows(table, digest_of(i + 1), now));
    uncacheable_destroy(&table);
}

Test(cache_uncacheable, time_may_wrap_its_24_bits)
{
    struct uncacheable *table = uncacheable_create(8);
    mono_time           late = { ((INT64_C(1) << 24) - 10) * NSEC_PER_SEC };

    uncacheable_remember(table, digest_of(1), late);
    cr_assert(uncacheable_knows(table, digest_of(1), mono_add(late, 60 * NSEC_PER_SEC)));
    cr_assert_not(uncacheable_knows(table, digest_of(1), mono_add(late, 130 * NSEC_PER_SEC)));
    uncacheable_destroy(&table);
}
