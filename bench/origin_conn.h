/* origin_conn.h: a connection of the stub origin, private to origin_conn.c, origin_receive.c and
 * origin_send.c.
 *
 *      ┌─▶ HEAD ─▶ BODY ─▶ DELAY ─▶ SEND ─▶ NEXT_SEGMENT ─▶ FINISH ─┬─▶ LINGER ─▶ closed
 *      │                                    │ ▲   │ ▲               │
 *      │                                 SEGMENT  PAUSE (drip)      │
 *      └──────────────────── keep-alive ────────────────────────────┘
 *
 * Each state has a step, which returns NEXT, WAIT or END. Small answers collect in `out` until there is
 * nothing more to parse, so pipelined requests are answered by one write; large bodies go out from where
 * they lie (content.h).
 *
 * Owner: one worker.
 */
#ifndef BENCH_ORIGIN_CONN_H
#define BENCH_ORIGIN_CONN_H

#include "origin.h"

#include <larder/base/buf.h>
#include <larder/base/hash.h>
#include <larder/http/chunked.h>
#include <larder/http/framing.h>
#include <larder/net/stream.h>

enum conn_state {
    CONN_HEAD,
    CONN_BODY,
    CONN_DELAY,
    CONN_SEND,
    CONN_NEXT_SEGMENT,
    CONN_SEGMENT,
    CONN_PAUSE,
    CONN_FINISH,
    CONN_LINGER,
    CONN_STATES
};

enum step { STEP_NEXT, STEP_WAIT, STEP_END };

enum {
    CONN_VECTORS = 16,
    CONN_SLACK = 64, /* room in `out` for what frames a chunk */
};

struct conn {
    struct stream         stream;
    struct origin_worker *worker;
    struct list           node;
    struct timer          timer; /* the delay, the next piece, or too long a silence */
    struct buf            in, out;
    enum conn_state       state;
    bool                  keep_alive; /* what the request allows */
    bool                  begun;      /* DELAY and LINGER: the timer runs */
    mono_time             active;     /* when bytes last moved */
    /* the request's body */
    struct framing       framing;
    struct chunk_decoder chunks;
    uint64_t             body_size;
    struct hash_stream  *hash; /* NULL when nobody wants to know */
    /* the answer: of its content, [0, sent) is gone and [sent, segment) may go now */
    struct reply reply;
    uint64_t     sent, segment;
    mono_time    drip_begin;
};

/* ── bytes (origin_conn.c) ── */

/* WAIT for ERR_AGAIN, END for what else can go wrong. */
enum step conn_wait_or_end(enum err err);

/* Writes what `out` holds and the rest of the segment. NEXT: all is gone. */
enum step conn_push(struct conn *conn);

/* Room for `size` bytes in `out`, after a push if need be; conn_put fills it. */
enum step conn_make_room(struct conn *conn, size_t size);
void      conn_put(struct conn *conn, struct span bytes);

/* More bytes of the request, after the answers so far have left. */
enum step conn_fill(struct conn *conn);

/* ── steps: origin_receive.c, origin_send.c ── */
enum step conn_receive_head(struct conn *conn);
enum step conn_receive_body(struct conn *conn);
enum step conn_delay(struct conn *conn);
enum step conn_send_head(struct conn *conn);
enum step conn_next_segment(struct conn *conn);
enum step conn_send_segment(struct conn *conn);
enum step conn_wait(struct conn *conn);
enum step conn_finish(struct conn *conn);
enum step conn_linger(struct conn *conn);

#endif
