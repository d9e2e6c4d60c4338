/* access_log.h: a file with a line for each request, for people, log tools, and `larder-bench simulate`.
 *
 *      worker ──▶ ring ─┐
 *      worker ──▶ ring ─┴▶ thread: formats ──▶ buffer ──▶ write(2) ──▶ FILE        SIGUSR1: opened anew, under the same name
 *
 * Workers never wait for it. When the disk cannot keep up or is full, rings fill and requests are missing in the log, counted
 * (proxy.log_dropped); a line is written whole or, when the process must end, not at all. Lines of one worker are in the order in which
 * requests ended.
 *
 * json: one object a line, its members in this order; those in brackets only where there is something to say.
 *
 *      time      when the request's head was there: "2026-11-26T15:41:15.123Z"
 *      client    address        method, host, target, protocol    as sent; empty when the head was refused before it was whole
 *      status    499: the client left before there was an answer
 *      bytes     of the body, as sent                  seconds   until the kernel had all of the answer
 *      cache     "hit"; or why the origin was asked (fwd of RFC 9211: uri-miss, vary-miss, stale, request, method, bypass ...); or "none"
 *     [detail]   why the request was refused, or the answer not stored, or stale
 *     [origin_status, stored, collapsed]               as in RFC 9211
 *     [end]      "cut": broken off, since the origin's answer ended early; "gone": the client left
 *      referer, agent
 *
 * combined: as nginx and Apache write it; the date is UTC.
 *
 * Texts of clients are escaped, so that nobody forges a line or a member: in JSON control characters, quotes and backslashes, and bytes that are
 * no UTF-8 as \u00xx; in combined as nginx does it, \xXX. One that is too long (proxy/access.h) ends in "...".
 */
#ifndef LARDER_ADMIN_ACCESS_LOG_H
#define LARDER_ADMIN_ACCESS_LOG_H

#include <larder/base/log.h>
#include <larder/base/metric.h>
#include <larder/proxy/access.h>

#define ACCESS_LOG_METRICS(X)                                                                                \
    X(lines, COUNTER, "lines", "Lines written to the access log.")                                           \
    X(bytes, COUNTER, "bytes", "Bytes written to the access log.")                                           \
    X(errors, COUNTER, "errors", "Writes to the access log, and openings of its file, that failed.")         \
    X(reopened, COUNTER, "times", "How often its file was opened anew (SIGUSR1).")
METRIC_STRUCT(access_log_metrics, ACCESS_LOG_METRICS);

struct access_log;

struct access_log_config {
    const char        *path;
    enum access_format format;
    unsigned           workers;
    struct log        *log;
};

/* Opens the file, to append to it, and makes a ring for each worker. The fault says what could not be had. */
MUST_CHECK enum err access_log_open(struct access_log **log, const struct access_log_config *config,
                                    struct fault *fault);

/* Starts the thread, once. ERR_SYSTEM. */
MUST_CHECK enum err access_log_start(struct access_log *log);

/* The ring of a worker. */
struct access_ring *access_log_ring(struct access_log *log, unsigned worker);

/* Any thread: the file is closed, and opened or made under its name. When that fails the old one is kept. */
void access_log_reopen(struct access_log *log);

/* When no worker runs any more: writes what is left, if it can be written, and ends the thread. NULL: there is none. */
void access_log_close(struct access_log **log);

const struct access_log_metrics *access_log_metrics_of(const struct access_log *log);

#endif
