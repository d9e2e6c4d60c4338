/* load_conn.c: a connection of the load: requests out, answers in, a latency for each.
 *
 *      slots:  ├── written, answers expected in this order ──┼── unsent ──┤
 *            first                                                     first + count
 *
 * A connection that the server ends after an answer ("Connection: close") is made again, and what was
 * pipelined behind that answer is asked again: it is late, not lost.
 */
#include "load.h"

#include <larder/base/check.h>
#include <errno.h>
#include <stdlib.h>

#define RETRY_AFTER (100 * NSEC_PER_MSEC)

enum { VECTORS = 64, BATCH = 48, WORTH_SKIPPING = 4096 };

static struct load_slot *
slot_at(struct load_conn *conn, unsigned i)
{
    CHECK(i < conn->count);
    unsigned at = conn->first + i;
    return &conn->slots[at < conn->worker->plan->pipeline ? at : at - conn->worker->plan->pipeline];
}

static bool
is_vacant(const struct load_conn *conn)
{
    return conn->connected && conn->count < conn->worker->plan->pipeline;
}

static void
settle_once(struct load_conn *conn)
{
    if (conn->settled)
        return;
    conn->settled = true;
    load_worker_settled(conn->worker);
}

/* ── the end of a connection ── */

static void
hang_up(struct load_conn *conn)
{
    list_remove(&conn->node);
    stream_close(&conn->stream);
    conn->connected = false;
    conn->proven = false;
    conn->in_len = 0;
}

/* All that is under way here has failed. Two things are errors even when nothing is: a connection that never
 * brought an answer (a server which only hangs up must not look idle), and bytes that nobody asked for. */
static void
fail(struct load_conn *conn, enum load_error error)
{
    struct load_worker *worker = conn->worker;
    uint64_t            lost = conn->count;
    worker->tally.errors[error] += lost;
    if (lost == 0 && (!conn->proven || error == LOAD_BAD_ANSWER)) {
        worker->tally.errors[error]++;
        if (load_worker_has_more(worker)) { /* it stands for a request, so that a bounded load ends */
            worker->taken++;
            lost = 1;
        }
    }
    conn->count = conn->unsent = 0;
    conn->written = 0;
    hang_up(conn);
    settle_once(conn);
    load_worker_finished(worker, lost);
    if (worker->ended)
        return;
    if (error == LOAD_CONNECT)
        timer_set(worker->loop, &conn->retry, mono_add(loop_now(worker->loop), RETRY_AFTER));
    else
        load_conn_open(conn);
}

/* The server has had enough of this connection, in good order. */
static void
renew(struct load_conn *conn)
{
    hang_up(conn);
    conn->unsent = conn->count;
    conn->written = 0;
    load_conn_open(conn);
}

/* ── writing ── */

/* Requests as they are handed to the kernel. */
struct batch {
    struct iovec vectors[VECTORS];
    char         digits[BATCH][REQUEST_DIGITS];
    unsigned     first, end; /* of the vectors */
};

/* What was written of the first one is left out. */
static void
skip_written(struct batch *batch, size_t written)
{
    while (written >= batch->vectors[batch->first].iov_len)
        written -= batch->vectors[batch->first++].iov_len;
    struct iovec *vector = &batch->vectors[batch->first];
    vector->iov_base = (char *)vector->iov_base + written;
    vector->iov_len -= written;
}

/* As many unsent requests as have room. */
static void
collect(struct load_conn *conn, struct batch *batch)
{
    const struct requests *requests = &conn->worker->plan->requests;
    batch->first = batch->end = 0;
    for (unsigned i = 0; i < conn->unsent && i < BATCH && batch->end + REQUEST_VECTORS <= VECTORS; i++) {
        struct load_slot *slot = slot_at(conn, conn->count - conn->unsent + i);
        batch->end += requests_gather(requests, slot->number, batch->vectors + batch->end, batch->digits[i],
                                      &slot->size);
    }
    skip_written(batch, conn->written);
}

static void
advance(struct load_conn *conn, size_t put)
{
    conn->written += put;
    while (conn->unsent > 0 && conn->written > 0) {
        size_t size = slot_at(conn, conn->count - conn->unsent)->size;
        if (conn->written < size)
            break;
        conn->written -= size;
        conn->unsent--;
    }
}

