/* judge.c: the head of an origin's answer decides what becomes of its flight.
 *
 *      304 to our condition ─▶ refresh     the stale object is good again, for all who wait
 *      may be stored ────────▶ share       all who wait read it, and it lands in the store
 *      may not ──────────────▶ let go      the leader has it, the others go on alone
 *
 * An unsafe request that did not fail also makes what is stored for its URL old.
 */
#include "lead_impl.h"

#include <larder/cache/key.h>
#include <larder/cache/reuse.h>
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
    bool remember = flight_may_store(lead->flight) && head->status < 500 && lead->method == METHOD_GET
                    && reason_is_of_answer(reason);

    metric_add(&lead->worker->metrics.uncacheable, flight_may_store(lead->flight));
    if (lead->rounded
        && head->status == 206) { /* more than the client asked for is not for him: he asks by himself */
        flight_note_alone(lead->flight);
        give_up(lead, FETCH_CHANGED, "");
        return;
    }
    if (lead->exchange != NULL && answer_take(lead->exchange, head, framing) != ERR_NONE) {
        give_up(lead, FETCH_NO_RESOURCES, "");
        return;
    }
    if (flight_let_go(lead->flight, reason, remember) != ERR_NONE) {
        give_up(lead, FETCH_NO_RESOURCES, "");
        return;
    }
    lease_release(&lead->stale);
    fill_on_drained(flight_fill(lead->flight), lead_send_drained, lead);
    if (lead->exchange == NULL)
        lead_abort(lead);
}

bool
lead_has_stand_in(const struct lead *lead)
{
    struct object object;
    return lead->stale.shard != NULL && object_read(lead->stale.record.meta, &object)
           && !(object.flags & OBJECT_PARTIAL) && reuse_on_error(&object, loop_wall(lead->worker->loop));
}

void
lead_note_trouble(struct lead *lead)
{
    struct object object;
    wall_time     now = loop_wall(lead->worker->loop);

    if (lead->stale.shard != NULL && object_read(lead->stale.record.meta, &object)
        && (reuse_on_error(&object, now) || now.ns < object.refresh_until.ns))
        flight_note_trouble(lead->flight);
}

