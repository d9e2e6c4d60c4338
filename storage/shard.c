/* shard.c: a shard's life, and what readers do with it. See shard.h.
 *
 * What a reader remembers of hot records it finds without the lock (recall.h). Else finding takes it once: tag matches that have not surely expired are pinned and count as hits. Only
 * then, outside the lock, the record itself is read (it may be on a cold page): digest, key text and expiry
 * decide. A match by tag alone is one in 10^5, so a false one is unpinned again and its hit forgiven.
 */
#include "shard.h"
#include "directory.h"
#include "entry.h"
#include "guard.h"
#include "stage.h"
#include "verify.h"

#include <larder/base/check.h>
#include <stdlib.h>

/* ── life ── */

enum { RESERVE_PART = 64, RESERVE_LEAST = 2, RESERVE_MOST = 16 };

static uint32_t
reserve_of(uint32_t segments)
{
    uint32_t reserve = segments / RESERVE_PART;
    return reserve < RESERVE_LEAST ? RESERVE_LEAST : reserve > RESERVE_MOST ? RESERVE_MOST : reserve;
}

static enum err
create_policy(struct shard *shard, double alpha)
{
    struct eviction_shape shape = { .bytes = shard->disk.size,
                                    .object_max = shard->table.size,
                                    .logs_max = eviction_logs_max(shard->table.count),
                                    .alpha = alpha };
    unsigned              logs = 0;

    shard->policy = shard->eviction->create(&shape, &logs);
    if (shard->policy == NULL)
        return ERR_NO_MEMORY;
    CHECK(logs >= 1 && logs <= shape.logs_max);
    shard->views = calloc(logs, sizeof shard->views[0]);
    return shard->views == NULL ? ERR_NO_MEMORY : segment_table_set_logs(&shard->table, logs);
}

static enum err
create_warm(struct shard *shard, const struct shard_config *config)
{
    enum err err = ERR_NONE;

    shard->warm = calloc(config->readers, sizeof shard->warm[0]);
    if (shard->warm == NULL)
        return ERR_NO_MEMORY;
    shard->warm_count = config->readers;
    for (unsigned i = 0; i < config->readers && err == ERR_NONE; i++)
        err = warm_init(&shard->warm[i], config->shards);
    return err;
}

static void
destroy_warm(struct shard *shard)
{
    for (unsigned i = 0; i < shard->warm_count; i++)
        warm_fini(&shard->warm[i]);
    free(shard->warm);
}

static enum err
create_recalls(struct shard *shard, const struct shard_config *config)
{
    enum err err = ERR_NONE;

    shard->versions = calloc(config->segments, sizeof shard->versions[0]);
    shard->recalls = calloc(config->readers, sizeof shard->recalls[0]);
    if (shard->versions == NULL || shard->recalls == NULL)
        return ERR_NO_MEMORY;
    shard->recall_count = config->readers;
    for (unsigned i = 0; i < config->readers && err == ERR_NONE; i++)
        err = recall_init(&shard->recalls[i], config->shards);
    return err;
}

static void
destroy_recalls(struct shard *shard)
{
    for (unsigned i = 0; i < shard->recall_count; i++)
        recall_fini(&shard->recalls[i]);
    free(shard->recalls);
    free((void *)shard->versions);
}

static enum err
create_parts(struct shard *shard, const struct shard_config *config)
{
    enum err err = segment_table_init(&shard->table, config->segments, config->segment_size);
    if (err == ERR_NONE)
        err = index_init(&shard->index, shard->disk.size);
    if (err == ERR_NONE)
        err = pins_init(&shard->pins, config->readers + 1, config->segments);
    if (err == ERR_NONE)
        err = create_policy(shard, config->alpha);
    if (err == ERR_NONE && shard->disk.in_file)
        err = create_warm(shard, config);
    if (err == ERR_NONE)
        err = create_recalls(shard, config);
    shard->stage = calloc(1, sizeof *shard->stage);
    shard->stream = hash_stream_create();
    shard->held = calloc(config->segments, sizeof shard->held[0]);
    bool all = shard->stage != NULL && shard->stream != NULL && shard->held != NULL;
    return err == ERR_NONE && all ? ERR_NONE : ERR_NO_MEMORY;
}

static void
set_journal(struct shard *shard)
{
    struct journal *journal = &shard->journal;
    *journal = (struct journal){ .disk = { .calls = shard->disk.calls, .fd = -1 },
                                 .directory = shard->directory,
                                 .shard = shard->number,
                                 .slots = journal_slots(shard->disk.size),
                                 .due = MONO_NEVER,
                                 .read_only = shard->read_only,
                                 .log = shard->log };
    directory_journal_name(shard->number, journal->name);
    memcpy(journal->store, shard->store, sizeof journal->store);
}

