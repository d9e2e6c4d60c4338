/* verify.c: see verify.h.
 *
 * The bytes are read with pread, in pieces of a buffer: a bad place of the disk is an error then and no
 * signal, and the page cache is warm for the sending that follows.
 */
#include "verify.h"
#include "survey.h"

#include <stdlib.h>

enum { PIECE = 64 * 1024 };

/* A record on its way through the sums. */
struct reading {
    struct shard       *shard;
    struct hash_stream *stream;
    char               *piece;
    uint64_t            at; /* in the file */
};

static bool
add(struct reading *reading, uint64_t len)
{
    while (len > 0) {
        size_t part = len < PIECE ? (size_t)len : PIECE;
        if (disk_read(&reading->shard->disk, reading->at, reading->piece, part) != ERR_NONE)
            return false;
        hash_stream_add(reading->stream, span_of(reading->piece, part));
        reading->at += part;
        len -= part;
    }
    return true;
}

static bool
lengths_agree(const struct record_header *header, const struct record *record)
{
    return le32_get(header->key_len) == record->key.len && le32_get(header->meta_len) == record->meta.len
           && le32_get(header->body_len) == record->body.len;
}

static bool
sums_are_true(struct reading *reading, const struct segment_stamp *stamp, const struct record *record)
{
    struct record_header header;

    if (disk_read(&reading->shard->disk, reading->at, &header, sizeof header) != ERR_NONE
        || !lengths_agree(&header, record))
        return false;
    reading->at += sizeof header;
    hash_stream_begin(reading->stream);
    hash_stream_add(reading->stream, span_of(stamp, sizeof *stamp));
    hash_stream_add(reading->stream, span_of(&header, offsetof(struct record_header, head_sum)));
    if (!add(reading, record->key.len + record->meta.len)
        || hash_stream_end(reading->stream) != le64_get(header.head_sum))
        return false;
    hash_stream_begin(reading->stream);
    return add(reading, record->body.len) && hash_stream_end(reading->stream) == le64_get(header.body_sum);
}

static void
tell_index(struct shard *shard, uint64_t hash, struct index_place place)
{
    lock_acquire(&shard->lock);
    struct index_entry *entry = index_at(&shard->index, hash, place);
    if (entry != NULL)
        index_set_verified(entry);
    lock_release(&shard->lock);
}

bool
verify_record(struct shard *shard, uint64_t hash, struct index_place place, const struct record *record,
              wall_time now)
{
    struct segment_stamp stamp = shard_stamp(shard, &shard->table.segments[place.segment]);
    uint64_t       at = (uint64_t)place.segment * shard->table.size + (uint64_t)place.offset * RECORD_ALIGN;
    struct reading reading = {
        .shard = shard, .stream = hash_stream_create(), .piece = malloc(PIECE), .at = at
    };
    bool good = reading.stream != NULL && reading.piece != NULL && sums_are_true(&reading, &stamp, record)
                && record->created.ns <= wall_add(now, SURVEY_AHEAD).ns;

    hash_stream_destroy(&reading.stream);
    free(reading.piece);
    if (good)
        tell_index(shard, hash, place);
    return good;
}
