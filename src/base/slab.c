/* slab.c: chunks of items, and a list of those that are free.
 *
 * A chunk is about 64 KiB, or four items if these are large. The free list runs through the items
 * themselves; AddressSanitizer is told that the rest of a free item is nobody's.
 */
#include <larder/base/slab.h>

#include <larder/base/check.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_POISONS 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SLAB_POISONS 1
#endif

#ifdef SLAB_POISONS
#include <sanitizer/asan_interface.h>
#define POISON(at, size) ASAN_POISON_MEMORY_REGION(at, size)
#define UNPOISON(at, size) ASAN_UNPOISON_MEMORY_REGION(at, size)
#else
#define POISON(at, size) ((void)(at), (void)(size))
#define UNPOISON(at, size) ((void)(at), (void)(size))
#endif

enum { CHUNK_SIZE = 64 * 1024, ITEMS_LEAST = 4, ALIGNMENT = 16 };

struct slab_item {
    struct slab_item *next;
};

struct slab_chunk {
    struct slab_chunk *next;
    _Alignas(ALIGNMENT) char items[];
};

void
slab_init(struct slab *slab, size_t item_size, size_t max)
{
    size_t size = (item_size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    CHECK(size > 0);
    size_t per_chunk = CHUNK_SIZE / size;
    *slab = (struct slab){ .item_size = size,
                           .per_chunk = per_chunk < ITEMS_LEAST ? ITEMS_LEAST : per_chunk,
                           .max = max };
}

void
slab_fini(struct slab *slab)
{
    CHECK(slab->in_use == 0);
    while (slab->chunks != NULL) {
        struct slab_chunk *chunk = slab->chunks;
        slab->chunks = chunk->next;
        UNPOISON(chunk->items, slab->per_chunk * slab->item_size);
        free(chunk);
    }
    slab->unused = NULL;
}

static void
put(struct slab *slab, struct slab_item *item)
{
    item->next = slab->unused;
    slab->unused = item;
    POISON(item, slab->item_size);
}

static int
add_chunk(struct slab *slab)
{
    struct slab_chunk *chunk = malloc(sizeof *chunk + slab->per_chunk * slab->item_size);
    if (chunk == NULL)
        return 0;
    chunk->next = slab->chunks;
    slab->chunks = chunk;
    for (size_t i = slab->per_chunk; i-- > 0;)
        put(slab, (struct slab_item *)(void *)(chunk->items + i * slab->item_size));
    return 1;
}

void *
slab_alloc(struct slab *slab)
{
    if (slab->max > 0 && slab->in_use == slab->max)
        return NULL;
    if (slab->unused == NULL && !add_chunk(slab))
        return NULL;
    struct slab_item *item = slab->unused;
    UNPOISON(item, slab->item_size);
    slab->unused = item->next;
    slab->in_use++;
    return item;
}

void
slab_free(struct slab *slab, void *item)
{
    CHECK(slab->in_use > 0);
    slab->in_use--;
    put(slab, item);
}
