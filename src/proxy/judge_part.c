/* judge_part.c: a 206: a part of a representation, kept as such, or joined with the part that is stored.
 *
 *      asked for by clients ─▶ 206 ─▶ share: stored as a part, from its first byte, of so many
 *      stored 0-499, asked for 500- ─▶ 206 500-999 ─▶ complete: one answer 0-999, shared and stored as the whole
 *
 * Parts are joined only when both have the same strong validator (RFC 9111 §3.4); else what is stored is put aside, and
 * those who wait ask for the whole.
 */
#include "lead_impl.h"

#include <larder/base/check.h>
#include <larder/cache/vary.h>

/* How many bytes a part has. */
static int64_t
part_length(const struct content_range *part)
{
    return part->last - part->first + 1;
}

/* A body that is shorter than its Content-Range says. Where that is the end of the whole, the whole is shorter too. */
static void
shorten(struct content_range *part, int64_t length)
{
    if (part->last + 1 == part->complete)
        part->complete = part->first + length;
    part->last = part->first + length - 1;
}

bool
lead_read_part(const struct lead *lead, const struct head *head, const struct framing *framing,
               struct content_range *part)
{
    const struct field *field = head_find(head, FIELD_CONTENT_RANGE);

    if (!lead->ranged || field == NULL || head_next(head, field) != NULL
        || content_range_parse(field->value, part) != ERR_NONE || part->first == RANGE_OPEN
        || part->complete == RANGE_OPEN || framing->kind == BODY_NONE)
        return false;
    if (!framing->has_length || (int64_t)framing->length == part_length(part))
        return true;
    if (!lead->site->cache.lenient_ranges || (int64_t)framing->length > part_length(part))
        return false;
    shorten(part, (int64_t)framing->length);
    return true;
}

/* ── completing what is stored ── */

/* Whether the 206 brings just what is missing. */
static bool
fits(const struct object *stored, size_t stored_len, const struct content_range *part)
{
    int64_t end = stored->first + (int64_t)stored_len;
    bool    follows = part->first == end && part->last + 1 == stored->complete && stored->first == 0;
    bool    leads = part->first == 0 && part->last + 1 == stored->first && end == stored->complete;
    return part->complete == stored->complete && (follows || leads);
}

/* What is stored goes before what arrives, or is kept to go behind it. */
static enum err
place_stored(struct lead *lead, const struct object *stored)
{
    struct span body = lead->stale.record.body;

    if (stored->first > 0) {
        lead->tail = body;
        return ERR_NONE;
    }
    enum err err = fill_append(flight_fill(lead->flight), body);
    if (err == ERR_NONE)
        flight_tell(lead->flight);
    return err;
}

bool
lead_complete(struct lead *lead, const struct head *head, const struct framing *framing)
{
    struct object        stored;
    struct content_range part;
    struct verdict       verdict;
    struct validators    theirs;
    struct span          meta, values;
    wall_time            now = loop_wall(lead->worker->loop);

    if (!object_read(lead->stale.record.meta, &stored) || !lead_read_part(lead, head, framing, &part)
        || !fits(&stored, lead->stale.record.body.len, &part))
        return false;
    validators_read(head, now, &theirs);
    if (!validators_share_strong(&stored.validators, &theirs))
        return false;
    if (object_refresh(&lead->arena, &stored, head, &lead->request, &lead->site->cache, lead->requested, now,
                       &verdict, &meta)
            != ERR_NONE
        || !verdict.store || object_make_whole(&lead->arena, meta, &meta) != ERR_NONE
        || vary_values(&lead->arena, &lead->request, stored.vary, &values) != ERR_NONE
        || flight_share(lead->flight, meta, &verdict, stored.vary, values, stored.complete) != ERR_NONE)
        return false;
    lead->expected = part_length(&part);
    fill_on_drained(flight_fill(lead->flight), lead_send_drained, lead);
    if (place_stored(lead, &stored) != ERR_NONE)
        lead_abort(lead);
    return true;
}

/* ── our request ── */

struct span
lead_if_range(const struct validators *validators, char date[static DATE_SIZE])
{
    if (!validators_share_strong(validators, validators))
        return SPAN_EMPTY;
    if (validators->etag.len > 0)
        return validators->etag;
    date_format(validators->modified, date);
    return span_of(date, DATE_SIZE);
}

void
lead_plan_rest(const struct lookup *lookup, struct range_spec *rest, char date[static DATE_SIZE],
               struct span *if_range)
{
    const struct object *object = &lookup->object;

    *rest = object->first == 0 ? (struct range_spec){ (int64_t)lookup->lease.record.body.len, RANGE_OPEN }
                               : (struct range_spec){ 0, object->first - 1 };
    *if_range = lead_if_range(&object->validators, date);
}
