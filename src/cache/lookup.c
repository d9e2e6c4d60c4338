/* lookup.c: the path from a request to an object or a flight.
 *
 * A look is repeated when it finds that it must go elsewhere: a marker sends it to a variant's key, a flight that turns out to carry another variant
 * too, and an object that came between two looks is looked at again. Each time something has changed in the cache; LOOKS_MAX bounds
 * it, and who has bad luck that often goes to the origin alone.
 */
#include <larder/cache/lookup.h>

#include "tables.h"

#include <larder/base/check.h>
#include <larder/cache/reuse.h>
#include <larder/cache/vary.h>

enum { LOOKS_MAX = 8 };

enum look { LOOK_DONE, LOOK_AGAIN, LOOK_MISS, LOOK_COLD, LOOK_NO_MEMORY };

struct looker {
    struct cache                 *cache;
    unsigned                      reader;
    struct arena                 *arena;
    const struct lookup_question *asked;
    const struct head            *request;
    const struct store_key       *primary;
    const struct cache_settings  *settings;
    wall_time                     now;
    struct store_key              key;   /* where we look now */
    struct store_key              whole; /* the same without an edition: what flights are found by */
    struct store_key              name;  /* of the flight: `whole`, or a part of it */
    struct span    values;  /* of a variant: those that its key is made of; empty: the primary key */
    uint64_t       edition; /* of the marker that led there; 0: none did */
    wall_time      aside;   /* when what is stored and of no use was created; 0: nothing is */
    struct lookup *found;
};

static enum err
find_variant_key(const struct looker *look, uint64_t edition, struct span values, struct store_key *key)
{
    return key_variant(look->arena, store_seed(look->cache->store), look->primary, edition, values, key);
}

/* Goes on with the variant that this request selects under `spec`. */
static enum look
turn_to_variant(struct looker *look, struct span spec)
{
    struct span values;
    look->found->vary = arena_copy(look->arena, spec);
    if (look->found->vary.at == NULL || vary_values(look->arena, look->request, spec, &values) != ERR_NONE
        || find_variant_key(look, look->edition, values, &look->key) != ERR_NONE
        || find_variant_key(look, 0, values, &look->whole) != ERR_NONE)
        return LOOK_NO_MEMORY;
    look->values = values;
    return LOOK_AGAIN;
}

/* RFC 9111 §5.2.1.7: nothing that is stored will do, and more is not wanted. */
static enum look
go_nowhere(struct looker *look)
{
    lease_release(&look->found->lease);
    look->found->result = LOOKUP_NOTHING;
    return LOOK_DONE;
}

/* With the stale object in hand, if there is one: it may still be validated, or stand in. */
static enum look
go_alone(struct looker *look, enum reason reason)
{
    if (reuse_only_if_cached(look->request, look->settings))
        return go_nowhere(look);
    look->found->flight = flight_create(look->cache, look->primary, &look->key, look->name.digest, true);
    look->found->reason = reason;
    look->found->result = LOOKUP_ALONE;
    return look->found->flight == NULL ? LOOK_NO_MEMORY : LOOK_DONE;
}

/* What is stored, or under way, is not for this request. */
static enum look
go_without(struct looker *look, enum reason reason)
{
    lease_release(&look->found->lease);
    look->found->completes = false;
    return go_alone(look, reason);
}

static enum look
hit(struct looker *look, enum reason reason)
{
    look->found->result = LOOKUP_HIT;
    look->found->reason = reason;
    return LOOK_DONE;
}

static bool
is_recent(const struct looker *look, const struct recent *table)
{
    return recent_knows(table, look->name.digest, clock_mono());
}

static enum find
find_record(const struct looker *look, const struct store_key *key, struct lease *lease, struct cold **cold)
{
    return store_look(look->cache->store, look->reader, key, look->now, look->asked->reads, lease, cold);
}

/* Whether the store has something else by now than what we found: a flight landed in between. What is cold
 * may be: the look that follows will say so. */
static bool
has_changed(struct looker *look)
{
    struct lease now;
    struct cold *cold;
    enum find    find = find_record(look, &look->key, &now, &cold);

    cold_release(&cold);
    if (find != FIND_FOUND)
        return find == FIND_COLD;
    wall_time     seen = look->found->lease.shard == NULL ? look->aside : look->found->lease.record.created;
    bool          changed = now.record.created.ns != seen.ns;
    struct object object;
    if (look->found->lease.shard == NULL && !object_read(now.record.meta, &object))
        changed = false; /* unreadable then and now */
    else if (look->found->part && object_is_partial(now.record.meta))
        changed = false; /* other parts come and go, and are no news */
    lease_release(&now);
    return changed;
}

