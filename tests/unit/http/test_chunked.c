/* test_chunked.c: chunked bodies in any pieces, and where each broken one is refused.
 *
 * As in test_parse_refused.c, each broken text ends with the byte that decides.
 */
#include <criterion/criterion.h>
#include <larder/http/chunked.h>

#include "given.h"

struct decoded {
    char         payload[4096];
    size_t       length; /* of the payload */
    size_t       rest;   /* bytes that were not taken */
    enum err     err;
    enum refusal refusal;
};

/* Feeds one piece; goes on while payload comes. */
static enum err
feed(struct chunk_decoder *decoder, struct span *in, struct decoded *out)
{
    struct span payload;
    enum err    err;
    const char *from = in->at;
    size_t      size = in->len;

    while ((err = chunk_decode(decoder, in, &payload)) == ERR_NONE) {
        cr_assert(payload.len > 0 && payload.at >= from && payload.at + payload.len <= from + size);
        cr_assert(out->length + payload.len <= sizeof out->payload);
        memcpy(out->payload + out->length, payload.at, payload.len);
        out->length += payload.len;
    }
    cr_assert_eq(payload.len, 0);
    return err;
}

/* Decodes `bytes` in pieces of the given sizes, the last of which repeats. */
static void
decode(struct span bytes, size_t first, size_t then, struct decoded *out)
{
    struct chunk_decoder decoder;
    size_t               size = first;

    *out = (struct decoded){ .err = ERR_AGAIN };
    chunk_decode_init(&decoder, &chunk_limits_initial);
    while (bytes.len > 0 && out->err == ERR_AGAIN) {
        struct span piece = span_head(bytes, size), in = piece;
        out->err = feed(&decoder, &in, out);
        cr_assert(out->err != ERR_AGAIN || in.len == 0);
        bytes = span_skip(bytes, piece.len - in.len);
        size = then;
    }
    out->rest = bytes.len;
    out->refusal = decoder.refusal;
    struct span none = SPAN("5\r\n"), payload;
    if (out->err != ERR_AGAIN) { /* what has ended stays ended */
        cr_assert_eq(chunk_decode(&decoder, &none, &payload), out->err);
        cr_assert_eq(none.len, 3);
    }
}

struct body {
    const char *bytes, *payload;
};

static const struct body good[] = {
    { "0\r\n\r\n", "" },
    { "000000000000000\r\n\r\n", "" },
    { "1\r\na\r\n0\r\n\r\n", "a" },
    { "a\r\n0123456789\r\nA\r\nabcdefghij\r\n00003\r\nxyz\r\n0\r\n\r\n", "0123456789abcdefghijxyz" },
    { "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n" },
    { "1;a\r\nx\r\n0;b\r\n\r\n", "x" },
    { "1 ;\ta ; b = c;d=\"e;\\\"\\\\ \t\xc3\xa4\"\t ;f\r\nx\r\n0;g=\"\"\r\n\r\n", "x" },
    { "1;a=b\r\nx\r\n0\r\nX-A: 1\r\nContent-Length: 5\r\nE:\r\nB:\t c\xe9 d\r\n\r\n", "x" },
};

Test(http_chunked, any_pieces_give_the_same_payload)
{
    struct decoded out;
    char           bytes[512];

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int         length = snprintf(bytes, sizeof bytes, "%s%s", good[i].bytes, "GET");
        struct span all = span_of(bytes, (size_t)length);
        for (size_t first = 1; first <= all.len; first++)
            for (size_t then = 1; then <= all.len; then = then * 2) {
                decode(all, first, then, &out);
                cr_assert_eq(out.err, ERR_CLOSED, "%s: %s", good[i].bytes, refusal_name(out.refusal));
                cr_assert(given_is(span_of(out.payload, out.length), good[i].payload), "%s", good[i].bytes);
                cr_assert_eq(out.rest, 3, "%s: what follows is not touched", good[i].bytes);
            }
    }
}

struct broken {
    struct span  bytes;
    enum refusal refusal;
};

