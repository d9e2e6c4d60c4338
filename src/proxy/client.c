/* client.c: the connection of a client.
 *
 * Events are edges: a readable socket is read only when somebody wants its bytes (a head to parse, a body to move on), and
 * until ERR_AGAIN. While an answer is on its way, pipelined requests wait in `in` and then in the kernel: a client that sends
 * faster than it reads holds nobody but itself.
 *
 * One timer per connection, moved lazily: activity only writes `deadline`, and the timer looks at it when it fires.
 */
#include "client.h"

#include "exchange.h"

#include <larder/base/check.h>
#include <larder/http/parse.h>
#include <unistd.h>

#define LINGER_TIME (2 * NSEC_PER_SEC)
enum { LINGER_BYTES = 1024 * 1024 };

/* ── time ── */

static nsec
limit_of(const struct client *client)
{
    const struct proxy_settings *settings = client->worker->config.settings;
    switch (client->wait) {
    case CLIENT_IDLE:
        return settings->idle_timeout;
    case CLIENT_HEAD:
        return settings->head_timeout;
    case CLIENT_BODY:
        return settings->body_timeout;
    case CLIENT_SEND:
        return settings->send_timeout;
    case CLIENT_LINGER:
        return LINGER_TIME;
    case CLIENT_ORIGIN:
        return INT64_MAX; /* the fetch has its own limits */
    }
    UNREACHABLE();
}

/* ── how fast it goes ── */

#define PACE_WINDOW (5 * NSEC_PER_SEC)

/* Bytes of the body that is on its way. */
static uint64_t
moved_by(const struct client *client)
{
    return client->wait == CLIENT_SEND ? client->exchange->out.body_sent : client->received;
}

static uint64_t
rate_of(const struct client *client)
{
    const struct proxy_settings *settings = client->worker->config.settings;

    if (client->exchange == NULL)
        return 0;
    return client->wait == CLIENT_BODY ? settings->body_rate : client->wait == CLIENT_SEND ? settings->send_rate : 0;
}

/* At each step forward; who makes none is the business of the time limits. `begins`: what it waits for is new. */
static bool
is_too_slow(struct client *client, bool begins)
{
    uint64_t  rate = rate_of(client);
    mono_time now = loop_now(client->worker->loop);

    if (rate == 0)
        return false;
    nsec     passed = mono_since(now, client->pace.since);
    uint64_t moved = moved_by(client) - client->pace.moved;
    if (!begins && passed < PACE_WINDOW)
        return false;
    client->pace.since = now;
    client->pace.moved = moved_by(client);
    return !begins && (double)moved < (double)rate * (double)passed / NSEC_PER_SEC;
}

void
client_wait_for(struct client *client, enum client_wait wait)
{
    struct loop *loop = client->worker->loop;
    bool         begins = wait != client->wait;

    client->wait = wait;
    if (is_too_slow(client, begins)) {
        metric_add(&client->worker->metrics.too_slow, 1);
        client->deadline = loop_now(loop); /* its exchange is in the middle of a step */
        timer_set(loop, &client->timer, client->deadline);
        return;
    }
    client->deadline = mono_add(loop_now(loop), limit_of(client));
    if (client->exchange != NULL && client->until.ns < client->deadline.ns)
        client->deadline = client->until;
    if (client->deadline.ns == INT64_MAX)
        return;
    if (!client->timer.set || client->timer.at.ns > client->deadline.ns)
        timer_set(loop, &client->timer, client->deadline);
}

/* A head that does not come to its end gets an answer, unless memory is short. */
static void
refuse_late_head(struct client *client)
{
    struct exchange *exchange = exchange_create(client);
    if (exchange == NULL) {
        client_close(client, false);
        return;
    }
    exchange->refusal = REFUSAL_HEAD_TIMEOUT;
    client->until = MONO_NEVER;
    client_advance(client);
}

/* However it moves on. */
static void
end_late_exchange(struct client *client)
{
    if (find_give_up(client->exchange)) {
        client_advance(client);
        return;
    }
    metric_add(&client->worker->metrics.timeouts, 1);
    metric_add(&client->worker->metrics.exchange_timeouts, 1);
    client_close(client, true);
}

static void
fire_timer(struct timer *timer)
{
    struct client *client = CONTAINER_OF(timer, struct client, timer);
    struct loop   *loop = client->worker->loop;

    if (client->deadline.ns > loop_now(loop).ns) {
        if (client->deadline.ns != INT64_MAX)
            timer_set(loop, timer, client->deadline);
        return;
    }
    if (client->exchange != NULL && client->until.ns <= loop_now(loop).ns) {
        end_late_exchange(client);
        return;
    }
    if (client->wait != CLIENT_IDLE && client->wait != CLIENT_LINGER)
        metric_add(&client->worker->metrics.timeouts, 1);
    if (client->wait == CLIENT_HEAD && !client->prefaced)
        refuse_late_head(client);
    else
        client_close(client, client->exchange != NULL);
}

