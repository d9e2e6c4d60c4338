/* What a load counted, and what it means. */
#include "tally.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct tally *
make(void)
{
    struct tally *tally = malloc(sizeof *tally);
    cr_assert_not_null(tally);
    tally_init(tally);
    return tally;
}

static void
answer(struct tally *tally, unsigned status, enum answer_cache cache, nsec service)
{
    struct answer answer = { .status = status, .cache = cache, .body = 100 };
    tally_answer(tally, &answer);
    histogram_add(&tally->service, (uint64_t)service);
}

Test(bench_tally, nothing_at_all_is_zero)
{
    struct tally  *tally = make();
    struct summary summary;
    tally->end = (mono_time){ 5 };
    summary_compute(&summary, tally, 64);
    cr_assert_eq(summary.requests, 0);
    cr_assert_eq(summary.good, 0);
    cr_assert_eq(summary.seconds, 0);
    cr_assert_eq(summary.requests_per_second, 0);
    cr_assert_eq(summary.response.most, 0);
    cr_assert_eq(summary.hit_source, HITS_UNTOLD);
    free(tally);
}

Test(bench_tally, rates_come_from_begin_and_end)
{
    struct tally  *tally = make();
    struct summary summary;
    for (int i = 0; i < 50; i++)
        answer(tally, 200, ANSWER_UNTOLD, NSEC_PER_MSEC);
    tally->bytes = 6000;
    tally->cpu = 50 * 3000;
    tally->begin = (mono_time){ 10 * NSEC_PER_SEC };
    tally->end = (mono_time){ 12 * NSEC_PER_SEC };
    summary_compute(&summary, tally, 1);
    cr_assert_float_eq(summary.seconds, 2, 1e-9);
    cr_assert_float_eq(summary.requests_per_second, 25, 1e-9);
    cr_assert_float_eq(summary.bytes_per_second, 3000, 1e-9);
    cr_assert_float_eq(summary.cpu_per_request, 3000, 1e-9);
    cr_assert_eq(tally->body_bytes, 5000);
    free(tally);
}

Test(bench_tally, errors_and_bad_statuses_are_told_apart)
{
    struct tally  *tally = make();
    struct summary summary;
    answer(tally, 200, ANSWER_UNTOLD, 1);
    answer(tally, 399, ANSWER_UNTOLD, 1);
    answer(tally, 400, ANSWER_UNTOLD, 1);
    answer(tally, 503, ANSWER_UNTOLD, 1);
    tally->errors[LOAD_RESET] = 2;
    tally->errors[LOAD_CONNECT] = 3;
    summary_compute(&summary, tally, 1);
    cr_assert_eq(summary.good, 2);
    cr_assert_eq(summary.bad, 2);
    cr_assert_eq(summary.errors, 5);
    cr_assert_eq(summary.requests, 9);
    free(tally);
}

Test(bench_tally, bytes_of_hits_are_those_of_their_bodies)
{
    struct tally  *tally = make(), *other = make();
    struct summary summary;
    struct answer  hit = { .status = 200, .cache = ANSWER_STATUS_HIT, .body = 300 };
    struct answer  miss = { .status = 200, .cache = ANSWER_STATUS_MISS, .body = 100 };
    struct answer  silent = { .status = 200, .cache = ANSWER_UNTOLD, .body = 5000 };
    tally_answer(tally, &hit);
    tally_answer(other, &miss);
    tally_answer(other, &silent);
    tally_merge(tally, other);
    summary_compute(&summary, tally, 1);
    cr_assert_eq(summary.hit_bytes, 300);
    cr_assert_eq(summary.miss_bytes, 100);
    cr_assert_float_eq(summary.byte_hit_ratio, 0.75, 1e-9);
    cr_assert_float_eq(summary.hit_ratio, 0.5, 1e-9);
    free(tally);
    free(other);
}

Test(bench_tally, hits_are_of_those_that_told)
{
    struct tally  *tally = make();
    struct summary summary;
    answer(tally, 200, ANSWER_STATUS_HIT, 1);
    answer(tally, 200, ANSWER_STATUS_HIT, 1);
    answer(tally, 200, ANSWER_STATUS_HIT, 1);
    answer(tally, 200, ANSWER_STATUS_MISS, 1);
    answer(tally, 200, ANSWER_UNTOLD, 1);
    summary_compute(&summary, tally, 1);
    cr_assert_float_eq(summary.hit_ratio, 0.75, 1e-9);
    cr_assert_eq(summary.hit_source, HITS_CACHE_STATUS);
    free(tally);
}

