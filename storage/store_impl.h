/* store_impl.h: the store, for the two files that it is made of: store.c (its life, and jobs) and find.c (what
 * readers ask).
 */
#ifndef LARDER_STORAGE_STORE_IMPL_H
#define LARDER_STORAGE_STORE_IMPL_H

#include "cold.h"
#include "directory.h"
#include "report.h"
#include "restart.h"
#include "shape.h"

/* Frozen after opening, but for the atomics. */
struct store {
    struct shape             shape;
    struct hash_seed         seed;
    const struct disk_calls *calls;
    struct shard           **shards;
    bool                    *made; /* which shard files were not there before */
    struct store_thread     *threads;
    struct restart           restart;
    struct directory         directory;
    struct report            report;
    struct cold_pool         cold;
    bool                     on_disk;
    bool                     continued; /* what an earlier run stored is read */
    bool                     was_clean, same_policy;
    struct log              *log;

    _Atomic uint64_t waiting;    /* bytes of jobs not yet run */
    _Atomic uint32_t submitting; /* threads inside store_submit */
    atomic_bool      stopping;
};

#endif
