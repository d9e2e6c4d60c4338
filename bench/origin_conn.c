/* origin_conn.c: the life of a connection, and its bytes; see origin_conn.h for the picture. */
#include "origin_conn.h"

#include <larder/base/check.h>
#include <unistd.h>

#define IDLE_LIMIT (60 * NSEC_PER_SEC)

size_t
origin_connection_size(void)
{
    return sizeof(struct conn);
}

/* ── bytes ── */

enum step
conn_wait_or_end(enum err err)
{
    return err == ERR_AGAIN ? STEP_WAIT : STEP_END;
}

/* Writes what `out` holds and the rest of the segment. NEXT: all is gone. */
enum step
conn_push(struct conn *conn)
{
    struct buf *out = &conn->out;
    while (buf_held(out).len > 0 || conn->sent < conn->segment) {
        struct iovec vectors[1 + CONN_VECTORS];
        struct span  held = buf_held(out);
        uint64_t     covered;
        size_t       put;
        unsigned     count = 0;
        if (held.len > 0)
            vectors[count++] = (struct iovec){ (void *)(uintptr_t)held.at, held.len };
        count += content_map(&conn->reply.content, &conn->worker->stub->noise, conn->sent,
                             conn->segment - conn->sent, vectors + count, CONN_VECTORS, &covered);
        enum err err = stream_write(&conn->stream, vectors, (int)count, false, &put);
        if (err != ERR_NONE)
            return conn_wait_or_end(err);
        metric_add(&conn->worker->counts.bytes_sent, put);
        conn->active = loop_now(conn->worker->loop);
        size_t heads = put < held.len ? put : held.len;
        buf_consume(out, heads);
        conn->sent += put - heads;
    }
    buf_return_if_empty(out);
    return STEP_NEXT;
}

/* Room for `size` bytes in `out`, after a push if need be. */
enum step
conn_make_room(struct conn *conn, size_t size)
{
    if (buf_lend(&conn->out) != ERR_NONE)
        return STEP_END;
    buf_compact(&conn->out);
    if (buf_room(&conn->out) >= size)
        return STEP_NEXT;
    enum step step = conn_push(conn);
    if (step != STEP_NEXT)
        return step;
    return buf_lend(&conn->out) == ERR_NONE ? STEP_NEXT : STEP_END;
}

void
conn_put(struct conn *conn, struct span bytes)
{
    bool room = buf_append(&conn->out, bytes);
    CHECK(room);
}

/* More bytes of the request, after the answers so far have left. */
enum step
conn_fill(struct conn *conn)
{
    struct buf *in = &conn->in;
    enum step   step = conn_push(conn);
    if (step != STEP_NEXT)
        return step;
    if (buf_lend(in) != ERR_NONE)
        return STEP_END;
    buf_compact(in);
    size_t   got;
    enum err err = stream_read(&conn->stream, buf_tail(in), buf_room(in), &got);
    if (err != ERR_NONE) {
        buf_return_if_empty(in);
        return conn_wait_or_end(err);
    }
    buf_filled(in, got);
    conn->active = loop_now(conn->worker->loop);
    return STEP_NEXT;
}

/* ── the machine ── */

static enum step (*const steps[CONN_STATES])(struct conn *) = {
    [CONN_HEAD] = conn_receive_head,
    [CONN_BODY] = conn_receive_body,
    [CONN_DELAY] = conn_delay,
    [CONN_SEND] = conn_send_head,
    [CONN_NEXT_SEGMENT] = conn_next_segment,
    [CONN_SEGMENT] = conn_send_segment,
    [CONN_PAUSE] = conn_wait,
    [CONN_FINISH] = conn_finish,
    [CONN_LINGER] = conn_linger,
};

static void
end(struct conn *conn)
{
    struct origin_worker *worker = conn->worker;
    timer_cancel(worker->loop, &conn->timer);
    stream_close(&conn->stream);
    hash_stream_destroy(&conn->hash);
    buf_fini(&conn->in);
    buf_fini(&conn->out);
    list_remove(&conn->node);
    metric_sub(&worker->counts.open, 1);
    slab_free(&worker->slab, conn);
}

static void
drive(struct conn *conn)
{
    enum step step = STEP_NEXT;
    while (step == STEP_NEXT)
        step = steps[conn->state](conn);
    if (step == STEP_END)
        end(conn);
    else if (!conn->timer.set)
        timer_set(conn->worker->loop, &conn->timer, mono_add(conn->active, IDLE_LIMIT));
}

static void
ready(struct stream *stream, unsigned events)
{
    (void)events;
    drive(CONTAINER_OF(stream, struct conn, stream));
}

static void
fire(struct timer *timer)
{
    struct conn *conn = CONTAINER_OF(timer, struct conn, timer);
    bool         idle = mono_since(loop_now(conn->worker->loop), conn->active) >= IDLE_LIMIT;
    if (conn->state == CONN_DELAY)
        conn->state = CONN_SEND;
    else if (conn->state == CONN_PAUSE)
        conn->state = CONN_NEXT_SEGMENT;
    else if (conn->state == CONN_LINGER || idle) {
        end(conn);
        return;
    }
    drive(conn);
}

void
origin_accept(struct origin_worker *worker, int fd)
{
    struct conn *conn = slab_alloc(&worker->slab);
    if (conn == NULL) {
        close(fd);
        return;
    }
    conn->worker = worker;
    conn->state = CONN_HEAD;
    conn->begun = false;
    conn->hash = NULL;
    conn->sent = conn->segment = 0;
    conn->active = loop_now(worker->loop);
    timer_init(&conn->timer, fire);
    buf_init(&conn->in, &worker->buffers);
    buf_init(&conn->out, &worker->buffers);
    list_push_back(&worker->connections, &conn->node);
    metric_add(&worker->counts.connections, 1);
    metric_add(&worker->counts.open, 1);
    stream_init(&conn->stream, ready);
    if (stream_open(&conn->stream, worker->loop, fd) != ERR_NONE)
        end(conn);
    else
        drive(conn);
}

void
origin_close_all(struct origin_worker *worker)
{
    while (!list_empty(&worker->connections))
        end(CONTAINER_OF(list_first(&worker->connections), struct conn, node));
}
