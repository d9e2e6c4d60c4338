/* field.h: names of header fields, known ones as small numbers.
 *
 * The parser looks each name up once (a perfect hash over length and letters, one compare); from then on
 * nobody compares names as text. A name that is not in the table is FIELD_OTHER.
 */
#ifndef LARDER_HTTP_FIELD_H
#define LARDER_HTTP_FIELD_H

#include <larder/base/span.h>

#define FIELD_TABLE(X)                                                                             \
    X(ACCEPT, "Accept")                                                                            \
    X(ACCEPT_ENCODING, "Accept-Encoding")                                                          \
    X(ACCEPT_LANGUAGE, "Accept-Language")                                                          \
    X(ACCEPT_RANGES, "Accept-Ranges")                                                              \
    X(AGE, "Age")                                                                                  \
    X(ALLOW, "Allow")                                                                              \
    X(AUTHORIZATION, "Authorization")                                                              \
    X(CACHE_CONTROL, "Cache-Control")                                                              \
    X(CACHE_GROUP_INVALIDATION, "Cache-Group-Invalidation")                                        \
    X(CACHE_GROUPS, "Cache-Groups")                                                                \
    X(CACHE_STATUS, "Cache-Status")                                                                \
    X(CDN_CACHE_CONTROL, "CDN-Cache-Control")                                                      \
    X(CDN_LOOP, "CDN-Loop")                                                                        \
    X(CONNECTION, "Connection")                                                                    \
    X(CONTENT_ENCODING, "Content-Encoding")                                                        \
    X(CONTENT_LANGUAGE, "Content-Language")                                                        \
    X(CONTENT_LENGTH, "Content-Length")                                                            \
    X(CONTENT_LOCATION, "Content-Location")                                                        \
    X(CONTENT_RANGE, "Content-Range")                                                              \
    X(CONTENT_TYPE, "Content-Type")                                                                \
    X(COOKIE, "Cookie")                                                                            \
    X(DATE, "Date")                                                                                \
    X(ETAG, "ETag")                                                                                \
    X(EXPECT, "Expect")                                                                            \
    X(EXPIRES, "Expires")                                                                          \
    X(FORWARDED, "Forwarded")                                                                      \
    X(HOST, "Host")                                                                                \
    X(IF_MATCH, "If-Match")                                                                        \
    X(IF_MODIFIED_SINCE, "If-Modified-Since")                                                      \
    X(IF_NONE_MATCH, "If-None-Match")                                                              \
    X(IF_RANGE, "If-Range")                                                                        \
    X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since")                                                  \
    X(KEEP_ALIVE, "Keep-Alive")                                                                    \
    X(LAST_MODIFIED, "Last-Modified")                                                              \
    X(LINK, "Link")                                                                                \
    X(LOCATION, "Location")                                                                        \
    X(MAX_FORWARDS, "Max-Forwards")                                                                \
    X(ORIGIN, "Origin")                                                                            \
    X(PRAGMA, "Pragma")                                                                            \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate")                                                    \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization")                                                  \
    X(PROXY_CONNECTION, "Proxy-Connection")                                                        \
    X(PROXY, "Proxy")                                                                              \
    X(RANGE, "Range")                                                                              \
    X(REFERER, "Referer")                                                                          \
    X(RETRY_AFTER, "Retry-After")                                                                  \
    X(SERVER, "Server")                                                                            \
    X(SET_COOKIE, "Set-Cookie")                                                                    \
    X(SURROGATE_CONTROL, "Surrogate-Control")                                                      \
    X(TE, "TE")                                                                                    \
    X(TRAILER, "Trailer")                                                                          \
    X(TRANSFER_ENCODING, "Transfer-Encoding")                                                      \
    X(UPGRADE, "Upgrade")                                                                          \
    X(USER_AGENT, "User-Agent")                                                                    \
    X(VARY, "Vary")                                                                                \
    X(VIA, "Via")                                                                                  \
    X(WARNING, "Warning")                                                                          \
    X(WWW_AUTHENTICATE, "WWW-Authenticate")                                                        \
    X(X_FORWARDED_FOR, "X-Forwarded-For")                                                          \
    X(X_FORWARDED_HOST, "X-Forwarded-Host")                                                        \
    X(X_FORWARDED_PROTO, "X-Forwarded-Proto")                                                      \
    X(X_HTTP_METHOD_OVERRIDE, "X-HTTP-Method-Override")                                            \
    X(X_ORIGINAL_URL, "X-Original-URL")                                                            \
    X(X_REWRITE_URL, "X-Rewrite-URL")

enum field_id {
    FIELD_OTHER, /* any name that is not in the table */
#define FIELD_ENUM(id, name) FIELD_##id,
    FIELD_TABLE(FIELD_ENUM)
#undef FIELD_ENUM
    FIELD_ID_COUNT
};

/* In any letter case. */
enum field_id field_lookup(struct span name);

/* The name as usually written; empty for FIELD_OTHER. */
struct span field_name(enum field_id id);

/* A field line of a parsed message. Spans point into the message's bytes. */
struct field {
    struct span name;
    struct span value; /* white space trimmed at both ends; may be empty */
    uint16_t    id;    /* enum field_id */
    uint16_t    next;  /* index + 1 of the next line with this id, 0: last (not kept for FIELD_OTHER) */
};

#endif
