/* simulate.c: `larder-bench simulate`: a trace through simulated caches of several sizes and policies.
 *
 *      trace ──▶ memory ──▶ for each size, for each policy: a sim (sim.h) ──▶ counts ──▶ report
 */
#include "simulate.h"
#include "command.h"

#include <larder/base/units.h>
#include <stdlib.h>

struct settings {
    struct span cache, policy, alpha;
    int64_t     segments;
    bool        json;
};

#define FLAG(name, type, least, most, initial, value, help)                                                  \
    {                                                                                                        \
#name, ROW_##type, offsetof(struct settings, name), least, most, initial, value, help                \
    }

static const struct row flags[] = {
    FLAG(cache, TEXT, 0, 0, 0, "LIST",
         "Sizes, as bytes (256M) or as part of the bytes of all objects (1%). [0.1%,1%,10%]"),
    FLAG(policy, TEXT, 0, 0, 0, "LIST", "Policies. [sc,lru,s3fifo,fifo]"),
    FLAG(alpha, TEXT, 0, 0, 0, "NUMBER", "Of sc: 1 saves requests, 0 saves bytes. [0.7]"),
    FLAG(segments, COUNT, SIM_SEGMENTS_LEAST, SIM_SEGMENTS_MOST, SIM_SEGMENTS, "N",
         "Segments that a cache is divided into."),
    FLAG(json, SWITCH, 0, 0, 0, NULL, "Print JSON (bench/README.md names its members)."),
};

/* ── the plan ── */

static enum err
parse_percent(struct span text, struct simulate_cache *cache, struct fault *fault)
{
    enum err err = units_parse_decimal(text, &cache->percent, fault);
    if (err == ERR_NONE && (cache->percent <= 0 || cache->percent > 100))
        return fault_set(fault, ERR_RANGE, "expected more than 0%% and up to 100%%");
    return err;
}

static enum err
add_cache(struct simulate_plan *plan, struct span text, struct fault *fault)
{
    if (plan->cache_count == SIMULATE_CACHES_MAX)
        return fault_set(fault, ERR_LIMIT, "at most %d sizes", SIMULATE_CACHES_MAX);
    struct simulate_cache *cache = &plan->caches[plan->cache_count++];
    if (span_ends(text, SPAN("%")))
        return parse_percent(span_head(text, text.len - 1), cache, fault);
    return units_parse_size(text, &cache->bytes, fault);
}

static enum err
add_policy(struct simulate_plan *plan, struct span text, struct fault *fault)
{
    const struct eviction *policy = eviction_by_name(text);
    if (policy == NULL)
        return fault_set(fault, ERR_NOT_FOUND, "no policy \"%.*s\"; there are " EVICTION_NAMES,
                         SPAN_ARG(span_head(text, 32)));
    for (unsigned i = 0; i < plan->policy_count; i++)
        if (plan->policies[i] == policy)
            return fault_set(fault, ERR_EXISTS, "%s stands there twice", policy->name);
    plan->policies[plan->policy_count++] = policy;
    return ERR_NONE;
}

enum err
simulate_parse_caches(struct simulate_plan *plan, struct span text, struct fault *fault)
{
    struct span part;
    enum err    err = ERR_NONE;
    while (err == ERR_NONE && span_split(&text, ',', &part))
        err = add_cache(plan, span_trim(part), fault);
    return err;
}

enum err
simulate_parse_policies(struct simulate_plan *plan, struct span text, struct fault *fault)
{
    struct span part;
    enum err    err = ERR_NONE;
    while (err == ERR_NONE && span_split(&text, ',', &part))
        err = add_policy(plan, span_trim(part), fault);
    return err;
}

static enum err
parse_alpha(struct simulate_plan *plan, struct span text, struct fault *fault)
{
    enum err err = units_parse_decimal(text, &plan->alpha, fault);
    if (err == ERR_NONE && plan->alpha > 1)
        return fault_set(fault, ERR_RANGE, "expected 0 to 1");
    return err;
}

