/* admin.h: the admin API: HTTP/1.1 and JSON over a Unix socket, on the control loop.
 *
 *      GET  /v1/stats                    all metrics, added up over workers and shards
 *      POST /v1/purge  {"url": "..."}    {"objects": 3}: removed, in all variants
 *      GET  /v1/store/info               what the store holds, by log
 *      GET  /v1/store/objects?cursor=C&limit=N    a page of its objects, and the cursor of the next
 *      GET  /v1/store/verify?cursor=C    checks a segment, and says where the next one is
 *
 * Errors are {"error": "a sentence"} with a status of 4xx or 5xx. Everything is bounded: heads of 16 KiB,
 * bodies of 64 KiB, 64 connections, and time limits for clients that do nothing. Who is let in may do everything. Let in
 * are root, the user as whom the process runs and members of one group, as the kernel names them (SO_PEERCRED); the
 * socket's mode says the same once more.
 *
 * Owner: the thread of the loop.
 */
#ifndef LARDER_ADMIN_ADMIN_H
#define LARDER_ADMIN_ADMIN_H

#include <larder/base/metric.h>
#include <larder/cache/cache.h>
#include <larder/base/log.h>
#include <larder/net/loop.h>
#include <sys/types.h>

struct admin;

#define ADMIN_METRICS(X)                                                                                     \
    X(connections, COUNTER, "connections", "Connections to the admin API of those who may use it.")          \
    X(refused, COUNTER, "connections",                                                                       \
      "Connections of users who may not use the admin API, and were sent away.")
METRIC_STRUCT(admin_metrics, ADMIN_METRICS);

struct admin_config {
    struct loop  *loop;    /* outlives the admin and what it has asked of the cache */
    struct cache *cache;   /* outlives the admin */
    const char   *version; /* "0.1.0" */
    unsigned      workers;
    gid_t         group; /* whose members may use it; (gid_t)-1: none */
    struct log   *log;
    mono_time     started;
    /* Blocks of metrics, `index` from 0; false after the last. Blocks of one table add up. */
    bool (*metrics)(void *owner, unsigned index, const struct metric_table **table, const void **cells);
    void *owner;
    /* For a client that waits, whose request is under way, that takes nothing. 0: 60 s, 10 s, 10 s. */
    nsec idle_time, request_time, send_time;
};

/* Takes over `fd`, a listening Unix socket (also on failure), and answers from now on. */
MUST_CHECK enum err admin_create(struct admin **admin, int fd, const struct admin_config *config,
                                 struct fault *fault);

/* Its block of metrics. */
const struct admin_metrics *admin_metrics_of(const struct admin *admin);

/* Closes the socket and all connections. A purge that is under way ends on its own: its mail must still be
 * delivered (loop_destroy does). */
void admin_destroy(struct admin **admin);

#endif
