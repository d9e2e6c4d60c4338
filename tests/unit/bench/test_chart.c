/* Charts: axes, and that what comes out is drawn where it belongs. */
#include "chart.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void
plain(double value, char out[static CHART_TEXT])
{
    snprintf(out, CHART_TEXT, "%g", value);
}

static void
expect_ticks(const struct chart_axis *axis, const char *wanted)
{
    char   text[CHART_TICKS * CHART_TEXT];
    size_t len = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < axis->tick_count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, i == 0 ? "%s" : " %s", axis->ticks[i].text);
    cr_assert_str_eq(text, wanted);
}

Test(bench_chart, linear_axes_end_at_round_numbers)
{
    struct chart_axis axis;
    chart_axis_linear(&axis, 0, 44.1, plain);
    expect_ticks(&axis, "0 10 20 30 40 50");
    cr_assert_eq(axis.most, 50);
    chart_axis_linear(&axis, 60.8, 87.5, plain);
    expect_ticks(&axis, "60 70 80 90");
    chart_axis_linear(&axis, 0, 0.003, plain);
    expect_ticks(&axis, "0 0.001 0.002 0.003");
}

Test(bench_chart, axes_by_powers_end_at_1_2_or_5_of_one)
{
    struct chart_axis axis;
    chart_axis_powers(&axis, 30, 900, plain);
    expect_ticks(&axis, "20 50 100 200 500 1000");
    chart_axis_powers(&axis, 1, 100000, plain);
    expect_ticks(&axis, "1 10 100 1000 10000 100000");
    chart_axis_powers(&axis, 0.4, 0.4, plain);
    expect_ticks(&axis, "0.2 0.5");
    cr_assert_lt(axis.least, axis.most);
}

/* Whatever a file says, an axis has a length and ends. */
Test(bench_chart, axes_of_what_is_no_range)
{
    static const double values[] = { 0, -1, 1, 1e300, -1e300, 1e17, INFINITY, NAN };
    enum { COUNT = sizeof values / sizeof values[0] };
    struct chart_axis axis;
    for (unsigned i = 0; i < COUNT * COUNT; i++) {
        chart_axis_linear(&axis, values[i / COUNT], values[i % COUNT], plain);
        cr_assert_leq(axis.tick_count, CHART_TICKS);
        chart_axis_powers(&axis, values[i / COUNT], values[i % COUNT], plain);
        cr_assert(axis.least > 0 && axis.least < axis.most);
    }
    chart_axis_linear(&axis, 1e17, 1e17 + 64, plain);
    cr_assert_leq(axis.tick_count, CHART_TICKS);
}

static char  *text;
static size_t size;

static FILE *
open_text(void)
{
    FILE *out = open_memstream(&text, &size);
    cr_assert_not_null(out);
    return out;
}

Test(bench_chart, text_stays_text)
{
    FILE *out = open_text();
    chart_text("a<b>&\"c\'µ", out);
    fclose(out);
    cr_assert_str_eq(text, "a&#60;b&#62;&#38;&#34;c&#39;µ");
    free(text);
}

static unsigned
count_of(const char *part)
{
    unsigned count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

Test(bench_chart, bars_are_as_long_as_their_parts)
{
    struct chart_bar bars[] = {
        { .name = "<us>", .value = "10 µs", .parts = { 4, 6 }, .least = 8, .most = 12, .colour = "hero" },
        { .name = "them", .value = "20 µs", .parts = { 20, 0 }, .colour = "peer" },
        { .name = "odd", .value = "?", .parts = { NAN, -5 }, .colour = "peer" },
    };
    FILE *out = open_text();
    chart_bars(bars, 3, plain, out);
    fclose(out);
    cr_assert_eq(count_of("<rect"), 3); /* two parts, one part, nothing */
    cr_assert_eq(count_of("class=\"range\""), 1);
    cr_assert_not_null(strstr(text, "&#60;us&#62;"));
    cr_assert_not_null(strstr(text, "x=\"170.0\""));     /* the base line */
    cr_assert_not_null(strstr(text, "width=\"126.0\"")); /* 4 of 20, of 630 */
    cr_assert_not_null(strstr(text, "width=\"630.0\""));
    cr_assert_null(strstr(text, "nan"));
    free(text);
}

static void
add_curve(struct chart_series *curve, const char *name, double y)
{
    *curve = (struct chart_series){ .count = 2, .x = { 1, 2 }, .y = { 50, y } };
    snprintf(curve->name, sizeof curve->name, "%s", name);
}

/* The heights of the names, in the order of the curves. */
static void
read_names(double heights[static 3])
{
    const char *at = text;
    for (unsigned i = 0; i < 3; i++) {
        at = strstr(at, "<text class=\"end\"");
        cr_assert_not_null(at);
        at = strstr(at, " y=\"");
        heights[i] = strtod(at + 4, NULL);
    }
}

Test(bench_chart, names_at_the_end_do_not_lie_on_each_other)
{
    struct chart_series curves[3];
    struct chart_lines  lines = { .series = curves, .count = 3, .x_title = "x", .floor = -1, .width = 500 };
    double              heights[3];
    add_curve(&curves[0], "low", 0);
    add_curve(&curves[1], "lowest", -3); /* off the scale */
    add_curve(&curves[2], "lower", 1);
    chart_axis_linear(&lines.x, 1, 2, plain);
    chart_axis_linear(&lines.y, 0, 100, plain);
    FILE *out = open_text();
    chart_lines(&lines, out);
    fclose(out);
    read_names(heights);
    cr_assert_geq(fabs(heights[0] - heights[1]), 16.9);
    cr_assert_geq(fabs(heights[1] - heights[2]), 16.9);
    cr_assert_geq(fabs(heights[2] - heights[0]), 16.9);
    cr_assert_lt(heights[2], heights[0]); /* the order is kept */
    for (int i = 0; i < 3; i++)
        cr_assert_leq(heights[i], 340 - 52 + 4.5 + 0.1); /* above the axis */
    cr_assert_eq(count_of("<circle"), 6);
    cr_assert_eq(count_of("class=\"least\""), 0);
    free(text);
}
