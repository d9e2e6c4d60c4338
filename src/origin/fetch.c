/* fetch.c: the life of a fetch: a connection, time limits, and how it ends.
 *
 *      STARTING ─▶ kept connection ────────────▶ HEAD ─▶ BODY ─▶ OVER
 *          └─────▶ CONNECTING ─(next address)──▶   │
 *          ◀── closed before any byte, once ───────┘
 *
 * Everything runs from the loop (socket, timer or task), never from within a call of the owner's, so a callback finds the
 * owner at rest. A fetch that is released while it runs is freed when it comes out.
 */
#include "fetch_impl.h"
#include "pool_impl.h"

#include <larder/base/check.h>
#include <stdlib.h>

#define METRIC_TYPE_ struct origin_metrics
METRIC_TABLE(origin_metrics, "origin", ORIGIN_METRICS);

static const struct {
    const char *name;
    unsigned    status;
    const char *text;
} failures[FETCH_FAILURE_COUNT] = {
#define FAILURE_ROW(id, status, text) [FETCH_##id] = { #id, status, text },
    FETCH_FAILURE_TABLE(FAILURE_ROW)
#undef FAILURE_ROW
};

const char *
fetch_failure_name(enum fetch_failure failure)
{
    static const char *const names[FETCH_FAILURE_COUNT] = {
        [FETCH_UNRESOLVED] = "unresolved",
        [FETCH_REFUSED] = "refused",
        [FETCH_UNREACHABLE] = "unreachable",
        [FETCH_CONNECT_TIMEOUT] = "connect-timeout",
        [FETCH_CLOSED_EARLY] = "closed-early",
        [FETCH_SEND] = "send",
        [FETCH_FIRST_BYTE_TIMEOUT] = "first-byte-timeout",
        [FETCH_BAD_HEAD] = "bad-head",
        [FETCH_CUT] = "cut",
        [FETCH_BAD_BODY] = "bad-body",
        [FETCH_BODY_TIMEOUT] = "body-timeout",
        [FETCH_ORIGIN_ERROR] = "origin-error",
        [FETCH_CHANGED] = "changed",
        [FETCH_NO_RESOURCES] = "no-resources",
    };
    return names[failure];
}

const char *
fetch_failure_text(enum fetch_failure failure)
{
    return failures[failure].text;
}

unsigned
fetch_failure_status(enum fetch_failure failure)
{
    return failures[failure].status;
}

/* ── outcome ── */

static void
leave_connection(struct fetch *fetch, bool abort)
{
    connection_close(&fetch->connection, abort);
    timer_cancel(fetch->origin->loop, &fetch->timer);
}

void
fetch_fail(struct fetch *fetch, enum fetch_failure failure, const char *detail)
{
    bool late = failure == FETCH_CONNECT_TIMEOUT || failure == FETCH_FIRST_BYTE_TIMEOUT
                || failure == FETCH_BODY_TIMEOUT;

    fetch->state = FETCH_OVER;
    leave_connection(fetch, true);
    metric_add(&fetch->origin->metrics->failures, 1);
    if (late)
        metric_add(&fetch->origin->metrics->timeouts, 1);
    fetch->events->fail(fetch->owner, failure, detail);
}

/* RFC 9112 §9.3: only a connection on which both messages are whole, and nothing follows, carries another request. */
void
fetch_finish(struct fetch *fetch)
{
    bool to_end = fetch->framing.kind == BODY_CLOSE || fetch->framing.kind == BODY_TUNNEL;
    bool keep = fetch->framing.keep_alive && !to_end && !fetch->stopped && fetch_is_sent(fetch)
                && buf_held(&fetch->connection->in).len == 0;

    fetch->state = FETCH_OVER;
    if (keep)
        kept_put(&fetch->connection);
    leave_connection(fetch, false);
    fetch->events->end(fetch->owner);
}

/* ── time ── */

/* One limit for all addresses. A silent one gets half of what is left while there are others, so that they have their chance. */
static nsec
connect_limit(const struct fetch *fetch)
{
    nsec left = mono_since(fetch->connect_until, loop_now(fetch->origin->loop));

    if (left <= 0)
        return 0;
    return fetch->attempts < pool_addresses(fetch->pool, NULL) ? left / 2 : left;
}

static nsec
limit_of(const struct fetch *fetch)
{
    const struct pool_settings *settings = pool_settings_of(fetch->pool);

    if (fetch->paused)
        return INT64_MAX; /* the client's side has its own limit */
    switch (fetch->state) {
    case FETCH_CONNECTING:
        return connect_limit(fetch);
    case FETCH_HEAD:
        return fetch_is_sent(fetch) || fetch->stopped                  ? settings->first_byte_timeout
               : settings->idle_timeout > settings->first_byte_timeout ? settings->idle_timeout
                                                                       : settings->first_byte_timeout;
    default:
        return settings->idle_timeout;
    }
}

