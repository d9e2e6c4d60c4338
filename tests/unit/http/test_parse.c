/* test_parse.c: what the parser takes, and what it makes of it. What it refuses: test_parse_refused.c. */
#include <criterion/criterion.h>
#include <larder/http/parse.h>

#include "given.h"

Test(http_parse, a_request_comes_apart)
{
    struct given       given;
    const struct head *head =
        given_request(&given, "POST /a?b=c HTTP/1.1",
                      "Host: example.org\r\nX-Tab:\t a\tb \t\r\nE:\r\nE: \t \r\nO: caf\xc3\xa9\r\n");

    cr_assert_eq(head->method, METHOD_POST);
    cr_assert(given_is(head->method_text, "POST"));
    cr_assert(given_is(head->target, "/a?b=c"));
    cr_assert_eq(head->minor, 1);
    cr_assert_eq(head->count, 5);
    cr_assert_eq(head->fields[0].id, FIELD_HOST);
    cr_assert(given_is(head->fields[0].value, "example.org"));
    cr_assert_eq(head->fields[1].id, FIELD_OTHER);
    cr_assert(given_is(head->fields[1].name, "X-Tab"));
    cr_assert(given_is(head->fields[1].value, "a\tb"));
    cr_assert_eq(head->fields[2].value.len, 0);
    cr_assert_eq(head->fields[3].value.len, 0);
    cr_assert(given_is(head->fields[4].value, "caf\xc3\xa9"));
}

Test(http_parse, methods_that_nobody_knows_pass)
{
    struct given given;

    given_request(&given, "M-SEARCH * HTTP/1.0", "");
    cr_assert_eq(given.head.method, METHOD_OTHER);
    cr_assert(given_is(given.head.method_text, "M-SEARCH"));
    cr_assert_eq(given.head.minor, 0);
}

Test(http_parse, one_empty_line_before_a_request_is_skipped)
{
    struct given given;
    enum refusal refusal = REFUSAL_NONE;
    size_t       size = 0;
    struct span  bytes = SPAN("\r\nGET / HTTP/1.1\r\n\r\nrest");

    head_init(&given.head, given.fields, 128);
    cr_assert_eq(parse_request(&given.head, bytes, GIVEN_LIMITS, &size, &refusal), ERR_NONE);
    cr_assert_eq(size, bytes.len - 4);
}

Test(http_parse, a_response_comes_apart)
{
    struct given       given;
    const struct head *head = given_response(&given, "HTTP/1.0 404 Not  Found \t", "Server: x\r\n");

    cr_assert_eq(head->status, 404);
    cr_assert(given_is(head->reason, "Not  Found \t"));
    cr_assert_eq(head->minor, 0);
    cr_assert(given_is(head_value(head, FIELD_SERVER), "x"));
}

Test(http_parse, a_reason_may_be_empty_and_its_space_missing)
{
    struct given given;

    given_response(&given, "HTTP/1.1 200 ", "");
    cr_assert_eq(given.head.status, 200);
    cr_assert_eq(given.head.reason.len, 0);
    given_response(&given, "HTTP/1.1 999", "");
    cr_assert_eq(given.head.status, 999);
    cr_assert_eq(given.head.reason.len, 0);
    given_response(&given, "HTTP/1.1 100 caf\xe9", "");
    cr_assert(given_is(given.head.reason, "caf\xe9"));
}

Test(http_parse, a_second_call_forgets_the_first)
{
    struct given given;
    enum refusal refusal = REFUSAL_NONE;
    size_t       size = 0;
    struct span  bytes = SPAN("GET / HTTP/1.1\r\nVia: a\r\nVia: b\r\nHost: h\r\n\r\n");

    head_init(&given.head, given.fields, 128);
    for (size_t length = 0; length < bytes.len; length++)
        cr_assert_eq(parse_request(&given.head, span_head(bytes, length), GIVEN_LIMITS, &size, &refusal),
                     ERR_AGAIN);
    cr_assert_eq(parse_request(&given.head, bytes, GIVEN_LIMITS, &size, &refusal), ERR_NONE);
    cr_assert_eq(given.head.count, 3);
    cr_assert_null(head_next(&given.head, head_next(&given.head, head_find(&given.head, FIELD_VIA))));
}

static enum err
parse_within(uint32_t head, uint32_t target, uint16_t room, struct span bytes, enum refusal *refusal)
{
    struct given              given;
    const struct parse_limits limits = { head, target };
    size_t                    size = 0;

    *refusal = REFUSAL_NONE;
    head_init(&given.head, given.fields, room);
    return parse_request(&given.head, bytes, &limits, &size, refusal);
}