Test(bench_tally, age_serves_where_nothing_better_is_told)
{
    struct tally  *tally = make();
    struct summary summary;
    answer(tally, 200, ANSWER_AGE_HIT, 1);
    answer(tally, 200, ANSWER_AGE_MISS, 1);
    summary_compute(&summary, tally, 1);
    cr_assert_float_eq(summary.hit_ratio, 0.5, 1e-9);
    cr_assert_eq(summary.hit_source, HITS_AGE);
    free(tally);
}

/* One client, 1 ms an answer, and one stall of a second in two: 1,000 requests were never sent. */
Test(bench_tally, a_closed_loop_is_corrected_for_what_it_did_not_send)
{
    struct tally  *tally = make();
    struct summary summary;
    for (int i = 0; i < 999; i++)
        answer(tally, 200, ANSWER_UNTOLD, NSEC_PER_MSEC);
    answer(tally, 200, ANSWER_UNTOLD, NSEC_PER_SEC);
    tally->begin = (mono_time){ 0 };
    tally->end = (mono_time){ 2 * NSEC_PER_SEC };
    summary_compute(&summary, tally, 1);
    cr_assert_lt(summary.service.p99, 2 * NSEC_PER_MSEC);
    cr_assert_gt(summary.response.p99, 900 * NSEC_PER_MSEC);
    cr_assert_gt(summary.response.p90, 600 * NSEC_PER_MSEC);
    cr_assert_lt(summary.response.p50, 2 * NSEC_PER_MSEC);
    cr_assert_eq(summary.response.most, summary.service.most);
    free(tally);
}

/* With as many users as answers in the time, a latency as long as the interval is nothing special. */
Test(bench_tally, an_even_closed_loop_is_left_alone)
{
    struct tally  *tally = make();
    struct summary summary;
    for (int i = 0; i < 1000; i++)
        answer(tally, 200, ANSWER_UNTOLD, 8 * NSEC_PER_MSEC);
    tally->begin = (mono_time){ 0 };
    tally->end = (mono_time){ NSEC_PER_SEC };
    summary_compute(&summary, tally, 8);
    cr_assert_eq(summary.response.p50, summary.service.p50);
    cr_assert_eq(summary.response.p999, summary.service.p999);
    free(tally);
}

Test(bench_tally, an_open_loop_reports_what_was_measured_from_the_due_time)
{
    struct tally  *tally = make();
    struct summary summary;
    answer(tally, 200, ANSWER_UNTOLD, NSEC_PER_MSEC);
    histogram_add(&tally->response, 500 * (uint64_t)NSEC_PER_MSEC);
    tally->begin = (mono_time){ 0 };
    tally->end = (mono_time){ NSEC_PER_SEC };
    summary_compute(&summary, tally, 0);
    cr_assert_eq(summary.service.most, NSEC_PER_MSEC);
    cr_assert_eq(summary.response.most, 500 * NSEC_PER_MSEC);
    free(tally);
}

Test(bench_tally, tallies_add_up)
{
    struct tally *one = make(), *two = make();
    answer(one, 200, ANSWER_STATUS_HIT, 10);
    answer(two, 404, ANSWER_STATUS_MISS, 30);
    one->errors[LOAD_TIMEOUT] = 1;
    two->errors[LOAD_TIMEOUT] = 2;
    one->unfinished = two->unfinished = 4;
    one->begin = (mono_time){ 5 };
    two->begin = (mono_time){ 3 };
    one->end = (mono_time){ 10 };
    two->end = (mono_time){ 9 };
    one->connections = two->connections = 8;
    tally_merge(one, two);
    cr_assert_eq(one->answers, 2);
    cr_assert_eq(one->statuses[404], 1);
    cr_assert_eq(one->caches[ANSWER_STATUS_MISS], 1);
    cr_assert_eq(one->errors[LOAD_TIMEOUT], 3);
    cr_assert_eq(one->unfinished, 8);
    cr_assert_eq(one->connections, 16);
    cr_assert_eq(one->body_bytes, 200);
    cr_assert_eq(one->begin.ns, 3);
    cr_assert_eq(one->end.ns, 10);
    cr_assert_eq(one->service.total, 2);
    cr_assert_eq(one->service.most, 30);
    free(one);
    free(two);
}