static void
write_requests(struct load_conn *conn)
{
    while (conn->unsent > 0) {
        struct batch batch;
        size_t       put;
        collect(conn, &batch);
        enum err err = stream_write(&conn->stream, batch.vectors + batch.first,
                                    (int)(batch.end - batch.first), false, &put);
        if (err == ERR_AGAIN)
            return;
        if (err != ERR_NONE) {
            fail(conn, LOAD_RESET);
            return;
        }
        advance(conn, put);
    }
}

/* Takes one request in an open loop, so that they spread; as many as fit in a closed one. */
bool
load_conn_work(struct load_conn *conn)
{
    struct load_worker *worker = conn->worker;
    unsigned            limit = load_is_open(worker->plan) ? 1 : worker->plan->pipeline;
    mono_time           now = clock_mono();
    struct load_slot    slot;
    bool                took = false;
    while (limit-- > 0 && is_vacant(conn) && load_worker_take(worker, now, &slot)) {
        conn->count++;
        conn->unsent++;
        *slot_at(conn, conn->count - 1) = slot;
        took = true;
    }
    list_remove(&conn->node);
    if (is_vacant(conn))
        list_push_back(&worker->vacant, &conn->node);
    write_requests(conn);
    return took;
}

/* ── reading ── */

static void
complete(struct load_conn *conn, mono_time now)
{
    struct load_worker     *worker = conn->worker;
    const struct load_slot *slot = slot_at(conn, 0);
    tally_answer(&worker->tally, &conn->answer);
    histogram_add(&worker->tally.service, (uint64_t)mono_since(now, slot->sent));
    if (load_is_open(worker->plan))
        histogram_add(&worker->tally.response, (uint64_t)mono_since(now, slot->due));
    conn->first = conn->first + 1 == worker->plan->pipeline ? 0 : conn->first + 1;
    conn->count--;
    conn->proven = true;
    load_worker_finished(worker, 1);
}

/* Goes through what was read. ERR_AGAIN: more must come. ERR_CLOSED: an answer ended the connection. */
static enum err
consume(struct load_conn *conn)
{
    struct span in = span_of(conn->in, conn->in_len), payload;
    mono_time   now = clock_mono();
    enum err    err = ERR_NONE;
    while (err == ERR_NONE && conn->count > conn->unsent && !conn->worker->ended) {
        err = answer_feed(&conn->answer, &in, &payload);
        if (err != ERR_CLOSED)
            continue;
        bool more = conn->answer.framing.keep_alive;
        complete(conn, now);
        answer_begin(&conn->answer);
        err = more ? ERR_NONE : ERR_CLOSED;
    }
    if (in.len > 0 && err == ERR_AGAIN)
        memmove(conn->in, in.at, in.len);
    conn->in_len = in.len;
    if (err == ERR_NONE)
        return in.len == 0 || conn->worker->ended ? ERR_AGAIN : ERR_SYNTAX; /* bytes that nobody asked for */
    return err;
}

/* A long body is dropped inside the kernel (MSG_TRUNC, tcp(7)): what we do not look at need not be copied. */
static enum err
skip_body(struct load_conn *conn, uint64_t left, bool *drained)
{
    size_t  want = left < LOAD_WASTE ? (size_t)left : LOAD_WASTE;
    ssize_t got = recv(conn->stream.watch.fd, conn->worker->waste, want, MSG_TRUNC);
    if (got < 0)
        return err_from_errno(errno);
    if (got == 0)
        return ERR_CLOSED;
    conn->worker->tally.bytes += (uint64_t)got;
    answer_skip(&conn->answer, (uint64_t)got);
    *drained = (size_t)got < want;
    return ERR_NONE;
}

static enum err
read_some(struct load_conn *conn, bool *drained)
{
    uint64_t left = answer_left(&conn->answer);
    if (left >= WORTH_SKIPPING && conn->in_len == 0)
        return skip_body(conn, left, drained);
    size_t   room = LOAD_BUFFER - conn->in_len, got;
    enum err err = stream_read(&conn->stream, conn->in + conn->in_len, room, &got);
    if (err != ERR_NONE)
        return err;
    conn->worker->tally.bytes += got;
    conn->in_len += got;
    *drained = got < room;
    return ERR_NONE;
}

