/* shape.c: see shape.h.
 *
 * Shards: one for each reader, at most 16 (more cost hits: each evicts on its own), and none under 64 MiB.
 * Segments: a record is as long as one at most, so they are as large as they may be: 8 MiB, or what leaves 128 of
 * them in a shard, but not under 1 MiB, since eviction wants that many (bench/RESULTS.md: what fewer cost). A small
 * store makes do with 64, and shorter records, but not under 256 KiB: what is longer than a record is many, and the
 * loss of one breaks it.
 */
#include "shape.h"
#include "index.h"

#include <larder/base/units.h>
#include <larder/storage/store.h>

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

enum { SHARDS_MOST = 16, SEGMENTS_WANTED = 128, SEGMENTS_LEAST = 64, SHARDS_PER_THREAD = 4, THREADS_MOST = 4 };

static unsigned
shards_of(uint64_t size, unsigned readers)
{
    unsigned shards = 1;
    while (shards < readers && shards < SHARDS_MOST && size / (2 * shards) >= 64 * MIB)
        shards *= 2;
    return shards;
}

static uint32_t
segment_size_of(uint64_t shard_size)
{
    uint64_t size = 8 * MIB;
    while (shard_size / size < SEGMENTS_WANTED && size > MIB)
        size /= 2;
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
