/* load.c: `larder-bench load`: reads the plan, starts the workers, adds up what they counted. See load.h. */
#include "load.h"
#include "command.h"
#include "descriptors.h"
#include "load_print.h"

#include <larder/base/check.h>
#include <stdlib.h>

enum { SECONDS_DEFAULT = 10 };

struct settings {
    int64_t      connections, seconds, rate, requests, threads, pipeline, timeout;
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
    FLAG(header, TEXTS, 0, 0, 0, "'Name: value'", "A further field line; may be repeated."),
    FLAG(json, SWITCH, 0, 0, 0, NULL, "Print JSON (bench/README.md names its members)."),
};

static enum err
make_plan(struct load_plan *plan, const struct settings *settings, const struct texts *urls,
          struct fault *fault)
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
    if (plan->threads > plan->connections)
        return fault_set(fault, ERR_RANGE, "--threads %u: each needs a connection, and there are %u",
                         plan->threads, plan->connections);
    if (plan->total > 0 && plan->total < plan->threads)
        return fault_set(fault, ERR_RANGE, "--threads %u: each needs a request", plan->threads);
    enum err err = descriptors_raise(plan->connections, fault);
    return err != ERR_NONE ? err : requests_init(&plan->requests, urls, &settings->header, fault);
}

/* ── threads ── */

static enum err
init_workers(struct load_worker *workers, const struct load_plan *plan, unsigned *count, struct fault *fault)
{
    while (*count < plan->threads) {
        unsigned number = (*count)++;
        enum err err = load_worker_init(&workers[number], plan, number, fault);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

static enum err
run_workers(struct load_worker *workers, unsigned count, struct fault *fault)
{
    unsigned started = 0;
    int      error = 0;
    while (started < count && error == 0) {
        error = pthread_create(&workers[started].thread, NULL, load_worker_main, &workers[started]);
        started += error == 0 ? 1 : 0;
    }
    for (unsigned i = 0; error != 0 && i < started; i++)
        loop_stop(workers[i].loop);
    for (unsigned i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    return error == 0 ? ERR_NONE : fault_set_errno(fault, error, "cannot start a thread");
}

static enum err
measure(const struct load_plan *plan, struct tally *tally, struct fault *fault)
{
    unsigned            count = 0;
    struct load_worker *workers = calloc(plan->threads, sizeof *workers);
    if (workers == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    enum err err = init_workers(workers, plan, &count, fault);
    if (err == ERR_NONE)
        err = run_workers(workers, count, fault);
    tally_init(tally);
    for (unsigned i = 0; i < count; i++) {
        if (err == ERR_NONE)
            tally_merge(tally, &workers[i].tally);
        load_worker_fini(&workers[i]);
    }
    free(workers);
    return err;
}

static int
report(const struct settings *settings, const struct texts *urls, const struct load_plan *plan,
       const struct tally *tally)
{
    struct summary summary;
    summary_compute(&summary, tally, plan->rate > 0 ? 0 : plan->connections * plan->pipeline);
    struct load_report all = { .urls = urls, .plan = plan, .tally = tally, .summary = &summary };
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
    struct load_plan       plan;
    int                    code = EXIT_FAILURE;
    if (make_plan(&plan, settings, operands, fault) != ERR_NONE)
        return code;
    struct tally *tally = malloc(sizeof *tally);
    if (tally == NULL)
        fault_set(fault, ERR_NO_MEMORY, "out of memory");
    else if (measure(&plan, tally, fault) == ERR_NONE)
        code = report(settings, operands, &plan, tally);
    free(tally);
    requests_fini(&plan.requests);
    return code;
}

const struct command command_load = {
    .name = "load",
    .operands = "URL...",
    .operands_least = 1,
    .operands_most = REQUESTS_MAX,
    .summary = "Many requests from kept connections, and what they took.",
    .help = "Sends GET for the URLs in turn (one host and port) and measures. A closed loop by default: each "
            "connection\n"
            "asks again when it has its answer. With --rate an open loop, whose latency counts from when a "
            "request was\n"
            "due. The exit code is 1 when no request succeeded.",
    .flags = ROW_TABLE(flags),
    .settings_size = sizeof(struct settings),
    .run = run,
};
