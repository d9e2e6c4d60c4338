/* object.c: the bytes of a stored answer's meta, written and read.
 *
 *      0   magic, version · flags · status · lengths of head, vary, etag · times · last-modified       fixed
 *      64  head · vary spec · (marker: digests)                                                        variable
 *
 * Integers are little-endian as the machine's are: a store is not carried between machines of different order, and its
 * superblock says so. Everything is read by memcpy: a record's meta is aligned to nothing.
 */
#include <larder/cache/object.h>

#include <larder/base/check.h>
#include <larder/http/date.h>
#include <larder/http/framing.h>
#include <larder/http/parse.h>
#include <larder/http/write.h>

enum { OBJECT_MAGIC = 0x4f42, OBJECT_VERSION = 1, NO_ETAG = 0xffff, FIELDS_MAX = 256 };

struct object_header {
    uint16_t magic, version;
    uint32_t flags;
    uint32_t status;
    uint32_t head_len;
    uint32_t vary_len;
    uint32_t variants;
    uint32_t etag_at;  /* in the head */
    uint16_t etag_len; /* NO_ETAG: none */
    uint16_t has_modified;
    int64_t  modified;
    int64_t  born, fresh_until, expires; /* ns since 1970 */
};
_Static_assert(sizeof(struct object_header) == 64, "the layout is the same everywhere");

/* ── reading ── */

bool
object_read(struct span meta, struct object *object)
{
    struct object_header header;

    if (meta.len < sizeof header)
        return false;
    memcpy(&header, meta.at, sizeof header);
    uint64_t size = sizeof header + (uint64_t)header.head_len + header.vary_len
                    + (uint64_t)header.variants * sizeof(struct digest);
    if (header.magic != OBJECT_MAGIC || header.version != OBJECT_VERSION || size != meta.len)
        return false;
    *object = (struct object){ .flags = header.flags,
                               .status = header.status,
                               .born = { header.born },
                               .fresh_until = { header.fresh_until },
                               .expires = { header.expires },
                               .variant_count = header.variants };
    object->head = span_of(meta.at + sizeof header, header.head_len);
    object->vary = span_of(object->head.at + header.head_len, header.vary_len);
    object->variants = span_of(object->vary.at + header.vary_len, header.variants * sizeof(struct digest));
    object->validators.has_modified = header.has_modified != 0;
    object->validators.modified = header.modified;
    if (header.etag_len == NO_ETAG)
        return true;
    if ((uint64_t)header.etag_at + header.etag_len > header.head_len)
        return false;
    object->validators.etag = span_of(object->head.at + header.etag_at, header.etag_len);
    return true;
}

struct digest
object_variant(const struct object *marker, size_t index)
{
    struct digest digest;
    CHECK(index < marker->variant_count);
    memcpy(&digest, marker->variants.at + index * sizeof digest, sizeof digest);
    return digest;
}

enum err
object_parse_head(const struct object *object, struct head *head)
{
    return parse_stored(head, object->head);
}

/* ── writing ── */

static void
fill_header(struct object_header *header, unsigned status, const struct verdict *verdict)
{
    *header = (struct object_header){ .magic = OBJECT_MAGIC,
                                      .version = OBJECT_VERSION,
                                      .status = status,
                                      .etag_len = NO_ETAG,
                                      .born = verdict->born.ns,
                                      .fresh_until = verdict->fresh_until.ns,
                                      .expires = verdict->expires.ns };
    if (verdict->always_validate)
        header->flags |= OBJECT_ALWAYS_VALIDATE;
    if (verdict->implicit)
        header->flags |= OBJECT_IMPLICIT;
}

/* Where the validators are in the head that was written. */
static void
find_validators(struct object_header *header, struct span written, const struct head *parsed, wall_time now)
{
    const struct field *etag = head_find(parsed, FIELD_ETAG);
    struct etag         valid;
    int64_t             modified;

    if (etag != NULL && head_next(parsed, etag) == NULL && etag->value.len < NO_ETAG
        && etag_parse(etag->value, &valid)) {
        header->etag_at = (uint32_t)(etag->value.at - written.at);
        header->etag_len = (uint16_t)etag->value.len;
    }
    const struct field *field = head_find(parsed, FIELD_LAST_MODIFIED);
    if (field != NULL && head_next(parsed, field) == NULL && date_parse(field->value, now, &modified)) {
        header->modified = modified;
        header->has_modified = 1;
    }
}