/* ── bytes in ── */

enum err
client_read(struct client *client)
{
    if (client->ended)
        return ERR_CLOSED;
    if (client->dry)
        return ERR_AGAIN;
    enum err err = buf_lend(&client->in);
    if (err != ERR_NONE)
        return err;
    if (buf_room(&client->in) == 0)
        buf_compact(&client->in);
    if (buf_room(&client->in) == 0)
        return ERR_FULL;
    size_t got = 0, room = buf_room(&client->in);
    err = stream_read(&client->stream, buf_tail(&client->in), room, &got);
    /* A short read has emptied the socket: what comes later raises a new edge (epoll(7)), and a recv is saved.
     * But an end that has come with the bytes raises none. */
    client->dry = err == ERR_AGAIN || (err == ERR_NONE && got < room && !client->ending);
    if (err == ERR_NONE) {
        buf_filled(&client->in, got);
        client->received += got;
        metric_add(&client->worker->metrics.bytes_in, got);
    } else if (err != ERR_AGAIN) {
        client->ended = true;
    }
    return err;
}

/* ── requests ── */

static struct parse_limits
limits_of(const struct client *client)
{
    const struct proxy_settings *settings = client->worker->config.settings;
    return (struct parse_limits){ (uint32_t)settings->head_size, (uint32_t)settings->target_size };
}

/* Parses a head at the front of `in` and starts its exchange. ERR_AGAIN: not all of it there yet. The
 * exchange owns a copy of the head, so that `in` is free for the body and for what follows. A head that is refused is an exchange too: it
 * has an answer. */
static enum err
start_exchange(struct client *client)
{
    struct exchange *exchange = exchange_create(client);
    if (exchange == NULL)
        return ERR_NO_MEMORY;

    struct parse_limits limits = limits_of(client);
    size_t              size = 0;
    struct span         held = buf_held(&client->in);
    enum err            err = parse_request(&exchange->head, held, &limits, &size, &exchange->refusal);
    if (err == ERR_NONE) {
        struct span kept = arena_copy(&exchange->arena, span_head(held, size));
        if (kept.at == NULL)
            err = ERR_NO_MEMORY;
        else
            head_rebase(&exchange->head, held.at, kept.at);
        exchange->parsed = err == ERR_NONE;
        buf_consume(&client->in, size);
    }
    if (err == ERR_AGAIN || err == ERR_NO_MEMORY)
        exchange_destroy(&exchange);
    return err == ERR_SYNTAX ? ERR_NONE : err;
}

/* Waits for the next request, or for the rest of one. */
static void
wait_for_request(struct client *client)
{
    bool part = buf_held(&client->in).len > 0;

    if (client->ended || (client->worker->stopping && !part)) {
        client_close(client, false);
        return;
    }
    buf_return_if_empty(&client->in);
    list_remove(&client->idle_node);
    if (!part)
        list_push_back(&client->worker->idle, &client->idle_node);
    if (!part && !client->prefaced)
        client_wait_for(client, CLIENT_IDLE);
    else if (client->wait != CLIENT_HEAD) {
        client->head_began = loop_now(client->worker->loop);
        client_wait_for(client, CLIENT_HEAD); /* from its first byte: dripping does not prolong it */
    }
}

/* What is at the front of `in`: a PROXY header, once, and requests. */
static enum err
take_held(struct client *client)
{
    enum err err = client->prefaced && buf_held(&client->in).len > 0 ? client_take_preface(client) : ERR_NONE;
    if (err != ERR_NONE)
        return err;
    return buf_held(&client->in).len > 0 ? start_exchange(client) : ERR_AGAIN;
}

/* The next request: from the buffer, else from the socket. */
static enum err
next_request(struct client *client)
{
    for (;;) {
        enum err err = take_held(client);
        if (err != ERR_AGAIN)
            return err;
        err = client_read(client);
        if (err != ERR_NONE)
            return err;
    }
}

/* The exchange has a head: from now on it waits for whatever it needs. */
static void
begin_exchange(struct client *client)
{
    nsec limit = client->worker->config.settings->exchange_timeout;

    list_remove(&client->idle_node);
    client->requests++;
    client->until = limit == 0                    ? MONO_NEVER
                    : client->wait == CLIENT_HEAD ? mono_add(client->head_began, limit)
                                                  : mono_add(loop_now(client->worker->loop), limit);
    client->wait = CLIENT_ORIGIN;
    client->deadline = MONO_NEVER;
}

void
client_advance(struct client *client)
{
    uint64_t most = client->worker->config.settings->pipeline_turn;

    for (uint64_t served = 0;; served++) {
        if (client->exchange != NULL && exchange_run(client->exchange) != RUN_ENDED)
            return;
        if (served == most) {
            metric_add(&client->worker->metrics.pipeline_turns, buf_held(&client->in).len > 0);
            task_defer(client->worker->loop, &client->again);
            return;
        }
        enum err err = next_request(client);
        if (err == ERR_AGAIN || err == ERR_CLOSED) {
            wait_for_request(client);
            return;
        }
        if (err != ERR_NONE) {
            client_close(client, true);
            return;
        }
        begin_exchange(client);
    }
}

