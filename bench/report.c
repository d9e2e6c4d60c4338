/* report.c: `larder-bench report`: reads the files, and writes the page. See report.h. */
#include "report.h"
#include "command.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

struct settings {
    struct span title;
};

static const struct row flags[] = {
    { "title", ROW_TEXT, offsetof(struct settings, title), 0, 0, 0, "TEXT", "What the page is called." },
};

/* ── what they are ── */

enum report_kind
report_kind_of(const json_t *json)
{
    if (json_is_object(json_object_get(json, "latency_us")))
        return json_is_string(json_object_get(json, "trace")) ? REPORT_REPLAY : REPORT_LOAD;
    if (json_is_array(json_object_get(json, "results")) && json_is_string(json_object_get(json, "trace")))
        return REPORT_SIMULATE;
    if (json_is_object(json_object_get(json, "sizes")) || json_is_object(json_object_get(json, "versions")))
        return REPORT_COST;
    return REPORT_UNKNOWN;
}

void
report_name(struct span path, char out[static CHART_TEXT])
{
    enum { LONGEST = 22 };
    for (size_t i = 0; i < path.len; i++)
        if (path.at[i] == '/')
            return report_name(span_skip(path, i + 1), out);
    if (span_ends(path, SPAN(".json")))
        path.len -= strlen(".json");
    size_t len = path.len < LONGEST ? path.len : LONGEST;
    while (len > 0 && len < path.len && ((unsigned char)path.at[len] & 0xc0) == 0x80)
        len--; /* not in the middle of a character */
    snprintf(out, CHART_TEXT, "%.*s%s", (int)len, path.at, len < path.len ? "…" : "");
}

/* ── numbers of theirs ── */

double
report_number(const json_t *object, const char *name)
{
    double number = json_number_value(json_object_get(object, name));
    return isfinite(number) ? number : 0;
}

const char *
report_string(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

bool
report_has(const struct report *report, enum report_kind kind)
{
    for (unsigned i = 0; i < report->count; i++)
        if (report->sources[i].kind == kind)
            return true;
    return false;
}

/* ── the command ── */

static enum err
read_source(struct report_source *source, struct span path, struct fault *fault)
{
    char         name[PATH_MAX];
    json_error_t error;
    if (path.len >= sizeof name)
        return fault_set(fault, ERR_LIMIT, "%.*s...: the name is too long", SPAN_ARG(span_head(path, 200)));
    report_name(path, source->name);
    snprintf(name, sizeof name, "%.*s", SPAN_ARG(path));
    source->json = json_load_file(name, JSON_REJECT_DUPLICATES, &error);
    if (source->json == NULL)
        return fault_set(fault, ERR_SYNTAX, "%.200s: %s", name, error.text);
    source->kind = report_kind_of(source->json);
    if (source->kind == REPORT_UNKNOWN)
        return fault_set(fault, ERR_UNSUPPORTED,
                         "%.200s: not the JSON of load, replay, simulate, compare or load-cost", name);
    return ERR_NONE;
}

static int
run(const void *given, const struct texts *operands, struct fault *fault)
{
    const struct settings *settings = given;
    struct report          report = { .title = settings->title };
    enum err               err = ERR_NONE;
    for (unsigned i = 0; i < operands->count && err == ERR_NONE; i++)
        err = read_source(&report.sources[report.count++], operands->at[i], fault);
    if (err == ERR_NONE)
        report_page(&report, stdout);
    while (report.count > 0)
        json_decref(report.sources[--report.count].json);
    return err == ERR_NONE ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_report = {
    .name = "report",
    .operands = "FILE.json...",
    .operands_least = 1,
    .operands_most = ROW_TEXTS_MAX,
    .summary = "A page with charts, from the JSON of load, replay, simulate and compare.",
    .help =
        "Writes one page of HTML to stdout: no script, nothing fetched, light and dark. The files are what "
        "load, replay\n"
        "and simulate print with --json, and ./dev compare and ./dev load-cost.",
    .flags = ROW_TABLE(flags),
    .settings_size = sizeof(struct settings),
    .run = run,
};
