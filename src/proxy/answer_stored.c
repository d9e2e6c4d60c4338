/* answer_stored.c: answers out of stored objects: hits, what was validated, what stands in, and what arrives to be stored.
 *
 *      stored head ("HTTP/1.1 200 OK\r\n" ... )  ┊  what changes each time: Age, framing, Cache-Status, Connection
 *
 * A stored head goes out as it lies in the store, with a short tail behind it; only a 304 and a 206 are picked from it
 * field by field. The order of the questions is that of RFC 9110 §13.2.2: conditions, then ranges.
 */
#include "answer.h"
#include "lead.h"

#include <larder/http/conditional.h>

/* ── heads ── */

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

/* An answer to the very request that was fetched for: it was not used before. */
static bool
is_first_use(const struct exchange *exchange)
{
    return (exchange->lookup.result == LOOKUP_LEAD || exchange->lookup.result == LOOKUP_ALONE)
           && flight_phase(exchange->lookup.flight) == FLIGHT_SHARED;
}

void
answer_write_age(struct writer *tail, const struct exchange *exchange, const struct object *object)
{
    wall_time now = loop_wall(exchange->worker->loop);
    int64_t   age = wall_since(now, object->born) / NSEC_PER_SEC;

    if (!is_first_use(exchange)) /* RFC 9111 §5.1: on each reuse */
        write_number(tail, SPAN("Age: "), age > 0 ? (uint64_t)age : 0);
    answer_write_status(tail, exchange, wall_since(object->fresh_until, now) / NSEC_PER_SEC);
}

static enum step_result
answer_not_modified(struct exchange *exchange, const struct object *object)
{
    struct writer writer = answer_tail(exchange, ANSWER_TAIL_SIZE + object->head.len);

    if (exchange->head.method != METHOD_HEAD && exchange->lookup.result == LOOKUP_HIT)
        metric_add(&exchange->worker->metrics.hits_not_modified, 1);
    cursor_close(&exchange->out.cursor);
    exchange->status = 304;
    if (!write_not_modified(&writer, object))
        return answer_fail(exchange);
    answer_write_age(&writer, exchange, object);
    answer_write_end(&writer, exchange);
    return answer_set_head(exchange, SPAN_EMPTY, &writer) ? answer_deliver(exchange) : answer_fail(exchange);
}

bool
answer_write_whole(struct exchange *exchange, const struct object *object, struct span framing)
{
    struct writer tail = answer_tail(exchange, ANSWER_TAIL_SIZE);

    exchange->status = object->status;
    if (framing.len > 0)
        write_raw(&tail, framing);
    answer_write_age(&tail, exchange, object);
    answer_write_end(&tail, exchange);
    return answer_set_head(exchange, object->head, &tail);
}

/* ── conditions ── */

/* Whether the client's conditions make it a 304 or 412. Only a 2xx is conditional (RFC 9110 §13.2.1). */
static enum precondition
evaluate(const struct exchange *exchange, const struct object *object)
{
    bool reads = exchange->head.method == METHOD_GET || exchange->head.method == METHOD_HEAD;

    if (!reads || object->status / 100 != 2 || !conditional_is(&exchange->head))
        return PRECONDITION_NONE;
    return conditional_evaluate(&exchange->head, &object->validators, loop_wall(exchange->worker->loop));
}

/* A 304 or 412 instead of the answer. False: go on. */
static bool
answer_condition(struct exchange *exchange, const struct object *object, enum step_result *result)
{
    switch (evaluate(exchange, object)) {
    case PRECONDITION_FAILED:
        *result = answer_error(exchange, 412, "precondition-failed",
                               "the condition of the request does not hold", false);
        return true;
    case PRECONDITION_NOT_MODIFIED:
        *result = answer_not_modified(exchange, object);
        return true;
    case PRECONDITION_NONE:
        break;
    }
    return false;
}

/* ── from the store ── */

static enum step_result
answer_body(struct exchange *exchange, const struct object *object, struct span body)
{
    struct selection selection;
    bool             partial = object->flags & OBJECT_PARTIAL;

    answer_select(exchange, object, partial ? object->complete : (int64_t)body.len, &selection);
    if (selection.kind == SELECT_NOTHING)
        return answer_no_part(exchange, partial ? object->complete : (int64_t)body.len);
    if (selection.kind == SELECT_PARTS)
        return answer_parts(exchange, object, body, &selection);
    if (partial) /* a part never goes out as the whole */
        return answer_fail(exchange);
    if (!answer_write_whole(exchange, object, SPAN_EMPTY))
        return answer_fail(exchange);
    if (exchange->head.method != METHOD_HEAD)
        answer_set_body(exchange, body);
    return answer_deliver(exchange);
}

