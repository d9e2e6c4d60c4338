/* The simulated cache: accounts by hand, and generated traces against exact LRU and FIFO, and against the
 * store itself. */
#include "sim.h"
#include "simulate.h"

#include <criterion/criterion.h>
#include <larder/storage/store.h>
#include <math.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

/* ── traces ── */

static uint64_t
next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

struct made {
    uint32_t *requests;
    uint64_t *sizes;
    uint32_t  request_count, object_count;
};

/* Zipf (exponent 0.9) over `popular` objects; each `scan`-th request, if not 0, is for an object that is
 * asked for once only. Sizes are equal (unit > 0), or spread evenly over 8 doublings from 64 bytes on. */
static struct made
make_trace(uint32_t requests, uint32_t popular, unsigned scan, uint64_t unit)
{
    struct made made = { .request_count = requests, .object_count = popular };
    double     *sums = malloc(popular * sizeof *sums), sum = 0;
    uint64_t    random = 1;

    made.requests = malloc(requests * sizeof *made.requests);
    made.sizes = malloc((popular + (size_t)requests) * sizeof *made.sizes);
    for (uint32_t i = 0; i < popular; i++)
        sums[i] = sum += 1 / pow(i + 1, 0.9);
    for (uint32_t i = 0; i < requests; i++) {
        double   wanted = (double)(next_random(&random) >> 11) / 9007199254740992.0 * sum;
        uint32_t low = 0, high = popular - 1;
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (sums[middle] < wanted)
                low = middle + 1;
            else
                high = middle;
        }
        made.requests[i] = scan > 0 && i % scan == 0 ? made.object_count++ : low;
    }
    for (uint32_t i = 0; i < made.object_count; i++)
        made.sizes[i] = unit > 0 ? unit : UINT64_C(64) << next_random(&random) % 8;
    free(sums);
    return made;
}

static void
free_trace(struct made *made)
{
    free(made->requests);
    free(made->sizes);
}

static struct sim *
create(const struct made *made, const struct eviction *eviction, uint64_t bytes, uint32_t segments)
{
    struct sim_plan plan = { .eviction = eviction,
                             .alpha = EVICTION_ALPHA,
                             .bytes = bytes,
                             .segments = segments,
                             .sizes = made->sizes,
                             .objects = made->object_count };
    struct sim     *sim = sim_create(&plan);
    cr_assert_not_null(sim);
    return sim;
}

static struct sim_counts
replay(const struct made *made, const struct eviction *eviction, uint64_t bytes, uint32_t segments)
{
    struct sim *sim = create(made, eviction, bytes, segments);
    for (uint32_t i = 0; i < made->request_count; i++)
        cr_assert_eq(sim_request(sim, made->requests[i]), ERR_NONE);
    struct sim_counts counts = *sim_counts_of(sim);
    cr_assert_eq(counts.requests, made->request_count);
    sim_destroy(&sim);
    cr_assert_null(sim);
    return counts;
}

static double
ratio(struct sim_counts counts)
{
    return (double)counts.misses / (double)counts.requests;
}

/* ── by hand ── */

/* 16 segments of 100 bytes, objects of 50: two to a segment, 32 in all. */
Test(bench_sim, the_oldest_segment_goes)
{
    uint64_t    sizes[40];
    uint32_t    requests[40];
    struct made made = { requests, sizes, 40, 40 };
    unsigned    log;

    for (uint32_t i = 0; i < 40; i++) {
        sizes[i] = 50;
        requests[i] = i;
    }
    struct sim *sim = create(&made, &eviction_fifo, 1600, 16);
    for (uint32_t i = 0; i < 32; i++)
        cr_assert_eq(sim_request(sim, i), ERR_NONE);
    cr_assert(sim_has(sim, 0, &log) && sim_has(sim, 31, &log));
    cr_assert_eq(sim_request(sim, 32), ERR_NONE);
    cr_assert_not(sim_has(sim, 0, &log) || sim_has(sim, 1, &log)); /* one segment, both of them */
    cr_assert(sim_has(sim, 2, &log) && sim_has(sim, 32, &log));
    cr_assert_eq(sim_request(sim, 2), ERR_NONE);
    cr_assert_eq(sim_counts_of(sim)->misses, 33);
    cr_assert_eq(sim_counts_of(sim)->bytes, 34 * 50);
    cr_assert_eq(sim_counts_of(sim)->miss_bytes, 33 * 50);
    cr_assert_eq(sim_counts_of(sim)->written_bytes, 33 * 50);
    sim_destroy(&sim);
}

