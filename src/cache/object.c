/* object.c: the bytes of a stored answer's meta, written and read.
 *
 *      0   magic, version · flags · status · lengths of head, vary, etag · times · last-modified       fixed
 *          · where a part or the slices of the body are                                              (object_layout.h)
 *      120 head · vary spec · (marker: digests)                                                        variable
 *
 * Integers are little-endian as the machine's are: a store is not carried between machines of different order, and its
 * superblock says so. Everything is read by memcpy: a record's meta is aligned to nothing.
 */
#include "object_layout.h"

#include <larder/base/check.h>
#include <larder/cache/vary.h>
#include <larder/http/date.h>
#include <larder/http/framing.h>
#include <larder/http/parse.h>
#include <larder/http/write.h>

/* ── reading ── */

/* Slices are counted and addressed by these numbers. */
static bool
is_slicing_sound(const struct object_header *header)
{
    if (!(header->flags & OBJECT_SLICED))
        return true;
    return !(header->flags & (OBJECT_MARKER | OBJECT_PARTIAL | OBJECT_ALIAS | OBJECT_SLICE))
           && header->complete > 0 && header->slice_bits >= SLICE_BITS_MIN
           && header->slice_bits <= SLICE_BITS_MAX;
}

bool
object_read(struct span meta, struct object *object)
{
    struct object_header header;

    if (meta.len < sizeof header)
        return false;
    memcpy(&header, meta.at, sizeof header);
    uint64_t size = sizeof header + (uint64_t)header.head_len + header.vary_len
                    + (uint64_t)header.variants * sizeof(struct digest);
    if (header.magic != OBJECT_MAGIC || header.version != OBJECT_VERSION || size != meta.len
        || !is_slicing_sound(&header))
        return false;
    if ((header.flags & OBJECT_PARTIAL) && (header.first < 0 || header.first >= header.complete))
        return false;
    *object = (struct object){ .flags = header.flags,
                               .status = header.status,
                               .born = { header.born },
                               .fresh_until = { header.fresh_until },
                               .refresh_until = { header.refresh_until },
                               .error_until = { header.error_until },
                               .expires = { header.expires },
                               .first = header.first,
                               .complete = header.complete,
                               .edition = (uint64_t)header.first,
                               .generation = header.generation,
                               .slice_bits = header.slice_bits,
                               .variant_count = header.variants };
    object->head = span_of(meta.at + sizeof header, header.head_len);
    object->vary = span_of(object->head.at + header.head_len, header.vary_len);
    object->variants = span_of(object->vary.at + header.vary_len, header.variants * sizeof(struct digest));
    object->validators.has_modified = header.has_modified != 0;
    object->validators.modified = header.modified;
    object->validators.has_date = header.has_date != 0;
    object->validators.date = header.date;
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
                                      .refresh_until = verdict->refresh_until.ns,
                                      .error_until = verdict->error_until.ns,
                                      .expires = verdict->expires.ns };
    if (verdict->always_validate)
        header->flags |= OBJECT_ALWAYS_VALIDATE;
    if (verdict->implicit)
        header->flags |= OBJECT_IMPLICIT;
    if (verdict->strict)
        header->flags |= OBJECT_STRICT;
}

/* A part stays that part, and slices stay those slices. */
static void
fill_part(struct object_header *header, const struct object *object)
{
    header->flags |= object->flags & (OBJECT_PARTIAL | OBJECT_SLICED | OBJECT_UNRANGED);
    header->generation = object->generation;
    header->slice_bits = object->slice_bits;
    header->first = object->first;
    header->complete = object->complete;
}

