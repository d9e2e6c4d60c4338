/* answer.c: the heads of answers.
 *
 *      stored head ("HTTP/1.1 200 OK\r\n" ... )  ┊  what changes each time: Age, framing, Cache-Status, Connection
 *
 * A stored head goes out as it lies in the store, with a short tail behind it; only a 304 is picked from it field
 * by field. Every answer of our own names its reason in one sentence: an operator reads it in a browser.
 */
#include "lead.h"

#include <larder/base/check.h>
#include <larder/http/conditional.h>
#include <larder/http/date.h>
#include <larder/http/write.h>
#include <stdio.h>

enum { TAIL_SIZE = 512, PAGE_SIZE = 1024 };

static struct writer
tail_writer(struct exchange *exchange, size_t room)
{
    struct writer writer;
    char         *memory = arena_alloc(&exchange->arena, room);

    writer_init(&writer, memory, memory == NULL ? 0 : room);
    return writer;
}

/* The connection's fate, and the empty line. */
static void
write_tail_end(struct writer *writer, const struct exchange *exchange)
{
    if (exchange->end != END_KEEP)
        write_field(writer, SPAN("Connection"), SPAN("close"));
    else if (exchange->head.minor == 0)
        write_field(writer, SPAN("Connection"), SPAN("keep-alive"));
    write_end(writer);
}

/* RFC 9211. */
static void
write_cache_status(struct writer *writer, const struct exchange *exchange, int64_t ttl)
{
    const struct outcome *outcome = &exchange->outcome;
    char                  text[256];
    int                   n;

    if (!exchange->client->loopback)
        return;
    if (outcome->fwd == NULL) {
        n = snprintf(text, sizeof text, "%s; hit; ttl=%lld", exchange->worker->config.name, (long long)ttl);
    } else {
        n = snprintf(text, sizeof text, "%s; fwd=%s", exchange->worker->config.name, outcome->fwd);
        if (outcome->fwd_status != 0)
            n += snprintf(text + n, sizeof text - (size_t)n, "; fwd-status=%u", outcome->fwd_status);
        if (outcome->stored)
            n += snprintf(text + n, sizeof text - (size_t)n, "; stored; ttl=%lld", (long long)ttl);
        if (outcome->collapsed)
            n += snprintf(text + n, sizeof text - (size_t)n, "; collapsed");
        if (outcome->reason != REASON_NONE)
            n += snprintf(text + n, sizeof text - (size_t)n, "; detail=%s", reason_name(outcome->reason));
    }
    write_field(writer, SPAN("Cache-Status"), span_of(text, (size_t)n));
}

static int64_t
seconds_between(wall_time later, wall_time earlier)
{
    return wall_since(later, earlier) / NSEC_PER_SEC;
}

static enum step_result
start_delivery(struct exchange *exchange)
{
    exchange->step = STEP_DELIVER;
    return STEP_NEXT;
}

static enum step_result
fail_without_memory(struct exchange *exchange)
{
    exchange->end = END_ABORT; /* not even an error page can be had */
    exchange->step = STEP_FINISH;
    return STEP_NEXT;
}

/* Interim answers that are not out yet stay before the head. */
static bool
set_head(struct exchange *exchange, struct span stored, struct writer *tail)
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

