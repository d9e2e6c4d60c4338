/* fetch.h: one request of ours to an origin, its answer told piece by piece.
 *
 *      fetch_start ─▶ connect or reuse ─▶ send head ─▶ (send body) ─▶ [interim]* ─▶ head ─▶ [body]* ─▶ end
 *                                                                                    any time ─▶ fail
 *
 * The caller has written the request's head; the fetch adds only the framing of the body that it is fed. Whatever the
 * origin sends is parsed strictly (http/parse.h, framing.h): anything ambiguous is a failure, and its connection is not used again.
 * Only a connection with a whole answer, nothing after it, and a request fully sent goes back to the worker's kept ones.
 * A request that may be replayed is sent once more, on a new connection, when a kept one turns out to be closed before any byte of an answer.
 *
 * Callbacks come from the loop, never from within a call of this interface. After `end` or `fail` no callback follows; the owner
 * still calls fetch_release. Owner: one worker.
 */
#ifndef LARDER_ORIGIN_FETCH_H
#define LARDER_ORIGIN_FETCH_H

#include <larder/base/metric.h>
#include <larder/http/chunked.h>
#include <larder/http/framing.h>
#include <larder/http/message.h>
#include <larder/net/loop.h>
#include <larder/origin/pool.h>

/* Name, status for the client, and the sentence for the error page. */
#define FETCH_FAILURE_TABLE(X)                                                                          \
    X(UNRESOLVED, 502, "the name of the origin does not resolve")                                       \
    X(REFUSED, 502, "the origin refused the connection")                                                \
    X(UNREACHABLE, 502, "the origin cannot be reached")                                                 \
    X(CONNECT_TIMEOUT, 504, "connecting to the origin took too long")                                   \
    X(CLOSED_EARLY, 502, "the origin closed the connection before it answered")                         \
    X(SEND, 502, "the request could not be sent to the origin")                                         \
    X(FIRST_BYTE_TIMEOUT, 504, "the origin did not answer in time")                                     \
    X(BAD_HEAD, 502, "the origin's answer breaks the rules of HTTP")                                    \
    X(CUT, 502, "the origin's answer ended before its end")                                             \
    X(BAD_BODY, 502, "the body of the origin's answer breaks the rules of HTTP")                        \
    X(BODY_TIMEOUT, 504, "the origin stopped in the middle of its answer")                              \
    X(ORIGIN_ERROR, 502, "the origin answered with an error")                                           \
    X(CHANGED, 502, "the origin's answer does not fit what is stored of it")                            \
    X(NO_RESOURCES, 503, "out of memory or descriptors")

enum fetch_failure {
#define FETCH_FAILURE_ENUM(name, status, text) FETCH_##name,
    FETCH_FAILURE_TABLE(FETCH_FAILURE_ENUM)
#undef FETCH_FAILURE_ENUM
    FETCH_FAILURE_COUNT
};
const char *fetch_failure_name(enum fetch_failure failure); /* "first-byte-timeout" */
const char *fetch_failure_text(enum fetch_failure failure);
unsigned    fetch_failure_status(enum fetch_failure failure);

#define ORIGIN_METRICS(X)                                                                                        \
    X(fetches, COUNTER, "requests", "Requests started towards origins.")                                         \
    X(connects, COUNTER, "connections", "Connections opened to origins.")                                        \
    X(reuses, COUNTER, "requests", "Requests sent on a connection that was open already.")                       \
    X(retries, COUNTER, "requests", "Requests sent again because a kept connection was closed.")                 \
    X(failures, COUNTER, "requests", "Requests to origins that failed.")                                         \
    X(timeouts, COUNTER, "requests", "Requests to origins that failed by a time limit.")                         \
    X(refused_answers, COUNTER, "answers", "Answers refused because they break the rules of HTTP.")              \
    X(bytes_in, COUNTER, "bytes", "Bytes received from origins.")                                                \
    X(bytes_out, COUNTER, "bytes", "Bytes sent to origins.")                                                     \
    X(connections, GAUGE, "connections", "Connections to origins that are open, the unused ones included.")      \
    X(connections_unused, GAUGE, "connections", "Open connections to origins that carry no request.")

METRIC_STRUCT(origin_metrics, ORIGIN_METRICS);

/* ── a worker's side of all pools ── */
struct origin;

/* `chunks`: what a chunked answer may have of extensions and trailers; copied. */
MUST_CHECK enum err origin_create(struct origin **origin, struct loop *loop, const struct chunk_limits *chunks,
                                  struct origin_metrics *metrics);

/* Closes the unused connections; all fetches must be released. */
void origin_destroy(struct origin **origin);

/* ── a fetch ── */
struct fetch;

struct fetch_events {
    /* A 1xx other than 101 (100 included). The head is valid during the call. At most 16 in a row pass; more is BAD_HEAD. */
    void (*interim)(void *owner, const struct head *head);
    /* The final head, or 101. `framing` tells how the body comes: BODY_TUNNEL after an asked-for 101 (an unasked one is BAD_HEAD). Valid during the call. */
    void (*head)(void *owner, const struct head *head, const struct framing *framing);
    /* A piece of the body, decoded. The owner takes all of it; it may call fetch_pause. */
    void (*body)(void *owner, struct span bytes);
    /* The answer was whole (for a tunnel: the origin has no more to send). */
    void (*end)(void *owner);
    /* Over. `detail` is a refusal's name, an errno text or "". */
    void (*fail)(void *owner, enum fetch_failure failure, const char *detail);
    /* There is room again for fetch_send, or the connection stands and the body may begin. */
    void (*drain)(void *owner);
};

struct fetch_request {
    struct span    head;    /* whole, as it goes out, the empty line included; copied */
    enum method    method;
    enum body_kind body;    /* BODY_NONE, BODY_LENGTH or BODY_CHUNKED: what the head announces */
    uint64_t       length;  /* of BODY_LENGTH */
    bool           replay;  /* idempotent and without body: may be sent a second time */
    bool           upgrade; /* asks for an upgrade: 101 is a good answer */
};

/* Starts; NULL when memory ends. */
struct fetch *fetch_start(struct origin *origin, struct pool *pool, const struct fetch_request *request,
                          const struct fetch_events *events, void *owner);

/* Stops or starts the flow of `body`. A few more pieces that were read already may not come while paused. */
void fetch_pause(struct fetch *fetch);
void fetch_resume(struct fetch *fetch);

/* Takes what fits of the request's body (or of the client's side of a tunnel) and says how much; `drain` tells when more fits. Chunked framing is
 * added here. fetch_send_end: the body is complete. When the client's body breaks, release the fetch instead: the origin then never sees an end. */
size_t fetch_send(struct fetch *fetch, struct span bytes);
void   fetch_send_end(struct fetch *fetch);

/* Gives it up; if it is not over, its connection is closed. Clears the pointer. May be called in a callback. */
void fetch_release(struct fetch **fetch);

#endif
