/* worker.h: a thread that serves: its loop, its listeners, its clients, its connections to origins.
 *
 * A worker shares nothing with its siblings but the cache, the pools and the snapshot it was given. The server creates workers,
 * adds listening descriptors, runs each on a thread of its own, and stops them.
 */
#ifndef LARDER_PROXY_WORKER_H
#define LARDER_PROXY_WORKER_H

#include <larder/base/log.h>
#include <larder/base/metric.h>
#include <larder/base/option.h>
#include <larder/cache/cache.h>
#include <larder/net/loop.h>
#include <larder/proxy/access.h>
#include <larder/http/parse.h>
#include <larder/proxy/crowd.h>
#include <larder/proxy/site.h>

/* Limits of the client side; the same for all sites. */
struct proxy_settings {
    nsec     idle_timeout;   /* a connection without a request */
    nsec     head_timeout;   /* a request head, from its first byte */
    nsec     body_timeout;   /* between two pieces of a request's body */
    nsec     send_timeout;   /* without any progress in sending an answer */
    nsec     exchange_timeout; /* from the first byte of a request to the last of its answer; 0: any time */
    nsec     stop_timeout;   /* after SIGTERM: exchanges may end in this time */
    uint64_t head_size;      /* bytes of a request head */
    uint64_t head_fields;
    uint64_t target_size;    /* bytes of a request target */
    uint64_t body_size;      /* bytes of a request body; 0: no bound */
    uint64_t extension_size; /* bytes of all chunk extensions of a body, a request's or an answer's */
    uint64_t trailer_size;   /* bytes of its trailer section */
    uint64_t body_rate;      /* bytes a second that a request's body must have; 0: any */
    uint64_t send_rate;      /* bytes a second of an answer that a client must take; 0: any */
    uint64_t requests_each;  /* of a connection; 0: any number */
    uint64_t pipeline_turn;  /* pipelined requests answered in one go, before others have their turn */
    uint64_t ranges;         /* of one request */
    uint64_t connections;    /* of all clients; 0: any number */
    uint64_t connections_each; /* of one client */
};
extern const struct option_table proxy_options;

