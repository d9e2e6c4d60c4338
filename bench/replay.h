/* replay.h: what `larder-bench replay` was asked for and what came out, and its report.
 *
 *      trace ──▶ which object, when ─┐
 *      URL with {} and {size} ───────┴─▶ a load (load.h) ──▶ hits, latency ─┐
 *      the stub origin's counters before and after ─────────────────────────┴─▶ report
 *
 * The JSON's names are documented in bench/README.md and stay as they are: scripts read them.
 */
#ifndef BENCH_REPLAY_H
#define BENCH_REPLAY_H

#include "load_print.h"
#include "stub_counts.h"
#include "trace.h"

/* What the best of caches, one that keeps all, would have missed of the first requests of a trace. */
struct replay_least {
    uint64_t misses, miss_bytes, bytes;
};

struct replay_report {
    struct span         name; /* of the trace */
    const struct trace *trace;
    double              speed; /* 0: flat out */
    struct load_report  load;
    struct replay_least least;
    struct stub_counts  origin; /* what it did meanwhile */
    bool                origin_told;
};

/* When the first `count` requests are due, in nanoseconds from the first one: those of one second are spread
 * over it. On the heap; NULL when memory ends. */
uint64_t *replay_dues(const struct trace *trace, uint64_t count, double speed);

/* False when memory ends. */
bool replay_count_least(const struct trace *trace, uint64_t count, struct replay_least *least);

void replay_print_text(const struct replay_report *report, FILE *out);
void replay_print_json(const struct replay_report *report, FILE *out);

#endif
