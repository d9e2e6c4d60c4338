/* replay.c: `larder-bench replay`: a trace against a server that runs. See replay.h.
 *
 * The server's origin is `larder-bench origin`, which is told in the path how long each body is: so the cache
 * meets the right sizes, and nobody's pages are needed, nor the names of them.
 */
#include "replay.h"
#include "command.h"

#include <larder/base/units.h>
#include <stdlib.h>

#define PATH_OF_AN_OBJECT "/size/{size}/max-age/86400/object/{}"

enum { CONNECTIONS = 16, FASTEST = 1000000 };

struct settings {
    int64_t      connections, seconds, requests, threads, pipeline, timeout;
    struct span  speed, origin;
    struct texts header;
    bool         json;
};

#define FLAG(name, type, least, most, initial, value, help)                                                  \
    {                                                                                                        \
#name, ROW_##type, offsetof(struct settings, name), least, most, initial, value, help                \
    }

static const struct row flags[] = {
    FLAG(speed, TEXT, 0, 0, 0, "X", "At the pace of the trace (1), or so many times as fast. [flat out]"),
    FLAG(origin, TEXT, 0, 0, 0, "ADDR:PORT", "The larder-bench origin behind the server, to tell its load."),
    FLAG(requests, COUNT, 1, INT64_C(1000000000000), ROW_ABSENT, "N", "The first N requests. [all]"),
    FLAG(seconds, COUNT, 1, 86400, ROW_ABSENT, "S", "Stop after so long. [at the end of the trace]"),
    FLAG(connections, COUNT, 1, 100000, CONNECTIONS, "N", "Connections, kept alive."),
    FLAG(threads, COUNT, 1, 64, 1, "N", "Threads; the requests are dealt out to them in turn."),
    FLAG(pipeline, COUNT, 1, 1024, 1, "N", "Requests under way on each connection."),
    FLAG(timeout, TIME, NSEC_PER_MSEC, 3600 * NSEC_PER_SEC, 10 * NSEC_PER_SEC, "TIME",
         "Give up an answer after this."),
    FLAG(header, TEXTS, 0, 0, 0, "'Name: value'", "A further field line; may be repeated."),
    FLAG(json, SWITCH, 0, 0, 0, NULL, "Print JSON (bench/README.md names its members)."),
};

/* Owner: run. */
struct replay {
    const struct settings *settings;
    double                 speed; /* 0: flat out */
    struct trace           trace;
    struct text            url; /* with holes */
    struct texts           urls;
    uint64_t              *dues;
    struct load_plan       plan;
    struct tally          *tally;
    struct stub_counts     before, after;
};

/* ── the plan ── */

static enum err
parse_speed(struct replay *replay, struct fault *fault)
{
    struct span  text = replay->settings->speed;
    struct fault why;
    if (text.len == 0)
        return ERR_NONE;
    enum err err = units_parse_decimal(text, &replay->speed, &why);
    if (err == ERR_NONE && (replay->speed <= 0 || replay->speed > FASTEST))
        err = fault_set(&why, ERR_RANGE, "expected more than 0, and up to %d", FASTEST);
    if (err != ERR_NONE)
        return fault_set(fault, err, "--speed \"%.*s\": %s", SPAN_ARG(span_head(text, 32)), why.text);
    return ERR_NONE;
}

/* A URL without a path means the stub origin's. */
static enum err
make_url(struct replay *replay, struct span given, struct fault *fault)
{
    struct url url;
    enum err   err = url_parse(given, &url, fault);
    if (err != ERR_NONE)
        return err;
    text_init(&replay->url, REQUEST_LIMIT);
    if (span_equal(url.target, SPAN("/")))
        text_printf(&replay->url, "http://%.*s" PATH_OF_AN_OBJECT, SPAN_ARG(url.authority));
    else
        text_append(&replay->url, given);
    if (replay->url.failed)
        return fault_set(fault, ERR_LIMIT, "the URL is longer than 64k");
    replay->urls = (struct texts){ .at = { text_span(&replay->url) }, .count = 1 };
    return ERR_NONE;
}

