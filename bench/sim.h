/* sim.h: the store without its bytes: segments that only know which objects they hold.
 *
 *      request ──▶ cached? ──▶ hit (policy) ──▶ freq, worth of the segment
 *                    └─ no ──▶ place (policy) ──▶ room: open a segment of the log, else clean victims
 *                                                             choose ─▶ keep ─▶ copied or dropped (policy)
 *
 * Who goes is decided by the policies of the store themselves (larder/storage/eviction.h), called as the
 * store calls them. The accounting is the one that the design of the store was measured with: a segment costs
 * its full size from the moment it is opened; an object larger than half of one gets a segment of its own,
 * rounded up to 1/64 of a segment; an object larger than a fifth of the cache is not cached. There is one
 * shard, and no reserve of free segments; objects do not expire.
 *
 * Objects are numbers from 0 on, each of one size. Owner: who created it.
 */
#ifndef BENCH_SIM_H
#define BENCH_SIM_H

#include <larder/base/err.h>
#include <larder/storage/eviction.h>

enum { SIM_SEGMENTS = 256, SIM_SEGMENTS_LEAST = 16, SIM_SEGMENTS_MOST = 1 << 20, SIM_SEGMENT_LEAST = 64 };

struct sim;

struct sim_plan {
    const struct eviction *eviction;
    double                 alpha;
    uint64_t               bytes; /* of the cache; at least SIM_SEGMENT_LEAST for each segment */
    uint32_t               segments;
    uint32_t               reserve; /* segments beside these that a store would keep free */
    const uint64_t        *sizes;   /* of the objects, by number; each at least 1. The caller's. */
    uint32_t               objects; /* their numbers are below this */
};

struct sim_counts {
    uint64_t requests, bytes;
    uint64_t misses, miss_bytes;
    uint64_t written_bytes; /* of objects that came in */
    uint64_t copied_bytes;  /* of objects that were kept by copying them forward */
    uint64_t refused;       /* objects too large for the cache, or that found no room */
};

/* NULL when memory ends. */
struct sim *sim_create(const struct sim_plan *plan);
void        sim_destroy(struct sim **sim);

/* One request. ERR_NO_MEMORY ends the run. */
MUST_CHECK enum err sim_request(struct sim *sim, uint32_t object);

const struct sim_counts *sim_counts_of(const struct sim *sim);

/* For tests: whether it is cached, and in which log. */
bool sim_has(const struct sim *sim, uint32_t object, unsigned *log);

#endif
