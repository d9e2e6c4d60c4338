/* judge.c: the head of an origin's answer decides what becomes of its flight.
 *
 *      304 to our condition ─▶ refresh     the stale object is good again, for all who wait
 *      may be stored ────────▶ share       all who wait read it, and it lands in the store
 *      may not ──────────────▶ let go      the leader has it, the others go on alone
 *
 * An unsafe request that did not fail also makes what is stored for its URL old.
 */
#include "lead_impl.h"

#include <larder/cache/vary.h>
#include <stdlib.h>

static void
give_up(struct lead *lead, enum fetch_failure failure, const char *detail)
{
    flight_fail(lead->flight, (int)failure, detail);
    lead_end(lead);
}

/* Not for sharing: the leader has it, the others go on by themselves. */
static void
let_go(struct lead *lead, const struct head *head, const struct framing *framing, enum reason reason)
{
    /* A pass is no news about its key, nor is a struggling origin. */
    bool remember =
        flight_may_store(lead->flight) && head->status < 500 && lead->request.method == METHOD_GET;

    metric_add(&lead->worker->metrics.uncacheable, flight_may_store(lead->flight));
    if (lead->exchange != NULL && answer_take(lead->exchange, head, framing) != ERR_NONE) {
        give_up(lead, FETCH_NO_RESOURCES, "");
        return;
    }
    if (flight_let_go(lead->flight, reason, remember) != ERR_NONE) {
        give_up(lead, FETCH_NO_RESOURCES, "");
        return;
    }
    fill_on_drained(flight_fill(lead->flight), lead_send_drained, lead);
    if (lead->exchange == NULL)
        lead_abort(lead);
}

static bool
is_too_large(const struct lead *lead, const struct framing *framing)
{
    return framing->kind == BODY_LENGTH && framing->length > lead->body_max;
}

/* The variant of this answer: spec and values, over what the URL's other answers vary on as well. */
static enum reason
select_variant(struct lead *lead, const struct head *head, struct span *spec, struct span *values)
{
    struct span own;
    bool        star = false;

    enum err err = vary_spec(&lead->arena, head, &own, &star);
    if (star)
        return REASON_VARY_STAR;
    if (err == ERR_NONE)
        err = vary_union(&lead->arena, own, lead->vary, spec);
    if (err == ERR_NONE)
        err = vary_values(&lead->arena, &lead->request, *spec, values);
    return err == ERR_NONE ? REASON_NONE : err == ERR_NO_MEMORY ? REASON_NO_MEMORY : REASON_VARY_LIMIT;
}

/* REASON_NONE: the answer is shared and will be stored. */
static enum reason
share(struct lead *lead, const struct head *head, const struct framing *framing)
{
    struct verdict verdict;
    struct span    spec, values, meta;
    wall_time      now = loop_wall(lead->worker->loop);

    policy_answer(&lead->request, head, &lead->site->cache, lead->requested, now, &verdict);
    if (!verdict.store)
        return verdict.reason;
    if (is_too_large(lead, framing))
        return REASON_TOO_LARGE;
    enum reason reason = select_variant(lead, head, &spec, &values);
    if (reason != REASON_NONE)
        return reason;

    bool     known = framing->kind == BODY_LENGTH || framing->kind == BODY_NONE;
    int64_t  length = known ? (int64_t)framing->length : -1;
    enum err err = object_write(&lead->arena, head, &verdict, spec, length, now, &meta);
    if (err == ERR_NONE)
        err = flight_share(lead->flight, meta, &verdict, spec, values, length);
    if (err != ERR_NONE)
        return err == ERR_LIMIT ? REASON_HEAD_TOO_LARGE : REASON_NO_MEMORY;
    fill_on_drained(flight_fill(lead->flight), lead_send_drained, lead);
    return REASON_NONE;
}

/* A 304 to our condition (RFC 9111 §4.3.4). False: it does not fit what we have. */
static bool
refresh(struct lead *lead, const struct head *head)
{
    struct object  stored;
    struct verdict verdict;
    struct span    meta;
    wall_time      now = loop_wall(lead->worker->loop);

    if (!object_read(lead->stale.record.meta, &stored))
        return false;
    if (object_refresh(&lead->arena, &stored, head, &lead->request, &lead->site->cache, lead->requested, now,
                       &verdict, &meta)
            != ERR_NONE
        || flight_refresh(lead->flight, meta, &verdict, lead->stale.record.created) != ERR_NONE)
        return false;
    metric_add(&lead->worker->metrics.revalidated, 1);
    if (!verdict.store)
        flight_abandon(lead->flight); /* good for those who wait now, not to be kept */
    else if (flight_land(lead->flight, &lead->site->cache))
        metric_add(&lead->worker->metrics.stored, 1);
    return true;
}

/* ── invalidation (RFC 9111 §4.4) ── */

static void
free_purge(struct cache_purge *purge)
{
    free((char *)(uintptr_t)purge->key.text.at);
    free(purge);
}

/* An unsafe request that did not fail makes what is stored for its URL old. */
static void
invalidate(struct lead *lead, const struct head *head)
{
    if (method_is_safe(lead->request.method) || head->status < 200 || head->status >= 400)
        return;
    struct cache_purge *purge = malloc(sizeof *purge);
    char               *text = malloc(lead->primary.text.len + 1);
    if (purge != NULL && text != NULL) {
        memcpy(text, lead->primary.text.at, lead->primary.text.len);
        *purge = (struct cache_purge){ .key = { lead->primary.digest, span_of(text, lead->primary.text.len) },
                                       .done = free_purge };
        if (cache_purge(lead->worker->config.cache, purge) == ERR_NONE) {
            metric_add(&lead->worker->metrics.invalidations, 1);
            return;
        }
    }
    log_write(lead->worker->config.log, LOG_WARN, "could not invalidate %.*s after %.*s: the store is busy",
              SPAN_ARG(lead->primary.text), SPAN_ARG(lead->request.method_text));
    free(purge);
    free(text);
}

void
lead_judge(struct lead *lead, const struct head *head, const struct framing *framing)
{
    invalidate(lead, head);
    if (lead->stale.shard != NULL && head->status == 304) {
        if (!refresh(lead, head))
            give_up(lead, FETCH_BAD_HEAD, "a 304 that does not fit what is stored");
        return;
    }
    enum reason reason = flight_may_store(lead->flight) ? share(lead, head, framing) : lead->reason;
    if (flight_phase(lead->flight) == FLIGHT_OPEN)
        let_go(lead, head, framing, reason);
}