enum step_result
answer_error(struct exchange *exchange, unsigned status, const char *name, const char *text, bool close)
{
    char          page[PAGE_SIZE];
    struct writer head = tail_writer(exchange, TAIL_SIZE);
    int size = snprintf(page, sizeof page, "%u %s: %s (%s)\n", status, status_reason(status), text, name);
    struct span body = arena_copy(&exchange->arena, span_of(page, (size_t)size));

    if (status == 502 || status == 503 || status == 504)
        metric_add(&exchange->worker->metrics.errors, 1);
    if (close || exchange->end != END_KEEP)
        exchange->end = END_CLOSE;
    cursor_close(&exchange->out.cursor);
    write_status_line(&head, status, SPAN_EMPTY);
    write_field(&head, SPAN("Date"), worker_date(exchange->worker));
    write_field(&head, SPAN("Content-Type"), SPAN("text/plain; charset=utf-8"));
    write_field(&head, SPAN("Cache-Control"), SPAN("no-store"));
    if (status == 405)
        write_field(&head, SPAN("Allow"), SPAN("GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"));
    write_field_u64(&head, SPAN("Content-Length"), (uint64_t)size);
    if (exchange->outcome.fwd != NULL)
        write_cache_status(&head, exchange, 0);
    write_tail_end(&head, exchange);
    if (body.at == NULL || !set_head(exchange, SPAN_EMPTY, &head))
        return fail_without_memory(exchange);
    exchange->out.bytes = exchange->head.method == METHOD_HEAD ? SPAN_EMPTY : body;
    return start_delivery(exchange);
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
    struct writer writer = tail_writer(exchange, room);
    write_raw(&writer, exchange->out.head[0]);
    write_status_line(&writer, interim->status, SPAN_EMPTY);
    for (unsigned i = 0; i < interim->count; i++)
        if (!framing_is_hop(&hop, &interim->fields[i]))
            write_field(&writer, interim->fields[i].name, interim->fields[i].value);
    write_end(&writer);
    if (!writer.failed)
        exchange->out.head[0] = writer_span(&writer);
}

/* ── from stored objects ── */

/* RFC 9110 §15.4.5: what a 304 must carry, out of the stored head. */
static bool
write_not_modified(struct writer *writer, const struct object *object)
{
    static const enum field_id carried[] = {
        FIELD_CACHE_CONTROL,    FIELD_CONTENT_LOCATION, FIELD_DATE, FIELD_ETAG,
        FIELD_EXPIRES,          FIELD_LAST_MODIFIED,    FIELD_VARY, FIELD_VIA,
        FIELD_CDN_CACHE_CONTROL
    };
    struct field fields[FIELDS_MAX];
    struct head  head;

    head_init(&head, fields, FIELDS_MAX);
    if (object_parse_head(object, &head) != ERR_NONE)
        return false;
    write_status_line(writer, 304, SPAN_EMPTY);
    for (size_t i = 0; i < sizeof carried / sizeof carried[0]; i++)
        for (const struct field *field = head_find(&head, carried[i]); field != NULL;
             field = head_next(&head, field))
            write_field(writer, field->name, field->value);
    return true;
}

/* Whether the client's conditions make it a 304 or 412. Only a 200 is conditional (RFC 9110 §13.2.1). */
static enum precondition
evaluate(const struct exchange *exchange, const struct object *object)
{
    if (object->status != 200 || !conditional_is(&exchange->head))
        return PRECONDITION_NONE;
    return conditional_evaluate(&exchange->head, &object->validators, loop_wall(exchange->worker->loop));
}

/* The head of a stored answer with what this moment adds. `body_follows` is cleared when there is none to be sent. `framing` is the field
 * that a body of unknown length needs, or empty. */
static bool
write_stored(struct exchange *exchange, const struct object *object, struct span framing, bool *body_follows)
{
    wall_time     now = loop_wall(exchange->worker->loop);
    int64_t       age = seconds_between(now, object->born), ttl = seconds_between(object->fresh_until, now);
    bool          not_modified = evaluate(exchange, object) == PRECONDITION_NOT_MODIFIED;
    struct writer tail = tail_writer(exchange, TAIL_SIZE + (not_modified ? object->head.len : 0));

    if (not_modified) {
        if (!write_not_modified(&tail, object))
            return false;
        *body_follows = false;
    } else if (exchange->head.method == METHOD_HEAD) {
        *body_follows = false;
    }
    if (*body_follows && framing.len > 0)
        write_raw(&tail, framing);
    /* RFC 9111 §5.1: on each reuse; the leader's is none. */
    if (age > 0 || exchange->lookup.result != LOOKUP_LEAD)
        write_field_u64(&tail, SPAN("Age"), age > 0 ? (uint64_t)age : 0);
    write_cache_status(&tail, exchange, ttl);
    write_tail_end(&tail, exchange);
    return set_head(exchange, not_modified ? SPAN_EMPTY : object->head, &tail);
}

