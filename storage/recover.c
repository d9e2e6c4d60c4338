/* recover.c: see recover.h.
 *
 * Two entries of one digest may be far apart, and the index does not know positions. But whoever it finds
 * under the same tag lies in a segment that was entered before: its footer has just been read, and entries
 * are in order, so a search in the map settles both the digest and the position.
 */
#include "recover.h"
#include "catalog.h"
#include "guard.h"
#include "journal.h"
#include "snapshot.h"
#include "survey.h"
#include "writer.h"

#include <larder/base/check.h>
#include <stdlib.h>

enum { AHEAD = 16, HEADERS_AHEAD = 64, FOOTERS_AHEAD = 8, SLACK = 32 };

#define POSITION_GAP (UINT64_C(1) << 32) /* an order is smaller */

struct found {
    uint64_t seq;
    uint32_t segment;
    uint32_t claim; /* records, by its footer; 0: there is none */
};

struct recovery {
    struct survey survey;
    struct tombs  tombs;
    bool          trusted;   /* the journal is whole */
    bool          no_memory; /* to look at segments: so nothing is known of them */
    mono_time     began;
    struct found *found; /* segments with a true header */
    uint32_t      count, at;
    uint64_t      claimed; /* records, by their footers */
    uint32_t      silent;  /* segments that have none */
    bool          expired; /* of what was entered, some has */
    uint64_t      last;    /* no position was larger */
};

/* ── beginning and end ── */

static void
raise_last(struct recovery *recovery, uint64_t position)
{
    if (position > recovery->last)
        recovery->last = position;
}

/* A shard without its journal must not read what it holds, neither now nor at a later start. */
static void
begin_without(struct shard *shard)
{
    struct fault fault;
    if (shard->read_only) {
        shard->journal.lost = true;
        return;
    }
    if (shard->recovery->no_memory) {
        journal_abandon(&shard->journal);
        return;
    }
    if (journal_create(&shard->journal, shard->path, shard->table.writes, &fault) == ERR_NONE)
        return;
    shard->journal.lost = true;
    log_write(shard->log, LOG_ERROR, "store: %s", fault.text);
}

static void
open_to_readers(struct store_job *job, struct store_writer *writer)
{
    struct shard *shard = writer->shard;
    (void)job;
    atomic_store_explicit(&shard->ready, true, memory_order_release);
    metric_set(&shard->metrics.recovered, shard->recovered);
    metric_set(&shard->metrics.recovered_bytes, shard->recovered_bytes);
}

/* Readers come in behind the jobs that have waited: what was fetched meanwhile must not be hidden by what it
 * replaces. From here on the shard is its store thread's. */
static void
finish(struct shard *shard)
{
    struct recovery *recovery = shard->recovery;
    uint64_t         first = recover_first_position(shard->run);

    raise_last(recovery, shard->table.writes);
    shard->table.writes = recovery->last + POSITION_GAP > first ? recovery->last + POSITION_GAP : first;
    if (!recovery->trusted)
        begin_without(shard);
    if (!shard->read_only)
        snapshot_remove(shard);
    metric_set(&shard->metrics.segments_free, shard->table.unused_count);
    shard->recovered = metric_read(&shard->metrics.objects);
    shard->recovered_bytes = metric_read(&shard->metrics.bytes_live);
    nsec took = mono_since(clock_mono(), recovery->began);
    metric_set(&shard->metrics.recovery_time, (uint64_t)(took / NSEC_PER_MSEC));
    survey_fini(&recovery->survey);
    tombs_fini(&recovery->tombs);
    free(recovery->found);
    shard->recovery = NULL;
    shard->opening = (struct store_job){ .run = open_to_readers };
    queue_push(&shard->jobs, &shard->opening.node);
    atomic_store_explicit(&shard->recovered_all, true, memory_order_release);
}

/* False: without a whole journal nothing may be read. */
static bool
read_journal(struct shard *shard, struct recovery *recovery)
{
    struct fault fault;
    enum err     err = journal_open(&shard->journal, shard->path, &fault);

    if (err == ERR_NONE) {
        err = journal_replay(&shard->journal, &recovery->tombs);
        if (err == ERR_NONE) {
            raise_last(recovery, shard->journal.last);
            raise_last(recovery, shard->journal.floor);
            return true;
        }
        journal_close(&shard->journal);
        fault_set(&fault, err, "%s/%s: %s", shard->path, shard->journal.name, err_text(err));
    }
    log_write(shard->log, LOG_WARN, "store: shard %u begins empty, since purges may be lost: %s",
              shard->number, fault.text);
    return false;
}

