/* refusal.c: what a refusal is called, which status it gets, and what the error page says. */
#include <larder/http/parse.h>

#include <larder/base/check.h>

struct refusal_row {
    const char *name;
    unsigned    status;
};

static const struct refusal_row rows[REFUSAL_COUNT] = {
#define REFUSAL_ROW(name, status, text) [REFUSAL_##name] = { text, status },
    REFUSAL_TABLE(REFUSAL_ROW)
#undef REFUSAL_ROW
};

static const char *const sentences[REFUSAL_COUNT] = {
    [REFUSAL_NONE] = "Nothing is wrong with this message",
    [REFUSAL_BAD_REQUEST_LINE] = "The request line is not of the form METHOD TARGET HTTP/1.1",
    [REFUSAL_BAD_STATUS_LINE] = "The status line is not of the form HTTP/1.1 CODE REASON",
    [REFUSAL_BAD_METHOD] = "The method is not a token",
    [REFUSAL_BAD_TARGET] = "The request target has a form or a byte that is not allowed",
    [REFUSAL_BAD_VERSION] = "The version is neither HTTP/1.0 nor HTTP/1.1",
    [REFUSAL_BAD_FIELD_NAME] = "The name of a header field is not a token that a colon follows at once",
    [REFUSAL_BAD_FIELD_VALUE] = "The value of a header field has a byte or a form that is not allowed",
    [REFUSAL_BAD_LINE_END] = "A line does not end in CR and LF",
    [REFUSAL_OBS_FOLD] = "A header field is folded over several lines",
    [REFUSAL_HEAD_TOO_LONG] = "The head of the message is longer than is allowed here",
    [REFUSAL_TARGET_TOO_LONG] = "The request target is longer than is allowed here",
    [REFUSAL_TOO_MANY_FIELDS] = "The message has more header fields than are allowed here",
    [REFUSAL_NO_HOST] = "The request has no Host field",
    [REFUSAL_BAD_HOST] = "The Host field is malformed or there is more than one",
    [REFUSAL_HOST_MISMATCH] = "The request target and the Host field name different hosts",
    [REFUSAL_BAD_LENGTH] = "The Content-Length is malformed or there is more than one",
    [REFUSAL_BODY_TOO_LONG] = "The body is longer than is allowed here",
    [REFUSAL_BAD_TRANSFER_ENCODING] = "The Transfer-Encoding is malformed or not allowed in this message",
    [REFUSAL_UNKNOWN_TRANSFER_ENCODING] = "The only transfer coding that is understood is chunked",
    [REFUSAL_LENGTH_AND_ENCODING] = "The message has both Content-Length and Transfer-Encoding",
    [REFUSAL_BAD_CHUNK] = "The chunked body breaks its grammar",
    [REFUSAL_CHUNK_TOO_LONG] = "The chunked body has a longer size line than is allowed",
    [REFUSAL_EXTENSIONS_TOO_LONG] = "The chunked body has longer extensions than are allowed here",
    [REFUSAL_BAD_TRAILER] = "The trailer section is malformed",
    [REFUSAL_TRAILER_TOO_LONG] = "The trailer section is longer, or has more fields, than is allowed here",
    [REFUSAL_METHOD_REFUSED] = "This method is not offered",
    [REFUSAL_HEAD_TIMEOUT] = "The request did not arrive in time",
    [REFUSAL_EXCHANGE_TIMEOUT] = "The body of the request did not arrive in time",
    [REFUSAL_BAD_EXPECT] = "The only expectation that is understood is 100-continue",
    [REFUSAL_BAD_UPGRADE] = "The upgrade that is asked for is malformed or not offered",
};

const char *
refusal_name(enum refusal refusal)
{
    CHECK(refusal < REFUSAL_COUNT);
    return rows[refusal].name;
}

const char *
refusal_text(enum refusal refusal)
{
    CHECK(refusal < REFUSAL_COUNT);
    return sentences[refusal];
}

unsigned
refusal_status(enum refusal refusal)
{
    CHECK(refusal < REFUSAL_COUNT);
    return rows[refusal].status;
}
