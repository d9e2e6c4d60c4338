/* land.c: what a flight brought is put into the store, on the store thread of its shard.
 *
 *      no Vary:   primary key ▶ object
 *      Vary:      primary key ▶ marker {spec, digests} ─ variant key ▶ object
 *                                                      └ key by language ▶ alias ─ variant key
 *
 * All jobs of one URL run on one thread, one after the other, so reading a marker, adding a variant and writing it
 * back needs no lock, and a purge is either before a landing or after it. The flight is unhooked last: until then whoever looks
 * finds the flight, from then on the object.
 */
#include "land.h"

#include <larder/base/check.h>
#include <larder/base/list.h>
#include <larder/cache/key.h>
#include <larder/cache/vary.h>
#include <stdlib.h>

enum { SCRATCH = 32 * 1024, MARKER_LIFE_DAYS = 365, FIELDS_MAX = 256 };

struct landing {
    struct store_job job;
    struct flight   *flight;
    uint64_t         variants_max;
    enum err         err; /* of what was run */
};

/* Records know when they were made to the millisecond, and by that it is told whether what stands there is still what was found: each is
 * made later than the one whose place it takes. But a clock that was set back is not held up. */
static wall_time
time_for(const struct place *place, const struct store_key *key)
{
    struct record before;

    if (!writer_find(place->writer, key, &before))
        return place->now;
    nsec ahead = wall_since(wall_add(before.created, NSEC_PER_MSEC), place->now);
    return ahead > 0 && ahead < NSEC_PER_SEC ? wall_add(place->now, ahead) : place->now;
}

static enum err
append(const struct place *place, const struct store_key *key, struct span meta, const struct iovec *body,
       int count)
{
    struct record_parts parts = { .key = *key,
                                  .meta = meta,
                                  .body = body,
                                  .body_count = count,
                                  .created = time_for(place, key),
                                  .expires = place->flight->verdict.expires };
    return writer_append(place->writer, &parts);
}

/* `body` has room for PIECES_MAX. */
static enum err
append_object(const struct place *place, const struct store_key *key, struct span meta, struct iovec *body,
              int count)
{
    struct object object;

    if (!object_read(meta, &object))
        return ERR_CORRUPT;
    bool partial = object.flags & OBJECT_PARTIAL;
    if ((partial || place->flight->bare) && land_is_covered(place, key, &object))
        return ERR_NONE;
    if (partial) {
        enum err err = land_join_parts(place, key, &meta, body, &count);
        if (err != ERR_NONE)
            return err;
    }
    return append(place, key, meta, body, count);
}

/* ── markers ── */

struct marker {
    struct object  object; /* as stored; no variants when there was none */
    struct digest *variants;
    size_t         count;
    uint64_t       edition;
};

/* The variants that can still be found; those of another spec can not be reached any more and are dropped. */
static enum err
read_marker(const struct place *place, struct marker *marker)
{
    struct record record;
    *marker = (struct marker){ .count = 0 };

    bool found = writer_find(place->writer, &place->flight->primary, &record)
                 && object_read(record.meta, &marker->object) && (marker->object.flags & OBJECT_MARKER);
    size_t stored = found ? marker->object.variant_count : 0;
    if (!found)
        marker->object = (struct object){ .flags = OBJECT_MARKER, .edition = hash_random() };
    marker->edition = marker->object.edition;
    marker->variants = arena_alloc(place->arena, (stored + 2) * sizeof marker->variants[0]);
    if (marker->variants == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < stored; i++) {
        struct store_key key = { object_variant(&marker->object, i), SPAN_EMPTY };
        if (!span_equal(marker->object.vary, place->flight->vary))
            writer_remove(place->writer, &key);
        else if (writer_find(place->writer, &key, &record))
            marker->variants[marker->count++] = key.digest;
    }
    return ERR_NONE;
}