void
fetch_wait(struct fetch *fetch)
{
    struct loop *loop = fetch->origin->loop;

    fetch->deadline = mono_add(loop_now(loop), limit_of(fetch));
    if (fetch->deadline.ns == INT64_MAX)
        return;
    if (!fetch->timer.set || fetch->timer.at.ns > fetch->deadline.ns)
        timer_set(loop, &fetch->timer, fetch->deadline);
}

static void run(struct fetch *fetch, void (*what)(struct fetch *fetch));
static void connect_next(struct fetch *fetch, enum err last);

static void
give_up_waiting(struct fetch *fetch)
{
    switch (fetch->state) {
    case FETCH_CONNECTING:
        connection_close(&fetch->connection, false);
        connect_next(fetch, ERR_TIMEOUT);
        return;
    case FETCH_HEAD:
        fetch_fail(fetch, FETCH_FIRST_BYTE_TIMEOUT, "");
        return;
    default:
        fetch_fail(fetch, FETCH_BODY_TIMEOUT, "");
    }
}

/* The timer is moved lazily: progress only writes the deadline. */
static void
fire_timer(struct timer *timer)
{
    struct fetch *fetch = CONTAINER_OF(timer, struct fetch, timer);
    struct loop  *loop = fetch->origin->loop;

    if (fetch->deadline.ns <= loop_now(loop).ns)
        run(fetch, give_up_waiting);
    else if (fetch->deadline.ns != INT64_MAX)
        timer_set(loop, timer, fetch->deadline);
}

/* ── connecting ── */

static void
begin_exchange(struct fetch *fetch)
{
    fetch->state = FETCH_HEAD;
    fetch->head_sent = 0;
    fetch->any_byte = false;
    fetch_wait(fetch);
}

static enum fetch_failure
failure_of(enum err err)
{
    switch (err) {
    case ERR_REFUSED:
        return FETCH_REFUSED;
    case ERR_TIMEOUT:
        return FETCH_CONNECT_TIMEOUT;
    case ERR_NO_MEMORY:
    case ERR_NO_DESCRIPTORS:
        return FETCH_NO_RESOURCES;
    default:
        return FETCH_UNREACHABLE;
    }
}

/* Tries addresses until one is under way; the last error is the one that is told. */
static void
connect_next(struct fetch *fetch, enum err last)
{
    size_t count = pool_addresses(fetch->pool, NULL);

    while (fetch->attempts < count && (fetch->attempts == 0 || connect_limit(fetch) > 0)) {
        struct addr addr;
        if (!pool_pick(fetch->pool, fetch->address + fetch->attempts++, &addr))
            break;
        fetch->connection = connection_create(fetch->origin, fetch->pool);
        if (fetch->connection == NULL) {
            fetch_fail(fetch, FETCH_NO_RESOURCES, "");
            return;
        }
        fetch->connection->fetch = fetch;
        fetch->connection->addr = addr;
        last = stream_connect(&fetch->connection->stream, fetch->origin->loop, &addr);
        if (last == ERR_NONE) {
            metric_add(&fetch->origin->metrics->connects, 1);
            fetch->state = FETCH_CONNECTING;
            fetch_wait(fetch);
            return;
        }
        connection_close(&fetch->connection, false);
    }
    fetch_fail(fetch, failure_of(last), last == ERR_NONE || last == ERR_TIMEOUT ? "" : err_text(last));
}

static void
connect_first(struct fetch *fetch)
{
    char why[128];

    if (pool_addresses(fetch->pool, why) == 0) {
        fetch_fail(fetch, FETCH_UNRESOLVED, why);
        return;
    }
    fetch->reused = false;
    fetch->attempts = 0;
    fetch->connect_until =
        mono_add(loop_now(fetch->origin->loop), pool_settings_of(fetch->pool)->connect_timeout);
    fetch->address = fetch->origin->next_address++;
    connect_next(fetch, ERR_NONE);
}

static void
start(struct fetch *fetch)
{
    fetch->connection = kept_take(fetch->origin, fetch->pool);
    if (fetch->connection == NULL) {
        connect_first(fetch);
        return;
    }
    metric_add(&fetch->origin->metrics->reuses, 1);
    fetch->connection->fetch = fetch;
    fetch->reused = true;
    begin_exchange(fetch);
}

void
fetch_lost(struct fetch *fetch, enum err err)
{
    if (fetch->reused && fetch->replay && !fetch->retried) {
        fetch->retried = true;
        fetch->stopped = false;
        connection_close(&fetch->connection, false);
        metric_add(&fetch->origin->metrics->retries, 1);
        connect_first(fetch);
        return;
    }
    fetch_fail(fetch, fetch->stopped ? FETCH_SEND : FETCH_CLOSED_EARLY,
               err == ERR_CLOSED ? "" : err_text(err));
}

static bool
finish_connect(struct fetch *fetch)
{
    enum err err = stream_connect_result(&fetch->connection->stream);

    if (err == ERR_AGAIN)
        return false;
    if (err == ERR_NONE) {
        begin_exchange(fetch);
        return true;
    }
    connection_close(&fetch->connection, false);
    connect_next(fetch, err);
    return false;
}

