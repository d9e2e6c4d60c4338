/* reply.h: what the stub origin answers, as a plan: a head, a body, and when each is due.
 *
 *      request ──▶ reply_plan ──▶ (the request's body is read) ──▶ reply_finish ──▶ the whole head
 *                     │
 *                     ├─ /-/requests   the counters
 *                     ├─ a knob path   knobs.h
 *                     └─ the rest      the demo site
 *
 * Pure: no sockets, and the time is an argument. Owner: the connection.
 */
#ifndef BENCH_REPLY_H
#define BENCH_REPLY_H

#include "content.h"
#include "knobs.h"
#include "site.h"

#include <larder/http/parse.h>
#include <larder/http/write.h>

/* What all connections share. Frozen. */
struct stub {
    struct site *site;
    struct noise noise;
    nsec         delay; /* of pages, and of knob paths that do not say */
};

/* A request, as far as its answer depends on it. Spans need to live only until reply_plan returns. */
struct ask {
    const struct head *head;
    struct target      target;
    uint64_t           number; /* of this request in this process */
    wall_time          now;
    struct span        date;     /* the same, as HTTP writes it */
    struct span        counters; /* the JSON for /-/requests */
};

enum { REPLY_INTRO = 512, REPLY_HEAD = 4096 };

struct reply {
    unsigned       status;
    nsec           delay, drip;
    struct content content;
    uint64_t length; /* bytes of the content that are to be sent: 0 for HEAD, less than its size when cut */
    bool     chunked, no_length, close;
    int64_t  cut_after; /* break the connection after so many bytes of the body, or ROW_ABSENT */
    bool     bare;      /* this status has no body, nor says how long it would be */
    bool     head_only;
    bool     upload;  /* the answer tells of the request's body: reply_uploaded before reply_finish */
    bool     old;     /* the request speaks HTTP/1.0 */
    bool     counted; /* a request that /-/requests counts */
    struct writer head;
    char          head_room[REPLY_HEAD];
    char          intro_room[REPLY_INTRO];
};

/* Where the path leads, before anything is counted: true for /-/requests. */
bool reply_is_counters(const struct target *target);

void reply_plan(struct reply *reply, const struct stub *stub, const struct ask *ask);

/* The answer to what is no request: closes the connection afterwards. */
void reply_refuse(struct reply *reply, enum refusal refusal);

/* The request's body was read: its length and its XXH3. */
void reply_uploaded(struct reply *reply, uint64_t size, uint64_t hash);

/* Completes the head: framing, Connection, the empty line. `keep_alive`: what the request allows. */
void reply_finish(struct reply *reply, bool keep_alive);

#endif