static enum err
make_load(struct replay *replay, struct fault *fault)
{
    const struct settings *settings = replay->settings;
    const struct trace    *trace = &replay->trace;
    struct load_plan      *plan = &replay->plan;
    struct requests_plan   asked = { .urls = &replay->urls,
                                     .fields = &settings->header,
                                     .objects = trace->object_count,
                                     .sizes = trace->sizes };

    *plan = (struct load_plan){ .connections = (unsigned)settings->connections,
                                .threads = (unsigned)settings->threads,
                                .pipeline = (unsigned)settings->pipeline,
                                .timeout = settings->timeout,
                                .total = trace->request_count,
                                .order = trace->requests };
    if (settings->seconds != ROW_ABSENT)
        plan->duration = settings->seconds * NSEC_PER_SEC;
    if (settings->requests != ROW_ABSENT && (uint64_t)settings->requests < plan->total)
        plan->total = (uint64_t)settings->requests;
    enum err err = load_check(plan, fault);
    return err == ERR_NONE ? requests_init(&plan->requests, &asked, fault) : err;
}

static enum err
make_dues(struct replay *replay, struct fault *fault)
{
    if (replay->speed == 0)
        return ERR_NONE;
    replay->dues = replay_dues(&replay->trace, replay->plan.total, replay->speed);
    replay->plan.dues = replay->dues;
    return replay->dues != NULL ? ERR_NONE : fault_set(fault, ERR_NO_MEMORY, "out of memory");
}

static enum err
prepare(struct replay *replay, const struct texts *operands, struct fault *fault)
{
    enum err err = parse_speed(replay, fault);
    if (err == ERR_NONE)
        err = make_url(replay, operands->at[1], fault);
    if (err == ERR_NONE)
        err = trace_load(&replay->trace, operands->at[0], replay->speed > 0, fault);
    if (err == ERR_NONE)
        err = make_load(replay, fault);
    if (err == ERR_NONE)
        err = make_dues(replay, fault);
    replay->tally = malloc(sizeof *replay->tally);
    if (err == ERR_NONE && replay->tally == NULL)
        err = fault_set(fault, ERR_NO_MEMORY, "out of memory");
    return err;
}

/* ── the run ── */

static enum err
ask_origin(const struct replay *replay, struct stub_counts *counts, struct fault *fault)
{
    if (replay->settings->origin.len == 0)
        return ERR_NONE;
    return stub_counts_ask(replay->settings->origin, counts, fault);
}

static enum err
play(struct replay *replay, struct fault *fault)
{
    enum err err = ask_origin(replay, &replay->before, fault);
    if (err == ERR_NONE)
        err = load_run(&replay->plan, replay->tally, fault);
    return err == ERR_NONE ? ask_origin(replay, &replay->after, fault) : err;
}

static enum err
report(const struct replay *replay, struct span name, bool *good, struct fault *fault)
{
    const struct load_plan *plan = &replay->plan;
    struct summary          summary;
    struct replay_report    all = { .name = name, .trace = &replay->trace, .speed = replay->speed };
    summary_compute(&summary, replay->tally, load_users(plan));
    all.load = (struct load_report){
        .urls = &replay->urls, .plan = plan, .tally = replay->tally, .summary = &summary
    };
    all.origin_told = replay->settings->origin.len > 0;
    all.origin = stub_counts_since(&replay->after, &replay->before);
    if (!replay_count_least(&replay->trace, plan->total, &all.least))
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    if (replay->settings->json)
        replay_print_json(&all, stdout);
    else
        replay_print_text(&all, stdout);
    *good = summary.good > 0;
    return ERR_NONE;
}

static void
clean(struct replay *replay)
{
    free(replay->tally);
    free(replay->dues);
    requests_fini(&replay->plan.requests);
    text_fini(&replay->url);
    trace_fini(&replay->trace);
}

static int
run(const void *given, const struct texts *operands, struct fault *fault)
{
    struct replay replay = { .settings = given };
    bool          good = false;
    trace_init(&replay.trace);
    enum err err = prepare(&replay, operands, fault);
    if (err == ERR_NONE)
        err = play(&replay, fault);
    if (err == ERR_NONE)
        err = report(&replay, operands->at[0], &good, fault);
    clean(&replay);
    return err == ERR_NONE && good ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_replay = {
    .name = "replay",
    .operands = "TRACE URL",
    .operands_least = 2,
    .operands_most = 2,
    .summary = "A trace or an access log against a server that runs.",
    .help =
        "Asks for the objects of a trace (as for simulate) in its order, and tells what hit. The server's "
        "origin is\n"
        "a larder-bench origin: objects are asked for as " PATH_OF_AN_OBJECT "\n"
        "when the URL has no path. Another path has {} for the number of the object, and {size} for its "
        "size if need be.",
    .flags = ROW_TABLE(flags),
    .settings_size = sizeof(struct settings),
    .run = run,
};
