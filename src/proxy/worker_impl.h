/* worker_impl.h: what the files of the proxy share: the worker and its pools of memory.
 *
 * A worker is one thread; all of this is its own. Lists hold what must be ended when it stops.
 */
#ifndef PROXY_WORKER_IMPL_H
#define PROXY_WORKER_IMPL_H

#include <larder/base/list.h>
#include <larder/base/slab.h>
#include <larder/cache/policy.h>
#include <larder/net/listener.h>
#include <larder/origin/fetch.h>
#include <larder/proxy/worker.h>

enum {
    BUFFER_SIZE = 32 * 1024, /* of a client's input, and a chunk of an exchange's arena is half of it */
    ARENA_CHUNK = 8 * 1024,
    ARENA_LIMIT = 512 * 1024, /* what one exchange may hold */
    LISTENERS_MAX = 32,
    LOOP_ID_SIZE = 32,
    STATUS_SIZE = 128,
    SHED_AT_ONCE = 16 /* idle connections that make room */
};

/* Owner: the worker's thread; `stop_mail` is posted from others. */
struct worker {
    struct worker_config config;
    struct loop         *loop;
    struct origin       *origin;
    struct chunk_limits  chunks; /* of both sides */
    struct generation   *denied; /* the files of networks as this worker knows them; NULL: not asked yet */

    struct listener listeners[LISTENERS_MAX];
    bool            proxy_protocol[LISTENERS_MAX];
    int64_t         proxy_told; /* the second in which the log was told last of a header that was refused */
    unsigned        listener_count;

    struct slab clients_slab, exchanges_slab, buffers, arena_chunks, leads_slab, ports_slab, thaws_slab;
    struct list clients; /* struct client.node */
    struct list idle;    /* struct client.idle_node, the longest idle first */
    struct list leads;   /* struct lead.node */
    struct list slow;    /* struct exchange.slow_node */
    unsigned    thaws;   /* reads of the disk that will send us mail */

    struct proxy_metrics  metrics;
    struct reason_metrics  reasons;
    struct refusal_metrics refusals;
    struct origin_metrics origin_metrics;

    struct timer     tick;        /* each second */
    uint64_t         faults_then; /* major faults of this thread before it served */
    struct timer     stop_timer;  /* the deadline of a graceful stop */
    struct mail      stop_mail[2];
    _Atomic unsigned stop_calls;
    bool             stopping;
    bool             ending; /* inside worker_check_stopped */

    char loop_id
        [LOOP_ID_SIZE]; /* how we name ourselves in CDN-Loop (RFC 8586): no other larder has that name */

    /* "Cache-Status: NAME;hit;ttl=", and how much of it any of ours begins with */
    struct span status_hit;
    size_t      status_named;
    char        status_room[STATUS_SIZE];

    /* what the answers to requests that come in this turn of the loop may still send at once (deliver.c) */
    mono_time bulk_turn;
    size_t    bulk_left;

    /* "Date: ..." once per second, for errors of our own */
    int64_t date_second;
    char    date[32];
};

/* While stopping: ends the loop when nothing is left to do. Call it when a client or a lead has ended. */
void worker_check_stopped(struct worker *worker);

/* The current date as an HTTP date; valid until the next call. */
struct span worker_date(struct worker *worker);

#endif
