/* access.h: what is known of a request when it is over, on its way to the access log.
 *
 *      exchange ends ──▶ a record in the worker's ring ──▶ whoever formats and writes it, on a thread of its own
 *
 * A record is facts, not text: the worker copies and formats nothing that its reader could. Texts come from clients; what is longer than its
 * bound is cut, and marked so. A ring that is full loses the record, and the worker counts it (proxy.log_dropped): it never waits.
 */
#ifndef LARDER_PROXY_ACCESS_H
#define LARDER_PROXY_ACCESS_H

#include <larder/base/clock.h>
#include <larder/base/ring.h>

enum access_format { ACCESS_JSON, ACCESS_COMBINED };

/* X(id, bytes at most) */
#define ACCESS_TEXTS(X)                                                                                      \
    X(CLIENT, 64)    /* the peer's address */                                                                \
    X(METHOD, 64)    /* empty, as the next three may be: the head was refused before it was whole */         \
    X(TARGET, 4096)  /* as sent */                                                                           \
    X(HOST, 260)     /* the field Host as sent */                                                            \
    X(REFERER, 2048)                                                                                         \
    X(AGENT, 1024)                                                                                           \
    X(CACHE, 32)     /* "hit", or why not: fwd of RFC 9211; "none": it did not come to that */               \
    X(DETAIL, 64)    /* why it was refused, or why the answer is not stored, or is stale; may be empty */

enum access_text {
#define ACCESS_ENUM(id, most) ACCESS_##id,
    ACCESS_TEXTS(ACCESS_ENUM)
#undef ACCESS_ENUM
        ACCESS_TEXT_COUNT
};

enum access_end {
    ACCESS_WHOLE,
    ACCESS_CUT, /* larder broke the answer off, since the origin's ended early */
    ACCESS_GONE /* the client left before its end */
};

/* A client that has left before there was an answer has this status, as in nginx. */
enum { ACCESS_STATUS_GONE = 499 };

struct access_record {
    wall_time received;      /* when its head was there */
    nsec      duration;      /* from then on, until the answer was handed to the kernel */
    uint64_t  sent;          /* bytes of the body */
    uint16_t  status;
    uint16_t  origin_status; /* 0: the origin was not asked, or has not answered */
    uint16_t  lens[ACCESS_TEXT_COUNT];
    uint16_t  cut;           /* bit of each text that was longer */
    uint8_t   minor;         /* HTTP/1.minor */
    uint8_t   end;           /* enum access_end */
    bool      stored, collapsed;
    char      texts[]; /* one behind the other */
};

/* Who reads the rings sleeps in the end, and is woken by a byte to this eventfd. */
struct access_reader {
    _Alignas(RING_LINE) _Atomic bool sleeps;
    int wake;
};

struct access_ring {
    struct ring           ring;
    struct access_reader *reader;
};

#endif
