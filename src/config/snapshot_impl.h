/* snapshot_impl.h: the memory of a snapshot, while it is built. */
#ifndef CONFIG_SNAPSHOT_IMPL_H
#define CONFIG_SNAPSHOT_IMPL_H

#include <larder/base/arena.h>
#include <larder/config/snapshot.h>
#include <stdatomic.h>

struct snapshot_memory {
    struct snapshot snapshot;
    atomic_uint     references;
    struct slab     slab;
    struct arena    arena;
};

/* An empty snapshot with one reference and the options' defaults; NULL when memory ends. */
struct snapshot *snapshot_create(void);

/* Zeroed memory that lives as long as the snapshot; NULL when memory ends. */
void *snapshot_alloc(struct snapshot *snapshot, size_t size);

/* A copy with a NUL behind it. */
char *snapshot_text(struct snapshot *snapshot, struct span text);

#endif
