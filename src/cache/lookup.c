/* lookup.c: the path from a request to an object or a flight.
 *
 * A look is repeated when it finds that it must go elsewhere: a marker sends it to a variant's key, a flight that turns out to carry another variant
 * too, and an object that came between two looks is looked at again. Each time something has changed in the cache; LOOKS_MAX bounds
 * it, and who has bad luck that often goes to the origin alone.
 */
#include <larder/cache/lookup.h>

#include "tables.h"

#include <larder/base/check.h>
#include <larder/cache/vary.h>

enum { LOOKS_MAX = 8 };

enum look { LOOK_DONE, LOOK_AGAIN, LOOK_MISS, LOOK_NO_MEMORY };

struct looker {
    struct cache                *cache;
    unsigned                     reader;
    struct arena                *arena;
    const struct head           *request;
    const struct store_key      *primary;
    const struct cache_settings *settings;
    wall_time                    now;
    struct store_key             key; /* where we look now */
    struct lookup               *found;
};

static bool
has_credentials(const struct head *request, const struct cache_settings *settings)
{
    return (head_has(request, FIELD_COOKIE) && !settings->ignore_cookies)
           || head_has(request, FIELD_AUTHORIZATION);
}

/* Goes on with the variant that this request selects under `spec`. */
static enum look
turn_to_variant(struct looker *look, struct span spec)
{
    struct span values;
    look->found->vary = arena_copy(look->arena, spec);
    if (look->found->vary.at == NULL || vary_values(look->arena, look->request, spec, &values) != ERR_NONE
        || key_variant(look->arena, store_seed(look->cache->store), look->primary, values, &look->key)
               != ERR_NONE)
        return LOOK_NO_MEMORY;
    return LOOK_AGAIN;
}

static enum look
go_alone(struct looker *look, enum reason reason)
{
    lease_release(&look->found->lease);
    look->found->flight = flight_create(look->cache, look->primary, &look->key, true);
    look->found->reason = reason;
    look->found->result = LOOKUP_ALONE;
    return look->found->flight == NULL ? LOOK_NO_MEMORY : LOOK_DONE;
}

/* The store's answer: DONE for a fresh object; MISS with a lease for a stale one, without for none. */
static enum look
look_in_store(struct looker *look)
{
    struct lookup *found = look->found;

    if (!store_find(look->cache->store, look->reader, &look->key, look->now, &found->lease))
        return LOOK_MISS;
    if (!object_read(found->lease.record.meta, &found->object)) {
        lease_release(&found->lease);
        return LOOK_MISS;
    }
    if (found->object.flags & OBJECT_MARKER) {
        /* The spec is copied by vary_values, so the lease may go. */
        enum look next = turn_to_variant(look, found->object.vary);
        lease_release(&found->lease);
        return next;
    }
    if ((found->object.flags & OBJECT_IMPLICIT) && has_credentials(look->request, look->settings))
        return go_alone(look,
                        head_has(look->request, FIELD_AUTHORIZATION) ? REASON_AUTHORIZATION : REASON_COOKIE);
    if ((found->object.flags & OBJECT_ALWAYS_VALIDATE) || look->now.ns >= found->object.fresh_until.ns)
        return LOOK_MISS;
    found->result = LOOKUP_HIT;
    return LOOK_DONE;
}

enum lookup_fit
lookup_fits(struct arena *arena, const struct flight *flight, const struct head *request,
            const struct cache_settings *settings, struct span *values)
{
    *values = SPAN_EMPTY;
    if (flight_vary(flight).len > 0) {
        if (vary_values(arena, request, flight_vary(flight), values) != ERR_NONE)
            return FIT_NO_MEMORY;
        if (!flight_suits(flight, *values))
            return FIT_OTHER_VARIANT;
    }
    if (flight_verdict(flight)->implicit && has_credentials(request, settings))
        return FIT_CREDENTIALS;
    return FIT_YES;
}

