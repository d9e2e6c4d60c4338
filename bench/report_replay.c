/* report_replay.c: replays: what hit, what could have, and what the origin had to do. See report.h. */
#include "report.h"

/* A bar of hits, and behind it what a cache that keeps all would have hit too. */
static void
make_bar(struct chart_bar *bar, const json_t *json, const char *name, const char *missed, const char *least)
{
    double hits = 100 * (1 - report_number(json, missed)), best = 100 * (1 - report_number(json, least));
    *bar = (struct chart_bar){ .parts = { hits, best > hits ? best - hits : 0 }, .colour = "hero" };
    snprintf(bar->name, sizeof bar->name, "%s", name);
    snprintf(bar->value, sizeof bar->value, "%.1f of %.1f %%", hits, best);
}

static void
write_origin(const json_t *json, FILE *out)
{
    const json_t *origin = json_object_get(json, "origin");
    char          bytes[CHART_TEXT], requests[CHART_TEXT];
    if (!json_is_object(origin))
        return;
    report_size(report_number(origin, "bytes_sent"), bytes);
    report_count(report_number(origin, "requests"), requests);
    fprintf(out,
            "<p class=\"say\">The origin was asked %s times, %.1f for each 100 answers, and sent %s.</p>\n",
            requests, 100 * report_number(origin, "requests_per_answer"), bytes);
}

static void
write_source(const struct report_source *source, FILE *out)
{
    struct chart_bar bars[2];
    const json_t    *json = source->json;
    double           speed = report_number(json, "speed");
    char             requests[CHART_TEXT], objects[CHART_TEXT];
    report_count(report_number(json, "planned"), requests);
    report_count(report_number(json, "objects"), objects);
    fputs("<figure>\n<figcaption>", out);
    chart_text(source->name, out);
    fprintf(out, ": %s requests for %s objects, ", requests, objects);
    if (speed > 0)
        fprintf(out, "%g times the trace's pace</figcaption>\n", speed);
    else
        fputs("flat out</figcaption>\n", out);
    if (!json_is_number(json_object_get(json, "object_miss_ratio"))) {
        fputs("</figure><p class=\"say\">The server told neither Cache-Status nor Age.</p>\n", out);
        return;
    }
    make_bar(&bars[0], json, "of requests", "object_miss_ratio", "least_object_miss_ratio");
    make_bar(&bars[1], json, "of bytes", "byte_miss_ratio", "least_byte_miss_ratio");
    bars[1].colour = "peer";
    chart_bars(bars, 2, report_percent, out);
    fputs("</figure>\n", out);
    write_origin(json, out);
}

void
report_replays(const struct report *report, FILE *out)
{
    if (!report_has(report, REPORT_REPLAY))
        return;
    report_section(
        "Replays: what hit",
        "A trace against a server. Behind the hits, in the lighter colour: what a cache that keeps all "
        "would have hit, too.",
        out);
    for (unsigned i = 0; i < report->count; i++)
        if (report->sources[i].kind == REPORT_REPLAY)
            write_source(&report->sources[i], out);
    fputs("</section>\n", out);
}