#define BROKEN(why, text)                                                                                    \
    {                                                                                                        \
        { text, sizeof(text) - 1 }, REFUSAL_##why                                                            \
    }

static const struct broken bad[] = {
    /* size */
    BROKEN(BAD_CHUNK, "\r"),
    BROKEN(BAD_CHUNK, "\n"),
    BROKEN(BAD_CHUNK, " "),
    BROKEN(BAD_CHUNK, "-"),
    BROKEN(BAD_CHUNK, "+"),
    BROKEN(BAD_CHUNK, ";"),
    BROKEN(BAD_CHUNK, "g"),
    BROKEN(BAD_CHUNK, "0x"),
    BROKEN(BAD_CHUNK, "1h"),
    BROKEN(BAD_CHUNK, "1_"),
    BROKEN(BAD_CHUNK, "1\0"),
    BROKEN(BAD_CHUNK, "1,"),
    BROKEN(BAD_CHUNK, "5\n"),
    BROKEN(BAD_CHUNK, "5\rx"),
    BROKEN(BAD_CHUNK, "5\r\r"),
    BROKEN(BAD_CHUNK, "5 \r"), /* white space that no extension follows */
    BROKEN(BAD_CHUNK, "5 5"),
    BROKEN(BAD_CHUNK, "0000000000000000"),
    BROKEN(BAD_CHUNK, "ffffffffffffffff"),
    BROKEN(BAD_CHUNK, "1000000000000000"),
    /* extensions */
    BROKEN(BAD_CHUNK, "5;\r"),
    BROKEN(BAD_CHUNK, "5;\n"),
    BROKEN(BAD_CHUNK, "5;;"),
    BROKEN(BAD_CHUNK, "5;="),
    BROKEN(BAD_CHUNK, "5; \r"),
    BROKEN(BAD_CHUNK, "5;a\n"),
    BROKEN(BAD_CHUNK, "5;a\0"),
    BROKEN(BAD_CHUNK, "5;a \r"),
    BROKEN(BAD_CHUNK, "5;a b"),
    BROKEN(BAD_CHUNK, "5;a=\r"),
    BROKEN(BAD_CHUNK, "5;a=;"),
    BROKEN(BAD_CHUNK, "5;a= \n"),
    BROKEN(BAD_CHUNK, "5;a=b\n"),
    BROKEN(BAD_CHUNK, "5;a=b="),
    BROKEN(BAD_CHUNK, "5;a=b \r"),
    BROKEN(BAD_CHUNK, "5;a=\"\r"),
    BROKEN(BAD_CHUNK, "5;a=\"\n"),
    BROKEN(BAD_CHUNK, "5;a=\"\\\r"),
    BROKEN(BAD_CHUNK, "5;a=\"\\\n"),
    BROKEN(BAD_CHUNK, "5;a=\"\0"),
    BROKEN(BAD_CHUNK, "5;a=\"\x7f"),
    BROKEN(BAD_CHUNK, "5;a=\"b\"c"),
    BROKEN(BAD_CHUNK, "5;a=\"b\"\n"),
    BROKEN(BAD_CHUNK, "5;a\rb"),
    /* the end of the data */
    BROKEN(BAD_CHUNK, "1\r\nxy"),
    BROKEN(BAD_CHUNK, "1\r\nx\n"),
    BROKEN(BAD_CHUNK, "1\r\nx0"),
    BROKEN(BAD_CHUNK, "1\r\nx\r0"),
    BROKEN(BAD_CHUNK, "1\r\nx\r\n\r"),
    BROKEN(BAD_CHUNK, "1\r\nx\r\n\n"),
    /* trailers */
    BROKEN(BAD_TRAILER, "0\r\n\n"),
    BROKEN(BAD_TRAILER, "0\r\n\rG"),
    BROKEN(BAD_TRAILER, "0\r\n "),
    BROKEN(BAD_TRAILER, "0\r\n:"),
    BROKEN(BAD_TRAILER, "0\r\nA "),
    BROKEN(BAD_TRAILER, "0\r\nA\r"),
    BROKEN(BAD_TRAILER, "0\r\nA\n"),
    BROKEN(BAD_TRAILER, "0\r\nGET "),
    BROKEN(BAD_TRAILER, "0\r\nA: b\n"),
    BROKEN(BAD_TRAILER, "0\r\nA: b\0"),
    BROKEN(BAD_TRAILER, "0\r\nA: b\x7f"),
    BROKEN(BAD_TRAILER, "0\r\nA: b\rc"),
    BROKEN(BAD_TRAILER, "0\r\nA: b\r\n "),
    BROKEN(BAD_TRAILER, "0\r\nA: b\r\n\t"),
    BROKEN(BAD_TRAILER, "0\r\nA: b\r\n\rc"),
};