/* Adds the variant as the newest; over the cap the oldest goes. */
static void
add_variant(const struct place *place, struct marker *marker, struct digest digest)
{
    size_t kept = 0;
    for (size_t i = 0; i < marker->count; i++)
        if (!digest_equal(marker->variants[i], digest))
            marker->variants[kept++] = marker->variants[i];
    while (kept > 0 && kept >= place->variants_max) {
        struct store_key oldest = { marker->variants[0], SPAN_EMPTY };
        if (writer_remove(place->writer, &oldest))
            cache_count(&place->flight->cache->metrics.variants_dropped);
        memmove(marker->variants, marker->variants + 1, --kept * sizeof marker->variants[0]);
    }
    marker->variants[kept++] = digest;
    marker->count = kept;
}

static enum err
append_marker(const struct place *place, const struct marker *marker)
{
    wall_time   expires = wall_add(place->now, MARKER_LIFE_DAYS * 24 * 3600 * NSEC_PER_SEC);
    struct span meta;
    enum err err = object_write_marker(place->arena, marker->edition, place->flight->vary, marker->variants,
                                       marker->count, expires, &meta);
    if (err != ERR_NONE)
        return err;
    struct record_parts parts = {
        .key = place->flight->primary, .meta = meta, .created = place->now, .expires = expires
    };
    return writer_append(place->writer, &parts);
}

/* ── bodies ── */

static bool
find_language(struct arena *arena, const struct object *object, struct span *language)
{
    struct field *fields = arena_alloc(arena, FIELDS_MAX * sizeof fields[0]);
    struct head   head;

    if (fields == NULL)
        return false;
    head_init(&head, fields, FIELDS_MAX);
    if (object_parse_head(object, &head) != ERR_NONE)
        return false;
    const struct field *field = head_find(&head, FIELD_CONTENT_LANGUAGE);
    if (field == NULL || head_next(&head, field) != NULL)
        return false;
    *language = field->value;
    return true;
}

/* An answer in one language is also found by those who want that language most. Without room for it, it is not. */
static void
append_alias(const struct place *place, struct span meta, struct marker *marker)
{
    struct flight   *flight = place->flight;
    struct object    object;
    struct span      language, values, alias;
    struct store_key key;

    if (!object_read(meta, &object) || !find_language(place->arena, &object, &language)
        || vary_values_by_language(place->arena, flight->values, language, &values) != ERR_NONE
        || key_variant(place->arena, store_seed(flight->cache->store), &flight->primary, marker->edition,
                       values, &key)
               != ERR_NONE
        || object_write_alias(place->arena, flight->values, flight->verdict.expires, &alias) != ERR_NONE
        || append(place, &key, alias, NULL, 0) != ERR_NONE)
        return;
    add_variant(place, marker, key.digest);
}

static enum err
append_variant(const struct place *place, struct span meta, struct iovec *body, int count)
{
    struct flight   *flight = place->flight;
    struct store_key key;
    struct marker    marker;

    enum err err = read_marker(place, &marker);
    if (err == ERR_NONE)
        err = key_variant(place->arena, store_seed(flight->cache->store), &flight->primary, marker.edition,
                          flight->values, &key);
    if (err == ERR_NONE)
        err = append_object(place, &key, meta, body, count);
    if (err != ERR_NONE)
        return err;
    add_variant(place, &marker, key.digest);
    if (place->variants_max > 1) /* behind its variant, so that it is not what it pushes out */
        append_alias(place, meta, &marker);
    err = append_marker(place, &marker);
    if (err != ERR_NONE)
        writer_remove(place->writer, &key); /* no purge would find it. Without a marker that is lost later nobody does */
    return err;
}

/* An object that had variants and has none any more takes them with it. */
static void
remove_variants(const struct place *place)
{
    struct record record;
    struct object marker;

    if (!writer_find(place->writer, &place->flight->primary, &record) || !object_read(record.meta, &marker)
        || !(marker.flags & OBJECT_MARKER))
        return;
    for (size_t i = 0; i < marker.variant_count; i++) {
        struct store_key key = { object_variant(&marker, i), SPAN_EMPTY };
        writer_remove(place->writer, &key);
    }
}

/* A body that has grown into slices is not in the flight: what lands is their head. */
static enum err
finish_grown(const struct place *place, const struct slicing *slicing, struct span *meta)
{
    enum err err = object_set_length(place->arena, *meta, (uint64_t)slicing->complete, meta);
    return err == ERR_NONE ? object_make_sliced(place->arena, *meta, slicing, meta) : err;
}

