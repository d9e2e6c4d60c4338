/* lead_missing.c: the fetch of slices that are missing: one request with Range and If-Range, and its answer compared with what
 * is stored. What is not just that, of just that representation, is not taken: bytes of two generations never mix.
 *
 * An origin may ignore Range and send the whole (RFC 9110 §14.2). By the same strong validator it is the same representation: what
 * comes before the place is skipped, and the head notes it, so that the next answer does not ask in vain.
 */
#include "lead_impl.h"

#include <larder/base/check.h>

/* Copies what the answer is compared with. */
static enum err
init_refetch(struct lead *lead, const struct lead_missing *missing)
{
    struct lead_slices *slices = &lead->slices;
    struct validators   validators = missing->object->validators;

    validators.etag = arena_copy(&lead->arena, validators.etag);
    if (validators.etag.at == NULL)
        return ERR_NO_MEMORY;
    slices->refetch = true;
    slices->validators = validators;
    slices->complete = missing->complete;
    slices->expires = missing->object->expires;
    slices->number = missing->first;
    slices->at = (int64_t)(missing->first << missing->view->bits);
    slices->end = (int64_t)((missing->last + 1) << missing->view->bits);
    if (missing->complete >= 0 && slices->end > missing->complete)
        slices->end = missing->complete;
    slice_run_reach(slices->run, slices->number);
    return ERR_NONE;
}

static struct lead *
create_refetch(struct exchange *exchange, const struct lead_missing *missing, struct flight *flight,
               struct slice_run *run)
{
    char                date[DATE_SIZE];
    struct range_spec   range = { (int64_t)(missing->first << missing->view->bits),
                                  (int64_t)((missing->last + 1) << missing->view->bits) - 1 };
    struct request_plan plan = { .kind = REQUEST_FILL, .range = &range };

    if (missing->complete >= 0 && range.last >= missing->complete)
        range.last = missing->complete - 1;
    plan.if_range = lead_if_range(&missing->object->validators, date);
    struct lead *lead = lead_create(exchange, flight, &plan);
    if (lead == NULL)
        return NULL;
    lead->slices.run = run;
    lead->slices.view = *missing->view;
    lead->slices.view.arena = &lead->arena;
    lead->slices.view.primary = lead->primary;
    lead->slices.view.reads = NULL;
    slice_run_set_owner(run, lead);
    lead->slices.frontier = flight_acquire(flight);
    lead->exchange = exchange;
    exchange->lead = lead;
    return lead;
}

enum err
lead_start_slices(struct exchange *exchange, const struct lead_missing *missing, struct flight **flight)
{
    wall_time         now = loop_wall(exchange->worker->loop);
    struct slice_run *run = slice_run_create(lead_send_drained);

    if (run == NULL)
        return ERR_NO_MEMORY;
    enum err     err = slice_claim(missing->view, missing->first, now, run, flight);
    struct lead *lead = err == ERR_NONE ? create_refetch(exchange, missing, *flight, run) : NULL;
    if (lead != NULL && init_refetch(lead, missing) == ERR_NONE) {
        metric_add(&exchange->worker->metrics.slice_fetches, 1);
        return ERR_NONE;
    }
    if (err == ERR_NONE)
        flight_fail(*flight, FETCH_NO_RESOURCES, "");
    flight_release(flight);
    if (lead != NULL)
        lead_end(lead);
    else
        slice_run_release(&run);
    return err == ERR_NONE ? ERR_NO_MEMORY : err;
}

static bool
has_our_validator(const struct lead *lead, const struct head *head)
{
    struct validators theirs;

    validators_read(head, loop_wall(lead->worker->loop), &theirs);
    return validators_share_strong(&lead->slices.validators, &theirs);
}

/* Whether the answer brings the whole of just the representation that is stored. */
static bool
is_the_whole(const struct lead *lead, const struct head *head, const struct framing *framing)
{
    const struct lead_slices *slices = &lead->slices;

    if (head->status != 200 || framing->kind == BODY_NONE)
        return false;
    if (framing->has_length
        && (slices->complete >= 0 ? (int64_t)framing->length != slices->complete
                                  : (int64_t)framing->length < slices->end))
        return false;
    return has_our_validator(lead, head);
}

/* Whether the answer brings just what was asked for, of just the representation that is stored. */
static bool
is_what_was_asked(const struct lead *lead, const struct head *head, const struct framing *framing)
{
    const struct lead_slices *slices = &lead->slices;
    const struct field       *field = head_find(head, FIELD_CONTENT_RANGE);
    struct content_range      part;

    if (head->status != 206 || field == NULL || head_next(head, field) != NULL
        || content_range_parse(field->value, &part) != ERR_NONE || part.first != slices->at
        || part.last + 1 != slices->end || framing->kind == BODY_NONE)
        return false;
    if (slices->complete >= 0 && part.complete != slices->complete)
        return false;
    if (framing->has_length && (int64_t)framing->length != slices->end - slices->at)
        return false;
    return has_our_validator(lead, head);
}

/* Whether the status says something about what is stored, and not about this client or this moment. */
static bool
is_news(unsigned status)
{
    return status / 100 == 2 || status == 404 || status == 410 || status == 416;
}

/* RFC 9111 §3: an origin that does not want it stored any more says so with a part as well. */
static bool
forbids_storing(const struct lead *lead, const struct head *head)
{
    struct verdict verdict;
    wall_time      now = loop_wall(lead->worker->loop);

    policy_answer(&lead->request, head, &lead->site->cache, lead->requested, now, &verdict);
    return verdict.reason == REASON_NO_STORE || verdict.reason == REASON_PRIVATE
           || verdict.reason == REASON_SET_COOKIE;
}

void
lead_judge_slices(struct lead *lead, const struct head *head, const struct framing *framing)
{
    struct lead_slices *slices = &lead->slices;
    bool                whole = is_the_whole(lead, head, framing);

    if (!(whole || is_what_was_asked(lead, head, framing)) || forbids_storing(lead, head)) {
        if (is_news(head->status)) {
            metric_add(&lead->worker->metrics.invalidations, 1);
            slice_note(&slices->view, SLICE_NEWS_GONE);
        }
        flight_fail(lead->flight, FETCH_CHANGED, "");
        lead_end(lead);
    } else if (slice_share(&slices->view, slices->frontier, slices->expires, lead_next_length(slices))
               != ERR_NONE) {
        flight_fail(lead->flight, FETCH_NO_RESOURCES, "");
        lead_end(lead);
    } else if (whole) {
        slices->skip = slices->at;
        slice_note(&slices->view, SLICE_NEWS_UNRANGED);
    }
}
