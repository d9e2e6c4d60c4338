/* origin_send.c: the answer goes out, at the times that the plan says.
 *
 *      DELAY ─▶ SEND ─▶ NEXT_SEGMENT ⇄ SEGMENT ─▶ FINISH     segment: a chunk, a piece of the drip, or all
 */
#include "origin_conn.h"

#include <larder/base/check.h>

enum {
    CHUNK_MAX = 64 * 1024,
    DRIP_PIECES = 20,
};
#define LINGER_LIMIT (1 * NSEC_PER_SEC)

/* Waits for the timer, which moves the state on; what is to be sent leaves meanwhile. */
enum step
conn_wait(struct conn *conn)
{
    return conn_push(conn) == STEP_END ? STEP_END : STEP_WAIT;
}

enum step
conn_delay(struct conn *conn)
{
    if (!conn->begun) {
        conn->begun = true;
        /* Not loop_now: in a turn with a thousand requests, the last came long after the turn began. */
        timer_set(conn->worker->loop, &conn->timer, mono_add(clock_mono(), conn->reply.delay));
    }
    return conn_wait(conn);
}

enum step
conn_send_head(struct conn *conn)
{
    struct span head = writer_span(&conn->reply.head);
    enum step   step = conn_make_room(conn, head.len);
    if (step != STEP_NEXT)
        return step;
    conn_put(conn, head);
    conn->sent = conn->segment = 0;
    conn->drip_begin = conn->reply.drip > 0 ? clock_mono() : (mono_time){ 0 };
    conn->state = CONN_NEXT_SEGMENT;
    return STEP_NEXT;
}

static uint64_t
segment_size(const struct conn *conn)
{
    const struct reply *reply = &conn->reply;
    uint64_t            size = reply->length - conn->sent;
    if (reply->drip > 0) {
        uint64_t piece = (reply->content.size + DRIP_PIECES - 1) / DRIP_PIECES;
        size = size < piece ? size : piece;
    }
    return reply->chunked && size > CHUNK_MAX ? CHUNK_MAX : size;
}

/* When so many bytes more may go: as much of the drip's time has to pass as they are of the body. */
static mono_time
segment_due(const struct conn *conn, uint64_t size)
{
    const struct reply *reply = &conn->reply;
    if (reply->drip == 0)
        return conn->drip_begin;
    __int128 end = (__int128)(conn->sent + size);
    return mono_add(conn->drip_begin, (nsec)(reply->drip * end / reply->content.size));
}

/* What was sent so far must reach the peer while we wait. */
static enum step
pause(struct conn *conn, mono_time due)
{
    timer_set(conn->worker->loop, &conn->timer, due);
    conn->state = CONN_PAUSE;
    return conn_wait(conn);
}

enum step
conn_next_segment(struct conn *conn)
{
    if (conn->sent == conn->reply.length) {
        conn->state = CONN_FINISH;
        return STEP_NEXT;
    }
    uint64_t  size = segment_size(conn);
    mono_time due = segment_due(conn, size);
    if (due.ns > loop_now(conn->worker->loop).ns)
        return pause(conn, due);

    enum step step = conn_make_room(conn, CONN_SLACK);
    if (step != STEP_NEXT)
        return step;
    if (conn->reply.chunked) {
        char head[CHUNK_HEAD_SIZE];
        conn_put(conn, chunk_head(size, head));
    }
    conn->segment = conn->sent + size;
    conn->state = CONN_SEGMENT;
    return STEP_NEXT;
}

/* Copies a small segment behind the head, so that it leaves with it, and perhaps with the next answers. */
static void
copy_segment(struct conn *conn)
{
    while (conn->sent < conn->segment) {
        struct iovec vectors[CONN_VECTORS];
        uint64_t     covered;
        unsigned     count = content_map(&conn->reply.content, &conn->worker->stub->noise, conn->sent,
                                         conn->segment - conn->sent, vectors, CONN_VECTORS, &covered);
        for (unsigned i = 0; i < count; i++)
            conn_put(conn, span_of(vectors[i].iov_base, vectors[i].iov_len));
        conn->sent += covered;
    }
}

enum step
conn_send_segment(struct conn *conn)
{
    enum step step = STEP_NEXT;
    uint64_t  size = conn->segment - conn->sent;
    if (conn->out.mem != NULL && size + CONN_SLACK <= buf_room(&conn->out))
        copy_segment(conn);
    else
        step = conn_push(conn);
    if (step == STEP_NEXT)
        step = conn_make_room(conn, CONN_SLACK);
    if (step != STEP_NEXT)
        return step;
    if (conn->reply.chunked)
        conn_put(conn, CHUNK_TAIL);
    conn->state = CONN_NEXT_SEGMENT;
    return STEP_NEXT;
}

/* The knob `cut`. A body that the end of the connection would end needs a reset to look broken. */
static enum step
cut(struct conn *conn)
{
    enum step step = conn_push(conn);
    if (step != STEP_NEXT)
        return step;
    if (conn->reply.no_length)
        stream_abort(&conn->stream);
    return STEP_END;
}

enum step
conn_finish(struct conn *conn)
{
    struct reply *reply = &conn->reply;
    if (reply->cut_after != ROW_ABSENT && reply->length < reply->content.size)
        return cut(conn);
    enum step step = conn_make_room(conn, CONN_SLACK);
    if (step != STEP_NEXT)
        return step;
    if (reply->chunked)
        conn_put(conn, CHUNK_LAST);
    conn->begun = false;
    conn->sent = conn->segment = 0;
    conn->state = reply->close ? CONN_LINGER : CONN_HEAD;
    return STEP_NEXT;
}

/* Ends our side, then waits for the end of the peer's: closing at once over bytes that were not read would
 * send a reset, which may destroy the answer on its way (RFC 9112 §9.6). */
enum step
conn_linger(struct conn *conn)
{
    enum { READS = 16 };
    char      waste[4096];
    enum step step = conn_push(conn);
    if (step != STEP_NEXT)
        return step;
    if (!conn->begun) {
        struct loop *loop = conn->worker->loop;
        conn->begun = true;
        stream_shutdown(&conn->stream);
        timer_set(loop, &conn->timer, mono_add(loop_now(loop), LINGER_LIMIT));
    }
    for (unsigned i = 0; i < READS; i++) {
        size_t   got;
        enum err err = stream_read(&conn->stream, waste, sizeof waste, &got);
        if (err != ERR_NONE)
            return conn_wait_or_end(err);
    }
    return STEP_END;
}
