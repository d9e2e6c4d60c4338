/* listener.c: binding at boot, accepting in the loop.
 *
 * Accepting is a task: a flood of connections is taken in batches, and between two batches everybody else has a turn.
 */
#include <larder/net/listener.h>

#include <errno.h>
#include <larder/base/check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BATCH = 64, BACKLOG = 4096 };

#define PAUSE (100 * NSEC_PER_MSEC)

/* ── binding ── */

static enum err
bind_socket(int fd, const struct addr *addr, bool reuse)
{
    int on = 1, off = 0;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuse)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (addr->storage.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    return bind(fd, (const struct sockaddr *)&addr->storage, addr->len) == 0 ? ERR_NONE : err_from_errno(errno);
}

static enum err
explain(const struct addr *addr, int number, struct fault *fault)
{
    char text[ADDR_TEXT_SIZE];

    addr_format(addr, text);
    if (number == EADDRINUSE)
        return fault_set(fault, ERR_IN_USE, "%s: address already in use: another process listens there; stop it, or choose another port", text);
    if (number == EACCES)
        return fault_set(fault, ERR_DENIED, "%s: permission denied: ports below 1024 are for root", text);
    if (number == EADDRNOTAVAIL)
        return fault_set(fault, ERR_UNREACHABLE, "%s: this machine has no such address", text);
    return fault_set_errno(fault, number, "%s: cannot listen", text);
}

/* Whether somebody else already listens there: a bind without SO_REUSEPORT fails also beside a group of sockets that share the port. */
static int
probe(const struct addr *addr)
{
    int fd = socket(addr->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int number = bind_socket(fd, addr, false) == ERR_NONE ? 0 : errno;
    close(fd);
    return number;
}

enum err
listener_bind(const struct addr *addr, bool reuse, int *out, struct addr *bound, struct fault *fault)
{
    *out = -1;
    if (!reuse) {
        int number = probe(addr);
        if (number != 0)
            return explain(addr, number, fault);
    }
    int fd = socket(addr->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return explain(addr, errno, fault);
    bound->len = sizeof bound->storage;
    if (bind_socket(fd, addr, true) != ERR_NONE || listen(fd, BACKLOG) != 0
        || getsockname(fd, (struct sockaddr *)&bound->storage, &bound->len) != 0) {
        enum err err = explain(addr, errno, fault);
        close(fd);
        return err;
    }
    *out = fd;
    return ERR_NONE;
}

/* A socket file that nobody answers is left from a process that died. */
static enum err
clear_stale(const char *path, const struct sockaddr_un *name, struct fault *fault)
{
    struct stat seen;

    if (lstat(path, &seen) != 0)
        return ERR_NONE;
    if (!S_ISSOCK(seen.st_mode))
        return fault_set(fault, ERR_EXISTS, "%s: there is a file of that name that is no socket; remove it, or choose another path", path);
    int  fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)name, sizeof *name) == 0;
    if (fd >= 0)
        close(fd);
    if (alive)
        return fault_set(fault, ERR_IN_USE, "%s: another process listens there", path);
    if (unlink(path) != 0)
        return fault_set_errno(fault, errno, "%s: cannot remove the socket of a process that has died", path);
    return ERR_NONE;
}

enum err
listener_bind_unix(const char *path, int *out, struct fault *fault)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };

    *out = -1;
    if (strlen(path) >= sizeof name.sun_path)
        return fault_set(fault, ERR_LIMIT, "%s: the path of a socket has at most %zu bytes", path, sizeof name.sun_path - 1);
    memcpy(name.sun_path, path, strlen(path) + 1);
    enum err err = clear_stale(path, &name, fault);
    if (err != ERR_NONE)
        return err;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fault_set_errno(fault, errno, "%s: cannot listen", path);
    mode_t before = umask(0177); /* 0600 from the first moment on */
    int    failed = bind(fd, (const struct sockaddr *)&name, sizeof name);
    int    number = errno;
    umask(before);
    if (failed != 0 || listen(fd, 64) != 0) {
        err = fault_set_errno(fault, failed != 0 ? number : errno, "%s: cannot listen", path);
        close(fd);
        return err;
    }
    *out = fd;
    return ERR_NONE;
}

/* ── accepting ── */

static void
accept_batch(struct listener *listener)
{
    for (unsigned i = 0; i < BATCH; i++) {
        struct addr peer = { .len = sizeof peer.storage };
        int fd = accept4(listener->watch.fd, (struct sockaddr *)&peer.storage, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            listener->accepted(listener, fd, &peer);
            if (listener->watch.fd < 0)
                return; /* closed by the callee */
            continue;
        }
        if (errno == EAGAIN)
            return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            listener->pauses++;
            timer_set(listener->loop, &listener->pause, mono_add(loop_now(listener->loop), PAUSE));
            return;
        }
        /* ECONNABORTED and its like: that connection is gone, the next may be there */
    }
    /* More may wait; a timer that is due now lets the others have their turn. */
    timer_set(listener->loop, &listener->pause, loop_now(listener->loop));
}

static void
go_on(struct timer *timer)
{
    accept_batch(CONTAINER_OF(timer, struct listener, pause));
}

static void
handle_ready(struct watch *watch, unsigned events)
{
    (void)events;
    accept_batch(CONTAINER_OF(watch, struct listener, watch));
}

enum err
listener_open(struct listener *listener, struct loop *loop, int fd,
              void (*accepted)(struct listener *, int, const struct addr *), void *owner)
{
    *listener = (struct listener){ .watch = { .fd = fd, .ready = handle_ready }, .loop = loop, .accepted = accepted, .owner = owner };
    timer_init(&listener->pause, go_on);
    enum err err = loop_watch(loop, &listener->watch);
    if (err != ERR_NONE) {
        close(fd);
        listener->watch.fd = -1;
    }
    return err;
}

void
listener_close(struct listener *listener)
{
    if (listener->loop == NULL || listener->watch.fd < 0)
        return;
    timer_cancel(listener->loop, &listener->pause);
    loop_unwatch(listener->loop, &listener->watch);
    close(listener->watch.fd);
    listener->watch.fd = -1;
}