Test(http_parse, a_head_may_be_as_long_as_the_limit_and_no_longer)
{
    struct span  bytes = SPAN("GET / HTTP/1.1\r\nHost: h\r\n\r\nbody that follows");
    uint32_t     size = (uint32_t)(bytes.len - strlen("body that follows"));
    enum refusal refusal;

    cr_assert_eq(parse_within(size, 1024, 8, bytes, &refusal), ERR_NONE);
    for (uint32_t limit = 0; limit < size; limit++) {
        cr_assert_eq(parse_within(limit, 1024, 8, bytes, &refusal), ERR_SYNTAX);
        cr_assert_eq(refusal, REFUSAL_HEAD_TOO_LONG);
        /* As soon as the limit is reached, and not before. */
        cr_assert_eq(parse_within(limit, 1024, 8, span_head(bytes, limit), &refusal), ERR_SYNTAX);
        if (limit > 0)
            cr_assert_eq(parse_within(limit, 1024, 8, span_head(bytes, limit - 1), &refusal), ERR_AGAIN);
    }
}

Test(http_parse, a_target_may_be_as_long_as_the_limit_and_no_longer)
{
    enum refusal refusal;

    cr_assert_eq(parse_within(1000, 5, 8, SPAN("GET /1234 HTTP/1.1\r\n\r\n"), &refusal), ERR_NONE);
    cr_assert_eq(parse_within(1000, 5, 8, SPAN("GET /1234"), &refusal), ERR_AGAIN);
    cr_assert_eq(parse_within(1000, 5, 8, SPAN("GET /12345"), &refusal), ERR_SYNTAX);
    cr_assert_eq(refusal, REFUSAL_TARGET_TOO_LONG);
}

Test(http_parse, fields_are_counted)
{
    enum refusal refusal;

    cr_assert_eq(parse_within(1000, 5, 2, SPAN("GET / HTTP/1.1\r\nA:\r\nB:\r\n\r\n"), &refusal), ERR_NONE);
    cr_assert_eq(parse_within(1000, 5, 2, SPAN("GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\n"), &refusal),
                 ERR_SYNTAX);
    cr_assert_eq(refusal, REFUSAL_TOO_MANY_FIELDS);
    cr_assert_eq(parse_within(1000, 5, 0, SPAN("GET / HTTP/1.1\r\n\r\n"), &refusal), ERR_NONE);
}

Test(http_parse, trailer_fields_come_without_a_start_line)
{
    struct given given;
    enum refusal refusal = REFUSAL_NONE;
    size_t       size = 0;

    head_init(&given.head, given.fields, 128);
    cr_assert_eq(parse_fields(&given.head, SPAN("\r\nx"), GIVEN_LIMITS, &size, &refusal), ERR_NONE);
    cr_assert_eq(size, 2);
    cr_assert_eq(
        parse_fields(&given.head, SPAN("A: 1\r\nETag: \"x\"\r\n\r\n"), GIVEN_LIMITS, &size, &refusal),
        ERR_NONE);
    cr_assert_eq(given.head.count, 2);
    cr_assert(given_is(head_value(&given.head, FIELD_ETAG), "\"x\""));
    cr_assert_eq(parse_fields(&given.head, SPAN("A: 1\r\n"), GIVEN_LIMITS, &size, &refusal), ERR_AGAIN);
    cr_assert_eq(parse_fields(&given.head, SPAN(" A: 1"), GIVEN_LIMITS, &size, &refusal), ERR_SYNTAX);
}

Test(http_parse, a_stored_head_has_no_empty_line)
{
    static const char *const broken[] = {
        "",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200 OK\r",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b",
        "HTTP/1.1 200 OK\r\nA: b\r",
        "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n",
        "A: b\r\n",
    };
    struct given given;

    head_init(&given.head, given.fields, 1);
    cr_assert_eq(parse_stored(&given.head, SPAN("HTTP/1.1 203 OK\r\n")), ERR_NONE);
    cr_assert_eq(given.head.status, 203);
    cr_assert_eq(parse_stored(&given.head, SPAN("HTTP/1.1 200 OK\r\nAge: 1\r\n")), ERR_NONE);
    cr_assert(given_is(head_value(&given.head, FIELD_AGE), "1"));
    cr_assert_eq(parse_stored(&given.head, SPAN("HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n")), ERR_SYNTAX,
                 "no room");
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        cr_assert_eq(parse_stored(&given.head, span_of_text(broken[i])), ERR_SYNTAX, "'%s'", broken[i]);
}

Test(http_parse, every_refusal_has_a_name_a_status_and_a_sentence)
{
    for (enum refusal refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++) {
        cr_assert(strlen(refusal_name(refusal)) > 0);
        cr_assert_not_null(refusal_text(refusal), "%s", refusal_name(refusal));
        cr_assert_neq(refusal_text(refusal)[strlen(refusal_text(refusal)) - 1], '.');
        cr_assert(refusal_status(refusal) >= 400 && refusal_status(refusal) <= 599);
    }
    cr_assert_str_eq(refusal_name(REFUSAL_OBS_FOLD), "obs-fold");
    cr_assert_eq(refusal_status(REFUSAL_TARGET_TOO_LONG), 414);
}