enum err
shard_create(struct shard **created, struct disk disk, const struct shard_config *config)
{
    size_t        size = (sizeof(struct shard) + 63) / 64 * 64;
    struct shard *shard = aligned_alloc(64, size);

    if (shard == NULL) {
        disk_close(&disk);
        return ERR_NO_MEMORY;
    }
    memset(shard, 0, size);
    lock_init(&shard->lock, LOCK_RANK_SHARD, "shard");
    queue_init(&shard->jobs);
    shard->disk = disk;
    shard->eviction = config->eviction;
    shard->log = config->log;
    shard->number = config->number;
    shard->shards = config->shards;
    shard->run = config->run;
    shard->was_clean = config->was_clean;
    shard->same_policy = config->same_policy;
    shard->read_only = config->read_only;
    shard->directory = config->directory;
    shard->cold = config->cold;
    shard->path = config->path;
    shard->now = clock_wall();
    shard->epoch = wall_seconds(shard->now);
    shard->sealed_due = shard->open_due = MONO_NEVER;
    shard->reserve = reserve_of(config->segments);
    memcpy(shard->store, config->store, sizeof shard->store);
    memcpy(shard->boot, config->boot, sizeof shard->boot);
    set_journal(shard);
    *created = shard;
    if (create_parts(shard, config) != ERR_NONE) {
        shard_destroy(created);
        return ERR_NO_MEMORY;
    }
    metric_set(&shard->metrics.bytes_size, disk.size);
    metric_set(&shard->metrics.segments, config->segments);
    metric_set(&shard->metrics.segments_free, config->segments);
    shard_count_memory(shard);
    return ERR_NONE;
}

void
shard_destroy(struct shard **destroyed)
{
    struct shard *shard = *destroyed;
    if (shard == NULL)
        return;
    for (uint32_t i = 0; shard->pins.counts != NULL && i < shard->table.count; i++)
        CHECK(!pins_held(&shard->pins, i));
    if (shard->policy != NULL)
        shard->eviction->destroy(shard->policy);
    journal_close(&shard->journal);
    hash_stream_destroy(&shard->stream);
    free(shard->stage);
    free(shard->views);
    free(shard->held);
    destroy_warm(shard);
    destroy_recalls(shard);
    pins_fini(&shard->pins);
    index_fini(&shard->index);
    segment_table_fini(&shard->table);
    disk_close(&shard->disk);
    lock_fini(&shard->lock);
    free(shard);
    *destroyed = NULL;
}

/* ── finding ── */

static bool
surely_expired(const struct shard *shard, uint32_t expiry, wall_time now)
{
    int64_t since = wall_seconds(now) - shard->epoch;
    return expiry != INDEX_EXPIRY_ASK && since >= 0 && expiry <= since / INDEX_EXPIRY_UNIT;
}

/* False: it changes nothing, nor will the next. */
static bool
count_hit(struct shard *shard, uint64_t hash, struct index_entry *entry, const struct index_facts *facts)
{
    struct segment        *segment = &shard->table.segments[facts->place.segment];
    struct eviction_object object = {
        .hash = hash, .size = facts->size, .freq = facts->freq, .log = segment->log
    };
    struct eviction_verdict verdict = shard->eviction->hit(shard->policy, &object);

    if (verdict.freq != facts->freq)
        index_set_freq(entry, verdict.freq);
    if (verdict.worth > 0)
        segment->view.worth += verdict.worth;
    return verdict.freq != facts->freq || verdict.worth > 0;
}

/* What the reader remembers, pinned. False: nothing, or the index may say something else by now. */
static bool
pin_recalled(struct shard *shard, unsigned reader, uint64_t hash, wall_time now, struct shard_match *match)
{
    struct recall_slot *slot = recall_find(&shard->recalls[reader], hash);

    if (slot == NULL || surely_expired(shard, slot->expiry, now))
        return false;
    pins_take_unlocked(&shard->pins, reader, slot->place.segment);
    if (recall_version(shard->versions, slot->place.segment) != slot->version) {
        pins_drop(&shard->pins, reader, slot->place.segment);
        slot->place.offset = 0;
        return false;
    }
    *match = (struct shard_match){ .place = slot->place, .size = slot->size };
    return true;
}

void
shard_recall(struct shard *shard, unsigned reader, uint64_t hash, const struct shard_match *match)
{
    struct recall_slot slot = { hash, match->version, match->place, (uint32_t)match->size, match->expiry };

    if (match->settled && !match->unverified)
        recall_note(&shard->recalls[reader], &slot);
}

