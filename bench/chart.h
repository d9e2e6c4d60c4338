/* chart.h: charts as inline SVG: bars and lines, with the classes that report/report.css colours.
 *
 *      chart_bars    name ████████░░░─┤ value      parts side by side, a range over them
 *      chart_lines   curves with their names at the end; both axes linear or by powers
 *
 * A number that is not finite, or off the scale, lies at the edge of it. Pure: numbers in, text out.
 */
#ifndef BENCH_CHART_H
#define BENCH_CHART_H

#include <stdbool.h>
#include <stdio.h>

enum { CHART_TEXT = 96, CHART_POINTS = 24, CHART_SERIES = 32, CHART_TICKS = 24, CHART_COLOURS = 8 };

/* Text with & < > " ' written so that it stays text. */
void chart_text(const char *text, FILE *out);

/* How a number is written at an axis; NUL-terminated into `out`. */
typedef void chart_format(double value, char out[static CHART_TEXT]);

/* ── bars ── */

struct chart_bar {
    char        name[CHART_TEXT], value[CHART_TEXT];
    double      parts[2];    /* side by side */
    double      least, most; /* of several rounds; equal: none is drawn */
    const char *colour;      /* "hero", "peer", or "s0" to "s7": those of the curves */
};

void chart_bars(const struct chart_bar *bars, unsigned count, chart_format *format, FILE *out);

/* ── lines ── */

struct chart_tick {
    double at;
    char   text[CHART_TEXT];
};

struct chart_axis {
    double            least, most;
    bool              powers; /* equal distances are equal factors; least is above 0 */
    struct chart_tick ticks[CHART_TICKS];
    unsigned          tick_count;
};

/* From `least` to `most`, rounded outwards to ticks: at 1, 2 or 5 times a power of ten; or, by powers, at
 * 1, 2 or 5 times one, of which the powers themselves are told when there are many. */
void chart_axis_linear(struct chart_axis *axis, double least, double most, chart_format *format);
void chart_axis_powers(struct chart_axis *axis, double least, double most, chart_format *format);

struct chart_series {
    char     name[CHART_TEXT];
    unsigned count;
    double   x[CHART_POINTS], y[CHART_POINTS];
    char     tips[CHART_POINTS][CHART_TEXT]; /* what a point says when it is pointed at */
};

struct chart_lines {
    struct chart_axis          x, y;
    const struct chart_series *series;
    unsigned                   count;
    const char                *x_title;
    double                     floor; /* a dashed line that no curve can go below; < 0: none */
    unsigned                   width; /* of the drawing, in its own units */
};

void chart_lines(const struct chart_lines *lines, FILE *out);

#endif
