/* catalog.c: see catalog.h.
 */
#include "catalog.h"

#include <larder/base/check.h>

static struct segment *
segment_at(struct shard *shard, struct index_place place)
{
    return &shard->table.segments[place.segment];
}

/* ── the accounts ── */

static void
account_in(struct shard *shard, struct index_place place, uint64_t size)
{
    struct segment *segment = segment_at(shard, place);
    segment->live++;
    segment->live_bytes += size;
    metric_add(&shard->metrics.objects, 1);
    metric_add(&shard->metrics.bytes_live, size);
}

/* It has left the index. A size that was read from the file may be wrong by now; the last record of a segment takes what is left. */
static void
account_out(struct shard *shard, struct index_place place, uint64_t size)
{
    struct segment *segment = segment_at(shard, place);
    CHECK(segment->live > 0);
    shard_outdate(shard, place);
    segment->live--;
    if (segment->live == 0 || size > segment->live_bytes)
        size = segment->live_bytes;
    segment->live_bytes -= size;
    metric_sub(&shard->metrics.objects, 1);
    metric_sub(&shard->metrics.bytes_live, size);
}

static void
account_reason(struct shard *shard, enum catalog_reason reason, uint64_t count)
{
    metric_cell *cells[] = { [CATALOG_REMOVED] = &shard->metrics.removed,
                             [CATALOG_EXPIRED] = &shard->metrics.expired,
                             [CATALOG_EVICTED] = &shard->metrics.evicted,
                             [CATALOG_DAMAGED] = &shard->metrics.damaged };
    metric_add(cells[reason], count);
}

/* Under the lock. */
static void
tell_dropped(struct shard *shard, struct digest digest, uint64_t size, unsigned freq, unsigned log)
{
    struct eviction_object object = { .hash = digest.low, .size = size, .freq = freq, .log = log };
    shard->eviction->dropped(shard->policy, &object);
}

/* ── entries that lost their slot in the index ── */

/* The record itself says how large it was; where it is unreadable by now, what the index knew must do. */
static void
account_drop(struct shard *shard, const struct index_entry *entry)
{
    struct index_facts facts = index_read(entry);
    struct segment    *segment = segment_at(shard, facts.place);
    struct record      record;
    struct digest      digest = { 0, 0 };
    bool               readable = shard_parse(shard, facts.place, &record, &digest);
    uint64_t           size = readable ? record_size(record_content(&record)) : facts.size;

    if (readable) {
        lock_acquire(&shard->lock);
        tell_dropped(shard, digest, size, facts.freq, segment->log);
        lock_release(&shard->lock);
    }
    account_out(shard, facts.place, size);
    account_reason(shard, CATALOG_EVICTED, 1);
}

static void
account_drops(struct shard *shard, struct index_drops *drops)
{
    for (unsigned i = 0; i < drops->count; i++)
        account_drop(shard, &drops->entries[i]);
    drops->count = 0;
}

/* False: it cannot. */
static bool
grow(struct shard *shard, struct index_drops *drops)
{
    struct index_table table;

    if (!index_grow_prepare(&shard->index, &table))
        return false;
    lock_acquire(&shard->lock);
    index_grow_begin(&shard->index, table);
    lock_release(&shard->lock);
    shard_count_memory(shard);
    for (bool through = false; !through;) {
        lock_acquire(&shard->lock);
        through = index_grow_step(&shard->index, drops);
        lock_release(&shard->lock);
        account_drops(shard, drops);
    }
    lock_acquire(&shard->lock);
    table = index_grow_end(&shard->index);
    lock_release(&shard->lock);
    index_table_free(&table);
    shard_count_memory(shard);
    return true;
}

/* ── finding ── */