static enum step_result
answer_object(struct exchange *exchange, const struct object *object)
{
    enum step_result result;

    if (answer_condition(exchange, object, &result))
        return result;
    if (object->flags & OBJECT_SLICED)
        return answer_slices(exchange, object, false);
    return answer_body(exchange, object, exchange->lookup.lease.record.body);
}

enum step_result
step_hit(struct exchange *exchange)
{
    struct proxy_metrics *metrics = &exchange->worker->metrics;

    metric_add(&metrics->hits, 1);
    if (exchange->outcome.reason == REASON_STALE)
        metric_add(&metrics->hits_stale, 1);
    else if (exchange->outcome.reason == REASON_STALE_IF_ERROR)
        metric_add(&metrics->stood_in, 1);
    return answer_object(exchange, &exchange->lookup.object);
}

enum step_result
answer_stale(struct exchange *exchange)
{
    metric_add(&exchange->worker->metrics.stood_in, 1);
    exchange->outcome.reason = REASON_STALE_IF_ERROR;
    return answer_object(exchange, &exchange->lookup.object);
}

enum step_result
answer_refreshed(struct exchange *exchange)
{
    struct object object;

    if (!object_read(flight_meta(exchange->lookup.flight), &object))
        return answer_fail(exchange);
    exchange->outcome.fwd_status = 304;
    exchange->outcome.stored = flight_verdict(exchange->lookup.flight)->store;
    return answer_object(exchange, &object);
}

/* ── while it arrives ── */

enum step_result
answer_own_head(struct exchange *exchange, const struct object *object)
{
    struct writer         tail = answer_tail(exchange, ANSWER_TAIL_SIZE);
    const struct framing *framing = &exchange->answer_framing;

    exchange->status = exchange->answer_status;
    if (framing->has_length)
        write_number(&tail, SPAN("Content-Length: "), framing->length);
    else if (exchange->out.cursor.fill != NULL || exchange->out.slices != NULL)
        write_raw(&tail, answer_choose_framing(exchange));
    answer_write_age(&tail, exchange, object);
    answer_write_end(&tail, exchange);
    return answer_set_head(exchange, exchange->answer, &tail) ? answer_deliver(exchange)
                                                              : answer_fail(exchange);
}

/* What is sent of a part that was fetched for several: the one range that this client asked for, if it is in there, else just that part. */
static enum step_result
answer_shared_part(struct exchange *exchange, const struct object *object, int64_t length)
{
    struct byte_range range = { object->first, object->first + length - 1 };
    struct selection  selection;

    answer_select(exchange, object, object->complete, &selection);
    if (selection.kind == SELECT_PARTS && selection.count == 1 && selection.parts[0].first >= range.first
        && selection.parts[0].last <= range.last)
        range = selection.parts[0];
    return answer_arriving_part(exchange, object, range, object->complete,
                                (uint64_t)(range.first - object->first));
}

/* The whole arrives. For a client that asked for one range of it, and where its length is known, that range, or the news that there is
 * none (RFC 9110 §15.5.17): as it would be answered from the store. */
static enum step_result
answer_shared_whole(struct exchange *exchange, const struct object *object, int64_t length)
{
    struct selection selection = { .kind = SELECT_WHOLE };

    if (length > 0)
        answer_select(exchange, object, length, &selection);
    if (selection.kind == SELECT_NOTHING)
        return answer_no_part(exchange, length);
    if (selection.kind == SELECT_PARTS && selection.count == 1)
        return answer_arriving_part(exchange, object, selection.parts[0], length,
                                    (uint64_t)selection.parts[0].first);
    struct span framing = length < 0 ? answer_choose_framing(exchange) : SPAN_EMPTY;
    return answer_write_whole(exchange, object, framing) ? answer_deliver(exchange) : answer_fail(exchange);
}

enum step_result
answer_shared(struct exchange *exchange)
{
    struct flight   *flight = exchange->lookup.flight;
    int64_t          length = flight_length(flight);
    struct object    object;
    enum step_result result;

    if (!object_read(flight_meta(flight), &object))
        return answer_fail(exchange);
    exchange->outcome.fwd_status = object.flags & OBJECT_PARTIAL ? 206 : object.status;
    exchange->outcome.stored = true;
    if (answer_condition(exchange, &object, &result))
        return result;
    if (object.flags & OBJECT_SLICED)
        return answer_slices(exchange, &object, true);
    if (exchange->head.method == METHOD_HEAD || length == 0)
        cursor_close(&exchange->out.cursor);
    if (exchange->answer.len > 0 && !exchange->answer_picked)
        return answer_own_head(exchange, &object);
    if (object.flags & OBJECT_PARTIAL)
        return answer_shared_part(exchange, &object, length);
    return answer_shared_whole(exchange, &object, length);
}