static enum step_result
refuse_precondition(struct exchange *exchange)
{
    return answer_error(exchange, 412, "precondition-failed", "the condition of the request does not hold",
                        false);
}

enum step_result
step_hit(struct exchange *exchange)
{
    const struct object *object = &exchange->lookup.object;
    bool                 body = true;

    metric_add(&exchange->worker->metrics.hits, 1);
    if (evaluate(exchange, object) == PRECONDITION_FAILED)
        return refuse_precondition(exchange);
    if (!write_stored(exchange, object, SPAN_EMPTY, &body))
        return fail_without_memory(exchange);
    if (body)
        exchange->out.bytes = exchange->lookup.lease.record.body;
    else if (exchange->head.method != METHOD_HEAD)
        metric_add(&exchange->worker->metrics.hits_not_modified, 1);
    return start_delivery(exchange);
}

enum step_result
answer_refreshed(struct exchange *exchange)
{
    struct object object;
    bool          body = true;

    if (!object_read(flight_meta(exchange->lookup.flight), &object))
        return fail_without_memory(exchange);
    exchange->outcome.fwd_status = 304;
    exchange->outcome.stored = true;
    if (evaluate(exchange, &object) == PRECONDITION_FAILED)
        return refuse_precondition(exchange);
    if (!write_stored(exchange, &object, SPAN_EMPTY, &body))
        return fail_without_memory(exchange);
    if (body)
        exchange->out.bytes = exchange->lookup.lease.record.body;
    return start_delivery(exchange);
}

/* How a body of unknown length is marked off for this client, and the field that says it. */
static struct span
choose_framing(struct exchange *exchange)
{
    if (exchange->head.minor >= 1) {
        exchange->out.framing = DELIVER_CHUNKED;
        return SPAN("Transfer-Encoding: chunked\r\n");
    }
    exchange->out.framing = DELIVER_UNTIL_CLOSE; /* HTTP/1.0, RFC 9112 §6.3 */
    exchange->end = END_CLOSE;
    return SPAN_EMPTY;
}

enum step_result
answer_shared(struct exchange *exchange)
{
    struct flight *flight = exchange->lookup.flight;
    struct object  object;
    struct span    framing = SPAN_EMPTY;
    bool           body = true;

    if (!object_read(flight_meta(flight), &object))
        return fail_without_memory(exchange);
    exchange->outcome.fwd_status = object.status;
    exchange->outcome.stored = true;
    if (evaluate(exchange, &object) == PRECONDITION_FAILED)
        return refuse_precondition(exchange);
    if (flight_length(flight) < 0)
        framing = choose_framing(exchange);
    if (!write_stored(exchange, &object, framing, &body))
        return fail_without_memory(exchange);
    if (!body)
        cursor_close(&exchange->out.cursor);
    return start_delivery(exchange);
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
    struct writer         tail = tail_writer(exchange, TAIL_SIZE);
    bool                  body = exchange->head.method != METHOD_HEAD && framing->kind != BODY_NONE;

    if (!flight_open_body(exchange->lookup.flight, &exchange->out.cursor))
        return fail_without_memory(exchange);
    lead_pass(exchange);
    if (framing->kind == BODY_TUNNEL) {
        write_end(&tail);
    } else {
        if (framing->has_length)
            write_field_u64(&tail, SPAN("Content-Length"), framing->length);
        else if (body)
            write_raw(&tail, choose_framing(exchange));
        write_cache_status(&tail, exchange, 0);
        write_tail_end(&tail, exchange);
    }
    if (!set_head(exchange, exchange->answer, &tail))
        return fail_without_memory(exchange);
    if (!body)
        cursor_close(&exchange->out.cursor);
    return start_delivery(exchange);
}
