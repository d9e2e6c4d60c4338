/* request.c: the request that an origin gets: always our own words.
 *
 * Host is what the key has: a name in other letters, or the scheme's own port, is one page and one question. End-to-end fields go on as they
 * are; hop-by-hop fields, and those that only we may set, do not. A client cannot speak through fields about itself that an origin might
 * believe (X-Forwarded-*, Forwarded) or that change what is asked without changing the key (X-Original-URL, X-Rewrite-URL,
 * X-HTTP-Method-Override, Proxy). Of a client that is trusted the first kind is believed and goes on; the second never does, since the key would
 * not know of it.
 */
#include "exchange.h"

#include <larder/http/date.h>
#include <larder/http/write.h>
#include <stdio.h>

enum { ADDED_MAX = 1024 }; /* room for the fields that we add, besides names and values of the client's */

static bool
is_ours_to_set(const struct field *field, bool trusted)
{
    switch ((enum field_id)field->id) {
    case FIELD_OTHER: /* X-Forwarded-Port, -Prefix, -Scheme, -Server, -Ssl ... */
        return !trusted && span_starts_nocase(field->name, SPAN("x-forwarded-"));
    case FIELD_FORWARDED:
    case FIELD_X_FORWARDED_HOST:
    case FIELD_X_FORWARDED_PROTO:
        return !trusted;
    case FIELD_CONTENT_LENGTH:
    case FIELD_HOST:
    case FIELD_PROXY:
    case FIELD_CDN_LOOP:
    case FIELD_VIA:
    case FIELD_X_FORWARDED_FOR: /* goes on with its client behind it, if we trust it */
    case FIELD_X_HTTP_METHOD_OVERRIDE:
    case FIELD_X_ORIGINAL_URL:
    case FIELD_X_REWRITE_URL:
        return true;
    default:
        return false;
    }
}

/* A fill asks for the whole object, whatever the client has of it or wants of it. */
static bool
is_of_client_only(enum field_id id)
{
    switch (id) {
    case FIELD_IF_MATCH:
    case FIELD_IF_MODIFIED_SINCE:
    case FIELD_IF_NONE_MATCH:
    case FIELD_IF_RANGE:
    case FIELD_IF_UNMODIFIED_SINCE:
    case FIELD_RANGE:
    case FIELD_EXPECT:
        return true;
    default:
        return false;
    }
}

static void
write_client_fields(struct writer *writer, const struct exchange *exchange, enum request_kind kind)
{
    const struct head *head = &exchange->head;

    for (unsigned i = 0; i < head->count; i++) {
        const struct field *field = &head->fields[i];
        enum field_id       id = (enum field_id)field->id;
        if (framing_is_hop(&exchange->hop, field) || is_ours_to_set(field, exchange->client->trusted))
            continue;
        if (kind == REQUEST_FILL && is_of_client_only(id))
            continue;
        write_field(writer, field->name, field->value);
    }
}

/* One line, as some origins read no second one. */
static void
write_forwarded_for(struct writer *writer, const struct exchange *exchange)
{
    const struct client *client = exchange->client;
    const struct field  *before = client->trusted ? head_find(&exchange->head, FIELD_X_FORWARDED_FOR) : NULL;

    write_raw(writer, SPAN("X-Forwarded-For: "));
    for (; before != NULL; before = head_next(&exchange->head, before))
        if (before->value.len > 0) {
            write_raw(writer, before->value);
            write_raw(writer, SPAN(", "));
        }
    write_raw(writer, span_of(client->address, client->address_len));
    write_raw(writer, SPAN("\r\n"));
}

static void
write_forwarding(struct writer *writer, const struct exchange *exchange)
{
    const struct client *client = exchange->client;
    const struct field  *via = head_find(&exchange->head, FIELD_VIA);

    for (; via != NULL; via = head_next(&exchange->head, via))
        write_field(writer, SPAN("Via"), via->value);
    write_field(writer, SPAN("Via"), exchange->head.minor == 0 ? SPAN("1.0 larder") : SPAN("1.1 larder"));
    write_forwarded_for(writer, exchange);
    if (!client->trusted || !head_has(&exchange->head, FIELD_X_FORWARDED_PROTO))
        write_field(writer, SPAN("X-Forwarded-Proto"), SPAN("http"));
    if (head_has(&exchange->head, FIELD_HOST)
        && (!client->trusted || !head_has(&exchange->head, FIELD_X_FORWARDED_HOST)))
        write_field(writer, SPAN("X-Forwarded-Host"), exchange->authority);
}

