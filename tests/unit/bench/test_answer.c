/* Answers as a client reads them, in any pieces. */
#include "answer.h"

#include <criterion/criterion.h>
#include <larder/base/text.h>

/* Feeds `bytes` in pieces of `step`, keeps what must come again in front, and collects the body. */
static enum err
feed(struct answer *answer, const char *bytes, size_t step, struct text *body, size_t *rest)
{
    char        room[4096];
    struct span source = span_of_text(bytes), payload;
    size_t      held = 0;
    enum err    err = ERR_AGAIN;
    answer_begin(answer);
    text_init(body, 4096);
    while (err == ERR_AGAIN && source.len > 0) {
        struct span piece = span_head(source, step);
        source = span_skip(source, piece.len);
        memcpy(room + held, piece.at, piece.len);
        struct span in = span_of(room, held + piece.len);
        while ((err = answer_feed(answer, &in, &payload)) == ERR_NONE)
            text_append(body, payload);
        memmove(room, in.at, in.len);
        held = in.len;
    }
    *rest = held + source.len;
    return err;
}

static void
expect_whole(const char *bytes, unsigned status, const char *text, size_t after)
{
    for (size_t step = 1; step < 200; step += 7) {
        struct answer answer;
        struct text   body;
        size_t        rest;
        cr_assert_eq(feed(&answer, bytes, step, &body, &rest), ERR_CLOSED, "in steps of %zu: %s", step,
                     bytes);
        cr_assert_eq(answer.status, status);
        cr_assert_str_eq(text_cstr(&body), text);
        cr_assert_eq(answer.body, strlen(text));
        cr_assert_eq(rest, after);
        text_fini(&body);
    }
}

Test(bench_answer, bodies_of_every_kind)
{
    expect_whole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", 0);
    expect_whole("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP", 200, "hello", 4);
    expect_whole("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", 0);
    expect_whole("HTTP/1.1 304 Not Modified\r\n\r\n", 304, "", 0);
    expect_whole("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\nH",
                 200, "hello", 1);
}

Test(bench_answer, interim_answers_are_skipped)
{
    expect_whole("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No "
                 "Content\r\n\r\n",
                 204, "", 0);
}

static struct answer
feed_part(const char *bytes, enum err expected)
{
    struct answer answer;
    struct text   body;
    size_t        rest;
    cr_assert_eq(feed(&answer, bytes, 4096, &body, &rest), expected, "%s", bytes);
    text_fini(&body);
    return answer;
}

Test(bench_answer, the_end_of_the_connection_completes_only_what_it_may)
{
    struct answer open = feed_part("HTTP/1.1 200 OK\r\n\r\nhello", ERR_AGAIN);
    cr_assert_eq(answer_end(&open), ERR_CLOSED);
    struct answer cut = feed_part("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", ERR_AGAIN);
    cr_assert_eq(answer_end(&cut), ERR_RESET);
    struct answer chunked =
        feed_part("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", ERR_AGAIN);
    cr_assert_eq(answer_end(&chunked), ERR_RESET);
    struct answer head = feed_part("HTTP/1.1 200 OK\r\n", ERR_AGAIN);
    cr_assert_eq(answer_end(&head), ERR_RESET);
}

Test(bench_answer, what_is_no_answer)
{
    feed_part("HTTP/2 200 OK\r\n\r\n", ERR_SYNTAX);
    feed_part("GET / HTTP/1.1\r\n\r\n", ERR_SYNTAX);
    feed_part("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_SYNTAX);
    feed_part("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", ERR_SYNTAX);
    feed_part("HTTP/1.1 101 Switching Protocols\r\n\r\n", ERR_SYNTAX);
}

Test(bench_answer, a_known_length_may_be_skipped)
{
    struct answer answer = feed_part("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", ERR_AGAIN);
    struct span   in = SPAN_EMPTY, payload;
    cr_assert_eq(answer_left(&answer), 7);
    answer_skip(&answer, 6);
    cr_assert_eq(answer_feed(&answer, &in, &payload), ERR_AGAIN);
    answer_skip(&answer, 1);
    cr_assert_eq(answer_feed(&answer, &in, &payload), ERR_CLOSED);
    cr_assert_eq(answer.body, 10);
}

Test(bench_answer, nothing_is_skipped_where_the_length_is_not_known)
{
    struct answer chunked = feed_part("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_AGAIN);
    cr_assert_eq(answer_left(&chunked), 0);
    struct answer open = feed_part("HTTP/1.1 200 OK\r\n\r\n", ERR_AGAIN);
    cr_assert_eq(answer_left(&open), 0);
    struct answer head = feed_part("HTTP/1.1 200", ERR_AGAIN);
    cr_assert_eq(answer_left(&head), 0);
}

static void
expect_cache(const char *fields, enum answer_cache cache)
{
    struct text text;
    text_init(&text, 1024);
    text_printf(&text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s\r\n", fields);
    struct answer answer = feed_part(text_cstr(&text), ERR_CLOSED);
    cr_assert_eq(answer.cache, cache, "%s", fields);
    text_fini(&text);
}

Test(bench_answer, what_the_cache_says)
{
    expect_cache("", ANSWER_UNTOLD);
    expect_cache("Cache-Status: larder; hit\r\n", ANSWER_STATUS_HIT);
    expect_cache("Cache-Status: larder;ttl=3 ;hit\r\n", ANSWER_STATUS_HIT);
    expect_cache("Cache-Status: larder; fwd=miss; stored\r\n", ANSWER_STATUS_MISS);
    expect_cache("Cache-Status: hit; fwd=miss\r\n", ANSWER_STATUS_MISS); /* a cache of that name */
    expect_cache("Cache-Status: inner; hit, larder; fwd=stale\r\n", ANSWER_STATUS_MISS);
    expect_cache("Cache-Status: inner; fwd=miss, larder; hit\r\n", ANSWER_STATUS_HIT);
    expect_cache("Age: 3\r\n", ANSWER_AGE_HIT);
    expect_cache("Age: 0\r\n", ANSWER_AGE_MISS);
    expect_cache("Age: soon\r\n", ANSWER_AGE_MISS);
    expect_cache("Age: 3\r\nCache-Status: larder; fwd=miss\r\n", ANSWER_STATUS_MISS);
}
