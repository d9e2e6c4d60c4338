/* listener.h: accepts connections for one loop.
 *
 * Each worker has its own listener on the same address (SO_REUSEPORT), so the kernel spreads connections
 * and no lock is shared. When descriptors run out accepting pauses and is tried again every 100 ms;
 * connections wait in the backlog meanwhile. Owner: one loop.
 */
#ifndef LARDER_NET_LISTENER_H
#define LARDER_NET_LISTENER_H

#include <larder/net/addr.h>
#include <larder/net/loop.h>

struct listener {
    struct watch watch;
    struct timer pause;
    struct task  again; /* goes on with a flood in the next turn */
    struct loop *loop;
    /* A new connection: a non-blocking descriptor, now the callee's, and its peer. It may close the
     * listener, but not free it. */
    void (*accepted)(struct listener *listener, int fd, const struct addr *peer);
    void (*starved)(struct listener *listener); /* descriptors or memory have run out: close what can be spared. NULL: nothing is */
    void    *owner;
    uint64_t pauses; /* times that accepting had to pause */
};

/* Binds without a loop: done at boot, so that a taken port is an error before anything starts. On success *fd
 * listens; for port 0, *bound (which may be `addr`) has the port that was given. The fault names the
 * address and what to do ("127.0.0.1:80: address already in use: ...").
 *
 * `reuse` false: the first socket of an address. Whoever holds it, another process's SO_REUSEPORT group
 * too, makes it ERR_IN_USE. `reuse` true: joins the sockets that this process has bound to `addr`. */
MUST_CHECK enum err listener_bind(const struct addr *addr, bool reuse, int *fd, struct addr *bound,
                                  struct fault *fault);

/* A Unix socket at `path` with mode 0600. A stale socket file that nobody answers is replaced; a live one is
 * ERR_IN_USE, a file that is no socket ERR_EXISTS: it is never removed. */
MUST_CHECK enum err listener_bind_unix(const char *path, int *fd, struct fault *fault);

/* Takes over the descriptor (closes it also on failure) and starts to accept. */
MUST_CHECK enum err listener_open(struct listener *listener, struct loop *loop, int fd,
                                  void (*accepted)(struct listener *, int, const struct addr *),
                                  void *owner);

/* Stops accepting and closes; the file of a Unix socket stays. Idempotent, also on a
 * listener of zeros. */
void listener_close(struct listener *listener);

#endif