enum claim { CLAIM_OURS, CLAIM_THEIRS, CLAIM_CHANGED, CLAIM_NO_MEMORY };

/* The flight of our key: a new one, now hooked, or the one under way, in one step under the table's lock. */
static enum claim
claim(struct looker *look, struct flight **flight)
{
    struct flight_table *table = cache_table(look->cache, look->name.digest);
    struct flight *fresh = flight_create(look->cache, look->primary, &look->key, look->name.digest, true);
    if (fresh == NULL)
        return CLAIM_NO_MEMORY;

    lock_acquire(&table->lock);
    struct flight *under_way = flight_find(table, look->name.digest);
    bool           changed = under_way == NULL && has_changed(look);
    if (under_way != NULL)
        flight_acquire(under_way);
    else if (!changed)
        flight_hook(fresh);
    lock_release(&table->lock);

    if (under_way == NULL && !changed) {
        *flight = fresh;
        return CLAIM_OURS;
    }
    flight_release(&fresh);
    *flight = under_way;
    return changed ? CLAIM_CHANGED : CLAIM_THEIRS;
}

/* A stale object is sent; whoever comes first refreshes it behind his answer, unless that failed a moment ago. */
static enum look
hit_stale(struct looker *look, enum reason reason)
{
    struct flight *flight;

    if (is_recent(look, look->cache->troubled))
        return hit(look, reason);
    switch (claim(look, &flight)) {
    case CLAIM_OURS:
        look->found->refresh = flight;
        break;
    case CLAIM_THEIRS:
        flight_release(&flight);
        break;
    case CLAIM_CHANGED:
        return LOOK_AGAIN;
    case CLAIM_NO_MEMORY:
        break; /* the object can be sent all the same */
    }
    return hit(look, reason);
}

/* Whether the stored part has the one range that is wanted. */
static bool
has_range(const struct looker *look, const struct object *object, size_t len)
{
    const struct range_set *ranges = look->asked->ranges;
    struct byte_range       wanted[RANGES_MAX];
    unsigned                count;

    return ranges != NULL && ranges->count == 1
           && conditional_if_range_holds(look->request, &object->validators, look->now)
           && range_resolve(ranges, object->complete, wanted, &count) == ERR_NONE
           && wanted[0].first >= object->first && wanted[0].last < object->first + (int64_t)len;
}

/* What is stored is of no use, and will be replaced. */
static enum look
put_aside(struct looker *look)
{
    look->aside = look->found->lease.record.created;
    lease_release(&look->found->lease);
    return LOOK_MISS;
}

/* A part that lacks what is wanted. The rest of it can be asked for alone when it is in one piece. */
static enum look
look_past_part(struct looker *look, bool fresh)
{
    struct lookup *found = look->found;
    int64_t        end = found->object.first + (int64_t)found->lease.record.body.len;

    found->completes = fresh && look->asked->ranges == NULL && !look->asked->distrust
                       && (found->object.first == 0 || end == found->object.complete);
    return found->completes ? LOOK_MISS : put_aside(look);
}

/* What is stored is an object: may it be sent? MISS: it has to be validated. */
static enum look
look_at_object(struct looker *look)
{
    struct lookup *found = look->found;
    enum reason    reason;

    if ((found->object.flags & OBJECT_IMPLICIT) && reuse_has_credentials(look->request, look->settings))
        return go_without(look, head_has(look->request, FIELD_AUTHORIZATION) ? REASON_AUTHORIZATION
                                                                             : REASON_COOKIE);
    if ((found->object.flags & OBJECT_SLICED) && look->asked->distrust)
        return put_aside(look);
    enum reuse reuse = reuse_decide(&found->object, look->request, look->settings, look->now, &reason);
    found->covers = !(found->object.flags & OBJECT_PARTIAL)
                    || has_range(look, &found->object, found->lease.record.body.len);
    if (!found->covers)
        return look_past_part(look, reuse == REUSE_FRESH);
    switch (reuse) {
    case REUSE_FRESH:
        return hit(look, REASON_NONE);
    case REUSE_STALE:
        return hit_stale(look, reason);
    case REUSE_VALIDATE:
        break;
    }
    if (look->asked->distrust)
        return put_aside(look);
    if (reuse_on_error(&found->object, look->now) && is_recent(look, look->cache->troubled))
        return hit(look, REASON_STALE_IF_ERROR);
    found->reason = reason == REASON_CLIENT ? reason : REASON_NONE;
    if (reason == REASON_ALWAYS_VALIDATE)
        return go_alone(look, reason); /* nobody may share what the origin says to this request */
    return LOOK_MISS;
}

