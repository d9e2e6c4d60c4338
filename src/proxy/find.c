/* find.c: the cache is asked, and a flight is waited for.
 *
 * Leader and follower are alike from here on: both are joined to the flight and read what it brings; the leader has only
 * started its fetch as well. Who may not share the answer after all goes on alone, all of them at once.
 */
#include "lead.h"
#include "port.h"
#include "slices.h"
#include "thaw.h"

#include <larder/base/check.h>
#include <larder/cache/reuse.h>

enum { LOOKUPS_MAX = 4 }; /* times that a flight may turn out to carry another variant */

static enum step_result
fail_without_memory(struct exchange *exchange)
{
    return answer_error(exchange, 503, "no-memory", "out of memory", true);
}

/* RFC 5861 §3: the stale answer goes out now; the fetch that replaces it is nobody's to wait for. */
static void
refresh_behind(struct exchange *exchange)
{
    struct flight **flight = &exchange->lookup.refresh;

    if (*flight == NULL)
        return;
    metric_add(&exchange->worker->metrics.refreshes, 1);
    if (lead_start_behind(exchange, *flight) != ERR_NONE)
        flight_fail(*flight, FETCH_NO_RESOURCES, "");
    flight_release(flight);
}

/* Each look may find another record of its way cold; that many are not on any way. */
static enum step_result
wait_for_disk(struct exchange *exchange)
{
    struct cold *cold = exchange->lookup.cold;

    exchange->lookup.cold = NULL;
    if (thaw_read(exchange, cold)) {
        client_wait_for(exchange->client, CLIENT_ORIGIN);
        return STEP_WAIT;
    }
    cold_set_clear(&exchange->reads);
    exchange->step = STEP_PASS;
    return STEP_NEXT;
}

enum step_result
step_lookup(struct exchange *exchange)
{
    struct worker *worker = exchange->worker;

    if (exchange->thaw != NULL)
        return STEP_WAIT; /* woken by something else */
    lease_release(&exchange->lookup.lease);
    exchange->outcome = (struct outcome){ .fwd = NULL };
    struct lookup_question question = { .request = &exchange->head,
                                        .primary = &exchange->primary,
                                        .settings = &exchange->site->cache,
                                        .ranges = exchange->ranged ? &exchange->ranges : NULL,
                                        .reads = &exchange->reads,
                                        .distrust = exchange->distrust };
    if (lookup_object(worker->config.cache, worker->config.id, &exchange->arena, &question,
                      loop_wall(worker->loop), &exchange->lookup)
        != ERR_NONE)
        return fail_without_memory(exchange);
    if (exchange->lookup.result != LOOKUP_COLD) {
        cold_set_clear(&exchange->reads);
        exchange->lookups++;
    }
    switch (exchange->lookup.result) {
    case LOOKUP_COLD:
        return wait_for_disk(exchange);
    case LOOKUP_HIT:
        exchange->outcome.reason = exchange->lookup.reason;
        refresh_behind(exchange);
        exchange->step = STEP_HIT;
        return STEP_NEXT;
    case LOOKUP_NOTHING: /* RFC 9111 §5.2.1.7 */
        return answer_error(exchange, 504, "only-if-cached",
                            "the client wants only what is stored, and nothing is", false);
    case LOOKUP_FOLLOW:
        exchange->outcome.collapsed = true;
        metric_add(&worker->metrics.followers, 1);
        exchange->step = STEP_JOIN;
        break;
    case LOOKUP_LEAD:
        metric_add(&worker->metrics.misses, 1);
        exchange->step = STEP_FETCH;
        break;
    case LOOKUP_ALONE:
        metric_add(&worker->metrics.passes, 1);
        exchange->outcome.reason = exchange->lookup.reason;
        exchange->step = STEP_FETCH;
        break;
    }
    bool stale = exchange->lookup.lease.shard != NULL;
    exchange->outcome.fwd = stale && exchange->lookup.reason == REASON_CLIENT ? "request"
                            : stale                                           ? "stale"
                            : exchange->lookup.result == LOOKUP_ALONE         ? "miss"
                            : exchange->lookup.vary.len > 0                   ? "vary-miss"
                                                                              : "uri-miss";
    return STEP_NEXT;
}

/* Waits for the flight no more, but keeps it. */
static void
leave_flight(struct exchange *exchange)
{
    exchange->answer = SPAN_EMPTY;
    lead_leave(exchange);
    port_leave(exchange);
}

