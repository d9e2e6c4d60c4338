/* exchange.h: one request and its answer: the unit of work.
 *
 *      receive ▶ route ▶ lookup ─┬─ hit ────────────────────────▶ deliver ▶ finish
 *                        │       ├─ fetch ─┐                        ▲  ▲
 *                        │       └─────────┴▶ join (wait for head) ─┘  │
 *                        └▶ pass ───────────▲          refuse, error ──┘
 *
 * A step returns NEXT (go on with exchange->step), WAIT (a socket, a timer or mail will call exchange_run
 * again) or DONE. The table in steps.c is this picture. What belongs to the exchange lies in its arena and goes
 * with it. Owner: the worker.
 */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include "client.h"

#include <larder/base/arena.h>
#include <larder/cache/lookup.h>
#include <larder/http/chunked.h>
#include <larder/http/framing.h>

struct lead;
struct port;
struct slices;
struct thaw;

#define STEP_TABLE(X)                                                                                        \
    X(RECEIVE, receive) /* check the request */                                                              \
    X(ROUTE, route)     /* site, key, may it be cached? */                                                   \
    X(ADMIT, admit)     /* may this client ask this now? */                                                  \
    X(LOOKUP, lookup)   /* object, flight or nothing */                                                      \
    X(HIT, hit)         /* write the head of a hit */                                                        \
    X(FETCH, fetch)     /* start the fetch of our flight */                                                  \
    X(PASS, pass)       /* start a fetch for us alone */                                                     \
    X(JOIN, join)       /* wait for the flight's head */                                                     \
    X(DELIVER, deliver) /* send */                                                                           \
    X(TUNNEL, tunnel)   /* bytes both ways, after a 101 */                                                   \
    X(FINISH, finish)

enum step {
#define STEP_ENUM(id, name) STEP_##id,
    STEP_TABLE(STEP_ENUM)
#undef STEP_ENUM
        STEP_COUNT
};

enum step_result { STEP_NEXT, STEP_WAIT, STEP_DONE };

/* What becomes of the connection after the exchange. ABORT: with RST, the answer is not whole. */
enum exchange_end { END_KEEP, END_CLOSE, END_ABORT };

enum { FIELDS_MAX = 256, /* of a request */ SLICES_AHEAD = 3 };

/* How the bytes of the answer's body are marked off. */
enum delivery_framing { DELIVER_PLAIN, DELIVER_CHUNKED, DELIVER_UNTIL_CLOSE };

/* An answer on its way out. */
struct delivery {
    struct span    head[2]; /* what is left of it: stored head, and what is added to it */
    struct span   *pieces;  /* what is left of a body in memory: a stored one, parts of it, an error page */
    unsigned       piece_count;
    struct span    whole;  /* where `pieces` points when there is one */
    struct cursor  cursor; /* or a body that arrives; cursor.fill NULL: none */
    struct slices *slices; /* or one that lies in slices (slices.h); NULL: none */
    uint64_t       skip;   /* so many bytes of it are not sent, */
    uint64_t       left;   /* and then no more than these, if `limited` */
    bool           limited;
    enum delivery_framing framing;
    struct span           frame; /* chunk line on its way */
    char                  frame_text[CHUNK_HEAD_SIZE + 8];
    uint64_t              chunk_left;
    uint64_t              body_sent;
    bool                  chunk_open, frame_last;
};

/* The request's body on its way to the origin. */
struct upload {
    struct chunk_decoder decoder;
    struct span          pending; /* decoded, in client->in, not yet taken by the fetch */
    uint64_t             left;    /* of a known length */
    uint64_t             seen;
    bool                 whole; /* all of it was read; true at once when there is none */
    bool                 told;  /* the fetch knows that */
};

/* For Cache-Status (RFC 9211) and the counters. */
struct outcome {
    const char *fwd;    /* "uri-miss" ...; NULL: hit */
    enum reason reason; /* why not cached */
    unsigned    fwd_status;
    bool        stored, collapsed;
};

struct exchange {
    struct worker     *worker;
    struct client     *client;
    const struct site *site;
    struct arena       arena;
    enum step          step;
    struct task        wake;  /* runs the steps after this turn's callbacks */
    bool               woken; /* ... which it does now */

    struct head       head;
    struct framing    framing;
    struct hop_set    hop;
    struct target     target; /* normalised */
    struct store_key  primary;
    struct span       authority; /* of the key: what the origin hears as Host is what the key says */
    size_t            key_target; /* bytes of path and query, with which the key's text ends */
    enum exchange_end end;
    uint64_t          retry_after; /* seconds, of a 429 */
    bool              upgrade;  /* the client asks for another protocol */
    bool              ranged;   /* it asks for `ranges` */
    bool              distrust; /* see lookup_question */
    bool              parsed;   /* `head` is whole; else it was refused, or came too late */
    enum refusal      refusal;
    const char       *error;  /* the name of an error of our own, NULL: none */
    unsigned          status; /* of the answer; 0: there is none yet */
    mono_time         began;