/* The object under that key, whatever it is: DONE, MISS or COLD. */
static enum look
find_object(struct looker *look, const struct store_key *key)
{
    struct lookup *found = look->found;
    enum find      find = find_record(look, key, &found->lease, &found->cold);

    if (find == FIND_COLD)
        return LOOK_COLD;
    if (find == FIND_FOUND && object_read(found->lease.record.meta, &found->object))
        return LOOK_DONE;
    lease_release(&found->lease);
    return LOOK_MISS;
}

/* The store's answer: DONE for an object that may be sent; MISS with a lease for one that may not, without for none. */
static enum look
look_in_store(struct looker *look)
{
    struct lookup *found = look->found;

    enum look next = find_object(look, &look->key);
    if (next != LOOK_DONE)
        return next;
    if (found->object.flags & OBJECT_MARKER) {
        /* The spec is copied by vary_values, so the lease may go. */
        look->edition = found->object.edition;
        next = turn_to_variant(look, found->object.vary);
        lease_release(&found->lease);
        return next;
    }
    if (found->object.flags & OBJECT_ALIAS)
        return put_aside(look);
    return look_at_object(look);
}

/* A flight under our key is under way, and its head is there. Takes over the caller's reference when it does not suit. */
static enum look
join_shared(struct looker *look, struct flight *flight)
{
    struct span values;
    enum look   next = LOOK_NO_MEMORY;

    switch (lookup_fits(look->arena, flight, look->request, look->settings, &values)) {
    case FIT_YES:
        look->found->flight = flight;
        look->found->result = LOOKUP_FOLLOW;
        return LOOK_DONE;
    case FIT_OTHER_VARIANT:
        lease_release(&look->found->lease);
        look->edition = 0; /* there may be no marker yet */
        next = turn_to_variant(look, flight_vary(flight));
        break;
    case FIT_NOT_REUSABLE:
        next = go_alone(look, REASON_KNOWN_UNCACHEABLE);
        break;
    case FIT_CREDENTIALS:
        next = go_without(look, REASON_COOKIE);
        break;
    case FIT_NO_MEMORY:
        break;
    }
    flight_release(&flight);
    return next;
}

static enum look
join_or_lead(struct looker *look)
{
    struct flight *flight;

    switch (claim(look, &flight)) {
    case CLAIM_OURS:
        look->found->flight = flight;
        look->found->result = LOOKUP_LEAD;
        return LOOK_DONE;
    case CLAIM_THEIRS:
        if (flight_phase(flight) == FLIGHT_SHARED)
            return join_shared(look, flight);
        look->found->flight = flight;
        look->found->result = LOOKUP_FOLLOW;
        return LOOK_DONE;
    case CLAIM_CHANGED:
        return LOOK_AGAIN;
    case CLAIM_NO_MEMORY:
        break;
    }
    return LOOK_NO_MEMORY;
}

/* Whole, fresh, and for everybody. */
static bool
is_simply_fresh(struct looker *look)
{
    const struct object *object = &look->found->object;
    enum reason          reason;

    look->found->covers = !(object->flags & OBJECT_PARTIAL);
    return look->found->covers
           && !((object->flags & OBJECT_IMPLICIT) && reuse_has_credentials(look->request, look->settings))
           && reuse_decide(object, look->request, look->settings, look->now, &reason) == REUSE_FRESH;
}

/* There is no variant for just this Accept-Language: is there one in the language that it wants most? It is only taken as it is; to be
 * validated, a variant has to be the request's own. */
static enum look
look_by_language(struct looker *look)
{
    struct store_key key;
    struct span      values;

    if (vary_values_by_wish(look->arena, look->request, look->values, &values) != ERR_NONE
        || find_variant_key(look, look->edition, values, &key) != ERR_NONE)
        return LOOK_MISS;
    enum look next = find_object(look, &key);
    if (next != LOOK_DONE)
        return next;
    values = look->found->object.flags & OBJECT_ALIAS ? arena_copy(look->arena, look->found->object.vary)
                                                      : SPAN_EMPTY;
    lease_release(&look->found->lease);
    if (values.at == NULL || find_variant_key(look, look->edition, values, &key) != ERR_NONE)
        return LOOK_MISS;
    next = find_object(look, &key);
    if (next != LOOK_DONE)
        return next;
    if (is_simply_fresh(look))
        return hit(look, REASON_NONE);
    lease_release(&look->found->lease);
    return LOOK_MISS;
}