/* Where the validators are in the head that was written. Only a Date of the origin's says anything about its clock. */
static void
note_validators(struct object_header *header, struct span written, const struct head *parsed, wall_time now)
{
    struct validators validators;

    validators_read(parsed, now, &validators);
    if (validators.etag.len > 0 && validators.etag.len < NO_ETAG) {
        header->etag_at = (uint32_t)(validators.etag.at - written.at);
        header->etag_len = (uint16_t)validators.etag.len;
    }
    header->modified = validators.modified;
    header->has_modified = validators.has_modified;
    header->date = validators.date;
    header->has_date = header->has_date && validators.has_date;
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
    note_validators(header, head, &parsed, now);
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

/* RFC 9111 §3.1: what belongs to one connection, or to the way through one proxy, is not stored. Age is made anew on
 * each reuse. */
static bool
is_stored(const struct hop_set *hop, const struct verdict *verdict, const struct field *field)
{
    return !framing_is_hop(hop, field) && field->id != FIELD_AGE && field->id != FIELD_CONTENT_LENGTH
           && !span_equal_nocase(field->name, SPAN("Proxy-Authentication-Info"))
           && !verdict_hides(verdict, field->name);
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

static void
write_stored_head(struct writer *writer, const struct head *response, const struct verdict *verdict,
                  const struct hop_set *hop, bool partial, wall_time now)
{
    if (partial)
        write_status_line(writer, 200, SPAN_EMPTY);
    else
        write_status_line(writer, response->status, response->reason);
    for (unsigned i = 0; i < response->count; i++)
        if (is_stored(hop, verdict, &response->fields[i])
            && !(partial && response->fields[i].id == FIELD_CONTENT_RANGE))
            write_field(writer, response->fields[i].name, response->fields[i].value);
    write_date_if_missing(writer, response, now);
    write_field(writer, SPAN("Via"), response->minor == 0 ? SPAN("1.0 larder") : SPAN("1.1 larder"));
}

enum err
object_write(struct arena *arena, const struct head *response, const struct verdict *verdict,
             struct span vary, int64_t length, const struct content_range *part, wall_time now,
             struct span *meta)
{
    struct object_header header;
    struct hop_set       hop;
    enum refusal         refusal;
    struct writer        writer;
    size_t               room = room_for(response);

    if (room > OBJECT_HEAD_MAX || framing_mark_hop(response, &hop, &refusal) != ERR_NONE)
        return ERR_LIMIT;
    char *memory = arena_alloc(arena, sizeof header + room + vary.len);
    if (memory == NULL)
        return ERR_NO_MEMORY;
    writer_init(&writer, memory + sizeof header, room);
    write_stored_head(&writer, response, verdict, &hop, part != NULL, now);
    if (length >= 0)
        write_number(&writer, SPAN("Content-Length: "), (uint64_t)length);
    if (writer.failed)
        return ERR_LIMIT;
    fill_header(&header, part != NULL ? 200 : response->status, verdict);
    header.has_date = head_has(response, FIELD_DATE);
    if (part != NULL)
        fill_part(&header, &(struct object){
                               .flags = OBJECT_PARTIAL, .first = part->first, .complete = part->complete });
    return finish_meta(memory, &header, writer_span(&writer), vary, now, meta);
}

/* ── refreshing (RFC 9111 §3.2, §4.3.4) ── */

/* An answer that updates a stored one. */
struct update {
    const struct head *head;
    struct hop_set     hop;
    struct verdict     hides; /* only its `hidden` */
    struct span        type;  /* the stored media type, without parameters */
};

static struct span
media_type(struct span content_type)
{
    struct span rest = content_type, type;
    return span_split(&rest, ';', &type) ? span_trim(type) : SPAN_EMPTY;
}

/* RFC 9111 §3.2: what the stored body depends on stays as it is. A Content-Type may become more exact, not another one: servers are known
 * to put a default on every 304. */
static bool
is_of_the_body(const struct update *update, const struct field *field)
{
    if (field->id == FIELD_CONTENT_TYPE)
        return !span_equal_nocase(media_type(field->value), update->type);
    return field->id == FIELD_CONTENT_LENGTH || field->id == FIELD_CONTENT_ENCODING
           || field->id == FIELD_CONTENT_RANGE;
}

static bool
is_replacing(const struct update *update, const struct field *field)
{
    return is_stored(&update->hop, &update->hides, field) && !is_of_the_body(update, field)
           && field->id != FIELD_VIA;
}

/* What is not for everybody leaves with its old value too (RFC 9111 §5.2.2.4, §5.2.2.7). */
static bool
is_leaving(const struct update *update, const struct field *old)
{
    return verdict_hides(&update->hides, old->name) && old->id != FIELD_CONTENT_LENGTH
           && old->id != FIELD_VIA;
}

static void
write_replacing(struct writer *writer, const struct update *update, struct span name)
{
    for (const struct field *field = head_find_name(update->head, name); field != NULL;
         field = head_next_name(update->head, field))
        if (is_replacing(update, field))
            write_field(writer, field->name, field->value);
}

/* What the update says of a stored name stands where the stored line stood; what is new comes last. */
static void
write_joined(struct writer *writer, const struct head *stored, const struct update *update)
{
    const struct head *head = update->head;

    write_status_line(writer, stored->status, stored->reason);
    for (unsigned i = 0; i < stored->count; i++) {
        const struct field *old = &stored->fields[i], *new = head_find_name(head, old->name);
        if (old->id == FIELD_DATE && !head_has(head, FIELD_DATE))
            continue; /* RFC 9110 §6.6.1: then it is of now */
        if (is_leaving(update, old))
            continue;
        if (new == NULL || !is_replacing(update, new))
            write_field(writer, old->name, old->value);
        else if (head_find_name(stored, old->name) == old)
            write_replacing(writer, update, old->name);
    }
    for (unsigned i = 0; i < head->count; i++)
        if (is_replacing(update, &head->fields[i]) && head_find_name(stored, head->fields[i].name) == NULL)
            write_field(writer, head->fields[i].name, head->fields[i].value);
}

/* The next line of a head that decides about its reuse, or describes its body. */
static struct span
next_line(struct span *rest)
{
    static const struct span telling[] = { SPAN("Cache-Control:"), SPAN("CDN-Cache-Control:"),
                                           SPAN("Expires:"),       SPAN("ETag:"),
                                           SPAN("Last-Modified:"), SPAN("Vary:"),
                                           SPAN("Content-"),       SPAN("Surrogate-Control:") };
    struct span              line;

    while (span_split(rest, '\n', &line))
        for (size_t i = 0; i < sizeof telling / sizeof telling[0]; i++)
            if (span_starts_nocase(line, telling[i]))
                return line;
    return SPAN_EMPTY;
}

bool
object_is_news(const struct object *stored, struct span meta)
{
    struct object fresh;
    struct span   old = stored->head, new, line;

    if (!object_read(meta, &fresh))
        return false;
    new = fresh.head;
    do {
        line = next_line(&old);
        if (!span_equal(line, next_line(&new)))
            return true;
    } while (line.at != NULL);
    return false;
}

/* Whether what it varies on now is among what its key was made of. */
static bool
is_selected_alike(struct arena *arena, const struct head *head, struct span vary)
{
    struct span now, both;
    bool        star;

    return vary_spec(arena, head, &now, &star) == ERR_NONE && !star
           && (now.len == 0 || (vary_union(arena, vary, now, &both) == ERR_NONE && span_equal(both, vary)));
}

/* The verdict on the joined head, with the age that the update itself says. */
static enum err
judge(struct arena *arena, struct span joined, struct span vary, const struct head *update,
      const struct head *request, const struct cache_settings *settings, wall_time requested,
      wall_time received, struct verdict *verdict)
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
    if (verdict->store && !is_selected_alike(arena, &head, vary)) {
        verdict->store = verdict->reusable = false;
        verdict->reason = REASON_VARY_CHANGED;
    }
    return ERR_NONE;
}

/* How strong Last-Modified is was decided when the body came (RFC 9110 §8.8.2.2), not when it was validated. */
static void
keep_date(char *memory, const struct object *stored)
{
    struct object_header header;

    memcpy(&header, memory, sizeof header);
    header.date = stored->validators.date;
    header.has_date = stored->validators.has_date;
    memcpy(memory, &header, sizeof header);
}

/* The stored head, parsed, and what the update is about. */
static enum err
begin_update(struct arena *arena, const struct object *stored, const struct head *head, struct head *old,
             struct update *update)
{
    struct field        *fields = arena_alloc(arena, FIELDS_MAX * sizeof fields[0]);
    struct cache_control said;
    enum refusal         refusal;

    *update = (struct update){ .head = head };
    if (fields == NULL)
        return ERR_NO_MEMORY;
    head_init(old, fields, FIELDS_MAX);
    if (parse_stored(old, stored->head) != ERR_NONE
        || framing_mark_hop(head, &update->hop, &refusal) != ERR_NONE)
        return ERR_LIMIT;
    cache_control_effective(head, &said);
    verdict_hide(&update->hides, &said);
    update->type = media_type(head_value(old, FIELD_CONTENT_TYPE));
    return ERR_NONE;
}

enum err
object_refresh(struct arena *arena, const struct object *stored, const struct head *answer,
               const struct head *request, const struct cache_settings *settings, wall_time requested,
               wall_time received, struct verdict *verdict, struct span *meta)
{
    struct head          old;
    struct update        update;
    struct object_header header;
    struct writer        writer;
    size_t               room = stored->head.len + room_for(answer);

    enum err err = room > OBJECT_HEAD_MAX ? ERR_LIMIT : begin_update(arena, stored, answer, &old, &update);
    if (err != ERR_NONE)
        return err;
    char *memory = arena_alloc(arena, sizeof header + room + stored->vary.len);
    if (memory == NULL)
        return ERR_NO_MEMORY;
    writer_init(&writer, memory + sizeof header, room);
    write_joined(&writer, &old, &update);
    write_date_if_missing(&writer, answer, received);
    if (writer.failed)
        return ERR_LIMIT;
    err = judge(arena, writer_span(&writer), stored->vary, answer, request, settings, requested, received,
                verdict);
    if (err != ERR_NONE)
        return err;
    fill_header(&header, stored->status, verdict);
    fill_part(&header, stored);
    enum err done = finish_meta(memory, &header, writer_span(&writer), stored->vary, received, meta);
    if (done == ERR_NONE)
        keep_date(memory, stored);
    return done;
}