/* Drops the flight and what came with it, to look again or to go alone. */
static void
leave(struct exchange *exchange)
{
    leave_flight(exchange);
    flight_release(&exchange->lookup.flight);
    lease_release(&exchange->lookup.lease);
}

enum step_result
step_fetch(struct exchange *exchange)
{
    const struct lookup *lookup = &exchange->lookup;
    bool                 stale = lookup->lease.shard != NULL;
    /* Whoever is alone gets what it asked for: its own conditions, its own range. But what is stored is validated by ours. */
    enum request_kind kind = lookup->result == LOOKUP_LEAD || stale ? REQUEST_FILL : REQUEST_PASS;

    if (lead_start(exchange, kind) != ERR_NONE) {
        flight_fail(lookup->flight, FETCH_NO_RESOURCES, "");
        return fail_without_memory(exchange);
    }
    exchange->step = STEP_JOIN;
    return STEP_NEXT;
}

enum step_result
step_pass(struct exchange *exchange)
{
    leave(exchange);
    metric_add(&exchange->worker->metrics.passes, 1);
    bool may_store = exchange->outcome.reason == REASON_NONE || exchange->lookups > 0;
    exchange->lookup = (struct lookup){ .result = LOOKUP_ALONE };
    exchange->lookup.flight = lookup_alone(exchange->worker->config.cache, &exchange->primary, may_store);
    if (exchange->lookup.flight == NULL)
        return fail_without_memory(exchange);
    if (exchange->outcome.fwd == NULL)
        exchange->outcome.fwd = exchange->outcome.reason == REASON_METHOD ? "method" : "bypass";
    exchange->step = STEP_FETCH;
    return STEP_NEXT;
}

enum step_result
find_again(struct exchange *exchange)
{
    leave(exchange);
    exchange->step = exchange->lookups < LOOKUPS_MAX ? STEP_LOOKUP : STEP_PASS;
    return STEP_NEXT;
}

static enum step_result
go_alone(struct exchange *exchange, enum reason reason)
{
    metric_add(&exchange->worker->metrics.released, 1);
    exchange->outcome.reason = reason;
    exchange->outcome.collapsed = false;
    exchange->step = STEP_PASS;
    return STEP_NEXT;
}

/* The answer may be stored, and so shared with whom it fits. */
static enum step_result
take_shared(struct exchange *exchange)
{
    struct flight *flight = exchange->lookup.flight;
    struct span    values;

    if (exchange->lookup.of_whole && flight_length(flight) < 0)
        return find_again(exchange); /* of what has no length a part cannot be named: it is asked for alone */
    switch (lookup_fits(&exchange->arena, flight, &exchange->head, &exchange->site->cache, &values)) {
    case FIT_OTHER_VARIANT:
        return find_again(exchange);
    case FIT_NOT_REUSABLE:
        if (exchange->lookup.result == LOOKUP_FOLLOW)
            return go_alone(exchange, REASON_KNOWN_UNCACHEABLE);
        break; /* it is the answer to this very request */
    case FIT_CREDENTIALS:
        if (exchange->lookup.result == LOOKUP_FOLLOW)
            return go_alone(exchange, REASON_COOKIE);
        break;
    case FIT_NO_MEMORY:
        return fail_without_memory(exchange);
    case FIT_YES:
        break;
    }
    if (!flight_open_body(flight, &exchange->out.cursor))
        return go_alone(exchange, flight_reason(flight));
    lease_release(&exchange->lookup.lease); /* what was stale is needed no more */
    return answer_shared(exchange);
}

/* RFC 9111 §4.2.4, RFC 5861 §4: better stale than an error, where nobody forbids it. */
static bool
may_stand_in(const struct exchange *exchange)
{
    const struct lookup *lookup = &exchange->lookup;
    return lookup->lease.shard != NULL && lookup->covers
           && reuse_on_error(&lookup->object, loop_wall(exchange->worker->loop));
}

static enum step_result
take_failure(struct exchange *exchange)
{
    const char        *detail;
    enum fetch_failure failure = (enum fetch_failure)flight_failure(exchange->lookup.flight, &detail);

    if (failure == FETCH_CHANGED) { /* nothing failed: what we have is no more what the origin has */
        exchange->distrust = true;
        return find_again(exchange);
    }
    if (may_stand_in(exchange))
        return answer_stale(exchange);
    if (failure == FETCH_ORIGIN_ERROR) /* it was kept back for those who have something that stands in */
        return find_again(exchange);
    return answer_error(exchange, fetch_failure_status(failure), fetch_failure_name(failure),
                        fetch_failure_text(failure), !exchange->upload.whole);
}

