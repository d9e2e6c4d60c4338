/* replay_print.c: the report of a replay, for people and for programs. See replay.h. */
#include "replay.h"

#include <inttypes.h>
#include <larder/base/units.h>

static double
part(uint64_t some, uint64_t all)
{
    return all == 0 ? 0 : (double)some / (double)all;
}

/* ── for people ── */

static void
print_title(const struct replay_report *report, FILE *out)
{
    const struct trace     *trace = report->trace;
    const struct load_plan *plan = report->load.plan;
    char                    requests[GROUPED_SIZE], objects[GROUPED_SIZE];
    char                    bytes[UNITS_TEXT_SIZE];

    fprintf(out, "replay %.*s, %s of %s requests", SPAN_ARG(report->name),
            format_grouped(plan->total, requests), format_grouped(trace->request_count, objects));
    fprintf(out, "; %s objects of %s\n", format_grouped(trace->object_count, objects),
            units_round_size(trace->footprint, bytes));
    if (trace->unread + trace->ignored > 0)
        fprintf(out,
                "       of %s lines %" PRIu64 " not in the format, %" PRIu64
                " with another method or status\n",
                format_grouped(trace->lines, requests), trace->unread, trace->ignored);
    fprintf(out, "       %.*s\n", SPAN_ARG(report->load.urls->at[0]));
    fprintf(out, "       %u connection%s, %u thread%s, ", plan->connections,
            plan->connections == 1 ? "" : "s", plan->threads, plan->threads == 1 ? "" : "s");
    if (report->speed == 0)
        fputs("flat out, ", out);
    else
        fprintf(out, "at %g times the pace of the trace, ", report->speed);
    fprintf(out, "%.2f s\n\n", report->load.summary->seconds);
}

static void
print_least(const struct replay_report *report, FILE *out)
{
    const struct replay_least *least = &report->least;
    fprintf(out, "  a cache that keeps all would hit %.2f%%, of bytes %.2f%%, one request after the other\n",
            100 * (1 - part(least->misses, report->load.plan->total)),
            100 * (1 - part(least->miss_bytes, least->bytes)));
}

static void
print_origin(const struct replay_report *report, FILE *out)
{
    char requests[GROUPED_SIZE], bytes[UNITS_TEXT_SIZE];
    if (!report->origin_told)
        return;
    fprintf(out, "  the origin was asked %s times, %.2f per 100 answers, and sent %s\n",
            format_grouped(report->origin.requests, requests),
            100 * part(report->origin.requests, report->load.tally->answers),
            units_round_size(report->origin.bytes_sent, bytes));
}

void
replay_print_text(const struct replay_report *report, FILE *out)
{
    print_title(report, out);
    load_print_seen(&report->load, out);
    print_least(report, out);
    print_origin(report, out);
}

/* ── for programs ── */

static void
print_json_trace(const struct replay_report *report, FILE *out)
{
    const struct trace *trace = report->trace;
    fputs("{\"trace\":", out);
    print_json_string(report->name, out);
    fputs(",\"url\":", out);
    print_json_string(report->load.urls->at[0], out);
    fprintf(out,
            ",\"format\":\"%s\",\"trace_requests\":%zu,\"planned\":%" PRIu64 ",\"objects\":%" PRIu32
            ",\"footprint_bytes\":%" PRIu64 ",\"lines\":%" PRIu64 ",\"lines_unread\":%" PRIu64
            ",\"lines_ignored\":%" PRIu64 ",\"speed\":",
            trace_format_name(trace->format), trace->request_count, report->load.plan->total,
            trace->object_count, trace->footprint, trace->lines, trace->unread, trace->ignored);
    if (report->speed == 0)
        fputs("null", out);
    else
        fprintf(out, "%g", report->speed);
}

static void
print_json_ratios(const struct replay_report *report, FILE *out)
{
    const struct summary      *summary = report->load.summary;
    const struct replay_least *least = &report->least;
    if (summary->hit_source == HITS_UNTOLD)
        fputs(",\"object_miss_ratio\":null,\"byte_miss_ratio\":null", out);
    else
        fprintf(out, ",\"object_miss_ratio\":%.6f,\"byte_miss_ratio\":%.6f", 1 - summary->hit_ratio,
                1 - summary->byte_hit_ratio);
    fprintf(out, ",\"least_object_miss_ratio\":%.6f,\"least_byte_miss_ratio\":%.6f",
            part(least->misses, report->load.plan->total), part(least->miss_bytes, least->bytes));
}

static void
print_json_origin(const struct replay_report *report, FILE *out)
{
    const struct stub_counts *origin = &report->origin;
    fputs(",\"origin\":", out);
    if (report->origin_told)
        fprintf(out,
                "{\"requests\":%" PRIu64 ",\"not_modified\":%" PRIu64 ",\"bytes_sent\":%" PRIu64
                ",\"requests_per_answer\":%.6f},",
                origin->requests, origin->not_modified, origin->bytes_sent,
                part(origin->requests, report->load.tally->answers));
    else
        fputs("null,", out);
}

void
replay_print_json(const struct replay_report *report, FILE *out)
{
    print_json_trace(report, out);
    print_json_ratios(report, out);
    print_json_origin(report, out);
    load_print_json_seen(&report->load, out);
    fputs("}\n", out);
}
