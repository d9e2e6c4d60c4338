/* load_print.c: see load_print.h. */
#include "load_print.h"

#include <inttypes.h>
#include <larder/base/units.h>
#include <math.h>

/* ── small parts ── */

const char *
format_grouped(uint64_t number, char out[static GROUPED_SIZE])
{
    char   digits[GROUPED_SIZE];
    size_t count = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number), len = 0;
    for (size_t i = 0; i < count; i++) {
        out[len++] = digits[i];
        if ((count - i) % 3 == 1 && i + 1 < count)
            out[len++] = ',';
    }
    out[len] = '\0';
    return out;
}

int
format_width(const char *text, int columns)
{
    for (const char *at = text; *at != '\0'; at++)
        if (((unsigned char)*at & 0xc0) == 0x80) /* not the first byte of a character in UTF-8 */
            columns++;
    return columns;
}

void
print_right(const char *text, int columns, FILE *out)
{
    fprintf(out, "%*s", format_width(text, columns), text);
}

void
print_json_string(struct span text, FILE *out)
{
    fputc('"', out);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c >= 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

void
print_json_statuses(const uint64_t *counts, FILE *out)
{
    const char *comma = "";
    fputc('{', out);
    for (unsigned i = 0; i < TALLY_STATUSES; i++) {
        if (counts[i] == 0)
            continue;
        fprintf(out, "%s\"%u\":%" PRIu64, comma, i, counts[i]);
        comma = ",";
    }
    fputc('}', out);
}

static const char *
hit_source_name(enum hit_source source)
{
    static const char *const names[] = {
        [HITS_UNTOLD] = "none", [HITS_CACHE_STATUS] = "cache-status", [HITS_AGE] = "age"
    };
    return names[source];
}

/* ── for people ── */

/* Who of many is asked. */
static void
print_asking(const struct load_report *report, FILE *out)
{
    char     grouped[GROUPED_SIZE];
    uint64_t count = report->plan->requests.count;
    if (report->list.len > 0)
        fprintf(out, "%slist %.*s\n", report->urls->count == 0 ? "load " : "     ", SPAN_ARG(report->list));
    if (count == report->urls->count && report->list.len == 0 && report->plan->zipf.count == 0)
        return;
    fprintf(out, "     %s URLs, ", format_grouped(count, grouped));
    if (report->plan->zipf.count > 0)
        fprintf(out, "drawn by Zipf %g\n", report->plan->zipf.exponent);
    else
        fputs("in turn\n", out);
}

static void
print_title(const struct load_report *report, FILE *out)
{
    const struct load_plan *plan = report->plan;
    char                    rate[GROUPED_SIZE];
    for (unsigned i = 0; i < report->urls->count; i++)
        fprintf(out, "%s%.*s\n", i == 0 ? "load " : "     ", SPAN_ARG(report->urls->at[i]));
    print_asking(report, out);
    fprintf(out, "     %u connection%s, %u thread%s, ", plan->connections, plan->connections == 1 ? "" : "s",
            plan->threads, plan->threads == 1 ? "" : "s");
    if (plan->pipeline > 1)
        fprintf(out, "%u requests deep, ", plan->pipeline);
    if (plan->rate == 0)
        fputs("closed loop, ", out);
    else
        fprintf(out, "open loop at %s/s, ", format_grouped(plan->rate, rate));
    fprintf(out, "%.2f s\n\n", report->summary->seconds);
}

static void
print_totals(const struct load_report *report, FILE *out)
{
    const struct summary *summary = report->summary;
    char                  text[UNITS_TEXT_SIZE], grouped[GROUPED_SIZE];
    fprintf(out, "  answers   %14s", format_grouped(report->tally->answers, grouped));
    fprintf(out, "   %s/s\n", format_grouped((uint64_t)summary->requests_per_second, grouped));
    fprintf(out, "  received  %14s", units_round_size(report->tally->bytes, text));
    fprintf(out, "   %s/s\n", units_round_size((uint64_t)summary->bytes_per_second, text));
    if (summary->hit_source != HITS_UNTOLD)
        fprintf(out, "  hits      %13.2f%%   of bytes %.2f%%, by %s\n",
                floor(summary->hit_ratio * 10000) / 100, /* one miss is not 100% */
                floor(summary->byte_hit_ratio * 10000) / 100,
                summary->hit_source == HITS_AGE ? "Age (no Cache-Status; an answer of age 0 counts as a miss)"
                                                : "Cache-Status");
}

static void
print_statuses(const struct load_report *report, FILE *out)
{
    char grouped[GROUPED_SIZE];
    for (unsigned i = 0; i < TALLY_STATUSES; i++)
        if (report->tally->statuses[i] > 0)
            fprintf(out, "  status %u%14s%s\n", i, format_grouped(report->tally->statuses[i], grouped),
                    i >= 400 ? "   counted as errors" : "");
}

static void
print_errors(const struct load_report *report, FILE *out)
{
    static const char *const texts[LOAD_ERRORS] = {
#define LOAD_ERROR_TEXT(id, name, text) text,
        LOAD_ERROR_TABLE(LOAD_ERROR_TEXT)
#undef LOAD_ERROR_TEXT
    };
    char grouped[GROUPED_SIZE];
    fprintf(out, "  errors    %14s\n",
            format_grouped(report->summary->errors + report->summary->bad, grouped));
    for (unsigned i = 0; i < LOAD_ERRORS; i++)
        if (report->tally->errors[i] > 0)
            fprintf(out, "    %-8s%14s   %s\n", load_error_name(i),
                    format_grouped(report->tally->errors[i], grouped), texts[i]);
    if (report->tally->unfinished > 0)
        fprintf(out, "  unfinished%14s   asked or due, and not answered when the time was up\n",
                format_grouped(report->tally->unfinished, grouped));
}

static void
print_latency(const char *name, const struct latency *latency, const char *note, FILE *out)
{
    const uint64_t values[] = { (uint64_t)latency->mean, latency->p50, latency->p90, latency->p99,
                                latency->p999,           latency->most };
    char           text[UNITS_TEXT_SIZE];
    fprintf(out, "  %-10s", name);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        print_right(units_round_time((nsec)values[i], text), 10, out);
    fprintf(out, "   %s\n", note);
}

void
load_print_text(const struct load_report *report, FILE *out)
{
    print_title(report, out);
    load_print_seen(report, out);
}

void
load_print_seen(const struct load_report *report, FILE *out)
{
    const struct summary *summary = report->summary;
    char                  text[UNITS_TEXT_SIZE];
    print_totals(report, out);
    print_statuses(report, out);
    print_errors(report, out);
    if (report->tally->answers == 0)
        return;
    fprintf(out, "\n  %-10s%10s%10s%10s%10s%10s%10s\n", "latency", "mean", "p50", "p90", "p99", "p99.9",
            "max");
    print_latency("service", &summary->service, "from the sending", out);
    print_latency("response", &summary->response,
                  load_is_open(report->plan) ? "from when it was due" : "corrected for coordinated omission",
                  out);
    fprintf(out, "\n  larder-bench itself took %s of processor time for each answer\n",
            units_round_time((nsec)summary->cpu_per_request, text));
}

/* ── for programs ── */

static void
json_asking(const struct load_report *report, FILE *out)
{
    const struct load_plan *plan = report->plan;
    fputs("{\"urls\":[", out);
    for (unsigned i = 0; i < report->urls->count; i++) {
        fputs(i == 0 ? "" : ",", out);
        print_json_string(report->urls->at[i], out);
    }
    fputs("],\"list\":", out);
    if (report->list.len > 0)
        print_json_string(report->list, out);
    else
        fputs("null", out);
    fprintf(out, ",\"distinct\":%" PRIu64 ",\"zipf\":", plan->requests.count);
    if (plan->zipf.count > 0)
        fprintf(out, "%g,", plan->zipf.exponent);
    else
        fputs("null,", out);
}

static void
json_plan(const struct load_plan *plan, FILE *out)
{
    fprintf(out, "\"loop\":\"%s\",\"rate\":%" PRIu64 ",\"connections\":%u,\"threads\":%u,\"pipeline\":%u,",
            load_is_open(plan) ? "open" : "closed", plan->rate, plan->connections, plan->threads,
            plan->pipeline);
}

static void
json_counts(const struct load_report *report, FILE *out)
{
    const struct tally   *tally = report->tally;
    const struct summary *summary = report->summary;
    fprintf(out, "\"seconds\":%.6f,\"requests\":%" PRIu64 ",\"answers\":%" PRIu64 ",\"errors\":{",
            summary->seconds, summary->requests, tally->answers);
    for (unsigned i = 0; i < LOAD_ERRORS; i++)
        fprintf(out, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", load_error_name(i), tally->errors[i]);
    fputs("},\"status\":", out);
    print_json_statuses(tally->statuses, out);
    fprintf(out,
            ",\"status_errors\":%" PRIu64 ",\"unfinished\":%" PRIu64 ",\"connections_made\":%" PRIu64 ",",
            summary->bad, tally->unfinished, tally->connections);
    fprintf(out, "\"bytes\":%" PRIu64 ",\"body_bytes\":%" PRIu64 ",", tally->bytes, tally->body_bytes);
    fprintf(out, "\"requests_per_second\":%.1f,\"bytes_per_second\":%.1f,", summary->requests_per_second,
            summary->bytes_per_second);
    fprintf(out, "\"hits\":%" PRIu64 ",\"misses\":%" PRIu64 ",\"hit_ratio\":%.6f,\"hit_source\":\"%s\",",
            summary->hits, summary->misses, summary->hit_ratio, hit_source_name(summary->hit_source));
    fprintf(out, "\"hit_bytes\":%" PRIu64 ",\"miss_bytes\":%" PRIu64 ",\"byte_hit_ratio\":%.6f,",
            summary->hit_bytes, summary->miss_bytes, summary->byte_hit_ratio);
}

static void
json_latency(const char *name, const struct latency *latency, FILE *out)
{
    const double us = (double)NSEC_PER_USEC;
    fprintf(out, "\"%s\":{\"mean\":%.1f,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p99.9\":%.1f,\"max\":%.1f}",
            name, latency->mean / us, (double)latency->p50 / us, (double)latency->p90 / us,
            (double)latency->p99 / us, (double)latency->p999 / us, (double)latency->most / us);
}

void
load_print_json_seen(const struct load_report *report, FILE *out)
{
    json_plan(report->plan, out);
    json_counts(report, out);
    fputs("\"latency_us\":{", out);
    json_latency("service", &report->summary->service, out);
    fputc(',', out);
    json_latency("response", &report->summary->response, out);
    fprintf(out, "},\"cpu_us_per_answer\":%.3f", report->summary->cpu_per_request / (double)NSEC_PER_USEC);
}

void
load_print_json(const struct load_report *report, FILE *out)
{
    json_asking(report, out);
    load_print_json_seen(report, out);
    fputs("}\n", out);
}
