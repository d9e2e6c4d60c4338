/* lead.c: what the origin tells, judged and passed on to the flight.
 *
 * The lead keeps a copy of the request's head: the verdict needs it (RFC 9111 §3), and the exchange may be gone by
 * then. Its fill may ask for a pause; the reader that makes room again is perhaps on another worker and sends mail.
 */
#include "lead_impl.h"

#include <larder/base/check.h>

enum { RECORD_OVERHEAD = 2048 }; /* key text and marker beside a body and its head */

/* ── end ── */

static void
free_lead(struct lead *lead)
{
    struct worker *worker = lead->worker;
    list_remove(&lead->node);
    slab_free(&worker->leads_slab, lead);
    worker_check_stopped(worker);
}

/* False: the mail is on its way. */
static bool
forget_wish(struct lead *lead)
{
    return lead->slices.run != NULL ? slice_run_forget(lead->slices.run)
                                    : fill_forget_drained(flight_fill(lead->flight));
}

/* Gives everything back but the mail, if a reader is about to send it. */
void
lead_end(struct lead *lead)
{
    CHECK(!lead->over);
    lead->over = true;
    if (lead->exchange != NULL) {
        lead->exchange->lead = NULL;
        lead->exchange = NULL;
    }
    bool mail_comes = lead->paused && !forget_wish(lead);
    fetch_release(&lead->fetch);
    flight_release(&lead->slices.frontier);
    slice_run_release(&lead->slices.run);
    lease_release(&lead->stale);
    flight_release(&lead->flight);
    arena_reset(&lead->arena);
    if (!mail_comes)
        free_lead(lead);
}

/* The answer is not whole: nobody may take it for that. */
static void
cut(struct lead *lead)
{
    struct flight *flight = lead->flight;

    if (lead->slices.run != NULL) {
        lead_cut_slices(lead);
        return;
    }
    if (flight_phase(flight) == FLIGHT_SHARED || flight_phase(flight) == FLIGHT_RELEASED) {
        fill_cut(flight_fill(flight));
        flight_abandon(flight);
        flight_tell(flight);
    }
}

void
lead_abort(struct lead *lead)
{
    if (lead->over)
        return;
    if (flight_phase(lead->flight) == FLIGHT_OPEN)
        flight_fail(lead->flight, FETCH_CUT, "");
    else
        cut(lead);
    lead_end(lead);
}

bool
lead_is_idle(const struct lead *lead)
{
    if (lead->over)
        return true;
    return lead->slices.run != NULL ? lead_slices_are_idle(lead) : !flight_has_followers(lead->flight);
}

/* Without readers a passing body goes nowhere. */
static bool
is_useless(const struct lead *lead)
{
    enum flight_phase phase = flight_phase(lead->flight);
    bool              passing =
        phase == FLIGHT_RELEASED || (phase == FLIGHT_SHARED && !fill_is_kept(flight_fill(lead->flight)));
    return passing && lead->exchange == NULL && !flight_has_followers(lead->flight);
}

void
lead_leave(struct exchange *exchange)
{
    struct lead *lead = exchange->lead;
    if (lead == NULL)
        return;
    exchange->lead = NULL;
    lead->exchange = NULL;
    if (lead->slices.run != NULL && exchange->upload.whole) {
        lead_leave_slices(lead);
        return;
    }
    /* An answer for this exchange only, and a request whose body ends here, end with it; what will be stored does not. */
    enum flight_phase phase = flight_phase(lead->flight);
    bool              for_others = exchange->lookup.result == LOOKUP_LEAD && phase != FLIGHT_RELEASED;
    bool              for_store =
        exchange->upload.whole && phase == FLIGHT_SHARED && fill_is_kept(flight_fill(lead->flight));
    if (!for_others && !for_store)
        lead_abort(lead);
}

/* ── pausing ── */

