/* slice_head.c: heads of slices: one that comes before its slices, and what a fetch of missing slices has learned about theirs.
 *
 * That is written down on the store thread. There a head is found by its generation, under the primary key or as one of its variants; one
 * that has another generation by now is none of ours, and is left alone.
 */
#include "tables.h"

#include <stdlib.h>

enum { SCRATCH = 4 * 1024 };

struct note {
    struct store_job job;
    struct store_key primary; /* the text is ours */
    uint64_t         generation;
    enum slice_news  news;
};

static bool
is_head(struct store_writer *writer, const struct store_key *key, uint64_t generation, struct record *record)
{
    struct object object;
    return writer_find(writer, key, record) && object_read(record->meta, &object)
           && (object.flags & OBJECT_SLICED) && object.generation == generation;
}

/* Where the head stands, with the text of its record. */
static bool
find_head(struct store_writer *writer, const struct note *note, struct store_key *key, struct record *record)
{
    struct object marker;

    *key = note->primary;
    if (is_head(writer, key, note->generation, record))
        return true;
    if (!writer_find(writer, key, record) || !object_read(record->meta, &marker)
        || !(marker.flags & OBJECT_MARKER))
        return false;
    for (size_t i = 0; i < marker.variant_count; i++) {
        *key = (struct store_key){ object_variant(&marker, i), SPAN_EMPTY };
        if (is_head(writer, key, note->generation, record)) {
            key->text = record->key;
            return true;
        }
    }
    return false;
}

static void
write_unranged(struct store_writer *writer, const struct store_key *key, const struct record *record)
{
    struct slab  slab;
    struct arena arena;
    struct span  meta;

    slab_init(&slab, SCRATCH, 0);
    arena_init(&arena, &slab, 4 * OBJECT_HEAD_MAX);
    enum err err = object_set_unranged(&arena, record->meta, &meta);
    if (err == ERR_NONE) {
        struct record_parts parts = {
            .key = *key, .meta = meta, .created = record->created, .expires = record->expires
        };
        err = writer_append(writer, &parts);
    }
    if (err != ERR_NONE) /* rather none, so that it is fetched anew, than one that asks in vain */
        writer_remove(writer, key);
    arena_reset(&arena);
    slab_fini(&slab);
}

static void
free_note(struct note *note)
{
    free((char *)(uintptr_t)note->primary.text.at);
    free(note);
}

static void
note_run(struct store_job *job, struct store_writer *writer)
{
    struct note     *note = CONTAINER_OF(job, struct note, job);
    struct store_key key;
    struct record    record;

    if (find_head(writer, note, &key, &record)) {
        if (note->news == SLICE_NEWS_GONE)
            writer_remove(writer, &key);
        else
            write_unranged(writer, &key, &record);
    }
    free_note(note);
}

/* It costs no room, so only a store that closes refuses it. */
void
slice_note(const struct slice_view *view, enum slice_news news)
{
    struct note *note = malloc(sizeof *note);
    char        *text = malloc(view->primary.text.len + 1);

    if (note == NULL || text == NULL) {
        free(note);
        free(text);
        return;
    }
    memcpy(text, view->primary.text.at, view->primary.text.len);
    *note = (struct note){ .job = { .run = note_run },
                           .primary = { view->primary.digest, span_of(text, view->primary.text.len) },
                           .generation = view->generation,
                           .news = news };
    if (store_submit(view->cache->store, view->primary.digest, &note->job) != ERR_NONE)
        free_note(note);
}

/* ── before its slices ── */

bool
slice_land_head(struct flight *fetched, struct span meta, const struct verdict *verdict, struct span vary,
                struct span values, const struct cache_settings *settings)
{
    const struct store_key *primary = &fetched->primary;
    struct flight          *head = flight_create(fetched->cache, primary, primary, primary->digest, true);

    if (head == NULL)
        return false;
    head->purges = fetched->purges;
    head->bare = true;
    bool taken = flight_share(head, meta, verdict, vary, values, 0) == ERR_NONE;
    if (taken) {
        fill_end(head->fill);
        taken = flight_land(head, settings);
    }
    flight_release(&head);
    return taken;
}
