/* stream.c: a socket that never blocks. */
#include <larder/net/stream.h>

#include <errno.h>
#include <larder/base/check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

void
stream_init(struct stream *stream, void (*ready)(struct stream *stream, unsigned events))
{
    *stream = (struct stream){ .watch = { .fd = -1 }, .ready = ready };
}

static void
handle_ready(struct watch *watch, unsigned events)
{
    struct stream *stream = CONTAINER_OF(watch, struct stream, watch);
    unsigned       told = 0;

    if (events & (WATCH_READ | WATCH_ERROR))
        told |= STREAM_READ;
    if (events & (WATCH_WRITE | WATCH_ERROR))
        told |= STREAM_WRITE;
    stream->ready(stream, told);
}

/* Answers go out at once: whole messages are written with one call, so nothing is gained by waiting (Nagle). Unix sockets have no such option. */
static void
set_no_delay(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static enum err
start(struct stream *stream, struct loop *loop, int fd)
{
    stream->watch = (struct watch){ .fd = fd, .ready = handle_ready };
    stream->loop = loop;
    enum err err = loop_watch(loop, &stream->watch);
    if (err != ERR_NONE) {
        close(fd);
        stream->watch.fd = -1;
    }
    return err;
}

enum err
stream_open(struct stream *stream, struct loop *loop, int fd)
{
    CHECK(!stream_is_open(stream));
    set_no_delay(fd);
    stream->connecting = false;
    return start(stream, loop, fd);
}

enum err
stream_connect(struct stream *stream, struct loop *loop, const struct addr *addr)
{
    CHECK(!stream_is_open(stream));
    int fd = socket(addr->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_from_errno(errno);
    set_no_delay(fd);
    if (connect(fd, (const struct sockaddr *)&addr->storage, addr->len) != 0 && errno != EINPROGRESS) {
        enum err err = err_from_errno(errno);
        close(fd);
        return err == ERR_AGAIN ? ERR_REFUSED : err; /* a Unix socket whose backlog is full */
    }
    stream->connecting = true;
    return start(stream, loop, fd);
}

enum err
stream_connect_result(struct stream *stream)
{
    int       number = 0;
    socklen_t len = sizeof number;

    if (!stream->connecting)
        return ERR_NONE;
    if (getsockopt(stream->watch.fd, SOL_SOCKET, SO_ERROR, &number, &len) != 0)
        number = errno;
    if (number != 0)
        return err_from_errno(number);
    struct addr peer;
    if (stream_peer(stream, &peer) != ERR_NONE)
        return ERR_AGAIN;
    stream->connecting = false;
    return ERR_NONE;
}

enum err
stream_readv(struct stream *stream, const struct iovec *into, int count, size_t *got)
{
    ssize_t n;

    *got = 0;
    do
        n = readv(stream->watch.fd, into, count);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return ERR_CLOSED;
    if (n < 0)
        return err_from_errno(errno);
    *got = (size_t)n;
    return ERR_NONE;
}

enum err
stream_read(struct stream *stream, void *into, size_t size, size_t *got)
{
    ssize_t n;

    *got = 0;
    do
        n = recv(stream->watch.fd, into, size, 0);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return ERR_CLOSED;
    if (n < 0)
        return err_from_errno(errno);
    *got = (size_t)n;
    return ERR_NONE;
}

enum err
stream_write(struct stream *stream, const struct iovec *from, int count, bool more, size_t *put)
{
    struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)from, .msg_iovlen = (size_t)count };
    ssize_t       n;

    *put = 0;
    do
        n = sendmsg(stream->watch.fd, &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_from_errno(errno);
    *put = (size_t)n;
    return ERR_NONE;
}

void
stream_shutdown(struct stream *stream)
{
    shutdown(stream->watch.fd, SHUT_WR); /* a peer that is gone already is told nothing */
}

void
stream_close(struct stream *stream)
{
    if (!stream_is_open(stream))
        return;
    loop_unwatch(stream->loop, &stream->watch);
    close(stream->watch.fd);
    stream->watch.fd = -1;
}

void
stream_abort(struct stream *stream)
{
    struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

    if (stream_is_open(stream))
        setsockopt(stream->watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    stream_close(stream);
}

enum err
stream_peer(const struct stream *stream, struct addr *addr)
{
    addr->len = sizeof addr->storage;
    if (getpeername(stream->watch.fd, (struct sockaddr *)&addr->storage, &addr->len) != 0)
        return err_from_errno(errno);
    return ERR_NONE;
}

bool
stream_is_quiet(const struct stream *stream)
{
    char byte;
    return recv(stream->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}
