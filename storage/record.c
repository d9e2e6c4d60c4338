/* record.c: headers of records: filled, parsed, summed. See record.h.
 */
#include "record.h"

#include <larder/base/check.h>

static uint64_t
to_milliseconds(wall_time time)
{
    return time.ns <= 0 ? 0 : (uint64_t)(time.ns / NSEC_PER_MSEC);
}

/* Rounded down, so that a record is never found after its time. */
static uint32_t
lifetime_of(wall_time created, wall_time expires)
{
    int64_t begin = (int64_t)to_milliseconds(created);
    int64_t end = (int64_t)to_milliseconds(expires);
    int64_t seconds = end <= begin ? 0 : (end - begin) / 1000;
    return seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

static const struct record_header *
header_of(const struct record *record)
{
    return (const struct record_header *)(const void *)(record->key.at - RECORD_HEAD);
}

static void
add(struct hash_stream *stream, struct span bytes)
{
    if (bytes.len > 0)
        hash_stream_add(stream, bytes);
}

static uint64_t
head_sum(const struct record_header *header, struct span key, struct span meta,
         const struct segment_stamp *stamp, struct hash_stream *stream)
{
    hash_stream_begin(stream);
    hash_stream_add(stream, span_of(stamp, sizeof *stamp));
    hash_stream_add(stream, span_of(header, offsetof(struct record_header, head_sum)));
    add(stream, key);
    add(stream, meta);
    return hash_stream_end(stream);
}

static uint64_t
body_sum(const struct record_parts *parts, uint64_t *len, struct hash_stream *stream)
{
    *len = 0;
    hash_stream_begin(stream);
    for (int i = 0; i < parts->body_count; i++) {
        add(stream, span_of(parts->body[i].iov_base, parts->body[i].iov_len));
        *len += parts->body[i].iov_len;
    }
    return hash_stream_end(stream);
}

void
record_fill(struct record_header *header, const struct record_parts *parts, const struct segment_stamp *stamp,
            uint32_t order, struct hash_stream *stream)
{
    uint64_t body_len;
    uint64_t sum = body_sum(parts, &body_len, stream);

    CHECK(parts->key.text.len + parts->meta.len + body_len <= UINT32_MAX);
    *header = (struct record_header){
        .magic = le32_of(RECORD_MAGIC),
        .order = le32_of(order),
        .digest_high = le64_of(parts->key.digest.high),
        .digest_low = le64_of(parts->key.digest.low),
        .created = le64_of(to_milliseconds(parts->created)),
        .lifetime = le32_of(lifetime_of(parts->created, parts->expires)),
        .key_len = le32_of((uint32_t)parts->key.text.len),
        .meta_len = le32_of((uint32_t)parts->meta.len),
        .body_len = le32_of((uint32_t)body_len),
        .body_sum = le64_of(sum),
    };
    header->head_sum = le64_of(head_sum(header, parts->key.text, parts->meta, stamp, stream));
}

void
record_refill(struct record_header *header, const struct record *record, const struct segment_stamp *stamp,
              uint32_t order, struct hash_stream *stream)
{
    *header = *header_of(record);
    header->order = le32_of(order);
    header->head_sum = le64_of(head_sum(header, record->key, record->meta, stamp, stream));
}

wall_time
record_created(const struct record_header *header)
{
    uint64_t milliseconds = le64_get(header->created);
    if (milliseconds > INT64_MAX / NSEC_PER_MSEC)
        return (wall_time){ INT64_MAX };
    return (wall_time){ (nsec)milliseconds * NSEC_PER_MSEC };
}

wall_time
record_expires(const struct record_header *header)
{
    return wall_add(record_created(header), (nsec)le32_get(header->lifetime) * NSEC_PER_SEC);
}

bool
record_parse(struct span room, struct record *record, struct digest *digest)
{
    const struct record_header *header = (const struct record_header *)(const void *)room.at;

    if (room.len < RECORD_HEAD || le32_get(header->magic) != RECORD_MAGIC)
        return false;
    uint64_t key = le32_get(header->key_len);
    uint64_t meta = le32_get(header->meta_len);
    uint64_t body = le32_get(header->body_len);
    if (key + meta + body > room.len - RECORD_HEAD)
        return false;
    *digest = (struct digest){ le64_get(header->digest_high), le64_get(header->digest_low) };
    record->key = span_of(room.at + RECORD_HEAD, key);
    record->meta = span_of(record->key.at + key, meta);
    record->body = span_of(record->meta.at + meta, body);
    record->created = record_created(header);
    record->expires = record_expires(header);
    return true;
}

bool
record_head_intact(const struct record *record, const struct segment_stamp *stamp, struct hash_stream *stream)
{
    const struct record_header *header = header_of(record);
    return le64_get(header->head_sum) == head_sum(header, record->key, record->meta, stamp, stream);
}

bool
record_body_intact(const struct record *record)
{
    return le64_get(header_of(record)->body_sum) == hash_checksum(record->body);
}
