/* blocklist.c: see blocklist.h. */
#include <larder/proxy/blocklist.h>

#include <larder/base/check.h>
#include <larder/base/lock.h>
#include <stdatomic.h>
#include <stdlib.h>

#define METRIC_TYPE_ struct blocklist_metrics
METRIC_TABLE(blocklist_metrics, "blocklist", BLOCKLIST_METRICS);

/* Frozen when it is current. */
struct generation {
    atomic_uint      references;
    struct networks *files[BLOCKLIST_FILES_MAX];
};

struct blocklists {
    struct lock                  lock;
    _Atomic(struct generation *) current;
    char                        *paths[BLOCKLIST_FILES_MAX];
    char                        *folders[BLOCKLIST_FILES_MAX];
    unsigned                     count;
    struct blocklist_metrics     metrics;
};

/* ── generations ── */

static struct generation *
make_generation(void)
{
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation != NULL)
        atomic_init(&generation->references, 1);
    return generation;
}

void
blocklist_release(struct generation **held)
{
    struct generation *generation = *held;

    *held = NULL;
    if (generation == NULL || atomic_fetch_sub_explicit(&generation->references, 1, memory_order_acq_rel) > 1)
        return;
    for (unsigned i = 0; i < BLOCKLIST_FILES_MAX; i++)
        networks_destroy(&generation->files[i]);
    free(generation);
}

/* What we hold cannot be freed, so no newer one can have its address. */
void
blocklist_renew(struct blocklists *blocklists, struct generation **held)
{
    if (atomic_load_explicit(&blocklists->current, memory_order_acquire) == *held)
        return;
    blocklist_release(held);
    lock_acquire(&blocklists->lock);
    *held = atomic_load_explicit(&blocklists->current, memory_order_relaxed);
    atomic_fetch_add_explicit(&(*held)->references, 1, memory_order_relaxed);
    lock_release(&blocklists->lock);
}

bool
blocklist_has(const struct generation *generation, unsigned file, const struct network *host)
{
    CHECK(file < BLOCKLIST_FILES_MAX);
    return networks_have(generation->files[file], host);
}

/* ── files ── */

enum err
blocklists_create(struct blocklists **out)
{
    struct blocklists *blocklists = calloc(1, sizeof *blocklists);
    struct generation *first = make_generation();

    *out = NULL;
    if (blocklists == NULL || first == NULL) {
        free(blocklists);
        free(first);
        return ERR_NO_MEMORY;
    }
    lock_init(&blocklists->lock, LOCK_RANK_CONTROL, "blocklists");
    atomic_init(&blocklists->current, first);
    *out = blocklists;
    return ERR_NONE;
}

/* "." for a file without one. */
static char *
folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static void
forget_path(struct blocklists *blocklists, unsigned file)
{
    free(blocklists->paths[file]);
    free(blocklists->folders[file]);
}

void
blocklists_destroy(struct blocklists **pointer)
{
    struct blocklists *blocklists = *pointer;

    *pointer = NULL;
    if (blocklists == NULL)
        return;
    struct generation *last = atomic_load_explicit(&blocklists->current, memory_order_relaxed);
    CHECK(atomic_load_explicit(&last->references, memory_order_acquire) == 1);
    blocklist_release(&last);
    for (unsigned i = 0; i < blocklists->count; i++)
        forget_path(blocklists, i);
    lock_fini(&blocklists->lock);
    free(blocklists);
}

static void
measure(struct blocklists *blocklists, const struct generation *generation)
{
    uint64_t networks = 0, bytes = 0;

    for (unsigned i = 0; i < blocklists->count; i++) {
        networks += networks_count(generation->files[i]);
        bytes += networks_memory(generation->files[i]);
    }
    metric_set(&blocklists->metrics.files, blocklists->count);
    metric_set(&blocklists->metrics.networks, networks);
    metric_set(&blocklists->metrics.bytes, bytes);
}

enum err
blocklists_add(struct blocklists *blocklists, const char *path, unsigned *file, struct fault *fault)
{
    struct generation *current = atomic_load_explicit(&blocklists->current, memory_order_relaxed);

    for (*file = 0; *file < blocklists->count; ++*file)
        if (strcmp(blocklists->paths[*file], path) == 0)
            return ERR_NONE;
    if (blocklists->count == BLOCKLIST_FILES_MAX)
        return fault_set(fault, ERR_LIMIT, "at most %d files of networks", BLOCKLIST_FILES_MAX);
    enum err err = networks_read_file(&current->files[*file], path, fault);
    if (err != ERR_NONE)
        return err;
    blocklists->paths[*file] = strdup(path);
    blocklists->folders[*file] = folder_of(path);
    if (blocklists->paths[*file] == NULL || blocklists->folders[*file] == NULL) {
        forget_path(blocklists, *file);
        networks_destroy(&current->files[*file]);
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    }
    blocklists->count++;
    measure(blocklists, current);
    return ERR_NONE;
}

static enum err
read_all(const struct blocklists *blocklists, struct generation *into, struct fault *fault)
{
    enum err err = ERR_NONE;

    for (unsigned i = 0; i < blocklists->count && err == ERR_NONE; i++)
        err = networks_read_file(&into->files[i], blocklists->paths[i], fault);
    return err;
}

enum err
blocklists_reload(struct blocklists *blocklists, struct fault *fault)
{
    struct generation *next = make_generation();

    enum err err =
        next == NULL ? fault_set(fault, ERR_NO_MEMORY, "out of memory") : read_all(blocklists, next, fault);
    if (err != ERR_NONE) {
        blocklist_release(&next);
        metric_add(&blocklists->metrics.reloads_failed, 1);
        return err;
    }
    measure(blocklists, next);
    lock_acquire(&blocklists->lock);
    struct generation *last = atomic_exchange_explicit(&blocklists->current, next, memory_order_release);
    lock_release(&blocklists->lock);
    blocklist_release(&last);
    metric_add(&blocklists->metrics.reloads, 1);
    return ERR_NONE;
}

const char *
blocklists_path(const struct blocklists *blocklists, unsigned file)
{
    return file < blocklists->count ? blocklists->paths[file] : NULL;
}

const char *
blocklists_folder(const struct blocklists *blocklists, unsigned file)
{
    return file < blocklists->count ? blocklists->folders[file] : NULL;
}

const struct blocklist_metrics *
blocklists_metrics(const struct blocklists *blocklists)
{
    return &blocklists->metrics;
}