/* More than half a segment: a segment of its own, so 26 of 61 bytes find room in 1600, and not 16 of 100. */
Test(bench_sim, large_objects_have_segments_of_their_own)
{
    uint64_t    sizes[40];
    struct made made = { NULL, sizes, 0, 40 };
    unsigned    log, cached = 0;

    for (uint32_t i = 0; i < 40; i++)
        sizes[i] = i == 39 ? 321 : i == 38 ? 320 : 61;
    struct sim *sim = create(&made, &eviction_fifo, 1600, 16);
    for (uint32_t i = 0; i < 38; i++)
        cr_assert_eq(sim_request(sim, i), ERR_NONE);
    for (uint32_t i = 0; i < 38; i++)
        cached += sim_has(sim, i, &log);
    cr_assert_eq(cached, 26);
    cr_assert_eq(sim_request(sim, 38), ERR_NONE);
    cr_assert(sim_has(sim, 38, &log)); /* a fifth of the cache */
    cr_assert_eq(sim_request(sim, 39), ERR_NONE);
    cr_assert_not(sim_has(sim, 39, &log)); /* more than that */
    cr_assert_eq(sim_counts_of(sim)->refused, 1);
    sim_destroy(&sim);
}

/* SC: found in probation, it goes to main when its segment is cleaned; what was dropped lately and comes back
 * is there at once; and probation does not outgrow its fifth. */
Test(bench_sim, sc_promotes_by_hits_and_by_ghosts)
{
    enum { OBJECTS = 8000, SIZE = 100, CACHE = 1000 };
    uint64_t    sizes[OBJECTS];
    struct made made = { NULL, sizes, 0, OBJECTS };
    unsigned    log, back = 0, probation = 0;

    for (uint32_t i = 0; i < OBJECTS; i++)
        sizes[i] = SIZE;
    struct sim *sim = create(&made, &eviction_sc, CACHE * SIZE, 100);
    for (uint32_t i = 0; i < 100; i++)
        cr_assert_eq(sim_request(sim, i), ERR_NONE);
    cr_assert_eq(sim_request(sim, 7), ERR_NONE);
    cr_assert(sim_has(sim, 7, &log) && log == 0);
    for (uint32_t i = 100; i < 4000; i++)
        cr_assert_eq(sim_request(sim, i), ERR_NONE);
    cr_assert(sim_has(sim, 7, &log) && log > 0);
    cr_assert_not(sim_has(sim, 8, &log));
    cr_assert_eq(sim_request(sim, 8), ERR_NONE); /* gone for more than 0.9 of the cache */
    cr_assert(sim_has(sim, 8, &log) && log == 0);
    for (uint32_t i = 2500; i < 2600; i++) {
        cr_assert_not(sim_has(sim, i, &log));
        cr_assert_eq(sim_request(sim, i), ERR_NONE);
        back += sim_has(sim, i, &log) && log > 0;
    }
    cr_assert_gt(back, 80);
    /* Fill main by bringing back what was dropped: probation then is held to a fifth. */
    for (uint32_t i = 4000; i < OBJECTS; i++) {
        cr_assert_eq(sim_request(sim, i), ERR_NONE);
        cr_assert_eq(sim_request(sim, i - 600), ERR_NONE);
    }
    for (uint32_t i = 0; i < OBJECTS; i++)
        probation += sim_has(sim, i, &log) && log == 0;
    cr_assert_leq(probation, CACHE / 5 + 2 * CACHE / 100);
    cr_assert_gt(probation, CACHE / 10);
    sim_destroy(&sim);
}

