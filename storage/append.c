/* append.c: see append.h.
 */
#include "append.h"
#include "commit.h"
#include "stage.h"

#include <larder/base/check.h>

static uint64_t
start_of(const struct shard *shard, const struct segment *segment)
{
    return (uint64_t)segment_number(&shard->table, segment) * shard->table.size;
}

enum err
append_failed(struct shard *shard, struct segment *segment, enum err err)
{
    shard_count_error(shard, segment, err);
    segment_seal(&shard->table, segment);
    return ERR_IO;
}

/* ── headers ── */

static uint64_t
milliseconds_of(wall_time time)
{
    return time.ns <= 0 ? 0 : (uint64_t)(time.ns / NSEC_PER_MSEC);
}

static enum err
write_header(struct shard *shard, const struct segment *segment)
{
    struct segment_header header = { .magic = le32_of(SEGMENT_MAGIC),
                                     .format = le32_of(LAYOUT_FORMAT),
                                     .stamp = shard_stamp(shard, segment),
                                     .shard = le32_of(shard->number),
                                     .segment = le32_of(segment_number(&shard->table, segment)),
                                     .log = le32_of(segment->log),
                                     .size = le32_of(shard->table.size),
                                     .opened = le64_of(milliseconds_of(shard->now)) };
    memcpy(header.boot, shard->boot, sizeof header.boot);
    header.sum = le64_of(hash_checksum(span_of(&header, offsetof(struct segment_header, sum))));

    struct gather gather;
    gather_begin(&gather, &shard->disk, start_of(shard, segment));
    gather_add(&gather, span_of(&header, sizeof header));
    gather_add_zeros(&gather, SEGMENT_HEAD - sizeof header);
    return gather_end(&gather);
}

/* ── room ── */

static enum err
open_next(struct shard *shard, unsigned log, uint32_t spare, struct segment **opened)
{
    if (shard->table.unused_count <= spare)
        return ERR_FULL;
    struct segment *segment = segment_open(&shard->table, log, shard->clock);
    metric_set(&shard->metrics.segments_free, shard->table.unused_count);
    if (spare > 0)
        shard->streak = 0;
    enum err err = write_header(shard, segment);
    if (err != ERR_NONE)
        return append_failed(shard, segment, err);
    *opened = segment;
    return ERR_NONE;
}

enum err
append_prepare(struct shard *shard, unsigned log, uint64_t size, uint32_t spare, struct segment **segment)
{
    struct segment_log *all = &shard->table.logs[log];
    if (all->open != NULL && !segment_has_room(&shard->table, all->open, size))
        stage_flush(shard); /* which, when it fails, abandons the segment */
    if (all->open != NULL && !segment_has_room(&shard->table, all->open, size))
        commit_seal(shard, all->open);
    struct segment *open = all->open;
    if (open == NULL) {
        enum err err = open_next(shard, log, spare, &open);
        if (err != ERR_NONE)
            return err;
    }
    *segment = open;
    return segment_reserve(open);
}

/* ── records ── */

static struct catalog_written
note(struct shard *shard, struct segment *segment, struct digest digest, uint64_t size, wall_time expires)
{
    struct catalog_written written = {
        .place = { segment_number(&shard->table, segment), segment->used / RECORD_ALIGN },
        .size = size,
        .expires = expires,
    };
    segment_note(&shard->table, segment, digest, size, expires);
    commit_touch(shard);
    return written;
}

static void
add_body(struct gather *gather, const struct record_parts *parts)
{
    for (int i = 0; i < parts->body_count; i++)
        gather_add(gather, span_of(parts->body[i].iov_base, parts->body[i].iov_len));
}

enum err
append_new(struct shard *shard, struct segment *segment, const struct record_parts *parts, bool stages,
           struct catalog_written *written)
{
    struct segment_stamp stamp = shard_stamp(shard, segment);
    struct record_header header;
    struct gather        gather;

    record_fill(&header, parts, &stamp, segment_next_order(&shard->table, segment), shard->stream);
    uint64_t content = parts->key.text.len + parts->meta.len + le32_get(header.body_len);
    uint64_t size = record_size(content);
    CHECK(segment_has_room(&shard->table, segment, size));
    gather_begin(&gather, &shard->disk, start_of(shard, segment) + segment->used);
    gather_add(&gather, span_of(&header, sizeof header));
    gather_add(&gather, parts->key.text);
    gather_add(&gather, parts->meta);
    add_body(&gather, parts);
    gather_add_zeros(&gather, size - RECORD_HEAD - content);
    enum err err = ERR_NONE;
    if (stages)
        stage_put(shard, segment, &gather);
    else
        err = gather_end(&gather);
    if (err != ERR_NONE)
        return append_failed(shard, segment, err);
    *written = note(shard, segment, parts->key.digest, size, record_expires(&header));
    return ERR_NONE;
}

/* Key, meta and body lie one behind the other in the map. */
enum err
append_copy(struct shard *shard, struct segment *segment, struct digest digest, const struct record *record,
            struct catalog_written *written)
{
    struct segment_stamp stamp = shard_stamp(shard, segment);
    struct record_header header;
    struct gather        gather;
    uint64_t             content = record_content(record);
    uint64_t             size = record_size(content);

    CHECK(segment_has_room(&shard->table, segment, size));
    record_refill(&header, record, &stamp, segment_next_order(&shard->table, segment), shard->stream);
    gather_begin(&gather, &shard->disk, start_of(shard, segment) + segment->used);
    gather_add(&gather, span_of(&header, sizeof header));
    gather_add(&gather, span_of(record->key.at, content));
    gather_add_zeros(&gather, size - RECORD_HEAD - content);
    enum err err = gather_end(&gather);
    if (err != ERR_NONE)
        return append_failed(shard, segment, err);
    *written = note(shard, segment, digest, size, record_expires(&header));
    return ERR_NONE;
}