/* Any thread: a reader has made room. */
void
lead_send_drained(void *owner)
{
    struct lead *lead = owner;
    loop_post(lead->worker->loop, &lead->drained);
}

static void
deliver_drained(struct mail *mail)
{
    struct lead *lead = CONTAINER_OF(mail, struct lead, drained);

    lead->paused = false;
    if (lead->over)
        free_lead(lead);
    else if (lead->slices.run != NULL)
        lead_go_on_slices(lead);
    else if (is_useless(lead))
        lead_abort(lead);
    else
        fetch_resume(lead->fetch);
}

static void
pause_if_full(struct lead *lead)
{
    if (!lead->paused && fill_is_over_window(flight_fill(lead->flight))) {
        lead->paused = true;
        fetch_pause(lead->fetch);
    }
}

/* ── what the fetch tells ── */

static void
on_interim(void *owner, const struct head *head)
{
    struct lead *lead = owner;
    if (lead->exchange == NULL)
        return;
    answer_interim(lead->exchange, head);
    exchange_wake(lead->exchange);
}

static void
on_head(void *owner, const struct head *head, const struct framing *framing)
{
    lead_judge(owner, head, framing);
}

/* What of it is left when a body of unknown length has been turned into slices; all of it when it has not. */
static struct span
fill_up(struct lead *lead, struct span bytes)
{
    struct fill *fill = flight_fill(lead->flight);
    uint64_t     size = UINT64_C(1) << slice_bits(cache_store(lead->worker->config.cache));

    if (flight_phase(lead->flight) != FLIGHT_SHARED || !fill_is_kept(fill) || lead->expected > 0
        || flight_length(lead->flight) >= 0 || fill_size(fill) + bytes.len <= size)
        return bytes;
    struct span fits = span_head(bytes, (size_t)(size - fill_size(fill)));
    if (fill_append(fill, fits) != ERR_NONE)
        return bytes;
    lead->received += fits.len;
    lead_grow(lead);
    return span_skip(bytes, fits.len);
}

static void
on_body(void *owner, struct span bytes)
{
    struct lead *lead = owner;
    struct fill *fill = flight_fill(lead->flight);

    if (lead->slices.run == NULL)
        bytes = fill_up(lead, bytes);
    if (lead->slices.run != NULL) {
        lead_take_slices(lead, bytes);
        return;
    }
    if (is_useless(lead) || fill_append(fill, bytes) != ERR_NONE) {
        lead_abort(lead);
        return;
    }
    lead->received += bytes.len;
    if (flight_phase(lead->flight) == FLIGHT_SHARED && fill_is_kept(fill)
        && fill_size(fill) > lead->body_max) {
        metric_add(&lead->worker->metrics.uncacheable, 1);
        flight_outgrow(lead->flight, REASON_TOO_LARGE);
    }
    flight_tell(lead->flight);
    pause_if_full(lead);
}

/* A part whose Content-Range and body differ is not what it says. */
static bool
is_as_long_as_said(const struct lead *lead)
{
    return lead->expected == 0 || lead->received == (uint64_t)lead->expected;
}

static void
on_end(void *owner)
{
    struct lead      *lead = owner;
    enum flight_phase phase = flight_phase(lead->flight);

    if (lead->slices.run != NULL) {
        lead_end_slices(lead);
        return;
    }
    if (phase == FLIGHT_SHARED || phase == FLIGHT_RELEASED) {
        struct fill *fill = flight_fill(lead->flight);
        if (!is_as_long_as_said(lead) || (lead->tail.len > 0 && fill_append(fill, lead->tail) != ERR_NONE)) {
            cut(lead);
            lead_end(lead);
            return;
        }
        fill_end(fill);
        flight_tell(lead->flight);
        if (phase == FLIGHT_SHARED && fill_is_kept(fill) && flight_land(lead->flight, &lead->site->cache))
            metric_add(&lead->worker->metrics.stored, 1);
    }
    lead_end(lead);
}

