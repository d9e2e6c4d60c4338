/* clean.c: see clean.h.
 *
 * Only this file frees segments, and it runs on the one thread that fills them. A victim's records leave
 * the index under the lock, one by one; when none is left nobody can pin it anew, so the look at the pins
 * that follows is final or too careful.
 *
 * What a victim holds is told by its footer, 32 bytes for each record in one piece, not by its records,
 * which may be cold. The footer comes from the disk and is believed only with a true sum; otherwise the
 * whole index is searched for the segment.
 */
#include "clean.h"
#include "commit.h"
#include "footer.h"
#include "guard.h"
#include "stage.h"

#include <larder/base/check.h>
#include <stdlib.h>

enum { DEFERRED_PART = 4 };

/* ── free segments ── */

static void
count_segments(struct shard *shard)
{
    metric_set(&shard->metrics.segments_free, shard->table.unused_count);
    metric_set(&shard->metrics.segments_pinned, shard->table.deferred_count);
}

static void
collect(struct shard *shard)
{
    struct segment_table *table = &shard->table;
    LIST_EACH(&table->deferred, link)
    {
        struct segment *segment = CONTAINER_OF(link, struct segment, link);
        if (!pins_held(&shard->pins, segment_number(table, segment)))
            segment_give_back(table, segment);
    }
    count_segments(shard);
}

static void
retire(struct shard *shard, struct segment *segment)
{
    bool pinned = pins_held(&shard->pins, segment_number(&shard->table, segment));
    commit_forget(shard, segment);
    segment_retire(&shard->table, segment, pinned);
    count_segments(shard);
}

/* ── which one ── */

/* A segment of which nothing can be found any more costs nothing to free. */
static struct segment *
find_dead(struct shard *shard)
{
    int64_t now = wall_seconds(shard->now);
    for (unsigned i = 0; i < shard->table.log_count; i++) {
        LIST_EACH(&shard->table.logs[i].sealed, link)
        {
            struct segment *segment = CONTAINER_OF(link, struct segment, link);
            if (segment->live == 0 || segment->expires <= now)
                return segment;
        }
    }
    return NULL;
}

/* Where too much waits for readers already, a victim that is pinned would only add to it. */
static struct segment *
oldest_of(struct shard *shard, struct segment_log *log, bool unpinned)
{
    LIST_EACH(&log->sealed, link)
    {
        struct segment *segment = CONTAINER_OF(link, struct segment, link);
        if (!unpinned || !pins_held(&shard->pins, segment_number(&shard->table, segment)))
            return segment;
    }
    return NULL;
}

static struct segment *
choose(struct shard *shard, bool unpinned)
{
    struct segment_table *table = &shard->table;
    for (unsigned i = 0; i < table->log_count; i++) {
        struct segment *oldest = oldest_of(shard, &table->logs[i], unpinned);
        shard->views[i] = (struct eviction_log){ .oldest = oldest == NULL ? NULL : &oldest->view,
                                                 .bytes = table->logs[i].bytes };
    }
    lock_acquire(&shard->lock);
    int log = shard->eviction->choose(shard->policy, shard->views, shard->clock);
    lock_release(&shard->lock);
    if (log == EVICTION_NONE)
        return NULL;
    CHECK(log >= 0 && (unsigned)log < table->log_count && shard->views[log].oldest != NULL);
    const char *view = (const char *)shard->views[log].oldest;
    return (struct segment *)(uintptr_t)(view - offsetof(struct segment, view));
}

static struct segment *
pick_victim(struct shard *shard)
{
    struct segment *dead = find_dead(shard);
    bool            too_many_wait = shard->table.deferred_count >= shard->table.count / DEFERRED_PART;
    return dead != NULL ? dead : choose(shard, too_many_wait);
}

/* ── record by record ── */

struct survivor {
    struct shard              *shard;
    const struct segment      *victim;
    const struct footer_entry *entry;
    struct index_place         place;
    struct record              record;
    bool                       intact;
};

static void
look_at_survivor(void *context)
{
    struct survivor     *survivor = context;
    struct shard        *shard = survivor->shard;
    struct segment_stamp stamp = shard_stamp(shard, survivor->victim);
    struct record       *record = &survivor->record;
    struct digest        digest;

    survivor->intact =
        record_parse(shard_room(shard, survivor->place), record, &digest)
        && digest_equal(digest, footer_digest(survivor->entry))
        && record_size(record_content(record)) == (uint64_t)le32_get(survivor->entry->size) * RECORD_ALIGN
        && record_head_intact(record, &stamp, shard->stream);
}

