/* log.h: what the server says to its operator: one line an event, to a descriptor, off the workers.
 *
 * A line is formatted by the caller into a bounded buffer and written by the log's own thread, so a
 * stuck terminal or a full disk never holds a worker. When the buffer is full lines are dropped and
 * counted, and the log says how many. Lines: "2026-11-24T13:05:00.123Z info  text". Control
 * characters in the text are escaped: a peer cannot forge lines.
 */
#ifndef LARDER_BASE_LOG_H
#define LARDER_BASE_LOG_H

#include <larder/base/err.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log;

/* `fd` stays the caller's. Lines wait in the buffer until log_start: what a thread may do is settled before there is
 * one. ERR_NO_MEMORY. */
MUST_CHECK enum err log_open(struct log **log, int fd, enum log_level level);

/* Starts the thread, once. A NULL log needs none. ERR_SYSTEM when no thread can be had. */
MUST_CHECK enum err log_start(struct log *log);

/* Writes what is left and ends the thread, if there is one. */
void log_close(struct log **log);

/* Any thread; never blocks on I/O. A NULL log takes nothing. */
void log_write(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Lines dropped since the start. */
uint64_t log_dropped(const struct log *log);

#endif