static unsigned
places_of(struct shard *shard, struct digest digest, struct index_place places[INDEX_MATCHES])
{
    struct index_entry *found[INDEX_MATCHES];

    lock_acquire(&shard->lock);
    unsigned count = index_match(&shard->index, digest.low, found);
    for (unsigned i = 0; i < count; i++)
        places[i] = index_read(found[i]).place;
    lock_release(&shard->lock);
    return count;
}

bool
catalog_find(struct shard *shard, struct digest digest, struct catalog_item *item)
{
    struct index_place places[INDEX_MATCHES];
    unsigned           count = places_of(shard, digest, places);

    for (unsigned i = 0; i < count; i++) {
        struct digest is;
        if (shard_parse(shard, places[i], &item->record, &is) && digest_equal(is, digest)) {
            item->place = places[i];
            item->size = record_size(record_content(&item->record));
            return true;
        }
    }
    return false;
}

bool
catalog_is_unverified(struct shard *shard, struct digest digest, struct index_place place)
{
    lock_acquire(&shard->lock);
    struct index_entry *entry = index_at(&shard->index, digest.low, place);
    bool                unverified = entry != NULL && index_read(entry).unverified;
    lock_release(&shard->lock);
    return unverified;
}

/* ── changes ── */

/* From s since 1970. */
static uint32_t
expiry_of(const struct shard *shard, int64_t expires)
{
    if (expires <= shard->epoch)
        return 0;
    uint64_t seconds = (uint64_t)expires - (uint64_t)shard->epoch; /* it may be the end of time */
    uint64_t units = (seconds + INDEX_EXPIRY_UNIT - 1) / INDEX_EXPIRY_UNIT;
    return units >= INDEX_EXPIRY_ASK ? INDEX_EXPIRY_ASK : (uint32_t)units;
}

/* Under the lock, or before readers come in. */
static void
take_out(struct shard *shard, struct digest digest, struct index_place place, unsigned *freq)
{
    struct index_entry *entry = index_at(&shard->index, digest.low, place);
    CHECK(entry != NULL);
    *freq = index_read(entry).freq;
    index_remove(&shard->index, entry);
}

void
catalog_put(struct shard *shard, struct digest digest, const struct catalog_item *old,
            const struct catalog_written *written, const struct eviction_verdict *verdict)
{
    struct index_facts facts = { .place = written->place,
                                 .freq = verdict->freq,
                                 .expiry = expiry_of(shard, segment_expiry(written->expires)),
                                 .size = written->size };
    struct index_drops drops;
    unsigned           freq;

    drops.count = 0;
    lock_acquire(&shard->lock);
    if (old != NULL)
        take_out(shard, digest, old->place, &freq);
    index_insert(&shard->index, digest.low, &facts, &drops);
    segment_at(shard, written->place)->view.worth += verdict->worth;
    lock_release(&shard->lock);

    account_in(shard, written->place, written->size);
    if (old != NULL) {
        account_out(shard, old->place, old->size);
        account_reason(shard, CATALOG_REMOVED, 1);
    }
    account_drops(shard, &drops);
    if (index_is_full(&shard->index))
        grow(shard, &drops);
}

void
catalog_make_room(struct shard *shard, uint32_t records)
{
    struct index_drops drops;

    drops.count = 0;
    while (!index_has_room(&shard->index, records) && grow(shard, &drops)) {}
}

void
catalog_restore(struct shard *shard, const struct index_spot *spot, struct digest digest,
                const struct catalog_item *old, const struct catalog_restored *restored)
{
    struct index_facts     facts = { .place = restored->place,
                                     .freq = restored->freq,
                                     .expiry = expiry_of(shard, restored->expires),
                                     .unverified = true,
                                     .size = restored->size };
    struct eviction_object object = { .hash = digest.low, .size = restored->size, .lifetime = UINT32_MAX };
    struct index_drops     drops;
    unsigned               before;

    drops.count = 0;
    if (old != NULL)
        take_out(shard, digest, old->place, &before);
    index_insert_at(&shard->index, spot, &facts, &drops);
    segment_at(shard, restored->place)->view.worth += shard->eviction->place(shard->policy, &object).worth;

    account_in(shard, restored->place, restored->size);
    if (old != NULL)
        account_out(shard, old->place, old->size);
    account_drops(shard, &drops);
}