/* False: it cannot look at segments. */
static bool
prepare(struct shard *shard)
{
    struct recovery *recovery = shard->recovery;

    recovery->found = calloc(shard->table.count, sizeof recovery->found[0]);
    if (recovery->found != NULL && survey_init(&recovery->survey, shard, shard->now) == ERR_NONE)
        return true;
    log_write(shard->log, LOG_ERROR, "store: shard %u begins empty: no memory", shard->number);
    recovery->trusted = false;
    recovery->no_memory = true;
    return false;
}

/* ── headers ── */

static void
count_dropped(struct shard *shard, enum survey_result result)
{
    if (result == SURVEY_FUTURE)
        metric_add(&shard->metrics.recovery_future, 1);
    else if (result == SURVEY_DAMAGED)
        metric_add(&shard->metrics.recovery_damaged, 1);
    else if (result == SURVEY_LOST)
        metric_add(&shard->metrics.recovery_unsealed, 1);
}

static void
look_at_header(struct shard *shard, uint32_t segment)
{
    struct recovery      *recovery = shard->recovery;
    struct segment_header header;
    enum survey_result    result = survey_header(&recovery->survey, segment, &header);

    if (result == SURVEY_FOOTER || result == SURVEY_FUTURE)
        raise_last(recovery, le64_get(header.stamp.seq) + POSITION_GAP - 1);
    if (result != SURVEY_FOOTER) {
        count_dropped(shard, result);
        return;
    }
    uint32_t claim = survey_claim(&recovery->survey, segment, &header);
    recovery->found[recovery->count++] = (struct found){ le64_get(header.stamp.seq), segment, claim };
    recovery->claimed += claim;
    recovery->silent += claim == 0;
}

