/* writer.c: append, find and remove for jobs.
 *
 *      writer_append:  place (policy) ─▶ room (append, else clean) ─▶ write, or stage ─▶ catalog: new in, old out
 *
 * A record that a job found is pinned by the store thread itself until the job returns: the job may append
 * from it, and the cleaning that this sets off will not give the bytes away.
 */
#include "writer.h"
#include "append.h"
#include "clean.h"
#include "stage.h"
#include "verify.h"

#include <larder/base/check.h>

static void
check_key(const struct store_writer *writer, const struct store_key *key)
{
    CHECK(shard_of_digest(key->digest, writer->shards) == writer->shard->number);
}

/* ── finding ── */

/* Once for each segment. No lock: the cleaner is this very thread. */
static void
hold(struct shard *shard, uint32_t segment)
{
    unsigned reader = shard_own_reader(shard);
    for (uint32_t i = 0; i < shard->held_count; i++)
        if (shard->held[i] == segment)
            return;
    pins_take(&shard->pins, reader, segment);
    shard->held[shard->held_count++] = segment;
}

void
writer_finish(struct store_writer *writer)
{
    struct shard *shard = writer->shard;
    for (uint32_t i = 0; i < shard->held_count; i++)
        pins_drop(&shard->pins, shard_own_reader(shard), shard->held[i]);
    shard->held_count = 0;
}

static bool
find_item(struct store_writer *writer, const struct store_key *key, struct catalog_item *item)
{
    check_key(writer, key);
    stage_flush_key(writer->shard, key->digest);
    return catalog_find(writer->shard, key->digest, item)
           && (key->text.at == NULL || span_equal(item->record.key, key->text));
}

/* What an earlier run wrote is taken out when it is not any more what it was. */
static bool
is_intact(struct shard *shard, struct digest digest, const struct catalog_item *item)
{
    if (!catalog_is_unverified(shard, digest, item->place)
        || verify_record(shard, digest.low, item->place, &item->record, shard->now))
        return true;
    catalog_remove(shard, digest, item->place, item->size, CATALOG_DAMAGED);
    return false;
}

bool
writer_find(struct store_writer *writer, const struct store_key *key, struct record *record)
{
    struct catalog_item item;

    if (!find_item(writer, key, &item) || !is_intact(writer->shard, key->digest, &item))
        return false;
    hold(writer->shard, item.place.segment);
    *record = item.record;
    return true;
}

/* Buried first, then the index: what was seen to be gone is gone for good. */
bool
writer_remove(struct store_writer *writer, const struct store_key *key)
{
    struct shard       *shard = writer->shard;
    struct catalog_item item;

    shard_bury(shard, key->digest);
    if (!find_item(writer, key, &item))
        return false;
    catalog_remove(shard, key->digest, item.place, item.size, CATALOG_REMOVED);
    return true;
}

uint64_t
writer_remove_all(struct store_writer *writer)
{
    struct shard *shard = writer->shard;
    stage_flush(shard);
    journal_raise_floor(&shard->journal, ++shard->table.writes);
    return catalog_clear(shard);
}

/* ── appending ── */

enum { BODY_PIECES = GATHER_PIECES - 4 }; /* beside header, key, meta and zeros: more are not staged */

static uint64_t
content_of(const struct record_parts *parts)
{
    uint64_t content = (uint64_t)parts->key.text.len + parts->meta.len;
    for (int i = 0; i < parts->body_count; i++)
        content += parts->body[i].iov_len;
    return content;
}

static uint32_t
lifetime_of(const struct record_parts *parts)
{
    int64_t seconds = wall_since(parts->expires, parts->created) / NSEC_PER_SEC;
    return seconds < 0 ? 0 : seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

static struct eviction_verdict
place(struct shard *shard, const struct record_parts *parts, uint64_t size)
{
    struct eviction_object object = { .hash = parts->key.digest.low,
                                      .size = size,
                                      .lifetime = lifetime_of(parts) };
    shard->clock++;
    lock_acquire(&shard->lock);
    struct eviction_verdict verdict = shard->eviction->place(shard->policy, &object);
    lock_release(&shard->lock);
    CHECK(verdict.log >= 0 && (unsigned)verdict.log < shard->table.log_count);
    return verdict;
}

/* Mostly a free segment is ready and nothing is cleaned here. */
static enum err
prepare(struct shard *shard, unsigned log, uint64_t size, struct segment **segment)
{
    for (;;) {
        enum err err = append_prepare(shard, log, size, SHARD_SPARE, segment);
        if (err != ERR_FULL)
            return err;
        if (!clean_until(shard, SHARD_SPARE))
            return ERR_FULL;
    }
}

static enum err
append(struct store_writer *writer, const struct record_parts *parts, bool stages, struct staged *record)
{
    struct shard   *shard = writer->shard;
    struct segment *segment;
    uint64_t        content = content_of(parts), size = record_size(content);

    if (content > layout_record_max(shard->table.size))
        return ERR_FULL;
    if (!stages)
        stage_flush(
            shard); /* a start reads a segment up to its first hole: nothing comes behind one, where readers see it */
    shard->now = parts->created;
    record->verdict = place(shard, parts, size);
    enum err err = prepare(shard, (unsigned)record->verdict.log, size, &segment);
    if (err == ERR_NONE && stages && !stage_has_room(shard, segment, size)) {
        stage_flush(shard); /* which, when it fails, abandons the segment */
        err = prepare(shard, (unsigned)record->verdict.log, size, &segment);
    }
    return err == ERR_NONE ? append_new(shard, segment, parts, stages, &record->written) : err;
}

enum err
writer_append(struct store_writer *writer, const struct record_parts *parts)
{
    struct shard *shard = writer->shard;
    struct staged record = { .digest = parts->key.digest };
    bool          stages = writer->stages && record_size(content_of(parts)) <= STAGE_RECORD_MAX
                  && parts->body_count <= BODY_PIECES;

    check_key(writer, &parts->key);
    stage_flush_key(shard, record.digest);
    enum err err = append(writer, parts, stages, &record);
    if (err != ERR_NONE || !stages) {
        stage_settle(shard, &record, err);
        return err;
    }
    stage_note(shard, &record);
    return ERR_NONE;
}
