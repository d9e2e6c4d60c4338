/* conn.c: see conn.h.
 *
 * run() is the whole life of a connection: it goes from state to state until it must wait for the socket,
 * the timer, or a handler. Everything that may end the connection returns false when it did.
 */
#include "conn.h"

#include "api.h"

#include <larder/base/check.h>
#include <larder/http/framing.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { FIELDS_MAX = 64, TARGET_MAX = 8 * 1024, IN_MAX = CONN_HEAD_MAX + CONN_BODY_MAX };

static void
set_timer(struct conn *conn, nsec time)
{
    struct loop *loop = conn->admin->config.loop;
    timer_set(loop, &conn->timer, mono_add(loop_now(loop), time));
}

/* ── answers ── */

static void
put_head(struct conn *conn, unsigned status, size_t length, const char *allow)
{
    text_printf(&conn->out,
                "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\nCache-Control: "
                "no-store\r\nContent-Length: %zu\r\n",
                status, status_reason(status), length);
    if (allow != NULL)
        text_printf(&conn->out, "Allow: %s\r\n", allow);
    text_printf(&conn->out, "%s\r\n", conn->keep ? "" : "Connection: close\r\n");
}

static void
put_answer(struct conn *conn, unsigned status, const char *json, const char *allow)
{
    put_head(conn, status, strlen(json) + 1, allow);
    if (!conn->head_only)
        text_printf(&conn->out, "%s\n", json);
}

void
conn_answer(struct conn *conn, unsigned status, json_t *body, const char *allow)
{
    char *json = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);

    CHECK(conn->state != CONN_WRITING);
    json_decref(body);
    if (json == NULL)
        put_answer(conn, 503, "{\"error\":\"Out of memory.\"}", NULL);
    else
        put_answer(conn, status, json, allow);
    free(json);
    conn->cancel = NULL;
    conn->state = CONN_WRITING;
    set_timer(conn, conn->admin->config.send_time);
}

void
conn_refuse(struct conn *conn, unsigned status, const char *format, ...)
{
    char    sentence[768];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    for (char *c = sentence; *c != '\0';
         c++) /* cut in the middle of a character it would be no UTF-8, so no JSON */
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    conn_answer(conn, status, json_pack("{s:s}", "error", sentence), NULL);
}

void
conn_wait(struct conn *conn, void (*cancel)(void *), void *waiting)
{
    conn->cancel = cancel;
    conn->waiting = waiting;
    conn->state = CONN_WORKING;
    timer_cancel(conn->admin->config.loop, &conn->timer);
}

/* ── requests ── */

/* What follows cannot be told from the request any more: answer, then close. */
static void
refuse_and_close(struct conn *conn, unsigned status, const char *sentence)
{
    conn->keep = false;
    conn_refuse(conn, status, "%s.", sentence);
}

/* Forgets the request at the front. */
static void
consume(struct conn *conn, size_t size)
{
    memmove(conn->in.at, conn->in.at + size, conn->in.len - size);
    conn->in.len -= size;
    conn->started = conn->continued = false;
}

/* The body follows the head only after we say so (RFC 9110 §10.1.1). */
static void
invite_body(struct conn *conn, const struct head *head)
{
    if (conn->continued || !head_lists_token(head, FIELD_EXPECT, SPAN("100-continue")))
        return;
    conn->continued = true;
    text_append(&conn->out, SPAN("HTTP/1.1 100 Continue\r\n\r\n"));
}

static void
handle(struct conn *conn, const struct head *head, struct span body)
{
    struct target target;
    enum refusal  refusal;

    conn->head_only = head->method == METHOD_HEAD;
    if (parse_target(head, &target, &refusal) != ERR_NONE) {
        conn_refuse(conn, refusal_status(refusal), "%s.", refusal_text(refusal));
        return;
    }
    struct api_request request = { head->method, target.path, target.query, body };
    api_handle(conn, &request);
}

/* A head is there. False: its body is not, yet. */
static bool
take_body(struct conn *conn, const struct head *head, size_t head_size)
{
    struct framing framing;
    enum refusal   refusal;

    if (framing_of_request(head, &framing, &refusal) != ERR_NONE) {
        refuse_and_close(conn, refusal_status(refusal), refusal_text(refusal));
        return true;
    }
    if (framing.kind == BODY_CHUNKED) {
        refuse_and_close(conn, 411, "The body must come with a Content-Length");
        return true;
    }
    size_t length = framing.kind == BODY_NONE ? 0 : (size_t)framing.length;
    if (framing.kind == BODY_LENGTH && framing.length > CONN_BODY_MAX) {
        refuse_and_close(conn, 413, "The body is longer than 64 KiB");
        return true;
    }
    if (conn->in.len - head_size < length) {
        invite_body(conn, head);
        return false;
    }
    conn->keep = framing.keep_alive;
    handle(conn, head, span_of(conn->in.at + head_size, length));
    consume(conn, head_size + length);
    return true;
}

