/* simulate_print.c: the report of a simulation, for people and for programs. See simulate.h. */
#include "load_print.h"
#include "simulate.h"

#include <inttypes.h>
#include <larder/base/units.h>

static double
part(uint64_t some, uint64_t all)
{
    return all == 0 ? 0 : (double)some / (double)all;
}

static double
object_misses(const struct sim_counts *counts)
{
    return part(counts->misses, counts->requests);
}

static double
byte_misses(const struct sim_counts *counts)
{
    return part(counts->miss_bytes, counts->bytes);
}

/* Bytes written for each byte that came in. */
static double
amplification(const struct sim_counts *counts)
{
    return counts->written_bytes == 0 ? 1 : 1 + part(counts->copied_bytes, counts->written_bytes);
}

/* ── for people ── */

static void
print_title(const struct simulate_report *report, FILE *out)
{
    const struct trace *trace = report->trace;
    char                requests[GROUPED_SIZE], objects[GROUPED_SIZE], ignored[GROUPED_SIZE];
    char                bytes[UNITS_TEXT_SIZE], footprint[UNITS_TEXT_SIZE];

    fprintf(out, "%.*s: %s requests for %s objects; %s, of which %s distinct\n", SPAN_ARG(report->name),
            format_grouped(trace->request_count, requests), format_grouped(trace->object_count, objects),
            units_round_size(trace->bytes, bytes), units_round_size(trace->footprint, footprint));
    if (trace->unread + trace->ignored > 0)
        fprintf(out, "of %s lines %s not in the format, %s with another method or status\n",
                format_grouped(trace->lines, requests), format_grouped(trace->unread, objects),
                format_grouped(trace->ignored, ignored));
    fprintf(out, "a cache that keeps all misses %.1f %% of the requests, %.1f %% of the bytes\n\n",
            100 * part(trace->object_count, trace->request_count),
            100 * part(trace->footprint, trace->bytes));
}

static void
print_result(const struct simulate_plan *plan, unsigned cache, unsigned policy,
             const struct sim_counts *counts, FILE *out)
{
    char size[UNITS_TEXT_SIZE] = "", percent[UNITS_TEXT_SIZE] = "";

    if (policy == 0)
        units_round_size(plan->caches[cache].bytes, size);
    if (policy == 0 && plan->caches[cache].percent > 0)
        snprintf(percent, sizeof percent, "%g %%", plan->caches[cache].percent);
    fprintf(out, "%7s %10s   %-7s %8.1f %% %8.1f %% %9.2f\n", percent, size, plan->policies[policy]->name,
            100 * object_misses(counts), 100 * byte_misses(counts), amplification(counts));
}

void
simulate_print_text(const struct simulate_report *report, FILE *out)
{
    const struct simulate_plan *plan = report->plan;

    print_title(report, out);
    fprintf(out, "%18s   %-7s %10s %10s %9s\n", "cache", "policy", "misses", "of bytes", "written");
    for (unsigned i = 0; i < plan->cache_count; i++) {
        for (unsigned j = 0; j < plan->policy_count; j++)
            print_result(plan, i, j, &report->results[i][j].counts, out);
        if (i + 1 < plan->cache_count)
            fputc('\n', out);
    }
}

/* ── for programs ── */

static void
print_json_trace(const struct trace *trace, FILE *out)
{
    fprintf(out,
            "\"format\":\"%s\",\"requests\":%zu,\"objects\":%" PRIu32 ",\"bytes\":%" PRIu64
            ",\"footprint_bytes\":%" PRIu64 ",\"lines\":%" PRIu64 ",\"lines_unread\":%" PRIu64
            ",\"lines_ignored\":%" PRIu64 ",\"least_object_miss_ratio\":%.6f,\"least_byte_miss_ratio\":%.6f",
            trace_format_name(trace->format), trace->request_count,
            trace->object_count, trace->bytes, trace->footprint, trace->lines, trace->unread, trace->ignored,
            part(trace->object_count, trace->request_count), part(trace->footprint, trace->bytes));
}

static void
print_json_result(const struct simulate_cache *cache, const struct eviction *policy,
                  const struct simulate_result *result, FILE *out)
{
    const struct sim_counts *counts = &result->counts;
    double                   seconds = (double)(result->took > 0 ? result->took : 1) / NSEC_PER_SEC;

    fprintf(out, "{\"cache_bytes\":%" PRIu64 ",\"cache_percent\":", cache->bytes);
    if (cache->percent > 0)
        fprintf(out, "%g", cache->percent);
    else
        fputs("null", out);
    fprintf(out,
            ",\"policy\":\"%s\",\"misses\":%" PRIu64 ",\"miss_bytes\":%" PRIu64
            ",\"object_miss_ratio\":%.6f,\"byte_miss_ratio\":%.6f,\"written_bytes\":%" PRIu64
            ",\"copied_bytes\":%" PRIu64 ",\"write_amplification\":%.4f,\"refused\":%" PRIu64
            ",\"requests_per_second\":%.0f}",
            policy->name, counts->misses, counts->miss_bytes, object_misses(counts), byte_misses(counts),
            counts->written_bytes, counts->copied_bytes, amplification(counts), counts->refused,
            (double)counts->requests / seconds);
}

void
simulate_print_json(const struct simulate_report *report, FILE *out)
{
    const struct simulate_plan *plan = report->plan;

    fputs("{\"trace\":", out);
    print_json_string(report->name, out);
    fputc(',', out);
    print_json_trace(report->trace, out);
    fprintf(out, ",\"segments\":%" PRIu32 ",\"alpha\":%g,\"results\":[", plan->segments, plan->alpha);
    for (unsigned i = 0; i < plan->cache_count; i++)
        for (unsigned j = 0; j < plan->policy_count; j++) {
            if (i + j > 0)
                fputc(',', out);
            print_json_result(&plan->caches[i], plan->policies[j], &report->results[i][j], out);
        }
    fputs("]}\n", out);
}
