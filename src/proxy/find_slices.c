/* find_slices.c: where the next slice comes from: what our own fetch has kept for us, the store, a flight under way, or a fetch
 * that we lead for all that is missing.
 */
#include "lead.h"
#include "port.h"
#include "slices_impl.h"
#include "thaw.h"

enum { LOOKS_AHEAD = 256, LOOKS_MAX = 1024 }; /* in one turn: of the index alone, half a microsecond each */

/* ── what our own fetch has brought ── */

void
slices_keep(struct exchange *exchange, struct flight *flight)
{
    struct flight **place = &exchange->ahead[slice_number(flight) % SLICES_AHEAD];
    flight_release(place);
    *place = flight_acquire(flight);
}

void
slices_drop_stored(struct exchange *exchange)
{
    for (unsigned i = 0; i < SLICES_AHEAD; i++)
        if (exchange->ahead[i] != NULL && slice_is_stored(exchange->ahead[i]))
            flight_release(&exchange->ahead[i]);
}

static struct flight *
take_kept(struct exchange *exchange, uint64_t number)
{
    struct flight *taken = NULL;

    for (unsigned i = 0; i < SLICES_AHEAD; i++) {
        struct flight *kept = exchange->ahead[i];
        if (kept == NULL || slice_number(kept) > number)
            continue;
        if (slice_number(kept) == number)
            taken = flight_acquire(kept);
        flight_release(&exchange->ahead[i]);
    }
    return taken;
}

/* ── finding the slice ── */

/* How long a slice must be; -1: that is not known. */
static int64_t
length_of(const struct slices *slices, uint64_t number)
{
    int64_t size = INT64_C(1) << slices->view.bits;
    if (slices->complete < 0)
        return -1;
    int64_t left = slices->complete - slices_start(slices, number);
    return left < size ? left : size;
}

/* The flight's head is there, or it is not yet, or there will be none. */
static enum hold
open_flight(struct slices *slices)
{
    switch (flight_phase(slices->flight)) {
    case FLIGHT_OPEN:
        return HOLD_WAIT;
    case FLIGHT_SHARED:
        return flight_open_body(slices->flight, &slices->cursor) ? HOLD_READY : HOLD_FAILED;
    default:
        return HOLD_FAILED;
    }
}

/* Takes over the reference. */
static enum hold
join(struct exchange *exchange, struct flight *flight)
{
    struct slices *slices = exchange->out.slices;

    struct slice_run *before = slices->run;

    port_leave(exchange);
    slices->flight = flight;
    slices->run = slice_run_join(flight); /* the new one first: a run without readers ends */
    slice_run_leave(&before);
    return port_join(exchange, flight) == ERR_NONE ? open_flight(slices) : HOLD_FAILED;
}

/* The last slice of the run that is missing from `number` on: those that are wanted, up to the next one that is there. */
static uint64_t
last_missing(const struct exchange *exchange, uint64_t number)
{
    struct slices *slices = exchange->out.slices;
    wall_time      now = loop_wall(exchange->worker->loop);
    uint64_t wanted = slices->complete < 0 ? number : slices_number(slices, slices->parts[slices->part].last);

    for (uint64_t next = number + 1; next <= wanted && next - number < LOOKS_AHEAD; next++)
        if (slice_is_known(&slices->view, next, now))
            return next - 1;
    return wanted;
}

/* Where the origin ignores Range, a strong validator is enough: then it sends the whole, and it is known to be this one. */
static bool
may_lead(const struct exchange *exchange)
{
    const struct object *object = &exchange->out.slices->object;
    bool known = object->status == 200 && validators_share_strong(&object->validators, &object->validators);

    return (known || !(object->flags & OBJECT_UNRANGED)) && exchange->head.method == METHOD_GET;
}

static enum err
start_lead(struct exchange *exchange, uint64_t number, struct flight **flight)
{
    struct slices      *slices = exchange->out.slices;
    struct lead_missing missing = { .view = &slices->view,
                                    .object = &slices->object,
                                    .complete = slices->complete,
                                    .first = number,
                                    .last = last_missing(exchange, number) };
    return lead_start_slices(exchange, &missing, flight);
}

/* It is neither stored nor under way. */
static enum hold
lead(struct exchange *exchange, uint64_t number)
{
    struct slices *slices = exchange->out.slices;
    struct flight *flight;

    if (!may_lead(exchange))
        return HOLD_FAILED;
    lead_leave(exchange); /* what it fetched until now we do not follow any more */
    slice_run_leave(&slices->run);
    switch (start_lead(exchange, number, &flight)) {
    case ERR_NONE:
        return join(exchange, flight);
    case ERR_EXISTS:
        return HOLD_READY; /* somebody was faster: look again */
    default:
        return HOLD_FAILED;
    }
}

