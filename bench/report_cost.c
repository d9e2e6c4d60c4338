/* report_cost.c: bars of processor time, for each size of a body, a mix of them, and misses: what compare and load-cost found. See
 * report.h. */
#include "report.h"

#include <string.h>

bool
report_is_ours(const char *server)
{
    return strncmp(server, "larder", strlen("larder")) == 0;
}

/* Whether there is any processor time in it; compare can be told to measure other things only. */
static bool
has_costs(const struct report_source *source)
{
    return source->kind == REPORT_COST
           && (json_object_size(json_object_get(source->json, "sizes")) > 0
               || json_object_size(json_object_get(source->json, "zipf")) > 0
               || json_object_size(json_object_get(source->json, "misses")) > 0);
}

/* Whose ratio to itself is told: everybody's is to that one. NULL when there is none. */
static const char *
base_of(json_t *rows)
{
    const char *name;
    json_t     *row;
    json_object_foreach(rows, name, row)
    {
        if (report_number(row, "ratio") == 1)
            return name;
    }
    return NULL;
}

static void
make_bar(struct chart_bar *bar, const char *name, const json_t *row)
{
    double cpu = report_number(row, "cpu"), user = report_number(row, "user");
    double sum = user + report_number(row, "system");
    double part = sum > 0 ? user / sum : 0; /* medians of parts need not make up that of the whole */
    *bar = (struct chart_bar){ .parts = { cpu * part, cpu * (1 - part) },
                               .least = report_number(row, "least"),
                               .most = report_number(row, "most"),
                               .colour = report_is_ours(name) ? "hero" : "peer" };
    snprintf(bar->name, sizeof bar->name, "%.64s", name);
    snprintf(bar->value, sizeof bar->value, "%.1f µs, %.2f ×", cpu, report_number(row, "ratio"));
}

/* {"larder": {"cpu": µs, "user": µs, "system": µs, "least": µs, "most": µs, "ratio": 1.2}, ...} */
static unsigned
make_bars(json_t *rows, struct chart_bar bars[static CHART_SERIES])
{
    unsigned    count = 0;
    const char *name;
    json_t     *row;
    json_object_foreach(rows, name, row)
    {
        if (count < CHART_SERIES)
            make_bar(&bars[count++], name, row);
    }
    return count;
}

static void
write_figure(const char *caption, const char *of, json_t *rows, FILE *out)
{
    if (json_object_size(rows) == 0)
        return;
    struct chart_bar bars[CHART_SERIES];
    unsigned         count = make_bars(rows, bars);
    const char      *base = base_of(rows);
    fprintf(out, "<figure>\n<figcaption>%s", caption);
    chart_text(of, out);
    if (base != NULL) {
        fputs("; × is to ", out);
        chart_text(base, out);
    }
    fputs("</figcaption>\n", out);
    chart_bars(bars, count, report_micros, out);
    fputs("</figure>\n", out);
}

static void
write_source(const struct report_source *source, FILE *out)
{
    const char *size;
    json_t     *rows;
    fputs("<h3>", out);
    chart_text(source->name, out);
    fprintf(out,
            "</h3>\n<p class=\"say\">Medians of %.0f interleaved rounds of %.0f s, %.0f connections.</p>\n",
            report_number(source->json, "rounds"), report_number(source->json, "seconds"),
            report_number(source->json, "connections"));
    json_object_foreach(json_object_get(source->json, "sizes"), size, rows)
    {
        write_figure("Bodies of ", size, rows, out);
    }
    write_figure("Many objects of mixed sizes, drawn by Zipf", "", json_object_get(source->json, "zipf"),
                 out);
    write_figure("Cold misses of 1 KB", "", json_object_get(source->json, "misses"), out);
}

void
report_costs(const struct report *report, FILE *out)
{
    bool any = false;
    for (unsigned i = 0; i < report->count; i++)
        any = any || has_costs(&report->sources[i]);
    if (!any)
        return;
    report_section(
        "Processor time of a request",
        "User and system time of the program, divided by the answers. Programs took turns on the same "
        "core.",
        out);
    fputs("<p class=\"key\"><span><i class=\"hero\"></i><i class=\"peer\"></i>user</span>"
          "<span><i class=\"hero soft\"></i><i class=\"peer soft\"></i>system</span>"
          "<span>├─┤ least and most of the rounds</span></p>\n",
          out);
    for (unsigned i = 0; i < report->count; i++)
        if (has_costs(&report->sources[i]))
            write_source(&report->sources[i], out);
    fputs("</section>\n", out);
}