static void
on_fail(void *owner, enum fetch_failure failure, const char *detail)
{
    struct lead *lead = owner;

    log_write(lead->worker->config.log, LOG_WARN, "%.*s: %s%s%s", SPAN_ARG(lead->primary.text),
              fetch_failure_text(failure), *detail == '\0' ? "" : ": ", detail);
    if (flight_phase(lead->flight) == FLIGHT_OPEN) {
        lead_note_trouble(lead);
        flight_fail(lead->flight, (int)failure, detail);
    } else {
        cut(lead);
    }
    lead_end(lead);
}

static void
on_drain(void *owner)
{
    struct lead *lead = owner;
    if (lead->exchange != NULL)
        exchange_wake(lead->exchange);
}

static const struct fetch_events lead_events = {
    .interim = on_interim,
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .fail = on_fail,
    .drain = on_drain,
};

/* ── start ── */

static enum err
copy_request(struct lead *lead, const struct exchange *exchange)
{
    const struct head *head = &exchange->head;
    struct field      *fields = arena_alloc(&lead->arena, (head->count + 1u) * sizeof fields[0]);
    struct span        method = arena_copy(&lead->arena, head->method_text);

    if (fields == NULL || method.at == NULL)
        return ERR_NO_MEMORY;
    head_init(&lead->request, fields, (uint16_t)(head->count + 1u));
    lead->request.method = head->method;
    lead->request.method_text = method;
    lead->request.minor = head->minor;
    for (unsigned i = 0; i < head->count; i++) {
        struct span name = arena_copy(&lead->arena, head->fields[i].name);
        struct span value = arena_copy(&lead->arena, head->fields[i].value);
        if (name.at == NULL || value.at == NULL)
            return ERR_NO_MEMORY;
        if (!head_add(&lead->request, name, value, (enum field_id)head->fields[i].id))
            return ERR_NO_MEMORY;
    }
    lead->primary = exchange->primary;
    lead->primary.text = arena_copy(&lead->arena, exchange->primary.text);
    lead->request.target = span_skip(lead->primary.text, lead->primary.text.len - exchange->key_target);
    lead->vary = arena_copy(&lead->arena, exchange->lookup.vary);
    return lead->primary.text.at == NULL || lead->vary.at == NULL ? ERR_NO_MEMORY : ERR_NONE;
}

/* Something stale may be validated, if it has what it takes. */
static const struct object *
object_to_validate(const struct exchange *exchange)
{
    const struct object *object = &exchange->lookup.object;
    bool                 can = object->validators.etag.len > 0 || object->validators.has_modified;
    return exchange->lookup.lease.shard != NULL && can ? object : NULL;
}

/* What our request asks for: the whole, the one range that is wanted, or the rest of what is stored. */
static void
plan_request(struct lead *lead, const struct exchange *exchange, struct request_plan *plan,
             struct range_spec *rest, char date[static DATE_SIZE])
{
    const struct lookup *lookup = &exchange->lookup;

    if (lookup->completes) {
        lead_plan_rest(lookup, rest, date, &plan->if_range);
        plan->range = rest;
    } else if (plan->kind == REQUEST_FILL) {
        plan->validate = object_to_validate(exchange);
        plan->range = lookup->part ? &lookup->range : NULL;
        lead->aligned = lookup->part;
        lead->rounded = lookup->part
                        && (lookup->range.first != exchange->ranges.spec[0].first
                            || lookup->range.last != exchange->ranges.spec[0].last);
    }
    lead->completes = lookup->completes;
    lead->passes = plan->kind == REQUEST_PASS;
    lead->validates = plan->validate != NULL;
    lead->ranged = plan->range != NULL
                   || (plan->kind == REQUEST_PASS && exchange->ranged && exchange->ranges.count == 1);
}

