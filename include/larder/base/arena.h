/* arena.h: memory that is given back all at once.
 *
 * One arena per exchange: what belongs to the request is allocated here and never freed one by one.
 * Chunks come from a slab, so steady state touches no heap; what is larger than a chunk comes from
 * the heap and is freed with the arena. `limit` bounds what one request can make us hold.
 * Owner: the exchange (one thread).
 */
#ifndef LARDER_BASE_ARENA_H
#define LARDER_BASE_ARENA_H

#include <larder/base/slab.h>
#include <larder/base/span.h>

struct arena_chunk;

struct arena {
    struct slab        *slab;
    struct arena_chunk *newest;
    size_t              used, limit;
};

struct arena_mark {
    struct arena_chunk *chunk;
    size_t              chunk_used, used;
};

/* The item size of `slab` is the chunk size, at least 1 KiB. No memory is taken before the first alloc. */
void arena_init(struct arena *arena, struct slab *slab, size_t limit);

/* Gives everything back; the arena can be used again. */
void arena_reset(struct arena *arena);

/* 16-byte aligned, uninitialised; NULL over the limit or when memory ends. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of the bytes; a span with NULL pointer when memory ends. */
struct span arena_copy(struct arena *arena, struct span bytes);

/* All that was allocated after the mark is given back. Marks nest. */
struct arena_mark arena_mark(const struct arena *arena);
void              arena_release(struct arena *arena, struct arena_mark mark);

#endif
