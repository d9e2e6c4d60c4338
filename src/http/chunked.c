/* chunked.c: the chunked coding as a table of states, one byte at a time around the payload.
 *
 *      ┌──────────────────────────────────────────────────────────────────────────┐
 *      ▼                                                                          │
 *    SIZE ──"a5"──┬─ ";" ─▶ EXT_… ─┬─ CR ─▶ SIZE_LF ─ LF ─▶ DATA ─▶ DATA_CR ─▶ DATA_LF
 *                 └────────────────┘              │ size 0
 *                                                 ▼
 *                          DONE ◀─ LF ─ LAST_LF ◀─ CR ─ TRAILER_START ◀──▶ TRAILER_NAME, _VALUE, _LF
 *
 * Extensions follow their grammar to the letter (RFC 9112 §7.1.1), although they are dropped: a decoder that
 * skips to the next LF ends the line elsewhere than one that knows quoted strings. Trailer fields follow the
 * rules of header fields (parse.c) and are dropped as well, so that none can become a Content-Length or a
 * Host. What a peer can make grow is bounded: digits, one line, all extensions of a body, the trailer
 * section.
 */
#include <larder/http/chunked.h>

#include <larder/base/check.h>

#include "bytes.h"

enum { DIGITS_MAX = 15, TRAILER_FIELDS_MAX = 128 };

const struct chunk_limits chunk_limits_initial = { .extensions = 16 * 1024, .trailer = 8 * 1024 };

enum state {
    SIZE,
    EXT_AFTER_SIZE, /* white space that only a ";" may follow: after the size or a value */
    EXT_BEFORE_NAME,
    EXT_NAME,
    EXT_AFTER_NAME,
    EXT_BEFORE_VALUE,
    EXT_VALUE,
    EXT_QUOTED,
    EXT_ESCAPED,
    EXT_AFTER_QUOTED,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    DONE,
    REFUSED
};

/* The state after `byte`; REFUSED when it may not stand here. */
typedef enum state step(struct chunk_decoder *decoder, char byte);

static bool
is_white(char byte)
{
    return byte == ' ' || byte == '\t';
}

/* What may follow a size, a value or a quoted value. */
static enum state
end_item(char byte)
{
    return byte == '\r' ? SIZE_LF : byte == ';' ? EXT_BEFORE_NAME : is_white(byte) ? EXT_AFTER_SIZE : REFUSED;
}

static enum state
step_size(struct chunk_decoder *decoder, char byte)
{
    if (!byte_is(byte, BYTE_HEX))
        return decoder->digits == 0 ? REFUSED : end_item(byte);
    if (decoder->digits == DIGITS_MAX)
        return REFUSED;
    decoder->digits++;
    decoder->left = decoder->left << 4 | byte_hex(byte);
    return SIZE;
}

static enum state
step_after_size(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    return is_white(byte) ? EXT_AFTER_SIZE : byte == ';' ? EXT_BEFORE_NAME : REFUSED;
}

static enum state
step_before_name(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    return is_white(byte) ? EXT_BEFORE_NAME : byte_is(byte, BYTE_TOKEN) ? EXT_NAME : REFUSED;
}

static enum state
step_after_name(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    if (is_white(byte))
        return EXT_AFTER_NAME;
    return byte == '=' ? EXT_BEFORE_VALUE : byte == ';' ? EXT_BEFORE_NAME : REFUSED;
}

static enum state
step_name(struct chunk_decoder *decoder, char byte)
{
    if (byte_is(byte, BYTE_TOKEN))
        return EXT_NAME;
    return byte == '\r' ? SIZE_LF : step_after_name(decoder, byte);
}

static enum state
step_before_value(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    if (is_white(byte))
        return EXT_BEFORE_VALUE;
    return byte == '"' ? EXT_QUOTED : byte_is(byte, BYTE_TOKEN) ? EXT_VALUE : REFUSED;
}

static enum state
step_value(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    return byte_is(byte, BYTE_TOKEN) ? EXT_VALUE : end_item(byte);
}

/* RFC 9110 §5.6.4. No CR or LF in there, escaped or not. */
static enum state
step_quoted(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    if (byte == '"')
        return EXT_AFTER_QUOTED;
    return byte == '\\' ? EXT_ESCAPED : byte_is(byte, BYTE_VALUE) ? EXT_QUOTED : REFUSED;
}

static enum state
step_escaped(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    return byte_is(byte, BYTE_VALUE) ? EXT_QUOTED : REFUSED;
}

static enum state
step_after_quoted(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    return end_item(byte);
}

static enum state
step_size_lf(struct chunk_decoder *decoder, char byte)
{
    if (byte != '\n')
        return REFUSED;
    decoder->used = 0;
    decoder->digits = 0;
    return decoder->left == 0 ? TRAILER_START : DATA;
}

static enum state
step_data_cr(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    return byte == '\r' ? DATA_LF : REFUSED;
}

static enum state
step_data_lf(struct chunk_decoder *decoder, char byte)
{
    decoder->used = 0;
    return byte == '\n' ? SIZE : REFUSED;
}

