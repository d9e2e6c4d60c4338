/* fuzz_chunked.c: any bytes as a chunked body.
 *
 * Holds: any cut gives the same payload and verdict; a second decoder, written by descent over a whole buffer
 * and with parse_fields for the trailers, agrees about which bodies are complete and what is in them; what
 * comes out can be encoded and decoded again.
 */
#include "fuzz.h"

#include <larder/http/chunked.h>

struct result {
    char        *payload; /* room for the whole input */
    size_t       length;
    size_t       taken;
    enum err     err;
    enum refusal refusal;
};

/* Decodes in pieces: the first of `first` bytes, then of `then`. */
static void
decode(struct span bytes, size_t first, size_t then, struct result *result)
{
    struct chunk_decoder decoder;
    size_t               size = first;

    result->length = result->taken = 0;
    result->err = ERR_AGAIN;
    chunk_decode_init(&decoder, &chunk_limits_initial);
    while (result->err == ERR_AGAIN && result->taken < bytes.len) {
        struct span piece = span_head(span_skip(bytes, result->taken), size), in = piece, payload;
        while ((result->err = chunk_decode(&decoder, &in, &payload)) == ERR_NONE) {
            CHECK(payload.len > 0 && fuzz_is_inside(payload, piece));
            memcpy(result->payload + result->length, payload.at, payload.len);
            result->length += payload.len;
        }
        CHECK(result->err != ERR_AGAIN || in.len == 0);
        result->taken += piece.len - in.len;
        size = then;
    }
    result->refusal = decoder.refusal;
    CHECK((result->err == ERR_SYNTAX) == (result->refusal != REFUSAL_NONE));
}

static void
check_same(const struct result *a, const struct result *b)
{
    CHECK(a->err == b->err && a->refusal == b->refusal);
    CHECK(span_equal(span_of(a->payload, a->length), span_of(b->payload, b->length)));
    CHECK(a->err != ERR_CLOSED || a->taken == b->taken);
}

/* ── the second decoder: chunk = size [ext] CRLF data CRLF, by descent ── */

static bool
take_byte(struct span *in, char byte)
{
    if (in->len == 0 || in->at[0] != byte)
        return false;
    *in = span_skip(*in, 1);
    return true;
}

static bool
take_token(struct span *in)
{
    size_t length = scan_best()->token(*in);
    *in = span_skip(*in, length);
    return length > 0;
}

static bool
take_white(struct span *in)
{
    bool any = false;
    while (take_byte(in, ' ') || take_byte(in, '\t'))
        any = true;
    return any;
}

static bool
take_quoted(struct span *in)
{
    while (in->len > 0 && in->at[0] != '"') {
        if (take_byte(in, '\\') && in->len == 0)
            return false;
        if (scan_best()->value(span_head(*in, 1)) != 1)
            return false;
        *in = span_skip(*in, 1);
    }
    return take_byte(in, '"');
}

/* *( BWS ";" BWS name [ BWS "=" BWS value ] ), to the end of the line. */
static bool
is_extensions(struct span in)
{
    while (in.len > 0) {
        take_white(&in);
        if (!take_byte(&in, ';'))
            return false;
        take_white(&in);
        if (!take_token(&in))
            return false;
        struct span after = in;
        take_white(&after);
        if (!take_byte(&after, '='))
            continue;
        in = after;
        take_white(&in);
        if (!(take_byte(&in, '"') ? take_quoted(&in) : take_token(&in)))
            return false;
    }
    return true;
}

/* Takes a line without its CR LF. */
static bool
take_line(struct span *in, struct span *line)
{
    const char *end = in->len == 0 ? NULL : memmem(in->at, in->len, "\r\n", 2);

    if (end == NULL)
        return false;
    *line = span_head(*in, (size_t)(end - in->at));
    *in = span_skip(*in, line->len + 2);
    return true;
}

static bool
take_size(struct span *in, uint64_t *size)
{
    struct span line;
    size_t      digits = 0;

    if (!take_line(in, &line) || line.len + 2 > CHUNK_LINE_MAX)
        return false;
    *size = 0;
    for (; digits < line.len && strchr("0123456789abcdefABCDEF", line.at[digits]) != NULL
           && line.at[digits] != 0;
         digits++) {
        char digit[2] = { line.at[digits], 0 };
        *size = *size * 16 + strtoull(digit, NULL, 16);
    }
    return digits >= 1 && digits <= 15 && is_extensions(span_skip(line, digits));
}

/* Whether a whole body stands at the front of `in`; what follows stays in *in. */
static bool
decode_whole(struct span *in, struct result *result)
{
    struct field              fields[200];
    struct head               head;
    enum refusal              refusal;
    uint64_t                  size;
    size_t                    trailer;
    const struct parse_limits limits = { chunk_limits_initial.trailer, 0 };

    result->length = 0;
    while (take_size(in, &size)) {
        if (size == 0) {
            head_init(&head, fields, 128);
            if (parse_fields(&head, *in, &limits, &trailer, &refusal) != ERR_NONE)
                return false;
            *in = span_skip(*in, trailer);
            return true;
        }
        if (size > in->len)
            return false;
        memcpy(result->payload + result->length, in->at, (size_t)size);
        result->length += (size_t)size;
        *in = span_skip(*in, (size_t)size);
        if (!take_byte(in, '\r') || !take_byte(in, '\n'))
            return false;
    }
    return false;
}

static void
check_second_opinion(struct span bytes, const struct result *whole, struct result *other)
{
    struct span rest = bytes;

    if (bytes.len > 8192) /* the bound of all extensions is not the second decoder's business */
        return;
    bool complete = decode_whole(&rest, other);
    CHECK(complete == (whole->err == ERR_CLOSED));
    if (!complete)
        return;
    CHECK(whole->taken == bytes.len - rest.len);
    CHECK(span_equal(span_of(whole->payload, whole->length), span_of(other->payload, other->length)));
}

static void
check_encoded_again(const struct result *whole, struct result *other)
{
    char        head[CHUNK_HEAD_SIZE];
    char       *body = malloc(whole->length + 64);
    size_t      length = 0;
    struct span parts[] = { SPAN_EMPTY, span_of(whole->payload, whole->length), CHUNK_TAIL, CHUNK_LAST };

    CHECK(body != NULL);
    if (whole->length > 0)
        parts[0] = chunk_head(whole->length, head);
    for (size_t i = whole->length > 0 ? 0 : 3; i < 4; i++) {
        memcpy(body + length, parts[i].at, parts[i].len);
        length += parts[i].len;
    }
    decode(span_of(body, length), length, 1, other);
    CHECK(other->err == ERR_CLOSED && other->taken == length);
    CHECK(span_equal(span_of(whole->payload, whole->length), span_of(other->payload, other->length)));
    free(body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char         *copy = fuzz_copy(span_of(data, size));
    struct span   bytes = span_of(copy, size);
    struct result whole = { .payload = malloc(size + 1) }, part = { .payload = malloc(size + 1) };

    CHECK(whole.payload != NULL && part.payload != NULL);
    decode(bytes, size, size, &whole);
    decode(bytes, 1, 1, &part);
    check_same(&whole, &part);
    for (size_t first = 1; first < size; first += 1 + size / 64) {
        decode(bytes, first, size, &part);
        check_same(&whole, &part);
    }
    check_second_opinion(bytes, &whole, &part);
    if (whole.err == ERR_CLOSED)
        check_encoded_again(&whole, &part);
    free(whole.payload);
    free(part.payload);
    free(copy);
    return 0;
}
