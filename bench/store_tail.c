/* store_tail.c: `larder-bench store tail`: how long hits take, while segments are cleaned and while not.
 *
 *      reader: find ─ copy the body out ─ release      each by the clock, one after the other
 *      writer: so many records each second             every other phase; the store is full, so each evicts
 *
 * The phases take turns, a round is one of each, so what else the machine does meets both. The bodies that are read
 * are few and stay resident; what is measured is what the writing does to a reader: the shard's lock, and the memory
 * and the processor that both want.
 */
#include "feed.h"
#include "store_bench.h"
#include "zipf.h"

#include <errno.h>
#include <larder/base/check.h>
#include <larder/base/histogram.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { SLOTS = 64, HOT = 1000, WAKE_UPS = 1000 };

enum phase { PHASE_QUIET, PHASE_CLEANING, PHASES };

static const double percentiles[] = { 50, 90, 99, 99.9, 99.99 };

enum { PERCENTILES = sizeof percentiles / sizeof percentiles[0] };

struct tail_run {
    struct store    *store;
    struct feed     *feed; /* the writer's while it runs */
    struct feed_key *keys;
    char            *body;
    uint64_t         size, next, rate, random, missed;
    atomic_bool      stop;
    wall_time        now;
    double           times[PHASES][PERCENTILES][STORE_BENCH_ROUNDS_MAX]; /* ns */
    uint64_t         evicted[PHASES];
};

/* ── the writer ── */

static void
sleep_until(mono_time when)
{
    struct timespec time = { when.ns / NSEC_PER_SEC, when.ns % NSEC_PER_SEC };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {}
}

/* A thousand times a second what is due by then; late records are made up for. */
static void *
write_records(void *argument)
{
    struct tail_run *run = argument;
    mono_time        begun = clock_mono();
    uint64_t         written = 0;

    for (uint64_t tick = 1; !atomic_load(&run->stop); tick++) {
        for (; written < tick * run->rate / WAKE_UPS; written++)
            feed_append(run->feed, run->next++, 0, run->size);
        sleep_until(mono_add(begun, (nsec)tick * (NSEC_PER_SEC / WAKE_UPS)));
    }
    feed_drain(run->feed);
    return NULL;
}

/* ── the reader ── */

static void
read_one(struct tail_run *run, struct histogram *histogram)
{
    const struct store_key *key = &run->keys[zipf_random(&run->random) % HOT].key;
    struct lease            lease;
    mono_time               begun = clock_mono();

    if (!store_find(run->store, 0, key, run->now, &lease)) {
        run->missed++;
        return;
    }
    memcpy(run->body, lease.record.body.at, lease.record.body.len);
    lease_release(&lease);
    histogram_add(histogram, (uint64_t)mono_since(clock_mono(), begun));
}

static void
read_phase(struct tail_run *run, enum phase phase, unsigned round, uint64_t lookups,
           struct histogram *histogram)
{
    uint64_t evicted = store_bench_sum(run->store, evicted);

    histogram_init(histogram);
    for (uint64_t i = 0; i < lookups; i++)
        read_one(run, histogram);
    for (unsigned i = 0; i < PERCENTILES; i++)
        run->times[phase][i][round] = (double)histogram_percentile(histogram, percentiles[i]);
    run->evicted[phase] += store_bench_sum(run->store, evicted) - evicted;
}

static enum err
run_round(struct tail_run *run, unsigned round, uint64_t lookups, struct histogram *histogram,
          struct fault *fault)
{
    pthread_t writer;

    read_phase(run, PHASE_QUIET, round, lookups, histogram);
    atomic_store(&run->stop, false);
    int error = pthread_create(&writer, NULL, write_records, run);
    if (error != 0)
        return fault_set_errno(fault, error, "cannot start a thread");
    read_phase(run, PHASE_CLEANING, round, lookups, histogram);
    atomic_store(&run->stop, true);
    error = pthread_join(writer, NULL);
    CHECK(error == 0);
    return ERR_NONE;
}

/* ── the report ── */

static void
print(struct tail_run *run, unsigned rounds)
{
    printf("%-12s %10s %10s %10s\n", "ns of a hit", "quiet", "cleaning", "ratio");
    for (unsigned i = 0; i < PERCENTILES; i++) {
        double quiet = store_bench_median(run->times[PHASE_QUIET][i], rounds);
        double cleaning = store_bench_median(run->times[PHASE_CLEANING][i], rounds);
        printf("p%-11g %10.0f %10.0f %10.2f\n", percentiles[i], quiet, cleaning, cleaning / quiet);
    }
    printf("evicted meanwhile: %llu and %llu; reads that missed: %llu\n",
           (unsigned long long)run->evicted[PHASE_QUIET], (unsigned long long)run->evicted[PHASE_CLEANING],
           (unsigned long long)run->missed);
}

/* ── the run ── */

/* Full, and those that will be read are the newest. */
static void
prepare(struct tail_run *run)
{
    run->next = HOT;
    while (!store_bench_is_full(run->store))
        feed_append(run->feed, run->next++, 0, run->size);
    for (unsigned i = 0; i < HOT; i++) {
        feed_append(run->feed, i, 0, run->size);
        feed_key_make(&run->keys[i], run->store, i, 0);
    }
    feed_drain(run->feed);
}

static enum err
run_rounds(struct tail_run *run, const struct store_bench *bench, struct histogram *histogram,
           struct fault *fault)
{
    unsigned rounds = (unsigned)bench->rounds;
    enum err err = ERR_NONE;

    prepare(run);
    for (unsigned i = 0; err == ERR_NONE && i < rounds; i++)
        err = run_round(run, i, (uint64_t)bench->lookups / rounds / PHASES, histogram, fault);
    if (err == ERR_NONE)
        print(run, rounds);
    return err;
}

static enum err
run_with_memory(struct tail_run *run, const struct store_bench *bench, struct fault *fault)
{
    struct histogram *histogram = malloc(sizeof *histogram);
    enum err          err = ERR_NO_MEMORY;

    run->feed = feed_create(run->store, SLOTS, run->size);
    run->keys = calloc(HOT, sizeof run->keys[0]);
    run->body = malloc(run->size + 1);
    if (histogram != NULL && run->feed != NULL && run->keys != NULL && run->body != NULL)
        err = run_rounds(run, bench, histogram, fault);
    else
        fault_set(fault, err, "out of memory");
    feed_destroy(&run->feed);
    free(run->keys);
    free(run->body);
    free(histogram);
    return err;
}

enum err
store_bench_tail(const struct store_bench *bench, struct fault *fault)
{
    struct tail_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    *run = (struct tail_run){
        .size = (uint64_t)bench->size, .rate = (uint64_t)bench->rate, .random = 1, .now = clock_wall()
    };
    enum err err = store_bench_open(&run->store, (uint64_t)bench->records, run->size, 2, fault);
    if (err == ERR_NONE)
        err = run_with_memory(run, bench, fault);
    store_close(&run->store);
    free(run);
    return err;
}