Test(http_chunked, broken_bodies_are_refused_at_the_first_wrong_byte)
{
    struct decoded out;
    char           longer[64];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct span bytes = bad[i].bytes;
        memcpy(longer, bytes.at, bytes.len);
        memcpy(longer + bytes.len, "\r\n0\r\n\r\n", 7);
        for (size_t first = 1; first <= bytes.len + 7; first++) {
            decode(span_of(longer, bytes.len + 7), first, 1, &out);
            cr_assert_eq(out.err, ERR_SYNTAX, "'%.*s'", SPAN_ARG(bytes));
            cr_assert_eq(out.refusal, bad[i].refusal, "'%.*s': %s", SPAN_ARG(bytes),
                         refusal_name(out.refusal));
        }
        decode(bytes, bytes.len, 1, &out);
        cr_assert_eq(out.err, ERR_SYNTAX, "'%.*s'", SPAN_ARG(bytes));
        if (bytes.len > 1) {
            decode(span_head(bytes, bytes.len - 1), bytes.len, 1, &out);
            cr_assert_eq(out.err, ERR_AGAIN, "'%.*s' without its last byte", SPAN_ARG(bytes));
        }
    }
}

Test(http_chunked, the_greatest_size_is_fifteen_digits)
{
    struct chunk_decoder decoder;
    struct span          in = SPAN("fffffffffffffff\r\nabc"), payload;

    chunk_decode_init(&decoder, &chunk_limits_initial);
    cr_assert_eq(chunk_decode(&decoder, &in, &payload), ERR_NONE);
    cr_assert(given_is(payload, "abc"));
    cr_assert_eq(decoder.left, (UINT64_C(1) << 60) - 1 - 3);
    cr_assert_eq(chunk_decode(&decoder, &in, &payload), ERR_AGAIN);
}

/* `count` times `text` after `head`: how many bytes until it is refused? */
static size_t
refused_after(const char *head, char byte, size_t count, enum refusal refusal)
{
    static char    bytes[65536];
    struct decoded out;
    size_t         length = strlen(head);

    cr_assert(length + count <= sizeof bytes);
    memcpy(bytes, head, length);
    memset(bytes + length, byte, count);
    for (size_t size = length; size <= length + count; size++) {
        struct chunk_decoder decoder;
        struct span          in = span_of(bytes, size);
        chunk_decode_init(&decoder, &chunk_limits_initial);
        out.length = 0;
        if (feed(&decoder, &in, &out) == ERR_SYNTAX) {
            cr_assert_eq(decoder.refusal, refusal);
            return size;
        }
    }
    return 0;
}

Test(http_chunked, lines_and_trailers_are_bounded)
{
    cr_assert_eq(refused_after("5;a=", 'b', 2000, REFUSAL_CHUNK_TOO_LONG), CHUNK_LINE_MAX + 1);
    cr_assert_eq(refused_after("5;a=\"", 'b', 2000, REFUSAL_CHUNK_TOO_LONG), CHUNK_LINE_MAX + 1);
    cr_assert_eq(refused_after("5", ' ', 2000, REFUSAL_CHUNK_TOO_LONG), CHUNK_LINE_MAX + 1);
    cr_assert_eq(refused_after("0\r\nA: ", 'b', 9000, REFUSAL_TRAILER_TOO_LONG),
                 strlen("0\r\n") + chunk_limits_initial.trailer + 1);
    cr_assert_eq(refused_after("0\r\n", 'b', 9000, REFUSAL_TRAILER_TOO_LONG),
                 strlen("0\r\n") + chunk_limits_initial.trailer + 1);
}

