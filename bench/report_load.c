/* report_load.c: loads and replays: requests a second, latency by percentile, and a table. See report.h. */
#include "report.h"

#include <larder/base/units.h>

static bool
is_load(const struct report_source *source)
{
    return source->kind == REPORT_LOAD || source->kind == REPORT_REPLAY;
}

/* ── latency ── */

static void
write_latency(const struct report *report, const char *which, const char *caption, FILE *out)
{
    static const char *const told[] = { "p50", "p90", "p99", "p99.9", "max" };
    struct report_latencies  latencies = { .percentiles = told,
                                           .percentile_count = sizeof told / sizeof told[0] };
    for (unsigned i = 0; i < report->count; i++) {
        const struct report_source *source = &report->sources[i];
        if (is_load(source))
            report_latencies_add(&latencies, source->name,
                                 json_object_get(json_object_get(source->json, "latency_us"), which));
    }
    report_latencies_write(&latencies, caption, out);
}

/* ── requests a second ── */

static void
write_rates(const struct report *report, FILE *out)
{
    struct chart_bar bars[CHART_SERIES];
    unsigned         count = 0;
    for (unsigned i = 0; i < report->count; i++) {
        if (!is_load(&report->sources[i]))
            continue;
        struct chart_bar *bar = &bars[count];
        double            rate = report_number(report->sources[i].json, "requests_per_second");
        *bar = (struct chart_bar){ .parts = { rate, 0 }, .colour = report_colour(count++) };
        snprintf(bar->name, sizeof bar->name, "%s", report->sources[i].name);
        report_count(rate, bar->value);
    }
    fputs("<figure>\n<figcaption>Answers per second</figcaption>\n", out);
    chart_bars(bars, count, report_rate, out);
    fputs("</figure>\n", out);
}

/* ── the table ── */

static void
write_ratio_cell(const json_t *json, const char *member, FILE *out)
{
    char text[CHART_TEXT] = "–";
    if (report_number(json, "hits") + report_number(json, "misses") > 0)
        snprintf(text, sizeof text, "%.1f %%", 100 * report_number(json, member));
    report_cell(text, out);
}

static double
errors_of(const json_t *json)
{
    double      sum = report_number(json, "status_errors");
    const char *name;
    json_t     *number;
    json_object_foreach(json_object_get(json, "errors"), name, number) sum += json_number_value(number);
    return sum;
}

static void
write_latency_cells(const json_t *json, FILE *out)
{
    static const char *const told[] = { "p50", "p99", "p99.9" };
    const json_t            *response = json_object_get(json_object_get(json, "latency_us"), "response");
    char                     text[CHART_TEXT];
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        report_micros(report_number(response, told[i]), text);
        report_cell(text, out);
    }
}

static void
write_row(const struct report_source *source, unsigned colour, FILE *out)
{
    const json_t *json = source->json;
    char          text[CHART_TEXT];
    fprintf(out, "<tr><td class=\"%s\"><i></i>", report_colour(colour));
    chart_text(source->name, out);
    fputs("</td>", out);
    snprintf(text, sizeof text, "%.24s, %.0f", report_string(json, "loop"),
             report_number(json, "connections"));
    report_cell(text, out);
    report_count(report_number(json, "answers"), text);
    report_cell(text, out);
    report_size(report_number(json, "bytes_per_second"), text);
    report_cell(text, out);
    write_ratio_cell(json, "hit_ratio", out);
    write_ratio_cell(json, "byte_hit_ratio", out);
    report_count(errors_of(json), text);
    report_cell(text, out);
    write_latency_cells(json, out);
    fputs("</tr>\n", out);
}

static void
write_table(const struct report *report, FILE *out)
{
    unsigned colour = 0;
    fputs("<div class=\"scroll\"><table>\n<thead><tr><th></th><th>loop, "
          "connections</th><th>answers</th><th>bytes "
          "a second</th><th>hits</th><th>of bytes</th><th>errors</th><th>p50</th><th>p99</th><th>p99.9</th>"
          "</tr></thead>\n<tbody>\n",
          out);
    for (unsigned i = 0; i < report->count; i++)
        if (is_load(&report->sources[i]))
            write_row(&report->sources[i], colour++, out);
    fputs("</tbody>\n</table></div>\n", out);
}

void
report_loads(const struct report *report, FILE *out)
{
    if (!report_has(report, REPORT_LOAD) && !report_has(report, REPORT_REPLAY))
        return;
    report_section(
        "Throughput and latency",
        "Response is what a user would have seen: from when a request was due, or corrected for the "
        "requests that a closed loop did not send while it waited. Service counts from the sending.",
        out);
    write_rates(report, out);
    fputs("<div class=\"two\">\n", out);
    write_latency(report, "response", "Response time", out);
    write_latency(report, "service", "Service time", out);
    fputs("</div>\n", out);
    write_table(report, out);
    fputs("</section>\n", out);
}
