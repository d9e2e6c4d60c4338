/* deliver_slices.c: see slices.h.
 */
#include "slices_impl.h"
#include "thaw.h"

#include <larder/base/check.h>

/* ── beginning ── */

static void
begin_part(struct slices *slices)
{
    if (slices->texts != NULL)
        slices->text = slices->texts[slices->part];
    slices->at = slices->part < slices->count ? slices->parts[slices->part].first : slices->at;
}

/* The head goes on to be needed when its lease is back. */
static bool
copy_object(struct exchange *exchange, struct slices *slices, const struct object *object)
{
    struct span head = arena_copy(&exchange->arena, object->head);
    if (head.at == NULL)
        return false;
    slices->object = *object;
    slices->object.head = head;
    slices->object.vary = slices->object.variants = SPAN_EMPTY;
    if (object->validators.etag.len > 0)
        slices->object.validators.etag.at = head.at + (object->validators.etag.at - object->head.at);
    return true;
}

static struct slices *
create(struct exchange *exchange, const struct object *object)
{
    struct slices *slices = arena_alloc(&exchange->arena, sizeof *slices);
    if (slices == NULL)
        return NULL;
    *slices = (struct slices){ .complete = object->complete,
                               .view = { .cache = exchange->worker->config.cache,
                                         .reader = exchange->worker->config.id,
                                         .arena = &exchange->arena,
                                         .primary = exchange->primary,
                                         .generation = object->generation,
                                         .bits = object->slice_bits,
                                         .reads = &exchange->reads } };
    return copy_object(exchange, slices, object) ? slices : NULL;
}

bool
slices_open(struct exchange *exchange, const struct object *object, const struct selection *selection,
            bool arriving)
{
    struct slices *slices = create(exchange, object);
    if (slices == NULL)
        return false;
    bool parts = selection->kind == SELECT_PARTS;
    slices->count = parts ? selection->count : 1;
    for (unsigned i = 0; i < slices->count; i++)
        slices->parts[i] = parts ? selection->parts[i] : (struct byte_range){ 0, object->complete - 1 };
    slices->walks = arriving && (object->flags & OBJECT_UNRANGED);
    if (slices->walks)
        slices->run = slice_run_follow(exchange->lookup.flight, 0);
    begin_part(slices);
    exchange->out.slices = slices;
    cursor_close(&exchange->out.cursor);
    lease_release(&exchange->lookup.lease);
    return true;
}

void
slices_set_texts(struct exchange *exchange, struct span *texts)
{
    exchange->out.slices->texts = texts;
    begin_part(exchange->out.slices);
}

const struct object *
slices_object(const struct exchange *exchange)
{
    return &exchange->out.slices->object;
}

/* What has come so far was slice 0. */
bool
slices_continue(struct exchange *exchange, enum fill_state *state)
{
    struct flight *flight = exchange->lookup.flight;
    struct slicing slicing;
    struct object  object;

    if (flight == NULL || !slice_has_grown(flight, &slicing))
        return false;
    *state = FILL_CUT;
    if (!object_read(flight_meta(flight), &object))
        return true;
    object.flags |= OBJECT_SLICED | (slicing.unranged ? OBJECT_UNRANGED : 0);
    object.generation = slicing.generation;
    object.slice_bits = slicing.bits;
    object.complete = -1;
    struct slices *slices = create(exchange, &object);
    if (slices == NULL)
        return true;
    slices->count = 1;
    slices->parts[0] = (struct byte_range){ 0, INT64_MAX - 1 };
    slices->at = slices->stand = slices_start(slices, 1);
    slices->begun = true;
    slices->run = slice_run_follow(flight, 1); /* so that it goes on for us when who leads it leaves */
    cursor_close(&exchange->out.cursor);
    lease_release(&exchange->lookup.lease); /* of what is stale; it would be pinned as long as we send */
    exchange->out.slices = slices;
    return true;
}

/* ── ending ── */

/* The read of a slice that we leave is not for the next one. */
static void
leave_slice(struct exchange *exchange)
{
    struct slices *slices = exchange->out.slices;

    thaw_leave(exchange);
    cold_set_clear(&exchange->reads);
    lease_release(&slices->lease);
    cursor_close(&slices->cursor);
    flight_release(&slices->flight);
}

void
slices_close(struct exchange *exchange)
{
    if (exchange->out.slices != NULL) {
        leave_slice(exchange);
        slice_run_leave(&exchange->out.slices->run);
    }
    exchange->out.slices = NULL;
    for (unsigned i = 0; i < SLICES_AHEAD; i++)
        flight_release(&exchange->ahead[i]);
}

/* ── reading ── */

static struct span
rest_of_lease(const struct slices *slices)
{
    int64_t start = slices_start(slices, slices_number(slices, slices->stand));
    return span_skip(slices->lease.record.body, (size_t)(slices->stand - start));
}

static size_t
peek_slice(struct slices *slices, struct iovec *pieces, int *count, enum fill_state *state)
{
    if (slices->cursor.fill != NULL)
        return cursor_peek(&slices->cursor, pieces, count, state);
    struct span rest = rest_of_lease(slices);
    *state = FILL_WHOLE;
    *count = rest.len > 0;
    pieces[0] = (struct iovec){ (char *)(uintptr_t)rest.at, rest.len };
    return rest.len;
}