/* The record that the entry tells of, if it is still what was written. */
static bool
read_survivor(struct shard *shard, const struct segment *victim, const struct footer_entry *entry,
              struct index_place place, struct record *record)
{
    struct survivor survivor = { .shard = shard, .victim = victim, .entry = entry, .place = place };
    bool            readable = guard_run(look_at_survivor, &survivor);
    *record = survivor.record;
    return readable && survivor.intact;
}

static bool
copy(struct shard *shard, const struct segment *victim, const struct footer_entry *entry,
     struct index_place place, const struct eviction_verdict *verdict)
{
    struct record          record;
    struct segment        *segment;
    struct catalog_written written;
    uint64_t               size = (uint64_t)le32_get(entry->size) * RECORD_ALIGN;
    struct digest          digest = footer_digest(entry);

    if (!read_survivor(shard, victim, entry, place, &record)
        || append_prepare(shard, (unsigned)verdict->log, size, 0, &segment) != ERR_NONE
        || append_copy(shard, segment, digest, &record, &written) != ERR_NONE)
        return false;
    catalog_move(shard, digest, place, &written, verdict);
    metric_add(&shard->metrics.copied, 1);
    metric_add(&shard->metrics.copied_bytes, size);
    return true;
}

static bool
has_expired(const struct shard *shard, const struct footer_entry *entry)
{
    uint32_t expires = le32_get(entry->expires);
    return expires != UINT32_MAX && (int64_t)expires <= wall_seconds(shard->now);
}

/* False: the index does not know it (any more). */
static bool
judge(struct shard *shard, const struct segment *victim, const struct footer_entry *entry,
      struct index_place place, struct eviction_verdict *verdict)
{
    struct eviction_object object = { .hash = footer_digest(entry).low,
                                      .size = (uint64_t)le32_get(entry->size) * RECORD_ALIGN,
                                      .log = victim->log };
    *verdict = (struct eviction_verdict){ .log = EVICTION_DROP };
    lock_acquire(&shard->lock);
    struct index_entry *found = index_at(&shard->index, object.hash, place);
    if (found != NULL && shard->streak <= eviction_streak_max(shard->table.count)
        && !has_expired(shard, entry)) {
        object.freq = index_read(found).freq;
        *verdict = shard->eviction->keep(shard->policy, &object);
    }
    lock_release(&shard->lock);
    return found != NULL;
}

static void
clean_record(struct shard *shard, const struct segment *victim, const struct footer_entry *entry)
{
    struct index_place      place = { segment_number(&shard->table, victim), le32_get(entry->offset) };
    struct eviction_verdict verdict;

    if (!judge(shard, victim, entry, place, &verdict))
        return;
    if (verdict.log != EVICTION_DROP && copy(shard, victim, entry, place, &verdict))
        return;
    catalog_remove(shard, footer_digest(entry), place, (uint64_t)le32_get(entry->size) * RECORD_ALIGN,
                   has_expired(shard, entry) ? CATALOG_EXPIRED : CATALOG_EVICTED);
}

static void
clean_segment(struct shard *shard, struct segment *victim)
{
    struct footer_entry *read = NULL;

    if (victim->live > 0 && victim->entries == NULL)
        read = footer_read(shard, victim);
    const struct footer_entry *entries = read != NULL ? read : victim->entries;
    for (uint32_t i = 0; entries != NULL && i < victim->count && victim->live > 0; i++)
        clean_record(shard, victim, &entries[i]);
    if (victim->live > 0) {
        log_write(shard->log, LOG_ERROR, "store: shard %u: the footer of segment %u is damaged: all dropped",
                  shard->number, segment_number(&shard->table, victim));
        catalog_sweep(shard, victim);
    }
    free(read);
    retire(shard, victim);
}

/* ── how much ── */

static bool
clean_one(struct shard *shard)
{
    stage_flush(shard); /* a copy may come behind what is there */
    struct segment *victim = pick_victim(shard);
    if (victim == NULL)
        return false;
    shard->streak++;
    clean_segment(shard, victim);
    return true;
}

bool
clean_ahead(struct shard *shard)
{
    if (shard->table.unused_count < shard->reserve)
        collect(shard);
    if (shard->table.unused_count >= shard->reserve) {
        shard->streak = 0;
        return false;
    }
    return clean_one(shard);
}

bool
clean_until(struct shard *shard, uint32_t spare)
{
    collect(shard);
    while (shard->table.unused_count <= spare)
        if (!clean_one(shard))
            return false;
    return true;
}