/* A flight under our key is under way. Takes over the caller's reference. */
static enum look
join(struct looker *look, struct flight *flight)
{
    struct span values;

    if (flight_phase(flight) == FLIGHT_SHARED) {
        enum lookup_fit fit = lookup_fits(look->arena, flight, look->request, look->settings, &values);
        if (fit != FIT_YES) {
            enum look next = fit == FIT_OTHER_VARIANT ? turn_to_variant(look, flight_vary(flight))
                             : fit == FIT_CREDENTIALS ? go_alone(look, REASON_COOKIE)
                                                      : LOOK_NO_MEMORY;
            flight_release(&flight);
            return next;
        }
    }
    look->found->flight = flight;
    look->found->result = LOOKUP_FOLLOW;
    return LOOK_DONE;
}

/* Whether the store has something else by now than what we found: a flight landed in between. */
static bool
has_changed(struct looker *look)
{
    struct lease now;
    if (!store_find(look->cache->store, look->reader, &look->key, look->now, &now))
        return false;
    bool changed =
        look->found->lease.shard == NULL || now.record.created.ns != look->found->lease.record.created.ns;
    struct object object;
    if (look->found->lease.shard == NULL && !object_read(now.record.meta, &object))
        changed = false; /* unreadable then and now */
    lease_release(&now);
    return changed;
}

/* Joins the flight of our key, or starts it, in one step under the table's lock. */
static enum look
join_or_lead(struct looker *look)
{
    struct flight_table *table = cache_table(look->cache, look->key.digest);
    struct flight       *fresh = flight_create(look->cache, look->primary, &look->key, true);
    if (fresh == NULL)
        return LOOK_NO_MEMORY;

    lock_acquire(&table->lock);
    struct flight *under_way = flight_find(table, look->key.digest);
    bool           changed = under_way == NULL && has_changed(look);
    if (under_way != NULL)
        flight_acquire(under_way);
    else if (!changed)
        flight_hook(fresh);
    lock_release(&table->lock);

    if (under_way == NULL && !changed) {
        look->found->flight = fresh;
        look->found->result = LOOKUP_LEAD;
        return LOOK_DONE;
    }
    flight_release(&fresh);
    if (changed) {
        lease_release(&look->found->lease);
        return LOOK_AGAIN;
    }
    return join(look, under_way);
}

static enum look
look_once(struct looker *look)
{
    enum look next = look_in_store(look);
    if (next != LOOK_MISS)
        return next;
    if (uncacheable_knows(look->cache->uncacheable, look->key.digest, clock_mono()))
        return go_alone(look, REASON_KNOWN_UNCACHEABLE);
    return join_or_lead(look);
}

enum err
lookup_object(struct cache *cache, unsigned reader, struct arena *arena, const struct head *request,
              const struct store_key *primary, const struct cache_settings *settings, wall_time now,
              struct lookup *lookup)
{
    *lookup = (struct lookup){ .reason = REASON_NONE };
    struct looker look = { .cache = cache,
                           .reader = reader,
                           .arena = arena,
                           .request = request,
                           .primary = primary,
                           .settings = settings,
                           .now = now,
                           .key = *primary,
                           .found = lookup };
    enum look     next = LOOK_AGAIN;

    for (unsigned i = 0; next == LOOK_AGAIN; i++) {
        lease_release(&lookup->lease);
        next = i < LOOKS_MAX ? look_once(&look) : go_alone(&look, REASON_NONE);
    }
    if (next == LOOK_NO_MEMORY) {
        lease_release(&lookup->lease);
        return ERR_NO_MEMORY;
    }
    CHECK((lookup->result == LOOKUP_HIT) == (lookup->flight == NULL));
    return ERR_NONE;
}

struct flight *
lookup_alone(struct cache *cache, const struct store_key *primary, bool store)
{
    return flight_create(cache, primary, primary, store);
}
