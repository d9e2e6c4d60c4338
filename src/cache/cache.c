/* cache.c: creating the cache, and purging.
 *
 * A purge runs where landings run, on the store thread of the key's shard: flights under way are marked first, so that what they bring is
 * not stored, then the objects are taken out of the index. When `done` is called no request finds them any more.
 */
#include "tables.h"

#include <larder/base/check.h>
#include <larder/base/list.h>
#include <stdlib.h>

enum {
    RECENT_SLOTS = 65536,
    UNCACHEABLE_SECONDS = 120,
    TROUBLED_SECONDS = 5, /* between two tries at an origin that failed, while something stale stands in */
    FLIGHT_CHAINS = 64
};

static enum err
init_tables(struct cache *cache)
{
    for (unsigned i = 0; i < FLIGHT_TABLES; i++) {
        lock_init(&cache->tables[i].lock, LOCK_RANK_FLIGHT, "flights");
        list_init(&cache->tables[i].pending);
        enum err err = map_init(&cache->tables[i].flights, FLIGHT_CHAINS);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

enum err
cache_create(struct cache **out, const struct cache_config *config)
{
    struct cache *cache = calloc(1, sizeof *cache);
    *out = NULL;
    if (cache == NULL)
        return ERR_NO_MEMORY;
    cache->store = config->store;
    cache->workers = config->workers;
    size_t slots = config->recent_slots == 0 ? RECENT_SLOTS : config->recent_slots;
    cache->uncacheable = recent_create(slots, UNCACHEABLE_SECONDS);
    cache->troubled = recent_create(slots, TROUBLED_SECONDS);
    bool     tables = cache->uncacheable != NULL && cache->troubled != NULL;
    enum err err = tables ? init_tables(cache) : ERR_NO_MEMORY;
    *out = cache;
    if (err != ERR_NONE)
        cache_destroy(out);
    return err;
}

void
cache_destroy(struct cache **pointer)
{
    struct cache *cache = *pointer;
    *pointer = NULL;
    if (cache == NULL)
        return;
    for (unsigned i = 0; i < FLIGHT_TABLES && cache->tables[i].flights.chains != NULL; i++) {
        CHECK(cache->tables[i].flights.count == 0);
        map_fini(&cache->tables[i].flights);
        lock_fini(&cache->tables[i].lock);
    }
    recent_destroy(&cache->uncacheable);
    recent_destroy(&cache->troubled);
    free(cache);
}

struct store *
cache_store(struct cache *cache)
{
    return cache->store;
}

#define METRIC_TYPE_ struct cache_metrics
METRIC_TABLE(cache_metrics, "cache", CACHE_METRICS);

const struct cache_metrics *
cache_metrics_of(const struct cache *cache)
{
    return &cache->metrics;
}

/* An alias is only another way to a variant, and no object that anybody counts. */
static bool
remove_variant(struct store_writer *writer, const struct store_key *key)
{
    struct record record;
    struct object object;

    bool alias = writer_find(writer, key, &record) && object_read(record.meta, &object)
                 && (object.flags & OBJECT_ALIAS);
    return writer_remove(writer, key) && !alias;
}

/* The primary key is removed in any case: the store may have forgotten a record that lies in its files. Without
 * their marker variants are not found any more, named by it or not. */
static void
remove_all(struct cache_purge *purge, struct store_writer *writer)
{
    struct record record;
    struct object object;

    bool marker = writer_find(writer, &purge->key, &record) && object_read(record.meta, &object)
                  && (object.flags & OBJECT_MARKER);
    for (size_t i = 0; marker && i < object.variant_count; i++) {
        struct store_key variant = { object_variant(&object, i), SPAN_EMPTY };
        purge->removed += remove_variant(writer, &variant);
    }
    bool removed = writer_remove(writer, &purge->key);
    if (!marker)
        purge->removed += removed;
}

/* The purge is known from here on, before it runs: nobody is answered with what it will remove, and what is under way
 * now is not stored. */
static void
announce(struct cache *cache, struct cache_purge *purge)
{
    struct flight_table *table = cache_table(cache, purge->key.digest);

    lock_acquire(&table->lock);
    table->purged[atomic_load(&table->purges) % PURGES_KEPT] = purge->key.digest;
    atomic_fetch_add(&table->purges, 1);
    list_push_back(&table->pending, &purge->node);
    atomic_fetch_add(&cache->purging, 1);
    lock_release(&table->lock);
}

static void
withdraw(struct cache *cache, struct cache_purge *purge)
{
    struct flight_table *table = cache_table(cache, purge->key.digest);

    lock_acquire(&table->lock);
    list_remove(&purge->node);
    atomic_fetch_sub(&cache->purging, 1);
    lock_release(&table->lock);
}

bool
cache_is_purging(struct cache *cache, struct digest primary)
{
    struct flight_table *table = cache_table(cache, primary);
    bool                 found = false;

    if (atomic_load_explicit(&cache->purging, memory_order_relaxed) == 0)
        return false;
    lock_acquire(&table->lock);
    LIST_EACH(&table->pending, node)
    found = found || digest_equal(CONTAINER_OF(node, struct cache_purge, node)->key.digest, primary);
    lock_release(&table->lock);
    return found;
}

static void
purge_run(struct store_job *job, struct store_writer *writer)
{
    struct cache_purge *purge = CONTAINER_OF(job, struct cache_purge, job);

    if (purge->single) {
        purge->removed += writer_remove(writer, &purge->key);
    } else {
        flight_doom_all(purge->cache, purge->key.digest);
        remove_all(purge, writer);
        withdraw(purge->cache, purge);
    }
    purge->done(purge);
}

/* It costs no room: an invalidation must not be lost because much waits to be written. */
enum err
cache_purge(struct cache *cache, struct cache_purge *purge)
{
    purge->cache = cache;
    purge->removed = 0;
    purge->job = (struct store_job){ .cost = 0, .run = purge_run };
    list_init(&purge->node);
    if (!purge->single)
        announce(cache, purge);
    enum err err = store_submit(cache->store, purge->key.digest, &purge->job);
    if (err != ERR_NONE && !purge->single)
        withdraw(cache, purge);
    return err;
}
