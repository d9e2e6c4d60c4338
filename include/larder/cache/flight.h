/* flight.h: a flight is one fetch that many requests wait for.
 *
 *      exchange ──lead───▶ flight ◀── head, body ── fetch      the first one's worker runs the fetch,
 *      exchange ──follow─▶   │                                 all of them read the body while it grows
 *                            └── land ──▶ object               (collapsed requests, RFC 9111 §4)
 *
 *      OPEN ─┬─▶ SHARED ─────▶ body ─▶ landed     the answer may be stored: all read it
 *            ├─▶ RELEASED                         it may not: the leader has it, the others go on alone, at once
 *            ├─▶ REFRESHED ──▶ landed             304: the stale object is good again
 *            └─▶ FAILED                           no answer
 *
 * A flight is found by its key while it is *hooked*; it is unhooked when it has landed (the object can be found
 * by then), when it failed, when it is not to be shared, or by a purge. A flight that was never hooked serves one exchange alone.
 * Nobody polls: each worker with followers has a port, and is told once per change however many followers it has.
 *
 * Guard: the lock of the flight's table, rank FLIGHT, for hooks and ports; what a phase publishes is frozen with it.
 * Not here: whether the answer may be stored (policy.h), how it is fetched (origin/fetch.h).
 */
#ifndef LARDER_CACHE_FLIGHT_H
#define LARDER_CACHE_FLIGHT_H

#include <larder/cache/cache.h>
#include <larder/cache/fill.h>
#include <larder/cache/object.h>
#include <larder/cache/policy.h>

struct flight;

enum flight_phase { FLIGHT_OPEN, FLIGHT_SHARED, FLIGHT_RELEASED, FLIGHT_REFRESHED, FLIGHT_FAILED };

/* A worker's ear at a flight, embedded in what the worker keeps per flight. `wake` is called on any thread, and must only
 * send a message to the worker; `told` is true from then until the worker clears it with flight_hear. */
struct flight_port {
    _Atomic bool told;
    void (*wake)(struct flight_port *port);
};

struct flight *flight_acquire(struct flight *flight);
void           flight_release(struct flight **flight);

/* ── reading: any thread ── */
enum flight_phase flight_phase(const struct flight *flight);

/* From SHARED and REFRESHED on: the meta of the object as it will be stored, and the verdict on it. */
struct span           flight_meta(const struct flight *flight);
const struct verdict *flight_verdict(const struct flight *flight);

/* SHARED: the vary spec of the answer, and whether a request with these values under it may have it. */
struct span flight_vary(const struct flight *flight);
bool        flight_suits(const struct flight *flight, struct span values);

/* SHARED: the body's length if the origin told it, else -1. */
int64_t flight_length(const struct flight *flight);

/* REFRESHED: when the stale object that is good again was created. */
wall_time flight_refreshed_created(const struct flight *flight);

/* RELEASED: why. FAILED: `failure` and `detail` as given to flight_fail. */
enum reason flight_reason(const struct flight *flight);
int         flight_failure(const struct flight *flight, const char **detail);

/* The body; from SHARED and RELEASED on. */
struct fill *flight_fill(const struct flight *flight);

/* A cursor at its first byte. False: too late, the body passes through already to those who came earlier. */
bool flight_open_body(struct flight *flight, struct cursor *cursor);

/* Where its object stands, or is to stand, in the store. */
const struct store_key *flight_key(const struct flight *flight);

/* ── ports: the worker's thread. One port per worker and flight. ── */
struct flight_port *flight_port_of(struct flight *flight, unsigned worker);
void                flight_port_open(struct flight *flight, unsigned worker, struct flight_port *port);

/* After this no new wake comes. True: none is on its way, the port's memory is free; false: its last wake is still to be
 * heard, and the memory must live until then. */
bool flight_port_close(struct flight *flight, unsigned worker);

/* The worker heard the message: later changes wake again. Call it before looking at the flight. */
void flight_hear(struct flight_port *port);

/* ── the leader's worker: what the fetch tells ── */

/* The answer may be stored. If it is not reusable (verdict.reusable) it is only for the leader, and to be validated later. `meta` is copied; `vary` is its spec, `values` the leader's values under it; `length` the body's length if the
 * meta has it, else -1. ERR_NO_MEMORY: nothing has changed. */
MUST_CHECK enum err flight_share(struct flight *flight, struct span meta, const struct verdict *verdict,
                                 struct span vary, struct span values, int64_t length);

/* The answer is the leader's alone; the key is remembered as uncacheable for a while if `remember`. ERR_NO_MEMORY. */
MUST_CHECK enum err flight_let_go(struct flight *flight, enum reason reason, bool remember);

/* Whether its answer may be stored at all, as far as the flight knows. */
bool flight_may_store(const struct flight *flight);

/* A 304: the object created at `created` is good again with this meta. */
MUST_CHECK enum err flight_refresh(struct flight *flight, struct span meta, const struct verdict *verdict,
                                   wall_time created);

/* No answer. `detail` is copied (at most 127 bytes). */
void flight_fail(struct flight *flight, int failure, const char *detail);

/* What comes cannot be shared in this form: for a while whoever wants it asks by himself. Before flight_fail. */
void flight_note_alone(struct flight *flight);

/* The origin failed while something stale can stand in: for some seconds nobody else tries. Before flight_fail. */
void flight_note_trouble(struct flight *flight);

/* More body is there, or its end: wakes the ports. */
void flight_tell(struct flight *flight);

/* The body grew too long to be stored: unhooks it and lets it pass through to those who read it already. */
void flight_outgrow(struct flight *flight, enum reason reason);

/* The body is whole (or the refresh complete): hands it to the store and unhooks the flight when it can be found there. Takes no reference of the
 * caller's. False: it was not taken (purged, no room); the flight is unhooked. */
bool flight_land(struct flight *flight, const struct cache_settings *settings);

/* The body was cut: unhooks it. */
void flight_abandon(struct flight *flight);

/* Whether anybody has a port open. */
bool flight_has_followers(struct flight *flight);

#endif