/* ── against exact policies ── */

/* Exact LRU (or FIFO) of so many objects of one size: a ring of uses with lazy deletion. */
static double
exact(const struct made *made, uint32_t capacity, bool move_on_hit)
{
    uint32_t *ring = malloc(made->request_count * sizeof *ring);
    uint32_t *last = calloc(made->object_count, sizeof *last); /* position in the ring + 1; 0: not cached */
    uint32_t  head = 0, tail = 0, cached = 0, misses = 0;

    for (uint32_t i = 0; i < made->request_count; i++) {
        uint32_t number = made->requests[i];
        bool     hit = last[number] != 0;
        misses += !hit;
        if (hit && !move_on_hit)
            continue;
        cached += !hit;
        ring[head++] = number;
        last[number] = head;
        for (; cached > capacity; tail++)
            if (last[ring[tail]] == tail + 1) {
                last[ring[tail]] = 0;
                cached--;
            }
    }
    free(ring);
    free(last);
    return (double)misses / made->request_count;
}

Test(bench_sim, fifo_and_lru_are_what_they_say)
{
    enum { CAPACITY = 2048 };
    struct made made = make_trace(300000, 20000, 0, 100);
    double      fifo = ratio(replay(&made, &eviction_fifo, CAPACITY * 100, 128));
    double      lru = ratio(replay(&made, &eviction_lru, CAPACITY * 100, 128));
    double      exact_fifo = exact(&made, CAPACITY, false), exact_lru = exact(&made, CAPACITY, true);

    printf("fifo %.4f, exact %.4f; lru %.4f, exact %.4f\n", fifo, exact_fifo, lru, exact_lru);
    cr_assert_lt(fabs(fifo - exact_fifo), 0.01);
    cr_assert_lt(lru, exact_lru * 1.02);
    cr_assert_lt(lru, exact_fifo * 0.98);
    free_trace(&made);
}

/* Every second request is for an object that is asked for once. Sizes differ. */
Test(bench_sim, scans_and_sizes_are_what_sc_is_for)
{
    struct made       made = make_trace(400000, 20000, 2, 0);
    uint64_t          bytes = 4 << 20;
    struct sim_counts sc = replay(&made, &eviction_sc, bytes, 256);
    struct sim_counts s3fifo = replay(&made, &eviction_s3fifo, bytes, 256);
    struct sim_counts lru = replay(&made, &eviction_lru, bytes, 256);

    printf("of the popular half missed: sc %.3f, s3fifo %.3f, lru %.3f; sc writes %.2f times\n",
           2 * ratio(sc) - 1, 2 * ratio(s3fifo) - 1, 2 * ratio(lru) - 1,
           1 + (double)sc.copied_bytes / (double)sc.written_bytes);
    cr_assert_lt(2 * ratio(sc) - 1, 0.75 * (2 * ratio(lru) - 1));
    cr_assert_lt(2 * ratio(s3fifo) - 1, 0.9 * (2 * ratio(lru) - 1));
    cr_assert_lt(sc.misses, s3fifo.misses);
    cr_assert_lt((double)sc.copied_bytes, 0.4 * (double)sc.written_bytes);
    free_trace(&made);
}

/* ── against the store ── */

struct append {
    struct store_job    job;
    struct record_parts parts;
    enum err            err;
    sem_t               done;
};

static void
run_append(struct store_job *job, struct store_writer *writer)
{
    struct append *append = (struct append *)(void *)job;
    append->err = writer_append(writer, &append->parts);
    sem_post(&append->done);
}

