/* lead_slices.c: a body longer than a slice is written slice by slice, each a flight and a record of its own.
 *
 *      known length:    first slice hooked ─▶ flight shared, head lands ─▶ slices ...
 *      unknown length:  the flight is slice 0 ─▶ slices ... ─▶ the end: head lands
 *      missing slices:  the flight is the first slice ─▶ slices ...
 *
 * Slice n+1 is hooked before slice n ends. Nobody is far ahead: the fetch pauses when it is well in front of its fastest reader, and
 * when the store has slices enough to write. When all readers have left, it goes on to the end of a slice.
 */
#include "lead_impl.h"
#include "slices.h"

#include <larder/base/check.h>

/* ── shape ── */

static int64_t
slice_size(const struct lead *lead)
{
    return INT64_C(1) << slice_bits(cache_store(lead->worker->config.cache));
}

static bool
is_strong(const struct lead *lead, const struct head *head)
{
    struct validators validators;
    validators_read(head, loop_wall(lead->worker->loop), &validators);
    return validators_share_strong(&validators, &validators);
}

/* Whether the part is made of whole slices. */
static bool
is_aligned(const struct lead *lead, const struct content_range *part)
{
    int64_t size = slice_size(lead);
    return part->first % size == 0 && (part->last + 1 == part->complete || (part->last + 1) % size == 0);
}

enum lead_shape
lead_choose_shape(const struct lead *lead, const struct head *head, const struct framing *framing,
                  const struct content_range *part)
{
    int64_t size = slice_size(lead);

    if (part == NULL)
        return framing->kind == BODY_LENGTH && (int64_t)framing->length > size ? SHAPE_SLICES : SHAPE_WHOLE;
    if (part->complete > INT64_MAX - size)
        return SHAPE_NONE; /* its last slice must have an end that can be counted */
    if (part->complete <= size)
        return part->first == 0 && part->last + 1 == part->complete ? SHAPE_ALL : SHAPE_PART;
    /* What of it is not stored must be asked for later. */
    if (!lead->aligned || !is_strong(lead, head))
        return SHAPE_NONE;
    if (is_aligned(lead, part))
        return SHAPE_SLICES;
    return lead->rounded ? SHAPE_NONE
                         : SHAPE_HEAD; /* who does not send whole slices will not send them later */
}

/* Whether a slice that is missing later can not be asked for alone. */
static bool
is_unranged(const struct lead *lead, const struct head *head)
{
    const struct field *field = head_find(head, FIELD_ACCEPT_RANGES);
    bool                refused =
        lead->ranged && head->status == 200 && !lead->completes && !head_has(&lead->request, FIELD_IF_RANGE);

    return refused || (field != NULL && span_equal_nocase(field->value, SPAN("none")))
           || (head->status != 200 && head->status != 206) || !is_strong(lead, head);
}

/* ── begin ── */

static enum err
init_slices(struct lead *lead, uint64_t generation, wall_time expires)
{
    struct cache       *cache = lead->worker->config.cache;
    struct lead_slices *slices = &lead->slices;

    *slices = (struct lead_slices){ .view = { .cache = cache,
                                              .reader = lead->worker->config.id,
                                              .arena = &lead->arena,
                                              .primary = lead->primary,
                                              .generation = generation,
                                              .bits = slice_bits(cache_store(cache)),
                                              .alone = true },
                                    .end = -1,
                                    .complete = -1,
                                    .expires = expires };
    slices->run = slice_run_create(lead_send_drained);
    if (slices->run == NULL)
        return ERR_NO_MEMORY;
    slice_run_set_owner(slices->run, lead);
    return ERR_NONE;
}

int64_t
lead_next_length(const struct lead_slices *slices)
{
    int64_t size = INT64_C(1) << slices->view.bits, left = slices->end - slices->at;
    return slices->end < 0 ? -1 : left < size ? left : size;
}

