/* origin_receive.c: a request comes in: its head makes the plan (reply.h), its body is counted or hashed.
 *
 *      HEAD ─▶ BODY ─▶ DELAY or SEND        what is no request: ─▶ SEND, with a refusal that closes
 */
#include "origin_conn.h"

#include <larder/base/check.h>

enum {
    FIELDS_MAX = 100,
    HEAD_MAX = ORIGIN_BUFFER - 1,
};

static enum step
refuse(struct conn *conn, enum refusal refusal)
{
    metric_add(&conn->worker->counts.refused, 1);
    reply_refuse(&conn->reply, refusal);
    reply_finish(&conn->reply, false);
    conn->state = CONN_SEND;
    return STEP_NEXT;
}

static void
count(struct conn *conn)
{
    struct origin_counts *counts = &conn->worker->counts;
    if (!conn->reply.counted)
        return;
    metric_add(&counts->total, 1);
    metric_add(&counts->uploads, conn->reply.upload ? 1 : 0);
    metric_add(&counts->not_modified, conn->reply.status == 304 ? 1 : 0);
}

static void
plan(struct conn *conn, const struct head *head, const struct target *target)
{
    struct origin_worker *worker = conn->worker;
    char                  counters[ORIGIN_JSON_SIZE];
    struct ask            ask = { .head = head, .target = *target, .now = loop_wall(worker->loop) };
    ask.date = origin_date(worker);
    if (reply_is_counters(target))
        ask.counters = span_of_text(origin_counters(worker->origin, counters));
    else
        ask.number = origin_next_number(worker->origin);
    reply_plan(&conn->reply, worker->stub, &ask);
    count(conn);
}

static enum step
begin_body(struct conn *conn, const struct head *head)
{
    conn->keep_alive = conn->framing.keep_alive;
    conn->body_size = 0;
    chunk_decode_init(&conn->chunks, &chunk_limits_initial);
    conn->state = CONN_BODY;
    if (conn->reply.upload) {
        conn->hash = hash_stream_create();
        if (conn->hash == NULL)
            return STEP_END;
        hash_stream_begin(conn->hash);
    }
    /* RFC 9110 §10.1.1 */
    if (conn->framing.kind != BODY_NONE && head_lists_token(head, FIELD_EXPECT, SPAN("100-continue"))) {
        enum step step = conn_make_room(conn, CONN_SLACK);
        if (step != STEP_NEXT)
            return STEP_END; /* a client that pipelines and does not read */
        conn_put(conn, SPAN("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    return STEP_NEXT;
}

enum step
conn_receive_head(struct conn *conn)
{
    static const struct parse_limits limits = { .head = HEAD_MAX, .target = HEAD_MAX };
    struct field                     fields[FIELDS_MAX];
    struct head                      head;
    struct target                    target;
    enum refusal                     refusal;
    size_t                           size;
    if (buf_held(&conn->in).len == 0)
        return conn_fill(conn);

    head_init(&head, fields, FIELDS_MAX);
    enum err err = parse_request(&head, buf_held(&conn->in), &limits, &size, &refusal);
    if (err == ERR_AGAIN)
        return conn_fill(conn);
    if (err != ERR_NONE || parse_target(&head, &target, &refusal) != ERR_NONE
        || framing_of_request(&head, &conn->framing, &refusal) != ERR_NONE)
        return refuse(conn, refusal);

    plan(conn, &head, &target);
    enum step step = begin_body(conn, &head);
    buf_consume(&conn->in, size);
    return step;
}

static void
take_body(struct conn *conn, struct span payload)
{
    conn->body_size += payload.len;
    if (conn->hash != NULL)
        hash_stream_add(conn->hash, payload);
}

/* What the buffer holds of the body. ERR_CLOSED: the body is complete. */
static enum err
decode_body(struct conn *conn)
{
    struct span held = buf_held(&conn->in), rest = held, payload;
    enum err    err = ERR_CLOSED;
    if (conn->framing.kind == BODY_LENGTH) {
        uint64_t left = conn->framing.length - conn->body_size;
        payload = held.len < left ? held : span_head(held, (size_t)left);
        take_body(conn, payload);
        rest = span_skip(held, payload.len);
        err = payload.len == left ? ERR_CLOSED : ERR_AGAIN;
    } else if (conn->framing.kind == BODY_CHUNKED) {
        while ((err = chunk_decode(&conn->chunks, &rest, &payload)) == ERR_NONE)
            take_body(conn, payload);
    }
    buf_consume(&conn->in, held.len - rest.len);
    return err;
}

enum step
conn_receive_body(struct conn *conn)
{
    enum err err = decode_body(conn);
    if (err == ERR_AGAIN)
        return conn_fill(conn);
    if (err != ERR_CLOSED) {
        hash_stream_destroy(&conn->hash);
        return refuse(conn, conn->chunks.refusal);
    }
    if (conn->hash != NULL)
        reply_uploaded(&conn->reply, conn->body_size, hash_stream_end(conn->hash));
    hash_stream_destroy(&conn->hash);
    reply_finish(&conn->reply, conn->keep_alive);
    conn->state = conn->reply.delay > 0 ? CONN_DELAY : CONN_SEND;
    return STEP_NEXT;
}