/* Reads and forgets what still comes, so that our last answer is not lost to a RST (RFC 9112 §9.6). */
static void
linger(struct client *client)
{
    enum err err;
    while ((err = client_read(client)) == ERR_NONE) {
        client->lingered += (uint32_t)buf_held(&client->in).len;
        buf_consume(&client->in, buf_held(&client->in).len);
        if (client->lingered > LINGER_BYTES)
            break;
    }
    if (err != ERR_AGAIN)
        client_close(client, false);
}

void
client_end(struct client *client)
{
    if (client->ended) {
        client_close(client, false);
        return;
    }
    stream_shutdown(&client->stream);
    buf_consume(&client->in, buf_held(&client->in).len);
    client_wait_for(client, CLIENT_LINGER);
    linger(client);
}

static void
run_again(struct task *task)
{
    client_advance(CONTAINER_OF(task, struct client, again));
}

/* While an answer is under way we read on only to learn of a broken connection, and as far as there is room. */
static void
handle_ready(struct stream *stream, unsigned events)
{
    struct client *client = CONTAINER_OF(stream, struct client, stream);

    if (events & STREAM_BROKEN) {
        client_close(client, true);
        return;
    }
    if (events & STREAM_READ)
        client->dry = false;
    if (events & STREAM_END)
        client->ending = true;
    if (client->wait == CLIENT_LINGER) {
        linger(client);
        return;
    }
    if (client->exchange != NULL && (events & STREAM_READ) && !exchange_wants_body(client->exchange)) {
        enum err err;
        while ((err = client_read(client)) == ERR_NONE)
            ;
        buf_return_if_empty(&client->in);
        if (err == ERR_RESET) {
            client_close(client, true);
            return;
        }
    }
    client_advance(client);
}

/* ── coming and going ── */

bool
client_shed_idle(struct worker *worker)
{
    struct list *first = list_first(&worker->idle);

    if (first == NULL)
        return false;
    metric_add(&worker->metrics.shed, 1);
    client_close(CONTAINER_OF(first, struct client, idle_node), false);
    return true;
}

bool
client_be_counted(struct client *client)
{
    struct worker *worker = client->worker;
    struct crowd  *crowd = worker->config.crowd;

    if (crowd == NULL)
        return true;
    enum crowd_answer answer = crowd_enter(crowd, &client->host, &client->guest);
    if (answer == CROWD_FULL && client_shed_idle(worker))
        answer = crowd_enter(crowd, &client->host, &client->guest);
    metric_add(&worker->metrics.turned_away, answer != CROWD_IN);
    return answer == CROWD_IN;
}

void
client_open(struct worker *worker, int fd, const struct addr *peer, bool proxy_protocol)
{
    struct client *client = slab_alloc(&worker->clients_slab);
    if (client == NULL) {
        close(fd);
        return;
    }
    memset(client, 0, sizeof *client);
    client->worker = worker;
    stream_init(&client->stream, handle_ready);
    timer_init(&client->timer, fire_timer);
    task_init(&client->again, run_again);
    list_init(&client->idle_node);
    buf_init(&client->in, &worker->buffers);
    client_set_peer(client, peer);
    client->prefaced = proxy_protocol;

    if (stream_open(&client->stream, worker->loop, fd) != ERR_NONE) {
        slab_free(&worker->clients_slab, client);
        return;
    }
    list_push_back(&worker->clients, &client->node);
    metric_add(&worker->metrics.connections_accepted, 1);
    metric_add(&worker->metrics.connections, 1);
    if (client->prefaced ? !client_may_preface(client) : !client_be_counted(client))
        client_close(client, true);
    else
        client_advance(client);
}

void
client_close(struct client *client, bool abort)
{
    struct worker *worker = client->worker;

    if (client->exchange != NULL) {
        metric_add(&worker->metrics.client_gone, 1);
        exchange_destroy(&client->exchange);
    }
    timer_cancel(worker->loop, &client->timer);
    task_cancel(worker->loop, &client->again);
    if (abort)
        stream_abort(&client->stream);
    else
        stream_close(&client->stream);
    buf_fini(&client->in);
    list_remove(&client->node);
    list_remove(&client->idle_node);
    if (client->guest != NULL)
        crowd_leave(worker->config.crowd, &client->guest);
    metric_sub(&worker->metrics.connections, 1);
    slab_free(&worker->clients_slab, client);
    worker_check_stopped(worker);
}

void
client_stop(struct client *client)
{
    if (client->exchange == NULL && buf_held(&client->in).len == 0)
        client_close(client, false);
}
