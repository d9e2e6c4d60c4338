/* chart_lines.c: curves with their names at the end, moved apart where they would lie on each other. See
 * chart.h. */
#include "chart.h"

#include <math.h>
#include <string.h>

/* In the drawing's own units. */
enum {
    HEIGHT = 340,
    LEFT = 62,
    RIGHT_LEAST = 64,
    RIGHT_MOST = 170,
    LETTER = 8,
    TOP = 12,
    FOOT = 52,
    NAME_GAP = 17
};

struct canvas {
    const struct chart_lines *lines;
    FILE                     *out;
    double                    left, right, top, bottom;
};

/* 0 to 1 along the axis. */
static double
along(const struct chart_axis *axis, double value)
{
    double part = axis->powers ? log(value / axis->least) / log(axis->most / axis->least)
                               : (value - axis->least) / (axis->most - axis->least);
    if (!(part > 0)) /* not a number, too */
        return 0;
    return part < 1 ? part : 1;
}

static double
x_of(const struct canvas *canvas, double value)
{
    return canvas->left + (canvas->right - canvas->left) * along(&canvas->lines->x, value);
}

static double
y_of(const struct canvas *canvas, double value)
{
    return canvas->bottom - (canvas->bottom - canvas->top) * along(&canvas->lines->y, value);
}

/* ── the frame ── */

static void
draw_text(const struct canvas *canvas, double x, double y, const char *anchor, const char *text)
{
    fprintf(canvas->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    chart_text(text, canvas->out);
    fputs("</text>\n", canvas->out);
}

static void
draw_level(const struct canvas *canvas, const char *class, double y)
{
    fprintf(canvas->out, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>", class,
            canvas->left, canvas->right, y, y);
}

static void
draw_frame(const struct canvas *canvas)
{
    const struct chart_axis *x = &canvas->lines->x, *y = &canvas->lines->y;
    for (unsigned i = 0; i < y->tick_count; i++) {
        double at = y_of(canvas, y->ticks[i].at);
        draw_level(canvas, "grid", at);
        draw_text(canvas, canvas->left - 9, at + 4.5, "end", y->ticks[i].text);
    }
    draw_level(canvas, "base", canvas->bottom);
    for (unsigned i = 0; i < x->tick_count; i++)
        draw_text(canvas, x_of(canvas, x->ticks[i].at), canvas->bottom + 19, "middle", x->ticks[i].text);
    draw_text(canvas, (canvas->left + canvas->right) / 2, canvas->bottom + 42, "middle",
              canvas->lines->x_title);
}

static void
draw_floor(const struct canvas *canvas)
{
    if (canvas->lines->floor < 0)
        return;
    draw_level(canvas, "least", y_of(canvas, canvas->lines->floor));
}

/* ── the curves ── */

static void
draw_curve(const struct canvas *canvas, unsigned number)
{
    const struct chart_series *series = &canvas->lines->series[number];
    fprintf(canvas->out, "<g class=\"s%u\"><path class=\"line\" d=\"", number % CHART_COLOURS);
    for (unsigned i = 0; i < series->count; i++)
        fprintf(canvas->out, "%c%.1f %.1f", i == 0 ? 'M' : 'L', x_of(canvas, series->x[i]),
                y_of(canvas, series->y[i]));
    fputs("\"/>", canvas->out);
    for (unsigned i = 0; i < series->count; i++) {
        fprintf(canvas->out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>",
                x_of(canvas, series->x[i]), y_of(canvas, series->y[i]));
        chart_text(series->tips[i], canvas->out);
        fputs("</title></circle>", canvas->out);
    }
    fputs("</g>\n", canvas->out);
}

/* ── their names ── */

struct names {
    double   y[CHART_SERIES];
    unsigned order[CHART_SERIES]; /* from the top */
};

static void
sort_names(const struct canvas *canvas, struct names *names)
{
    for (unsigned i = 0; i < canvas->lines->count; i++) {
        const struct chart_series *series = &canvas->lines->series[i];
        names->y[i] = y_of(canvas, series->count == 0 ? 0 : series->y[series->count - 1]);
        unsigned at = i;
        for (; at > 0 && names->y[names->order[at - 1]] > names->y[i]; at--)
            names->order[at] = names->order[at - 1];
        names->order[at] = i;
    }
}

/* Downwards where they are too near, then all up again as far as they were pushed out. */
static void
move_apart(const struct canvas *canvas, struct names *names)
{
    unsigned count = canvas->lines->count;
    for (unsigned i = 1; i < count; i++)
        names->y[names->order[i]] = fmax(names->y[names->order[i]], names->y[names->order[i - 1]] + NAME_GAP);
    double limit = canvas->bottom;
    for (unsigned i = count; i-- > 0; limit = names->y[names->order[i]] - NAME_GAP)
        names->y[names->order[i]] = fmin(names->y[names->order[i]], limit);
}

static void
draw_names(const struct canvas *canvas)
{
    struct names names;
    memset(&names, 0, sizeof names);
    sort_names(canvas, &names);
    move_apart(canvas, &names);
    for (unsigned i = 0; i < canvas->lines->count; i++) {
        const struct chart_series *series = &canvas->lines->series[i];
        if (series->count == 0)
            continue;
        double x = x_of(canvas, series->x[series->count - 1]), y = y_of(canvas, series->y[series->count - 1]);
        fprintf(canvas->out, "<g class=\"s%u\"><path class=\"leader\" d=\"M%.1f %.1fL%.1f %.1f\"/>",
                i % CHART_COLOURS, x + 6, y, canvas->right + 16, names.y[i]);
        fprintf(canvas->out, "<text class=\"end\" x=\"%.1f\" y=\"%.1f\">", canvas->right + 20,
                names.y[i] + 4.5);
        chart_text(series->name, canvas->out);
        fputs("</text></g>\n", canvas->out);
    }
}

/* About: nobody but the browser knows how wide letters are. */
static double
room_for_names(const struct chart_lines *lines)
{
    size_t longest = 0;
    for (unsigned i = 0; i < lines->count; i++) {
        size_t len = strlen(lines->series[i].name);
        longest = len > longest ? len : longest;
    }
    return fmin(fmax(24 + LETTER * (double)longest, RIGHT_LEAST), RIGHT_MOST);
}

void
chart_lines(const struct chart_lines *lines, FILE *out)
{
    struct canvas canvas = { .lines = lines,
                             .out = out,
                             .left = LEFT,
                             .right = lines->width - room_for_names(lines),
                             .top = TOP,
                             .bottom = HEIGHT - FOOT };
    fprintf(out, "<svg class=\"chart\" viewBox=\"0 0 %u %d\" role=\"img\">\n", lines->width, HEIGHT);
    draw_frame(&canvas);
    draw_floor(&canvas);
    for (unsigned i = lines->count; i-- > 0;) /* the first lies on top */
        draw_curve(&canvas, i);
    draw_names(&canvas);
    fputs("</svg>\n", out);
}