/* RFC 5861 §4: what counts as an error. */
static bool
is_error(unsigned status)
{
    return status == 500 || status == 502 || status == 503 || status == 504;
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

/* The leader gets the answer as it came, where what is shared is not the same: an Age of the origin's, fields that are not stored, a 206.
 * Of a 206 to more than it has asked for it gets the fields. */
static enum err
keep_for_leader(struct lead *lead, const struct head *head, const struct framing *framing,
                const struct verdict *verdict, enum lead_shape shape)
{
    bool own_part = head->status == 206 && shape == SHAPE_PART && !lead->rounded;
    bool differs = head_has(head, FIELD_AGE) || verdict->hidden[0].len > 0 || verdict->hidden[1].len > 0;

    if (lead->exchange == NULL || !(differs || own_part))
        return ERR_NONE;
    lead->exchange->answer_picked = head->status == 206 && !own_part;
    return answer_take(lead->exchange, head, framing);
}

static enum reason
reason_of(enum err err)
{
    return err == ERR_LIMIT ? REASON_HEAD_TOO_LARGE : REASON_NO_MEMORY;
}

static int64_t
length_of(const struct framing *framing)
{
    return framing->kind == BODY_LENGTH || framing->kind == BODY_NONE ? (int64_t)framing->length : -1;
}

/* RFC 9110 §8.6: a 204 has none. What a part is stored with is not the length of the whole. */
static bool
says_length(const struct head *head)
{
    return head->status != 204 && head->status != 206;
}

/* The meta that is shared; its slices begin with it. */
static enum err
write_meta(struct lead *lead, const struct head *head, const struct verdict *verdict, struct span spec,
           int64_t length, const struct content_range *part, wall_time now, enum lead_shape shape,
           struct span *meta)
{
    enum err err =
        object_write(&lead->arena, head, verdict, spec, says_length(head) ? length : -1, part, now, meta);
    if (err == ERR_NONE && part != NULL && shape != SHAPE_PART)
        err = object_make_whole(&lead->arena, *meta, meta);
    if (err == ERR_NONE && shape == SHAPE_SLICES)
        err = lead_begin_slices(lead, head, verdict, length, part, meta);
    if (err == ERR_NONE && shape == SHAPE_HEAD)
        err = object_make_sliced(
            &lead->arena, *meta,
            &(struct slicing){ .generation = hash_random(),
                               .complete = length,
                               .bits = slice_bits(cache_store(lead->worker->config.cache)) },
            meta);
    return err;
}

/* REASON_NONE: the answer is shared and will be stored. */
static enum reason
share(struct lead *lead, const struct head *head, const struct framing *framing)
{
    struct verdict       verdict;
    struct content_range part;
    struct span          spec, values, meta;
    wall_time            now = loop_wall(lead->worker->loop);
    bool                 partial = head->status == 206;

    policy_answer(&lead->request, head, &lead->site->cache, lead->requested, now, &verdict);
    if (!verdict.store)
        return verdict.reason;
    if (partial && !lead_read_part(lead, head, framing, &part))
        return REASON_PARTIAL;
    enum lead_shape shape = lead_choose_shape(lead, head, framing, partial ? &part : NULL);
    if (shape == SHAPE_NONE)
        return partial ? REASON_PARTIAL : REASON_TOO_LARGE;
    enum reason reason = select_variant(lead, head, &spec, &values);
    if (reason != REASON_NONE)
        return reason;

    int64_t  length = !partial              ? length_of(framing)
                      : shape == SHAPE_PART ? part.last - part.first + 1
                                            : part.complete;
    enum err err = write_meta(lead, head, &verdict, spec, length, partial ? &part : NULL, now, shape, &meta);
    if (err == ERR_NONE && shape == SHAPE_HEAD) { /* what comes is for who asked for it */
        if (slice_land_head(lead->flight, meta, &verdict, spec, values, &lead->site->cache))
            metric_add(&lead->worker->metrics.stored, 1);
        return REASON_PARTIAL;
    }
    if (err == ERR_NONE)
        err = keep_for_leader(lead, head, framing, &verdict, shape);
    if (err == ERR_NONE)
        err = flight_share(lead->flight, meta, &verdict, spec, values, length);
    if (err != ERR_NONE) {
        lead_drop_slices(lead);
        return reason_of(err);
    }
    lead->expected = partial && shape != SHAPE_SLICES ? length : 0;
    fill_on_drained(flight_fill(lead->flight), lead_send_drained, lead);
    if (shape == SHAPE_SLICES)
        lead_publish_slices(lead);
    return REASON_NONE;
}

static void drop(struct lead *lead);

/* RFC 9111 §4.3.4: a 304 with a strong validator that is not the stored one's selects nothing that we have. */
static bool
is_about_another(const struct object *stored, const struct head *head)
{
    struct etag ours, theirs;

    return etag_parse(head_value(head, FIELD_ETAG), &theirs) && !theirs.weak
           && etag_parse(stored->validators.etag, &ours) && !etag_match_weak(ours, theirs);
}

/* A 304 to our condition (RFC 9111 §4.3.4). False: it does not fit what we have. */
static bool
refresh(struct lead *lead, const struct head *head)
{
    struct object  stored;
    struct verdict verdict;
    struct span    meta;
    wall_time      now = loop_wall(lead->worker->loop);

    if (!object_read(lead->stale.record.meta, &stored) || is_about_another(&stored, head))
        return false;
    if (object_refresh(&lead->arena, &stored, head, &lead->request, &lead->site->cache, lead->requested, now,
                       &verdict, &meta)
            != ERR_NONE
        || flight_refresh(lead->flight, meta, &verdict, lead->stale.record.created) != ERR_NONE)
        return false;
    metric_add(&lead->worker->metrics.revalidated, 1);
    /* Good for the one who asked; but what has to be validated each time is not written each time. */
    if (!verdict.store)
        drop(lead);
    if (!verdict.store || !(verdict.reusable || object_is_news(&stored, meta)))
        flight_abandon(lead->flight);
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

static void
submit_purge(struct lead *lead, const struct store_key *key, bool single)
{
    struct cache_purge *purge = malloc(sizeof *purge);
    char               *text = malloc(key->text.len + 1);
    if (purge != NULL && text != NULL) {
        memcpy(text, key->text.at, key->text.len);
        *purge = (struct cache_purge){ .key = { key->digest, span_of(text, key->text.len) },
                                       .single = single,
                                       .done = free_purge };
        if (cache_purge(lead->worker->config.cache, purge) == ERR_NONE) {
            metric_add(&lead->worker->metrics.invalidations, 1);
            return;
        }
    }
    log_write(lead->worker->config.log, LOG_WARN, "could not invalidate %.*s after %.*s: the store is busy",
              SPAN_ARG(key->text), SPAN_ARG(lead->request.method_text));
    free(purge);
    free(text);
}

/* Takes away what we validated, and only that. */
static void
drop(struct lead *lead)
{
    submit_purge(lead, flight_key(lead->flight), true);
}

/* What a reference in the answer names, when it is on the same host. */
static bool
find_named(struct lead *lead, const struct head *head, enum field_id id, struct store_key *key)
{
    const struct field     *field = head_find(head, id);
    const struct hash_seed *seed = store_seed(cache_store(lead->worker->config.cache));

    return field != NULL && head_next(head, field) == NULL
           && key_of_reference(&lead->arena, seed, &lead->primary, field->value, key) == ERR_NONE;
}

/* An unsafe request that did not fail makes what is stored for its URL old, and what its answer names. */
static void
invalidate(struct lead *lead, const struct head *head, bool replaces)
{
    static const enum field_id naming[] = { FIELD_LOCATION, FIELD_CONTENT_LOCATION };
    struct store_key           named;

    if (method_is_safe(lead->request.method) || head->status < 200 || head->status >= 400)
        return;
    if (!replaces)
        submit_purge(lead, &lead->primary, false);
    for (size_t i = 0; i < sizeof naming / sizeof naming[0]; i++)
        if (find_named(lead, head, naming[i], &named) && !digest_equal(named.digest, lead->primary.digest))
            submit_purge(lead, &named, false);
}

/* RFC 9110 §9.3.3: the answer to a POST is the answer to a GET of the same URL when it says so. */
static bool
is_answer_to_get(struct lead *lead, const struct head *head)
{
    struct store_key named;

    return lead->request.method == METHOD_POST && lead->reason == REASON_METHOD && head->status == 200
           && find_named(lead, head, FIELD_CONTENT_LOCATION, &named)
           && digest_equal(named.digest, lead->primary.digest);
}

/* ── the verdict ── */

/* What is said of this moment, not of the resource. */
static bool
is_passing(unsigned status)
{
    return status >= 500 || status == 408 || status == 421 || status == 425 || status == 429;
}

/* The origin answered our validation with something that may not be stored: what is stored has had its day. */
static void
drop_stale(struct lead *lead, const struct head *head, enum reason reason)
{
    if (lead->stale.shard != NULL && !is_passing(head->status) && reason_is_of_answer(reason))
        drop(lead);
}

/* RFC 9110 §15.3.7, §15.4.5: an answer to a range or a condition that our request did not have. */
static bool
is_unasked(const struct lead *lead, unsigned status)
{
    if (status == 206)
        return !lead->ranged && !(lead->passes && head_has(&lead->request, FIELD_RANGE));
    return status == 304 && !lead->validates && !(lead->passes && conditional_is(&lead->request));
}

/* What the origin says of a request that only we made. False: it is for those who wait. */
static bool
judge_our_own(struct lead *lead, const struct head *head, const struct framing *framing)
{
    if (is_unasked(lead, head->status)) {
        give_up(lead, FETCH_BAD_HEAD,
                head->status == 304 ? "a 304 that nobody asked for" : "a part that nobody asked for");
        return true;
    }
    if (is_error(head->status))
        lead_note_trouble(lead);
    if (is_error(head->status) && lead_has_stand_in(lead)) {
        give_up(lead, FETCH_ORIGIN_ERROR, status_reason(head->status));
        return true;
    }
    if (head->status == 304 && lead->validates) {
        if (!refresh(lead, head)) {
            drop(lead);
            give_up(lead, FETCH_CHANGED, "");
        }
        return true;
    }
    if (lead->completes && (head->status == 206 || head->status == 416)) {
        if (head->status == 416 || !lead_complete(lead, head, framing))
            give_up(lead, FETCH_CHANGED, "");
        return true;
    }
    return false;
}

void
lead_judge(struct lead *lead, const struct head *head, const struct framing *framing)
{
    bool replaces = is_answer_to_get(lead, head);

    if (lead->slices.refetch) {
        lead_judge_slices(lead, head, framing);
        return;
    }
    invalidate(lead, head, replaces);
    if (judge_our_own(lead, head, framing))
        return;
    /* Only what a GET brought has a body to be stored. */
    bool        may_store = (flight_may_store(lead->flight) && lead->method == METHOD_GET) || replaces;
    enum reason reason = may_store ? share(lead, head, framing) : lead->reason;
    if (flight_phase(lead->flight) != FLIGHT_OPEN) {
        lease_release(&lead->stale); /* its day is over, however long the new one takes to come */
        return;
    }
    if (replaces) /* but it may not be stored after all */
        submit_purge(lead, &lead->primary, false);
    drop_stale(lead, head, reason);
    let_go(lead, head, framing, reason);
}
