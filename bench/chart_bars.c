/* chart_bars.c: bars that lie, one below the other, from one baseline. See chart.h. */
#include "chart.h"

#include <math.h>

/* In the drawing's own units. */
enum { WIDTH = 930, LEFT = 170, RIGHT = 130, ROW = 36, BAR = 20, FOOT = 26, ROUND = 3 };

static double
scale(const struct chart_axis *axis, double value)
{
    double x = LEFT + (WIDTH - LEFT - RIGHT) * value / axis->most;
    if (!(x > LEFT)) /* not a number, too */
        return LEFT;
    return x < WIDTH - RIGHT ? x : WIDTH - RIGHT;
}

static double
most_of(const struct chart_bar *bars, unsigned count)
{
    double most = 0;
    for (unsigned i = 0; i < count; i++)
        most = fmax(most, fmax(bars[i].parts[0] + bars[i].parts[1], bars[i].most));
    return most;
}

static void
draw_grid(const struct chart_axis *axis, unsigned height, FILE *out)
{
    for (unsigned i = 0; i < axis->tick_count; i++) {
        double x = scale(axis, axis->ticks[i].at);
        fprintf(out, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%u\"/>",
                i == 0 ? "base" : "grid", x, x, height);
        fprintf(out, "<text x=\"%.1f\" y=\"%u\" text-anchor=\"middle\">", x, height + 18);
        chart_text(axis->ticks[i].text, out);
        fputs("</text>\n", out);
    }
}

static void
draw_part(double from, double to, double y, const char *class, FILE *out)
{
    if (to - from < 0.05)
        return;
    fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"%d\"/>", class,
            from, y, to - from, BAR, ROUND);
}

static void
draw_range(const struct chart_axis *axis, const struct chart_bar *bar, double y, FILE *out)
{
    double from = scale(axis, bar->least), to = scale(axis, bar->most), middle = y + BAR / 2.0;
    if (bar->least >= bar->most)
        return;
    fprintf(out, "<path class=\"range\" d=\"M%.1f %.1fv8m0-4H%.1fm0-4v8\"><title>%g to %g</title></path>",
            from, middle - 4, to, bar->least, bar->most);
}

static void
draw_bar(const struct chart_axis *axis, const struct chart_bar *bar, unsigned row, FILE *out)
{
    double y = row * ROW + (ROW - BAR) / 2.0, text = y + BAR / 2.0 + 4.5;
    double middle = scale(axis, bar->parts[0]), end = scale(axis, bar->parts[0] + bar->parts[1]);
    fprintf(out, "<g class=\"%s\"><text class=\"name\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", bar->colour,
            LEFT - 12, text);
    chart_text(bar->name, out);
    fputs("</text>", out);
    draw_part(LEFT, middle, y, "part", out);
    draw_part(middle, end, y, "part soft", out);
    draw_range(axis, bar, y, out);
    fprintf(out, "<text class=\"value\" x=\"%.1f\" y=\"%.1f\">", fmax(end, scale(axis, bar->most)) + 9, text);
    chart_text(bar->value, out);
    fputs("</text></g>\n", out);
}

void
chart_bars(const struct chart_bar *bars, unsigned count, chart_format *format, FILE *out)
{
    struct chart_axis axis;
    unsigned          height = count * ROW;
    chart_axis_linear(&axis, 0, most_of(bars, count), format);
    fprintf(out, "<svg class=\"chart wide\" viewBox=\"0 0 %d %u\" role=\"img\">\n", WIDTH, height + FOOT);
    draw_grid(&axis, height, out);
    for (unsigned i = 0; i < count; i++)
        draw_bar(&axis, &bars[i], i, out);
    fputs("</svg>\n", out);
}