/* What we can do (Edge Architecture Specification 1.0), and that it came through here (RFC 8586). */
static void
write_capabilities(struct writer *writer, const struct exchange *exchange)
{
    const struct field *loop = head_find(&exchange->head, FIELD_CDN_LOOP);

    write_field(writer, SPAN("Surrogate-Capability"), SPAN(SURROGATE_NAME "=\"Surrogate/1.0\""));
    for (; loop != NULL; loop = head_next(&exchange->head, loop))
        write_field(writer, SPAN("CDN-Loop"), loop->value);
    write_field(writer, SPAN("CDN-Loop"), span_of_text(exchange->worker->loop_id));
}

static void
write_framing(struct writer *writer, const struct exchange *exchange)
{
    if (exchange->framing.kind == BODY_CHUNKED)
        write_field(writer, SPAN("Transfer-Encoding"), SPAN("chunked"));
    else if (exchange->framing.has_length)
        write_number(writer, SPAN("Content-Length: "), exchange->framing.length);
    if (exchange->upgrade) {
        write_field(writer, SPAN("Connection"), SPAN("upgrade"));
        const struct field *field = head_find(&exchange->head, FIELD_UPGRADE);
        for (; field != NULL; field = head_next(&exchange->head, field))
            write_field(writer, SPAN("Upgrade"), field->value);
    }
}

/* RFC 9111 §4.3.1: our own condition, from what is stored. */
static void
write_condition(struct writer *writer, const struct object *stale)
{
    if (stale->validators.etag.len > 0)
        write_field(writer, SPAN("If-None-Match"), stale->validators.etag);
    if (stale->validators.has_modified) {
        char date[DATE_SIZE];
        date_format(stale->validators.modified, date);
        write_field(writer, SPAN("If-Modified-Since"), span_of(date, sizeof date));
    }
}

/* RFC 9110 §14.2, §13.1.5 */
static void
write_range(struct writer *writer, const struct request_plan *plan)
{
    char spec[RANGE_SPEC_SIZE];

    if (plan->range == NULL)
        return;
    write_field(writer, SPAN("Range"), range_spec_format(*plan->range, spec));
    if (plan->if_range.len > 0)
        write_field(writer, SPAN("If-Range"), plan->if_range);
}

static size_t
room_for(const struct exchange *exchange, const struct request_plan *plan)
{
    const struct head *head = &exchange->head;
    size_t             room = ADDED_MAX + head->method_text.len + 2 * head->target.len;

    for (unsigned i = 0; i < head->count; i++)
        room += head->fields[i].name.len + 2 * head->fields[i].value.len + 8;
    return room + plan->if_range.len + (plan->validate == NULL ? 0 : plan->validate->validators.etag.len);
}

enum err
request_write(const struct exchange *exchange, const struct request_plan *plan, struct span *out)
{
    size_t        room = room_for(exchange, plan);
    char         *memory = arena_alloc((struct arena *)(uintptr_t)&exchange->arena, room);
    struct writer writer;

    if (memory == NULL)
        return ERR_NO_MEMORY;
    writer_init(&writer, memory, room);
    write_request_line(&writer, plan->kind == REQUEST_FILL ? SPAN("GET") : exchange->head.method_text,
                       exchange->target.path, exchange->target.query);
    write_field(&writer, SPAN("Host"), exchange->authority);
    write_client_fields(&writer, exchange, plan->kind);
    write_forwarding(&writer, exchange);
    write_capabilities(&writer, exchange);
    write_framing(&writer, exchange);
    if (plan->validate != NULL)
        write_condition(&writer, plan->validate);
    write_range(&writer, plan);
    write_end(&writer);
    *out = writer_span(&writer);
    return writer.failed ? ERR_LIMIT : ERR_NONE;
}
