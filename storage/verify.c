/* verify.c: see verify.h.
 *
 * The bytes are read with pread, in pieces of a buffer: a bad place of the disk is an error then and no
 * signal, and the page cache is warm for the sending that follows.
 */
#include "verify.h"
#include "survey.h"

#include <stdlib.h>

enum { PIECE = 64 * 1024 };

enum err
verify_begin(struct verify *verify, const struct disk *disk)
{
    *verify = (struct verify){ .disk = disk, .stream = hash_stream_create(), .piece = malloc(PIECE) };
    if (verify->stream != NULL && verify->piece != NULL)
        return ERR_NONE;
    verify_end(verify);
    return ERR_NO_MEMORY;
}

void
verify_end(struct verify *verify)
{
    hash_stream_destroy(&verify->stream);
    free(verify->piece);
    verify->piece = NULL;
}

static bool
add(struct verify *verify, uint64_t *at, uint64_t len)
{
    while (len > 0) {
        size_t part = len < PIECE ? (size_t)len : PIECE;
        if (disk_read(verify->disk, *at, verify->piece, part) != ERR_NONE)
            return false;
        hash_stream_add(verify->stream, span_of(verify->piece, part));
        *at += part;
        len -= part;
    }
    return true;
}

enum verify_result
verify_sums(struct verify *verify, const struct segment_stamp *stamp, uint64_t at, uint64_t room,
            struct record_header *header)
{
    if (room < sizeof *header)
        return VERIFY_HEAD;
    if (disk_read(verify->disk, at, header, sizeof *header) != ERR_NONE)
        return VERIFY_UNREADABLE;
    uint64_t head = (uint64_t)le32_get(header->key_len) + le32_get(header->meta_len);
    uint64_t body = le32_get(header->body_len);
    if (le32_get(header->magic) != RECORD_MAGIC || head + body > room - sizeof *header)
        return VERIFY_HEAD;
    at += sizeof *header;
    hash_stream_begin(verify->stream);
    hash_stream_add(verify->stream, span_of(stamp, sizeof *stamp));
    hash_stream_add(verify->stream, span_of(header, offsetof(struct record_header, head_sum)));
    if (!add(verify, &at, head))
        return VERIFY_UNREADABLE;
    if (hash_stream_end(verify->stream) != le64_get(header->head_sum))
        return VERIFY_HEAD;
    hash_stream_begin(verify->stream);
    if (!add(verify, &at, body))
        return VERIFY_UNREADABLE;
    return hash_stream_end(verify->stream) == le64_get(header->body_sum) ? VERIFY_TRUE : VERIFY_BODY;
}

/* ── for the index ── */

static bool
lengths_agree(const struct record_header *header, const struct record *record)
{
    return le32_get(header->key_len) == record->key.len && le32_get(header->meta_len) == record->meta.len
           && le32_get(header->body_len) == record->body.len;
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
    uint64_t             from = (uint64_t)place.offset * RECORD_ALIGN;
    uint64_t             at = (uint64_t)place.segment * shard->table.size + from;
    struct verify        verify;
    struct record_header header;

    if (verify_begin(&verify, &shard->disk) != ERR_NONE)
        return false;
    bool good = verify_sums(&verify, &stamp, at, shard->table.size - from, &header) == VERIFY_TRUE
                && lengths_agree(&header, record) && record->created.ns <= wall_add(now, SURVEY_AHEAD).ns;
    verify_end(&verify);
    if (good)
        tell_index(shard, hash, place);
    return good;
}

bool
verify_bytes(struct shard *shard, uint64_t hash, struct index_place place, struct span bytes, bool unverified,
             wall_time now)
{
    struct segment_stamp stamp = shard_stamp(shard, &shard->table.segments[place.segment]);
    struct hash_stream  *stream = hash_stream_create();
    struct record        record;
    struct digest        digest;
    bool                 good = stream != NULL && record_parse(bytes, &record, &digest)
                && record_head_intact(&record, &stamp, stream) && record_body_intact(&record)
                && (!unverified || record.created.ns <= wall_add(now, SURVEY_AHEAD).ns);

    hash_stream_destroy(&stream);
    if (good && unverified)
        tell_index(shard, hash, place);
    return good;
}
