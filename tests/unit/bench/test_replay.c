/* What a replay plans, and what it reads of its origin. */
#include "replay.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static uint32_t requests[] = { 0, 1, 0, 2, 1, 1 };
static uint32_t times[] = { 100, 100, 100, 100, 102, 103 };
static uint64_t sizes[] = { 10, 200, 3000 };

static struct trace
make(void)
{
    return (struct trace){
        .requests = requests, .request_count = 6, .times = times, .sizes = sizes, .object_count = 3
    };
}

Test(bench_replay, requests_of_a_second_are_spread_over_it)
{
    static const uint64_t wanted[] = { 0, 250, 500, 750, 2000, 3000 };
    struct trace          trace = make();
    uint64_t             *dues = replay_dues(&trace, 6, 1);
    for (int i = 0; i < 6; i++)
        cr_assert_eq(dues[i], wanted[i] * 1000000, "%d: %lu", i, (unsigned long)dues[i]);
    free(dues);
}

Test(bench_replay, speed_makes_it_shorter_and_a_part_keeps_its_pace)
{
    struct trace trace = make();
    uint64_t    *dues = replay_dues(&trace, 2, 10);
    cr_assert_eq(dues[0], 0);
    cr_assert_eq(dues[1], 25000000);
    free(dues);
    dues = replay_dues(&trace, 6, 0.5);
    cr_assert_eq(dues[5], UINT64_C(6000000000));
    free(dues);
}

/* A trace may say anything. */
Test(bench_replay, a_time_far_away_is_still_a_time)
{
    uint32_t     far[] = { 0, UINT32_MAX };
    struct trace trace = { .requests = requests, .request_count = 2, .times = far };
    uint64_t    *dues = replay_dues(&trace, 2, 0.000001);
    cr_assert_eq(dues[0], 0);
    cr_assert_eq(dues[1], UINT64_C(9000000000000000000));
    free(dues);
}

Test(bench_replay, a_cache_that_keeps_all_misses_each_once)
{
    struct trace        trace = make();
    struct replay_least least;
    cr_assert(replay_count_least(&trace, 6, &least));
    cr_assert_eq(least.misses, 3);
    cr_assert_eq(least.miss_bytes, 3210);
    cr_assert_eq(least.bytes, 10 + 200 + 10 + 3000 + 200 + 200);
    cr_assert(replay_count_least(&trace, 3, &least)); /* of the part that is played */
    cr_assert_eq(least.misses, 2);
    cr_assert_eq(least.miss_bytes, 210);
    cr_assert_eq(least.bytes, 220);
}

Test(bench_replay, an_origin_is_not_charged_for_being_asked)
{
    struct stub_counts before = { .requests = 5, .bytes_sent = 1000, .page = 200 };
    struct stub_counts now = { .requests = 8, .not_modified = 1, .bytes_sent = 1500, .page = 201 };
    struct stub_counts since = stub_counts_since(&now, &before);
    cr_assert_eq(since.requests, 3);
    cr_assert_eq(since.not_modified, 1);
    cr_assert_eq(since.bytes_sent, 300);
}

Test(bench_replay, the_counters_of_an_origin)
{
    struct stub_counts counts;
    cr_assert(stub_counts_read(SPAN("{\"total\":12,\"uploads\":0,\"not_modified\":3,\"bytes_sent\":4567}\n"),
                               &counts));
    cr_assert_eq(counts.requests, 12);
    cr_assert_eq(counts.not_modified, 3);
    cr_assert_eq(counts.bytes_sent, 4567);
    cr_assert_not(stub_counts_read(SPAN(""), &counts));
    cr_assert_not(stub_counts_read(SPAN("{\"total\":12}"), &counts));
    cr_assert_not(stub_counts_read(SPAN("{\"total\":\"12\",\"not_modified\":3,\"bytes_sent\":4}"), &counts));
    cr_assert_not(stub_counts_read(SPAN("{\"bytes_sent\":4,\"not_modified\":3,\"total\":"), &counts));
}