Test(http_chunked, every_line_has_the_whole_bound_for_itself)
{
    struct chunk_decoder decoder;
    struct span          payload;
    char                 chunk[CHUNK_LINE_MAX + 16];
    int                  length = snprintf(chunk, sizeof chunk, "1;a=%0*d\r\nx\r\n", CHUNK_LINE_MAX - 6, 0);

    chunk_decode_init(&decoder, &chunk_limits_initial);
    for (int i = 0; i < 3; i++) {
        struct span in = span_of(chunk, (size_t)length);
        cr_assert_eq(chunk_decode(&decoder, &in, &payload), ERR_NONE);
        cr_assert_eq(in.len, 2);
        cr_assert_eq(chunk_decode(&decoder, &in, &payload), ERR_AGAIN);
    }
}

Test(http_chunked, extensions_of_a_whole_body_are_bounded)
{
    struct chunk_decoder decoder;
    char                 chunk[600];
    size_t               chunks = 0;
    struct span          in, payload;
    enum err             err = ERR_AGAIN;

    int length = snprintf(chunk, sizeof chunk, "1;a=%0500d\r\nx\r\n", 0);
    chunk_decode_init(&decoder, &chunk_limits_initial);
    while (err == ERR_AGAIN && chunks < 1000) {
        in = span_of(chunk, (size_t)length);
        while ((err = chunk_decode(&decoder, &in, &payload)) == ERR_NONE)
            ;
        chunks++;
    }
    cr_assert_eq(err, ERR_SYNTAX);
    cr_assert_eq(decoder.refusal, REFUSAL_EXTENSIONS_TOO_LONG);
    cr_assert_eq(chunks, 16384 / 503 + 1);
}

Test(http_chunked, trailer_fields_are_counted)
{
    struct chunk_decoder decoder;
    struct span          in = SPAN("0\r\n"), payload;

    chunk_decode_init(&decoder, &chunk_limits_initial);
    cr_assert_eq(chunk_decode(&decoder, &in, &payload), ERR_AGAIN);
    for (int i = 0; i < 128; i++) {
        in = SPAN("A:\r\n");
        cr_assert_eq(chunk_decode(&decoder, &in, &payload), ERR_AGAIN);
    }
    in = SPAN("A");
    cr_assert_eq(chunk_decode(&decoder, &in, &payload), ERR_SYNTAX);
    cr_assert_eq(decoder.refusal, REFUSAL_TRAILER_TOO_LONG);
}

/* What becomes of `text` under limits of its own, in one piece and byte by byte. */
static enum refusal
refusal_under(struct chunk_limits limits, const char *text)
{
    enum refusal refusals[2];

    for (int cut = 0; cut < 2; cut++) {
        struct chunk_decoder decoder;
        struct span          rest = span_of_text(text), payload;
        enum err             err = ERR_AGAIN;

        chunk_decode_init(&decoder, &limits);
        while (rest.len > 0 && (err == ERR_AGAIN || err == ERR_NONE)) {
            struct span in = cut ? span_head(rest, 1) : rest;
            size_t      given = in.len;
            err = chunk_decode(&decoder, &in, &payload);
            rest = span_skip(rest, given - in.len);
        }
        cr_assert_eq(err, decoder.refusal == REFUSAL_NONE ? ERR_CLOSED : ERR_SYNTAX, "%s", text);
        refusals[cut] = decoder.refusal;
    }
    cr_assert_eq(refusals[0], refusals[1], "%s", text);
    return refusals[0];
}

