/* The answers of the stub origin: heads and bodies, planned without a socket. */
#include "reply.h"

#include <criterion/criterion.h>
#include <larder/base/text.h>
#include <larder/http/framing.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW ((wall_time){ INT64_C(1789000000) * NSEC_PER_SEC })
#define NOW_TEXT "Thu, 10 Sep 2026 00:26:40 GMT"

/* A request and the answer to it. */
struct exchange {
    struct stub   stub;
    struct field  fields[32], answer_fields[32];
    struct head   request, head;
    struct reply  reply;
    struct target target;
    struct text   text;
};

static struct exchange *
begin(nsec delay)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    cr_assert_not_null(exchange);
    noise_fill(&exchange->stub.noise);
    exchange->stub.delay = delay;
    exchange->stub.site = site_create(delay);
    cr_assert_not_null(exchange->stub.site);
    text_init(&exchange->text, 65536);
    return exchange;
}

static void
end(struct exchange *exchange)
{
    text_fini(&exchange->text);
    site_destroy(&exchange->stub.site);
    free(exchange);
}

static void
plan(struct exchange *exchange, const char *start, const char *fields, uint64_t number)
{
    static const struct parse_limits limits = { .head = 8192, .target = 8192 };
    enum refusal                     refusal;
    size_t                           size;
    text_clear(&exchange->text);
    text_printf(&exchange->text, "%s\r\nHost: a\r\n%s\r\n", start, fields);
    head_init(&exchange->request, exchange->fields, 32);
    cr_assert_eq(parse_request(&exchange->request, text_span(&exchange->text), &limits, &size, &refusal),
                 ERR_NONE, "%s", start);
    cr_assert_eq(parse_target(&exchange->request, &exchange->target, &refusal), ERR_NONE);
    struct ask ask = { .head = &exchange->request,
                       .target = exchange->target,
                       .number = number,
                       .now = NOW,
                       .date = SPAN(NOW_TEXT),
                       .counters = SPAN("{\"total\":1}\n") };
    reply_plan(&exchange->reply, &exchange->stub, &ask);
}

static void
finish(struct exchange *exchange, bool keep_alive)
{
    static const struct parse_limits limits = { .head = 8192, .target = 8192 };
    enum refusal                     refusal;
    size_t                           size;
    reply_finish(&exchange->reply, keep_alive);
    head_init(&exchange->head, exchange->answer_fields, 32);
    struct span written = writer_span(&exchange->reply.head);
    cr_assert_eq(parse_response(&exchange->head, written, &limits, &size, &refusal), ERR_NONE);
    cr_assert_eq(size, written.len);
}

static void
ask(struct exchange *exchange, const char *path, const char *fields)
{
    char start[2048];
    snprintf(start, sizeof start, "GET %s HTTP/1.1", path);
    plan(exchange, start, fields, 7);
    finish(exchange, true);
}

static void
expect_field(const struct exchange *exchange, const char *name, const char *value)
{
    const struct field *field = head_find_name(&exchange->head, span_of_text(name));
    if (value == NULL) {
        cr_assert_null(field, "%s is there", name);
        return;
    }
    cr_assert_not_null(field, "%s is not there", name);
    cr_assert(span_equal(field->value, span_of_text(value)), "%s: %.*s, not %s", name, SPAN_ARG(field->value),
              value);
}

static const char *
copy_field(const struct exchange *exchange, const char *name, char *out, size_t size)
{
    const struct field *field = head_find_name(&exchange->head, span_of_text(name));
    cr_assert_not_null(field);
    snprintf(out, size, "%.*s", SPAN_ARG(field->value));
    return out;
}

static void
body_of(const struct exchange *exchange, char *out, uint64_t size)
{
    struct iovec into[8];
    uint64_t     covered;
    unsigned count = content_map(&exchange->reply.content, &exchange->stub.noise, 0, size, into, 8, &covered);
    cr_assert_eq(covered, size);
    for (unsigned i = 0; i < count; out += into[i++].iov_len)
        memcpy(out, into[i].iov_base, into[i].iov_len);
}

Test(bench_reply, a_plain_answer)
{
    struct exchange *exchange = begin(0);
    ask(exchange, "/size/64k", "");
    cr_assert_eq(exchange->reply.status, 200);
    cr_assert_eq(exchange->reply.length, 65536);
    expect_field(exchange, "Content-Length", "65536");
    expect_field(exchange, "Date", NOW_TEXT);
    expect_field(exchange, "Cache-Control", NULL);
    expect_field(exchange, "Connection", NULL);
    char line[] = "larder-bench /size/64k\n", body[sizeof line];
    body_of(exchange, body, sizeof line - 1);
    cr_assert_eq(memcmp(body, line, sizeof line - 1), 0);
    end(exchange);
}

