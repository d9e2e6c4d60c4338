/* arena.c: a stack of chunks; the newest is filled from its front.
 *
 * A request larger than a chunk gets a chunk of its own from the heap. Chunks keep the address of the one before them, so that
 * giving back means popping until a mark.
 */
#include <larder/base/arena.h>

#include <larder/base/check.h>
#include <stdlib.h>

enum { ALIGNMENT = 16 };

struct arena_chunk {
    struct arena_chunk *before;
    size_t              used, room;
    bool                from_heap;
    _Alignas(ALIGNMENT) char bytes[];
};

void
arena_init(struct arena *arena, struct slab *slab, size_t limit)
{
    CHECK(slab->item_size >= 1024);
    *arena = (struct arena){ .slab = slab, .limit = limit };
}

static void
pop(struct arena *arena)
{
    struct arena_chunk *chunk = arena->newest;
    arena->newest = chunk->before;
    if (chunk->from_heap)
        free(chunk);
    else
        slab_free(arena->slab, chunk);
}

void
arena_reset(struct arena *arena)
{
    while (arena->newest != NULL)
        pop(arena);
    arena->used = 0;
}

static bool
push(struct arena *arena, size_t size)
{
    size_t              usual = arena->slab->item_size - sizeof(struct arena_chunk);
    bool                large = size > usual;
    struct arena_chunk *chunk = large ? malloc(sizeof *chunk + size) : slab_alloc(arena->slab);

    if (chunk == NULL)
        return false;
    chunk->before = arena->newest;
    chunk->used = 0;
    chunk->room = large ? size : usual;
    chunk->from_heap = large;
    arena->newest = chunk;
    return true;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
    if (size > arena->limit)
        return NULL;
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded == 0)
        rounded = ALIGNMENT; /* each allocation has its own address */
    if (rounded > arena->limit - arena->used)
        return NULL;
    struct arena_chunk *chunk = arena->newest;
    if (chunk == NULL || chunk->room - chunk->used < rounded) {
        if (!push(arena, rounded))
            return NULL;
        chunk = arena->newest;
    }
    void *memory = chunk->bytes + chunk->used;
    chunk->used += rounded;
    arena->used += rounded;
    return memory;
}

struct span
arena_copy(struct arena *arena, struct span bytes)
{
    char *copy = arena_alloc(arena, bytes.len);
    if (copy == NULL)
        return SPAN_EMPTY;
    if (bytes.len > 0)
        memcpy(copy, bytes.at, bytes.len);
    return span_of(copy, bytes.len);
}

struct arena_mark
arena_mark(const struct arena *arena)
{
    return (struct arena_mark){ arena->newest, arena->newest == NULL ? 0 : arena->newest->used, arena->used };
}

void
arena_release(struct arena *arena, struct arena_mark mark)
{
    while (arena->newest != mark.chunk) {
        CHECK(arena->newest != NULL);
        pop(arena);
    }
    if (arena->newest != NULL)
        arena->newest->used = mark.chunk_used;
    arena->used = mark.used;
}
