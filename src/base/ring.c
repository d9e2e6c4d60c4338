/* ring.c: a head of 8 bytes before each record says how long it is, or that the rest of the bytes is skipped. */
#include <larder/base/ring.h>

#include <assert.h>
#include <larder/base/check.h>
#include <stdlib.h>

enum { ALIGN = 8, PART = 4 };

struct ring_head {
    uint32_t len;
    uint32_t skip; /* 1: no record */
};

static_assert(sizeof(struct ring_head) == ALIGN, "a head keeps the alignment");

static size_t
room_of(size_t len)
{
    return sizeof(struct ring_head) + (len + ALIGN - 1) / ALIGN * ALIGN;
}

static struct ring_head *
head_at(const struct ring *ring, uint64_t position)
{
    return (struct ring_head *)(void *)(ring->bytes + (position & (ring->size - 1)));
}

enum err
ring_init(struct ring *ring, size_t size)
{
    CHECK(size >= 64 && (size & (size - 1)) == 0 && size <= UINT32_MAX);
    *ring = (struct ring){ .size = size };
    ring->bytes = aligned_alloc(RING_LINE, size);
    return ring->bytes == NULL ? ERR_NO_MEMORY : ERR_NONE;
}

void
ring_fini(struct ring *ring)
{
    free(ring->bytes);
    ring->bytes = NULL;
}

/* ── the writer ── */

static bool
has_room(struct ring *ring, uint64_t end)
{
    if (end - ring->popped_seen <= ring->size)
        return true;
    ring->popped_seen = atomic_load_explicit(&ring->popped, memory_order_acquire);
    return end - ring->popped_seen <= ring->size;
}

void *
ring_reserve(struct ring *ring, size_t len)
{
    uint64_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t left = ring->size - (at & (ring->size - 1));
    size_t   room = room_of(len);

    if (len > ring->size / PART)
        return NULL;
    uint64_t start = room <= left ? at : at + left;
    if (!has_room(ring, start + room))
        return NULL;
    if (start != at)
        *head_at(ring, at) = (struct ring_head){ .len = (uint32_t)(left - sizeof(struct ring_head)), .skip = 1 };
    *head_at(ring, start) = (struct ring_head){ .len = (uint32_t)len };
    ring->reserved = start + room;
    return head_at(ring, start) + 1;
}

void
ring_push(struct ring *ring)
{
    CHECK(ring->reserved > atomic_load_explicit(&ring->written, memory_order_relaxed));
    atomic_store_explicit(&ring->written, ring->reserved, memory_order_release);
}

/* ── the reader ── */

static bool
has_more(struct ring *ring, uint64_t at)
{
    if (at == ring->written_seen)
        ring->written_seen = atomic_load_explicit(&ring->written, memory_order_acquire);
    return at != ring->written_seen;
}

struct span
ring_front(struct ring *ring)
{
    uint64_t at = atomic_load_explicit(&ring->popped, memory_order_relaxed);

    if (!has_more(ring, at))
        return SPAN_EMPTY;
    const struct ring_head *head = head_at(ring, at);
    if (head->skip) { /* what follows it was pushed with it */
        at += room_of(head->len);
        atomic_store_explicit(&ring->popped, at, memory_order_release);
        head = head_at(ring, at);
    }
    return span_of((const char *)(head + 1), head->len);
}

void
ring_pop(struct ring *ring)
{
    uint64_t at = atomic_load_explicit(&ring->popped, memory_order_relaxed);

    CHECK(at != ring->written_seen);
    atomic_store_explicit(&ring->popped, at + room_of(head_at(ring, at)->len), memory_order_release);
}
