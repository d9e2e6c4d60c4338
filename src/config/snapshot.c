/* snapshot.c: a snapshot and all it holds are one block and one arena. */
#include "snapshot_impl.h"

#include <larder/base/check.h>
#include <stdlib.h>

enum { CHUNK = 4096, LIMIT = 64 << 20 };

struct snapshot *
snapshot_create(void)
{
    struct snapshot_memory *memory = calloc(1, sizeof *memory);
    if (memory == NULL)
        return NULL;
    atomic_init(&memory->references, 1);
    slab_init(&memory->slab, CHUNK, 0);
    arena_init(&memory->arena, &memory->slab, LIMIT);
    memory->snapshot.memory = memory;
    option_defaults(&proxy_options, &memory->snapshot.limits);
    memory->snapshot.settings.admin_group = (gid_t)-1;
    memory->snapshot.settings.eviction = &eviction_sc;
    memory->snapshot.settings.eviction_alpha = EVICTION_ALPHA;
    return &memory->snapshot;
}

void *
snapshot_alloc(struct snapshot *snapshot, size_t size)
{
    void *at = arena_alloc(&snapshot->memory->arena, size == 0 ? 1 : size);
    if (at != NULL)
        memset(at, 0, size);
    return at;
}

char *
snapshot_text(struct snapshot *snapshot, struct span text)
{
    char *copy = snapshot_alloc(snapshot, text.len + 1);
    if (copy != NULL && text.len > 0)
        memcpy(copy, text.at, text.len);
    return copy;
}

struct snapshot *
snapshot_acquire(struct snapshot *snapshot)
{
    unsigned before = atomic_fetch_add_explicit(&snapshot->memory->references, 1, memory_order_relaxed);
    CHECK(before > 0);
    return snapshot;
}

void
snapshot_release(struct snapshot **pointer)
{
    struct snapshot *snapshot = *pointer;
    *pointer = NULL;
    if (snapshot == NULL
        || atomic_fetch_sub_explicit(&snapshot->memory->references, 1, memory_order_acq_rel) > 1)
        return;
    struct snapshot_memory *memory = snapshot->memory;
    for (size_t i = 0; i < snapshot->sites.count; i++) {
        struct site *site = &snapshot->sites.sites[i];
        if (site->pool != NULL)
            pool_release(&site->pool);
        if (site->deny != NULL)
            networks_destroy(&site->deny->from);
    }
    networks_destroy(&snapshot->trust);
    blocklists_destroy(&snapshot->blocklists);
    arena_reset(&memory->arena);
    slab_fini(&memory->slab);
    free(memory);
}