#define PROXY_METRICS(X)                                                                                          \
    X(connections_accepted, COUNTER, "connections", "Client connections accepted.")                              \
    X(proxy_headers, COUNTER, "connections", "Connections that a PROXY header told the client of.")              \
    X(proxy_refused, COUNTER, "connections",                                                                      \
      "Connections refused because who connected is not trusted, or sent no proper PROXY header.")                \
    X(connections, GAUGE, "connections", "Client connections open now.")                                          \
    X(requests, COUNTER, "requests", "Requests received, the refused ones included.")                             \
    X(requests_active, GAUGE, "requests", "Requests being answered now.")                                         \
    X(refused, COUNTER, "requests", "Requests refused because they break the rules of HTTP or a limit.")          \
    X(denied, COUNTER, "requests", "Requests that the site answers to nobody, or not to this client (403).")      \
    X(rate_limited, COUNTER, "requests", "Requests that came more often than the site allows (429).")             \
    X(unknown_host, COUNTER, "requests", "Requests for a host that no site serves (421).")                        \
    X(hits, COUNTER, "requests", "Requests answered from the store.")                                             \
    X(hits_not_modified, COUNTER, "requests", "Hits answered with 304.")                                          \
    X(hits_stale, COUNTER, "requests", "Hits that were stale, and sent while they were refreshed.")               \
    X(refreshes, COUNTER, "requests", "Fetches that refresh what was sent stale.")                                \
    X(stood_in, COUNTER, "requests", "Requests answered with something stale because the origin failed.")         \
    X(misses, COUNTER, "requests", "Requests whose answer was fetched for the cache.")                            \
    X(followers, COUNTER, "requests", "Requests that shared the fetch of another one.")                           \
    X(revalidations, COUNTER, "requests", "Stale objects that were checked with the origin.")                     \
    X(revalidated, COUNTER, "requests", "Revalidations that the origin answered with 304.")                       \
    X(passes, COUNTER, "requests", "Requests that were not for the cache.")                                       \
    X(uncacheable, COUNTER, "answers", "Fetched answers that could not be stored.")                               \
    X(released, COUNTER, "requests", "Followers sent on alone because the answer could not be shared.")           \
    X(stored, COUNTER, "objects", "Fetched answers handed to the store.")                                         \
    X(slice_fetches, COUNTER, "requests", "Fetches for slices of a stored object that were missing.")             \
    X(tunnels, COUNTER, "connections", "Connections that were upgraded to another protocol.")                     \
    X(errors, COUNTER, "requests", "Requests answered with an error of our own (502, 503, 504).")                 \
    X(cut, COUNTER, "answers", "Answers broken off because the origin's answer ended early.")                     \
    X(client_gone, COUNTER, "requests", "Requests whose client left before the end.")                             \
    X(timeouts, COUNTER, "connections", "Client connections closed by a time limit.")                             \
    X(exchange_timeouts, COUNTER, "requests", "Requests that were not answered to the end within exchange-timeout.") \
    X(invalidations, COUNTER, "requests", "Unsafe requests that purged the object of their URL.")                 \
    X(bytes_in, COUNTER, "bytes", "Bytes received from clients.")                                                 \
    X(bytes_out, COUNTER, "bytes", "Bytes sent to clients.")                                                      \
    X(bytes_hit, COUNTER, "bytes", "Body bytes of hits.")                                                         \
    X(major_faults, COUNTER, "faults", "Pages for which a worker had to wait for the disk. Sampled each second.") \
    X(loop_turns, COUNTER, "turns", "Turns of the workers' loops. Sampled each second.")                          \
    X(turned_away, COUNTER, "connections", "Connections refused since there were too many, in all or of one client.") \
    X(shed, COUNTER, "connections", "Idle connections closed to make room for new ones.")                         \
    X(too_slow, COUNTER, "connections", "Connections closed since a body, or the reading of an answer, was too slow.") \
    X(pipeline_turns, COUNTER, "turns", "Times that a client had sent so many requests at once that others had their turn first.") \
    X(ranges_ignored, COUNTER, "requests", "Requests whose Range was ignored since it has too many ranges.")      \
    X(log_dropped, COUNTER, "requests", "Requests that the access log lacks: it could not be written fast enough.") \
    X(loop_slow, COUNTER, "turns", "Turns of the loop that took longer than 2 ms.")

METRIC_STRUCT(proxy_metrics, PROXY_METRICS);

/* How often a request was refused for each reason. The rows have the reasons' names. */
struct refusal_metrics {
    metric_cell given[REFUSAL_COUNT];
};
extern const struct metric_table refusal_metrics_table;

struct worker;

struct worker_config {
    unsigned                     id; /* from 0; also the reader number in the store */
    struct cache                *cache;
    const struct site_table     *sites;    /* outlives the worker */
    const struct proxy_settings *settings; /* outlives the worker */
    const struct networks       *trust;    /* whose words about clients count; NULL: nobody's */
    struct blocklists           *blocklists; /* NULL: there are no files */
    struct crowd                *crowd; /* shared, outlives the worker; NULL: connections are not counted */
    struct rates                *rates;    /* NULL: no site has any; all three outlive the worker */
    const char                  *name;     /* ours, in Via and Cache-Status: "larder" */
    struct log                  *log;
    struct access_ring          *access; /* the worker's own ring of the access log, outlives it; NULL: there is no such log */
};

MUST_CHECK enum err worker_create(struct worker **worker, const struct worker_config *config, struct fault *fault);

/* Takes over a listening descriptor. `proxy_protocol`: its connections begin with a PROXY header, and come from those
 * who are trusted. Before worker_run. */
MUST_CHECK enum err worker_listen(struct worker *worker, int fd, bool proxy_protocol, struct fault *fault);

/* Serves until stopped; returns when the last exchange has ended or the deadline has passed and the rest was closed. */
void worker_run(struct worker *worker);

/* Any thread: stop accepting, close idle connections, let exchanges end within settings->stop_timeout. A second
 * call ends them at once. */
void worker_stop(struct worker *worker);

/* After worker_run has returned. Gives all memory back. */
void worker_destroy(struct worker **worker);

/* The worker's cells, to be read by any thread while it lives: `index` from 0; false after the last. */
bool worker_metrics(const struct worker *worker, unsigned index, const struct metric_table **table, const void **cells);

#endif
