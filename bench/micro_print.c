/* micro_print.c: the report of micro, for people and for programs. See micro.h. */
#include "load_print.h"
#include "micro.h"

#include <inttypes.h>
#include <larder/http/scan.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* ── for people ── */

static void
print_result(const struct micro_result *result, FILE *out)
{
    fprintf(out, "%-8s %10.1f %10.1f %10.1f ", result->part->name, result->median, result->least,
            result->most);
    if (result->instructions < 0)
        fprintf(out, "%14s", "-");
    else
        fprintf(out, "%14.1f", result->instructions);
    fprintf(out, "   %s\n", result->part->text);
}

static void
print_results(const struct micro_report *report, FILE *out)
{
    bool counted = true;

    fprintf(out, "%-8s %10s %10s %10s %14s\n", "part", "ns", "least", "most", "instructions");
    for (unsigned i = 0; i < report->result_count; i++) {
        print_result(&report->results[i], out);
        counted = counted && report->results[i].instructions >= 0;
    }
    if (!counted)
        fputs("The kernel lends no counter of instructions here; ./dev micro counts them with valgrind.\n",
              out);
}

static void
print_races(const struct micro_report *report, FILE *out)
{
    char rate[GROUPED_SIZE];

    fprintf(out, "%-8s %8s %16s %8s\n", "part", "threads", "a second", "ratio");
    for (unsigned i = 0; i < report->race_count; i++) {
        const struct micro_race *race = &report->races[i];
        fprintf(out, "%-8s %8u %16s %8.2f\n", race->part->name, race->threads,
                format_grouped((uint64_t)race->rate, rate), race->ratio);
    }
}

void
micro_print_text(const struct micro_report *report, FILE *out)
{
    if (report->race_count > 0)
        print_races(report, out);
    else
        print_results(report, out);
}

/* ── for programs ── */

static void
print_json_result(const struct micro_result *result, FILE *out)
{
    fprintf(out, "{\"part\":\"%s\",\"ns\":{\"median\":%.2f,\"least\":%.2f,\"most\":%.2f},\"instructions\":",
            result->part->name, result->median, result->least, result->most);
    if (result->instructions < 0)
        fputs("null}", out);
    else
        fprintf(out, "%.2f}", result->instructions);
}

void
micro_print_json(const struct micro_report *report, FILE *out)
{
    const struct micro_plan *plan = report->plan;

    fprintf(out,
            "{\"compiler\":\"" COMPILER "\",\"scan\":\"%s\",\"operations\":%" PRIu64
            ",\"rounds\":%u,\"answers\":%u,\"parts\":[",
            scan_best()->name, plan->operations, plan->rounds, plan->answers);
    for (unsigned i = 0; i < report->result_count; i++) {
        fputs(i > 0 ? "," : "", out);
        print_json_result(&report->results[i], out);
    }
    fputs("],\"threads\":[", out);
    for (unsigned i = 0; i < report->race_count; i++) {
        const struct micro_race *race = &report->races[i];
        fprintf(out, "%s{\"part\":\"%s\",\"threads\":%u,\"per_second\":%.0f,\"ratio\":%.3f}",
                i > 0 ? "," : "", race->part->name, race->threads, race->rate, race->ratio);
    }
    fputs("]}\n", out);
}