/* What is asked for where this is wanted: a long range goes out to whole slices, so that all who seek to one place share a fetch, and it can
 * be stored. Short ones, and those that count from an end that is not known, are asked for as they are. */
static struct range_spec
round_range(struct range_spec wanted, unsigned bits)
{
    int64_t size = INT64_C(1) << bits;

    if (wanted.first == RANGE_OPEN || (wanted.last != RANGE_OPEN && wanted.last - wanted.first < size - 1))
        return wanted;
    wanted.first = wanted.first >> bits << bits;
    if (wanted.last != RANGE_OPEN)
        wanted.last |= size - 1;
    return wanted;
}

/* A whole that is under way brings a range of it too. Not so a long one, of which slices can be had alone, nor one whose length is not
 * known, since a part of it cannot be named. */
static enum look
join_whole(struct looker *look)
{
    struct flight_table *table = cache_table(look->cache, look->whole.digest);

    lock_acquire(&table->lock);
    struct flight *flight = flight_find(table, look->whole.digest);
    if (flight != NULL)
        flight_acquire(flight);
    lock_release(&table->lock);
    if (flight == NULL)
        return LOOK_MISS;
    if (flight_phase(flight) == FLIGHT_SHARED && flight_length(flight) >= 0
        && !object_is_sliced(flight_meta(flight)))
        return join_shared(look, flight);
    if (flight_phase(flight) == FLIGHT_OPEN) {
        look->found->flight = flight;
        look->found->result = LOOKUP_FOLLOW;
        look->found->of_whole = true;
        return LOOK_DONE;
    }
    flight_release(&flight);
    return LOOK_MISS;
}

/* Nothing is stored of what is wanted. One range is fetched alone, by all who want the same. */
static enum look
turn_to_part(struct looker *look)
{
    enum look next = join_whole(look);
    if (next != LOOK_MISS)
        return next;
    if (head_has(look->request, FIELD_IF_RANGE))
        return go_alone(look, REASON_NONE); /* what the answer is depends on this client's validator */
    struct range_spec wanted = look->asked->ranges->spec[0];
    look->found->range = look->asked->distrust ? wanted : round_range(wanted, slice_bits(look->cache->store));
    if (key_part(look->arena, store_seed(look->cache->store), &look->whole, look->found->range, &look->name)
        != ERR_NONE)
        return LOOK_NO_MEMORY;
    look->found->part = true;
    return LOOK_MISS;
}

static enum look
look_once(struct looker *look)
{
    lease_release(&look->found->lease);
    look->found->completes = look->found->part = look->found->of_whole = false;
    look->name = look->whole;
    enum look next = look_in_store(look);
    if (next == LOOK_MISS && look->found->lease.shard == NULL && look->values.len > 0)
        next = look_by_language(look);
    if (next != LOOK_MISS)
        return next;
    if (reuse_only_if_cached(look->request, look->settings))
        return go_nowhere(look);
    if (look->found->lease.shard == NULL && look->asked->ranges != NULL && look->asked->ranges->count == 1)
        next = turn_to_part(look);
    if (next != LOOK_MISS)
        return next;
    if (!is_recent(look, look->cache->uncacheable))
        return join_or_lead(look);
    if (look->found->completes)
        return go_without(look, REASON_KNOWN_UNCACHEABLE);
    return go_alone(look, REASON_KNOWN_UNCACHEABLE);
}

enum err
lookup_object(struct cache *cache, unsigned reader, struct arena *arena,
              const struct lookup_question *question, wall_time now, struct lookup *lookup)
{
    *lookup = (struct lookup){ .reason = REASON_NONE };
    struct looker look = { .cache = cache,
                           .reader = reader,
                           .arena = arena,
                           .asked = question,
                           .request = question->request,
                           .primary = question->primary,
                           .settings = question->settings,
                           .now = now,
                           .key = *question->primary,
                           .whole = *question->primary,
                           .found = lookup };
    enum look     next = LOOK_AGAIN;

    if (cache_is_purging(cache, question->primary->digest))
        next = go_without(&look, REASON_PURGED);
    for (unsigned i = 0; next == LOOK_AGAIN; i++)
        next = i < LOOKS_MAX ? look_once(&look) : go_without(&look, REASON_NONE);
    if (next == LOOK_NO_MEMORY) {
        lease_release(&lookup->lease);
        return ERR_NO_MEMORY;
    }
    if (next == LOOK_COLD) {
        lookup->result = LOOKUP_COLD;
        return ERR_NONE;
    }
    CHECK((lookup->result == LOOKUP_HIT || lookup->result == LOOKUP_NOTHING) == (lookup->flight == NULL));
    return ERR_NONE;
}
