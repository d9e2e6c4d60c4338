/* chart.c: text and axes. See chart.h; bars and lines have files of their own. */
#include "chart.h"

#include <math.h>

void
chart_text(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '&' || *text == '<' || *text == '>' || *text == '"' || *text == '\'')
            fprintf(out, "&#%d;", *text);
        else
            fputc(*text, out);
    }
}

static void
add_tick(struct chart_axis *axis, double at, chart_format *format)
{
    if (axis->tick_count == CHART_TICKS)
        return;
    struct chart_tick *tick = &axis->ticks[axis->tick_count++];
    tick->at = at;
    format(at, tick->text);
}

/* 1, 2 or 5 times a power of ten: about `wanted` of them make up `size`. */
static double
nice_step(double size, unsigned wanted)
{
    double rough = size / wanted, power = pow(10, floor(log10(rough)));
    if (rough <= power)
        return power;
    if (rough <= 2 * power)
        return 2 * power;
    return rough <= 5 * power ? 5 * power : 10 * power;
}

void
chart_axis_linear(struct chart_axis *axis, double least, double most, chart_format *format)
{
    enum { WANTED = 5 };
    if (!isfinite(least) || !isfinite(most) || most <= least)
        most = (least = isfinite(least) ? least : 0) + 1;
    double step = nice_step(most - least, WANTED);
    double first = floor(least / step + 1e-9), last = ceil(most / step - 1e-9);
    *axis = (struct chart_axis){ .least = first * step, .most = last * step };
    for (unsigned i = 0; i < CHART_TICKS && first + i <= last; i++)
        add_tick(axis, (first + i) * step, format);
}

/* Number k of the row ... 0.5 1 2 5 10 20 50 ... where 1 is number 0. */
static double
number_of_row(int k)
{
    static const double steps[] = { 1, 2, 5 };
    int                 third = ((k % 3) + 3) % 3;
    return pow(10, (k - third) / 3) * steps[third];
}

/* The last of the row that is not above the value. */
static int
row_below(double value)
{
    int k = 3 * (int)floor(log10(value));
    while (number_of_row(k + 1) <= value * (1 + 1e-9))
        k++;
    return k;
}

void
chart_axis_powers(struct chart_axis *axis, double least, double most, chart_format *format)
{
    enum { FEW = 7 }; /* numbers of the row that all have room; of more only 1, 10, 100 ... are told */
    if (!isfinite(least) || !isfinite(most) || least <= 0 || most < least)
        least = most = 1;
    int first = row_below(least), last = row_below(most);
    if (number_of_row(last) < most * (1 - 1e-9) || last == first)
        last++;
    *axis = (struct chart_axis){ .least = number_of_row(first), .most = number_of_row(last), .powers = true };
    for (int k = first; k <= last; k++)
        if (last - first < FEW || k % 3 == 0)
            add_tick(axis, number_of_row(k), format);
}
