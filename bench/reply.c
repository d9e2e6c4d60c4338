/* reply.c: see reply.h. The knobs have a file of their own, reply_knobs.c. */
#include "reply.h"
#include "reply_impl.h"

#include <inttypes.h>
#include <larder/base/check.h>
#include <larder/http/conditional.h>
#include <stdarg.h>
#include <stdio.h>

bool
reply_is_counters(const struct target *target)
{
    return span_equal(target->path, SPAN("/-/requests"));
}

void
reply_begin(struct reply *reply, unsigned status)
{
    reply->status = status;
    reply->bare = status == 204 || status == 304;
    writer_init(&reply->head, reply->head_room, sizeof reply->head_room);
    write_status_line(&reply->head, status, SPAN_EMPTY);
    write_field(&reply->head, SPAN("Server"), SPAN("larder-bench"));
}

static void
reset(struct reply *reply)
{
    reply->delay = reply->drip = 0;
    reply->content = (struct content){ .intro = SPAN_EMPTY };
    reply->chunked = reply->no_length = reply->close = false;
    reply->cut_after = ROW_ABSENT;
    reply->bare = reply->head_only = reply->upload = reply->old = false;
    reply->counted = true;
}

/* A short text as the whole body; cut when it is too long. */
void
reply_say(struct reply *reply, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(reply->intro_room, sizeof reply->intro_room, format, arguments);
    va_end(arguments);
    CHECK(len >= 0);
    size_t kept = (size_t)len < sizeof reply->intro_room ? (size_t)len : sizeof reply->intro_room - 1;
    reply->content = (struct content){ .intro = span_of(reply->intro_room, kept), .size = kept };
}

void
reply_refuse(struct reply *reply, enum refusal refusal)
{
    reset(reply);
    reply_begin(reply, refusal_status(refusal));
    write_field(&reply->head, SPAN("Content-Type"), REPLY_TEXT);
    reply_say(reply, "%s\n", refusal_text(refusal));
    reply->close = true;
    reply->counted = false;
}

static void
plan_counters(struct reply *reply, const struct ask *ask)
{
    reply_begin(reply, 200);
    write_field(&reply->head, SPAN("Content-Type"), REPLY_JSON);
    write_field(&reply->head, SPAN("Cache-Control"), SPAN("no-store"));
    reply_say(reply, "%.*s", SPAN_ARG(ask->counters));
    reply->counted = false;
}

static void
plan_upload(struct reply *reply, const struct stub *stub, const struct ask *ask)
{
    reply_begin(reply, 200);
    write_field(&reply->head, SPAN("Date"), ask->date);
    write_field(&reply->head, SPAN("Content-Type"), REPLY_JSON);
    write_field(&reply->head, SPAN("Cache-Control"), SPAN("no-store"));
    reply->delay = stub->delay;
}

static void
plan_page(struct reply *reply, const struct stub *stub, const struct ask *ask)
{
    const struct page *page = site_find(stub->site, ask->target.path);
    unsigned           status = page == NULL ? 404 : 200;
    if (page == NULL)
        page = site_missing(stub->site);
    else if (page->etag[0] != '\0')
        status = reply_condition(ask, &(struct validators){ .etag = span_of_text(page->etag) });

    reply_begin(reply, status);
    write_field(&reply->head, SPAN("Date"), ask->date);
    write_field(&reply->head, SPAN("Content-Type"), page->type);
    write_field(&reply->head, SPAN("Cache-Control"), page->control);
    if (page->etag[0] != '\0')
        write_field(&reply->head, SPAN("ETag"), span_of_text(page->etag));
    reply->delay = stub->delay;
    reply->content = (struct content){ .intro = page->body, .size = page->body.len };
}

bool
reply_is_upload(const struct head *head)
{
    return head->method != METHOD_GET && head->method != METHOD_HEAD;
}

unsigned
reply_condition(const struct ask *ask, const struct validators *validators)
{
    if (reply_is_upload(ask->head))
        return 200;
    switch (conditional_evaluate(ask->head, validators, ask->now)) {
    case PRECONDITION_NONE:
        return 200;
    case PRECONDITION_NOT_MODIFIED:
        return 304;
    case PRECONDITION_FAILED:
        return 412;
    }
    UNREACHABLE();
}

void
reply_plan(struct reply *reply, const struct stub *stub, const struct ask *ask)
{
    reset(reply);
    if (reply_is_counters(&ask->target))
        plan_counters(reply, ask);
    else if (knobs_begin(ask->target.path))
        reply_plan_knobs(reply, stub, ask);
    else if (reply_is_upload(ask->head))
        plan_upload(reply, stub, ask);
    else
        plan_page(reply, stub, ask);
    reply->head_only = ask->head->method == METHOD_HEAD;
    reply->upload = reply_is_upload(ask->head);
    reply->old = ask->head->minor == 0;
    if (reply->old && reply->chunked) { /* RFC 9112 §6.1: not to HTTP/1.0 */
        reply->chunked = false;
        reply->no_length = true;
    }
}

void
reply_uploaded(struct reply *reply, uint64_t size, uint64_t hash)
{
    reply_say(reply, "{\"bytes\":%" PRIu64 ",\"xxh3\":\"%016" PRIx64 "\"}\n", size, hash);
}

/* How the end of the body is found (RFC 9112 §6). A HEAD has the fields that the GET would have (RFC 9110
 * §9.3.2). */
static void
write_framing(struct reply *reply)
{
    if (reply->bare)
        return;
    if (reply->chunked)
        write_field(&reply->head, SPAN("Transfer-Encoding"), SPAN("chunked"));
    else if (!reply->no_length)
        write_number(&reply->head, SPAN("Content-Length: "), reply->content.size);
}

void
reply_finish(struct reply *reply, bool keep_alive)
{
    bool bodyless = reply->bare || reply->head_only;
    if (reply->no_length && !bodyless)
        reply->close = true;
    if (!keep_alive)
        reply->close = true;
    write_framing(reply);
    if (reply->close)
        write_field(&reply->head, SPAN("Connection"), SPAN("close"));
    else if (reply->old)
        write_field(&reply->head, SPAN("Connection"), SPAN("keep-alive"));
    write_end(&reply->head);
    CHECK(!reply->head.failed);

    if (bodyless) {
        reply->chunked = false;
        reply->cut_after = ROW_ABSENT;
    }
    reply->length = bodyless ? 0 : reply->content.size;
    if (reply->cut_after != ROW_ABSENT && (uint64_t)reply->cut_after < reply->length)
        reply->length = (uint64_t)reply->cut_after;
}
