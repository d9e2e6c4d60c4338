/* conn.h: a client of the admin API: requests in, one after the other, answers out.
 *
 *      READING ──whole request──▶ api_handle ──conn_answer──▶ WRITING ──sent──▶ READING
 *                                     └─ WORKING ─conn_answer─▶ (later, from another callback)
 *
 * A handler answers at once, or says conn_wait and answers later; if the client leaves meanwhile, its
 * cancel is called, once, and the connection must not be touched any more. Pipelined requests wait for
 * their turn.
 *
 * Owner: the control loop.
 */
#ifndef ADMIN_CONN_H
#define ADMIN_CONN_H

#include "admin_impl.h"

#include <jansson.h>
#include <larder/base/text.h>
#include <larder/http/message.h>
#include <larder/net/stream.h>

enum conn_state { CONN_READING, CONN_WORKING, CONN_WRITING };

struct conn {
    struct list     node; /* of admin->conns */
    struct admin   *admin;
    struct stream   stream;
    struct timer    timer;
    enum conn_state state;
    struct text     in, out;
    size_t          sent;      /* of `out` */
    bool            started;   /* a request has begun to arrive */
    bool            continued; /* 100 (Continue) was sent for it */
    bool            ended;     /* the client sends no more */
    bool            keep;      /* another request may follow */
    bool            head_only; /* the request was HEAD */
    void (*cancel)(void *waiting);
    void *waiting;
};

enum { CONN_HEAD_MAX = 16 * 1024, CONN_BODY_MAX = 64 * 1024, CONN_ANSWER_MAX = 4 << 20 };

/* Takes over a connected descriptor; without memory it is closed. */
void conn_open(struct admin *admin, int fd);
void conn_close(struct conn *conn);

/* Answers the request in hand with a JSON document, which is taken over; NULL: memory ended. `allow` (or
 * NULL) is the value of an Allow field. */
void conn_answer(struct conn *conn, unsigned status, json_t *body, const char *allow);

/* {"error": "..."} */
void conn_refuse(struct conn *conn, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The handler will answer later. */
void conn_wait(struct conn *conn, void (*cancel)(void *waiting), void *waiting);

/* After a later conn_answer: goes on. The connection may be gone when it returns. */
void conn_resume(struct conn *conn);

#endif
