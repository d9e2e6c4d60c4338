/* answer_part.c: parts of what is stored: 206 and 416 (RFC 9110 §14, §15.3.7, §15.5.17).
 *
 *      one range:  head ┊ Content-Range, Content-Length      bytes 6-8 of the body
 *      several:    head ┊ multipart/byteranges, Content-Length      part head, bytes, part head, bytes, end
 *
 * The head is the stored one without what describes the whole, or, for who has fetched it, the one that came; the bytes leave from
 * where they lie.
 */
#include "answer.h"

#include <larder/base/check.h>
#include <larder/http/conditional.h>
#include <stdio.h>

enum { BOUNDARY_SIZE = 32 };

void
answer_select(const struct exchange *exchange, const struct object *object, int64_t complete,
              struct selection *selection)
{
    selection->kind = SELECT_WHOLE;
    if (!exchange->ranged || object->status != 200
        || !conditional_if_range_holds(&exchange->head, &object->validators,
                                       loop_wall(exchange->worker->loop)))
        return;
    switch (range_resolve(&exchange->ranges, complete, selection->parts, &selection->count)) {
    case ERR_NONE:
        selection->kind = SELECT_PARTS;
        return;
    case ERR_RANGE:
        selection->kind = SELECT_NOTHING;
        return;
    default:
        return; /* §14.2: as if the field were not there */
    }
}

/* What came to the one who fetched it has fields that are not stored, or are written anew on each reuse. */
static struct span
source_of(const struct exchange *exchange, const struct object *object)
{
    return exchange->answer.len > 0 ? exchange->answer : object->head;
}

/* The fields of the representation, but for those that a 206 has of its own. *type: its Content-Type. */
static bool
write_fields(struct writer *writer, struct span source, bool several, struct span *type)
{
    struct field  fields[FIELDS_MAX];
    struct head   head;
    struct object object = { .head = source };

    *type = SPAN_EMPTY;
    head_init(&head, fields, FIELDS_MAX);
    if (object_parse_head(&object, &head) != ERR_NONE)
        return false;
    write_status_line(writer, 206, SPAN_EMPTY);
    for (unsigned i = 0; i < head.count; i++) {
        const struct field *field = &head.fields[i];
        if (field->id == FIELD_CONTENT_TYPE)
            *type = field->value;
        if (field->id != FIELD_CONTENT_LENGTH && field->id != FIELD_CONTENT_RANGE
            && !(several && field->id == FIELD_CONTENT_TYPE))
            write_field(writer, field->name, field->value);
    }
    return true;
}

static bool
finish_head(struct exchange *exchange, const struct object *object, struct writer *writer, uint64_t length)
{
    exchange->status = 206;
    write_number(writer, SPAN("Content-Length: "), length);
    answer_write_age(writer, exchange, object);
    answer_write_end(writer, exchange);
    return answer_set_head(exchange, SPAN_EMPTY, writer);
}

bool
answer_write_part(struct exchange *exchange, const struct object *object, struct byte_range range,
                  int64_t complete)
{
    struct span          source = source_of(exchange, object);
    struct writer        writer = answer_tail(exchange, ANSWER_TAIL_SIZE + CONTENT_RANGE_SIZE + source.len);
    struct content_range content = { range.first, range.last, complete };
    char                 text[CONTENT_RANGE_SIZE];
    struct span          type;

    if (!write_fields(&writer, source, false, &type))
        return false;
    write_field(&writer, SPAN("Content-Range"), content_range_format(&content, text));
    return finish_head(exchange, object, &writer, (uint64_t)(range.last - range.first + 1));
}

/* Not to be guessed, so that no stored body can contain it: a digest under the store's secret seed. */
static struct span
make_boundary(struct exchange *exchange, char out[static BOUNDARY_SIZE + 1])
{
    const struct hash_seed *seed = store_seed(cache_store(exchange->worker->config.cache));
    int64_t                 now = loop_wall(exchange->worker->loop).ns;
    struct digest           digest = hash_digest(seed, span_of((const char *)&now, sizeof now));

    digest.low ^= exchange->primary.digest.low;
    snprintf(out, BOUNDARY_SIZE + 1, "%016llx%016llx", (unsigned long long)digest.high,
             (unsigned long long)digest.low);
    return span_of(out, BOUNDARY_SIZE);
}

