/* origin.h: the workers of the stub origin: one thread, one loop, its own listener, connections and counters.
 */
#ifndef BENCH_ORIGIN_H
#define BENCH_ORIGIN_H

#include "reply.h"

#include <larder/base/metric.h>
#include <larder/base/slab.h>
#include <larder/http/date.h>
#include <larder/net/listener.h>
#include <pthread.h>

/* /-/requests shows the sums of these over all workers. */
#define ORIGIN_COUNTS(X)                                                                                     \
    X(total, COUNTER, "requests", "Requests, but for those to /-/requests.")                                 \
    X(uploads, COUNTER, "requests", "Of them, those that were neither GET nor HEAD.")                        \
    X(not_modified, COUNTER, "requests", "Answers with status 304.")                                         \
    X(refused, COUNTER, "requests", "What the parser refused.")                                              \
    X(connections, COUNTER, "connections", "Connections accepted.")                                          \
    X(open, GAUGE, "connections", "Connections open now.")                                                   \
    X(bytes_sent, COUNTER, "bytes", "Bytes written, heads included.")
METRIC_STRUCT(origin_counts, ORIGIN_COUNTS);

struct origin;

/* Owner: its thread, but for the counters, which anybody may read. */
struct origin_worker {
    struct origin       *origin;
    const struct stub   *stub;
    struct loop         *loop;
    struct listener      listener;
    struct list          connections;
    struct slab          slab, buffers;
    struct origin_counts counts;
    pthread_t            thread;
    char                 date[DATE_SIZE];
    int64_t              date_second;
};

/* The number of the next request of this process, from 1 on. Any worker. */
uint64_t origin_next_number(struct origin *origin);

/* The counters as JSON. NUL-terminated, returns out. */
enum { ORIGIN_JSON_SIZE = 400 };
const char *origin_counters(const struct origin *origin, char out[static ORIGIN_JSON_SIZE]);

/* The time of this turn as HTTP writes it. */
struct span origin_date(struct origin_worker *worker);

/* Takes over an accepted descriptor. */
void origin_accept(struct origin_worker *worker, int fd);

/* Closes every connection. */
void origin_close_all(struct origin_worker *worker);

enum { ORIGIN_BUFFER = 16 * 1024 };
size_t origin_connection_size(void);

#endif