Test(bench_reply, fields_that_knobs_set)
{
    struct exchange *exchange = begin(0);
    ask(exchange,
        "/max-age/60/s-maxage/0/public/no-cache/must-revalidate/stale-while-revalidate/5/stale-if-error/6/"
        "age/9/expires/60"
        "/last-modified/vary/a/status/301",
        "");
    expect_field(exchange, "Cache-Control",
                 "public, no-cache, must-revalidate, max-age=60, s-maxage=0, stale-while-revalidate=5, "
                 "stale-if-error=6");
    expect_field(exchange, "Age", "9");
    expect_field(exchange, "Expires", "Thu, 10 Sep 2026 00:27:40 GMT");
    expect_field(exchange, "Last-Modified", "Wed, 01 Jan 2025 00:00:00 GMT");
    expect_field(exchange, "Vary", "a");
    expect_field(exchange, "Location", "/");
    cr_assert_eq(exchange->head.status, 301);
    ask(exchange, "/private/no-store/cookie", "");
    expect_field(exchange, "Cache-Control", "private, no-store");
    expect_field(exchange, "Set-Cookie", "session=0000000000000007; Path=/; HttpOnly");
    end(exchange);
}

Test(bench_reply, equal_requests_get_equal_bytes_and_others_do_not)
{
    struct exchange *exchange = begin(0);
    char             one[300], two[300], other[300], query[300];
    ask(exchange, "/size/300/vary/x", "X: a\r\n");
    body_of(exchange, one, sizeof one);
    ask(exchange, "/size/300/vary/x", "X: a\r\n");
    body_of(exchange, two, sizeof two);
    ask(exchange, "/size/300/vary/x", "X: b\r\n");
    body_of(exchange, other, sizeof other);
    ask(exchange, "/size/300/vary/x?q", "X: a\r\n");
    body_of(exchange, query, sizeof query);
    cr_assert_eq(memcmp(one, two, sizeof one), 0);
    cr_assert_neq(memcmp(one + 100, other + 100, 200), 0);
    cr_assert_neq(memcmp(one + 100, query + 100, 200), 0);
    end(exchange);
}

Test(bench_reply, count_makes_every_answer_another)
{
    struct exchange *exchange = begin(0);
    char             one[400], two[400], etag[64], other[64];
    plan(exchange, "GET /size/400/count/etag HTTP/1.1", "", 1);
    finish(exchange, true);
    body_of(exchange, one, sizeof one);
    copy_field(exchange, "ETag", etag, sizeof etag);
    plan(exchange, "GET /size/400/count/etag HTTP/1.1", "", 2);
    finish(exchange, true);
    body_of(exchange, two, sizeof two);
    copy_field(exchange, "ETag", other, sizeof other);
    cr_assert_not_null(memmem(one, sizeof one, " request 1\n", 11));
    cr_assert_not_null(memmem(two, sizeof two, " request 2\n", 11));
    cr_assert_neq(memcmp(one + 100, two + 100, 300), 0);
    cr_assert_str_neq(etag, other);
    end(exchange);
}

Test(bench_reply, an_etag_is_honoured)
{
    struct exchange *exchange = begin(0);
    char             etag[64], field[128];
    ask(exchange, "/size/64k/etag/max-age/60/chunked", "");
    snprintf(field, sizeof field, "If-None-Match: %s\r\n", copy_field(exchange, "ETag", etag, sizeof etag));
    ask(exchange, "/size/64k/etag/max-age/60/chunked", field);
    cr_assert_eq(exchange->reply.status, 304);
    cr_assert_eq(exchange->reply.length, 0);
    cr_assert_not(exchange->reply.chunked);
    expect_field(exchange, "ETag", etag);
    expect_field(exchange, "Cache-Control", "max-age=60");
    expect_field(exchange, "Content-Length", NULL);
    expect_field(exchange, "Transfer-Encoding", NULL);
    ask(exchange, "/size/64k/etag", "If-None-Match: \"another\"\r\n");
    cr_assert_eq(exchange->reply.status, 200);
    ask(exchange, "/size/64k/etag", "If-Match: \"another\"\r\n");
    cr_assert_eq(exchange->reply.status, 412);
    ask(exchange, "/size/64k", field);
    cr_assert_eq(exchange->reply.status, 200);
    end(exchange);
}

