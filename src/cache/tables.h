/* tables.h: what the files of the cache share: its struct, and the tables of flights under way.
 *
 * A flight's table is chosen by the top bits of its digest, as its shard is, so all variants of a URL
 * are in one table: a purge finds them with one lock.
 */
#ifndef CACHE_TABLES_H
#define CACHE_TABLES_H

#include "recent.h"

#include <larder/base/list.h>
#include <larder/base/lock.h>
#include <larder/base/map.h>
#include <larder/cache/slice.h>

enum { FLIGHT_TABLES = 16 };

enum { PURGES_KEPT = 64 };

/* Guard: lock, but for `purges`, which may be read without. */
struct flight_table {
    struct lock      lock;
    struct map       flights;
    struct list      pending;             /* purges that were asked for and have not run */
    _Atomic uint64_t purges;              /* asked for so far */
    struct digest    purged[PURGES_KEPT]; /* the last of them: number n at n % PURGES_KEPT */
};

/* Frozen after cache_create, but for the tables. */
struct cache {
    struct store        *store;
    unsigned             workers;
    _Atomic unsigned     purging;     /* purges that have not run, in all tables */
    struct recent       *uncacheable; /* keys whose last answer could not be shared */
    struct recent       *troubled;    /* keys whose origin failed while something stale could stand in */
    struct flight_table  tables[FLIGHT_TABLES];
    struct cache_metrics metrics;
};

/* Store threads count together: what is rare. */
static inline void
cache_count(metric_cell *cell)
{
    atomic_fetch_add_explicit(cell, 1, memory_order_relaxed);
}

static inline struct flight_table *
cache_table(struct cache *cache, struct digest digest)
{
    return &cache->tables[digest.high >> 60];
}

struct flight {
    _Atomic unsigned          refs;
    _Atomic enum flight_phase phase;
    struct cache             *cache;
    struct store_key          primary, key; /* texts are ours; frozen */
    struct digest             name;         /* by which it is found: of `key`, but for the edition; frozen */
    bool                      may_store;    /* frozen */
    bool                      bare;         /* brings a head of slices and none of these; frozen */
    uint64_t                  purges;       /* of its table when it began; frozen */

    /* Guard: the table's lock */
    struct map_node node;
    bool            hooked;
    bool            doomed; /* purged: not to be stored */

    /* written by the leader before it changes the phase, frozen after */
    char          *kept; /* NULL: nothing; meta, vary and values are in it */
    struct span    meta;
    struct span    vary, values;
    struct verdict verdict;
    int64_t        length;
    struct fill   *fill;
    enum reason    reason;
    int            failure;
    char           detail[128];
    wall_time      refreshed_created;

    /* of a slice: the run that brings it; frozen before it is hooked */
    struct slice_run *run;
    uint64_t          number;
    _Atomic bool      stored; /* it has landed */

    /* of a body that is only whole while its run goes on: that one; frozen with the phase, or once `grown` is set */
    struct slice_run *feed;

    /* of a body that has grown into slices: `slicing` is frozen once `grown` is set; `complete` follows */
    struct slicing  slicing;
    _Atomic bool    grown;
    _Atomic int64_t complete;

    /* Guard: the table's lock; one slot per worker. Behind them are the texts of the keys */
    struct flight_port *ports[];
};

/* A new flight with one reference, not hooked; `key`: where its object stands. NULL when memory ends. */
struct flight *flight_create(struct cache *cache, const struct store_key *primary,
                             const struct store_key *key, struct digest name, bool may_store);

/* The table's lock is held. */
void           flight_hook(struct flight *flight);
struct flight *flight_find(struct flight_table *table, struct digest digest); /* no reference is taken */

/* Idempotent; takes the lock. */
void flight_unhook(struct flight *flight);

/* Marks all flights of the primary key as purged and unhooks them. Takes the lock. */
void flight_doom_all(struct cache *cache, struct digest primary);
/* Whether what it brings must not be stored: its key was purged since it began. */
bool flight_is_doomed(struct flight *flight);

/* Whether a purge of that primary key was asked for and has not run: what is stored is gone already. */
bool cache_is_purging(struct cache *cache, struct digest primary);
/* ── slice.c, of flights that are slices; others are left alone ── */

/* Around a landing, so that a run knows how many are under way. */
void slice_begin_landing(struct flight *flight);
void slice_end_landing(struct flight *flight);

/* The flight goes. */
void slice_forget_run(struct flight *flight);

#endif
