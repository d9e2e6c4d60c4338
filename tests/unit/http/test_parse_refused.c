/* test_parse_refused.c: what the parser refuses, why, and at which byte; and that cuts change nothing.
 *
 * Each text of the tables ends with the byte that decides. So four things are known of each: the text is
 * refused for its reason; without its last byte nothing is wrong yet; whatever follows does not change the
 * reason; and a prefix of any length says "not yet" or gives the same reason.
 */
#include <criterion/criterion.h>
#include <larder/http/parse.h>

#include "given.h"

typedef enum err parse_head(struct head *head, struct span bytes, const struct parse_limits *limits,
                            size_t *size, enum refusal *refusal);

struct refused {
    struct span  bytes;
    enum refusal refusal;
};

#define REFUSED(why, text)                                                                                   \
    {                                                                                                        \
        { text, sizeof(text) - 1 }, REFUSAL_##why                                                            \
    }
#define LINE "GET / HTTP/1.1\r\n"
#define STATUS "HTTP/1.1 200 OK\r\n"

static const struct refused requests[] = {
    /* before the request line: one empty line, ended by CR LF */
    REFUSED(BAD_LINE_END, "\n"),
    REFUSED(BAD_LINE_END, "\rG"),
    REFUSED(BAD_REQUEST_LINE, "\r\n\r"),
    REFUSED(BAD_LINE_END, "\r\n\n"),
    /* method: a token, then exactly one SP */
    REFUSED(BAD_METHOD, " "),
    REFUSED(BAD_METHOD, "\x16"), /* TLS to the wrong port */
    REFUSED(BAD_METHOD, "\0"),
    REFUSED(BAD_METHOD, "G\0"),
    REFUSED(BAD_METHOD, "GET\t"),
    REFUSED(BAD_METHOD, "GET/"),
    REFUSED(BAD_METHOD, "G:"),
    REFUSED(BAD_METHOD, "G\xc3"),
    REFUSED(BAD_REQUEST_LINE, "GET\r"),
    REFUSED(BAD_LINE_END, "GET\n"),
    /* target: visible ASCII without '#', then exactly one SP */
    REFUSED(BAD_REQUEST_LINE, "GET  "),
    REFUSED(BAD_REQUEST_LINE, "GET \r"),
    REFUSED(BAD_REQUEST_LINE, "GET /\r"), /* HTTP/0.9 */
    REFUSED(BAD_LINE_END, "GET /\n"),
    REFUSED(BAD_TARGET, "GET #"),
    REFUSED(BAD_TARGET, "GET /a#"),
    REFUSED(BAD_TARGET, "GET /\0"),
    REFUSED(BAD_TARGET, "GET /\t"),
    REFUSED(BAD_TARGET, "GET /\x7f"),
    REFUSED(BAD_TARGET, "GET /\xc3"),
    REFUSED(BAD_TARGET, "GET /\x0b"),
    /* version: literally HTTP/1.0 or HTTP/1.1 */
    REFUSED(BAD_REQUEST_LINE, "GET / h"),
    REFUSED(BAD_REQUEST_LINE, "GET /  "),
    REFUSED(BAD_REQUEST_LINE, "GET / b"),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTP "),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTPS"),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTP/x"),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTP/1,"),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTP/1\r"),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTP/1.\r"),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTP/01"),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTP/1. "),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTP/\0"),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTP/1.1 "),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTP/1.1\t"),
    REFUSED(BAD_REQUEST_LINE, "GET / HTTP/1.10"),
    REFUSED(BAD_VERSION, "GET / HTTP/1.2"),
    REFUSED(BAD_VERSION, "GET / HTTP/0.9"),
    REFUSED(BAD_VERSION, "GET / HTTP/2.0"),
    REFUSED(BAD_VERSION, "PRI * HTTP/2.0"),
    REFUSED(BAD_LINE_END, "GET / HTTP/1.1\n"),
    REFUSED(BAD_LINE_END, "GET / HTTP/1.1\r\r"),
    REFUSED(BAD_LINE_END, "GET / \n"),
    /* between the lines */
    REFUSED(BAD_FIELD_NAME, LINE " "), /* RFC 9112 2.2: white space after the start line */
    REFUSED(BAD_FIELD_NAME, LINE "\t"),
    REFUSED(BAD_LINE_END, LINE "\n"),
    REFUSED(BAD_LINE_END, LINE "\rA"),
    REFUSED(BAD_LINE_END, LINE "\r\r"),
    REFUSED(OBS_FOLD, LINE "A: b\r\n "),
    REFUSED(OBS_FOLD, LINE "A: b\r\n\t"),
    REFUSED(BAD_LINE_END, LINE "A: b\r\n\n"),
    REFUSED(BAD_LINE_END, LINE "A: b\r\n\rB"),
    /* names: a token, then the colon at once */
    REFUSED(BAD_FIELD_NAME, LINE ":"),
    REFUSED(BAD_FIELD_NAME, LINE "A "),
    REFUSED(BAD_FIELD_NAME, LINE "A\t"),
    REFUSED(BAD_FIELD_NAME, LINE "A\r"),
    REFUSED(BAD_LINE_END, LINE "A\n"),
    REFUSED(BAD_FIELD_NAME, LINE "A\0"),
    REFUSED(BAD_FIELD_NAME, LINE "A\x0b"),
    REFUSED(BAD_FIELD_NAME, LINE "A\x7f"),
    REFUSED(BAD_FIELD_NAME, LINE "A\xa0"),
    REFUSED(BAD_FIELD_NAME, LINE "\xef"),
    REFUSED(BAD_FIELD_NAME, LINE "A("),
    REFUSED(BAD_FIELD_NAME, LINE "A/"),
    REFUSED(BAD_FIELD_NAME, LINE "A="),
    REFUSED(BAD_FIELD_NAME, LINE "A\""),
    REFUSED(BAD_FIELD_NAME, LINE "A@"),
    REFUSED(BAD_FIELD_NAME, LINE "A["),
    REFUSED(BAD_FIELD_NAME, LINE "A{"),
    REFUSED(BAD_FIELD_NAME, LINE "Host: h\r\nContent-Length "),
    /* values: HTAB, SP, visible and obs-text, then CR LF */
    REFUSED(BAD_FIELD_VALUE, LINE "A:\0"),
    REFUSED(BAD_FIELD_VALUE, LINE "A: b\0"),
    REFUSED(BAD_FIELD_VALUE, LINE "A: b\x01"),
    REFUSED(BAD_FIELD_VALUE, LINE "A: b\x08"),
    REFUSED(BAD_FIELD_VALUE, LINE "A: b\x0b"),
    REFUSED(BAD_FIELD_VALUE, LINE "A: b\x0c"),
    REFUSED(BAD_FIELD_VALUE, LINE "A: b\x1f"),
    REFUSED(BAD_FIELD_VALUE, LINE "A: b\x7f"),
    REFUSED(BAD_LINE_END, LINE "A: b\n"),
    REFUSED(BAD_LINE_END, LINE "A:\n"),
    REFUSED(BAD_LINE_END, LINE "A: b\rc"),
    REFUSED(BAD_LINE_END, LINE "A: b\r\r"),
    REFUSED(BAD_LINE_END, LINE "A: b\r "),
    REFUSED(BAD_LINE_END, LINE "A: b\r\0"),
};