static void
store_object(struct store *store, struct store_key key, uint64_t size, wall_time now)
{
    static char   bytes[1 << 16];
    struct iovec  body = { bytes, size - 64 - key.text.len };
    struct append append = { .job = { .cost = 1, .run = run_append },
                             .parts = { .key = key,
                                        .body = &body,
                                        .body_count = 1,
                                        .created = now,
                                        .expires = wall_add(now, 86400 * NSEC_PER_SEC) } };

    sem_init(&append.done, 0, 0);
    cr_assert_eq(store_submit(store, key.digest, &append.job), ERR_NONE);
    while (sem_wait(&append.done) != 0) {}
    cr_assert_eq(append.err, ERR_NONE);
    sem_destroy(&append.done);
}

/* The trace through a store in memory: 64 segments of 1 MiB, each record as large as the object is. */
static double
replay_store(const struct made *made, const struct eviction *eviction)
{
    struct store_config config = {
        .size = 64 << 20, .readers = 1, .eviction = eviction, .alpha = EVICTION_ALPHA
    };
    struct store *store;
    struct fault  fault;
    wall_time     now = clock_wall();
    uint32_t      misses = 0;

    cr_assert_eq(store_open(&store, &config, &fault), ERR_NONE, "%s", fault.text);
    for (uint32_t i = 0; i < made->request_count; i++) {
        uint32_t         number = made->requests[i];
        struct lease     lease;
        struct store_key key = { .text = span_of(&number, sizeof number) };
        key.digest = hash_digest(store_seed(store), key.text);
        if (store_find(store, 0, &key, now, &lease)) {
            lease_release(&lease);
            continue;
        }
        misses++;
        store_object(store, key, made->sizes[number], now);
    }
    store_close(&store);
    return (double)misses / made->request_count;
}

/* The simulation has no reserve of free segments, no headers and no index, and stays near the store. */
Test(bench_sim, the_store_does_what_the_simulation_says)
{
    static const struct eviction *const policies[] = { &eviction_sc, &eviction_s3fifo, &eviction_lru };
    struct made                         made = make_trace(60000, 8000, 4, 0);

    for (uint32_t i = 0; i < made.object_count; i++)
        made.sizes[i] *= made.sizes[i] > 512 ? 7 : 4; /* 256 bytes to 56 KiB */
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        double simulated = ratio(replay(&made, policies[i], 64 << 20, 64));
        double stored = replay_store(&made, policies[i]);
        printf("%s: simulated %.4f, stored %.4f\n", policies[i]->name, simulated, stored);
        cr_assert_lt(fabs(simulated - stored), 0.015);
    }
    free_trace(&made);
}

/* ── the command's lists ── */

Test(bench_sim, lists_of_sizes_and_policies)
{
    struct simulate_plan plan = { .cache_count = 0 };
    struct fault         fault;

    cr_assert_eq(simulate_parse_caches(&plan, SPAN("0.1%, 10%,256M"), &fault), ERR_NONE);
    cr_assert_eq(plan.cache_count, 3);
    cr_assert_float_eq(plan.caches[0].percent, 0.1, 1e-12);
    cr_assert_eq(plan.caches[2].bytes, 256 << 20);
    for (const char *const *bad =
             (const char *const[]){ "", "1%,", "0%", "101%", "x%", "%", "12", "-1%", NULL };
         *bad != NULL; bad++) {
        plan.cache_count = 0;
        cr_assert_neq(simulate_parse_caches(&plan, span_of_text(*bad), &fault), ERR_NONE, "%s", *bad);
    }
    cr_assert_eq(simulate_parse_policies(&plan, SPAN("lru,sc"), &fault), ERR_NONE);
    cr_assert_eq(plan.policies[0], &eviction_lru);
    cr_assert_eq(plan.policies[1], &eviction_sc);
    cr_assert_eq(simulate_parse_policies(&plan, SPAN("sc"), &fault), ERR_EXISTS);
    cr_assert_eq(simulate_parse_policies(&plan, SPAN("lfu"), &fault), ERR_NOT_FOUND);
    cr_assert_str_eq(fault.text, "no policy \"lfu\"; there are sc|s3fifo|lru|fifo");
}