static enum state
step_trailer_start(struct chunk_decoder *decoder, char byte)
{
    if (byte == '\r')
        return LAST_LF;
    if (!byte_is(byte, BYTE_TOKEN))
        return REFUSED;
    decoder->fields++;
    return TRAILER_NAME;
}

static enum state
step_trailer_name(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    return byte == ':' ? TRAILER_VALUE : byte_is(byte, BYTE_TOKEN) ? TRAILER_NAME : REFUSED;
}

static enum state
step_trailer_value(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    return byte == '\r' ? TRAILER_LF : byte_is(byte, BYTE_VALUE) ? TRAILER_VALUE : REFUSED;
}

static enum state
step_trailer_lf(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    return byte == '\n' ? TRAILER_START : REFUSED;
}

static enum state
step_last_lf(struct chunk_decoder *decoder, char byte)
{
    (void)decoder;
    return byte == '\n' ? DONE : REFUSED;
}

static step *const steps[DONE] = {
    [SIZE] = step_size,
    [EXT_AFTER_SIZE] = step_after_size,
    [EXT_BEFORE_NAME] = step_before_name,
    [EXT_NAME] = step_name,
    [EXT_AFTER_NAME] = step_after_name,
    [EXT_BEFORE_VALUE] = step_before_value,
    [EXT_VALUE] = step_value,
    [EXT_QUOTED] = step_quoted,
    [EXT_ESCAPED] = step_escaped,
    [EXT_AFTER_QUOTED] = step_after_quoted,
    [SIZE_LF] = step_size_lf,
    [DATA_CR] = step_data_cr,
    [DATA_LF] = step_data_lf,
    [TRAILER_START] = step_trailer_start,
    [TRAILER_NAME] = step_trailer_name,
    [TRAILER_VALUE] = step_trailer_value,
    [TRAILER_LF] = step_trailer_lf,
    [LAST_LF] = step_last_lf,
};

static bool
is_trailer(enum state state)
{
    return state >= TRAILER_START && state <= LAST_LF;
}

static bool
is_extension(enum state state)
{
    return state >= EXT_AFTER_SIZE && state <= EXT_AFTER_QUOTED;
}

static enum err
refuse(struct chunk_decoder *decoder, enum refusal refusal)
{
    decoder->state = REFUSED;
    decoder->refusal = refusal;
    return ERR_SYNTAX;
}

/* Bounds first, then the byte: so the verdict does not depend on how the bytes were cut. */
static enum err
take_byte(struct chunk_decoder *decoder, char byte)
{
    enum state state = (enum state)decoder->state;
    bool       trailer = is_trailer(state);

    if (++decoder->used > (trailer ? decoder->trailer : (uint32_t)CHUNK_LINE_MAX))
        return refuse(decoder, trailer ? REFUSAL_TRAILER_TOO_LONG : REFUSAL_CHUNK_TOO_LONG);
    enum state next = steps[state](decoder, byte);
    if (next == REFUSED)
        return refuse(decoder, trailer ? REFUSAL_BAD_TRAILER : REFUSAL_BAD_CHUNK);
    if (is_extension(next)) {
        if (decoder->extensions == 0)
            return refuse(decoder, REFUSAL_EXTENSIONS_TOO_LONG);
        decoder->extensions--;
    }
    if (decoder->fields > TRAILER_FIELDS_MAX)
        return refuse(decoder, REFUSAL_TRAILER_TOO_LONG);
    decoder->state = (uint8_t)next;
    return ERR_NONE;
}

static struct span
take_payload(struct chunk_decoder *decoder, struct span *in)
{
    struct span piece = span_head(*in, decoder->left < in->len ? (size_t)decoder->left : in->len);

    *in = span_skip(*in, piece.len);
    decoder->left -= piece.len;
    if (decoder->left == 0)
        decoder->state = DATA_CR;
    return piece;
}

void
chunk_decode_init(struct chunk_decoder *decoder, const struct chunk_limits *limits)
{
    CHECK(limits->extensions < UINT32_MAX && limits->trailer < UINT32_MAX);
    *decoder = (struct chunk_decoder){ .state = SIZE,
                                       .extensions = limits->extensions,
                                       .trailer = limits->trailer };
}

enum err
chunk_decode(struct chunk_decoder *decoder, struct span *in, struct span *payload)
{
    *payload = SPAN_EMPTY;
    while (in->len > 0 && decoder->state < DONE) {
        if (decoder->state == DATA) {
            *payload = take_payload(decoder, in);
            return ERR_NONE;
        }
        enum err err = take_byte(decoder, in->at[0]);
        if (err != ERR_NONE)
            return err;
        *in = span_skip(*in, 1);
    }
    return decoder->state == DONE ? ERR_CLOSED : decoder->state == REFUSED ? ERR_SYNTAX : ERR_AGAIN;
}

struct span
chunk_head(uint64_t size, char out[static CHUNK_HEAD_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    char             *at = out + CHUNK_HEAD_SIZE;

    CHECK(size > 0); /* "0" would end the body */
    *--at = '\n';
    *--at = '\r';
    for (; size > 0; size >>= 4)
        *--at = hex[size & 15];
    return span_of(at, (size_t)(out + CHUNK_HEAD_SIZE - at));
}