static const struct refused responses[] = {
    REFUSED(BAD_STATUS_LINE, " "),
    REFUSED(BAD_STATUS_LINE, "\r"), /* no empty line before a response */
    REFUSED(BAD_LINE_END, "\n"),
    REFUSED(BAD_STATUS_LINE, "h"),
    REFUSED(BAD_STATUS_LINE, "HTTP "),
    REFUSED(BAD_STATUS_LINE, "HTTP/1 "),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.x"),
    REFUSED(BAD_STATUS_LINE, "I"), /* ICY 200 OK */
    REFUSED(BAD_VERSION, "HTTP/1.2"),
    REFUSED(BAD_VERSION, "HTTP/2.0"),
    REFUSED(BAD_VERSION, "HTTP/0.9"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1\t"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1\r"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1  "),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 0"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 -"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 +"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 2x"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 20 "),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 20\r"),
    REFUSED(BAD_LINE_END, "HTTP/1.1 20\n"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 2000"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 200O"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 200\t"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 200\0"),
    REFUSED(BAD_LINE_END, "HTTP/1.1 200\n"),
    REFUSED(BAD_LINE_END, "HTTP/1.1 200\rO"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 200 O\0"),
    REFUSED(BAD_STATUS_LINE, "HTTP/1.1 200 O\x7f"),
    REFUSED(BAD_LINE_END, "HTTP/1.1 200 OK\n"),
    REFUSED(BAD_LINE_END, "HTTP/1.1 200 OK\rX"),
    REFUSED(BAD_FIELD_NAME, STATUS " "),
    REFUSED(BAD_FIELD_NAME, STATUS "A "),
    REFUSED(BAD_FIELD_NAME, STATUS "A\r"),
    REFUSED(BAD_FIELD_NAME, STATUS ":"),
    REFUSED(OBS_FOLD, STATUS "A: b\r\n\t"),
    REFUSED(BAD_FIELD_VALUE, STATUS "A: b\0"),
    REFUSED(BAD_LINE_END, STATUS "A: b\n"),
    REFUSED(BAD_LINE_END, STATUS "A: b\rC"),
    REFUSED(BAD_LINE_END, STATUS "\n"),
};

/* A head and its verdict, in memory of its exact size, so that a sanitizer sees every byte too many. */
struct verdict {
    struct given given;
    enum err     err;
    enum refusal refusal;
    size_t       size;
};

static void
judge(struct verdict *verdict, parse_head *parse, struct span bytes)
{
    char *copy = malloc(bytes.len + 1);

    cr_assert_not_null(copy);
    memcpy(copy + 1, bytes.at, bytes.len);
    verdict->refusal = REFUSAL_NONE;
    verdict->size = 0;
    head_init(&verdict->given.head, verdict->given.fields, 128);
    verdict->err = parse(&verdict->given.head, span_of(copy + 1, bytes.len), GIVEN_LIMITS, &verdict->size,
                         &verdict->refusal);
    head_rebase(&verdict->given.head, copy + 1, bytes.at); /* the copy goes */
    free(copy);
}

static void
expect(parse_head *parse, struct span bytes, enum err err, enum refusal refusal)
{
    struct verdict verdict;

    judge(&verdict, parse, bytes);
    cr_assert_eq(verdict.err, err, "%s, not %s, for '%.*s'", err_name(verdict.err), err_name(err),
                 SPAN_ARG(bytes));
    if (err == ERR_SYNTAX)
        cr_assert_eq(verdict.refusal, refusal, "%s, not %s, for '%.*s'", refusal_name(verdict.refusal),
                     refusal_name(refusal), SPAN_ARG(bytes));
}

/* The four things that the head of this file promises. */
static void
check_refused(parse_head *parse, const struct refused *row)
{
    static const char *const tails[] = { "\r\n\r\n", "\n", " x", "A: b\r\n\r\n", "\xff\xff" };
    char                     longer[256];

    expect(parse, row->bytes, ERR_SYNTAX, row->refusal);
    for (size_t length = 0; length < row->bytes.len; length++)
        expect(parse, span_head(row->bytes, length), ERR_AGAIN, REFUSAL_NONE);
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        memcpy(longer, row->bytes.at, row->bytes.len);
        memcpy(longer + row->bytes.len, tails[i], strlen(tails[i]));
        expect(parse, span_of(longer, row->bytes.len + strlen(tails[i])), ERR_SYNTAX, row->refusal);
    }
}