static int
compare_found(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* An index that grows on the way moves each entry five times, and one that is a little too small moves them all at the
 * end. So what the footers do not tell of is guessed: a segment without one holds as many records as the others, and
 * one that was open when its footer was written holds some more. But no more is guessed than is told: where few
 * segments have a footer, they may be those of small records. Footers claim those too that were replaced or removed
 * since: their room is for records to come. */
static void
reserve_index(struct shard *shard)
{
    const struct recovery *recovery = shard->recovery;
    uint32_t               telling = recovery->count - recovery->silent;
    uint64_t               claimed = recovery->claimed;
    uint64_t               guess = telling == 0 ? 0 : claimed / telling * recovery->silent;

    index_reserve(&shard->index, claimed + claimed / SLACK + (guess < claimed ? guess : claimed));
    shard_count_memory(shard);
}

/* The disk is told of some ahead of the one that is waited for: it has several reads to do at a time. Then they are in
 * order, from the oldest on. */
static void
look_at_headers(struct shard *shard)
{
    struct recovery *recovery = shard->recovery;

    for (uint32_t i = 0; i < shard->table.count + HEADERS_AHEAD; i++) {
        if (i < shard->table.count)
            survey_expect(&recovery->survey, i);
        if (i >= HEADERS_AHEAD)
            look_at_header(shard, i - HEADERS_AHEAD);
    }
    qsort(recovery->found, recovery->count, sizeof recovery->found[0], compare_found);
}

/* ── records ── */

/* Entries in order of their offsets; the one at `offset`. */
static const struct footer_entry *
search(const struct footer_entry *entries, uint32_t count, uint32_t offset)
{
    uint32_t from = 0;
    while (count > 0) {
        uint32_t half = count / 2, at = le32_get(entries[from + half].offset);
        if (at == offset)
            return &entries[from + half];
        if (at < offset) {
            from += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return NULL;
}

struct searching {
    const struct footer_entry *entries;
    uint32_t                   count, offset;
    bool                       found;
    struct footer_entry        entry; /* a copy */
};

static void
search_guarded(void *context)
{
    struct searching          *searching = context;
    const struct footer_entry *entry = search(searching->entries, searching->count, searching->offset);
    searching->found = entry != NULL;
    if (entry != NULL)
        searching->entry = *entry;
}

/* Where the entries of a segment that was entered before, or is being entered, are to be had. */
static const struct footer_entry *
entries_of(struct shard *shard, uint32_t number)
{
    struct recovery      *recovery = shard->recovery;
    const struct segment *segment = &shard->table.segments[number];
    uint64_t              end = ((uint64_t)number + 1) * shard->table.size;

    if (recovery->at < recovery->count && recovery->found[recovery->at].segment == number)
        return recovery->survey.entries;
    if (segment->entries != NULL)
        return segment->entries;
    const char *at =
        shard->disk.map + end - sizeof(struct footer_trailer) - segment->count * sizeof(struct footer_entry);
    return (const struct footer_entry *)(const void *)at;
}

/* What the index has under that digest already. */
static bool
find_entered(struct shard *shard, const struct index_spot *spot, struct digest digest,
             struct catalog_item *item, uint64_t *position)
{
    struct index_entry *found[INDEX_MATCHES];
    unsigned            count = index_match_at(spot, found);

    for (unsigned i = 0; i < count; i++) {
        struct index_place    place = index_read(found[i]).place;
        const struct segment *segment = &shard->table.segments[place.segment];
        struct searching      searching = { .entries = entries_of(shard, place.segment),
                                            .count = segment->count,
                                            .offset = place.offset };
        if (!guard_run(search_guarded, &searching) || !searching.found
            || !digest_equal(footer_digest(&searching.entry), digest))
            continue;
        item->place = place;
        item->size = (uint64_t)le32_get(searching.entry.size) * RECORD_ALIGN;
        *position = segment->seq + le32_get(searching.entry.order);
        return true;
    }
    return false;
}

/* Which records were found how often is not written. The policies' logs tell a little (eviction.h). */
static unsigned
first_freq(const struct shard *shard, const struct segment *segment)
{
    return shard->table.log_count > 1 && segment->log >= shard->table.log_count / 2;
}

/* One that has expired is entered too: an older one of its digest must not be found in its place. */
static void
enter(struct shard *shard, struct segment *segment, const struct footer_entry *entry,
      const struct index_spot *spot)
{
    struct recovery        *recovery = shard->recovery;
    struct digest           digest = footer_digest(entry);
    uint64_t                position = segment->seq + le32_get(entry->order), before;
    struct catalog_item     old;
    struct catalog_restored restored = { .place = { segment_number(&shard->table, segment),
                                                    le32_get(entry->offset) },
                                         .size = (uint64_t)le32_get(entry->size) * RECORD_ALIGN,
                                         .expires = footer_expires(entry),
                                         .freq = first_freq(shard, segment) };

    segment->expires = restored.expires > segment->expires ? restored.expires : segment->expires;
    recovery->expired = recovery->expired || restored.expires <= shard->epoch;
    if (tombs_cover(&recovery->tombs, digest, position)) {
        metric_add(&shard->metrics.recovery_purged, 1);
        return;
    }
    bool again = find_entered(shard, spot, digest, &old, &before);
    if (again)
        metric_add(&shard->metrics.recovery_older, 1);
    if (!again || before < position)
        catalog_restore(shard, spot, digest, again ? &old : NULL, &restored);
}

/* False: no memory for the list of a segment that has no footer. */
static bool
keep_entries(struct shard *shard, struct segment *segment, const struct survey *survey)
{
    size_t len = survey->count * sizeof survey->entries[0];
    segment->entries = malloc(len);
    if (segment->entries == NULL)
        return false;
    memcpy(segment->entries, survey->entries, len);
    segment->room = survey->count;
    segment->pending = true;
    shard->pending++;
    shard->sealed_due = shard->disk.calls->mono();
    return true;
}

/* Some entries ahead of the one that is entered, so that memory has the time to answer. */
static void
look_ahead(const struct shard *shard, const struct footer_entry *entry, struct index_spot *spot)
{
    struct digest digest = footer_digest(entry);

    *spot = index_locate(&shard->index, digest.low);
    index_prefetch(spot);
    tombs_prefetch(&shard->recovery->tombs, digest);
}

static void
enter_all(struct shard *shard, struct segment *segment, const struct survey *survey)
{
    struct index_spot spots[AHEAD];

    catalog_make_room(shard, survey->count);
    for (uint32_t i = 0; i < AHEAD && i < survey->count; i++)
        look_ahead(shard, &survey->entries[i], &spots[i]);
    for (uint32_t i = 0; i < survey->count; i++) {
        struct index_spot spot = spots[i % AHEAD];
        if (i + AHEAD < survey->count)
            look_ahead(shard, &survey->entries[i + AHEAD], &spots[i % AHEAD]);
        enter(shard, segment, &survey->entries[i], &spot);
    }
}

static void
enter_segment(struct shard *shard, struct segment *segment, const struct segment_header *header, bool walked)
{
    struct recovery     *recovery = shard->recovery;
    const struct survey *survey = &recovery->survey;
    uint32_t             log = le32_get(header->log);

    segment->seq = le64_get(header->stamp.seq);
    segment->log = shard->same_policy && log < shard->table.log_count ? (uint8_t)log : 0;
    segment->count = segment->noted = survey->count;
    segment->used = survey->used;
    segment->view.bytes = survey->used - SEGMENT_HEAD;
    if (walked && !keep_entries(shard, segment, survey))
        return;
    segment_restore(&shard->table, segment, shard->clock);
    enter_all(shard, segment, survey);
    shard->clock += survey->count;
}

static void
drop_if_expired(struct shard *shard, const struct index_entry *entry)
{
    struct index_facts facts = index_read(entry);
    if (facts.expiry > 0)
        return;
    struct searching searching = { .entries = entries_of(shard, facts.place.segment),
                                   .count = shard->table.segments[facts.place.segment].count,
                                   .offset = facts.place.offset };
    if (!guard_run(search_guarded, &searching) || !searching.found)
        return;
    catalog_remove(shard, footer_digest(&searching.entry), facts.place,
                   (uint64_t)le32_get(searching.entry.size) * RECORD_ALIGN, CATALOG_EXPIRED);
    metric_add(&shard->metrics.recovery_expired, 1);
}

/* When all are entered. From the last entry of a bucket: a removal moves the last one into the gap. */
static void
drop_expired(struct shard *shard)
{
    for (uint64_t i = 0; i < shard->index.table.count; i++) {
        struct index_bucket *bucket = &shard->index.table.buckets[i];
        for (uint32_t j = bucket->used; j-- > 0;)
            drop_if_expired(shard, &bucket->entries[j]);
    }
}

static void
look_at_segment(struct shard *shard, const struct found *found)
{
    struct survey        *survey = &shard->recovery->survey;
    struct segment_header header;
    enum survey_result    result = survey_header(survey, found->segment, &header);

    if (result == SURVEY_FOOTER && le64_get(header.stamp.seq) == found->seq)
        result = survey_records(survey, found->segment, &header);
    if (result == SURVEY_FOOTER || result == SURVEY_WALKED)
        enter_segment(shard, &shard->table.segments[found->segment], &header, result == SURVEY_WALKED);
    else
        count_dropped(shard, result);
}

static void
look_at_records(struct shard *shard)
{
    struct recovery *recovery = shard->recovery;

    reserve_index(shard);
    for (uint32_t i = 0; i < recovery->count + FOOTERS_AHEAD; i++) {
        if (i < recovery->count)
            survey_expect_entries(&recovery->survey, recovery->found[i].segment, recovery->found[i].claim);
        if (i < FOOTERS_AHEAD)
            continue;
        recovery->at = i - FOOTERS_AHEAD;
        look_at_segment(shard, &recovery->found[recovery->at]);
    }
    recovery->at = recovery->count;
    if (recovery->expired)
        drop_expired(shard);
}

/* ── all of it ── */

void
recover_run(struct shard *shard)
{
    struct recovery recovery = { .began = clock_mono() };

    shard->recovery = &recovery;
    recovery.trusted = read_journal(shard, &recovery);
    bool loaded = recovery.trusted && shard->was_clean && snapshot_load(shard);
    if (!loaded && prepare(shard)) {
        look_at_headers(shard); /* without a journal too: the next position must lie behind them all */
        if (recovery.trusted)
            look_at_records(shard);
    }
    finish(shard);
}
