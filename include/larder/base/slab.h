/* slab.h: items of one size from one free list, for one thread.
 *
 * Items are carved from chunks of the general heap and go back to the free list, never to the heap
 * before slab_fini; memory is thus bounded by the largest number of items in use at once, which
 * `max` caps. Under AddressSanitizer free items are poisoned. Owner: one worker.
 */
#ifndef LARDER_BASE_SLAB_H
#define LARDER_BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct slab_item;
struct slab_chunk;

struct slab {
    struct slab_item  *unused;
    struct slab_chunk *chunks;
    size_t             item_size; /* rounded up to 16 */
    size_t             per_chunk;
    size_t             in_use, max;
};

/* `max` items at most, 0: no cap. */
void slab_init(struct slab *slab, size_t item_size, size_t max);

/* All items must be back. */
void slab_fini(struct slab *slab);

/* Uninitialised memory, 16-byte aligned; NULL when the cap is reached or the heap has none. */
void *slab_alloc(struct slab *slab);
void  slab_free(struct slab *slab, void *item);

#endif
