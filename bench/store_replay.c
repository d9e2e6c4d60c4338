/* store_replay.c: `larder-bench store replay`: a trace through the real store, beside its simulation.
 *
 *      request ──▶ store_find for each part ──▶ all there: a hit
 *                     └─ missing ──▶ appended by a job; the next request waits until that has run
 *
 * One shard, as in the simulation, which is given what the store has for records: its segments less those that it keeps
 * free, and objects with their headers and keys; and once more all bytes in 256 segments, as the design of the store was
 * measured. An object that is longer than a record may be is stored in parts of 1 MiB, each on its own; one that is larger
 * than a fifth of the store is not stored, as in the simulation.
 */
#include "feed.h"
#include "store_bench.h"

#include <larder/base/units.h>
#include <stdlib.h>

enum { PART_MOST = 1 << 20, OBJECT_PART = 5, SLOTS = 16, KEY_ROOM = 64 };

/* ── the real store ── */

struct replay_run {
    struct store        *store;
    struct feed         *feed;
    uint64_t             part_size, object_max, fed; /* bytes of bodies */
    wall_time            now;
    struct store_replay *result;
};

static bool
is_stored(const struct replay_run *run, uint32_t number, unsigned part)
{
    struct feed_key key;
    struct lease    lease;

    feed_key_make(&key, run->store, number, part);
    bool found = store_find(run->store, 0, &key.key, run->now, &lease);
    lease_release(&lease);
    return found;
}

/* How many bytes of it were not there. */
static uint64_t
ask(struct replay_run *run, uint32_t number, uint64_t size)
{
    uint64_t missing = 0;

    for (uint64_t at = 0; at < size; at += run->part_size) {
        uint64_t len = size - at < run->part_size ? size - at : run->part_size;
        unsigned part = (unsigned)(at / run->part_size);
        if (is_stored(run, number, part))
            continue;
        missing += len;
        run->fed += len;
        feed_append(run->feed, number, part, len);
    }
    if (missing > 0)
        feed_drain(run->feed);
    return missing;
}

static void
request(struct replay_run *run, uint32_t number, uint64_t size)
{
    struct store_replay *result = run->result;
    bool                 refused = size > run->object_max;
    uint64_t             missing = refused ? size : ask(run, number, size);

    result->requests++;
    result->bytes += size;
    result->misses += missing > 0;
    result->miss_bytes += missing;
    result->refused += refused;
}

static void
finish(struct replay_run *run)
{
    struct store_replay *result = run->result;
    uint64_t             came = store_bench_sum(run->store, append_bytes);
    uint64_t             copied = store_bench_sum(run->store, copied_bytes);
    uint64_t             appends = store_bench_sum(run->store, appends);

    result->store_bytes = store_bench_sum(run->store, bytes_size);
    result->segments = (uint32_t)store_bench_sum(run->store, segments);
    result->free = (uint32_t)store_bench_sum(run->store, segments_free);
    result->overhead = appends == 0 || came < run->fed ? 0 : (came - run->fed) / appends;
    result->part_size = run->part_size;
    result->refused += feed_refused(run->feed);
    result->amplification = came == 0 ? 1 : 1 + (double)copied / (double)came;
}

static enum err
run_trace(struct replay_run *run, const struct trace *trace, struct fault *fault)
{
    uint64_t record_max = store_record_max(run->store) - KEY_ROOM;

    run->part_size = record_max < PART_MOST ? record_max : PART_MOST;
    run->object_max = store_bench_sum(run->store, bytes_size) / OBJECT_PART;
    run->feed = feed_create(run->store, SLOTS, run->part_size);
    if (run->feed == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < trace->request_count; i++)
        request(run, trace->requests[i], trace->sizes[trace->requests[i]]);
    finish(run);
    feed_destroy(&run->feed);
    return ERR_NONE;
}

enum err
store_bench_replay_one(const struct trace *trace, const struct eviction *eviction, uint64_t bytes,
                       struct store_replay *replay, struct fault *fault)
{
    struct replay_run   run = { .now = clock_wall(), .result = replay };
    struct store_config config = {
        .size = bytes, .readers = 1, .eviction = eviction, .alpha = EVICTION_ALPHA
    };

    *replay = (struct store_replay){ .requests = 0 };
    enum err err = store_open(&run.store, &config, fault);
    if (err != ERR_NONE)
        return err;
    err = run_trace(&run, trace, fault);
    store_close(&run.store);
    return err;
}

/* ── its simulation ── */

static enum err
simulate(const struct trace *trace, const struct sim_plan *plan, struct sim_counts *counts)
{
    struct sim *sim = sim_create(plan);
    enum err    err = sim == NULL ? ERR_NO_MEMORY : ERR_NONE;

    for (size_t i = 0; err == ERR_NONE && i < trace->request_count; i++)
        err = sim_request(sim, trace->requests[i]);
    if (err == ERR_NONE)
        *counts = *sim_counts_of(sim);
    sim_destroy(&sim);
    return err;
}

/* What the objects take in the store. NULL when memory ends. */
static uint64_t *
stored_sizes(const struct trace *trace, const struct store_replay *replay)
{
    uint64_t *sizes = malloc(trace->object_count * sizeof *sizes);

    for (uint32_t i = 0; sizes != NULL && i < trace->object_count; i++)
        sizes[i] = trace->sizes[i] + ((trace->sizes[i] - 1) / replay->part_size + 1) * replay->overhead;
    return sizes;
}

