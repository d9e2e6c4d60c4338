/* stats.c: all metrics as JSON, each with its meaning.
 *
 * Tables come in blocks, one from each worker and shard; a metric is the sum of its cells. Cells are read
 * one by one while the workers count on: each is right, together they are a moment, not an instant.
 */
#include "api.h"

struct block {
    const struct metric_table *table;
    const void                *cells;
};

static bool
block_at(const struct admin_config *config, unsigned index, struct block *block)
{
    return config->metrics(config->owner, index, &block->table, &block->cells);
}

static uint64_t
sum_cells(const struct admin_config *config, const struct metric_table *table, const struct metric_row *row)
{
    struct block block;
    uint64_t     sum = 0;

    for (unsigned i = 0; block_at(config, i, &block); i++)
        if (block.table == table)
            sum += metric_read_row(block.cells, row);
    return sum;
}

static json_t *
metric_of(const struct metric_table *table, const struct metric_row *row, uint64_t value)
{
    return json_pack("{s:o, s:I, s:s, s:s, s:s}", "name", json_sprintf("%s.%s", table->group, row->name),
                     "value", (json_int_t)value, "kind", row->kind == METRIC_COUNTER ? "counter" : "gauge",
                     "unit", row->unit, "help", row->help);
}

/* False: memory ended. */
static bool
append_table(json_t *metrics, const struct admin_config *config, const struct metric_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct metric_row *row = &table->rows[i];
        if (json_array_append_new(metrics, metric_of(table, row, sum_cells(config, table, row))) != 0)
            return false;
    }
    return true;
}

/* Whether a table was there in an earlier block: then it is summed already. */
static bool
is_repeated(const struct admin_config *config, const struct metric_table *table, unsigned before)
{
    struct block block;

    for (unsigned i = 0; i < before && block_at(config, i, &block); i++)
        if (block.table == table)
            return true;
    return false;
}

static json_t *
all_metrics(const struct admin_config *config)
{
    json_t      *metrics = json_array();
    struct block block;

    for (unsigned i = 0; metrics != NULL && block_at(config, i, &block); i++)
        if (!is_repeated(config, block.table, i) && !append_table(metrics, config, block.table)) {
            json_decref(metrics);
            return NULL;
        }
    return metrics;
}

void
stats_handle(struct conn *conn, const struct api_request *request)
{
    const struct admin_config *config = &conn->admin->config;
    nsec                       uptime = mono_since(loop_now(config->loop), config->started);

    (void)request;
    /* json_pack gives NULL when any part is NULL, and takes the others over all the same. */
    conn_answer(conn, 200,
                json_pack("{s:s, s:I, s:I, s:o}", "version", config->version, "uptime",
                          (json_int_t)(uptime / NSEC_PER_SEC), "workers", (json_int_t)config->workers,
                          "metrics", all_metrics(config)),
                NULL);
}
