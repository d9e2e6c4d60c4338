/* stream.h: a connected byte stream that never blocks: TCP or Unix socket, later TLS behind the same face.
 *
 *      ready ──▶ stream_read / stream_write until ERR_AGAIN ──▶ wait for ready
 *
 * A stream is embedded in its connection. `ready` tells of edges: readable, writable, broken; it may
 * also say so when nothing is there (read gives ERR_AGAIN). STREAM_END: the peer's end has come too, behind what can be
 * read, and no edge tells of it again. STREAM_BROKEN comes with both others: no byte goes
 * either way any more. It is the only sign of a reset after the peer's end, which reading does not tell. A connect that ends, well or not, is told as
 * STREAM_WRITE; stream_connect_result has the outcome. Owner: one loop.
 */
#ifndef LARDER_NET_STREAM_H
#define LARDER_NET_STREAM_H

#include <larder/net/addr.h>
#include <larder/net/loop.h>
#include <sys/uio.h>

enum stream_event { STREAM_READ = 1, STREAM_WRITE = 2, STREAM_BROKEN = 4, STREAM_END = 8 };

struct stream {
    struct watch watch; /* watch.fd is -1 while closed */
    struct loop *loop;
    void (*ready)(struct stream *stream, unsigned events); /* bits of stream_event */
    bool connecting;
};

/* A stream in the closed state, which stream_close leaves alone. */
void stream_init(struct stream *stream, void (*ready)(struct stream *stream, unsigned events));

/* Takes over a connected, non-blocking descriptor (closes it also on failure). TCP_NODELAY is set. */
MUST_CHECK enum err stream_open(struct stream *stream, struct loop *loop, int fd);

/* Starts to connect. ERR_NONE: under way, `ready` will tell. Any other: nothing is open. */
MUST_CHECK enum err stream_connect(struct stream *stream, struct loop *loop, const struct addr *addr);

/* ERR_AGAIN while under way, ERR_NONE when connected, else why not; then the caller closes. */
enum err stream_connect_result(struct stream *stream);

static inline bool
stream_is_open(const struct stream *stream)
{
    return stream->watch.fd >= 0;
}

/* Reads at most `size` bytes. ERR_NONE: *got > 0. ERR_AGAIN: wait. ERR_CLOSED: end of the peer's
 * bytes. ERR_RESET and others: broken. */
MUST_CHECK enum err stream_read(struct stream *stream, void *into, size_t size, size_t *got);
MUST_CHECK enum err stream_readv(struct stream *stream, const struct iovec *into, int count, size_t *got);

/* Writes what the socket takes. ERR_NONE with *put less than asked: now it is full, wait for STREAM_WRITE (or
 * call again, which will say so). ERR_AGAIN: *put is 0, wait. `more`: further bytes follow at once (MSG_MORE). Never raises SIGPIPE. */
MUST_CHECK enum err stream_write(struct stream *stream, const struct iovec *from, int count, bool more,
                                 size_t *put);

/* No more bytes from us; the peer reads an end. */
void stream_shutdown(struct stream *stream);

/* Closes; `abort`: with RST, so that the peer cannot take a cut answer for a whole one. Idempotent. */
void stream_close(struct stream *stream);
void stream_abort(struct stream *stream);

/* The peer, as accept or connect knew it. ERR_* when the socket no longer says. */
MUST_CHECK enum err stream_peer(const struct stream *stream, struct addr *addr);

/* True when a kept connection has nothing to read: neither an end nor stray bytes (recv MSG_PEEK). */
bool stream_is_quiet(const struct stream *stream);

#endif
