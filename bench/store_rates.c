/* store_rates.c: `larder-bench store find` and `store append`: what one lookup and one record cost a processor.
 *
 * Processor time, not the clock's: on a machine that does other things too it is what stays comparable. The time
 * of find is the thread's own, around 256 lookups whose keys were made before; that of append is what the process
 * took without the thread that feeds it, so the store threads', cleaning included.
 */
#include "feed.h"
#include "load_print.h"
#include "store_bench.h"
#include "zipf.h"

enum { SLOTS = 64, BATCH = 256, HOT = 1000 };

/* ── find ── */

enum mix { MIX_HOT, MIX_ZIPF, MIX_ABSENT, MIXES };

static const char *const mix_names[] = { "the same 1,000 records", "zipf 0.9 over all", "what is not there" };

struct find_run {
    struct store   *store;
    struct zipf     zipf;
    uint64_t        records, random;
    wall_time       now;
    struct feed_key keys[BATCH];
    uint64_t        found[MIXES], asked[MIXES];
    double          times[MIXES][STORE_BENCH_ROUNDS_MAX]; /* ns for each lookup */
};

static uint64_t
draw(struct find_run *run, enum mix mix)
{
    if (mix == MIX_HOT)
        return zipf_random(&run->random) % HOT;
    if (mix == MIX_ZIPF)
        return zipf_draw(&run->zipf, &run->random);
    return run->records + zipf_random(&run->random) % run->records;
}

static unsigned
find_all(struct find_run *run)
{
    unsigned found = 0;
    for (unsigned i = 0; i < BATCH; i++) {
        struct lease lease;
        found += store_find(run->store, 0, &run->keys[i].key, run->now, &lease);
        lease_release(&lease);
    }
    return found;
}

/* Processor time of one batch. */
static nsec
time_batch(struct find_run *run, enum mix mix)
{
    for (unsigned i = 0; i < BATCH; i++)
        feed_key_make(&run->keys[i], run->store, draw(run, mix), 0);
    nsec     begun = clock_thread_cpu();
    unsigned found = find_all(run);
    nsec     took = clock_thread_cpu() - begun;
    run->found[mix] += found;
    run->asked[mix] += BATCH;
    return took;
}

static void
find_round(struct find_run *run, unsigned round, uint64_t lookups)
{
    for (enum mix mix = 0; mix < MIXES; mix++) {
        uint64_t batches = lookups / BATCH + 1;
        nsec     took = 0;
        for (uint64_t i = 0; i < batches; i++)
            took += time_batch(run, mix);
        run->times[mix][round] = (double)took / (double)(batches * BATCH);
    }
}

static void
print_find(struct find_run *run, unsigned rounds)
{
    printf("%-26s %10s %10s %10s %10s\n", "ns of a lookup", "median", "least", "most", "found");
    for (enum mix mix = 0; mix < MIXES; mix++) {
        double *times = run->times[mix], median = store_bench_median(times, rounds);
        printf("%-26s %10.0f %10.0f %10.0f %8.1f %%\n", mix_names[mix], median, times[0], times[rounds - 1],
               100 * (double)run->found[mix] / (double)run->asked[mix]);
    }
}

/* Fills it with records 0 .. records - 1. */
static enum err
fill(struct store *store, uint64_t records, uint64_t size, struct fault *fault)
{
    struct feed *feed = feed_create(store, SLOTS, size);
    if (feed == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    for (uint64_t i = 0; i < records; i++)
        feed_append(feed, i, 0, size);
    feed_destroy(&feed);
    return ERR_NONE;
}

static enum err
run_find(struct find_run *run, const struct store_bench *bench, struct fault *fault)
{
    unsigned rounds = (unsigned)bench->rounds;
    enum err err = fill(run->store, run->records, (uint64_t)bench->size, fault);

    if (err == ERR_NONE && !zipf_init(&run->zipf, (uint32_t)run->records, ZIPF_WEB))
        err = fault_set(fault, ERR_NO_MEMORY, "out of memory");
    for (unsigned i = 0; err == ERR_NONE && i < rounds; i++)
        find_round(run, i, (uint64_t)bench->lookups / rounds);
    if (err == ERR_NONE)
        print_find(run, rounds);
    zipf_fini(&run->zipf);
    return err;
}

enum err
store_bench_find(const struct store_bench *bench, struct fault *fault)
{
    static const uint64_t SEED = 1;
    struct find_run       run = { .records = (uint64_t)bench->records, .random = SEED, .now = clock_wall() };
    enum err              err = store_bench_open(&run.store, run.records, (uint64_t)bench->size, 2, fault);

    if (err != ERR_NONE)
        return err;
    err = run_find(&run, bench, fault);
    store_close(&run.store);
    return err;
}

/* ── append ── */

struct append_run {
    struct store *store;
    struct feed  *feed;
    uint64_t      next, records, size;
};

/* What the store threads take for one of `count` records. */
static double
time_appends(struct append_run *run, uint64_t count)
{
    nsec all = clock_process_cpu(), own = clock_thread_cpu();
    for (uint64_t i = 0; i < count; i++)
        feed_append(run->feed, run->next++, 0, run->size);
    feed_drain(run->feed);
    own = clock_thread_cpu() - own;
    return (double)(clock_process_cpu() - all - own) / (double)count;
}

static void
print_appends(const char *what, double *times, unsigned rounds)
{
    double median = store_bench_median(times, rounds);
    printf("%-26s %10.0f %10.0f %10.0f\n", what, median, times[0], times[rounds - 1]);
}

/* Filling: so many rounds up to nine tenths. Then as many again, of which each pushes another one out. */
static void
measure_appends(struct append_run *run, unsigned rounds)
{
    double   filling[STORE_BENCH_ROUNDS_MAX], evicting[STORE_BENCH_ROUNDS_MAX];
    uint64_t count = run->records * 9 / 10 / rounds;

    for (unsigned i = 0; i < rounds; i++)
        filling[i] = time_appends(run, count);
    while (!store_bench_is_full(run->store))
        time_appends(run, count / 10 + 1);
    uint64_t copied = store_bench_sum(run->store, copied), appended = store_bench_sum(run->store, appends);
    for (unsigned i = 0; i < rounds; i++)
        evicting[i] = time_appends(run, count);
    copied = store_bench_sum(run->store, copied) - copied;
    appended = store_bench_sum(run->store, appends) - appended;
    printf("%-26s %10s %10s %10s\n", "ns of the store threads", "median", "least", "most");
    print_appends("filling", filling, rounds);
    print_appends("evicting", evicting, rounds);
    printf("copied while evicting: %.2f for each record; refused: %llu\n", (double)copied / (double)appended,
           (unsigned long long)feed_refused(run->feed));
}

enum err
store_bench_append(const struct store_bench *bench, struct fault *fault)
{
    struct append_run run = { .records = (uint64_t)bench->records, .size = (uint64_t)bench->size };
    enum err          err = store_bench_open(&run.store, run.records, run.size, 2, fault);

    if (err != ERR_NONE)
        return err;
    run.feed = feed_create(run.store, SLOTS, run.size);
    if (run.feed == NULL)
        err = fault_set(fault, ERR_NO_MEMORY, "out of memory");
    else
        measure_appends(&run, (unsigned)bench->rounds);
    feed_destroy(&run.feed);
    store_close(&run.store);
    return err;
}
