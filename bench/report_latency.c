/* report_latency.c: a drawing of latency by percentile, one curve for each program. See report.h. */
#include "report.h"

#include <math.h>

enum { WIDTH = 470 };

void
report_latencies_add(struct report_latencies *latencies, const char *name, const json_t *latency)
{
    if (latencies->count == CHART_SERIES)
        return;
    struct chart_series *curve = &latencies->curves[latencies->count];
    char                 text[CHART_TEXT];
    snprintf(curve->name, sizeof curve->name, "%.90s", name);
    curve->count = latencies->percentile_count;
    for (unsigned i = 0; i < curve->count; i++) {
        const char *percentile = latencies->percentiles[i];
        curve->x[i] = i;
        curve->y[i] = fmax(report_number(latency, percentile), 1);
        report_micros(curve->y[i], text);
        snprintf(curve->tips[i], sizeof curve->tips[i], "%.40s %.10s: %.40s", name, percentile, text);
    }
    double first = curve->y[0], last = curve->y[curve->count - 1];
    latencies->least = latencies->count == 0 ? first : fmin(latencies->least, first);
    latencies->most = fmax(latencies->most, last);
    latencies->count++;
}

void
report_latencies_write(struct report_latencies *latencies, const char *caption, FILE *out)
{
    unsigned           count = latencies->percentile_count;
    struct chart_lines lines = { .series = latencies->curves,
                                 .count = latencies->count,
                                 .x_title = "percentile",
                                 .floor = -1,
                                 .width = WIDTH };
    lines.x = (struct chart_axis){ .most = count - 1, .tick_count = count };
    for (unsigned i = 0; i < count; i++) {
        lines.x.ticks[i].at = i;
        snprintf(lines.x.ticks[i].text, CHART_TEXT, "%s", latencies->percentiles[i]);
    }
    chart_axis_powers(&lines.y, latencies->least, latencies->most, report_micros);
    fputs("<figure>\n<figcaption>", out);
    chart_text(caption, out);
    fputs("</figcaption>\n", out);
    chart_lines(&lines, out);
    fputs("</figure>\n", out);
}
