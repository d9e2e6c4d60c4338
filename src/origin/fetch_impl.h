/* fetch_impl.h: the fetch and its connection, for the files that they are made of.
 *
 *      fetch.c    life, connecting, time limits, outcome
 *      send.c     head and body of the request
 *      receive.c  head and body of the answer
 *      kept.c     connections between two fetches
 */
#ifndef ORIGIN_FETCH_IMPL_H
#define ORIGIN_FETCH_IMPL_H

#include <larder/base/buf.h>
#include <larder/base/list.h>
#include <larder/http/chunked.h>
#include <larder/net/stream.h>
#include <larder/origin/fetch.h>

enum {
    BUFFER_SIZE = 64 * 1024, /* an answer's head fits, and nothing longer is taken for one */
    FIELDS_MAX = 256,
    INTERIM_MAX = 16,
    TARGET_MAX = 8192,
    KEPT_CHAINS = 16
};

/* Owner: the worker. */
struct origin {
    struct loop           *loop;
    struct chunk_limits    chunks;
    struct origin_metrics *metrics;
    struct slab            connections, fetches, buffers;
    struct list            kept; /* unused connections, the latest first */
    uint64_t               kept_count;
    size_t                 next_address;
};

/* A connection belongs to a fetch, or to nobody and is kept. */
struct connection {
    struct stream  stream;
    struct origin *origin;
    struct pool   *pool;  /* a reference */
    struct fetch  *fetch; /* NULL: kept */
    struct list    node;
    struct timer   timer; /* while kept */
    struct buf     in;
    struct addr    addr;       /* where it leads */
    unsigned       generation; /* of the pool's addresses, when that was last found among them */
    bool           drained;    /* the last read took all that was there: what comes later has an event of its own */
    bool           ending;     /* the origin's end is there, or on its way: that event is past */
};

enum fetch_state {
    FETCH_STARTING, /* not even a connection */
    FETCH_CONNECTING,
    FETCH_HEAD, /* the request is on its way, the head of the answer is waited for */
    FETCH_BODY,
    FETCH_OVER /* end or fail was told, or it was released */
};

struct fetch {
    struct origin             *origin;
    struct pool               *pool; /* a reference */
    struct connection         *connection;
    const struct fetch_events *events;
    void                      *owner;
    enum fetch_state           state;
    struct task                task; /* runs it from the loop */
    struct timer               timer;
    mono_time                  deadline;
    bool                       running, released;

    /* the request */
    char          *head; /* on the heap, for sending it again */
    size_t         head_len, head_sent;
    struct buf     out; /* of the body */
    enum method    method;
    enum body_kind body;
    bool           replay, upgrade;
    bool           ended;   /* the body is complete */
    bool           stopped; /* nothing more is sent: the answer came first, or the origin has closed */
    bool           endless; /* there was no memory for the last chunk: the origin cannot learn that the body is complete */
    bool           starved; /* fetch_send was refused bytes: `drain` is owed */
    bool           shut;    /* a tunnel whose client has ended */

    /* connecting */
    size_t    attempts, address;
    mono_time connect_until;
    bool      reused, retried;

    /* the answer */
    struct framing       framing;
    struct chunk_decoder decoder;
    uint64_t             left;
    unsigned             interims;
    bool                 any_byte;
    bool                 paused;
};

/* ── fetch.c ── */
/* The fetch has failed; the connection is closed and the owner told. */
void fetch_fail(struct fetch *fetch, enum fetch_failure failure, const char *detail);
/* The answer is whole: the connection is kept or closed, and the owner told. */
void fetch_finish(struct fetch *fetch);
/* The connection ended or broke before anything of an answer came: once more, or failed. */
void fetch_lost(struct fetch *fetch, enum err err);
/* Progress: the limit counts anew. */
void fetch_wait(struct fetch *fetch);

/* ── send.c ── */
/* Sends what there is. The fetch may have failed afterwards. */
void fetch_flush(struct fetch *fetch);
bool fetch_is_sent(const struct fetch *fetch);

/* ── receive.c ── */
void fetch_receive(struct fetch *fetch);

/* ── kept.c ── */
struct connection *connection_create(struct origin *origin, struct pool *pool);
void               connection_close(struct connection **connection, bool abort);
/* An unused connection of that pool that is still quiet, or NULL. */
struct connection *kept_take(struct origin *origin, struct pool *pool);
void               kept_put(struct connection **connection);
/* An event at a connection that nobody uses: it is closed. */
void kept_handle(struct connection *connection);
void fetch_handle(struct fetch *fetch);

#endif