static void
peer_ended(struct load_conn *conn, enum err err)
{
    if (err == ERR_CLOSED && conn->count > conn->unsent && answer_end(&conn->answer) == ERR_CLOSED) {
        complete(conn, clock_mono());
        if (!conn->worker->ended)
            renew(conn);
    } else {
        fail(conn, LOAD_RESET);
    }
}

static void
go_on(struct load_conn *conn, enum err err)
{
    if (conn->worker->ended || err == ERR_AGAIN)
        return;
    if (err == ERR_CLOSED)
        renew(conn);
    else
        fail(conn, LOAD_BAD_ANSWER);
}

/* Reads until the socket is empty. A read that was shorter than asked has emptied it, and the next bytes are
 * a new edge: so an answer costs one read, not two. Not so in the middle of an answer: the end of the
 * connection may have come with the same edge as its bytes. */
static void
read_answers(struct load_conn *conn)
{
    bool drained = false;
    while (conn->connected && !conn->worker->ended && !(drained && conn->count == conn->unsent)) {
        enum err err = read_some(conn, &drained);
        if (err == ERR_AGAIN)
            break;
        if (err == ERR_NONE)
            go_on(conn, consume(conn));
        else
            peer_ended(conn, err);
    }
}

/* ── events ── */

static void
connected(struct load_conn *conn)
{
    conn->connected = true;
    conn->worker->tally.connections++;
    answer_begin(&conn->answer);
    settle_once(conn);
}

static void
finish_connect(struct load_conn *conn)
{
    enum err err = stream_connect_result(&conn->stream);
    if (err == ERR_NONE)
        connected(conn);
    else if (err != ERR_AGAIN)
        fail(conn, LOAD_CONNECT);
}

static void
ready(struct stream *stream, unsigned events)
{
    struct load_conn   *conn = CONTAINER_OF(stream, struct load_conn, stream);
    struct load_worker *worker = conn->worker;
    if (worker->ended)
        return;
    if (!conn->connected)
        finish_connect(conn);
    else if ((events & STREAM_READ) != 0)
        read_answers(conn);
    if (!conn->connected || worker->ended)
        return;
    (void)load_conn_work(conn);
    if (load_is_open(worker->plan) && worker->begun)
        load_worker_dispatch(worker);
}

void
load_conn_open(struct load_conn *conn)
{
    struct load_worker *worker = conn->worker;
    if (conn->count == 0 && !load_worker_has_more(worker))
        return;
    conn->since = clock_mono();
    if (stream_connect(&conn->stream, worker->loop, &worker->plan->requests.addr) != ERR_NONE)
        fail(conn, LOAD_CONNECT);
}

static void
retry(struct timer *timer)
{
    struct load_conn *conn = CONTAINER_OF(timer, struct load_conn, retry);
    if (!conn->worker->ended)
        load_conn_open(conn);
}

void
load_conn_sweep(struct load_conn *conn, mono_time now)
{
    nsec limit = conn->worker->plan->timeout;
    if (!stream_is_open(&conn->stream))
        return;
    if (!conn->connected && mono_since(now, conn->since) > limit)
        fail(conn, LOAD_CONNECT);
    else if (conn->count > 0 && mono_since(now, slot_at(conn, 0)->sent) > limit)
        fail(conn, LOAD_TIMEOUT);
}

/* ── life ── */

enum err
load_conn_init(struct load_conn *conn, struct load_worker *worker)
{
    conn->worker = worker;
    list_init(&conn->node);
    timer_init(&conn->retry, retry);
    stream_init(&conn->stream, ready);
    conn->in = malloc(LOAD_BUFFER);
    conn->slots = calloc(worker->plan->pipeline, sizeof *conn->slots);
    return conn->in == NULL || conn->slots == NULL ? ERR_NO_MEMORY : ERR_NONE;
}

void
load_conn_fini(struct load_conn *conn)
{
    timer_cancel(conn->worker->loop, &conn->retry);
    list_remove(&conn->node);
    stream_close(&conn->stream);
    free(conn->in);
    free(conn->slots);
}