Test(http_chunked, limits_are_what_is_said)
{
    const struct chunk_limits none = { .extensions = 0, .trailer = 2 };
    const struct chunk_limits some = { .extensions = 4, .trailer = 8 };
    const struct chunk_limits most = { .extensions = UINT32_MAX - 1, .trailer = UINT32_MAX - 1 };

    cr_expect_eq(refusal_under(none, "1\r\nx\r\n0\r\n\r\n"), REFUSAL_NONE);
    cr_expect_eq(refusal_under(none, "1;a\r\nx\r\n0\r\n\r\n"), REFUSAL_EXTENSIONS_TOO_LONG);
    cr_expect_eq(refusal_under(none, "0\r\nA:\r\n\r\n"), REFUSAL_TRAILER_TOO_LONG);
    cr_expect_eq(refusal_under(some, "1;a\r\nx\r\n0;b\r\n\r\n"), REFUSAL_NONE);
    cr_expect_eq(refusal_under(some, "1;a\r\nx\r\n0;bc\r\n\r\n"), REFUSAL_EXTENSIONS_TOO_LONG);
    cr_expect_eq(refusal_under(some, "0\r\nA: b\r\n\r\n"), REFUSAL_NONE);
    cr_expect_eq(refusal_under(some, "0\r\nA: bc\r\n\r\n"), REFUSAL_TRAILER_TOO_LONG);
    cr_expect_eq(refusal_under(most, "1;a=b\r\nx\r\n0\r\nA: bc\r\n\r\n"), REFUSAL_NONE);
}

/* Trailers follow the rules of header fields: the parser of heads agrees on random ones. */
Test(http_chunked, trailers_are_what_the_parser_of_fields_takes)
{
    static const char         alphabet[] = "A:\r\n b\t,\x7f\xc3(";
    static const char *const  lines[] = { "A: b\r\n", "\r\n", "C:\r\n" };
    const struct parse_limits limits = { chunk_limits_initial.trailer, 0 };
    uint32_t                  random = 99;
    char                      bytes[64];

    for (int round = 0; round < 200000; round++) {
        size_t length = 0;
        for (unsigned parts = given_random(&random) % 6; parts > 0; parts--) {
            const char *line = lines[given_random(&random) % 3];
            memcpy(bytes + length, line, strlen(line));
            length += strlen(line);
        }
        if (length > 0 && given_random(&random) % 2 == 0)
            bytes[given_random(&random) % length] = alphabet[given_random(&random) % (sizeof alphabet - 1)];

        struct given         given;
        struct chunk_decoder decoder;
        enum refusal         refusal;
        size_t               size = 0;
        struct span          in = SPAN("0\r\n"), payload;
        chunk_decode_init(&decoder, &chunk_limits_initial);
        cr_assert_eq(chunk_decode(&decoder, &in, &payload), ERR_AGAIN);
        in = span_of(bytes, length);
        enum err err = chunk_decode(&decoder, &in, &payload);
        head_init(&given.head, given.fields, 128);
        enum err other = parse_fields(&given.head, span_of(bytes, length), &limits, &size, &refusal);
        cr_assert_eq(err, other == ERR_NONE ? ERR_CLOSED : other, "'%.*s'", (int)length, bytes);
        if (other == ERR_NONE)
            cr_assert_eq(in.len, length - size);
    }
}

Test(http_chunked, heads_of_chunks_are_written)
{
    char out[CHUNK_HEAD_SIZE];

    cr_assert(given_is(chunk_head(1, out), "1\r\n"));
    cr_assert(given_is(chunk_head(0xa5, out), "a5\r\n"));
    cr_assert(given_is(chunk_head(65536, out), "10000\r\n"));
    cr_assert(given_is(chunk_head(UINT64_MAX, out), "ffffffffffffffff\r\n"));
    cr_assert(given_is(CHUNK_TAIL, "\r\n"));
    cr_assert(given_is(CHUNK_LAST, "0\r\n\r\n"));
}
