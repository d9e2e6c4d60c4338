/* test_strict.c: every case of tests/strict, without a socket: what the parser, the framing and the chunk decoder say of its bytes, and that
 * they say the same however the bytes come.
 */
#include "cases.h"

#include <criterion/criterion.h>
#include <larder/http/chunked.h>
#include <larder/http/framing.h>
#include <stdlib.h>

enum { FIELDS = 128, SPLIT_ALL = 1500, SPLIT_STEP = 997 };

static const struct parse_limits limits = { .head = 16 * 1024, .target = 8 * 1024 };
static const struct parse_limits answer_limits = { .head = 64 * 1024 };

struct message {
    struct field   fields[FIELDS];
    struct head    head;
    struct framing framing;
};

/* ── bodies ── */

/* Takes the body from the front of *rest. ERR_AGAIN: it is not all there. */
static enum err
take_body(const struct framing *framing, struct span *rest, enum refusal *refusal)
{
    struct chunk_decoder decoder;
    struct span          piece;
    enum err             err;

    if (framing->kind == BODY_LENGTH && rest->len < framing->length)
        return ERR_AGAIN;
    if (framing->kind == BODY_LENGTH)
        *rest = span_skip(*rest, (size_t)framing->length);
    else if (framing->kind == BODY_CLOSE)
        *rest = SPAN_EMPTY;
    if (framing->kind != BODY_CHUNKED)
        return ERR_NONE;
    chunk_decode_init(&decoder, &chunk_limits_initial);
    do
        err = chunk_decode(&decoder, rest, &piece);
    while (err == ERR_NONE);
    *refusal = decoder.refusal;
    return err == ERR_CLOSED ? ERR_NONE : err;
}

/* ── requests ── */

static enum err
take_head(struct message *message, struct span bytes, size_t *size, enum refusal *refusal)
{
    struct target  target;
    struct hop_set hop;

    *refusal = REFUSAL_NONE;
    head_init(&message->head, message->fields, FIELDS);
    enum err err = parse_request(&message->head, bytes, &limits, size, refusal);
    if (err == ERR_NONE)
        err = parse_target(&message->head, &target, refusal);
    if (err == ERR_NONE)
        err = framing_of_request(&message->head, &message->framing, refusal);
    return err == ERR_NONE ? framing_mark_hop(&message->head, &hop, refusal) : err;
}

/* Of all requests in the bytes: ERR_NONE, ERR_AGAIN when the last one is not whole, or the first refusal. */
static enum err
take_requests(struct span rest, enum refusal *refusal)
{
    struct message *message = malloc(sizeof *message);
    enum err        err = ERR_NONE;

    cr_assert_not_null(message);
    *refusal = REFUSAL_NONE;
    while (err == ERR_NONE && rest.len > 0) {
        size_t size = 0;
        err = take_head(message, rest, &size, refusal);
        rest = span_skip(rest, size);
        if (err == ERR_NONE)
            err = take_body(&message->framing, &rest, refusal);
        if (!message->framing.keep_alive) /* what follows is not read */
            rest = SPAN_EMPTY;
    }
    free(message);
    return err;
}

static void
expect_request(const struct strict_case *read)
{
    enum refusal refusal;
    enum err     err = take_requests(text_span(&read->wire), &refusal);
    bool         refused = read->expect[0] >= '4' && read->expect[0] <= '5' && !read->above;

    cr_expect_eq(err == ERR_SYNTAX, refused, "%s: %s, %s", read->name, err_text(err), refusal_name(refusal));
    if (refused)
        cr_expect_eq(refusal_status(refusal), (unsigned)atoi(read->expect), "%s: %s", read->name, refusal_name(refusal));
}

/* However little of the first head has come: as far as it is judged, it is judged as the whole is. */
static void
expect_same_in_parts(const struct strict_case *read)
{
    struct span     all = text_span(&read->wire);
    struct message *message = malloc(sizeof *message);
    size_t          size, step = all.len <= SPLIT_ALL ? 1 : SPLIT_STEP;
    enum refusal    whole, part;

    cr_assert_not_null(message);
    enum err verdict = take_head(message, all, &size, &whole);
    for (size_t len = 0; len < all.len; len += step) {
        size_t   size_then = 0;
        enum err err = take_head(message, span_head(all, len), &size_then, &part);
        if (err == ERR_AGAIN)
            continue;
        cr_expect_eq(err, verdict, "%s, %zu bytes", read->name, len);
        cr_expect_eq(part, whole, "%s, %zu bytes: %s, then %s", read->name, len, refusal_name(part), refusal_name(whole));
    }
    free(message);
}

Test(http_strict, requests)
{
    cr_assert_geq(cases_each("requests", expect_request), 300);
}

Test(http_strict, requests_in_parts)
{
    cases_each("requests", expect_same_in_parts);
}

/* ── answers ── */

/* Up to the end of the answer that counts. *in_body: it came to that. */
static enum err
take_answer(struct span rest, bool *in_body, enum refusal *refusal)
{
    struct message *message = malloc(sizeof *message);
    struct hop_set  hop;
    enum err        err;

    cr_assert_not_null(message);
    *in_body = false;
    do {
        size_t size = 0;
        *refusal = REFUSAL_NONE;
        head_init(&message->head, message->fields, FIELDS);
        err = parse_response(&message->head, rest, &answer_limits, &size, refusal);
        if (err == ERR_NONE)
            err = framing_of_response(&message->head, METHOD_GET, &message->framing, refusal);
        if (err == ERR_NONE)
            err = framing_mark_hop(&message->head, &hop, refusal);
        rest = span_skip(rest, size);
    } while (err == ERR_NONE && message->head.status < 200 && message->head.status != 101);
    if (err == ERR_NONE) {
        *in_body = true;
        err = take_body(&message->framing, &rest, refusal);
    }
    free(message);
    return err;
}

static void
expect_answer(const struct strict_case *read)
{
    enum refusal refusal;
    bool         in_body;
    enum err     err = take_answer(text_span(&read->wire), &in_body, &refusal);
    bool         good = read->above || strcmp(read->expect, "ok") == 0;

    cr_expect_eq(err == ERR_NONE, good, "%s: %s, %s", read->name, err_text(err), refusal_name(refusal));
    if (!read->above)
        cr_expect_eq(in_body, strcmp(read->expect, "502") != 0, "%s: %s", read->name, refusal_name(refusal));
}

Test(http_strict, answers)
{
    cr_assert_geq(cases_each("answers", expect_answer), 120);
}
