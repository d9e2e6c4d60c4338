/* store_bench.c: `larder-bench store`: the table of its modes, and what they share. See store_bench.h.
 */
#include "store_bench.h"
#include "command.h"

#include <larder/base/check.h>
#include <stdlib.h>

#define FLAG(name, type, least, most, initial, value, help)                                                  \
    {                                                                                                        \
#name, ROW_##type, offsetof(struct store_bench, name), least, most, initial, value, help             \
    }

static const struct row flags[] = {
    FLAG(records, COUNT, 1000, 1000000000, 1000000, "N", "Records that the store has room for."),
    FLAG(size, SIZE, 0, 256 << 10, 1024, "SIZE", "Bytes of each body."),
    FLAG(lookups, COUNT, 1000, 10000000000, 4000000, "N",
         "find, tail: lookups of each kind, all rounds together."),
    FLAG(rounds, COUNT, 1, STORE_BENCH_ROUNDS_MAX, 5, "N",
         "find, append, tail: rounds, of which the median is told."),
    FLAG(rate, COUNT, 1, 10000000, 20000, "N", "tail: records appended each second."),
    FLAG(trace, TEXT, 0, 0, 0, "FILE", "replay: the trace, as for simulate."),
    FLAG(cache, TEXT, 0, 0, 0, "LIST", "replay: sizes; 8M at least, smaller ones are raised to it. [1%,10%]"),
    FLAG(policy, TEXT, 0, 0, 0, "LIST", "replay: policies. [sc]"),
};

struct mode {
    const char *name;
    enum err (*run)(const struct store_bench *bench, struct fault *fault);
};

static const struct mode modes[] = { { "memory", store_bench_memory },
                                     { "find", store_bench_find },
                                     { "append", store_bench_append },
                                     { "replay", store_bench_replay },
                                     { "tail", store_bench_tail } };

/* ── what the modes share ── */

enum { RECORD_HEAD = 64, RECORD_ALIGN = 64, KEY_MOST = 48, FOOTER_ENTRY = 32, SPARE = 8 << 20 };

/* Headers, footers and ends of segments are a twentieth at most, and so are the free segments that are kept ready, but
 * in a small store. */
enum err
store_bench_open(struct store **store, uint64_t records, uint64_t size, unsigned readers, struct fault *fault)
{
    uint64_t record = (RECORD_HEAD + KEY_MOST + size + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
    uint64_t bytes = records * (record + FOOTER_ENTRY) / 20 * 21 + SPARE;
    struct store_config config = { .size = bytes, .readers = readers };
    return store_open(store, &config, fault);
}

uint64_t
store_bench_sum_at(const struct store *store, size_t offset)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < store_metrics_count(store); i++) {
        const char *metrics = (const char *)store_metrics_of(store, i);
        total += metric_read((const metric_cell *)(const void *)(metrics + offset));
    }
    return total;
}

bool
store_bench_is_full(const struct store *store)
{
    return store_bench_sum(store, evicted) > store_bench_sum(store, objects) / 100;
}

static int
compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double
store_bench_median(double *values, unsigned count)
{
    CHECK(count > 0);
    qsort(values, count, sizeof values[0], compare);
    return values[count / 2];
}

/* ── the command ── */

static int
run(const void *given, const struct texts *operands, struct fault *fault)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (span_equal(operands->at[0], span_of_text(modes[i].name)))
            return modes[i].run(given, fault) == ERR_NONE ? EXIT_SUCCESS : EXIT_FAILURE;
    fault_set(fault, ERR_NOT_FOUND, "no mode \"%.*s\"; there are memory, find, append, replay and tail",
              SPAN_ARG(span_head(operands->at[0], 32)));
    return EXIT_FAILURE;
}

const struct command command_store = {
    .name = "store",
    .operands = "memory|find|append|replay|tail",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "what the store by itself takes: memory, time, and misses of a trace",
    .help =
        "Measures a store in memory, without a server around it.\n"
        "  memory   bytes of memory for each record, when it is full and has evicted as many again\n"
        "  find     processor time of a lookup with its lease\n"
        "  append   processor time of the store threads for each record, while filling and while evicting\n"
        "  replay   the misses of a trace in the real store, beside those of its simulation\n"
        "  tail     how long hits take, with and without segments being cleaned\n",
    .flags = ROW_TABLE(flags),
    .settings_size = sizeof(struct store_bench),
    .run = run,
};