Test(bench_reply, a_date_is_honoured)
{
    struct exchange *exchange = begin(0);
    ask(exchange, "/last-modified", "If-Modified-Since: Wed, 01 Jan 2025 00:00:00 GMT\r\n");
    cr_assert_eq(exchange->reply.status, 304);
    ask(exchange, "/last-modified", "If-Modified-Since: Tue, 31 Dec 2024 23:59:59 GMT\r\n");
    cr_assert_eq(exchange->reply.status, 200);
    end(exchange);
}

Test(bench_reply, head_has_the_fields_and_no_body)
{
    struct exchange *exchange = begin(0);
    plan(exchange, "HEAD /size/64k/drip/1s HTTP/1.1", "", 1);
    finish(exchange, true);
    expect_field(exchange, "Content-Length", "65536");
    cr_assert_eq(exchange->reply.length, 0);
    plan(exchange, "HEAD /size/64k/no-length/cut/3 HTTP/1.1", "", 1);
    finish(exchange, true);
    cr_assert_not(exchange->reply.close);
    cr_assert_eq(exchange->reply.cut_after, ROW_ABSENT);
    end(exchange);
}

Test(bench_reply, ways_to_end_a_body)
{
    struct exchange *exchange = begin(0);
    ask(exchange, "/size/9k/chunked", "");
    cr_assert(exchange->reply.chunked);
    expect_field(exchange, "Transfer-Encoding", "chunked");
    expect_field(exchange, "Content-Length", NULL);
    ask(exchange, "/size/9k/no-length", "");
    cr_assert(exchange->reply.close);
    expect_field(exchange, "Content-Length", NULL);
    expect_field(exchange, "Connection", "close");
    ask(exchange, "/size/9k/close", "");
    expect_field(exchange, "Content-Length", "9216");
    expect_field(exchange, "Connection", "close");
    ask(exchange, "/size/9k/cut/4k", "");
    cr_assert_eq(exchange->reply.length, 4096);
    expect_field(exchange, "Content-Length", "9216");
    end(exchange);
}

Test(bench_reply, no_body_where_the_status_has_none)
{
    struct exchange *exchange = begin(0);
    ask(exchange, "/status/204/size/9k/chunked", "");
    cr_assert_eq(exchange->reply.length, 0);
    cr_assert_not(exchange->reply.chunked);
    expect_field(exchange, "Content-Length", NULL);
    expect_field(exchange, "Transfer-Encoding", NULL);
    end(exchange);
}

Test(bench_reply, http_1_0_gets_no_chunks_and_is_told_when_the_connection_stays)
{
    struct exchange *exchange = begin(0);
    plan(exchange, "GET /chunked HTTP/1.0", "", 1);
    finish(exchange, true);
    expect_field(exchange, "Transfer-Encoding", NULL);
    expect_field(exchange, "Connection", "close");
    plan(exchange, "GET /size/1k HTTP/1.0", "", 1);
    finish(exchange, true);
    expect_field(exchange, "Connection", "keep-alive");
    end(exchange);
}

Test(bench_reply, an_upload_is_told_what_arrived)
{
    struct exchange *exchange = begin(0);
    char             body[64] = "";
    plan(exchange, "POST /any/where HTTP/1.1", "", 1);
    cr_assert(exchange->reply.upload);
    reply_uploaded(&exchange->reply, 12, 0xabc);
    finish(exchange, true);
    cr_assert_eq(exchange->reply.length, exchange->reply.content.size);
    expect_field(exchange, "Content-Type", "application/json");
    body_of(exchange, body, exchange->reply.length);
    cr_assert_str_eq(body, "{\"bytes\":12,\"xxh3\":\"0000000000000abc\"}\n");
    end(exchange);
}

Test(bench_reply, an_upload_to_a_knob_path_turns_the_knobs)
{
    struct exchange *exchange = begin(0);
    plan(exchange, "PUT /status/503/delay/1s/size/9k HTTP/1.1", "", 1);
    reply_uploaded(&exchange->reply, 0, 1);
    finish(exchange, true);
    cr_assert_eq(exchange->reply.status, 503);
    cr_assert_eq(exchange->reply.delay, NSEC_PER_SEC);
    cr_assert_lt(exchange->reply.length, 64);
    expect_field(exchange, "Content-Type", "application/json");
    end(exchange);
}

Test(bench_reply, delays)
{
    struct exchange *exchange = begin(300 * NSEC_PER_MSEC);
    ask(exchange, "/", "");
    cr_assert_eq(exchange->reply.delay, 300 * NSEC_PER_MSEC);
    ask(exchange, "/size/1k", "");
    cr_assert_eq(exchange->reply.delay, 300 * NSEC_PER_MSEC);
    ask(exchange, "/size/1k/delay/0", "");
    cr_assert_eq(exchange->reply.delay, 0);
    ask(exchange, "/-/requests", "");
    cr_assert_eq(exchange->reply.delay, 0);
    end(exchange);
}

