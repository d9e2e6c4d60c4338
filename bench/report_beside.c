/* report_beside.c: what compare found beside processor time: latency at half load, and memory. See report.h. */
#include "report.h"

#include <math.h>

/* {"larder": {...}, ...}; NULL when the source has none of it. */
static json_t *
rows_of(const struct report_source *source, const char *part, const char *member)
{
    if (source->kind != REPORT_COST)
        return NULL;
    json_t *found = json_object_get(source->json, part);
    if (member != NULL)
        found = json_object_get(found, member);
    return json_object_size(found) > 0 ? found : NULL;
}

static bool
has_part(const struct report *report, const char *part)
{
    for (unsigned i = 0; i < report->count; i++)
        if (rows_of(&report->sources[i], part, NULL) != NULL)
            return true;
    return false;
}

static void
write_name(const struct report_source *source, FILE *out)
{
    fputs("<h3>", out);
    chart_text(source->name, out);
    fputs("</h3>\n", out);
}

/* ── latency ── */

static const struct {
    const char *member, *caption;
} ways[] = {
    { "own", "Each at half of what it can do" },
    { "same", "All at half of what the slowest can do" },
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static void
write_curves(const char *caption, json_t *rows, FILE *out)
{
    static const char *const told[] = { "p50", "p90", "p99", "p99.9" };
    struct report_latencies  latencies = { .percentiles = told,
                                           .percentile_count = sizeof told / sizeof told[0] };
    const char              *name;
    json_t                  *row;
    json_object_foreach(rows, name, row)
    {
        report_latencies_add(&latencies, name, row);
    }
    report_latencies_write(&latencies, caption, out);
}

static void
write_row(const char *name, const json_t *row, unsigned colour, FILE *out)
{
    static const char *const told[] = { "p50", "p90", "p99", "p99.9", "least", "most" };
    char                     text[CHART_TEXT];
    fprintf(out, "<tr><td class=\"%s\"><i></i>", report_colour(colour));
    chart_text(name, out);
    fputs("</td>", out);
    report_count(report_number(row, "due"), text);
    report_cell(text, out);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        report_micros(report_number(row, told[i]), text);
        report_cell(text, out);
    }
    fputs("</tr>\n", out);
}

static void
write_latency_table(const char *caption, json_t *rows, FILE *out)
{
    unsigned    colour = 0;
    const char *name;
    json_t     *row;
    fprintf(out,
            "<div class=\"scroll\"><table>\n<thead><tr><th>%s</th><th>requests a "
            "second</th><th>p50</th><th>p90</th>"
            "<th>p99</th><th>p99.9</th><th>p99: least</th><th>most</th></tr></thead>\n<tbody>\n",
            caption);
    json_object_foreach(rows, name, row)
    {
        write_row(name, row, colour++, out);
    }
    fputs("</tbody>\n</table></div>\n", out);
}

static void
write_half_loads(const struct report_source *source, FILE *out)
{
    write_name(source, out);
    fputs("<div class=\"two\">\n", out);
    for (unsigned i = 0; i < WAYS; i++) {
        json_t *rows = rows_of(source, "latency", ways[i].member);
        if (rows != NULL)
            write_curves(ways[i].caption, rows, out);
    }
    fputs("</div>\n", out);
    for (unsigned i = 0; i < WAYS; i++) {
        json_t *rows = rows_of(source, "latency", ways[i].member);
        if (rows != NULL)
            write_latency_table(ways[i].caption, rows, out);
    }
}

void
report_half_loads(const struct report *report, FILE *out)
{
    if (!has_part(report, "latency"))
        return;
    report_section("Latency at half load",
                   "Hits of 1 KB in an open loop; latency counts from when a request was due. Least and most "
                   "are those of the rounds.",
                   out);
    for (unsigned i = 0; i < report->count; i++)
        if (rows_of(&report->sources[i], "latency", NULL) != NULL)
            write_half_loads(&report->sources[i], out);
    fputs("</section>\n", out);
}

/* ── memory ── */

static void
idle_bar(struct chart_bar *bar, const json_t *row)
{
    bar->parts[0] = fmax(report_number(row, "bytes"), 0);
    bar->least = fmax(report_number(row, "least"), 0);
    bar->most = fmax(report_number(row, "most"), 0);
    report_count(bar->parts[0], bar->value);
}

/* Solid is what the server had before. */
static void
stream_bar(struct chart_bar *bar, const json_t *row)
{
    double peak = report_number(row, "peak");
    if (!json_is_object(row)) {
        snprintf(bar->value, sizeof bar->value, "the body did not come whole");
        return;
    }
    bar->parts[0] = fmin(fmax(report_number(row, "before"), 0), fmax(peak, 0));
    bar->parts[1] = fmax(peak, 0) - bar->parts[0];
    bar->least = bar->most = 0;
    report_size(peak, bar->value);
}

static void
write_bars(json_t *rows, void (*fill)(struct chart_bar *bar, const json_t *row), chart_format *format,
           FILE *out)
{
    struct chart_bar bars[CHART_SERIES];
    unsigned         count = 0;
    const char      *name;
    json_t          *row;
    json_object_foreach(rows, name, row)
    {
        if (count == CHART_SERIES)
            break;
        struct chart_bar *bar = &bars[count++];
        *bar = (struct chart_bar){ .colour = report_is_ours(name) ? "hero" : "peer" };
        snprintf(bar->name, sizeof bar->name, "%.64s", name);
        fill(bar, row);
    }
    chart_bars(bars, count, format, out);
}

static void
write_idle(const struct report_source *source, FILE *out)
{
    const char *number;
    json_t     *rows;
    json_object_foreach(rows_of(source, "idle", NULL), number, rows)
    {
        if (json_object_size(rows) == 0)
            continue;
        fputs("<figure>\n<figcaption>Bytes for an idle connection, of ", out);
        chart_text(number, out);
        fputs("</figcaption>\n", out);
        write_bars(rows, idle_bar, report_rate, out);
        fputs("</figure>\n", out);
    }
}

static void
write_stream(const struct report_source *source, FILE *out)
{
    json_t *rows = rows_of(source, "stream", NULL);
    if (rows == NULL)
        return;
    fputs("<figure>\n<figcaption>Most memory while a body went through, of ", out);
    chart_text(report_string(source->json, "body"), out);
    fputs("; solid: before it</figcaption>\n", out);
    write_bars(rows, stream_bar, report_size, out);
    fputs("</figure>\n", out);
}

void
report_memory(const struct report *report, FILE *out)
{
    if (!has_part(report, "idle") && !has_part(report, "stream"))
        return;
    report_section("Memory",
                   "Resident memory of a server's process tree: what a connection adds that was kept alive "
                   "after a request and its "
                   "answer, and the peak while one body went through that is longer than the store.",
                   out);
    for (unsigned i = 0; i < report->count; i++) {
        const struct report_source *source = &report->sources[i];
        if (rows_of(source, "idle", NULL) == NULL && rows_of(source, "stream", NULL) == NULL)
            continue;
        write_name(source, out);
        write_idle(source, out);
        write_stream(source, out);
    }
    fputs("</section>\n", out);
}
