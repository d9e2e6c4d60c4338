/* report_page.c: the frame of the page, and how its numbers are written. See report.h. */
#include "report.h"
#include "load_print.h"
#include "report_style.h"

#include <larder/base/units.h>

/* ── numbers ── */

/* A file may say anything. */
static uint64_t
whole(double value)
{
    if (!(value > 0))
        return 0;
    return value < 1e18 ? (uint64_t)value : (uint64_t)1e18;
}

void
report_percent(double value, char out[static CHART_TEXT])
{
    snprintf(out, CHART_TEXT, "%g %%", value);
}

void
report_micros(double value, char out[static CHART_TEXT])
{
    if (value < 1e3)
        snprintf(out, CHART_TEXT, "%.3g µs", value);
    else if (value < 1e6)
        snprintf(out, CHART_TEXT, "%.3g ms", value / 1e3);
    else
        snprintf(out, CHART_TEXT, "%.3g s", value / 1e6);
}

void
report_rate(double value, char out[static CHART_TEXT])
{
    if (value < 1e4)
        snprintf(out, CHART_TEXT, "%.0f", value);
    else if (value < 1e6)
        snprintf(out, CHART_TEXT, "%.3gk", value / 1e3);
    else
        snprintf(out, CHART_TEXT, "%.3gM", value / 1e6);
}

void
report_size(double value, char out[static CHART_TEXT])
{
    char text[UNITS_TEXT_SIZE];
    snprintf(out, CHART_TEXT, "%s", units_round_size(whole(value), text));
}

void
report_count(double value, char out[static CHART_TEXT])
{
    char text[GROUPED_SIZE];
    snprintf(out, CHART_TEXT, "%s", format_grouped(whole(value), text));
}

/* ── the frame ── */

static void
write_file(const struct site_file *files, size_t count, const char *name, FILE *out)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(files[i].name, name) == 0)
            fwrite(files[i].at, 1, files[i].len, out);
}

void
report_section(const char *title, const char *says, FILE *out)
{
    fputs("<section>\n<h2>", out);
    chart_text(title, out);
    fputs("</h2>\n<p class=\"say\">", out);
    chart_text(says, out);
    fputs("</p>\n", out);
}

void
report_cell(const char *text, FILE *out)
{
    fputs("<td>", out);
    chart_text(text, out);
    fputs("</td>", out);
}

const char *
report_colour(unsigned number)
{
    static const char *const colours[CHART_COLOURS] = { "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7" };
    return colours[number % CHART_COLOURS];
}

static void
write_head(const char *title, FILE *out)
{
    fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          out);
    chart_text(title, out);
    fputs("</title>\n<style>\n", out);
    write_file(report_files, report_files_count, "report.css", out);
    fputs("</style>\n</head>\n<body>\n<header>\n", out);
    write_file(site_files, site_files_count, "larder.svg", out);
    fputs("<div><h1>", out);
    chart_text(title, out);
    fputs("</h1>\n", out);
}

static const char *
kind_name(enum report_kind kind)
{
    static const char *const names[] = { [REPORT_UNKNOWN] = "",
                                         [REPORT_LOAD] = "load",
                                         [REPORT_REPLAY] = "replay",
                                         [REPORT_SIMULATE] = "simulate",
                                         [REPORT_COST] = "cost" };
    return names[kind];
}

static void
write_sources(const struct report *report, FILE *out)
{
    fputs("<ul class=\"from\">\n", out);
    for (unsigned i = 0; i < report->count; i++) {
        fputs("<li><b>", out);
        chart_text(report->sources[i].name, out);
        fprintf(out, "</b> <span>%s</span></li>\n", kind_name(report->sources[i].kind));
    }
    fputs("</ul></div>\n</header>\n<main>\n", out);
}

void
report_page(const struct report *report, FILE *out)
{
    char title[CHART_TEXT];
    if (report->title.len > 0)
        snprintf(title, sizeof title, "%.*s", SPAN_ARG(report->title));
    else
        snprintf(title, sizeof title, "What was measured");
    write_head(title, out);
    write_sources(report, out);
    report_costs(report, out);
    report_half_loads(report, out);
    report_memory(report, out);
    report_loads(report, out);
    report_replays(report, out);
    report_misses(report, out);
    fputs(
        "</main>\n<footer>Made by larder-bench report. Machines differ, and one machine differs from hour to "
        "hour: what counts are ratios between programs that ran side by side.</footer>\n</body>\n</html>\n",
        out);
}
