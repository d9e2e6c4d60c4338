/* shape.c: see shape.h.
 *
 * Shards: two for each reader, so that two rarely want one lock, but 4 to 16 (more cost hits: each
 * evicts on its own), and none under 64 MiB. Segments: large ones waste less and are written in longer runs,
 * but eviction wants at least 64, better 256 of them in a shard.
 */
#include "shape.h"
#include "index.h"

#include <larder/base/units.h>
#include <larder/storage/store.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

enum { SHARDS_LEAST = 4, SHARDS_MOST = 16, SEGMENTS_LEAST = 16, SHARDS_PER_THREAD = 4, THREADS_MOST = 4 };

static unsigned
shards_of(uint64_t size, unsigned readers)
{
    unsigned wanted = SHARDS_LEAST, shards = 1;
    while (wanted < 2 * readers && wanted < SHARDS_MOST)
        wanted *= 2;
    while (shards < wanted && size / (2 * shards) >= 64 * MIB)
        shards *= 2;
    return shards;
}

static uint32_t
segment_size_of(uint64_t shard_size)
{
    uint64_t size = shard_size >= 2 * GIB ? 8 * MIB : MIB;
    while (shard_size / size < SEGMENTS_LEAST && size > 256 * KIB)
        size /= 2;
    return (uint32_t)size;
}

enum err
shape_of(uint64_t size, unsigned readers, struct shape *shape, struct fault *fault)
{
    char text[UNITS_TEXT_SIZE];

    if (size < STORE_SIZE_MIN)
        return fault_set(fault, ERR_RANGE, "a store of %s is too small: it must have 8M at least",
                         units_format_size(size, text));
    unsigned shards = shards_of(size, readers);
    uint64_t segment_size = segment_size_of(size / shards);
    uint64_t segments = size / shards / segment_size;
    if (segments > INDEX_SEGMENTS_MAX)
        return fault_set(fault, ERR_RANGE, "a store of %s is too large", units_format_size(size, text));
    unsigned threads = shards / SHARDS_PER_THREAD;
    *shape = (struct shape){ .shards = shards,
                             .threads = threads < 1 ? 1 : threads > THREADS_MOST ? THREADS_MOST : threads,
                             .segments = (uint32_t)segments,
                             .segment_size = (uint32_t)segment_size,
                             .waiting_max = size / 16 > 32 * MIB ? size / 16 : 32 * MIB };
    return ERR_NONE;
}