Test(http_parse_refused, requests_at_the_first_wrong_byte)
{
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        check_refused(parse_request, &requests[i]);
}

Test(http_parse_refused, responses_at_the_first_wrong_byte)
{
    for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++)
        check_refused(parse_response, &responses[i]);
}

Test(http_parse_refused, every_byte_in_a_name_and_in_a_value)
{
    char  name[] = LINE "Na_me: value\r\n\r\n", value[] = LINE "Name: va_lue\r\n\r\n";
    char *in_name = strchr(name, '_'), *in_value = strchr(value, '_');

    for (int byte = 0; byte < 256; byte++) {
        bool visible = byte > 0x20 && byte < 0x7f;
        *in_name = *in_value = (char)byte;
        bool is_name = byte == ':' || (visible && strchr("\"(),/;<=>?@[\\]{}", byte) == NULL);
        expect(parse_request, span_of(name, sizeof name - 1), is_name ? ERR_NONE : ERR_SYNTAX,
               byte == '\n' ? REFUSAL_BAD_LINE_END : REFUSAL_BAD_FIELD_NAME);
        bool is_value = visible || byte >= 0x80 || byte == ' ' || byte == '\t';
        expect(parse_request, span_of(value, sizeof value - 1), is_value ? ERR_NONE : ERR_SYNTAX,
               byte == '\n' || byte == '\r' ? REFUSAL_BAD_LINE_END : REFUSAL_BAD_FIELD_VALUE);
    }
}

