/* stream.c: TCP and Unix sockets as streams: one system call per read or write, errno turned into enum err.
 *
 *      connect ──▶ connecting ── ready(WRITE) ──▶ stream_connect_result ──▶ open ──▶ closed
 *      accept  ──────────────────────────────────────────────────────────▲
 *
 * The socket is watched only after connect() was called: an unconnected socket reports a hang-up at once.
 * Owner: the loop; the connection embeds the stream and may free it in `ready`, after stream_close.
 */
#include <larder/net/stream.h>

#include <larder/base/check.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* While connecting any event means that it has ended: a broken socket may have no room to write. */
static void
handle_events(struct watch *watch, unsigned events)
{
    struct stream *stream = CONTAINER_OF(watch, struct stream, watch);
    unsigned       told = events & WATCH_READ ? (unsigned)STREAM_READ : 0;

    if (events & WATCH_WRITE || stream->connecting)
        told |= STREAM_WRITE;
    if (events & WATCH_END)
        told |= STREAM_END;
    if (events & WATCH_ERROR)
        told |= STREAM_BROKEN;
    stream->ready(stream, told);
}

void
stream_init(struct stream *stream, void (*ready)(struct stream *stream, unsigned events))
{
    *stream = (struct stream){ .watch = { .fd = -1, .ready = handle_events }, .ready = ready };
}

/* A response leaves when it is written, not when the last one was acknowledged (Nagle). Unix sockets refuse
 * the option, which is cheaper than asking each socket what it is. */
static void
set_no_delay(int fd)
{
    int one = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static enum err
start(struct stream *stream, struct loop *loop, int fd, bool connecting)
{
    stream->watch.fd = fd;
    stream->loop = loop;
    stream->connecting = connecting;
    enum err err = loop_watch(loop, &stream->watch);
    if (err != ERR_NONE) {
        stream->watch.fd = -1;
        close(fd);
    }
    return err;
}

enum err
stream_open(struct stream *stream, struct loop *loop, int fd)
{
    CHECK(!stream_is_open(stream) && fd >= 0);
    set_no_delay(fd);
    return start(stream, loop, fd, false);
}

/* ── connecting ── */

/* EAGAIN is no "wait" here: a Unix server's backlog is full, or TCP has no local port left, and no event
 * will follow. */
static enum err
connect_err(int number)
{
    return number == EAGAIN ? ERR_REFUSED : err_from_errno(number);
}

enum err
stream_connect(struct stream *stream, struct loop *loop, const struct addr *addr)
{
    CHECK(!stream_is_open(stream));
    int fd = socket(addr->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_from_errno(errno);
    set_no_delay(fd);
    if (connect(fd, (const struct sockaddr *)&addr->storage, addr->len) < 0 && errno != EINPROGRESS) {
        enum err err = connect_err(errno);
        close(fd);
        return err;
    }
    return start(stream, loop, fd, true);
}

/* SO_ERROR 0 means connected, or that nothing is known yet; a socket that has a peer is connected. */
enum err
stream_connect_result(struct stream *stream)
{
    int         number = 0;
    socklen_t   len = sizeof number;
    struct addr peer;

    CHECK(stream_is_open(stream));
    if (!stream->connecting)
        return ERR_NONE;
    if (getsockopt(stream->watch.fd, SOL_SOCKET, SO_ERROR, &number, &len) < 0)
        number = errno;
    if (number != 0)
        return connect_err(number);
    if (stream_peer(stream, &peer) != ERR_NONE)
        return ERR_AGAIN;
    stream->connecting = false;
    return ERR_NONE;
}

/* ── bytes ── */

static enum err
read_result(ssize_t got_or_failed, size_t *got)
{
    *got = 0;
    if (got_or_failed < 0)
        return err_from_errno(errno);
    if (got_or_failed == 0)
        return ERR_CLOSED;
    *got = (size_t)got_or_failed;
    return ERR_NONE;
}

enum err
stream_read(struct stream *stream, void *into, size_t size, size_t *got)
{
    ssize_t n;

    CHECK(stream_is_open(stream) && size > 0);
    do
        n = recv(stream->watch.fd, into, size, 0);
    while (n < 0 && errno == EINTR);
    return read_result(n, got);
}

enum err
stream_readv(struct stream *stream, const struct iovec *into, int count, size_t *got)
{
    ssize_t n;

    CHECK(stream_is_open(stream) && count > 0 && count <= IOV_MAX);
    do
        n = readv(stream->watch.fd, into, count);
    while (n < 0 && errno == EINTR);
    return read_result(n, got);
}

enum err
stream_write(struct stream *stream, const struct iovec *from, int count, bool more, size_t *put)
{
    /* msg_iov is not const, but sendmsg does not write there. */
    struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)from, .msg_iovlen = (size_t)count };
    ssize_t       n;

    CHECK(stream_is_open(stream) && count > 0 && count <= IOV_MAX);
    do
        n = sendmsg(stream->watch.fd, &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    while (n < 0 && errno == EINTR);
    *put = n < 0 ? 0 : (size_t)n;
    return n < 0 ? err_from_errno(errno) : ERR_NONE;
}

/* ── ends ── */

/* A peer that is gone already makes it fail, which changes nothing. */
void
stream_shutdown(struct stream *stream)
{
    CHECK(stream_is_open(stream));
    (void)shutdown(stream->watch.fd, SHUT_WR);
}

void
stream_close(struct stream *stream)
{
    if (!stream_is_open(stream))
        return;
    loop_unwatch(stream->loop, &stream->watch);
    close(stream->watch.fd);
    stream->watch.fd = -1;
    stream->connecting = false;
}

/* A linger time of 0 makes close() send RST and drop what is unsent (RFC 9293 §3.10.5, ABORT). */
void
stream_abort(struct stream *stream)
{
    struct linger none = { .l_onoff = 1, .l_linger = 0 };

    if (stream_is_open(stream))
        (void)setsockopt(stream->watch.fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    stream_close(stream);
}

/* ── asking ── */

enum err
stream_peer(const struct stream *stream, struct addr *addr)
{
    CHECK(stream_is_open(stream));
    *addr = (struct addr){ .len = sizeof addr->storage };
    if (getpeername(stream->watch.fd, (struct sockaddr *)&addr->storage, &addr->len) < 0)
        return err_from_errno(errno);
    return ERR_NONE;
}

bool
stream_is_quiet(const struct stream *stream)
{
    char    byte;
    ssize_t n;

    CHECK(stream_is_open(stream));
    do
        n = recv(stream->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n < 0 && errno == EAGAIN;
}