static enum step_result
take_refreshed(struct exchange *exchange)
{
    const struct lookup *lookup = &exchange->lookup;
    bool                 same = lookup->lease.shard != NULL
                && lookup->lease.record.created.ns == flight_refreshed_created(lookup->flight).ns;
    struct span values;

    /* To those who follow it is another client's answer: only what may be stored is for them. */
    if (lookup->result == LOOKUP_FOLLOW
        && lookup_fits(&exchange->arena, lookup->flight, &exchange->head, &exchange->site->cache, &values)
               != FIT_YES)
        return go_alone(exchange, REASON_KNOWN_UNCACHEABLE);
    return same && lookup->covers ? answer_refreshed(exchange) : find_again(exchange);
}

static enum step_result
refuse_body(struct exchange *exchange)
{
    metric_add(&exchange->worker->metrics.refused, 1);
    metric_add(&exchange->worker->refusals.given[exchange->refusal], 1);
    return answer_error(exchange, refusal_status(exchange->refusal), refusal_name(exchange->refusal),
                        refusal_text(exchange->refusal), true);
}

static enum step_result
wait_with_body(struct exchange *exchange)
{
    enum err err = exchange->lead == NULL ? ERR_NONE : upload_pump(exchange);

    if (err == ERR_NONE || err == ERR_AGAIN) {
        bool receiving = !exchange->upload.whole && err == ERR_AGAIN;
        client_wait_for(exchange->client, receiving ? CLIENT_BODY : CLIENT_ORIGIN);
        return STEP_WAIT;
    }
    leave(exchange); /* the origin never sees an end of that body */
    if (err == ERR_SYNTAX || err == ERR_LIMIT)
        return refuse_body(exchange);
    metric_add(&exchange->worker->metrics.client_gone, 1);
    exchange->end = END_ABORT;
    return STEP_DONE;
}

enum step_result
step_join(struct exchange *exchange)
{
    struct flight *flight = exchange->lookup.flight;

    if (exchange->port == NULL && port_join(exchange, flight) != ERR_NONE)
        return fail_without_memory(exchange);
    deliver_early(exchange);
    switch (flight_phase(flight)) {
    case FLIGHT_OPEN:
        return wait_with_body(exchange);
    case FLIGHT_SHARED:
        return take_shared(exchange);
    case FLIGHT_REFRESHED:
        return take_refreshed(exchange);
    case FLIGHT_FAILED:
        return take_failure(exchange);
    case FLIGHT_RELEASED:
        if (exchange->lookup.result == LOOKUP_FOLLOW)
            return go_alone(exchange, flight_reason(flight));
        exchange->outcome.reason = flight_reason(flight);
        lease_release(&exchange->lookup.lease);
        return answer_alone(exchange);
    }
    UNREACHABLE();
}

/* ── when time is over ── */

static bool
is_unanswered(const struct exchange *exchange)
{
    if (exchange->step == STEP_DELIVER)
        return exchange->out.slices != NULL && !slices_have_begun(exchange);
    return exchange->step == STEP_LOOKUP || exchange->step == STEP_JOIN;
}

/* The fetch goes on without us where others may use its answer, as when a client has left. */
bool
find_give_up(struct exchange *exchange)
{
    bool client_is_late = exchange->client->wait == CLIENT_BODY;
    bool in_slices = exchange->step == STEP_DELIVER;

    if (!is_unanswered(exchange))
        return false;
    if (exchange->step == STEP_JOIN && flight_phase(exchange->lookup.flight) != FLIGHT_OPEN)
        return true; /* it was about to go on; where that does not end it, we are asked again */
    metric_add(&exchange->worker->metrics.exchange_timeouts, 1);
    exchange->client->until = MONO_NEVER; /* of what is sent now send-timeout is the limit */
    if (in_slices)
        slices_take_back(exchange);
    thaw_leave(exchange);
    cold_set_clear(&exchange->reads);
    leave_flight(exchange);
    if (!client_is_late && !in_slices && may_stand_in(exchange)) {
        (void)answer_stale(exchange);
        return true;
    }
    leave(exchange);
    if (client_is_late) {
        exchange->refusal = REFUSAL_EXCHANGE_TIMEOUT;
        (void)refuse_body(exchange);
    } else {
        (void)answer_error(exchange, 504, "exchange-timeout", "the answer did not come in time",
                           !exchange->upload.whole);
    }
    return true;
}