/* Header, head and spec as one piece; `head` was written at `memory` + the header's size. */
static enum err
finish_meta(char *memory, struct object_header *header, struct span head, struct span vary, wall_time now,
            struct span *meta)
{
    struct field fields[FIELDS_MAX];
    struct head  parsed;

    head_init(&parsed, fields, FIELDS_MAX);
    enum err err = parse_stored(&parsed, head);
    if (err != ERR_NONE)
        return ERR_LIMIT;
    find_validators(header, head, &parsed, now);
    header->head_len = (uint32_t)head.len;
    header->vary_len = (uint32_t)vary.len;
    memcpy(memory, header, sizeof *header);
    if (vary.len > 0)
        memcpy(memory + sizeof *header + head.len, vary.at, vary.len);
    *meta = span_of(memory, sizeof *header + head.len + vary.len);
    return ERR_NONE;
}

static size_t
room_for(const struct head *head)
{
    size_t room = 256 + head->reason.len;
    for (unsigned i = 0; i < head->count; i++)
        room += head->fields[i].name.len + head->fields[i].value.len + 4;
    return room;
}

/* Set-Cookie never is in an answer that is kept as not for everyone; Age is made anew on each reuse. */
static bool
is_kept(const struct hop_set *hop, const struct field *field)
{
    return !framing_is_hop(hop, field) && field->id != FIELD_AGE && field->id != FIELD_CONTENT_LENGTH;
}

static void
write_date_if_missing(struct writer *writer, const struct head *head, wall_time now)
{
    char date[DATE_SIZE];

    if (head_has(head, FIELD_DATE))
        return;
    date_format(wall_seconds(now), date);
    write_field(writer, SPAN("Date"), span_of(date, sizeof date)); /* RFC 9110 §6.6.1 */
}

enum err
object_write(struct arena *arena, const struct head *response, const struct verdict *verdict,
             struct span vary, int64_t length, wall_time now, struct span *meta)
{
    struct object_header header;
    struct hop_set       hop;
    enum refusal         refusal;
    size_t               room = room_for(response);

    if (room > OBJECT_HEAD_MAX || framing_mark_hop(response, &hop, &refusal) != ERR_NONE)
        return ERR_LIMIT;
    char *memory = arena_alloc(arena, sizeof header + room + vary.len);
    if (memory == NULL)
        return ERR_NO_MEMORY;
    struct writer writer;
    writer_init(&writer, memory + sizeof header, room);
    write_status_line(&writer, response->status, response->reason);
    for (unsigned i = 0; i < response->count; i++)
        if (is_kept(&hop, &response->fields[i]))
            write_field(&writer, response->fields[i].name, response->fields[i].value);
    write_date_if_missing(&writer, response, now);
    write_field(&writer, SPAN("Via"), response->minor == 0 ? SPAN("1.0 larder") : SPAN("1.1 larder"));
    if (length >= 0)
        write_field_u64(&writer, SPAN("Content-Length"), (uint64_t)length);
    if (writer.failed)
        return ERR_LIMIT;
    fill_header(&header, response->status, verdict);
    return finish_meta(memory, &header, writer_span(&writer), vary, now, meta);
}

enum err
object_set_length(struct arena *arena, struct span meta, uint64_t length, struct span *with)
{
    struct object_header header;
    struct object        object;
    char                 line[64];
    struct writer        writer;

    if (!object_read(meta, &object))
        return ERR_CORRUPT;
    writer_init(&writer, line, sizeof line);
    write_field_u64(&writer, SPAN("Content-Length"), length);
    char *memory = arena_alloc(arena, meta.len + writer.len);
    if (memory == NULL)
        return ERR_NO_MEMORY;
    size_t before = sizeof header + object.head.len;
    memcpy(memory, meta.at, before);
    memcpy(memory + before, writer.at, writer.len);
    memcpy(memory + before + writer.len, meta.at + before, meta.len - before);
    memcpy(&header, memory, sizeof header);
    header.head_len += (uint32_t)writer.len;
    memcpy(memory, &header, sizeof header);
    *with = span_of(memory, meta.len + writer.len);
    return ERR_NONE;
}

