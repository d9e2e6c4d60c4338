/* lead.h: runs the fetch of a flight: what the origin tells becomes what the flight tells.
 *
 *      exchange ─ lead_start ─▶ lead ── fetch events ──▶ policy ▶ share · let go · refresh · fail
 *                                 └────────────────────▶ fill ▶ land
 *
 * A lead belongs to its worker, not to the exchange that started it: when that client leaves, a fetch that others
 * may use goes on. Only an answer that is for one exchange ends with it.
 */
#ifndef PROXY_LEAD_H
#define PROXY_LEAD_H

#include "exchange.h"

#include <larder/cache/slice.h>

/* Starts the fetch for exchange->lookup.flight. With a stale object in hand, asks whether it is still good. ERR_NO_MEMORY. */
MUST_CHECK enum err lead_start(struct exchange *exchange, enum request_kind kind);

/* Starts the fetch for a flight that nobody waits for, with the fields of this exchange's request. ERR_NO_MEMORY. */
MUST_CHECK enum err lead_start_behind(struct exchange *exchange, struct flight *flight);

/* The leader's cursor stands at the front of an answer that is its own: from here the body only passes. */
void lead_pass(struct exchange *exchange);

/* The exchange leaves. Ends the fetch if its answer is for this exchange only. */
void lead_leave(struct exchange *exchange);

/* ── slices ── */

/* Slices of a stored representation that are neither stored nor under way. */
struct lead_missing {
    const struct slice_view *view;
    const struct object     *object; /* of the head: its validators hold for the slices */
    int64_t                  complete;
    uint64_t                 first, last;
};

/* Starts a fetch of these slices; *flight is the first one's, a reference. ERR_EXISTS: somebody else has it by now; ERR_NO_MEMORY. */
MUST_CHECK enum err lead_start_slices(struct exchange *exchange, const struct lead_missing *missing,
                                      struct flight **flight);

/* Its exchange has come to this slice. */
void lead_reach_slice(struct lead *lead, uint64_t number);

/* The request's body. */
size_t lead_send(struct lead *lead, struct span bytes);
void   lead_send_end(struct lead *lead);

/* Ends the fetch: followers see a cut answer. For a worker that stops. */
void lead_abort(struct lead *lead);

/* Whether nobody waits for it. */
bool lead_is_idle(const struct lead *lead);

/* For the worker's list and slab. */
struct lead *lead_of_node(struct list *node);
size_t       lead_size(void);

#endif
