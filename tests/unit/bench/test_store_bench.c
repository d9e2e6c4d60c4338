/* `larder-bench store`: what its modes share, the replay against the simulation, and each mode once. */
#include "command.h"
#include "feed.h"
#include "store_bench.h"
#include "zipf.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ── what the modes share ── */

Test(bench_store, the_kernel_tells_memory_in_kilobytes)
{
    struct span text =
        SPAN("Name:\tx\nRssAnonymous:\t1 kB\nRssAnon:\t    4711 kB\nRssFile:\t 12 kB\nBad:\t12\n");
    uint64_t bytes = 0;

    cr_assert(store_bench_parse_status(text, SPAN("RssAnon"), &bytes));
    cr_assert_eq(bytes, 4711 * 1024);
    cr_assert_not(store_bench_parse_status(text, SPAN("RssShmem"), &bytes));
    cr_assert_not(store_bench_parse_status(text, SPAN("Bad"), &bytes));
}

Test(bench_store, the_median_is_the_middle)
{
    double odd[] = { 3, 1, 2 }, even[] = { 4, 1, 3, 2 };
    cr_assert_eq(store_bench_median(odd, 3), 2);
    cr_assert_eq(store_bench_median(even, 4), 3);
}

static bool
has(struct store *store, uint64_t number, unsigned part, uint64_t size)
{
    struct feed_key key;
    struct lease    lease;

    feed_key_make(&key, store, number, part);
    bool found = store_find(store, 0, &key.key, clock_wall(), &lease) && lease.record.body.len == size;
    lease_release(&lease);
    return found;
}

Test(bench_store, what_is_fed_is_stored)
{
    struct store *store;
    struct fault  fault;

    cr_assert_eq(store_bench_open(&store, 1000, 1000, 1, &fault), ERR_NONE, "%s", fault.text);
    struct feed *feed = feed_create(store, 4, 8 << 20);
    cr_assert_not_null(feed);
    for (uint64_t i = 0; i < 100; i++)
        feed_append(feed, i, 0, 1000 + i);
    feed_append(feed, 7, 1, 12);
    feed_append(feed, 8, 1, 8 << 20); /* no segment is that long */
    feed_drain(feed);
    for (uint64_t i = 0; i < 100; i++)
        cr_assert(has(store, i, 0, 1000 + i));
    cr_assert(has(store, 7, 1, 12));
    cr_assert_not(has(store, 8, 1, 8 << 20));
    cr_assert_eq(feed_refused(feed), 1);
    cr_assert_eq(store_bench_sum(store, appends), 101);
    cr_assert_not(store_bench_is_full(store));
    feed_destroy(&feed);
    cr_assert_null(feed);
    store_close(&store);
}

/* ── replay ── */

/* Zipf over `popular` objects of 2 to 128 KiB; the last one is larger than a record, and asked for twice. */
static struct trace
make_trace(uint32_t requests, uint32_t popular)
{
    struct trace trace = { .request_count = requests, .object_count = popular + 1 };
    struct zipf  zipf;
    uint64_t     state = 1;

    trace.requests = malloc(requests * sizeof trace.requests[0]);
    trace.sizes = malloc((popular + 1) * sizeof trace.sizes[0]);
    cr_assert(zipf_init(&zipf, popular, ZIPF_WEB));
    for (uint32_t i = 0; i < popular; i++)
        trace.sizes[i] = UINT64_C(2048) << zipf_random(&state) % 7;
    trace.sizes[popular] = 1300000;
    for (uint32_t i = 0; i < requests; i++)
        trace.requests[i] = i < 2 ? popular : zipf_draw(&zipf, &state);
    zipf_fini(&zipf);
    return trace;
}

static double
simulate(const struct trace *trace, const struct store_replay *replay)
{
    struct sim_plan plan = { .eviction = &eviction_sc,
                             .alpha = EVICTION_ALPHA,
                             .bytes = replay->store_bytes,
                             .segments = replay->segments,
                             .sizes = trace->sizes,
                             .objects = trace->object_count };
    struct sim     *sim = sim_create(&plan);
    for (size_t i = 0; i < trace->request_count; i++)
        cr_assert_eq(sim_request(sim, trace->requests[i]), ERR_NONE);
    double misses = (double)sim_counts_of(sim)->misses / (double)trace->request_count;
    sim_destroy(&sim);
    return misses;
}

Test(bench_store, a_replay_misses_what_its_simulation_misses)
{
    struct trace        trace = make_trace(20000, 4000);
    struct store_replay replay;
    struct fault        fault;

    cr_assert_eq(store_bench_replay_one(&trace, &eviction_sc, 64 << 20, &replay, &fault), ERR_NONE);
    cr_assert_eq(replay.requests, 20000);
    cr_assert_leq(replay.store_bytes, 64 << 20);
    cr_assert_eq(replay.refused, 0);
    double stored = (double)replay.misses / (double)replay.requests, simulated = simulate(&trace, &replay);
    cr_assert_lt(fabs(stored - simulated), 0.02, "stored %.4f, simulated %.4f", stored, simulated);
    cr_assert_geq(replay.amplification, 1);
    free(trace.requests);
    free(trace.sizes);
}