    struct range_set ranges;
    int64_t          complete; /* of what none of them is in: for a 416 */
    struct lookup    lookup;
    unsigned         lookups;
    struct port     *port; /* where we wait for the flight; NULL: not joined */
    struct list      port_node;
    struct lead     *lead; /* the fetch that runs for us; NULL: none or over */
    struct flight
        *ahead[SLICES_AHEAD]; /* slices that it has brought and that we have not come to: slices.h */

    struct cold_set reads; /* what the look under way, for an object or a slice, found cold, and had read */
    struct thaw    *thaw;  /* the read under way that we are told of; NULL: none. See thaw.h */
    struct list     thaw_node;
    struct list     slow_node; /* our client takes its time, and we hold a lease. See relief.h */
    bool            stalled;   /* ... since the last write */
    bool            frozen;    /* what is to be sent is being read */

    /* the head of an answer that is ours alone, as the lead wrote it, without the empty line */
    struct span    answer;
    struct framing answer_framing;
    unsigned       answer_status;
    bool answer_picked; /* it does not go out as it is: a part of what came does, with these fields */

    struct upload   upload;
    struct delivery out;
    struct outcome  outcome;

    struct field fields[FIELDS_MAX]; /* last: not cleared */
};

/* A new exchange, which becomes the client's. NULL when memory ends. */
struct exchange *exchange_create(struct client *client);

/* Runs steps. WAITS: it will be woken. ENDED: the exchange is gone, the client may serve the next request. CLOSED: both are gone. */
enum run { RUN_WAITS, RUN_ENDED, RUN_CLOSED };
enum run exchange_run(struct exchange *exchange);

/* Whether its answer comes out of the store, and nobody was asked for it. */
static inline bool
exchange_is_hit(const struct exchange *exchange)
{
    return exchange->outcome.fwd == NULL && exchange->lookups > 0 && exchange->lookup.result == LOOKUP_HIT;
}

/* Whether bytes of the client are wanted now: a body on its way, a tunnel. */
bool exchange_wants_body(const struct exchange *exchange);

/* Runs it soon, from the loop: for callbacks that must not free what they stand in. */
void exchange_wake(struct exchange *exchange);

/* Takes it from its client and gives everything back; the fetch goes on if others may use its answer. */
void exchange_destroy(struct exchange **exchange);

/* ── receive.c: from the head to a key ── */
enum step_result step_receive(struct exchange *exchange);
enum step_result step_route(struct exchange *exchange);

/* ── admit.c: deny lists and rates, where the site has any ── */
enum step_result step_admit(struct exchange *exchange);

/* ── find.c: lookup, and waiting for a flight ── */
enum step_result step_lookup(struct exchange *exchange);
enum step_result step_fetch(struct exchange *exchange);
enum step_result step_pass(struct exchange *exchange);
enum step_result step_join(struct exchange *exchange);

/* What was found is of no use, and nothing was sent yet: back to the lookup. */
enum step_result find_again(struct exchange *exchange);

/* Its time is over: prepares the answer that says so, or a stale one, to be sent at the next run. False: some of an answer
 * went out, and it can only be broken off. */
bool find_give_up(struct exchange *exchange);

/* ── answer.c: heads of answers; each prepares exchange->out and sets the step to DELIVER ── */
enum step_result step_hit(struct exchange *exchange);
enum step_result answer_shared(struct exchange *exchange);
enum step_result answer_refreshed(struct exchange *exchange);
enum step_result answer_stale(struct exchange *exchange); /* the origin failed */
enum step_result answer_alone(struct exchange *exchange);

/* Keeps the head of an answer that is for this exchange alone, for answer_alone. ERR_NO_MEMORY, ERR_LIMIT, ERR_SYNTAX. */
MUST_CHECK enum err answer_take(struct exchange *exchange, const struct head *head,
                                const struct framing *framing);

/* An answer of our own: `text` says what happened, in one sentence. Closes the connection if `close`. */
enum step_result answer_error(struct exchange *exchange, unsigned status, const char *name, const char *text,
                              bool close);

/* A 1xx of the origin goes on to the client at once. */
void answer_interim(struct exchange *exchange, const struct head *interim);

/* ── deliver.c ── */
enum step_result step_deliver(struct exchange *exchange);
enum step_result step_tunnel(struct exchange *exchange);
enum step_result step_finish(struct exchange *exchange);

/* Sends interim answers that wait, before the head. */
void deliver_early(struct exchange *exchange);

/* ── upload.c ── */

/* Moves what it can of the request's body to the fetch. ERR_NONE: all that is there was moved (or the body is whole); others: the client broke it. */
MUST_CHECK enum err upload_pump(struct exchange *exchange);

/* ── request.c: our request to the origin ── */
enum request_kind { REQUEST_PASS, REQUEST_FILL };
struct request_plan {
    enum request_kind    kind; /* FILL: GET, without the client's conditions; PASS: what the client asks */
    const struct object *validate;  /* asks whether it is still good; NULL: nothing */
    const struct range_spec *range; /* of FILL: asks for this range alone; NULL: for the whole */
    struct span if_range; /* and for the whole if this validator holds no more; empty: no condition */
};
MUST_CHECK enum err request_write(const struct exchange *exchange, const struct request_plan *plan,
                                  struct span *head);

#endif
