/* store.c: a store is shards, the threads that write them, and perhaps a directory. See store.h for the
 * picture.
 *
 * Opening: shape ─▶ directory: lock, superblock ─▶ shards: file or memfd, allocated, mapped ─▶ threads.
 * What fails takes back all that came before it. Closing: no new jobs ─▶ recovery ends ─▶ queues run dry ─▶
 * threads end ─▶ shards ─▶ directory.
 */
#include "directory.h"
#include "guard.h"
#include "recover.h"
#include "report.h"
#include "shape.h"
#include "store_impl.h"
#include "store_open.h"
#include "thread.h"
#include "writer.h"

#include <larder/base/check.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define METRIC_TYPE_ struct store_metrics
METRIC_TABLE(store_metrics, "store", STORE_METRICS);

/* ── opening ── */

static const struct eviction *
eviction_of(const struct store_config *config)
{
    return config->eviction != NULL ? config->eviction : &eviction_sc;
}

static void
fill_super(struct store *store, const char *policy)
{
    struct super *super = &store->directory.super;

    super_read_boot(super->boot);
    policy_name(super->policy, policy);
    super->shards = le32_of(store->shape.shards);
    super->segment_size = le32_of(store->shape.segment_size);
    super->shard_size = le64_of((uint64_t)store->shape.segments * store->shape.segment_size);
}

/* A new name: what lies in the files is not this store's. */
static void
begin_empty(struct store *store)
{
    struct super    *super = &store->directory.super;
    struct hash_seed random;

    hash_seed_random(&random);
    memcpy(super->store, random.seed, sizeof super->store);
    super->begun = le64_of((uint64_t)(clock_wall().ns / NSEC_PER_MSEC));
    super->run = le64_of(1);
    store->continued = false;
}

static bool
has_our_shape(const struct store *store)
{
    const struct super *super = &store->directory.super;
    return le32_get(super->shards) == store->shape.shards
           && le32_get(super->segment_size) == store->shape.segment_size
           && le64_get(super->shard_size) == (uint64_t)store->shape.segments * store->shape.segment_size;
}

/* Why what is there is not taken over; NULL: it is. */
static const char *
why_empty(const struct store *store)
{
    const struct directory *directory = &store->directory;
    if (!directory->was_valid)
        return directory->other_format ? "it was written in another format" : "both superblocks are damaged";
    if (!has_our_shape(store))
        return "it was made for another size or number of workers";
    if (le64_get(directory->super.run) >= RECOVER_RUNS_MAX)
        return "it has been started too often";
    return NULL;
}

static void
take_over(struct store *store, const struct store_config *config)
{
    struct super *super = &store->directory.super;
    const char   *why = why_empty(store);
    char          policy[POLICY_NAME];

    policy_name(policy, eviction_of(config)->name);
    store->continued = why == NULL;
    store->was_clean = le32_get(super->flags) & SUPER_CLEAN;
    store->same_policy = memcmp(policy, super->policy, sizeof policy) == 0;
    if (why == NULL) {
        super->run = le64_of(le64_get(super->run) + 1);
        return;
    }
    if (store->directory.was_store)
        log_write(store->log, LOG_WARN, "store: %s: starting empty: %s", config->directory, why);
    begin_empty(store);
}

static enum err
open_directory(struct store *store, const struct store_config *config, struct fault *fault)
{
    const char *policy = eviction_of(config)->name;

    if (config->directory == NULL) {
        hash_seed_random(&store->seed);
        begin_empty(store);
        fill_super(store, policy);
        return ERR_NONE;
    }
    enum err err = directory_open(&store->directory, config->directory, fault);
    if (err != ERR_NONE)
        return err;
    store->on_disk = true;
    guard_install();
    memcpy(store->seed.seed, store->directory.super.seed, sizeof store->seed.seed);
    take_over(store, config);
    fill_super(store, policy);
    return directory_begin(&store->directory, fault);
}

static enum err
open_disk(struct store *store, unsigned number, struct disk *disk, struct fault *fault)
{
    uint64_t size = (uint64_t)store->shape.segments * store->shape.segment_size;
    char     name[DIRECTORY_NAME_SIZE];

    if (!store->on_disk)
        return disk_open_memory(disk, size, store->calls, fault);
    directory_shard_name(number, name);
    return disk_open_file(disk, store->directory.fd, store->directory.path, name, size, store->calls,
                          &store->made[number], fault);
}

