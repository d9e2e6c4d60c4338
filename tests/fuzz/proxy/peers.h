/* peers.h: both sides of a worker, in the thread that turns its loop.
 *
 *      clients ──▶ socket pairs ──▶ worker ──▶ Unix socket ──▶ origin: answers the oldest request
 *
 * Nothing blocks: what a socket does not take is lost, and what comes is read at each look. Owner: the fuzz target.
 */
#ifndef FUZZ_PROXY_PEERS_H
#define FUZZ_PROXY_PEERS_H

#include <larder/base/span.h>
#include <larder/net/addr.h>
#include <stdbool.h>

enum { CLIENTS = 2, LINKS_MAX = 512 };

struct heard {
    char  *bytes;
    size_t len, room;
};

struct peer {
    int          fd;    /* -1: closed */
    bool         asked; /* an origin's: something came since we last sent */
    struct heard heard; /* all since it was opened */
};

struct peers {
    struct addr addr; /* of the origin */
    int         listener;
    struct peer clients[CLIENTS];
    struct peer links[LINKS_MAX]; /* connections to the origin, in their order */
    unsigned    link_count;
    int         theirs; /* the other end of a new client, for the worker to take */
};

void peers_open(struct peers *peers);
void peers_close(struct peers *peers);

/* Takes new connections and reads what is there. */
void peers_look(struct peers *peers);

/* The client of that number; a closed one is opened anew, and then `theirs` is not -1. */
struct peer *peers_client(struct peers *peers, unsigned number);

/* The connection whose request has waited longest, else the newest open one, else NULL. */
struct peer *peers_link(struct peers *peers);

void peer_send(struct peer *peer, struct span bytes);
void peer_end(struct peer *peer);               /* half closed */
void peer_close(struct peer *peer, bool reset); /* what was heard stays */

/* Ends all connections to the origin. */
void peers_end_links(struct peers *peers);

#endif
