/* answer.c: the heads of answers: what all have in common, those of an answer that is ours alone, and our own.
 *
 *      head ("HTTP/1.1 200 OK\r\n" ... )  ┊  what changes each time: Age, framing, Cache-Status, Connection
 *
 * Every answer of our own names its reason in one sentence: an operator reads it in a browser.
 */
#include "answer.h"
#include "lead.h"

#include <larder/base/check.h>
#include <larder/http/structured.h>
#include <stdio.h>

enum { PAGE_SIZE = 1024 };

struct writer
answer_tail(struct exchange *exchange, size_t room)
{
    struct writer writer;
    char         *memory = arena_alloc(&exchange->arena, room);

    writer_init(&writer, memory, memory == NULL ? 0 : room);
    return writer;
}

/* The connection's fate, and the empty line. */
void
answer_write_end(struct writer *writer, const struct exchange *exchange)
{
    if (exchange->end != END_KEEP)
        write_field(writer, SPAN("Connection"), SPAN("close"));
    else if (exchange->head.minor == 0)
        write_field(writer, SPAN("Connection"), SPAN("keep-alive"));
    write_end(writer);
}

static void
write_forwarded(struct writer *writer, const struct outcome *outcome, int64_t ttl)
{
    sf_write_param_text(writer, SPAN("fwd"), span_of_text(outcome->fwd));
    if (outcome->fwd_status != 0)
        sf_write_param_integer(writer, SPAN("fwd-status"), outcome->fwd_status);
    if (outcome->stored) {
        sf_write_param_flag(writer, SPAN("stored"));
        sf_write_param_integer(writer, SPAN("ttl"), ttl);
    }
    if (outcome->collapsed)
        sf_write_param_flag(writer, SPAN("collapsed"));
}

void
answer_write_status(struct writer *writer, const struct exchange *exchange, int64_t ttl)
{
    const struct outcome *outcome = &exchange->outcome;

    if (!exchange->client->loopback)
        return;
    if (outcome->fwd == NULL) {
        write_raw(writer, exchange->worker->status_hit);
        sf_write_integer(writer, ttl);
    } else {
        write_raw(writer, span_head(exchange->worker->status_hit, exchange->worker->status_named));
        write_forwarded(writer, outcome, ttl);
    }
    if (outcome->reason != REASON_NONE)
        sf_write_param_text(writer, SPAN("detail"), span_of_text(reason_name(outcome->reason)));
    write_raw(writer, SPAN("\r\n"));
}

enum step_result
answer_deliver(struct exchange *exchange)
{
    metric_add(&exchange->worker->reasons.given[exchange->outcome.reason], 1);
    exchange->step = STEP_DELIVER;
    return STEP_NEXT;
}

enum step_result
answer_fail(struct exchange *exchange)
{
    exchange->end = END_ABORT; /* not even an error page can be had */
    exchange->step = STEP_FINISH;
    return STEP_NEXT;
}

void
answer_set_body(struct exchange *exchange, struct span body)
{
    exchange->out.whole = body;
    exchange->out.pieces = &exchange->out.whole;
    exchange->out.piece_count = 1;
}

/* Interim answers that are not out yet stay before the head. */
bool
answer_set_head(struct exchange *exchange, struct span stored, struct writer *tail)
{
    struct delivery *out = &exchange->out;

    if (tail->failed)
        return false;
    if (out->head[0].len == 0) {
        out->head[0] = stored;
        out->head[1] = writer_span(tail);
        return true;
    }
    char *joined = arena_alloc(&exchange->arena, out->head[0].len + stored.len);
    if (joined == NULL)
        return false;
    memcpy(joined, out->head[0].at, out->head[0].len);
    if (stored.len > 0)
        memcpy(joined + out->head[0].len, stored.at, stored.len);
    out->head[0] = span_of(joined, out->head[0].len + stored.len);
    out->head[1] = writer_span(tail);
    return true;
}

/* ── errors of our own ── */

/* RFC 9110 §15.5.17: how much there is. */
static void
write_unsatisfied(struct writer *writer, const struct exchange *exchange)
{
    struct content_range content = { RANGE_OPEN, RANGE_OPEN, exchange->complete };
    char                 text[CONTENT_RANGE_SIZE];

    write_field(writer, SPAN("Content-Range"), content_range_format(&content, text));
}

enum step_result
answer_error(struct exchange *exchange, unsigned status, const char *name, const char *text, bool close)
{
    char          page[PAGE_SIZE];
    struct writer head = answer_tail(exchange, ANSWER_TAIL_SIZE);
    int size = snprintf(page, sizeof page, "%u %s: %s (%s)\n", status, status_reason(status), text, name);
    struct span body = arena_copy(&exchange->arena, span_of(page, (size_t)size));

    if (status == 502 || status == 503 || status == 504)
        metric_add(&exchange->worker->metrics.errors, 1);
    if (close || exchange->end != END_KEEP)
        exchange->end = END_CLOSE;
    cursor_close(&exchange->out.cursor);
    exchange->error = name;
    exchange->status = status;
    write_status_line(&head, status, SPAN_EMPTY);
    write_field(&head, SPAN("Date"), worker_date(exchange->worker));
    write_field(&head, SPAN("Content-Type"), SPAN("text/plain; charset=utf-8"));
    write_field(&head, SPAN("Cache-Control"), SPAN("no-store"));
    if (status == 405)
        write_field(&head, SPAN("Allow"), SPAN("GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"));
    if (status == 429)
        write_number(&head, SPAN("Retry-After: "), exchange->retry_after);
    if (status == 416)
        write_unsatisfied(&head, exchange);
    write_number(&head, SPAN("Content-Length: "), (uint64_t)size);
    if (exchange->outcome.fwd != NULL)
        answer_write_status(&head, exchange, 0);
    answer_write_end(&head, exchange);
    if (body.at == NULL || !answer_set_head(exchange, SPAN_EMPTY, &head))
        return answer_fail(exchange);
    answer_set_body(exchange, exchange->head.method == METHOD_HEAD ? SPAN_EMPTY : body);
    return answer_deliver(exchange);
}