/* One that has nothing to recover. */
static enum err
begin_shard(struct store *store, struct shard *shard, struct fault *fault)
{
    enum err err = ERR_NONE;

    shard->table.writes = recover_first_position(shard->run);
    if (store->on_disk)
        err = journal_create(&shard->journal, store->directory.path, 0, fault);
    atomic_store_explicit(&shard->recovered_all, true, memory_order_release);
    atomic_store_explicit(&shard->ready, true, memory_order_release);
    shard->reported = true; /* there is nothing to tell */
    return err;
}

static enum err
open_shard(struct store *store, unsigned number, const struct store_config *config, struct fault *fault)
{
    struct disk disk;
    enum err    err = open_disk(store, number, &disk, fault);
    if (err != ERR_NONE)
        return err;
    struct shard_config shard_config = { .eviction = eviction_of(config),
                                         .alpha = config->eviction != NULL ? config->alpha : EVICTION_ALPHA,
                                         .log = config->log,
                                         .store = store->directory.super.store,
                                         .boot = store->directory.super.boot,
                                         .number = number,
                                         .shards = store->shape.shards,
                                         .run = le64_get(store->directory.super.run),
                                         .was_clean = store->was_clean,
                                         .same_policy = store->same_policy,
                                         .directory = store->on_disk ? store->directory.fd : -1,
                                         .path = config->directory,
                                         .readers = config->readers,
                                         .cold = &store->cold,
                                         .segments = store->shape.segments,
                                         .segment_size = store->shape.segment_size };
    err = shard_create(&store->shards[number], disk, &shard_config);
    if (err != ERR_NONE)
        return fault_set(fault, err, "no memory for the index of the store");
    return store->continued ? ERR_NONE : begin_shard(store, store->shards[number], fault);
}

static enum err
open_shards(struct store *store, const struct store_config *config, struct fault *fault)
{
    enum err err = ERR_NONE;

    store->shards = calloc(store->shape.shards, sizeof(store->shards[0]));
    store->made = calloc(store->shape.shards, sizeof store->made[0]);
    if (store->shards == NULL || store->made == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "no memory for the store");
    if (store->on_disk)
        directory_tidy(&store->directory, store->shape.shards);
    for (unsigned i = 0; i < store->shape.shards && err == ERR_NONE; i++)
        err = open_shard(store, i, config, fault);
    store->report = (struct report){ .waiting = store->shape.shards,
                                     .began = clock_mono(),
                                     .shards = store->shards,
                                     .count = store->shape.shards,
                                     .log = store->log };
    return err;
}

static enum err
start_threads(struct store *store, struct fault *fault)
{
    unsigned each = store->shape.shards / store->shape.threads;
    enum err err = ERR_NONE;

    store->threads = calloc(store->shape.threads, sizeof store->threads[0]);
    if (store->threads == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "no memory for the store");
    for (unsigned i = 0; i < store->shape.threads && err == ERR_NONE; i++) {
        struct store_thread *thread = &store->threads[i];
        thread->shards = &store->shards[i * each];
        thread->count = each;
        thread->shards_all = store->shape.shards;
        thread->waiting = &store->waiting;
        thread->report = &store->report;
        err = store_thread_start(thread, fault);
    }
    return err;
}

/* What earlier runs stored is found again while the store is in use. */
static enum err
start_recovery(struct store *store, const struct store_config *config, struct fault *fault)
{
    if (!store->continued)
        return ERR_NONE;
    store->restart = (struct restart){ .shards = store->shards, .count = store->shape.shards };
    store->restart.writers = store->threads;
    store->restart.each = store->shape.shards / store->shape.threads;
    return restart_begin(&store->restart, config->readers, fault);
}

static void
stop_threads(struct store *store)
{
    restart_end(&store->restart);
    for (unsigned i = 0; store->threads != NULL && i < store->shape.threads; i++)
        store_thread_stop(&store->threads[i]);
}

static void
destroy_shards(struct store *store)
{
    for (unsigned i = 0; store->shards != NULL && i < store->shape.shards; i++)
        shard_destroy(&store->shards[i]);
}

static void
free_all(struct store **store)
{
    free((*store)->threads);
    free((*store)->shards);
    free((*store)->made);
    free(*store);
    *store = NULL;
}

