/* trace.h: a trace of requests in memory: for each the number of its object, for each object its size.
 *
 *      oracleGeneral: records of 24 bytes ─┐
 *                                          ├─ trace_feed ─▶ requests: 0 1 0 2 0 ... · sizes: 4096 120 ...
 *      access log, combined format ────────┘
 *
 * Which of the two it is shows in the first bytes: records have zeros, text has none. A record is (little-
 * endian) u32 time, u64 id, u32 size, i64 index of the next request for the id; the last is not used. Of a log the answers 200 and 304 to GET and HEAD count, and an object is method, host where it is
 * told, and URL. Objects have one size: the largest that was told (transfers that were cut tell less, and
 * 304 none), at least 1. Seconds are kept where they are asked for, and never go back: servers write a line
 * when its answer has ended.
 *
 * Bytes in; trace_load alone does I/O. Owner: who has it.
 */
#ifndef BENCH_TRACE_H
#define BENCH_TRACE_H

#include <larder/base/err.h>
#include <larder/base/span.h>

enum trace_format { TRACE_UNKNOWN, TRACE_ORACLE, TRACE_LOG };

enum { TRACE_RECORD = 24, TRACE_LINE_MAX = 64 * 1024, TRACE_PEEK = 4096 };

struct trace {
    enum trace_format format;

    bool      timed;    /* set before the first byte: keep `times` too */
    uint32_t *requests; /* numbers of objects */
    uint32_t *times;    /* of the requests, in seconds; NULL: not kept */
    size_t    request_count, request_room;

    uint64_t *ids, *sizes; /* by number */
    uint32_t  object_count, object_room;
    uint32_t *slots; /* id to number + 1, open addressing */
    uint64_t  slot_count;
    uint64_t  salt; /* of the slots: who writes a trace must not choose what collides */

    uint64_t lines;            /* or records, read */
    uint64_t unread;           /* lines that are not of the format */
    uint64_t ignored;          /* lines whose method or status does not count */
    uint64_t bytes, footprint; /* requested; of all objects once. Set by trace_finish */
};

/* "oracleGeneral", "combined", "unknown". */
const char *trace_format_name(enum trace_format format);

void trace_init(struct trace *trace);
void trace_fini(struct trace *trace);

/* Takes whole records or lines from the front of `bytes`; *used says how much. What is left is given again
 * in front of more; `last`: there is no more. With TRACE_LINE_MAX bytes or more something is always taken. */
MUST_CHECK enum err trace_feed(struct trace *trace, struct span bytes, bool last, size_t *used,
                               struct fault *fault);

/* Adds up. Refuses a trace without a single request. */
MUST_CHECK enum err trace_finish(struct trace *trace, struct fault *fault);

/* All of a file, or of stdin for "-"; finished. The fault names it. `timed`: with `times`. */
MUST_CHECK enum err trace_load(struct trace *trace, struct span path, bool timed, struct fault *fault);

#endif