/* With what the store has for records. */
static enum err
simulate_stored(const struct trace *trace, const struct eviction *eviction, const struct store_replay *replay,
                struct sim_counts *counts)
{
    uint32_t        usable = replay->segments - replay->free;
    uint64_t       *sizes = stored_sizes(trace, replay);
    struct sim_plan plan = { .eviction = eviction,
                             .alpha = EVICTION_ALPHA,
                             .bytes = replay->store_bytes / replay->segments * usable,
                             .segments = usable,
                             .reserve = replay->free,
                             .sizes = sizes,
                             .objects = trace->object_count };
    enum err        err = sizes == NULL ? ERR_NO_MEMORY : simulate(trace, &plan, counts);

    free(sizes);
    return err;
}

static enum err
simulate_ideal(const struct trace *trace, const struct eviction *eviction, uint64_t bytes,
               struct sim_counts *counts)
{
    struct sim_plan plan = { .eviction = eviction,
                             .alpha = EVICTION_ALPHA,
                             .bytes = bytes,
                             .segments = SIM_SEGMENTS,
                             .sizes = trace->sizes,
                             .objects = trace->object_count };
    return simulate(trace, &plan, counts);
}

/* ── the report ── */

static double
percent(uint64_t some, uint64_t all)
{
    return all == 0 ? 0 : 100 * (double)some / (double)all;
}

static void
print_title(void)
{
    printf("%10s %9s %-7s  %-13s  %-22s  %-22s  %s\n", "", "", "", "store", "simulated", "in 256 segments",
           "written");
    printf("%10s %9s %-7s  %-13s  %-13s %-8s  %-13s %-8s  %s\n", "cache", "segments", "policy",
           "missed %/bytes", "missed %/bytes", "differ", "missed %/bytes", "differ", "store, simulated");
}

static void
print_sim(const struct store_replay *replay, const struct sim_counts *sim)
{
    double objects = percent(sim->misses, sim->requests), bytes = percent(sim->miss_bytes, sim->bytes);
    printf("  %5.2f / %5.2f %+.2f/%+.2f", objects, bytes, percent(replay->misses, replay->requests) - objects,
           percent(replay->miss_bytes, replay->bytes) - bytes);
}

static double
amplification(const struct sim_counts *sim)
{
    return sim->written_bytes == 0 ? 1 : 1 + (double)sim->copied_bytes / (double)sim->written_bytes;
}

static enum err
replay_and_print(const struct trace *trace, const struct eviction *eviction, uint64_t bytes,
                 struct fault *fault)
{
    struct store_replay replay;
    struct sim_counts   same, ideal;
    char                size[UNITS_TEXT_SIZE];
    enum err            err = store_bench_replay_one(trace, eviction, bytes, &replay, fault);

    if (err != ERR_NONE)
        return err;
    err = simulate_stored(trace, eviction, &replay, &same);
    if (err == ERR_NONE)
        err = simulate_ideal(trace, eviction, replay.store_bytes, &ideal);
    if (err != ERR_NONE)
        return fault_set(fault, err, "no memory for the simulated cache");
    printf("%10s %9u %-7s  %5.2f / %5.2f", units_round_size(replay.store_bytes, size), replay.segments,
           eviction->name, percent(replay.misses, replay.requests), percent(replay.miss_bytes, replay.bytes));
    print_sim(&replay, &same);
    print_sim(&replay, &ideal);
    printf("  %.2f %.2f\n", replay.amplification, amplification(&same));
    return ERR_NONE;
}

static uint64_t
bytes_of(const struct simulate_cache *cache, const struct trace *trace)
{
    uint64_t bytes =
        cache->percent > 0 ? (uint64_t)((double)trace->footprint * cache->percent / 100) : cache->bytes;
    return bytes < STORE_SIZE_MIN ? STORE_SIZE_MIN : bytes;
}

static enum err
make_plan(struct simulate_plan *plan, const struct store_bench *bench, struct fault *fault)
{
    if (bench->trace.len == 0)
        return fault_set(fault, ERR_SYNTAX, "replay wants a --trace");
    *plan = (struct simulate_plan){ .alpha = EVICTION_ALPHA };
    enum err err = simulate_parse_caches(plan, bench->cache.len > 0 ? bench->cache : SPAN("1%,10%"), fault);
    return err != ERR_NONE
               ? err
               : simulate_parse_policies(plan, bench->policy.len > 0 ? bench->policy : SPAN("sc"), fault);
}

enum err
store_bench_replay(const struct store_bench *bench, struct fault *fault)
{
    struct simulate_plan plan;
    struct trace         trace;
    enum err             err = make_plan(&plan, bench, fault);

    if (err != ERR_NONE || (err = trace_load(&trace, bench->trace, false, fault)) != ERR_NONE)
        return err;
    print_title();
    for (unsigned i = 0; i < plan.cache_count; i++)
        for (unsigned j = 0; err == ERR_NONE && j < plan.policy_count; j++)
            err = replay_and_print(&trace, plan.policies[j], bytes_of(&plan.caches[i], &trace), fault);
    trace_fini(&trace);
    return err;
}