/* The meta of a body that is in the flight, now that its length is known. The head of slices has it already, a slice needs none. */
static enum err
finish_body(const struct place *place, struct span *meta)
{
    struct flight *flight = place->flight;
    uint64_t       size = fill_size(flight->fill);

    if (object_is_sliced(*meta))
        return ERR_NONE;
    if (flight->length >= 0)
        /* never a body that is not as long as its head says */
        return size == (uint64_t)flight->length ? ERR_NONE : ERR_CORRUPT;
    if (flight->run != NULL || object_is_partial(*meta))
        return ERR_NONE;
    return object_set_length(place->arena, *meta, size, meta);
}

static enum err
store_body(const struct place *place)
{
    struct flight *flight = place->flight;
    struct iovec   pieces[PIECES_MAX];
    int            count = PIECES_MAX;
    struct span    meta = flight->meta;
    struct slicing slicing;
    bool           grown = slice_has_grown(flight, &slicing);

    if (grown)
        count = 0;
    else if (!fill_pieces(flight->fill, pieces, &count))
        return ERR_LIMIT;
    enum err err = grown ? finish_grown(place, &slicing, &meta) : finish_body(place, &meta);
    if (err != ERR_NONE)
        return err;
    if (flight->vary.len > 0)
        return append_variant(place, meta, pieces, count);
    remove_variants(place);
    return append_object(place, &flight->primary, meta, pieces, count);
}

/* The stale object with its new head. Where it is no longer the one that was validated, there is nothing to do. */
static enum err
store_refreshed(const struct place *place)
{
    struct flight *flight = place->flight;
    struct record  record;

    if (!writer_find(place->writer, &flight->key, &record)
        || record.created.ns != flight->refreshed_created.ns)
        return ERR_NOT_FOUND;
    struct iovec body = { (char *)(uintptr_t)record.body.at, record.body.len };
    return append(place, &flight->key, flight->meta, &body, record.body.len > 0);
}

static void
landing_run(struct store_job *job, struct store_writer *writer)
{
    struct landing *landing = CONTAINER_OF(job, struct landing, job);
    struct flight  *flight = landing->flight;
    struct slab     slab;
    struct arena    arena;

    slab_init(&slab, SCRATCH, 0);
    arena_init(&arena, &slab, 4 * OBJECT_HEAD_MAX);
    struct place place = { .writer = writer,
                           .flight = flight,
                           .arena = &arena,
                           .variants_max = landing->variants_max,
                           .now = clock_wall() };
    landing->err = ERR_NOT_FOUND;
    if (!flight_is_doomed(flight))
        landing->err = flight_phase(flight) == FLIGHT_SHARED ? store_body(&place) : store_refreshed(&place);
    arena_reset(&arena);
    slab_fini(&slab);
}

/* It can be found. What found no place is not stored; the store counts it. */
static void
landing_done(struct store_job *job, enum err err)
{
    struct landing *landing = CONTAINER_OF(job, struct landing, job);
    struct flight  *flight = landing->flight;
    bool            stored = landing->err == ERR_NONE && err == ERR_NONE;

    atomic_store_explicit(&flight->stored, stored, memory_order_relaxed);
    flight_unhook(flight);
    slice_end_landing(flight);
    flight_release(&flight);
    free(landing);
}

bool
flight_land(struct flight *flight, const struct cache_settings *settings)
{
    struct landing *landing = malloc(sizeof *landing);
    if (landing != NULL) {
        *landing = (struct landing){
            .job = { .cost = flight->meta.len + (flight->fill == NULL ? 0 : fill_size(flight->fill)),
                     .run = landing_run,
                     .done = landing_done },
            .flight = flight_acquire(flight),
            .variants_max = settings->variants,
        };
        slice_begin_landing(flight);
        if (store_submit(flight->cache->store, flight->primary.digest, &landing->job) == ERR_NONE)
            return true;
        slice_end_landing(flight);
        flight_release(&landing->flight);
        free(landing);
    }
    flight_unhook(flight);
    return false;
}
