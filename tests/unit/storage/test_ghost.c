/* test_ghost.c: what the ghost list remembers, for how long, and in how much memory.
 */
#include "fixture.h"

#include "ghost.h"

#include <criterion/criterion.h>
#include <stdio.h>

static uint64_t
hash_of(uint64_t number)
{
    return next_random(&number);
}

Test(storage_ghost, knows_what_was_dropped_once)
{
    struct ghost ghost;

    cr_assert_eq(ghost_init(&ghost, 1000), ERR_NONE);
    cr_assert_not(ghost_take(&ghost, 0)); /* the zeros of fresh memory are nobody */
    cr_assert_not(ghost_take(&ghost, hash_of(1)));
    ghost_add(&ghost, hash_of(1), 10);
    ghost_add(&ghost, hash_of(2), 10);
    cr_assert(ghost_take(&ghost, hash_of(1)));
    cr_assert_not(ghost_take(&ghost, hash_of(1)));
    cr_assert(ghost_take(&ghost, hash_of(2)));
    ghost_fini(&ghost);
}

Test(storage_ghost, the_window_is_counted_in_bytes)
{
    struct ghost ghost;

    cr_assert_eq(ghost_init(&ghost, 1000), ERR_NONE);
    ghost_add(&ghost, hash_of(1), 999);
    ghost_add(&ghost, hash_of(2), 600);
    ghost_add(&ghost, hash_of(3), 400);
    cr_assert(ghost_take(&ghost, hash_of(1))); /* 1000 bytes after it */
    ghost_add(&ghost, hash_of(4), 601);
    cr_assert_not(ghost_take(&ghost, hash_of(2)));
    cr_assert(ghost_take(&ghost, hash_of(3)));
    cr_assert(ghost_take(&ghost, hash_of(4)));
    ghost_fini(&ghost);
}

/* Dropped twice, it is known once, and counts from the second time. */
Test(storage_ghost, the_same_again_is_one_entry)
{
    struct ghost ghost;

    cr_assert_eq(ghost_init(&ghost, 1000), ERR_NONE);
    ghost_add(&ghost, hash_of(1), 10);
    ghost_add(&ghost, hash_of(2), 900);
    ghost_add(&ghost, hash_of(1), 10);
    ghost_add(&ghost, hash_of(3), 900);
    cr_assert(ghost_take(&ghost, hash_of(1)));
    cr_assert_not(ghost_take(&ghost, hash_of(1)));
    ghost_fini(&ghost);
}

/* How many of those in the window are known, when all dropped objects are of that size. */
static double
recall(uint64_t window, uint64_t size, double *slots)
{
    struct ghost ghost;
    uint64_t     entries = window / size, number = 0, known = 0;

    cr_assert_eq(ghost_init(&ghost, window), ERR_NONE);
    for (; number < 4 * entries; number++)
        ghost_add(&ghost, hash_of(number), size);
    *slots = (double)(ghost.count * GHOST_WAYS) / (double)entries;
    for (uint64_t i = 2 * entries; i < 3 * entries - 1; i++)
        cr_assert_not(ghost_take(&ghost, hash_of(i)), "outside of the window");
    for (uint64_t i = 3 * entries; i < 4 * entries; i++)
        known += ghost_take(&ghost, hash_of(i));
    ghost_fini(&ghost);
    return (double)known / (double)entries;
}

/* 64 MiB of objects of 256 bytes to 64 KiB, from a table that began with room for 16 KiB ones. */
Test(storage_ghost, memory_follows_the_number_of_objects)
{
    for (uint64_t size = 256; size <= 64 * 1024; size *= 4) {
        double slots, known = recall(64 * MIB, size, &slots);
        printf("ghost, objects of %llu: knows %.1f %%, %.2f slots for each\n", (unsigned long long)size,
               100 * known, slots);
        cr_assert_gt(known, 0.85);
        if (size <= 16 * 1024)
            cr_assert_lt(slots, 1.26);
    }
}

/* Tables that grow are asked for what they never saw: false matches are rare. */
Test(storage_ghost, strangers_are_not_known)
{
    struct ghost ghost;
    unsigned     known = 0;

    cr_assert_eq(ghost_init(&ghost, 16 * MIB), ERR_NONE);
    for (uint64_t i = 0; i < 100000; i++)
        ghost_add(&ghost, hash_of(i), 256);
    for (uint64_t i = 100000; i < 1100000; i++)
        known += ghost_take(&ghost, hash_of(i));
    cr_assert_leq(known, 3);
    ghost_fini(&ghost);
}

/* Stamps wrap around after 16 windows of 2^28 units. */
Test(storage_ghost, goes_on_when_stamps_wrap)
{
    struct ghost ghost;
    uint64_t     window = UINT64_C(1) << 40; /* 1 TiB: 4 KiB a unit */

    cr_assert_eq(ghost_init(&ghost, window), ERR_NONE);
    for (uint64_t i = 0; i < 200; i++) {
        ghost_add(&ghost, hash_of(i), window / 8);
        for (uint64_t back = 0; i > 20 && back < 8; back += 7) {
            cr_assert(ghost_take(&ghost, hash_of(i - back)));
            ghost_add(&ghost, hash_of(i - back), 0);
        }
        cr_assert_not(ghost_take(&ghost, hash_of(i - 16)));
    }
    ghost_fini(&ghost);
}
