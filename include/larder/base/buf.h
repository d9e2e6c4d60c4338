/* buf.h: a buffer of fixed size for bytes on their way: filled at the end, consumed at the front.
 *
 *      mem ├── consumed ──┼── held: begin..end ──┼── room ──┤ cap
 *
 * The memory is lent by a slab (buf_lend) only while there is data, so an idle connection owns
 * none. Owner: the connection.
 */
#ifndef LARDER_BASE_BUF_H
#define LARDER_BASE_BUF_H

#include <larder/base/err.h>
#include <larder/base/slab.h>
#include <larder/base/span.h>

struct buf {
    char        *mem; /* NULL while nothing is lent */
    struct slab *slab;
    uint32_t     cap, begin, end;
};

/* A buffer whose memory comes from `slab`, one item at a time; nothing is lent yet. */
void buf_init(struct buf *buf, struct slab *slab);

/* Gives the memory back; what was held is lost. */
void buf_fini(struct buf *buf);

/* Makes sure that memory is lent. ERR_NO_MEMORY when the slab has none. */
MUST_CHECK enum err buf_lend(struct buf *buf);

/* Gives the memory back if nothing is held. */
void buf_return_if_empty(struct buf *buf);

static inline struct span
buf_held(const struct buf *buf)
{
    return (struct span){ buf->mem == NULL ? NULL : buf->mem + buf->begin, buf->end - buf->begin };
}

static inline size_t
buf_room(const struct buf *buf)
{
    return buf->cap - buf->end;
}

/* Where new bytes go; after writing n <= buf_room there, call buf_filled(n). */
static inline char *
buf_tail(struct buf *buf)
{
    return buf->mem + buf->end;
}

void buf_filled(struct buf *buf, size_t n);
void buf_consume(struct buf *buf, size_t n);

/* Moves what is held to the front, so that the room is one piece. Spans into the buffer go stale. */
void buf_compact(struct buf *buf);

/* Appends all of `bytes` or nothing: false when the room is too small. */
MUST_CHECK bool buf_append(struct buf *buf, struct span bytes);

#endif
