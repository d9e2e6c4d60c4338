/* shape.h: from the size that the operator gives to shards, segments and threads.
 *
 *      8M ▶ 1 shard × 32 segments × 256 KiB
 *      256M for 2 readers ▶ 2 × 128 × 1 MiB         64G for 8 ▶ 8 × 1024 × 8 MiB
 */
#ifndef LARDER_STORAGE_SHAPE_H
#define LARDER_STORAGE_SHAPE_H

#include <larder/base/err.h>
#include <stddef.h>
#include <stdint.h>

struct shape {
    unsigned shards; /* a power of two */
    unsigned threads;
    uint32_t segments, segment_size; /* of each shard */
    size_t   waiting_max;            /* bytes of jobs that may wait */
};

/* The part of `size` that makes no whole segment in each shard is not used. */
MUST_CHECK enum err shape_of(uint64_t size, unsigned readers, struct shape *shape, struct fault *fault);

#endif