static void
advance_slice(struct exchange *exchange, size_t bytes)
{
    struct slices *slices = exchange->out.slices;

    if (slices->cursor.fill != NULL)
        cursor_advance(&slices->cursor, bytes);
    slices->stand += (int64_t)bytes;
    if (slices->lease.shard != NULL && (slices->stand & ((INT64_C(1) << slices->view.bits) - 1)) == 0)
        leave_slice(exchange);
}

struct lease *
slices_lease(const struct exchange *exchange, size_t *left)
{
    struct slices *slices = exchange->out.slices;

    if (slices->lease.shard == NULL)
        return NULL;
    *left = rest_of_lease(slices).len;
    return &slices->lease;
}

static size_t
limit_pieces(struct iovec *pieces, int *count, uint64_t most)
{
    size_t total = 0;
    int    n = 0;

    for (; n < *count && total < most; n++) {
        if (pieces[n].iov_len > most - total)
            pieces[n].iov_len = (size_t)(most - total);
        total += pieces[n].iov_len;
    }
    *count = n;
    return total;
}

/* A slice that arrived is left when it has ended, not when it is full: only then its successor can surely be found. */
static bool
is_full(const struct slices *slices)
{
    return slices->flight != NULL && slices->stand == slices_start(slices, slice_number(slices->flight) + 1);
}

/* A slice that ends before its full length ends the whole; where that was known before, it is not what was said. */
static bool
is_end(struct exchange *exchange)
{
    struct slices *slices = exchange->out.slices;

    if (slices->complete >= 0)
        return false;
    slices->complete = slices->stand;
    slices->parts[0].last = slices->complete - 1;
    leave_slice(exchange);
    return true;
}

/* Bytes from `at` on, of the part that goes out. 0: *state says why. */
static size_t
peek_part(struct exchange *exchange, struct iovec *pieces, int *count, enum fill_state *state)
{
    struct slices *slices = exchange->out.slices;
    int            room = *count;

    for (;;) {
        enum hold hold = slices_hold(exchange);
        *count = 0;
        *state = hold == HOLD_FAILED ? FILL_CUT : hold == HOLD_END ? FILL_WHOLE : FILL_OPEN;
        if (hold != HOLD_READY)
            return 0;
        if (!slices_is_held(slices))
            continue;
        *count = room;
        size_t size = peek_slice(slices, pieces, count, state);
        if (size == 0 && *state == FILL_WHOLE && is_full(slices)) {
            leave_slice(exchange);
            continue;
        }
        if (size == 0) {
            if (*state == FILL_WHOLE && !is_end(exchange))
                *state = FILL_CUT;
            return 0;
        }
        if (slices->stand == slices->at)
            return limit_pieces(pieces, count, (uint64_t)(slices->parts[slices->part].last - slices->at + 1));
        uint64_t skip = (uint64_t)(slices->at - slices->stand);
        advance_slice(exchange, skip < size ? (size_t)skip : size);
    }
}

size_t
slices_peek(struct exchange *exchange, struct iovec *pieces, int *count, enum fill_state *state)
{
    struct slices *slices = exchange->out.slices;

    for (;;) {
        if (slices->text.len > 0) {
            pieces[0] = (struct iovec){ (char *)(uintptr_t)slices->text.at, slices->text.len };
            *count = 1;
            *state = FILL_OPEN;
            /* The first part's bytes must be there before anything goes out. */
            if (slices->begun || slices->part > 0)
                return slices->text.len;
            struct iovec first[1];
            int          one = 1;
            size_t       size = peek_part(exchange, first, &one, state);
            *count = size > 0;
            return size > 0 ? slices->text.len : 0;
        }
        if (slices->part < slices->count && slices->at <= slices->parts[slices->part].last)
            return peek_part(exchange, pieces, count, state);
        if (slices->part < slices->count) {
            slices->part++;
            begin_part(slices);
            continue;
        }
        *count = 0;
        *state = FILL_WHOLE;
        return 0;
    }
}

void
slices_advance(struct exchange *exchange, size_t bytes)
{
    struct slices *slices = exchange->out.slices;
    size_t         of_text = bytes < slices->text.len ? bytes : slices->text.len;

    slices->text = span_skip(slices->text, of_text);
    bytes -= of_text;
    if (bytes == 0)
        return;
    slices->at += (int64_t)bytes;
    advance_slice(exchange, bytes);
    if (slices->at > slices->parts[slices->part].last)
        leave_slice(exchange);
}

bool
slices_are_sure(const struct exchange *exchange)
{
    return exchange->out.slices->begun || slices_is_held(exchange->out.slices);
}

bool
slices_have_begun(const struct exchange *exchange)
{
    return exchange->out.slices->begun;
}

void
slices_note_begun(struct exchange *exchange)
{
    exchange->out.slices->begun = true;
}

void
slices_take_back(struct exchange *exchange)
{
    slices_close(exchange);
    exchange->answer = SPAN_EMPTY;
    exchange->out = (struct delivery){ .piece_count = 0 };
    exchange->outcome = (struct outcome){ .fwd = NULL };
    exchange->distrust = true;
}