/* Hooks it and opens its body. ERR_EXISTS: another run has it, or the store. */
static enum err
open_slice(struct lead *lead, uint64_t number, struct flight **flight)
{
    struct lead_slices *slices = &lead->slices;

    enum err err = slice_claim(&slices->view, number, loop_wall(lead->worker->loop), slices->run, flight);
    if (err != ERR_NONE)
        return err;
    err = slice_share(&slices->view, *flight, slices->expires, lead_next_length(slices));
    if (err == ERR_NONE)
        return ERR_NONE;
    flight_fail(*flight, FETCH_NO_RESOURCES, "");
    flight_release(flight);
    return err;
}

enum err
lead_begin_slices(struct lead *lead, const struct head *head, const struct verdict *verdict, int64_t length,
                  const struct content_range *part, struct span *meta)
{
    struct lead_slices *slices = &lead->slices;
    uint64_t            generation = hash_random();

    enum err err = init_slices(lead, generation, verdict->expires);
    if (err != ERR_NONE)
        return err;
    slices->at = part == NULL ? 0 : part->first;
    slices->end = part == NULL ? length : part->last + 1;
    slices->number = (uint64_t)slices->at >> slices->view.bits;
    slices->head_later = is_unranged(lead, head);
    slice_run_reach(slices->run, slices->number);
    struct slicing slicing = { .generation = generation,
                               .complete = length,
                               .bits = slices->view.bits,
                               .unranged = slices->head_later };
    err = object_make_sliced(&lead->arena, *meta, &slicing, meta);
    if (err == ERR_NONE)
        err = open_slice(lead, slices->number, &slices->frontier);
    if (err == ERR_NONE && slices->head_later)
        slice_run_feed(slices->run, lead->flight);
    return err;
}

void
lead_drop_slices(struct lead *lead)
{
    struct lead_slices *slices = &lead->slices;

    if (slices->run == NULL)
        return;
    if (slices->frontier != NULL) {
        fill_cut(flight_fill(slices->frontier));
        flight_abandon(slices->frontier);
    }
    flight_release(&slices->frontier);
    slice_run_release(&slices->run);
}

static void
land_head(struct lead *lead)
{
    if (flight_land(lead->flight, &lead->site->cache))
        metric_add(&lead->worker->metrics.stored, 1);
}

void
lead_publish_slices(struct lead *lead)
{
    fill_end(flight_fill(lead->flight));               /* the body is not here */
    lead->slices.view.alone = lead->slices.head_later; /* else whoever finds the head may fetch slices, too */
    if (!lead->slices.head_later)
        land_head(lead);
}

bool
lead_grow(struct lead *lead)
{
    struct lead_slices *slices = &lead->slices;
    struct object       object;

    if (!object_read(flight_meta(lead->flight), &object)
        || init_slices(lead, hash_random(), object.expires) != ERR_NONE)
        return false;
    bool unranged = object.status != 200 || !validators_share_strong(&object.validators, &object.validators);
    slices->head_later = true;
    slices->frontier = slice_grow(&slices->view, slices->run, lead->flight, unranged);
    if (slices->frontier == NULL) {
        slice_run_release(&slices->run);
        return false;
    }
    slices->at = slice_size(lead);
    return true;
}

/* ── pace ── */

static bool
is_read(const struct lead *lead)
{
    /* Who waited for the head may not have come to the slices yet. */
    return lead->behind || slice_run_is_read(lead->slices.run) || flight_has_followers(lead->flight);
}

bool
lead_slices_are_idle(const struct lead *lead)
{
    return lead->exchange == NULL && !is_read(lead);
}

static void
pause_if_ahead(struct lead *lead)
{
    struct lead_slices *slices = &lead->slices;

    if (lead->paused || slices->frontier == NULL
        || !slice_run_must_wait(slices->run, slices->number, lead->exchange != NULL))
        return;
    lead->paused = true;
    fetch_pause(lead->fetch);
}

void
lead_go_on_slices(struct lead *lead)
{
    if (lead->exchange != NULL && !lead->slices.head_later)
        slices_drop_stored(lead->exchange);
    pause_if_ahead(lead);
    if (!lead->paused)
        fetch_resume(lead->fetch);
}

void
lead_leave_slices(struct lead *lead)
{
    if (!lead->paused || !slice_run_forget(lead->slices.run))
        return;
    lead->paused = false;
    lead_go_on_slices(lead);
}

void
lead_reach_slice(struct lead *lead, uint64_t number)
{
    if (lead->slices.run != NULL)
        slice_run_reach(lead->slices.run, number);
}

