/* micro.c: `larder-bench micro`: the command. See micro.h.
 *
 * Each part has a world of its own, so that none finds what another left; a first round, which is not told, brings what
 * it needs into the processor's caches.
 */
#include "micro.h"
#include "command.h"
#include "store_bench.h"

#include <larder/base/check.h>
#include <stdlib.h>

struct settings {
    struct span threads;
    int64_t     operations, rounds, answers;
    bool        json;
};

#define FLAG(name, type, least, most, initial, value, help)                                                  \
    {                                                                                                        \
#name, ROW_##type, offsetof(struct settings, name), least, most, initial, value, help                \
    }

static const struct row flags[] = {
    FLAG(operations, COUNT, 1, 1000000000, 100000, "N",
         "Operations of each round; with --threads of each thread."),
    FLAG(rounds, COUNT, 1, MICRO_ROUNDS_MAX, 9, "N", "Rounds, of which the median is told."),
    FLAG(answers, COUNT, 1, MICRO_OBJECTS, MICRO_OBJECTS, "N",
         "lookup, find: so many are asked for in turn."),
    FLAG(threads, TEXT, 0, 0, 0, "LIST",
         "Numbers of threads that do it at once, 1,2 say: operations per second, and their ratio."),
    FLAG(json, SWITCH, 0, 0, 0, NULL, "Print JSON (bench/README.md names its members)."),
};

/* ── one part ── */

enum { WARM_UP = MICRO_OBJECTS };

static void
run_rounds(const struct micro_part *part, const struct micro_plan *plan, struct micro_hand *hand,
           struct micro_result *result)
{
    double       times[MICRO_ROUNDS_MAX], counts[MICRO_ROUNDS_MAX];
    struct meter meter;

    part->run(hand, WARM_UP, &meter);
    for (unsigned i = 0; i < plan->rounds; i++) {
        part->run(hand, plan->operations, &meter);
        times[i] = (double)meter.took / (double)plan->operations;
        counts[i] = (double)meter.instructions / (double)plan->operations;
    }
    *result = (struct micro_result){ .part = part,
                                     .median = store_bench_median(times, plan->rounds),
                                     .least = times[0],
                                     .most = times[plan->rounds - 1],
                                     .instructions = store_bench_median(counts, plan->rounds) };
}

static enum err
measure(const struct micro_part *part, struct micro_report *report, struct fault *fault)
{
    struct micro_world *world;
    struct micro_hand   hand;
    enum err            err = micro_world_create(&world, 1, part->filled, report->plan->answers, fault);

    if (err != ERR_NONE)
        return err;
    micro_hand_init(&hand, world, 0);
    run_rounds(part, report->plan, &hand, &report->results[report->result_count++]);
    micro_hand_fini(&hand);
    micro_world_destroy(&world);
    return ERR_NONE;
}

/* ── the plan ── */

static enum err
add_part(struct micro_plan *plan, struct span name, struct fault *fault)
{
    const struct micro_part *part = micro_part_find(name);

    if (part == NULL)
        return fault_set(fault, ERR_NOT_FOUND,
                         "no part \"%.*s\"; there are parser, key, lookup, find, head, ring and "
                         "record",
                         SPAN_ARG(span_head(name, 32)));
    for (unsigned i = 0; i < plan->part_count; i++)
        if (plan->parts[i] == part)
            return fault_set(fault, ERR_EXISTS, "%s stands there twice", part->name);
    plan->parts[plan->part_count++] = part;
    return ERR_NONE;
}

/* With several threads all but what is one thread's work. */
static void
add_all(struct micro_plan *plan)
{
    CHECK(micro_part_count <= MICRO_PARTS_MAX);
    for (unsigned i = 0; i < micro_part_count; i++)
        if (plan->thread_count == 0 || !micro_parts[i].single)
            plan->parts[plan->part_count++] = &micro_parts[i];
}

static enum err
parse_threads(struct micro_plan *plan, struct span text, struct fault *fault)
{
    struct span part;

    while (span_split(&text, ',', &part)) {
        uint64_t number;
        if (!span_to_u64(span_trim(part), MICRO_THREADS_MAX, &number) || number < 1)
            return fault_set(fault, ERR_RANGE, "expected 1 to %d threads", MICRO_THREADS_MAX);
        if (plan->thread_count == MICRO_COUNTS_MAX)
            return fault_set(fault, ERR_LIMIT, "at most %d numbers", MICRO_COUNTS_MAX);
        plan->threads[plan->thread_count++] = (unsigned)number;
    }
    return ERR_NONE;
}

static enum err
make_plan(struct micro_plan *plan, const struct settings *settings, const struct texts *names,
          struct fault *fault)
{
    struct fault why;
    enum err     err = parse_threads(plan, settings->threads, &why);

    if (err != ERR_NONE)
        return fault_set(fault, err, "--threads \"%.*s\": %s", SPAN_ARG(span_head(settings->threads, 200)),
                         why.text);
    plan->rounds = (unsigned)settings->rounds;
    plan->answers = (unsigned)settings->answers;
    plan->operations = (uint64_t)settings->operations;
    for (unsigned i = 0; err == ERR_NONE && i < names->count; i++)
        err = add_part(plan, names->at[i], fault);
    if (names->count == 0)
        add_all(plan);
    for (unsigned i = 0; err == ERR_NONE && plan->thread_count > 0 && i < plan->part_count; i++)
        if (plan->parts[i]->single)
            err = fault_set(fault, ERR_RANGE, "%s is the work of one thread: not for --threads",
                            plan->parts[i]->name);
    return err;
}

/* ── the command ── */

static int
run(const void *given, const struct texts *operands, struct fault *fault)
{
    const struct settings *settings = given;
    struct micro_plan      plan = { .part_count = 0 };
    struct micro_report    report = { .plan = &plan };
    enum err               err = make_plan(&plan, settings, operands, fault);

    for (unsigned i = 0; err == ERR_NONE && i < plan.part_count; i++)
        err = plan.thread_count > 0 ? micro_race(plan.parts[i], &report, fault)
                                    : measure(plan.parts[i], &report, fault);
    if (err != ERR_NONE)
        return EXIT_FAILURE;
    if (settings->json)
        micro_print_json(&report, stdout);
    else
        micro_print_text(&report, stdout);
    return EXIT_SUCCESS;
}

const struct command command_micro = {
    .name = "micro",
    .operands = "[PART...]",
    .operands_least = 0,
    .operands_most = MICRO_PARTS_MAX,
    .summary = "what one operation of larder's own parts takes: time and instructions",
    .help = "Measures parts of larder by themselves, each in a loop. Without a name: all of them.\n"
            "  parser   a request's head, from bytes to fields\n"
            "  key      target, and key with its digest\n"
            "  lookup   the cache finds a fresh answer, and lets it go\n"
            "  find     the store's part of that\n"
            "  head     what is written behind the stored head of a hit\n"
            "  ring     into the ring of the access log, and out of it\n"
            "  record   an answer of 1 KB is appended to the store, and makes room for itself\n"
            "Instructions need a counter that the kernel lends; ./dev micro counts them with valgrind.\n",
    .flags = ROW_TABLE(flags),
    .settings_size = sizeof(struct settings),
    .run = run,
};