/* Answers the next request, or hands it to its handler. False: it is not all there. */
static bool
take_request(struct conn *conn)
{
    static const struct parse_limits limits = { .head = CONN_HEAD_MAX, .target = TARGET_MAX };
    struct field                     fields[FIELDS_MAX];
    struct head                      head;
    enum refusal                     refusal;
    size_t                           size;

    head_init(&head, fields, FIELDS_MAX);
    if (conn->in.len == 0)
        return false;
    enum err err = parse_request(&head, text_span(&conn->in), &limits, &size, &refusal);
    if (err == ERR_NONE)
        return take_body(conn, &head, size);
    if (err != ERR_SYNTAX)
        return false;
    conn->head_only = false;
    refuse_and_close(conn, refusal_status(refusal), refusal_text(refusal));
    return true;
}

/* ── the socket ── */

/* Reads what there is and what has room. False: the connection is gone. */
static bool
receive(struct conn *conn)
{
    char   piece[16 * 1024];
    size_t got;

    while (!conn->ended && conn->in.len < IN_MAX) {
        size_t room = IN_MAX - conn->in.len;
        switch (stream_read(&conn->stream, piece, room < sizeof piece ? room : sizeof piece, &got)) {
        case ERR_NONE:
            text_append(&conn->in, span_of(piece, got));
            if (!conn->in.failed)
                break;
            conn_close(conn); /* no memory: what has a hole is no request */
            return false;
        case ERR_AGAIN:
            return true;
        case ERR_CLOSED:
            conn->ended = true;
            break;
        default:
            conn_close(conn);
            return false;
        }
    }
    return true;
}

/* False: the socket takes no more now, or the connection is gone. */
static bool
flush(struct conn *conn)
{
    size_t put;

    while (conn->sent < conn->out.len) {
        struct iovec rest = { conn->out.at + conn->sent, conn->out.len - conn->sent };
        enum err     err = stream_write(&conn->stream, &rest, 1, false, &put);
        if (err == ERR_AGAIN)
            return false;
        if (err != ERR_NONE) {
            conn_close(conn);
            return false;
        }
        conn->sent += put;
        if (conn->state == CONN_WRITING)
            set_timer(conn, conn->admin->config.send_time);
    }
    text_clear(&conn->out);
    conn->sent = 0;
    return true;
}

/* Waits for the rest of a request, or for the next one. */
static void
wait_for_request(struct conn *conn)
{
    if (conn->ended) {
        conn_close(conn);
        return;
    }
    if (conn->out.len > 0 && !flush(conn)) /* 100 (Continue) */
        return;
    const struct admin_config *config = &conn->admin->config;
    if (!conn->started)
        set_timer(conn, conn->in.len > 0 ? config->request_time : config->idle_time);
    conn->started = conn->in.len > 0;
}

static bool
end_answer(struct conn *conn)
{
    bool failed = conn->out.failed; /* an answer that is not whole must not look so */
    if (failed || !flush(conn)) {
        if (failed)
            conn_close(conn);
        return false;
    }
    if (!conn->keep) {
        conn_close(conn);
        return false;
    }
    conn->state = CONN_READING;
    return true;
}

static void
run(struct conn *conn)
{
    for (;;) {
        switch (conn->state) {
        case CONN_READING:
            if (!receive(conn))
                return;
            if (!take_request(conn)) {
                wait_for_request(conn);
                return;
            }
            break;
        case CONN_WORKING:
            receive(conn); /* an end, or a reset: then the handler is told */
            return;
        case CONN_WRITING:
            if (!end_answer(conn))
                return;
            break;
        }
    }
}

void
conn_resume(struct conn *conn)
{
    run(conn);
}

/* ── life ── */

static void
ready(struct stream *stream, unsigned events)
{
    (void)events;
    run(CONTAINER_OF(stream, struct conn, stream));
}

static void
expire(struct timer *timer)
{
    conn_close(CONTAINER_OF(timer, struct conn, timer));
}

void
conn_open(struct admin *admin, int fd)
{
    struct conn *conn = calloc(1, sizeof *conn);

    if (conn == NULL) {
        close(fd);
        return;
    }
    conn->admin = admin;
    text_init(&conn->in, IN_MAX);
    text_init(&conn->out, CONN_ANSWER_MAX);
    timer_init(&conn->timer, expire);
    stream_init(&conn->stream, ready);
    list_push_back(&admin->conns, &conn->node);
    admin->conn_count++;
    if (stream_open(&conn->stream, admin->config.loop, fd) != ERR_NONE) {
        conn_close(conn);
        return;
    }
    set_timer(conn, admin->config.idle_time);
}

void
conn_close(struct conn *conn)
{
    if (conn->cancel != NULL)
        conn->cancel(conn->waiting);
    stream_close(&conn->stream);
    timer_cancel(conn->admin->config.loop, &conn->timer);
    list_remove(&conn->node);
    conn->admin->conn_count--;
    text_fini(&conn->in);
    text_fini(&conn->out);
    free(conn);
}