/* ── slices, one after the other ── */

/* The frontier is whole: off to the store with it. */
static void
finish_slice(struct lead *lead)
{
    struct lead_slices *slices = &lead->slices;
    struct flight      *done = slices->frontier;
    bool                first_of_grown = flight_fill(done) == flight_fill(lead->flight);

    slices->frontier = NULL;
    if (lead->exchange != NULL && !first_of_grown)
        slices_keep(lead->exchange, done);
    fill_end(flight_fill(done));
    flight_tell(done);
    if (first_of_grown)
        flight_tell(lead->flight);
    if (fill_size(flight_fill(done)) == 0)
        flight_abandon(done);
    else
        (void)flight_land(done, &lead->site->cache); /* without it, it is missing later */
    flight_release(&done);
}

/* Nobody finds the flight any more, and no head will land. */
static void
give_up_head(struct lead *lead)
{
    if (!lead->slices.head_later)
        return;
    slice_grown_end(lead->flight, SLICE_BROKEN);
    flight_abandon(lead->flight);
    flight_tell(lead->flight);
}

/* The rest is not fetched: it is there, or nobody wants it. */
static void
stop(struct lead *lead)
{
    finish_slice(lead);
    give_up_head(lead);
    lead_end(lead);
}

/* The frontier is full. False: the lead is gone. */
static bool
next_slice(struct lead *lead)
{
    struct lead_slices *slices = &lead->slices;
    struct flight      *next;

    if (slices->at == slices->end) {
        finish_slice(lead);
        return true;
    }
    if (lead->exchange == NULL && !is_read(lead)) {
        stop(lead);
        return false;
    }
    switch (open_slice(lead, slices->number + 1, &next)) {
    case ERR_NONE:
        finish_slice(lead);
        slices->frontier = next;
        slices->number++;
        return true;
    case ERR_EXISTS:
        stop(lead);
        return false;
    default:
        lead_abort(lead);
        return false;
    }
}

void
lead_take_slices(struct lead *lead, struct span bytes)
{
    struct lead_slices *slices = &lead->slices;
    struct span         before = span_head(bytes, (size_t)slices->skip);

    slices->skip -= (int64_t)before.len;
    bytes = span_skip(bytes, before.len);
    if (slices->skip > 0 && lead_slices_are_idle(lead)) { /* all before the slice, for nobody */
        lead_abort(lead);
        return;
    }
    while (slices->frontier != NULL && bytes.len > 0) {
        int64_t end = (int64_t)((slices->number + 1) << slices->view.bits);
        if (slices->end >= 0 && end > slices->end)
            end = slices->end;
        struct span piece = span_head(bytes, (size_t)(end - slices->at));
        if (piece.len > 0 && fill_append(flight_fill(slices->frontier), piece) != ERR_NONE) {
            lead_abort(lead);
            return;
        }
        slices->at += (int64_t)piece.len;
        bytes = span_skip(bytes, piece.len);
        if (slices->at == end && !next_slice(lead))
            return;
    }
    if (bytes.len > 0) { /* more than was said */
        lead_abort(lead);
        return;
    }
    if (slices->frontier != NULL)
        flight_tell(slices->frontier);
    pause_if_ahead(lead);
}

/* ── end ── */

void
lead_end_slices(struct lead *lead)
{
    struct lead_slices *slices = &lead->slices;

    if (slices->end >= 0 && slices->at != slices->end) {
        lead_abort(lead);
        return;
    }
    if (slices->end < 0)
        slice_grown_end(lead->flight, slices->at); /* first, so that who finds no next slice knows why */
    if (slices->frontier != NULL)
        finish_slice(lead);
    if (slices->head_later)
        land_head(lead);
    lead_end(lead);
}

void
lead_cut_slices(struct lead *lead)
{
    struct lead_slices *slices = &lead->slices;

    if (!slices->refetch)
        give_up_head(lead);
    if (slices->frontier == NULL)
        return;
    fill_cut(flight_fill(slices->frontier));
    flight_abandon(slices->frontier);
    flight_tell(slices->frontier);
    flight_release(&slices->frontier);
}
