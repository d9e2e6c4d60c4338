/* inspect_list.c: the objects of a shard, a piece at a time. See inspect.h.
 *
 * What a segment holds is told by its entries (in memory while it is open, else its footer); which of them are
 * still objects, by the index. Key and meta are read with pread, and believed with a true sum.
 */
#include "cursor.h"
#include "footer.h"
#include "writer.h"

#include <stdlib.h>

enum { LOOKS = 256 };

/* Owner: one call. */
struct listing {
    struct shard    *shard;
    char            *bytes; /* key and meta of a record */
    size_t           room;
    inspect_visitor *visit;
    void            *context;
    bool             stopped, no_memory;
};

static bool
is_known(struct shard *shard, const struct footer_entry *entry, struct index_place place)
{
    lock_acquire(&shard->lock);
    bool known = index_at(&shard->index, footer_digest(entry).low, place) != NULL;
    lock_release(&shard->lock);
    return known;
}

static bool
make_room(struct listing *listing, size_t size)
{
    if (size <= listing->room)
        return true;
    char *bytes = realloc(listing->bytes, size);
    if (bytes == NULL) {
        listing->no_memory = true;
        return false;
    }
    listing->bytes = bytes;
    listing->room = size;
    return true;
}

static bool
is_the_entrys(const struct record_header *header, const struct footer_entry *entry)
{
    uint64_t content =
        (uint64_t)le32_get(header->key_len) + le32_get(header->meta_len) + le32_get(header->body_len);
    return le32_get(header->magic) == RECORD_MAGIC
           && record_size(content) == (uint64_t)le32_get(entry->size) * RECORD_ALIGN
           && le64_get(header->digest_high) == le64_get(entry->digest_high)
           && le64_get(header->digest_low) == le64_get(entry->digest_low);
}

/* False: its header, key or meta are not what was written. */
static bool
read_object(struct listing *listing, const struct segment *segment, const struct footer_entry *entry,
            struct inspect_object *object)
{
    struct shard        *shard = listing->shard;
    struct segment_stamp stamp = shard_stamp(shard, segment);
    uint64_t             at = (uint64_t)segment_number(&shard->table, segment) * shard->table.size
                  + (uint64_t)le32_get(entry->offset) * RECORD_ALIGN;
    struct record_header header;

    if (disk_read(&shard->disk, at, &header, sizeof header) != ERR_NONE || !is_the_entrys(&header, entry))
        return false;
    size_t key = le32_get(header.key_len), head = key + le32_get(header.meta_len);
    if (!make_room(listing, sizeof header + head + 1))
        return false;
    memcpy(listing->bytes, &header, sizeof header);
    if (disk_read(&shard->disk, at + sizeof header, listing->bytes + sizeof header, head) != ERR_NONE)
        return false;
    struct record record = { .key = span_of(listing->bytes + sizeof header, key),
                             .meta = span_of(listing->bytes + sizeof header + key, head - key) };
    if (!record_head_intact(&record, &stamp, shard->stream))
        return false;
    *object = (struct inspect_object){ .key = record.key,
                                       .meta = record.meta,
                                       .size = (uint64_t)le32_get(entry->size) * RECORD_ALIGN,
                                       .body = le32_get(header.body_len),
                                       .created = record_created(&header),
                                       .expires = record_expires(&header) };
    return true;
}

static void
look(struct listing *listing, const struct segment *segment, const struct footer_entry *entry)
{
    struct shard         *shard = listing->shard;
    struct index_place    place = { segment_number(&shard->table, segment), le32_get(entry->offset) };
    struct inspect_object object;

    if (is_known(shard, entry, place) && read_object(listing, segment, entry, &object))
        listing->stopped = !listing->visit(&object, listing->context);
}

static void
list_segment(struct listing *listing, const struct segment *segment, struct inspect_cursor *cursor)
{
    struct footer_entry       *read = segment->entries == NULL ? footer_read(listing->shard, segment) : NULL;
    const struct footer_entry *entries = read != NULL ? read : segment->entries;
    uint32_t                   count = entries == NULL ? 0 : segment->count;

    for (unsigned i = 0; i < LOOKS && cursor->at < count && !listing->stopped && !listing->no_memory; i++)
        look(listing, segment, &entries[cursor->at++]);
    if (cursor->at >= count)
        cursor_pass(cursor);
    free(read);
}

enum err
inspect_list(struct store_writer *writer, struct inspect_cursor *cursor, inspect_visitor *visit,
             void *context)
{
    struct listing        listing = { .shard = writer->shard, .visit = visit, .context = context };
    struct inspect_cursor before = *cursor;
    const struct segment *segment = cursor_segment(writer->shard, cursor);

    if (segment == NULL)
        cursor_next_shard(cursor);
    else
        list_segment(&listing, segment, cursor);
    free(listing.bytes);
    if (!listing.no_memory)
        return ERR_NONE;
    *cursor = before;
    return ERR_NO_MEMORY;
}
