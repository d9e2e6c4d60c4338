/* report_misses.c: curves of misses by the size of the cache, one for each policy, from simulate. See report.h. */
#include "report.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 470, APART = 6 }; /* labels are at least the APARTth part of the axis from each other */

/* What a simulation says, by policy and then by size. */
struct misses {
    struct chart_series curves[CHART_SERIES];
    unsigned            count;
};

static struct chart_series *
curve_of(struct misses *misses, const char *policy)
{
    for (unsigned i = 0; i < misses->count; i++)
        if (strncmp(misses->curves[i].name, policy, CHART_TEXT - 1) == 0)
            return &misses->curves[i];
    if (misses->count == CHART_SERIES)
        return NULL;
    struct chart_series *curve = &misses->curves[misses->count++];
    curve->count = 0;
    snprintf(curve->name, sizeof curve->name, "%s", policy);
    return curve;
}

/* Sizes may be given in any order; a curve goes from the left to the right. */
static void
add_point(struct chart_series *curve, const char *policy, double size, double percent)
{
    char     text[CHART_TEXT];
    unsigned at = curve->count;
    if (curve->count == CHART_POINTS)
        return;
    for (; at > 0 && curve->x[at - 1] > size; at--) {
        curve->x[at] = curve->x[at - 1];
        curve->y[at] = curve->y[at - 1];
        memcpy(curve->tips[at], curve->tips[at - 1], CHART_TEXT);
    }
    curve->count++;
    curve->x[at] = size;
    curve->y[at] = percent;
    report_size(size, text);
    snprintf(curve->tips[at], CHART_TEXT, "%.30s, %.30s: %.1f %% missed", policy, text, percent);
}

static void
read_misses(struct misses *misses, const json_t *json, const char *member)
{
    size_t  index;
    json_t *result;
    misses->count = 0;
    json_array_foreach(json_object_get(json, "results"), index, result)
    {
        const char          *policy = report_string(result, "policy");
        struct chart_series *curve = curve_of(misses, policy);
        if (curve != NULL)
            add_point(curve, policy, fmax(report_number(result, "cache_bytes"), 1),
                      100 * report_number(result, member));
    }
}

/* ── axes ── */

/* As report_size, with two digits: labels stand close. */
static void
format_size(double size, char out[static CHART_TEXT])
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    unsigned                 unit = 0;
    for (; size >= 1000 && unit < 4; unit++)
        size /= 1024;
    snprintf(out, CHART_TEXT, "%.*f %s", size < 10 && unit > 0 ? 1 : 0, size, units[unit]);
}

static void
make_sizes(struct chart_axis *axis, const struct chart_series *curve)
{
    double least = curve->x[0], most = curve->x[curve->count - 1];
    if (most <= least) {
        least /= 2;
        most *= 2;
    }
    *axis = (struct chart_axis){ .least = least, .most = most, .powers = true };
    double gap = pow(most / least, 1.0 / APART);
    for (unsigned i = 0; i < curve->count && axis->tick_count < CHART_TICKS; i++) {
        if (axis->tick_count > 0 && curve->x[i] < gap * axis->ticks[axis->tick_count - 1].at)
            continue;
        struct chart_tick *tick = &axis->ticks[axis->tick_count++];
        tick->at = curve->x[i];
        format_size(curve->x[i], tick->text);
    }
}

static void
make_percents(struct chart_axis *axis, const struct misses *misses, double floor)
{
    double least = floor, most = floor;
    for (unsigned i = 0; i < misses->count; i++)
        for (unsigned k = 0; k < misses->curves[i].count; k++) {
            least = fmin(least, misses->curves[i].y[k]);
            most = fmax(most, misses->curves[i].y[k]);
        }
    chart_axis_linear(axis, least, most, report_percent);
}

/* ── a simulation ── */

static void
write_chart(const json_t *json, const char *member, const char *least, const char *caption, FILE *out)
{
    struct misses      misses;
    struct chart_lines lines = { .x_title = "size of the cache", .width = WIDTH };
    read_misses(&misses, json, member);
    if (misses.count == 0)
        return;
    lines.series = misses.curves;
    lines.count = misses.count;
    lines.floor = 100 * report_number(json, least);
    make_sizes(&lines.x, &misses.curves[0]);
    make_percents(&lines.y, &misses, lines.floor);
    fprintf(out, "<figure>\n<figcaption>%s</figcaption>\n", caption);
    chart_lines(&lines, out);
    fputs("</figure>\n", out);
}

/* The fewest misses at a size stand out. */
static void
write_row(const struct misses *objects, const struct misses *bytes, unsigned size, FILE *out)
{
    char   text[CHART_TEXT];
    double best = INFINITY;
    for (unsigned i = 0; i < objects->count; i++)
        best = fmin(best, size < objects->curves[i].count ? objects->curves[i].y[size] : INFINITY);
    report_size(objects->curves[0].x[size], text);
    fprintf(out, "<tr><td>%s</td>", text);
    for (unsigned i = 0; i < objects->count; i++)
        if (size < objects->curves[i].count)
            fprintf(out, "<td%s>%.1f / %.1f</td>",
                    objects->curves[i].y[size] <= best ? " class=\"hero\"" : "", objects->curves[i].y[size],
                    bytes->curves[i].y[size]);
        else
            fputs("<td>–</td>", out);
    fputs("</tr>\n", out);
}

static void
write_table(const json_t *json, FILE *out)
{
    struct misses objects, bytes;
    read_misses(&objects, json, "object_miss_ratio");
    read_misses(&bytes, json, "byte_miss_ratio");
    if (objects.count == 0)
        return;
    fputs("<div class=\"scroll\"><table>\n<thead><tr><th>missed, % of requests / of bytes</th>", out);
    for (unsigned i = 0; i < objects.count; i++) {
        fprintf(out, "<th class=\"s%u\">", i % CHART_COLOURS);
        chart_text(objects.curves[i].name, out);
        fputs("</th>", out);
    }
    fputs("</tr></thead>\n<tbody>\n", out);
    for (unsigned i = 0; i < objects.curves[0].count; i++)
        write_row(&objects, &bytes, i, out);
    fputs("</tbody>\n</table></div>\n", out);
}

static void
write_source(const struct report_source *source, FILE *out)
{
    const json_t *json = source->json;
    char          footprint[CHART_TEXT], requests[CHART_TEXT], objects[CHART_TEXT];
    report_size(report_number(json, "footprint_bytes"), footprint);
    report_count(report_number(json, "requests"), requests);
    report_count(report_number(json, "objects"), objects);
    fputs("<h3>", out);
    chart_text(source->name, out);
    fprintf(out,
            "</h3>\n<p class=\"say\">%s requests for %s objects of %s together.</p>\n<div class=\"two\">\n",
            requests, objects, footprint);
    write_chart(json, "object_miss_ratio", "least_object_miss_ratio", "Requests that miss", out);
    write_chart(json, "byte_miss_ratio", "least_byte_miss_ratio", "Bytes that miss", out);
    fputs("</div>\n", out);
    write_table(json, out);
}

void
report_misses(const struct report *report, FILE *out)
{
    if (!report_has(report, REPORT_SIMULATE))
        return;
    report_section(
        "Misses by the size of the cache",
        "Simulated with the eviction code of the store. The dashed line is a cache that keeps all: the "
        "first request for an object always misses.",
        out);
    for (unsigned i = 0; i < report->count; i++)
        if (report->sources[i].kind == REPORT_SIMULATE)
            write_source(&report->sources[i], out);
    fputs("</section>\n", out);
}
