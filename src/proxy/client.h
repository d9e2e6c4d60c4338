/* client.h: a connection of a client: it carries exchanges, one at a time.
 *
 *      bytes ──▶ in ──▶ head ──▶ exchange ──▶ answer ──▶ bytes
 *                 └──── pipelined requests wait here until the one before them is answered
 *
 * Between requests a connection holds no buffer and no exchange: this struct and a socket are all that
 * an idle client costs. Owner: the worker.
 */
#ifndef PROXY_CLIENT_H
#define PROXY_CLIENT_H

#include "worker_impl.h"

#include <larder/base/buf.h>
#include <larder/net/networks.h>
#include <larder/net/stream.h>

struct exchange;

enum client_wait { CLIENT_IDLE, CLIENT_HEAD, CLIENT_BODY, CLIENT_SEND, CLIENT_ORIGIN, CLIENT_LINGER };

struct client {
    struct stream    stream;
    struct worker   *worker;
    struct list      node;
    struct list      idle_node; /* in worker->idle, while it waits for a request */
    struct guest    *guest;     /* NULL: it is not counted */
    struct timer     timer;
    struct task      again; /* more pipelined requests, or more to send, after the others had their turn */
    mono_time        deadline;
    mono_time        head_began; /* while it waits for the rest of a head: when the first byte was there */
    mono_time        until;      /* of the exchange: when it must be over */
    struct buf       in;
    struct exchange *exchange; /* NULL: between requests */
    enum client_wait wait;
    uint32_t         lingered;
    uint64_t         requests, received; /* so far: requests, and bytes */
    struct {
        mono_time since;
        uint64_t  moved;
    } pace; /* of a body, since then */
    struct network   host; /* the peer's, for rates and deny lists */
    bool             loopback;
    bool             trusted;     /* what it says of its own clients is believed */
    bool             prefaced;    /* a PROXY header must come first, and has not yet */
    bool             ended;       /* the client has no more to send */
    bool             dry;         /* nothing to read until the next edge */
    bool             ending;      /* its end is on the way: that edge is past */
    uint8_t          address_len; /* of the text in `address` */
    char             address[46]; /* the peer's host, for X-Forwarded-For */
};

/* Takes over the descriptor. `proxy_protocol`: a PROXY header comes first (preface.c). On failure it is closed and the client is told nothing: we have no memory for it. */
void client_open(struct worker *worker, int fd, const struct addr *peer, bool proxy_protocol);

/* Ends the connection and its exchange, at any time. `abort`: with RST, so that a cut answer is seen as such. */
void client_close(struct client *client, bool abort);

/* Says that nothing more comes from us, and closes when the client has seen it. */
void client_end(struct client *client);

/* Closes the connection that has been idle for longest. False: there is none. */
bool client_shed_idle(struct worker *worker);

/* While stopping: closes it now if it is idle, else after its answer. */
void client_stop(struct client *client);

/* Goes on with whatever can go on: the exchange, the next request. The client may be gone afterwards. */
void client_advance(struct client *client);

/* Whether it may stay, as far as the number of connections goes; from then on it is counted. */
bool client_be_counted(struct client *client);

/* ── preface.c ── */

/* Who it is that we talk to. */
void client_set_peer(struct client *client, const struct addr *peer);

/* Whether somebody of this address may send a PROXY header. If not, the refusal was counted, and the log told. */
bool client_may_preface(struct client *client);

/* Takes the PROXY header from the front of `in`. ERR_AGAIN: not all of it there yet; ERR_SYNTAX: it is none, counted. */
MUST_CHECK enum err client_take_preface(struct client *client);

/* What the connection waits for, for its time limit. */
void client_wait_for(struct client *client, enum client_wait wait);

/* Reads what is there into `in`. ERR_NONE: something came; ERR_AGAIN; ERR_FULL: no room; ERR_CLOSED: no more will come. */
MUST_CHECK enum err client_read(struct client *client);

#endif
