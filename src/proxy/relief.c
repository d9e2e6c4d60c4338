/* relief.c: see relief.h.
 *
 * What points into the record (head, pieces of the body, the object) moves with it: the record lies in private
 * memory in the same order, so each pointer moves by the same distance. Of a slice only its lease knows where it is.
 */
#include "relief.h"

#include "slices.h"
#include "thaw.h"

#include <larder/base/check.h>

enum { SWEEP_MOST = 256 }; /* begun in one turn */

/* How much of the body's end is still to be sent, at most. */
static size_t
left_of_body(const struct exchange *exchange)
{
    struct span body = exchange->lookup.lease.record.body;
    size_t      left = 0;

    for (unsigned i = 0; i < exchange->out.piece_count; i++) {
        struct span piece = exchange->out.pieces[i];
        if (piece.len > 0 && piece.at >= body.at && piece.at < body.at + body.len) {
            size_t to_end = (size_t)(body.at + body.len - piece.at);
            left = to_end > left ? to_end : left;
        }
    }
    return left;
}

/* The lease that the body goes out from, of a whole object or of a slice, and what is left of it; NULL: it comes from elsewhere. */
static struct lease *
lease_of(struct exchange *exchange, size_t *left)
{
    if (exchange->step != STEP_DELIVER)
        return NULL;
    if (exchange->out.slices != NULL)
        return slices_lease(exchange, left);
    if (exchange->lookup.lease.shard == NULL || exchange->out.cursor.fill != NULL)
        return NULL;
    *left = left_of_body(exchange);
    return &exchange->lookup.lease;
}

void
relief_note(struct exchange *exchange)
{
    size_t left;

    if (lease_of(exchange, &left) == NULL)
        return;
    exchange->stalled = true;
    list_remove(&exchange->slow_node);
    list_push_back(&exchange->worker->slow, &exchange->slow_node);
}

/* False: there is no room, or no memory. */
static bool
begin(struct exchange *exchange, const struct lease *lease)
{
    struct cold *cold = lease_read(lease, loop_wall(exchange->worker->loop));
    return cold != NULL && thaw_lease(exchange, cold);
}

bool
relief_is_awaited(struct exchange *exchange)
{
    size_t left;

    if (exchange->thaw != NULL && exchange->frozen)
        return true;
    exchange->frozen = false;
    struct lease *lease = exchange->stalled ? lease_of(exchange, &left) : NULL;
    if (lease == NULL)
        return false;
    exchange->stalled = false;
    if (lease_is_warm(lease, left, loop_wall(exchange->worker->loop)))
        return false;
    exchange->frozen = exchange->thaw != NULL || begin(exchange, lease);
    return exchange->frozen;
}

/* ── moving ── */

static void
shift(struct span *bytes, const struct record *from, const struct record *to)
{
    const char *end = from->body.at + from->body.len;
    if (bytes->len > 0 && bytes->at >= from->key.at && bytes->at < end)
        bytes->at = to->key.at + (bytes->at - from->key.at);
}

static void
shift_pointers(struct exchange *exchange, const struct record *from)
{
    struct lookup   *lookup = &exchange->lookup;
    struct delivery *out = &exchange->out;

    shift(&out->head[0], from, &lookup->lease.record);
    shift(&out->head[1], from, &lookup->lease.record);
    for (unsigned i = 0; i < out->piece_count; i++)
        shift(&out->pieces[i], from, &lookup->lease.record);
    if (!object_read(lookup->lease.record.meta, &lookup->object))
        lookup->object = (struct object){ 0 }; /* its head is on its way; nothing reads it again */
}

void
relief_take(struct exchange *exchange, const struct cold *cold)
{
    size_t        left;
    struct lease *lease = lease_of(exchange, &left);

    exchange->frozen = false;
    if (lease == NULL)
        return;
    struct record from = lease->record;
    if (!lease_move(lease, cold))
        return;
    list_remove(&exchange->slow_node);
    if (lease == &exchange->lookup.lease) /* into a slice nothing points */
        shift_pointers(exchange, &from);
}

/* From the longest waiting on. Those for whom nothing could be done are asked again the next time, last. */
void
relief_sweep(struct worker *worker)
{
    unsigned begun = 0;
    size_t   left;

    if (list_empty(&worker->slow) || !store_wants_leases(cache_store(worker->config.cache)))
        return;
    LIST_EACH(&worker->slow, node)
    {
        struct exchange *exchange = CONTAINER_OF(node, struct exchange, slow_node);
        if (begun == SWEEP_MOST)
            return;
        const struct lease *lease = exchange->thaw == NULL ? lease_of(exchange, &left) : NULL;
        if (lease != NULL && lease_is_wanted(lease) && begin(exchange, lease))
            begun++;
    }
}
