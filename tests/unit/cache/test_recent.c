/* test_recent.c: what the table remembers, and that forgetting is its worst. */
#include "recent.h"

#include <criterion/criterion.h>

static const mono_time start = { 1000 * NSEC_PER_SEC };

static struct digest
digest_of(uint64_t n)
{
    return (struct digest){ n * UINT64_C(0x9e3779b97f4a7c15), n * UINT64_C(0xd6e8feb86659fd93) };
}

Test(cache_recent, remembers_for_its_time)
{
    struct recent *table = recent_create(64, 120);

    cr_assert_not(recent_knows(table, digest_of(1), start));
    recent_remember(table, digest_of(1), start);
    cr_assert(recent_knows(table, digest_of(1), start));
    cr_assert_not(recent_knows(table, digest_of(2), start));
    cr_assert(recent_knows(table, digest_of(1), mono_add(start, 119 * NSEC_PER_SEC)));
    cr_assert_not(recent_knows(table, digest_of(1), mono_add(start, 121 * NSEC_PER_SEC)));
    recent_remember(table, digest_of(1), mono_add(start, 121 * NSEC_PER_SEC));
    cr_assert(recent_knows(table, digest_of(1), mono_add(start, 200 * NSEC_PER_SEC)));
    recent_destroy(&table);
}

Test(cache_recent, forgets_what_it_is_told_to)
{
    struct recent *table = recent_create(64, 120);

    recent_remember(table, digest_of(1), start);
    recent_remember(table, digest_of(2), start);
    recent_forget(table, digest_of(1));
    recent_forget(table, digest_of(3));
    cr_assert_not(recent_knows(table, digest_of(1), start));
    cr_assert(recent_knows(table, digest_of(2), start));
    recent_destroy(&table);
}

Test(cache_recent, a_full_set_drops_its_oldest)
{
    struct recent *table = recent_create(8, 120); /* one set */

    for (uint64_t i = 0; i < 9; i++)
        recent_remember(table, digest_of(i + 1), mono_add(start, (nsec)i * NSEC_PER_SEC));
    mono_time now = mono_add(start, 9 * NSEC_PER_SEC);
    cr_assert_not(recent_knows(table, digest_of(1), now));
    for (uint64_t i = 1; i < 9; i++)
        cr_assert(recent_knows(table, digest_of(i + 1), now));
    recent_destroy(&table);
}

Test(cache_recent, time_may_wrap_its_24_bits)
{
    struct recent *table = recent_create(8, 120);
    mono_time           late = { ((INT64_C(1) << 24) - 10) * NSEC_PER_SEC };

    recent_remember(table, digest_of(1), late);
    cr_assert(recent_knows(table, digest_of(1), mono_add(late, 60 * NSEC_PER_SEC)));
    cr_assert_not(recent_knows(table, digest_of(1), mono_add(late, 130 * NSEC_PER_SEC)));
    recent_destroy(&table);
}
