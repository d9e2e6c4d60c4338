/* metric.h: counters and gauges as tables: one row is the cell, the name, the unit and the help.
 *
 * A layer lists its rows once, as an X-macro of (name, kind, unit, help):
 *
 *      #define ORIGIN_METRICS(X) \
 *          X(connects, COUNTER, "connections", "Connections opened to origins.")
 *      METRIC_STRUCT(origin_metrics, ORIGIN_METRICS);             in the header
 *      METRIC_TABLE(origin_metrics, "origin", ORIGIN_METRICS);    in one .c
 *
 * and each worker embeds its own `struct origin_metrics`: a cell has one writer, so counting is a
 * plain load, add and store. Readers on other threads see each cell whole, and sum over the workers.
 */
#ifndef LARDER_BASE_METRIC_H
#define LARDER_BASE_METRIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

typedef _Atomic uint64_t metric_cell;

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric_row {
    const char      *name;
    enum metric_kind kind;
    const char      *unit; /* what one of it is: "requests", "bytes", "seconds" */
    const char      *help; /* one sentence, with a full stop */
    size_t           offset;
};

struct metric_table {
    const char              *group; /* the first part of the full name: "origin" in "origin.connects" */
    const struct metric_row *rows;
    size_t                   count;
};

#define METRIC_CELL_(name, kind, unit, help) metric_cell name;
#define METRIC_STRUCT(type, LIST)                 \
    struct type {                                 \
        LIST(METRIC_CELL_)                        \
    };                                            \
    extern const struct metric_table type##_table

#define METRIC_ROW_(name, kind, unit, help) { #name, METRIC_##kind, unit, help, offsetof(METRIC_TYPE_, name) },
/* Before METRIC_TABLE define METRIC_TYPE_ as the struct: `#define METRIC_TYPE_ struct origin_metrics`. */
#define METRIC_TABLE(type, group, LIST)                                        \
    static const struct metric_row type##_rows[] = { LIST(METRIC_ROW_) };      \
    const struct metric_table type##_table                                     \
        = { group, type##_rows, sizeof type##_rows / sizeof type##_rows[0] }

/* Only the cell's own thread may call these. */
static inline void
metric_add(metric_cell *cell, uint64_t n)
{
    atomic_store_explicit(cell, atomic_load_explicit(cell, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void
metric_sub(metric_cell *cell, uint64_t n)
{
    metric_add(cell, (uint64_t)0 - n);
}

static inline void
metric_set(metric_cell *cell, uint64_t value)
{
    atomic_store_explicit(cell, value, memory_order_relaxed);
}

/* Any thread. */
static inline uint64_t
metric_read(const metric_cell *cell)
{
    return atomic_load_explicit((metric_cell *)(uintptr_t)cell, memory_order_relaxed);
}

static inline uint64_t
metric_read_row(const void *metrics, const struct metric_row *row)
{
    return metric_read((const metric_cell *)(const void *)((const char *)metrics + row->offset));
}

#endif