/* Opening failed: files that were not there before go. */
static void
take_back(struct store *store)
{
    char name[DIRECTORY_NAME_SIZE];

    stop_threads(store);
    cold_pool_stop(&store->cold);
    destroy_shards(store);
    if (!store->on_disk)
        return;
    for (unsigned i = 0; store->made != NULL && i < store->shape.shards; i++) {
        directory_shard_name(i, name);
        if (!store->made[i])
            continue;
        unlinkat(store->directory.fd, name, 0);
        directory_journal_name(i, name);
        unlinkat(store->directory.fd, name, 0);
        directory_snapshot_name(i, name);
        unlinkat(store->directory.fd, name, 0);
    }
    directory_abandon(&store->directory);
    directory_close(&store->directory);
}

enum err
store_open_with(struct store **opened, const struct store_config *config, const struct disk_calls *calls,
                struct fault *fault)
{
    struct shape shape;
    CHECK(config->readers >= 1);
    enum err err = shape_of(config->size, config->readers, &shape, fault);
    if (err != ERR_NONE)
        return err;
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "no memory for the store");
    store->shape = shape;
    store->calls = calls;
    store->log = config->log;
    err = open_directory(store, config, fault);
    if (err == ERR_NONE)
        err = open_shards(store, config, fault);
    hash_seed_expand(&store->seed);
    if (err == ERR_NONE)
        err = cold_pool_start(&store->cold, config->readers, config->cold_kept, fault);
    if (err == ERR_NONE)
        err = start_threads(store, fault);
    if (err == ERR_NONE)
        err = start_recovery(store, config, fault);
    if (err != ERR_NONE) {
        take_back(store);
        free_all(&store);
        return err;
    }
    report_opened(config, &store->shape, eviction_of(config)->name);
    *opened = store;
    return ERR_NONE;
}

enum err
store_open(struct store **store, const struct store_config *config, struct fault *fault)
{
    return store_open_with(store, config, &disk_calls_real, fault);
}

void
store_close(struct store **closed)
{
    struct store *store = *closed;
    if (store == NULL)
        return;
    atomic_store(&store->stopping, true);
    while (atomic_load(&store->submitting) > 0)
        sched_yield(); /* a few instructions each */
    stop_threads(store);
    cold_pool_stop(&store->cold);
    destroy_shards(store);
    if (store->on_disk) {
        directory_finish(&store->directory, store->log);
        directory_close(&store->directory);
    }
    free_all(closed);
}

/* ── what the server asks ── */

const struct hash_seed *
store_seed(const struct store *store)
{
    return &store->seed;
}

size_t
store_record_max(const struct store *store)
{
    return layout_record_max(store->shape.segment_size);
}

unsigned
store_metrics_count(const struct store *store)
{
    return store->shape.shards;
}

const struct store_metrics *
store_metrics_of(const struct store *store, unsigned index)
{
    CHECK(index < store->shape.shards);
    return &store->shards[index]->metrics;
}

/* ── jobs ── */

static bool
take_room(struct store *store, size_t cost)
{
    uint64_t before = atomic_fetch_add_explicit(&store->waiting, cost, memory_order_relaxed);
    if (before == 0 || cost == 0 || before + cost <= store->shape.waiting_max)
        return true;
    atomic_fetch_sub_explicit(&store->waiting, cost, memory_order_relaxed);
    return false;
}

static enum err
submit(struct store *store, unsigned number, struct store_job *job)
{
    struct shard *shard = store->shards[number];

    if (atomic_load(&store->stopping))
        return ERR_STOPPING;
    if (!take_room(store, job->cost)) {
        /* Any thread comes here, so this one cell is added to atomically. */
        atomic_fetch_add_explicit(&shard->metrics.rejected, 1, memory_order_relaxed);
        return ERR_FULL;
    }
    queue_push(&shard->jobs, &job->node);
    store_thread_wake(&store->threads[number / (store->shape.shards / store->shape.threads)]);
    return ERR_NONE;
}

/* Counted in and out, so that closing knows when the last one is through. */
enum err
store_submit(struct store *store, struct digest digest, struct store_job *job)
{
    atomic_fetch_add(&store->submitting, 1);
    enum err err = submit(store, shard_of_digest(digest, store->shape.shards), job);
    atomic_fetch_sub(&store->submitting, 1);
    return err;
}
