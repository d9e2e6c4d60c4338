/* test_shape.c: what a size becomes.
 */
#include "shape.h"

#include <criterion/criterion.h>
#include <larder/storage/store.h>

#define MIB UINT64_C(1048576)

static struct shape
shape(uint64_t size, unsigned readers)
{
    struct shape made;
    struct fault fault;
    cr_assert_eq(shape_of(size, readers, &made, &fault), ERR_NONE);
    cr_assert_eq(made.shards & (made.shards - 1), 0);
    cr_assert_eq(made.shards % made.threads, 0);
    cr_assert_leq((uint64_t)made.shards * made.segments * made.segment_size, size);
    cr_assert_geq(made.segments, 32);
    return made;
}

Test(storage_shape, of_common_sizes)
{
    struct shape tiny = shape(STORE_SIZE_MIN, 8);
    cr_assert_eq(tiny.shards, 1);
    cr_assert_eq(tiny.segments, 32);
    cr_assert_eq(tiny.segment_size, 256 * 1024);
    cr_assert_eq(tiny.waiting_max, 32 * MIB);

    struct shape small = shape(256 * MIB, 2);
    cr_assert_eq(small.shards, 2);
    cr_assert_eq(small.threads, 1);
    cr_assert_eq(small.segment_size, MIB);
    cr_assert_eq(small.segments, 128);
    cr_assert_eq(shape(1024 * MIB, 2).waiting_max, 64 * MIB);

    struct shape large = shape(65536 * MIB, 16);
    cr_assert_eq(large.shards, 16);
    cr_assert_eq(large.threads, 4);
    cr_assert_eq(large.segment_size, 8 * MIB);
    cr_assert_eq(large.segments, 512);
}

Test(storage_shape, no_shard_under_64_mib)
{
    cr_assert_eq(shape(127 * MIB, 8).shards, 1);
    cr_assert_eq(shape(128 * MIB, 8).shards, 2);
    cr_assert_eq(shape(1024 * MIB, 64).shards, 16);
    cr_assert_eq(shape(1024 * MIB, 1).shards, 1);
}

Test(storage_shape, every_size_has_thirty_two_segments)
{
    for (uint64_t size = STORE_SIZE_MIN; size < 20000 * MIB; size = size * 9 / 8 + 12345)
        shape(size, 4);
}

Test(storage_shape, too_small_and_too_large_are_said)
{
    struct shape made;
    struct fault fault;

    cr_assert_eq(shape_of(STORE_SIZE_MIN - 1, 1, &made, &fault), ERR_RANGE);
    cr_assert_not_null(strstr(fault.text, "8M"));
    cr_assert_eq(shape_of(0, 1, &made, &fault), ERR_RANGE);
    cr_assert_eq(shape_of(UINT64_MAX, 1, &made, &fault), ERR_RANGE);
    cr_assert_not_null(strstr(fault.text, "too large"));
}