Test(bench_reply, counters_are_not_counted)
{
    struct exchange *exchange = begin(0);
    char             body[64] = "";
    ask(exchange, "/-/requests", "");
    cr_assert_not(exchange->reply.counted);
    expect_field(exchange, "Cache-Control", "no-store");
    body_of(exchange, body, exchange->reply.length);
    cr_assert_str_eq(body, "{\"total\":1}\n");
    ask(exchange, "/", "");
    cr_assert(exchange->reply.counted);
    end(exchange);
}

Test(bench_reply, the_demo_site)
{
    static const char *const pages[] = { "/",    "/hit",   "/fresh",    "/herd",    "/store",
                                         "/try", "/knobs", "/site.css", "/site.js", "/larder.svg" };
    struct exchange         *exchange = begin(300 * NSEC_PER_MSEC);
    char                     etag[64], field[128];
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        ask(exchange, pages[i], "");
        cr_assert_eq(exchange->reply.status, 200, "%s", pages[i]);
        cr_assert_gt(exchange->reply.length, 300);
        expect_field(exchange, "Cache-Control", "max-age=60");
        snprintf(field, sizeof field, "If-None-Match: %s\r\n",
                 copy_field(exchange, "ETag", etag, sizeof etag));
        ask(exchange, pages[i], field);
        cr_assert_eq(exchange->reply.status, 304, "%s", pages[i]);
    }
    end(exchange);
}

Test(bench_reply, the_account_is_nobody_elses)
{
    struct exchange *exchange = begin(0);
    ask(exchange, "/account", "If-None-Match: *\r\n");
    cr_assert_eq(exchange->reply.status, 200);
    expect_field(exchange, "Cache-Control", "private, no-store");
    expect_field(exchange, "ETag", NULL);
    end(exchange);
}

Test(bench_reply, pages_name_the_delay_and_leave_nothing_to_fill_in)
{
    struct exchange *exchange = begin(300 * NSEC_PER_MSEC);
    ask(exchange, "/knobs", "");
    struct span page = exchange->reply.content.intro;
    cr_assert_not_null(memmem(page.at, page.len, "300 ms", 6));
    cr_assert_not_null(memmem(page.at, page.len, "stale-if-error", 14));
    cr_assert_null(memmem(page.at, page.len, "{{", 2));
    end(exchange);
}

Test(bench_reply, pages_without_a_delay_say_so)
{
    struct exchange *exchange = begin(0);
    ask(exchange, "/", "");
    struct span page = exchange->reply.content.intro;
    cr_assert_not_null(memmem(page.at, page.len, "0 ms", 4));
    end(exchange);
}

Test(bench_reply, addresses_that_are_none)
{
    struct exchange *exchange = begin(0);
    ask(exchange, "/nowhere", "");
    cr_assert_eq(exchange->reply.status, 404);
    ask(exchange, "/size/1k/zebra", "");
    cr_assert_eq(exchange->reply.status, 404);
    expect_field(exchange, "Cache-Control", "no-store");
    end(exchange);
}

Test(bench_reply, long_paths_and_many_names_fit)
{
    struct exchange *exchange = begin(0);
    struct text      path;
    text_init(&path, 8192);
    for (int i = 0; i < ROW_TEXTS_MAX; i++)
        text_printf(&path, "/vary/%064d", i);
    plan(exchange, "GET /size/1k HTTP/1.1", "", 1);
    exchange->target.path = text_span(&path);
    struct ask ask = {
        .head = &exchange->request, .target = exchange->target, .now = NOW, .date = SPAN(NOW_TEXT)
    };
    reply_plan(&exchange->reply, &exchange->stub, &ask);
    reply_finish(&exchange->reply, true);
    cr_assert_eq(exchange->reply.status, 200);
    cr_assert_eq(exchange->reply.content.intro.len, REPLY_INTRO);
    cr_assert_eq(exchange->reply.content.intro.at[REPLY_INTRO - 1], '\n');
    text_fini(&path);
    end(exchange);
}

Test(bench_reply, a_refusal_closes)
{
    struct exchange *exchange = begin(0);
    reply_refuse(&exchange->reply, REFUSAL_OBS_FOLD);
    finish(exchange, true);
    cr_assert_eq(exchange->reply.status, 400);
    cr_assert(exchange->reply.close);
    cr_assert_not(exchange->reply.counted);
    expect_field(exchange, "Connection", "close");
    end(exchange);
}