/* In parts: missed once, then found. What is larger than a fifth is not stored. */
Test(bench_store, large_objects_are_stored_in_parts)
{
    struct trace        trace = make_trace(2, 1);
    struct store_replay replay;
    struct fault        fault;

    cr_assert_eq(store_bench_replay_one(&trace, &eviction_sc, 8 << 20, &replay, &fault), ERR_NONE);
    cr_assert_eq(replay.misses, 1);
    cr_assert_eq(replay.miss_bytes, 1300000);
    cr_assert_eq(replay.bytes, 2600000);
    trace.sizes[1] = 2 << 20;
    cr_assert_eq(store_bench_replay_one(&trace, &eviction_sc, 8 << 20, &replay, &fault), ERR_NONE);
    cr_assert_eq(replay.misses, 2);
    cr_assert_eq(replay.refused, 2);
    free(trace.requests);
    free(trace.sizes);
}

/* ── the command ── */

/* Small enough for a test; 8 MiB are the least that a store can have. */
static const struct store_bench small = {
    .records = 4000, .size = 512, .lookups = 4000, .rounds = 2, .rate = 50000
};

static int
run_mode(const char *mode, const struct store_bench *bench, struct fault *fault)
{
    struct texts operands = { .at = { span_of_text(mode) }, .count = 1 };
    *fault = (struct fault){ .code = ERR_NONE };
    return command_store.run(bench, &operands, fault);
}

static void
run_and_read(const char *mode, const struct store_bench *bench, char *text, size_t size)
{
    struct fault fault;
    fflush(stdout);
    cr_redirect_stdout();
    cr_assert_eq(run_mode(mode, bench, &fault), EXIT_SUCCESS, "%s: %s", mode, fault.text);
    fflush(stdout);
    size_t got = fread(text, 1, size - 1, cr_get_redirected_stdout());
    text[got] = '\0';
}

Test(bench_store, memory_tells_what_a_record_takes)
{
    char     text[4096];
    unsigned objects, thousands;
    double   index, all;

    run_and_read("memory", &small, text, sizeof text);
    const char *line = strstr(text, "and as many evicted");
    cr_assert_not_null(line, "%s", text);
    cr_assert_eq(sscanf(line, "and as many evicted %u,%u %*s %lf %lf", &thousands, &objects, &index, &all), 4,
                 "%s", text);
    cr_assert_gt(thousands, 5);
    cr_assert(index >= 16.4 && index < 64, "%s", text); /* 12 bytes of 64 / 5, 7/9 full */
    cr_assert_geq(all, 0);
}

Test(bench_store, find_tells_what_was_found)
{
    char text[4096];

    run_and_read("find", &small, text, sizeof text);
    for (const char *const *row =
             (const char *const[]){ "the same 1,000 records", "zipf 0.9 over all", NULL };
         *row != NULL; row++) {
        const char *line = strstr(text, *row);
        cr_assert_not_null(line, "%s", text);
        cr_assert_eq(strncmp(strchr(line, '\n') - 9, "  100.0 %", 9), 0, "%s", text);
    }
    cr_assert_not_null(strstr(text, "  0.0 %"), "%s", text);
}

Test(bench_store, append_fills_and_evicts)
{
    char text[4096];

    run_and_read("append", &small, text, sizeof text);
    cr_assert_not_null(strstr(text, "\nfilling "), "%s", text);
    cr_assert_not_null(strstr(text, "\nevicting "), "%s", text);
    cr_assert_not_null(strstr(text, "refused: 0\n"), "%s", text);
}

Test(bench_store, tail_reads_what_stays)
{
    char text[4096];

    run_and_read("tail", &small, text, sizeof text);
    cr_assert_not_null(strstr(text, "\np99.9 "), "%s", text);
    cr_assert_not_null(strstr(text, "evicted meanwhile: 0 and "), "%s", text);
    cr_assert_not_null(strstr(text, "missed: 0\n"), "%s", text);
}

Test(bench_store, mistakes_are_told)
{
    struct store_bench bench = small;
    struct fault       fault;

    cr_assert_eq(run_mode("rest", &bench, &fault), EXIT_FAILURE);
    cr_assert_str_eq(fault.text, "no mode \"rest\"; there are memory, find, append, replay and tail");
    cr_assert_eq(run_mode("replay", &bench, &fault), EXIT_FAILURE);
    cr_assert_str_eq(fault.text, "replay wants a --trace");
    bench.trace = SPAN("/nowhere/at/all");
    cr_assert_eq(run_mode("replay", &bench, &fault), EXIT_FAILURE);
    cr_assert_not_null(strstr(fault.text, "/nowhere/at/all"));
    bench.cache = SPAN("12");
    cr_assert_eq(run_mode("replay", &bench, &fault), EXIT_FAILURE);
    bench.cache = SPAN("8M");
    bench.policy = SPAN("lfu");
    cr_assert_eq(run_mode("replay", &bench, &fault), EXIT_FAILURE);
    cr_assert_not_null(strstr(fault.text, "lfu"));
}