void
catalog_remove(struct shard *shard, struct digest digest, struct index_place place, uint64_t size,
               enum catalog_reason reason)
{
    unsigned freq;

    lock_acquire(&shard->lock);
    take_out(shard, digest, place, &freq);
    if (reason == CATALOG_EVICTED)
        tell_dropped(shard, digest, size, freq, segment_at(shard, place)->log);
    lock_release(&shard->lock);
    account_out(shard, place, size);
    account_reason(shard, reason, 1);
}

void
catalog_move(struct shard *shard, struct digest digest, struct index_place from,
             const struct catalog_written *written, const struct eviction_verdict *verdict)
{
    lock_acquire(&shard->lock);
    struct index_entry *entry = index_at(&shard->index, digest.low, from);
    CHECK(entry != NULL);
    index_set_place(entry, written->place);
    index_set_freq(entry, verdict->freq);
    segment_at(shard, written->place)->view.worth += verdict->worth;
    lock_release(&shard->lock);

    account_out(shard, from, written->size);
    account_in(shard, written->place, written->size);
}

/* The index knows a size up to a sixteenth too large; the record's own is believed when that fits. */
static uint64_t
exact_size(struct shard *shard, struct index_place place, uint64_t size)
{
    struct record record;
    struct digest digest;

    if (!shard_parse(shard, place, &record, &digest))
        return size;
    uint64_t is = record_size(record_content(&record));
    return is <= size && size - is <= size / 16 ? is : size;
}

void
catalog_drop_damaged(struct shard *shard, uint64_t hash, struct index_place place)
{
    uint64_t size = 0;

    lock_acquire(&shard->lock);
    struct index_entry *entry = index_at(&shard->index, hash, place);
    if (entry != NULL) {
        size = index_read(entry).size;
        index_remove(&shard->index, entry);
    }
    lock_release(&shard->lock);
    if (entry == NULL)
        return;
    account_out(shard, place, exact_size(shard, place, size));
    account_reason(shard, CATALOG_DAMAGED, 1);
}

void
catalog_sweep(struct shard *shard, struct segment *segment)
{
    uint32_t number = segment_number(&shard->table, segment);
    uint64_t at = 0;
    unsigned removed = 0;

    for (bool through = false; !through;) {
        lock_acquire(&shard->lock);
        through = index_sweep(&shard->index, number, &at, &removed);
        lock_release(&shard->lock);
    }
    CHECK(removed == segment->live);
    recall_outdate(shard->versions, number);
    metric_sub(&shard->metrics.objects, segment->live);
    metric_sub(&shard->metrics.bytes_live, segment->live_bytes);
    account_reason(shard, CATALOG_EVICTED, segment->live);
    segment->live = 0;
    segment->live_bytes = 0;
}

/* As many buckets at a time as a sweep visits. */
static void
clear_index(struct shard *shard)
{
    uint64_t at = 0;

    for (bool through = false; !through;) {
        lock_acquire(&shard->lock);
        through = index_clear(&shard->index, &at);
        lock_release(&shard->lock);
    }
}

uint64_t
catalog_clear(struct shard *shard)
{
    uint64_t count = 0;

    clear_index(shard);
    for (uint32_t i = 0; i < shard->table.count; i++) {
        struct segment *segment = &shard->table.segments[i];
        recall_outdate(shard->versions, i);
        count += segment->live;
        metric_sub(&shard->metrics.bytes_live, segment->live_bytes);
        segment->live = 0;
        segment->live_bytes = 0;
    }
    metric_sub(&shard->metrics.objects, count);
    account_reason(shard, CATALOG_REMOVED, count);
    return count;
}
