/* sockets.h: the listening sockets: one for each address and worker, bound before anything else starts.
 *
 * Owner: the control thread; a socket that was taken is the worker's.
 */
#ifndef SERVER_SOCKETS_H
#define SERVER_SOCKETS_H

#include <larder/config/snapshot.h>

struct sockets {
    struct addr bound[SNAPSHOT_LISTENS_MAX]; /* with the ports that the system gave */
    bool        proxy_protocol[SNAPSHOT_LISTENS_MAX];
    size_t      count;
    unsigned    workers;
    int        *fds; /* count * workers; -1: taken */
};

/* All or none. */
MUST_CHECK enum err sockets_open(struct sockets *sockets, const struct snapshot *snapshot, unsigned workers,
                                 struct fault *fault);

/* The socket of an address for a worker, now the caller's. */
int sockets_take(struct sockets *sockets, size_t address, unsigned worker);

/* Closes those that nobody took. */
void sockets_close(struct sockets *sockets);

#endif