void
answer_interim(struct exchange *exchange, const struct head *interim)
{
    struct hop_set hop;
    enum refusal   refusal;

    /* RFC 9110 §15.2: not to a client of HTTP/1.0. */
    if (exchange->head.minor == 0 || framing_mark_hop(interim, &hop, &refusal) != ERR_NONE)
        return;
    size_t room = exchange->out.head[0].len + 64;
    for (unsigned i = 0; i < interim->count; i++)
        room += interim->fields[i].name.len + interim->fields[i].value.len + 4;
    struct writer writer = answer_tail(exchange, room);
    write_raw(&writer, exchange->out.head[0]);
    write_status_line(&writer, interim->status, SPAN_EMPTY);
    for (unsigned i = 0; i < interim->count; i++)
        if (!framing_is_hop(&hop, &interim->fields[i]))
            write_field(&writer, interim->fields[i].name, interim->fields[i].value);
    write_end(&writer);
    if (!writer.failed)
        exchange->out.head[0] = writer_span(&writer);
}

/* How a body of unknown length is marked off for this client, and the field that says it. */
struct span
answer_choose_framing(struct exchange *exchange)
{
    if (exchange->head.minor >= 1) {
        exchange->out.framing = DELIVER_CHUNKED;
        return SPAN("Transfer-Encoding: chunked\r\n");
    }
    exchange->out.framing = DELIVER_UNTIL_CLOSE; /* HTTP/1.0, RFC 9112 §6.3 */
    exchange->end = END_CLOSE;
    return SPAN_EMPTY;
}

/* ── an answer for us alone: its head is written when it comes, and sent when our turn is ── */

enum err
answer_take(struct exchange *exchange, const struct head *head, const struct framing *framing)
{
    struct hop_set hop;
    enum refusal   refusal;
    size_t         room = 512 + head->reason.len;

    enum err err = framing_mark_hop(head, &hop, &refusal);
    if (err != ERR_NONE)
        return err;
    for (unsigned i = 0; i < head->count; i++)
        room += head->fields[i].name.len + head->fields[i].value.len + 4;
    char *memory = arena_alloc(&exchange->arena, room);
    if (memory == NULL)
        return ERR_NO_MEMORY;
    struct writer writer;
    writer_init(&writer, memory, room);
    write_status_line(&writer, head->status, head->reason);
    for (unsigned i = 0; i < head->count; i++) {
        const struct field *field = &head->fields[i];
        bool                upgrade = framing->kind == BODY_TUNNEL && field->id == FIELD_UPGRADE;
        if (field->id != FIELD_CONTENT_LENGTH && (upgrade || !framing_is_hop(&hop, field)))
            write_field(&writer, field->name, field->value);
    }
    if (!head_has(head, FIELD_DATE)) /* RFC 9110 §6.6.1 */
        write_field(&writer, SPAN("Date"), worker_date(exchange->worker));
    write_field(&writer, SPAN("Via"), head->minor == 0 ? SPAN("1.0 larder") : SPAN("1.1 larder"));
    if (framing->kind == BODY_TUNNEL)
        write_field(&writer, SPAN("Connection"), SPAN("upgrade"));
    exchange->answer = writer_span(&writer);
    exchange->answer_status = head->status;
    exchange->answer_framing = *framing;
    exchange->outcome.fwd_status = head->status;
    return writer.failed ? ERR_LIMIT : ERR_NONE;
}

enum step_result
answer_alone(struct exchange *exchange)
{
    const struct framing *framing = &exchange->answer_framing;
    struct writer         tail = answer_tail(exchange, ANSWER_TAIL_SIZE);
    bool                  body = exchange->head.method != METHOD_HEAD && framing->kind != BODY_NONE;

    if (!flight_open_body(exchange->lookup.flight, &exchange->out.cursor))
        return answer_fail(exchange);
    exchange->status = exchange->answer_status;
    lead_pass(exchange);
    if (framing->kind == BODY_TUNNEL) {
        write_end(&tail);
    } else {
        if (framing->has_length)
            write_number(&tail, SPAN("Content-Length: "), framing->length);
        else if (body)
            write_raw(&tail, answer_choose_framing(exchange));
        answer_write_status(&tail, exchange, 0);
        answer_write_end(&tail, exchange);
    }
    if (!answer_set_head(exchange, exchange->answer, &tail))
        return answer_fail(exchange);
    if (!body)
        cursor_close(&exchange->out.cursor);
    return answer_deliver(exchange);
}