enum err
object_write_marker(struct arena *arena, struct span vary, const struct digest *variants, size_t count,
                    wall_time expires, struct span *meta)
{
    struct object_header header = { .magic = OBJECT_MAGIC,
                                    .version = OBJECT_VERSION,
                                    .flags = OBJECT_MARKER,
                                    .etag_len = NO_ETAG,
                                    .vary_len = (uint32_t)vary.len,
                                    .variants = (uint32_t)count,
                                    .expires = expires.ns };
    size_t               size = sizeof header + vary.len + count * sizeof variants[0];
    char                *memory = arena_alloc(arena, size);

    if (memory == NULL)
        return ERR_NO_MEMORY;
    memcpy(memory, &header, sizeof header);
    memcpy(memory + sizeof header, vary.at, vary.len);
    memcpy(memory + sizeof header + vary.len, variants, count * sizeof variants[0]);
    *meta = span_of(memory, size);
    return ERR_NONE;
}

/* ── refreshing (RFC 9111 §3.2, §4.3.4) ── */

/* What a 304 says about these is about itself, or must not change what is stored beside the body. */
static bool
is_of_the_body(enum field_id id)
{
    return id == FIELD_CONTENT_LENGTH || id == FIELD_CONTENT_ENCODING || id == FIELD_CONTENT_TYPE
           || id == FIELD_CONTENT_RANGE;
}

static bool
is_replacing(const struct hop_set *hop, const struct field *field)
{
    return is_kept(hop, field) && !is_of_the_body((enum field_id)field->id) && field->id != FIELD_VIA;
}

static bool
is_replaced(const struct head *update, const struct hop_set *hop, const struct field *stored)
{
    const struct field *field = head_find_name(update, stored->name);
    return field != NULL && is_replacing(hop, field);
}

static void
write_joined(struct writer *writer, const struct head *stored, const struct head *update,
             const struct hop_set *hop)
{
    write_status_line(writer, stored->status, stored->reason);
    for (unsigned i = 0; i < stored->count; i++)
        if (!is_replaced(update, hop, &stored->fields[i]))
            write_field(writer, stored->fields[i].name, stored->fields[i].value);
    for (unsigned i = 0; i < update->count; i++)
        if (is_replacing(hop, &update->fields[i]))
            write_field(writer, update->fields[i].name, update->fields[i].value);
}

/* The verdict on the joined head, with the age that the 304 itself says. */
static enum err
judge(struct arena *arena, struct span joined, const struct head *update, const struct head *request,
      const struct cache_settings *settings, wall_time requested, wall_time received, struct verdict *verdict)
{
    struct field *fields = arena_alloc(arena, (FIELDS_MAX + 1) * sizeof fields[0]);
    struct head   head;

    if (fields == NULL)
        return ERR_NO_MEMORY;
    head_init(&head, fields, FIELDS_MAX + 1);
    if (parse_stored(&head, joined) != ERR_NONE)
        return ERR_LIMIT;
    const struct field *age = head_find(update, FIELD_AGE);
    if (age != NULL && !head_add(&head, age->name, age->value, FIELD_AGE))
        return ERR_LIMIT;
    policy_answer(request, &head, settings, requested, received, verdict);
    return ERR_NONE;
}

enum err
object_refresh(struct arena *arena, const struct object *stored, const struct head *not_modified,
               const struct head *request, const struct cache_settings *settings, wall_time requested,
               wall_time received, struct verdict *verdict, struct span *meta)
{
    struct field        *fields = arena_alloc(arena, FIELDS_MAX * sizeof fields[0]);
    struct head          old;
    struct hop_set       hop;
    enum refusal         refusal;
    struct object_header header;
    size_t               room = stored->head.len + room_for(not_modified);

    if (fields == NULL)
        return ERR_NO_MEMORY;
    head_init(&old, fields, FIELDS_MAX);
    if (room > OBJECT_HEAD_MAX || parse_stored(&old, stored->head) != ERR_NONE
        || framing_mark_hop(not_modified, &hop, &refusal) != ERR_NONE)
        return ERR_LIMIT;
    char *memory = arena_alloc(arena, sizeof header + room + stored->vary.len);
    if (memory == NULL)
        return ERR_NO_MEMORY;
    struct writer writer;
    writer_init(&writer, memory + sizeof header, room);
    write_joined(&writer, &old, not_modified, &hop);
    if (writer.failed)
        return ERR_LIMIT;
    enum err err =
        judge(arena, writer_span(&writer), not_modified, request, settings, requested, received, verdict);
    if (err != ERR_NONE)
        return err;
    fill_header(&header, stored->status, verdict);
    return finish_meta(memory, &header, writer_span(&writer), stored->vary, received, meta);
}
