/* store_bench.h: `larder-bench store MODE`: the store by itself, without a server around it.
 *
 *      memory   bytes of memory for each record of a store that is full and has evicted as many again
 *      find     processor time of a lookup with its lease
 *      append   processor time of the store threads for each record, filling and evicting
 *      replay   a trace through the real store, beside the simulation of the same bytes
 *      tail     how long hits take while segments are cleaned, and while not
 *
 * All of them work in memory (memfd) and through the public interface alone. Each mode has its own file; what
 * they share is feed.c (records in) and zipf.c (who is asked for).
 */
#ifndef BENCH_STORE_BENCH_H
#define BENCH_STORE_BENCH_H

#include "simulate.h"

#include <larder/base/metric.h>
#include <larder/storage/store.h>

struct store_bench {
    struct span trace, cache, policy;
    int64_t     records, size, lookups, rounds, rate;
};

/* Each prints its report to stdout. */
MUST_CHECK enum err store_bench_memory(const struct store_bench *bench, struct fault *fault);
MUST_CHECK enum err store_bench_find(const struct store_bench *bench, struct fault *fault);
MUST_CHECK enum err store_bench_append(const struct store_bench *bench, struct fault *fault);
MUST_CHECK enum err store_bench_replay(const struct store_bench *bench, struct fault *fault);
MUST_CHECK enum err store_bench_tail(const struct store_bench *bench, struct fault *fault);

/* ── what the modes share ── */

/* A store in memory that holds so many records with bodies of so many bytes, and hardly more. */
MUST_CHECK enum err store_bench_open(struct store **store, uint64_t records, uint64_t size, unsigned readers,
                                     struct fault *fault);

/* One counter or gauge of all shards together: store_bench_sum(store, evicted). */
#define store_bench_sum(store, name) store_bench_sum_at(store, offsetof(struct store_metrics, name))
uint64_t store_bench_sum_at(const struct store *store, size_t offset);

/* Room is made for what comes: a hundredth of what it holds was evicted. (A few go earlier, those that find no
 * place in the index.) */
bool store_bench_is_full(const struct store *store);

/* The middle one of them (of two, the upper); sorts them. */
double store_bench_median(double *values, unsigned count);

enum { STORE_BENCH_ROUNDS_MAX = 99 };

/* For tests: the bytes that a line of /proc/self/status tells, "RssAnon:  1234 kB". False: no such line. */
bool store_bench_parse_status(struct span text, struct span name, uint64_t *bytes);

/* For tests: what a replay made of a trace. */
struct store_replay {
    uint64_t requests, bytes;
    uint64_t misses, miss_bytes;
    uint64_t refused; /* larger than a fifth of the store */
    uint64_t store_bytes;
    uint32_t segments, free; /* of them, kept free at the end */
    uint64_t part_size;      /* objects are stored in parts of so many bytes at most, */
    uint64_t overhead;       /* each of which takes so many more */
    double   amplification; /* bytes of records written for each that came in */
};

MUST_CHECK enum err store_bench_replay_one(const struct trace *trace, const struct eviction *eviction,
                                           uint64_t bytes, struct store_replay *replay, struct fault *fault);

#endif