/* What goes before part `i`, or after the last one. */
static bool
write_part_head(struct exchange *exchange, const struct multipart *multipart,
                const struct selection *selection, unsigned i, struct span *text)
{
    bool              end = i == selection->count;
    struct byte_range range = end ? (struct byte_range){ 0, 0 } : selection->parts[i];
    size_t        size = end ? multipart_end_size(multipart) : multipart_part_size(multipart, range, i == 0);
    struct writer writer = answer_tail(exchange, size);

    if (end)
        multipart_write_end(&writer, multipart);
    else
        multipart_write_part(&writer, multipart, range, i == 0);
    *text = writer_span(&writer);
    return !writer.failed;
}

struct span *
answer_write_parts(struct exchange *exchange, const struct object *object, int64_t complete,
                   const struct selection *selection)
{
    char             boundary[BOUNDARY_SIZE + 1], type[MULTIPART_TYPE_SIZE];
    struct span      source = source_of(exchange, object);
    struct writer    writer = answer_tail(exchange, ANSWER_TAIL_SIZE + MULTIPART_TYPE_SIZE + source.len);
    struct multipart multipart = { .boundary = make_boundary(exchange, boundary), .complete = complete };
    struct span     *texts = arena_alloc(&exchange->arena, (selection->count + 1) * sizeof texts[0]);

    if (texts == NULL || !write_fields(&writer, source, true, &multipart.content_type))
        return NULL;
    write_field(&writer, SPAN("Content-Type"), multipart_type_format(&multipart, type));
    int64_t size = multipart_size(&multipart, selection->parts, selection->count);
    for (unsigned i = 0; i <= selection->count; i++)
        if (!write_part_head(exchange, &multipart, selection, i, &texts[i]))
            return NULL;
    return finish_head(exchange, object, &writer, (uint64_t)size) ? texts : NULL;
}

/* Heads and bodies of the parts in turn, then the end. */
static enum step_result
answer_several(struct exchange *exchange, const struct object *object, struct span body,
               const struct selection *selection)
{
    struct delivery *out = &exchange->out;
    unsigned         count = 2 * selection->count + 1;
    struct span     *texts = answer_write_parts(exchange, object, (int64_t)body.len, selection);

    out->pieces = arena_alloc(&exchange->arena, count * sizeof out->pieces[0]);
    if (texts == NULL || out->pieces == NULL)
        return answer_fail(exchange);
    for (unsigned i = 0; i <= selection->count; i++) {
        out->pieces[2 * i] = texts[i];
        if (i < selection->count) {
            struct byte_range range = selection->parts[i];
            out->pieces[2 * i + 1] =
                span_head(span_skip(body, (size_t)range.first), (size_t)(range.last - range.first + 1));
        }
    }
    out->piece_count = count;
    return answer_deliver(exchange);
}

enum step_result
answer_parts(struct exchange *exchange, const struct object *object, struct span body,
             const struct selection *selection)
{
    bool              partial = object->flags & OBJECT_PARTIAL;
    struct byte_range range = selection->parts[0];

    if (selection->count > 1)
        return answer_several(exchange, object, body, selection);
    if (!answer_write_part(exchange, object, range, partial ? object->complete : (int64_t)body.len))
        return answer_fail(exchange);
    answer_set_body(exchange,
                    span_head(span_skip(body, (size_t)(range.first - (partial ? object->first : 0))),
                              (size_t)(range.last - range.first + 1)));
    return answer_deliver(exchange);
}

enum step_result
answer_arriving_part(struct exchange *exchange, const struct object *object, struct byte_range range,
                     int64_t complete, uint64_t skip)
{
    struct delivery *out = &exchange->out;

    if (!answer_write_part(exchange, object, range, complete))
        return answer_fail(exchange);
    out->skip = skip;
    out->left = (uint64_t)(range.last - range.first + 1);
    out->limited = true;
    return answer_deliver(exchange);
}

enum step_result
answer_no_part(struct exchange *exchange, int64_t complete)
{
    exchange->complete = complete;
    return answer_error(exchange, 416, "no-such-range", "the range lies outside of what there is", false);
}
