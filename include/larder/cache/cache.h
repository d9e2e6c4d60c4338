/* cache.h: the cache as one thing: the store, the flights over it, and the table of what cannot be cached.
 *
 *      lookup ─┬─ fresh object ───────────────▶ lease
 *              ├─ stale object ──▶ flight that revalidates
 *              ├─ flight under way ──▶ join it
 *              └─ nothing ──▶ flight to lead, or alone when the key is known as uncacheable
 *
 * One cache per process, shared by all workers. Not here: how an answer is fetched (origin), and how it is sent (proxy).
 */
#ifndef LARDER_CACHE_CACHE_H
#define LARDER_CACHE_CACHE_H

#include <larder/base/err.h>
#include <larder/base/list.h>
#include <larder/base/metric.h>
#include <larder/storage/store.h>

struct cache;

struct cache_config {
    struct store *store; /* stays the caller's; outlives the cache */
    unsigned      workers;
    size_t
        recent_slots; /* of the tables of uncacheable keys and failed ones, a power of two; 0: the default, 65536 */
};

MUST_CHECK enum err cache_create(struct cache **cache, const struct cache_config *config);

/* All flights must be over, and the store closed before (its jobs refer to us). */
void cache_destroy(struct cache **cache);

struct store *cache_store(struct cache *cache);

#define CACHE_METRICS(X)                                                                                     \
    X(flights, GAUGE, "fetches", "Fetches that others can join: under way, or brought and not yet stored.")  \
    X(variants_dropped, COUNTER, "objects", "Variants that were dropped because their URL had too many.")    \
    X(slices_in_memory, GAUGE, "slices",                                                                     \
      "Slices that arrive, wait to be written, or are still read from there.")

METRIC_STRUCT(cache_metrics, CACHE_METRICS);

const struct cache_metrics *cache_metrics_of(const struct cache *cache);

/* A purge: the objects of a primary key, all variants, and flights under way for it (they are answered, but not
 * stored, and nobody joins them any more). From this call on nobody is answered with what was stored before. Runs on the store thread; `done` is called there, once, with the number of
 * objects that were removed. Any thread. ERR_FULL, ERR_STOPPING: not taken, `done` is not called. */
struct cache_purge {
    struct store_job job;  /* private */
    struct list      node; /* private */
    struct cache    *cache;
    struct store_key key;    /* the text must live until `done` */
    bool             single; /* only the record of just this key: no variants, and no flights */
    unsigned         removed;
    void (*done)(struct cache_purge *purge);
};
MUST_CHECK enum err cache_purge(struct cache *cache, struct cache_purge *purge);

#endif
