/* exchange.c: the life of an exchange, and the engine that runs its steps.
 *
 * The table is the whole state machine: every step names its successor in exchange->step. Steps never end the
 * connection they stand in; they say how it shall end, and exchange_run does it last.
 */
#include "exchange.h"

#include "access.h"
#include "lead.h"
#include "port.h"
#include "slices.h"
#include "thaw.h"

#include <larder/base/check.h>
#include <stdio.h>

static const struct {
    const char *name;
    enum step_result (*run)(struct exchange *exchange);
} steps[STEP_COUNT] = {
#define STEP_ROW(id, name) [STEP_##id] = { #name, step_##name },
    STEP_TABLE(STEP_ROW)
#undef STEP_ROW
};

static void
run_woken(struct task *task)
{
    struct exchange *exchange = CONTAINER_OF(task, struct exchange, wake);

    exchange->woken = true;
    client_advance(exchange->client);
}

struct exchange *
exchange_create(struct client *client)
{
    struct worker   *worker = client->worker;
    struct exchange *exchange = slab_alloc(&worker->exchanges_slab);
    if (exchange == NULL)
        return NULL;
    CHECK(client->exchange == NULL);
    /* All but the fields, which head_init and the parser fill as far as they are used. */
    memset(exchange, 0, offsetof(struct exchange, fields));
    exchange->worker = worker;
    exchange->client = client;
    exchange->step = STEP_RECEIVE;
    exchange->began = loop_now(worker->loop);
    arena_init(&exchange->arena, &worker->arena_chunks, ARENA_LIMIT);
    task_init(&exchange->wake, run_woken);
    list_init(&exchange->port_node);
    list_init(&exchange->thaw_node);
    list_init(&exchange->slow_node);
    uint64_t room = worker->config.settings->head_fields;
    head_init(&exchange->head, exchange->fields, (uint16_t)(room < FIELDS_MAX ? room : FIELDS_MAX));
    client->exchange = exchange;
    metric_add(&worker->metrics.requests_active, 1);
    return exchange;
}

/* The lead first: it may still look at our port. */
static void
leave_flight(struct exchange *exchange)
{
    lead_leave(exchange);
    port_leave(exchange);
    flight_release(&exchange->lookup.flight);
}

void
exchange_destroy(struct exchange **pointer)
{
    struct exchange *exchange = *pointer;
    struct worker   *worker = exchange->worker;

    *pointer = NULL;
    access_write(exchange);
    exchange->client->exchange = NULL;
    task_cancel(worker->loop, &exchange->wake);
    cursor_close(&exchange->out.cursor);
    slices_close(exchange);
    leave_flight(exchange);
    thaw_leave(exchange);
    list_remove(&exchange->slow_node);
    cold_set_clear(&exchange->reads);
    lease_release(&exchange->lookup.lease);
    arena_reset(&exchange->arena);
    metric_sub(&worker->metrics.requests_active, 1);
    slab_free(&worker->exchanges_slab, exchange);
}

void
exchange_wake(struct exchange *exchange)
{
    task_defer(exchange->worker->loop, &exchange->wake);
}

bool
exchange_wants_body(const struct exchange *exchange)
{
    return exchange->step == STEP_TUNNEL || !exchange->upload.whole || exchange->upload.pending.len > 0;
}

static void
describe(const void *subject, char *out, size_t size)
{
    const struct exchange *exchange = subject;
    snprintf(out, size, "step %s of %.*s %.*s", steps[exchange->step].name,
             SPAN_ARG(exchange->head.method_text), SPAN_ARG(exchange->head.target));
}

enum run
exchange_run(struct exchange *exchange)
{
    struct client   *client = exchange->client;
    enum step_result result;

    check_set_context(describe, exchange);
    do
        result = steps[exchange->step].run(exchange);
    while (result == STEP_NEXT);
    check_set_context(NULL, NULL);
    if (result == STEP_WAIT)
        return RUN_WAITS;

    enum exchange_end end = exchange->end;
    exchange_destroy(&exchange);
    if (end == END_KEEP)
        return RUN_ENDED;
    if (end == END_CLOSE)
        client_end(client);
    else
        client_close(client, true);
    return RUN_CLOSED;
}