static enum err
make_plan(struct simulate_plan *plan, const struct settings *settings, struct fault *fault)
{
    struct fault why;
    struct span  cache = settings->cache.len > 0 ? settings->cache : SPAN("0.1%,1%,10%");
    struct span  policy = settings->policy.len > 0 ? settings->policy : SPAN("sc,lru,s3fifo,fifo");

    *plan = (struct simulate_plan){ .alpha = EVICTION_ALPHA, .segments = (uint32_t)settings->segments };
    enum err err = simulate_parse_caches(plan, cache, &why);
    if (err != ERR_NONE)
        return fault_set(fault, err, "--cache \"%.*s\": %s", SPAN_ARG(span_head(cache, 200)), why.text);
    err = simulate_parse_policies(plan, policy, &why);
    if (err != ERR_NONE)
        return fault_set(fault, err, "--policy \"%.*s\": %s", SPAN_ARG(span_head(policy, 200)), why.text);
    if (settings->alpha.len > 0)
        err = parse_alpha(plan, settings->alpha, &why);
    if (err != ERR_NONE)
        return fault_set(fault, err, "--alpha \"%.*s\": %s", SPAN_ARG(span_head(settings->alpha, 200)),
                         why.text);
    return ERR_NONE;
}

/* From parts of the trace's bytes to bytes. */
static enum err
size_caches(struct simulate_plan *plan, const struct trace *trace, struct fault *fault)
{
    char text[UNITS_TEXT_SIZE];

    for (unsigned i = 0; i < plan->cache_count; i++) {
        struct simulate_cache *cache = &plan->caches[i];
        if (cache->percent > 0)
            cache->bytes = (uint64_t)((double)trace->footprint * cache->percent / 100);
        if (cache->bytes / plan->segments < SIM_SEGMENT_LEAST)
            return fault_set(fault, ERR_RANGE,
                             "a cache of %s is too small for %u segments: each has %d bytes at least",
                             units_round_size(cache->bytes, text), plan->segments, SIM_SEGMENT_LEAST);
    }
    return ERR_NONE;
}

/* ── the run ── */

static enum err
replay(const struct trace *trace, struct sim *sim)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; err == ERR_NONE && i < trace->request_count; i++)
        err = sim_request(sim, trace->requests[i]);
    return err;
}

static enum err
run_one(const struct trace *trace, const struct sim_plan *plan, struct simulate_result *result)
{
    struct sim *sim = sim_create(plan);
    if (sim == NULL)
        return ERR_NO_MEMORY;
    nsec     begun = clock_thread_cpu();
    enum err err = replay(trace, sim);
    result->took = clock_thread_cpu() - begun;
    result->counts = *sim_counts_of(sim);
    sim_destroy(&sim);
    return err;
}

static enum err
run_all(struct simulate_report *report, struct fault *fault)
{
    const struct simulate_plan *plan = report->plan;
    enum err                    err = ERR_NONE;

    for (unsigned i = 0; i < plan->cache_count; i++)
        for (unsigned j = 0; err == ERR_NONE && j < plan->policy_count; j++) {
            struct sim_plan one = { .eviction = plan->policies[j],
                                    .alpha = plan->alpha,
                                    .bytes = plan->caches[i].bytes,
                                    .segments = plan->segments,
                                    .sizes = report->trace->sizes,
                                    .objects = report->trace->object_count };
            err = run_one(report->trace, &one, &report->results[i][j]);
        }
    return err == ERR_NONE ? err : fault_set(fault, err, "no memory for the simulated cache");
}

static int
run(const void *given, const struct texts *operands, struct fault *fault)
{
    const struct settings *settings = given;
    struct simulate_plan   plan;
    struct trace           trace;

    if (make_plan(&plan, settings, fault) != ERR_NONE
        || trace_load(&trace, operands->at[0], false, fault) != ERR_NONE)
        return EXIT_FAILURE;
    struct simulate_report report = { .name = operands->at[0], .trace = &trace, .plan = &plan };
    enum err               err = size_caches(&plan, &trace, fault);
    if (err == ERR_NONE)
        err = run_all(&report, fault);
    if (err == ERR_NONE && settings->json)
        simulate_print_json(&report, stdout);
    else if (err == ERR_NONE)
        simulate_print_text(&report, stdout);
    trace_fini(&trace);
    return err == ERR_NONE ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_simulate = {
    .name = "simulate",
    .operands = "TRACE",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "What a cache would have missed of a trace, by its size and policy.",
    .help = "Replays a trace through larder's own eviction policies, without bytes. TRACE is a file in the "
            "oracleGeneral\n"
            "format (24 bytes a request), or an access log in the combined format; - reads it from stdin. "
            "The first\n"
            "request for an object is always a miss.",
    .flags = ROW_TABLE(flags),
    .settings_size = sizeof(struct settings),
    .run = run,
};