/* ── whole heads, cut at every byte ── */

static bool
same_heads(const struct head *a, const struct head *b)
{
    if (a->count != b->count || a->minor != b->minor || a->method != b->method || a->status != b->status
        || !span_equal(a->target, b->target) || !span_equal(a->reason, b->reason))
        return false;
    for (uint16_t i = 0; i < a->count; i++)
        if (!span_equal(a->fields[i].name, b->fields[i].name)
            || !span_equal(a->fields[i].value, b->fields[i].value) || a->fields[i].id != b->fields[i].id
            || a->fields[i].next != b->fields[i].next)
            return false;
    return true;
}

/* `size` bytes of `bytes` are the head, the rest belongs to whatever follows. */
static void
check_splits(parse_head *parse, struct span bytes, size_t size)
{
    struct verdict whole, part;

    judge(&whole, parse, bytes);
    cr_assert_eq(whole.err, ERR_NONE);
    cr_assert_eq(whole.size, size);
    for (size_t length = 0; length <= bytes.len; length++) {
        judge(&part, parse, span_head(bytes, length));
        cr_assert_eq(part.err, length < size ? ERR_AGAIN : ERR_NONE, "%zu bytes of %zu", length, size);
        if (length >= size)
            cr_assert(part.size == size && same_heads(&whole.given.head, &part.given.head));
    }
}

Test(http_parse_refused, requests_come_in_any_pieces)
{
    static const char *const heads[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "\r\nGET / HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /a?b=c&d=[e] HTTP/1.1\r\nHost: h\r\nVia: a\r\nX-A:\t b \t\r\nvia: b\r\nX-Empty: \r\n\r\n",
        "POST http://h:80/ HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\n",
    };
    char bytes[512];

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        int length = snprintf(bytes, sizeof bytes, "%s\n\n not a head", heads[i]);
        check_splits(parse_request, span_of(bytes, (size_t)length), strlen(heads[i]));
    }
}

Test(http_parse_refused, responses_come_in_any_pieces)
{
    static const char *const heads[] = {
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.0 304 \r\nETag: \"a\"\r\n\r\n",
        "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nServer: x\r\nSet-Cookie: b\r\nCache-Control: max-age=1\r\n\r\n",
    };
    char bytes[512];

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        int length = snprintf(bytes, sizeof bytes, "%s\n\n not a head", heads[i]);
        check_splits(parse_response, span_of(bytes, (size_t)length), strlen(heads[i]));
    }
}