/* While a stored slice goes out: if the next one is missing, its fetch begins now. */
static void
look_ahead(struct exchange *exchange, uint64_t next)
{
    struct slices *slices = exchange->out.slices;
    struct flight *flight;

    if (exchange->lead != NULL || slices->complete < 0 || !may_lead(exchange)
        || next > slices_number(slices, slices->parts[slices->part].last)
        || slice_is_known(&slices->view, next, loop_wall(exchange->worker->loop)))
        return;
    if (start_lead(exchange, next, &flight) == ERR_NONE)
        flight_release(&flight); /* else we shall see when we come to it */
}

/* Of a body that is still growing: whether its end is known by now. */
static bool
learn_complete(struct exchange *exchange)
{
    struct slices *slices = exchange->out.slices;
    struct slicing slicing;

    if (slices->complete >= 0)
        return true;
    if (!slice_has_grown(exchange->lookup.flight, &slicing) || slicing.complete == SLICE_BROKEN)
        return false;
    if (slicing.complete >= 0) {
        slices->complete = slicing.complete;
        slices->parts[0].last = slicing.complete - 1;
    }
    return true;
}

/* The lease is there. */
static enum hold
take_stored(struct exchange *exchange, uint64_t number)
{
    struct slices *slices = exchange->out.slices;
    int64_t        length = length_of(slices, number);

    if (length >= 0 && (int64_t)slices->lease.record.body.len != length)
        return HOLD_FAILED;
    look_ahead(exchange, number + 1);
    return HOLD_READY;
}

/* Others that have nearly its hash may have to be read before it; never so many that it fails. */
static enum hold
wait_for_disk(struct exchange *exchange, struct cold *cold)
{
    return thaw_read(exchange, cold) ? HOLD_WAIT : HOLD_FAILED;
}

static enum hold
look(struct exchange *exchange, uint64_t number, bool alive)
{
    struct slices *slices = exchange->out.slices;
    wall_time      now = loop_wall(exchange->worker->loop);
    struct flight *flight;
    struct cold   *cold;

    switch (slice_find(&slices->view, number, now, &slices->lease, &cold, &flight)) {
    case SLICE_STORED:
        port_leave(exchange);
        return take_stored(exchange, number);
    case SLICE_COLD:
        return wait_for_disk(exchange, cold);
    case SLICE_ARRIVING:
        return join(exchange, flight);
    case SLICE_MISSING:
        return alive ? lead(exchange, number) : HOLD_FAILED;
    case SLICE_NO_MEMORY:
        break;
    }
    return HOLD_FAILED;
}

static enum hold
find_slice(struct exchange *exchange)
{
    struct slices *slices = exchange->out.slices;
    uint64_t       number = slices_number(slices, slices->stand);

    if (exchange->thaw != NULL)
        return HOLD_WAIT; /* for the disk; woken by something else */
    struct flight *flight = take_kept(exchange, number);
    if (exchange->lead != NULL)
        lead_reach_slice(exchange->lead, number);
    if (slices->run != NULL)
        slice_run_reach(slices->run, number);
    if (flight != NULL)
        return join(exchange, flight);
    /* Before we look, so that what is not found then is not there. */
    bool alive = learn_complete(exchange);
    if (slices->complete >= 0 && slices->stand >= slices->complete)
        return HOLD_END;
    enum hold hold = look(exchange, number, alive);
    if (exchange->thaw == NULL)
        cold_set_clear(&exchange->reads);
    return hold;
}

enum hold
slices_hold(struct exchange *exchange)
{
    struct slices *slices = exchange->out.slices;

    if (slices_is_held(slices))
        return HOLD_READY;
    if (slices->flight != NULL)
        return open_flight(slices);
    if (!slices->walks)
        slices->stand = slices_start(slices, slices_number(slices, slices->at));
    return find_slice(exchange);
}

/* ── what cannot be asked for again ── */

bool
slices_are_there(struct exchange *exchange, const struct object *object, const struct selection *selection)
{
    struct slice_view view = { .cache = exchange->worker->config.cache,
                               .reader = exchange->worker->config.id,
                               .arena = &exchange->arena,
                               .primary = exchange->primary,
                               .generation = object->generation,
                               .bits = object->slice_bits };
    bool              parts = selection->kind == SELECT_PARTS;
    unsigned          count = parts ? selection->count : 1, looks = 0;
    wall_time         now = loop_wall(exchange->worker->loop);

    for (unsigned i = 0; i < count; i++) {
        int64_t  first = parts ? selection->parts[i].first : 0;
        int64_t  last = parts ? selection->parts[i].last : object->complete - 1;
        uint64_t end = (uint64_t)last >> view.bits;
        for (uint64_t number = (uint64_t)first >> view.bits; number <= end && looks < LOOKS_MAX;
             number++, looks++)
            if (!slice_is_known(&view, number, now))
                return false;
    }
    return true;
}
