/* report.h: a page with charts, from the JSON of other commands.
 *
 *      load, replay ─▶ requests a second, latency, hits ─┐
 *      simulate ─────▶ misses by size and policy ────────┼─▶ one page of HTML: no script, nothing fetched
 *      load-cost ────▶ processor time ───────────────────┤
 *      compare ──────▶ processor time, latency, memory ──┘
 *
 * Owner: the command. Frozen once read.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "chart.h"
#include "row.h"

#include <jansson.h>

enum report_kind { REPORT_UNKNOWN, REPORT_LOAD, REPORT_REPLAY, REPORT_SIMULATE, REPORT_COST };

/* Which command wrote it. Members may still be of any type: what has another one counts as 0 or "". */
enum report_kind report_kind_of(const json_t *json);

struct report_source {
    char             name[CHART_TEXT]; /* of its file, without folder and .json */
    enum report_kind kind;
    json_t          *json;
};

struct report {
    struct report_source sources[ROW_TEXTS_MAX];
    unsigned             count;
    struct span          title;
};

/* The file's name without its folder and its ".json"; a long one is cut where a character begins. */
void report_name(struct span path, char out[static CHART_TEXT]);

void report_page(const struct report *report, FILE *out);

/* ── sections: nothing when no source is theirs ── */

void report_costs(const struct report *report, FILE *out);
void report_loads(const struct report *report, FILE *out);
void report_replays(const struct report *report, FILE *out);
void report_misses(const struct report *report, FILE *out);
void report_half_loads(const struct report *report, FILE *out);
void report_memory(const struct report *report, FILE *out);

/* ── for the sections ── */

bool        report_has(const struct report *report, enum report_kind kind);
double      report_number(const json_t *object, const char *name);
const char *report_string(const json_t *object, const char *name);
void        report_section(const char *title, const char *says, FILE *out);

void        report_cell(const char *text, FILE *out); /* of a table */
const char *report_colour(unsigned number);           /* of a curve */
bool        report_is_ours(const char *server);       /* whom the page is about */

/* Curves of latency by percentile. */
struct report_latencies {
    const char *const  *percentiles; /* names of members */
    unsigned            percentile_count;
    struct chart_series curves[CHART_SERIES];
    unsigned            count;
    double              least, most;
};

/* `latency` has a number of microseconds for each percentile. What comes after the last curve is left out. */
void report_latencies_add(struct report_latencies *latencies, const char *name, const json_t *latency);
void report_latencies_write(struct report_latencies *latencies, const char *caption, FILE *out);

chart_format report_percent, report_micros, report_rate, report_size, report_count;

#endif
