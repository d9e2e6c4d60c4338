/* reply_knobs.c: an answer as its path spells it out.
 *
 * What is decided by (path, query, selecting fields) is one number, the `identity`: it shifts the body's
 * noise and is the ETag. With the knob `count` the number of the request is part of it, so nothing is ever
 * equal.
 */
#include "reply_impl.h"

#include <inttypes.h>
#include <larder/base/hash.h>
#include <larder/http/date.h>
#include <stdio.h>

#define SAMPLE_MODIFIED INT64_C(1735689600) /* Wed, 01 Jan 2025 00:00:00 GMT */

static struct span
selecting_value(const struct ask *ask, struct span name)
{
    const struct field *field = head_find_name(ask->head, name);
    return field == NULL ? SPAN("") : field->value;
}

static uint64_t
identity_of(const struct ask *ask, const struct knobs *knobs)
{
    uint64_t identity = hash_checksum(ask->target.path) * 31 + hash_checksum(ask->target.query);
    for (unsigned i = 0; i < knobs->vary.count; i++)
        identity = identity * 31 + hash_checksum(selecting_value(ask, knobs->vary.at[i]));
    return knobs->count ? identity * 31 + ask->number : identity;
}

/* A line that is being written into a room, cut where the room ends. */
struct line {
    char  *at;
    size_t len, room;
};

static void
line_add(struct line *line, struct span span)
{
    span = span_head(span, line->room - line->len);
    if (span.len > 0)
        memcpy(line->at + line->len, span.at, span.len);
    line->len += span.len;
}

/* "larder-bench /size/64k/vary/accept-encoding accept-encoding=gzip request 17" */
static struct span
write_intro(struct reply *reply, const struct ask *ask, const struct knobs *knobs)
{
    struct line line = { .at = reply->intro_room, .room = sizeof reply->intro_room - 1 };
    line_add(&line, SPAN("larder-bench "));
    line_add(&line, ask->target.path);
    for (unsigned i = 0; i < knobs->vary.count; i++) {
        line_add(&line, SPAN(" "));
        line_add(&line, knobs->vary.at[i]);
        line_add(&line, SPAN("="));
        line_add(&line, selecting_value(ask, knobs->vary.at[i]));
    }
    if (knobs->count) {
        char number[40];
        snprintf(number, sizeof number, " request %" PRIu64, ask->number);
        line_add(&line, span_of_text(number));
    }
    line.at[line.len++] = '\n';
    return span_of(line.at, line.len);
}

/* ── Cache-Control ── */

static void
add_directive(struct line *line, const char *name, int64_t seconds)
{
    char text[64];
    int  len = seconds == ROW_ABSENT ? snprintf(text, sizeof text, "%s", name)
                                     : snprintf(text, sizeof text, "%s=%" PRId64, name, seconds);
    if (line->len > 0)
        line_add(line, SPAN(", "));
    line_add(line, span_of(text, (size_t)len));
}

static void
write_control(struct reply *reply, const struct knobs *knobs)
{
    const struct {
        const char *name;
        bool        on;
        int64_t     seconds;
    } directives[] = {
        { "public", knobs->is_public, ROW_ABSENT },
        { "private", knobs->is_private, ROW_ABSENT },
        { "no-store", knobs->no_store, ROW_ABSENT },
        { "no-cache", knobs->no_cache, ROW_ABSENT },
        { "must-revalidate", knobs->must_revalidate, ROW_ABSENT },
        { "max-age", knobs->max_age != ROW_ABSENT, knobs->max_age },
        { "s-maxage", knobs->s_maxage != ROW_ABSENT, knobs->s_maxage },
        { "stale-while-revalidate", knobs->stale_while_revalidate != ROW_ABSENT,
          knobs->stale_while_revalidate },
        { "stale-if-error", knobs->stale_if_error != ROW_ABSENT, knobs->stale_if_error },
    };
    char        room[512];
    struct line line = { .at = room, .room = sizeof room };
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++)
        if (directives[i].on)
            add_directive(&line, directives[i].name, directives[i].seconds);
    if (line.len > 0)
        write_field(&reply->head, SPAN("Cache-Control"), span_of(line.at, line.len));
}

/* ── the other fields ── */

