/* buf.c: lending, filling and consuming a buffer. */
#include <larder/base/buf.h>

#include <larder/base/check.h>

void
buf_init(struct buf *buf, struct slab *slab)
{
    *buf = (struct buf){ .slab = slab };
}

static void
give_back(struct buf *buf)
{
    slab_free(buf->slab, buf->mem);
    *buf = (struct buf){ .slab = buf->slab };
}

void
buf_fini(struct buf *buf)
{
    if (buf->mem != NULL)
        give_back(buf);
}

enum err
buf_lend(struct buf *buf)
{
    if (buf->mem != NULL)
        return ERR_NONE;
    buf->mem = slab_alloc(buf->slab);
    if (buf->mem == NULL)
        return ERR_NO_MEMORY;
    buf->cap = (uint32_t)buf->slab->item_size;
    return ERR_NONE;
}

void
buf_return_if_empty(struct buf *buf)
{
    if (buf->mem != NULL && buf->begin == buf->end)
        give_back(buf);
}

void
buf_filled(struct buf *buf, size_t n)
{
    CHECK(n <= buf_room(buf));
    buf->end += (uint32_t)n;
}

/* What is consumed stays readable until the next buf_compact: callers hold spans into it. */
void
buf_consume(struct buf *buf, size_t n)
{
    CHECK(n <= buf->end - buf->begin);
    buf->begin += (uint32_t)n;
}

void
buf_compact(struct buf *buf)
{
    if (buf->begin == 0)
        return;
    memmove(buf->mem, buf->mem + buf->begin, buf->end - buf->begin);
    buf->end -= buf->begin;
    buf->begin = 0;
}

bool
buf_append(struct buf *buf, struct span bytes)
{
    if (bytes.len > buf_room(buf))
        return false;
    if (bytes.len > 0)
        memcpy(buf->mem + buf->end, bytes.at, bytes.len);
    buf->end += (uint32_t)bytes.len;
    return true;
}
