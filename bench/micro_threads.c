/* micro_threads.c: a part by several threads at once, on one cache: does one slow the other down? See micro.h.
 *
 *      main ─▶ thread 0: pinned, reader 0, its own memory, warm ─┬─ barrier ─▶ operations ─▶ its first and last moment
 *           ─▶ thread 1: pinned, reader 1, ...                  ─┘
 *
 * The rate is that of the time from the first one's begin to the last one's end, by the clock: who waits for a lock
 * takes no processor time.
 */
#include "micro.h"
#include "store_bench.h"

#include <larder/base/check.h>
#include <pthread.h>
#include <sched.h>

enum { WARM_UP = MICRO_OBJECTS };

struct racer {
    struct micro_hand        hand;
    const struct micro_part *part;
    pthread_t                thread;
    pthread_barrier_t       *start;
    uint64_t                 operations;
    mono_time                begun, ended;
};

/* To the core of that number, of those that we may use. Where there are not so many the kernel places it. */
static void
pin(unsigned number)
{
    cpu_set_t allowed, own;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && number-- == 0) {
            CPU_ZERO(&own);
            CPU_SET(cpu, &own);
            (void)pthread_setaffinity_np(pthread_self(), sizeof own, &own);
            return;
        }
}

static void *
run_racer(void *given)
{
    struct racer *racer = given;
    struct meter  meter;

    pin(racer->hand.reader);
    racer->part->run(&racer->hand, WARM_UP, &meter);
    pthread_barrier_wait(racer->start);
    racer->begun = clock_mono();
    racer->part->run(&racer->hand, racer->operations, &meter);
    racer->ended = clock_mono();
    return NULL;
}

static double
rate_of(const struct racer *racers, unsigned count)
{
    mono_time begun = racers[0].begun, ended = racers[0].ended;

    for (unsigned i = 1; i < count; i++) {
        if (racers[i].begun.ns < begun.ns)
            begun = racers[i].begun;
        if (racers[i].ended.ns > ended.ns)
            ended = racers[i].ended;
    }
    nsec took = mono_since(ended, begun);
    return (double)(racers[0].operations * count) * NSEC_PER_SEC / (double)(took > 0 ? took : 1);
}

/* One round: operations per second of all together. */
static double
race(struct micro_world *world, const struct micro_part *part, unsigned threads, uint64_t operations)
{
    struct racer      racers[MICRO_THREADS_MAX];
    pthread_barrier_t start;
    int               failed = pthread_barrier_init(&start, NULL, threads);

    CHECK(failed == 0);
    for (unsigned i = 0; i < threads; i++) {
        racers[i].part = part;
        racers[i].start = &start;
        racers[i].operations = operations;
        micro_hand_init(&racers[i].hand, world, i);
        failed = pthread_create(&racers[i].thread, NULL, run_racer, &racers[i]);
        CHECK(failed == 0);
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(racers[i].thread, NULL);
        micro_hand_fini(&racers[i].hand);
    }
    pthread_barrier_destroy(&start);
    return rate_of(racers, threads);
}

/* ── rounds ── */

static void
run_rounds(struct micro_world *world, const struct micro_part *part, struct micro_report *report)
{
    const struct micro_plan *plan = report->plan;
    double rates[MICRO_COUNTS_MAX][MICRO_ROUNDS_MAX], ratios[MICRO_COUNTS_MAX][MICRO_ROUNDS_MAX];

    for (unsigned round = 0; round < plan->rounds; round++)
        for (unsigned i = 0; i < plan->thread_count; i++) {
            rates[i][round] = race(world, part, plan->threads[i], plan->operations);
            ratios[i][round] = rates[i][round] / rates[0][round];
        }
    for (unsigned i = 0; i < plan->thread_count; i++)
        report->races[report->race_count++] =
            (struct micro_race){ .part = part,
                                 .threads = plan->threads[i],
                                 .rate = store_bench_median(rates[i], plan->rounds),
                                 .ratio = store_bench_median(ratios[i], plan->rounds) };
}

enum err
micro_race(const struct micro_part *part, struct micro_report *report, struct fault *fault)
{
    const struct micro_plan *plan = report->plan;
    struct micro_world      *world;
    unsigned readers = 2; /* also for one thread alone: as many shards for each number of them */

    for (unsigned i = 0; i < plan->thread_count; i++)
        readers = plan->threads[i] > readers ? plan->threads[i] : readers;
    enum err err = micro_world_create(&world, readers, part->filled, plan->answers, fault);
    if (err != ERR_NONE)
        return err;
    run_rounds(world, part, report);
    micro_world_destroy(&world);
    return ERR_NONE;
}