static enum err
start_fetch(struct lead *lead, struct exchange *exchange, const struct request_plan *given)
{
    struct request_plan  plan = *given;
    struct range_spec    rest;
    char                 date[DATE_SIZE];
    struct fetch_request request = { .method = plan.kind == REQUEST_FILL ? METHOD_GET : exchange->head.method,
                                     .body = exchange->framing.kind,
                                     .length = exchange->framing.length,
                                     .upgrade = exchange->upgrade };

    lead->method = request.method;
    request.replay = method_is_idempotent(request.method) && request.body == BODY_NONE && !request.upgrade;
    if (plan.range == NULL)
        plan_request(lead, exchange, &plan, &rest, date);
    /* The fetch copies the request, so that an answer of many fetches needs the memory of one. */
    struct arena_mark mark = arena_mark(&exchange->arena);
    enum err          err = request_write(exchange, &plan, &request.head);
    if (err == ERR_NONE) {
        lead->fetch = fetch_start(lead->worker->origin, exchange->site->pool, &request, &lead_events, lead);
        err = lead->fetch == NULL ? ERR_NO_MEMORY : ERR_NONE;
    }
    arena_release(&exchange->arena, mark);
    if (err == ERR_NONE && lead->validates)
        metric_add(&lead->worker->metrics.revalidations, 1);
    return err;
}

struct lead *
lead_create(struct exchange *exchange, struct flight *flight, const struct request_plan *given)
{
    struct worker *worker = exchange->worker;
    struct lead   *lead = slab_alloc(&worker->leads_slab);
    size_t         record_max = store_record_max(cache_store(worker->config.cache));
    if (lead == NULL)
        return NULL;

    *lead = (struct lead){ .worker = worker,
                           .flight = flight_acquire(flight),
                           .site = exchange->site,
                           .reason = exchange->outcome.reason,
                           .requested = loop_wall(worker->loop),
                           .drained = { .deliver = deliver_drained } };
    lead->body_max = record_max - RECORD_OVERHEAD - OBJECT_HEAD_MAX / 4;
    list_init(&lead->node);
    arena_init(&lead->arena, &worker->arena_chunks, ARENA_LIMIT);
    if (exchange->lookup.lease.shard != NULL)
        lease_copy(&exchange->lookup.lease, &lead->stale);
    if (copy_request(lead, exchange) == ERR_NONE && start_fetch(lead, exchange, given) == ERR_NONE) {
        list_push_back(&worker->leads, &lead->node);
        return lead;
    }
    lease_release(&lead->stale);
    flight_release(&lead->flight);
    arena_reset(&lead->arena);
    slab_free(&worker->leads_slab, lead);
    return NULL;
}

enum err
lead_start(struct exchange *exchange, enum request_kind kind)
{
    struct request_plan plan = { .kind = kind };
    struct lead        *lead = lead_create(exchange, exchange->lookup.flight, &plan);
    if (lead == NULL)
        return ERR_NO_MEMORY;
    lead->exchange = exchange;
    exchange->lead = lead;
    return ERR_NONE;
}

enum err
lead_start_behind(struct exchange *exchange, struct flight *flight)
{
    struct request_plan plan = { .kind = REQUEST_FILL };
    struct lead        *lead = lead_create(exchange, flight, &plan);

    if (lead == NULL)
        return ERR_NO_MEMORY;
    lead->behind = true;
    return ERR_NONE;
}

/* The leader's cursor is open: what it has read may be given back. */
void
lead_pass(struct exchange *exchange)
{
    fill_pass(flight_fill(exchange->lookup.flight));
}

size_t
lead_send(struct lead *lead, struct span bytes)
{
    return fetch_send(lead->fetch, bytes);
}

void
lead_send_end(struct lead *lead)
{
    fetch_send_end(lead->fetch);
}

struct lead *
lead_of_node(struct list *node)
{
    return CONTAINER_OF(node, struct lead, node);
}

size_t
lead_size(void)
{
    return sizeof(struct lead);
}