unsigned
shard_pin_matches(struct shard *shard, unsigned reader, uint64_t hash, wall_time now,
                  const struct cold_set *counted, struct shard_match *found)
{
    struct index_entry *entries[INDEX_MATCHES];
    unsigned            count = 0;

    if (pin_recalled(shard, reader, hash, now, &found[0]))
        return 1;
    lock_acquire(&shard->lock);
    unsigned matches = index_match(&shard->index, hash, entries);
    for (unsigned i = 0; i < matches; i++) {
        struct index_facts facts = index_read(entries[i]);
        if (surely_expired(shard, facts.expiry, now))
            continue;
        pins_take(&shard->pins, reader, facts.place.segment);
        bool is_new = counted == NULL || cold_set_find(counted, shard, facts.place) == NULL;
        bool settled = is_new && !count_hit(shard, hash, entries[i], &facts);
        found[count++] =
            (struct shard_match){ .place = facts.place,
                                  .size = facts.size,
                                  .unverified = facts.unverified,
                                  .settled = settled,
                                  .version = recall_version(shard->versions, facts.place.segment),
                                  .expiry = facts.expiry };
    }
    lock_release(&shard->lock);
    return count;
}

bool
shard_knows(struct shard *shard, uint64_t hash, wall_time now)
{
    struct index_entry *entries[INDEX_MATCHES];
    bool                known = false;

    if (!atomic_load_explicit(&shard->ready, memory_order_acquire))
        return false;
    lock_acquire(&shard->lock);
    unsigned matches = index_match(&shard->index, hash, entries);
    for (unsigned i = 0; i < matches && !known; i++) {
        struct index_facts facts = index_read(entries[i]);
        known = !surely_expired(shard, facts.expiry, now);
    }
    lock_release(&shard->lock);
    return known;
}

/* A touch of the map, for the guard. */
struct looking {
    const struct shard     *shard;
    struct index_place      place;
    const struct store_key *key; /* NULL: whatever it is */
    struct record           record;
    struct digest           digest;
    bool                    found;
};

enum { PAGE = 4096 };

/* The caller will read key and meta outside of the guard: so all their pages are touched here. */
static void
touch(struct span bytes)
{
    for (size_t at = 0; at < bytes.len; at += PAGE)
        (void)*(const volatile char *)(bytes.at + at);
    if (bytes.len > 0)
        (void)*(const volatile char *)(bytes.at + bytes.len - 1);
}

static void
look(void *context)
{
    struct looking *looking = context;

    looking->found =
        record_parse(shard_room(looking->shard, looking->place), &looking->record, &looking->digest);
    if (!looking->found || looking->key == NULL)
        return;
    looking->found = digest_equal(looking->digest, looking->key->digest)
                     && span_equal(looking->record.key, looking->key->text);
    if (looking->found)
        touch(looking->record.meta);
}

bool
shard_parse(const struct shard *shard, struct index_place place, struct record *record, struct digest *digest)
{
    struct looking looking = { .shard = shard, .place = place };
    bool           found = guard_run(look, &looking) && looking.found;

    *record = looking.record;
    *digest = looking.digest;
    return found;
}

bool
shard_is_wanted(struct shard *shard, const struct shard_match *match, const struct store_key *key,
                wall_time now, struct record *record, struct shard_damage *damage)
{
    struct looking looking = { .shard = shard, .place = match->place, .key = key };
    bool           readable = guard_run(look, &looking);

    *record = looking.record;
    if (readable && (!looking.found || now.ns >= record->expires.ns))
        return false;
    if (readable && (!match->unverified || verify_record(shard, key->digest.low, match->place, record, now)))
        return true;
    *damage = (struct shard_damage){ true, key->digest.low, match->place };
    return false;
}

bool
shard_find(struct shard *shard, unsigned reader, const struct store_key *key, wall_time now,
           struct lease *lease, struct shard_damage *damage)
{
    struct shard_match found[INDEX_MATCHES];

    lease->shard = lease->buffer = NULL;
    damage->found = false;
    if (!atomic_load_explicit(&shard->ready, memory_order_acquire))
        return false;
    unsigned count = shard_pin_matches(shard, reader, key->digest.low, now, NULL, found);
    for (unsigned i = 0; i < count; i++) {
        if (lease->shard == NULL && shard_is_wanted(shard, &found[i], key, now, &lease->record, damage)) {
            shard_recall(shard, reader, key->digest.low, &found[i]);
            lease_set(lease, shard, reader, found[i].place.segment, NULL);
        } else
            pins_drop(&shard->pins, reader, found[i].place.segment);
    }
    return lease->shard != NULL;
}

void
shard_count_memory(struct shard *shard)
{
    uint64_t segment = sizeof(struct segment) + shard->pins.readers * sizeof shard->pins.counts[0][0];
    metric_set(&shard->metrics.bytes_index, index_memory(&shard->index) + shard->table.count * segment);
}

void
shard_count_error(struct shard *shard, const struct segment *segment, enum err err)
{
    metric_add(&shard->metrics.write_errors, 1);
    uint64_t errors = metric_read(&shard->metrics.write_errors);
    if ((errors & (errors - 1)) == 0) /* the 1st, 2nd, 4th, 8th: a dead disk must not fill the log */
        log_write(shard->log, LOG_ERROR, "store: shard %u: writing segment %u failed (%llu times by now): %s",
                  shard->number, segment_number(&shard->table, segment), (unsigned long long)errors,
                  err_text(err));
}
