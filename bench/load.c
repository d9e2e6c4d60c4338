/* load.c: `larder-bench load`: reads the plan, starts the workers, adds up what they counted. See load.h. */
#include "load.h"
#include "command.h"
#include "load_print.h"

#include <larder/base/check.h>
#include <larder/base/units.h>
#include <stdlib.h>

enum { SECONDS_DEFAULT = 10, ZIPF_STEEPEST = 10, ZIPF_MOST = 1000000000 };

struct settings {
    int64_t      connections, seconds, rate, requests, threads, pipeline, timeout, objects;
    struct span  zipf, list;
    struct texts header;
    bool         json;
};

#define FLAG(name, type, least, most, initial, value, help)                                                  \
    {                                                                                                        \
#name, ROW_##type, offsetof(struct settings, name), least, most, initial, value, help                \
    }

static const struct row flags[] = {
    FLAG(connections, COUNT, 1, 100000, 64, "N", "Connections, kept alive."),
    FLAG(seconds, COUNT, 1, 86400, ROW_ABSENT, "S", "How long (10, when there is no --requests either)."),
    FLAG(requests, COUNT, 1, INT64_C(1000000000000), ROW_ABSENT, "N", "How many requests, then stop."),
    FLAG(rate, COUNT, 1, 10000000, ROW_ABSENT, "R",
         "Open loop: R requests a second, at fixed times, come what may."),
    FLAG(threads, COUNT, 1, 64, 1, "N", "Threads; the connections are divided among them."),
    FLAG(pipeline, COUNT, 1, 1024, 1, "N", "Requests under way on each connection."),
    FLAG(timeout, TIME, NSEC_PER_MSEC, 3600 * NSEC_PER_SEC, 10 * NSEC_PER_SEC, "TIME",
         "Give up an answer after this."),
    FLAG(objects, COUNT, 1, INT64_C(1000000000000), ROW_ABSENT, "N",
         "{} in a URL stands for the numbers 0 to N - 1."),
    FLAG(list, TEXT, 0, 0, 0, "FILE",
         "URLs or paths, one a line; - is stdin. A URL then only names the host."),
    FLAG(zipf, TEXT, 0, 0, 0, "A",
         "Draw at random, the k-th in proportion to 1 / k ^ A (0: all alike). Else they are asked in turn."),
    FLAG(header, TEXTS, 0, 0, 0, "'Name: value'", "A further field line; may be repeated."),
    FLAG(json, SWITCH, 0, 0, 0, NULL, "Print JSON (bench/README.md names its members)."),
};

/* ── what is asked ── */

static enum err
make_requests(struct requests *requests, const struct settings *settings, const struct texts *urls,
              struct fault *fault)
{
    struct requests_plan plan = { .urls = urls, .fields = &settings->header, .list = settings->list };
    plan.objects = settings->objects == ROW_ABSENT ? 0 : (uint64_t)settings->objects;
    if (plan.list.len == 0 && urls->count == 0)
        return fault_set(fault, ERR_SYNTAX, "URL... is missing");
    if (plan.list.len > 0 && urls->count > 1)
        return fault_set(fault, ERR_SYNTAX, "with --list there is at most one URL, which names the host");
    if (plan.list.len > 0 && plan.objects > 0)
        return fault_set(fault, ERR_SYNTAX, "--list and --objects exclude each other");
    return requests_init(requests, &plan, fault);
}

static enum err
make_zipf(struct load_plan *plan, struct span text, struct fault *fault)
{
    struct fault why;
    double       exponent;
    enum err     err = units_parse_decimal(text, &exponent, &why);
    if (err == ERR_NONE && exponent > ZIPF_STEEPEST)
        err = fault_set(&why, ERR_RANGE, "expected 0 to %d", ZIPF_STEEPEST);
    if (err != ERR_NONE)
        return fault_set(fault, err, "--zipf \"%.*s\": %s", SPAN_ARG(span_head(text, 32)), why.text);
    if (plan->requests.count > ZIPF_MOST)
        return fault_set(fault, ERR_RANGE, "--zipf draws from %d URLs at most", ZIPF_MOST);
    if (!zipf_init(&plan->zipf, (uint32_t)plan->requests.count, exponent))
        return fault_set(fault, ERR_NO_MEMORY, "no memory to draw from so many URLs");
    return ERR_NONE;
}

static enum err
make_asking(struct load_plan *plan, const struct settings *settings, const struct texts *urls,
            struct fault *fault)
{
    enum err err = make_requests(&plan->requests, settings, urls, fault);
    if (err == ERR_NONE && settings->zipf.len > 0)
        err = make_zipf(plan, settings->zipf, fault);
    return err;
}

/* ── how ── */

static enum err
make_plan(struct load_plan *plan, const struct settings *settings, struct fault *fault)
{
    int64_t seconds = settings->seconds;
    if (seconds == ROW_ABSENT)
        seconds = settings->requests == ROW_ABSENT ? SECONDS_DEFAULT : 0;
    plan->connections = (unsigned)settings->connections;
    plan->threads = (unsigned)settings->threads;
    plan->pipeline = (unsigned)settings->pipeline;
    plan->duration = seconds * NSEC_PER_SEC;
    plan->timeout = settings->timeout;
    plan->total = settings->requests == ROW_ABSENT ? 0 : (uint64_t)settings->requests;
    plan->rate = settings->rate == ROW_ABSENT ? 0 : (uint64_t)settings->rate;
    return load_check(plan, fault);
}

static int
report(const struct settings *settings, const struct texts *urls, const struct load_plan *plan,
       const struct tally *tally)
{
    struct summary summary;
    summary_compute(&summary, tally, load_users(plan));
    struct load_report all = {
        .urls = urls, .list = settings->list, .plan = plan, .tally = tally, .summary = &summary
    };
    if (settings->json)
        load_print_json(&all, stdout);
    else
        load_print_text(&all, stdout);
    return summary.good > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
run(const void *given, const struct texts *operands, struct fault *fault)
{
    const struct settings *settings = given;
    struct load_plan       plan = { .requests.count = 0 };
    int                    code = EXIT_FAILURE;
    struct tally          *tally = malloc(sizeof *tally);
    if (tally == NULL)
        fault_set(fault, ERR_NO_MEMORY, "out of memory");
    else if (make_plan(&plan, settings, fault) == ERR_NONE
             && make_asking(&plan, settings, operands, fault) == ERR_NONE
             && load_run(&plan, tally, fault) == ERR_NONE)
        code = report(settings, operands, &plan, tally);
    free(tally);
    zipf_fini(&plan.zipf);
    requests_fini(&plan.requests);
    return code;
}

const struct command command_load = {
    .name = "load",
    .operands = "URL...",
    .operands_least = 0,
    .operands_most = REQUESTS_MAX,
    .summary = "Many requests from kept connections, and what they took.",
    .help = "Sends GET for the URLs (one host and port) in turn, or drawn with --zipf, and measures. A "
            "closed loop by default: each "
            "connection\n"
            "asks again when it has its answer. With --rate an open loop, whose latency counts from when a "
            "request was\n"
            "due. The exit code is 1 when no request succeeded.",
    .flags = ROW_TABLE(flags),
    .settings_size = sizeof(struct settings),
    .run = run,
};