/* ── running ── */

/* The owner may feed again what was refused before. */
static void
tell_drained(struct fetch *fetch)
{
    if (!fetch->starved || fetch->stopped || buf_held(&fetch->out).len > BUFFER_SIZE / 2)
        return;
    fetch->starved = false;
    fetch->events->drain(fetch->owner);
}

static void
advance(struct fetch *fetch)
{
    bool starting = fetch->state == FETCH_STARTING;
    if (starting)
        start(fetch);
    if (fetch->state == FETCH_CONNECTING && !finish_connect(fetch))
        return;
    if (fetch->state != FETCH_HEAD && fetch->state != FETCH_BODY)
        return;
    fetch_flush(fetch);
    tell_drained(fetch);
    if (starting && !fetch->stopped)
        return; /* it was quiet when it was taken: whatever comes is an edge of its own */
    if (!fetch->released && (fetch->state == FETCH_HEAD || fetch->state == FETCH_BODY))
        fetch_receive(fetch);
}

static void
free_fetch(struct fetch *fetch)
{
    struct origin *origin = fetch->origin;

    leave_connection(fetch, true);
    task_cancel(origin->loop, &fetch->task);
    buf_fini(&fetch->out);
    pool_release(&fetch->pool);
    free(fetch->head);
    slab_free(&origin->fetches, fetch);
}

static void
run(struct fetch *fetch, void (*what)(struct fetch *fetch))
{
    CHECK(!fetch->running);
    fetch->running = true;
    if (fetch->state != FETCH_OVER)
        what(fetch);
    fetch->running = false;
    if (fetch->released)
        free_fetch(fetch);
}

void
fetch_handle(struct fetch *fetch)
{
    run(fetch, advance);
}

static void
run_task(struct task *task)
{
    run(CONTAINER_OF(task, struct fetch, task), advance);
}

/* ── what the owner calls ── */

struct fetch *
fetch_start(struct origin *origin, struct pool *pool, const struct fetch_request *request,
            const struct fetch_events *events, void *owner)
{
    struct fetch *fetch = slab_alloc(&origin->fetches);
    char         *head = malloc(request->head.len);
    if (fetch == NULL || head == NULL) {
        if (fetch != NULL)
            slab_free(&origin->fetches, fetch);
        free(head);
        return NULL;
    }
    memcpy(head, request->head.at, request->head.len);
    *fetch = (struct fetch){ .origin = origin,
                             .pool = pool_acquire(pool),
                             .events = events,
                             .owner = owner,
                             .head = head,
                             .head_len = request->head.len,
                             .method = request->method,
                             .body = request->body,
                             .ended = request->body == BODY_NONE,
                             .replay = request->replay,
                             .upgrade = request->upgrade };
    buf_init(&fetch->out, &origin->buffers);
    timer_init(&fetch->timer, fire_timer);
    task_init(&fetch->task, run_task);
    task_defer(origin->loop, &fetch->task);
    metric_add(&origin->metrics->fetches, 1);
    return fetch;
}

void
fetch_pause(struct fetch *fetch)
{
    fetch->paused = true;
    fetch_wait(fetch);
}

void
fetch_resume(struct fetch *fetch)
{
    if (!fetch->paused)
        return;
    fetch->paused = false;
    if (fetch->state == FETCH_OVER)
        return;
    fetch_wait(fetch);
    task_defer(fetch->origin->loop, &fetch->task);
}

void
fetch_release(struct fetch **pointer)
{
    struct fetch *fetch = *pointer;
    *pointer = NULL;
    if (fetch == NULL)
        return;
    fetch->released = true;
    fetch->state = FETCH_OVER;
    if (!fetch->running)
        free_fetch(fetch);
}

/* ── a worker's side ── */

enum err
origin_create(struct origin **out, struct loop *loop, const struct chunk_limits *chunks,
              struct origin_metrics *metrics)
{
    struct origin *origin = calloc(1, sizeof *origin);
    *out = origin;
    if (origin == NULL)
        return ERR_NO_MEMORY;
    origin->loop = loop;
    origin->chunks = *chunks;
    origin->metrics = metrics;
    list_init(&origin->kept);
    slab_init(&origin->connections, sizeof(struct connection), 0);
    slab_init(&origin->fetches, sizeof(struct fetch), 0);
    slab_init(&origin->buffers, BUFFER_SIZE, 0);
    return ERR_NONE;
}

void
origin_destroy(struct origin **pointer)
{
    struct origin *origin = *pointer;
    struct list   *node;

    *pointer = NULL;
    if (origin == NULL)
        return;
    while ((node = list_first(&origin->kept)) != NULL) {
        struct connection *connection = CONTAINER_OF(node, struct connection, node);
        connection_close(&connection, false);
    }
    slab_fini(&origin->buffers);
    slab_fini(&origin->fetches);
    slab_fini(&origin->connections);
    free(origin);
}
