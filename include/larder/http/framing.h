/* framing.h: where a message's body ends (RFC 9112 §6), decided in one place for both directions.
 *
 * What two parsers could read differently is refused: several or malformed Content-Length, Content-Length with
 * Transfer-Encoding, any transfer coding but exactly one `chunked`, Transfer-Encoding in HTTP/1.0.
 */
#ifndef LARDER_HTTP_FRAMING_H
#define LARDER_HTTP_FRAMING_H

#include <larder/http/parse.h>

enum body_kind {
    BODY_NONE,    /* no body follows */
    BODY_LENGTH,  /* `length` bytes, more than 0 */
    BODY_CHUNKED, /* chunked coding, RFC 9112 §7.1 */
    BODY_CLOSE,   /* everything until the connection closes (responses only) */
    BODY_TUNNEL   /* 101: raw bytes both ways until both close */
};

struct framing {
    enum body_kind kind;
    uint64_t       length; /* of BODY_LENGTH; for a response without body also what Content-Length said (HEAD, 304) */
    bool           has_length; /* a Content-Length was there */
    bool           keep_alive; /* the connection may carry another message after this one (RFC 9112 §9.3) */
};

/* Content-Length above 2^62 is refused. */
MUST_CHECK enum err framing_of_request(const struct head *head, struct framing *framing, enum refusal *refusal);

/* `method` of the request it answers (RFC 9112 §6.3: HEAD, CONNECT). 1xx other than 101, 204 and 304 have no body; a Transfer-Encoding
 * or non-zero Content-Length in a 204 or 1xx is refused; an unparsable Content-Length too. */
MUST_CHECK enum err framing_of_response(const struct head *head, enum method method, struct framing *framing,
                                        enum refusal *refusal);

/* Hop-by-hop: connection-specific fields of RFC 9110 §7.6.1 (Connection, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding,
 * Upgrade, Proxy-Authenticate, Proxy-Authorization) and those that Connection names. Connection cannot name Host, Content-Length, Cache-Control,
 * Authorization, Cookie, Vary, Content-*, If-*, Range, Date, Age, Expires, ETag, Last-Modified, CDN-Loop: such an option is ignored, so that nobody
 * can make us drop what decides about the answer. O(1) per field: `framing_mark_hop` fills the set once. */
struct hop_set {
    uint64_t    known[(FIELD_ID_COUNT + 63) / 64];
    struct span other[16]; /* names that Connection lists and that are not known; more than 16: refused. They point into the head's bytes */
    unsigned    others;
};
MUST_CHECK enum err framing_mark_hop(const struct head *head, struct hop_set *set, enum refusal *refusal);
bool                framing_is_hop(const struct hop_set *set, const struct field *field);

#endif
