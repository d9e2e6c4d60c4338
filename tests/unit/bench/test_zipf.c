/* Who is asked for. */
#include "zipf.h"

#include <criterion/criterion.h>
#include <math.h>

enum { OBJECTS = 100, DRAWS = 200000 };

static void
draw(double exponent, uint64_t counts[static OBJECTS])
{
    struct zipf zipf;
    uint64_t    state = 1;

    cr_assert(zipf_init(&zipf, OBJECTS, exponent));
    for (int i = 0; i < DRAWS; i++) {
        uint32_t drawn = zipf_draw(&zipf, &state);
        cr_assert_lt(drawn, OBJECTS);
        counts[drawn]++;
    }
    zipf_fini(&zipf);
}

/* The first is drawn 1 / (sum of k ^ -a) of the time, the second 2 ^ -a as often. */
static void
expect_preference(double exponent)
{
    uint64_t counts[OBJECTS] = { 0 };
    double   sum = 0;

    for (int k = 1; k <= OBJECTS; k++)
        sum += pow(k, -exponent);
    draw(exponent, counts);
    cr_assert_float_eq((double)counts[0] / DRAWS, 1 / sum, 0.005);
    cr_assert_float_eq((double)counts[1] / DRAWS, pow(2, -exponent) / sum, 0.005);
    cr_assert_gt(counts[OBJECTS - 1], 0);
}

Test(bench_zipf, the_first_is_preferred_as_the_exponent_says)
{
    expect_preference(0.6);
    expect_preference(ZIPF_WEB);
    expect_preference(1.2);
}

Test(bench_zipf, all_are_alike_without_an_exponent)
{
    uint64_t counts[OBJECTS] = { 0 };

    draw(0, counts);
    for (int i = 0; i < OBJECTS; i++)
        cr_assert_float_eq((double)counts[i] / DRAWS, 1.0 / OBJECTS, 0.002);
}

Test(bench_zipf, one_is_always_the_one)
{
    struct zipf zipf;
    uint64_t    state = 7;

    for (double exponent = 0; exponent < 2; exponent += 0.9) {
        cr_assert(zipf_init(&zipf, 1, exponent));
        cr_assert_eq(zipf_draw(&zipf, &state), 0);
        zipf_fini(&zipf);
    }
}
