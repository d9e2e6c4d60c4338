/* simulate.h: what `larder-bench simulate` was asked for and what came out, and its report.
 *
 * The JSON's names are documented in bench/README.md and stay as they are: scripts read them.
 */
#ifndef BENCH_SIMULATE_H
#define BENCH_SIMULATE_H

#include "sim.h"
#include "trace.h"

#include <larder/base/clock.h>
#include <stdio.h>

enum { SIMULATE_CACHES_MAX = 16, SIMULATE_POLICIES_MAX = 4 };

struct simulate_cache {
    double   percent; /* of the footprint; 0: given in bytes */
    uint64_t bytes;
};

struct simulate_plan {
    struct simulate_cache  caches[SIMULATE_CACHES_MAX];
    const struct eviction *policies[SIMULATE_POLICIES_MAX];
    unsigned               cache_count, policy_count;
    double                 alpha;
    uint32_t               segments;
};

struct simulate_result {
    struct sim_counts counts;
    nsec              took; /* of the processor */
};

struct simulate_report {
    struct span                 name; /* of the trace */
    const struct trace         *trace;
    const struct simulate_plan *plan;
    /* By cache, then by policy. */
    struct simulate_result results[SIMULATE_CACHES_MAX][SIMULATE_POLICIES_MAX];
};

/* "0.1%,64M" and "sc,lru": for tests. */
MUST_CHECK enum err simulate_parse_caches(struct simulate_plan *plan, struct span text, struct fault *fault);
MUST_CHECK enum err simulate_parse_policies(struct simulate_plan *plan, struct span text,
                                            struct fault *fault);

void simulate_print_text(const struct simulate_report *report, FILE *out);
void simulate_print_json(const struct simulate_report *report, FILE *out);

#endif