static void
write_date(struct reply *reply, struct span name, int64_t seconds)
{
    char date[DATE_SIZE];
    date_format(seconds, date);
    write_field(&reply->head, name, span_of(date, sizeof date));
}

static void
write_dates(struct reply *reply, const struct ask *ask, const struct knobs *knobs)
{
    int64_t expires;
    write_field(&reply->head, SPAN("Date"), ask->date);
    if (knobs->age != ROW_ABSENT)
        write_number(&reply->head, SPAN("Age: "), (uint64_t)knobs->age);
    if (knobs->expires == ROW_ABSENT)
        return;
    if (__builtin_add_overflow(wall_seconds(ask->now), knobs->expires, &expires))
        expires = INT64_MAX;
    write_date(reply, SPAN("Expires"), expires);
}

static void
write_validators(struct reply *reply, const struct validators *validators)
{
    if (validators->etag.len > 0)
        write_field(&reply->head, SPAN("ETag"), validators->etag);
    if (validators->has_modified)
        write_date(reply, SPAN("Last-Modified"), validators->modified);
}

static void
write_vary(struct reply *reply, const struct knobs *knobs)
{
    for (unsigned i = 0; i < knobs->vary.count; i++)
        write_field(&reply->head, SPAN("Vary"), knobs->vary.at[i]);
}

static void
write_cookie(struct reply *reply, const struct ask *ask)
{
    char cookie[64];
    int  len = snprintf(cookie, sizeof cookie, "session=%016" PRIx64 "; Path=/; HttpOnly", ask->number);
    write_field(&reply->head, SPAN("Set-Cookie"), span_of(cookie, (size_t)len));
}

static void
write_fields(struct reply *reply, const struct ask *ask, const struct knobs *knobs,
             const struct validators *validators)
{
    write_dates(reply, ask, knobs);
    if (!reply->bare)
        write_field(&reply->head, SPAN("Content-Type"), reply_is_upload(ask->head) ? REPLY_JSON : REPLY_TEXT);
    write_control(reply, knobs);
    write_validators(reply, validators);
    write_vary(reply, knobs);
    if (knobs->cookie)
        write_cookie(reply, ask);
    if (reply->status >= 301 && reply->status <= 308 && reply->status != 304)
        write_field(&reply->head, SPAN("Location"), SPAN("/"));
}

/* ── the plan ── */

static void
plan_mistake(struct reply *reply, const struct ask *ask, const struct fault *fault)
{
    reply_begin(reply, 404);
    write_field(&reply->head, SPAN("Date"), ask->date);
    write_field(&reply->head, SPAN("Content-Type"), REPLY_TEXT);
    write_field(&reply->head, SPAN("Cache-Control"), SPAN("no-store"));
    reply_say(reply, "%s\n", fault->text);
}

static void
plan_transfer(struct reply *reply, const struct stub *stub, const struct knobs *knobs)
{
    reply->delay = knobs->delay == ROW_ABSENT ? stub->delay : knobs->delay;
    reply->drip = knobs->drip;
    reply->chunked = knobs->chunked;
    reply->no_length = knobs->no_length;
    reply->close = knobs->close;
    reply->cut_after = knobs->cut;
}

void
reply_plan_knobs(struct reply *reply, const struct stub *stub, const struct ask *ask)
{
    struct knobs knobs;
    struct fault fault;
    if (knobs_parse(ask->target.path, &knobs, &fault) != ERR_NONE) {
        plan_mistake(reply, ask, &fault);
        return;
    }
    uint64_t          identity = identity_of(ask, &knobs);
    char              etag[SITE_ETAG_SIZE];
    int               len = snprintf(etag, sizeof etag, "\"%016" PRIx64 "\"", identity);
    struct validators validators = { .etag = knobs.etag ? span_of(etag, (size_t)len) : SPAN_EMPTY,
                                     .modified = knobs.count ? wall_seconds(ask->now) : SAMPLE_MODIFIED,
                                     .has_modified = knobs.last_modified };
    unsigned status = knobs.status == 200 ? reply_condition(ask, &validators) : (unsigned)knobs.status;

    reply_begin(reply, status);
    write_fields(reply, ask, &knobs, &validators);
    plan_transfer(reply, stub, &knobs);
    reply->content = (struct content){ .intro = write_intro(reply, ask, &knobs),
                                       .shift = identity,
                                       .size = (uint64_t)knobs.size };
}
