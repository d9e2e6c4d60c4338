/* parse.h: heads of HTTP/1.0 and 1.1 messages (RFC 9112), strictly.
 *
 * Bytes in, a head out; no I/O, no memory of its own. What is ambiguous is refused with a reason, never mended:
 * lines end in CRLF only; bare CR or LF, NUL, controls, obs-fold, white space before the colon or at the start of a
 * line, and names that are no token are errors; HTAB in a value is white space; obs-text (0x80-0xff) passes in values.
 * One empty line (CRLF) before a request line is skipped (RFC 9112 §2.2). The version is literally HTTP/1.0 or HTTP/1.1.
 * The one thing that is taken although the grammar lacks it: "HTTP/1.1 200\r\n", a status line without the SP before an empty reason.
 */
#ifndef LARDER_HTTP_PARSE_H
#define LARDER_HTTP_PARSE_H

#include <larder/http/message.h>

/* Why a message was refused: the code for the answer, the name for counters and the log. For messages of an
 * origin the status is not used (the client gets 502). */
#define REFUSAL_TABLE(X)                                                                            \
    X(NONE, 0, "none")                                                                              \
    X(BAD_REQUEST_LINE, 400, "bad-request-line")                                                    \
    X(BAD_STATUS_LINE, 502, "bad-status-line")                                                      \
    X(BAD_METHOD, 400, "bad-method")                                                                \
    X(BAD_TARGET, 400, "bad-target")                                                                \
    X(BAD_VERSION, 505, "bad-version")                                                              \
    X(BAD_FIELD_NAME, 400, "bad-field-name")                                                        \
    X(BAD_FIELD_VALUE, 400, "bad-field-value")                                                      \
    X(BAD_LINE_END, 400, "bad-line-end")                                                            \
    X(OBS_FOLD, 400, "obs-fold")                                                                    \
    X(HEAD_TOO_LONG, 431, "head-too-long")                                                          \
    X(TARGET_TOO_LONG, 414, "target-too-long")                                                      \
    X(TOO_MANY_FIELDS, 431, "too-many-fields")                                                      \
    X(NO_HOST, 400, "no-host")                                                                      \
    X(BAD_HOST, 400, "bad-host")                                                                    \
    X(HOST_MISMATCH, 400, "host-mismatch")                                                          \
    X(BAD_LENGTH, 400, "bad-content-length")                                                        \
    X(BODY_TOO_LONG, 413, "body-too-long")                                                          \
    X(BAD_TRANSFER_ENCODING, 400, "bad-transfer-encoding")                                          \
    X(UNKNOWN_TRANSFER_ENCODING, 501, "unknown-transfer-encoding")                                  \
    X(LENGTH_AND_ENCODING, 400, "content-length-and-transfer-encoding")                             \
    X(BAD_CHUNK, 400, "bad-chunk")                                                                  \
    X(CHUNK_TOO_LONG, 400, "chunk-line-too-long")                                                   \
    X(EXTENSIONS_TOO_LONG, 400, "extensions-too-long")                                              \
    X(BAD_TRAILER, 400, "bad-trailer")                                                              \
    X(TRAILER_TOO_LONG, 400, "trailer-too-long")                                                    \
    X(METHOD_REFUSED, 405, "method-refused")                                                        \
    X(HEAD_TIMEOUT, 408, "head-timeout")                                                            \
    X(EXCHANGE_TIMEOUT, 408, "exchange-timeout")                                                    \
    X(BAD_EXPECT, 417, "bad-expect")                                                                \
    X(BAD_UPGRADE, 400, "bad-upgrade")

enum refusal {
#define REFUSAL_ENUM(name, status, text) REFUSAL_##name,
    REFUSAL_TABLE(REFUSAL_ENUM)
#undef REFUSAL_ENUM
    REFUSAL_COUNT
};

const char *refusal_name(enum refusal refusal);
const char *refusal_text(enum refusal refusal); /* one sentence for the error page, without a full stop */
unsigned    refusal_status(enum refusal refusal);

struct parse_limits {
    uint32_t head;   /* bytes of the whole head */
    uint32_t target; /* bytes of the request target */
    /* the number of fields is bounded by head->room */
};

/* Parses a head at the start of `bytes`. ERR_NONE: *size bytes belong to it, the empty line included.
 * ERR_AGAIN: not all there yet, and nothing wrong so far (illegal bytes and lengths over the limits are refused as
 * soon as they are seen, also before the end). ERR_SYNTAX: *refusal says why. The head must have been head_init'ed once; every call begins
 * with an empty head again, so after ERR_AGAIN one calls with all bytes from the start. However the bytes are cut, the verdict is the same. */
MUST_CHECK enum err parse_request(struct head *head, struct span bytes, const struct parse_limits *limits,
                                  size_t *size, enum refusal *refusal);
MUST_CHECK enum err parse_response(struct head *head, struct span bytes, const struct parse_limits *limits,
                                   size_t *size, enum refusal *refusal);

/* A response head without its empty line, as it is kept in a store: every line ends in CRLF, and the bytes end with the last one. ERR_SYNTAX. */
MUST_CHECK enum err parse_stored(struct head *head, struct span bytes);

/* Field lines up to and including the empty line: trailers of a chunked body. */
MUST_CHECK enum err parse_fields(struct head *head, struct span bytes, const struct parse_limits *limits,
                                 size_t *size, enum refusal *refusal);

/* The request's target and Host taken apart (RFC 9112 §3.2): origin-form, absolute-form (http and https, whose authority must agree
 * with Host, a port that is left out being the scheme's), `*` for OPTIONS. Exactly one Host (none only in HTTP/1.0, where host is then empty):
 * reg-name of at most 255 bytes and without a comma, IPv4 or IPv6 literal, with or without a port from 1 to 65535.
 * path begins with '/' (or is "*"); query is without '?', NULL pointer when there is none. A '#' or a byte outside
 * of visible ASCII is BAD_TARGET. CONNECT and TRACE are METHOD_REFUSED. */
struct target {
    struct span host; /* as sent, without the port; lower-casing is the key's business */
    struct span port; /* digits, or empty */
    struct span path;
    struct span query;
};
MUST_CHECK enum err parse_target(const struct head *head, struct target *target, enum refusal *refusal);

/* "name", "name:port", "[v6]:port" of a Host field or an authority. False when it breaks the grammar. */
bool parse_authority(struct span text, struct span *host, struct span *port);

#endif
