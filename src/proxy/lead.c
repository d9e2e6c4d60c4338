/* lead.c: what the origin tells, judged and passed on to the flight.
 *
 * The lead keeps a copy of the request's head: the verdict needs it (RFC 9111 §3), and the exchange may be gone by
 * then. Its fill may ask for a pause; the reader that makes room again is perhaps on another worker and sends mail.
 */
#include "lead.h"

#include <larder/base/check.h>
#include <larder/cache/vary.h>
#include <larder/http/write.h>
#include <stdlib.h>

enum { RECORD_OVERHEAD = 2048 }; /* key text and marker beside a body and its head */

/* Owner: the worker. `drained` is posted by readers of the fill. */
struct lead {
    struct list      node;
    struct worker   *worker;
    struct fetch    *fetch;
    struct flight   *flight;
    struct exchange *exchange; /* who started it; NULL once it left */
    struct arena     arena;
    struct mail      drained;

    const struct site *site;
    struct head        request; /* in our arena */
    struct store_key   primary;
    enum reason        reason; /* why it is a pass */
    struct span        vary; /* the spec under which the key was looked for */
    struct lease       stale; /* what is validated; no lease: nothing */
    wall_time          requested;
    size_t             body_max;
    bool               paused; /* waits for `drained` */
    bool               over;   /* the fetch has ended; only mail is waited for */
};

/* ── end ── */

static void
free_lead(struct lead *lead)
{
    struct worker *worker = lead->worker;
    list_remove(&lead->node);
    slab_free(&worker->leads_slab, lead);
    worker_check_stopped(worker);
}

/* Gives everything back but the mail, if a reader is about to send it. */
static void
end_lead(struct lead *lead)
{
    CHECK(!lead->over);
    lead->over = true;
    if (lead->exchange != NULL) {
        lead->exchange->lead = NULL;
        lead->exchange = NULL;
    }
    bool mail_comes = lead->paused && !fill_forget_drained(flight_fill(lead->flight));
    fetch_release(&lead->fetch);
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
    end_lead(lead);
}

bool
lead_is_idle(const struct lead *lead)
{
    return lead->over || !flight_has_followers(lead->flight);
}

/* Without readers a passing body goes nowhere. */
static bool
is_useless(const struct lead *lead)
{
    enum flight_phase phase = flight_phase(lead->flight);
    bool passing = phase == FLIGHT_RELEASED || (phase == FLIGHT_SHARED && !fill_is_kept(flight_fill(lead->flight)));
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
    /* An answer for this exchange only, and a request whose body ends here, end with it. */
    bool hooked_for_others = exchange->lookup.result == LOOKUP_LEAD && flight_phase(lead->flight) != FLIGHT_RELEASED;
    if (!hooked_for_others)
        lead_abort(lead);
}

/* ── pausing ── */

/* Any thread: a reader has made room. */
static void
send_drained(void *owner)
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

/* ── the answer's head ── */

/* The head of an answer for the leader alone, as it goes to its client. */
static enum err
write_alone(struct lead *lead, const struct head *head, const struct framing *framing)
{
    struct exchange *exchange = lead->exchange;
    struct hop_set   hop;
    enum refusal     refusal;
    size_t           room = 512 + head->reason.len;

    enum err err = framing_mark_hop(head, &hop, &refusal);
    if (err != ERR_NONE)
        return err;
    for (unsigned i = 0; i < head->count; i++)
        room += head->fields[i].name.len + head->fields[i].value.len + 4;
    char *memory = arena_alloc(&exchange->arena, room);
    if (memory == NULL)
        return ERR_NO_MEMORY;
    struct writer writer;
    writer_init(&writer, memory, room);
    write_status_line(&writer, head->status, head->reason);
    for (unsigned i = 0; i < head->count; i++) {
        const struct field *field = &head->fields[i];
        bool                upgrade = framing->kind == BODY_TUNNEL && field->id == FIELD_UPGRADE;
        if (field->id != FIELD_CONTENT_LENGTH && (upgrade || !framing_is_hop(&hop, field)))
            write_field(&writer, field->name, field->value);
    }
    if (!head_has(head, FIELD_DATE)) /* RFC 9110 §6.6.1 */
        write_field(&writer, SPAN("Date"), worker_date(lead->worker));
    write_field(&writer, SPAN("Via"), head->minor == 0 ? SPAN("1.0 larder") : SPAN("1.1 larder"));
    if (framing->kind == BODY_TUNNEL)
        write_field(&writer, SPAN("Connection"), SPAN("upgrade"));
    exchange->answer = writer_span(&writer);
    exchange->answer_status = head->status;
    exchange->answer_framing = *framing;
    exchange->outcome.fwd_status = head->status;
    return writer.failed ? ERR_LIMIT : ERR_NONE;
}

static void
give_up(struct lead *lead, enum fetch_failure failure, const char *detail)
{
    flight_fail(lead->flight, failure, detail);
    end_lead(lead);
}

/* Not for sharing: the leader has it, the others go on by themselves. */
static void
let_go(struct lead *lead, const struct head *head, const struct framing *framing, enum reason reason)
{
    /* A pass is no news about its key, nor is a struggling origin. */
    bool remember = flight_may_store(lead->flight) && head->status < 500 && lead->request.method == METHOD_GET;

    metric_add(&lead->worker->metrics.uncacheable, flight_may_store(lead->flight));
    if (lead->exchange != NULL && write_alone(lead, head, framing) != ERR_NONE) {
        give_up(lead, FETCH_NO_RESOURCES, "");
        return;
    }
    if (flight_let_go(lead->flight, reason, remember) != ERR_NONE) {
        give_up(lead, FETCH_NO_RESOURCES, "");
        return;
    }
    fill_on_drained(flight_fill(lead->flight), send_drained, lead);
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

    bool    known = framing->kind == BODY_LENGTH || framing->kind == BODY_NONE;
    int64_t length = known ? (int64_t)framing->length : -1;
    enum err err = object_write(&lead->arena, head, &verdict, spec, length, now, &meta);
    if (err == ERR_NONE)
        err = flight_share(lead->flight, meta, &verdict, spec, values, length);
    if (err != ERR_NONE)
        return err == ERR_LIMIT ? REASON_HEAD_TOO_LARGE : REASON_NO_MEMORY;
    fill_on_drained(flight_fill(lead->flight), send_drained, lead);
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
    if (object_refresh(&lead->arena, &stored, head, &lead->request, &lead->site->cache, lead->requested, now, &verdict,
                       &meta)
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
    struct lead *lead = owner;

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

static void
on_body(void *owner, struct span bytes)
{
    struct lead *lead = owner;
    struct fill *fill = flight_fill(lead->flight);

    if (is_useless(lead) || fill_append(fill, bytes) != ERR_NONE) {
        lead_abort(lead);
        return;
    }
    if (flight_phase(lead->flight) == FLIGHT_SHARED && fill_is_kept(fill) && fill_size(fill) > lead->body_max) {
        metric_add(&lead->worker->metrics.uncacheable, 1);
        flight_outgrow(lead->flight, REASON_TOO_LARGE);
    }
    flight_tell(lead->flight);
    pause_if_full(lead);
}

static void
on_end(void *owner)
{
    struct lead      *lead = owner;
    enum flight_phase phase = flight_phase(lead->flight);

    if (phase == FLIGHT_SHARED || phase == FLIGHT_RELEASED) {
        struct fill *fill = flight_fill(lead->flight);
        fill_end(fill);
        flight_tell(lead->flight);
        if (phase == FLIGHT_SHARED && fill_is_kept(fill) && flight_land(lead->flight, &lead->site->cache))
            metric_add(&lead->worker->metrics.stored, 1);
    }
    end_lead(lead);
}

static void
on_fail(void *owner, enum fetch_failure failure, const char *detail)
{
    struct lead *lead = owner;

    log_write(lead->worker->config.log, LOG_WARN, "%.*s: %s%s%s", SPAN_ARG(lead->primary.text),
              fetch_failure_text(failure), *detail == '\0' ? "" : ": ", detail);
    if (flight_phase(lead->flight) == FLIGHT_OPEN)
        flight_fail(lead->flight, failure, detail);
    else
        cut(lead);
    end_lead(lead);
}

static void
on_drain(void *owner)
{
    struct lead *lead = owner;
    if (lead->exchange != NULL)
        exchange_wake(lead->exchange);
}

static const struct fetch_events lead_events = {
    .interim = on_interim, .head = on_head, .body = on_body, .end = on_end, .fail = on_fail, .drain = on_drain,
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
    lead->vary = arena_copy(&lead->arena, exchange->lookup.vary);
    return lead->primary.text.at == NULL || lead->vary.at == NULL ? ERR_NO_MEMORY : ERR_NONE;
}

static enum err
start_fetch(struct lead *lead, struct exchange *exchange, enum request_kind kind, const struct object *stale)
{
    struct fetch_request request = { .method = kind == REQUEST_FILL ? METHOD_GET : exchange->head.method,
                                     .body = exchange->framing.kind,
                                     .length = exchange->framing.length,
                                     .upgrade = exchange->upgrade };

    request.replay = method_is_idempotent(request.method) && request.body == BODY_NONE && !request.upgrade;
    enum err err = request_write(exchange, kind, stale, &request.head);
    if (err != ERR_NONE)
        return err;
    lead->fetch = fetch_start(lead->worker->origin, exchange->site->pool, &request, &lead_events, lead);
    return lead->fetch == NULL ? ERR_NO_MEMORY : ERR_NONE;
}

enum err
lead_start(struct exchange *exchange, enum request_kind kind, bool validate)
{
    struct worker *worker = exchange->worker;
    struct lead   *lead = slab_alloc(&worker->leads_slab);
    size_t         record_max = store_record_max(cache_store(worker->config.cache));
    if (lead == NULL)
        return ERR_NO_MEMORY;

    *lead = (struct lead){ .worker = worker,
                           .flight = flight_acquire(exchange->lookup.flight),
                           .site = exchange->site,
                           .reason = exchange->outcome.reason,
                           .requested = loop_wall(worker->loop),
                           .drained = { .deliver = deliver_drained } };
    lead->body_max = record_max - RECORD_OVERHEAD - OBJECT_HEAD_MAX / 4;
    list_init(&lead->node);
    arena_init(&lead->arena, &worker->arena_chunks, ARENA_LIMIT);
    enum err err = copy_request(lead, exchange);
    if (err == ERR_NONE && validate)
        lease_copy(&exchange->lookup.lease, &lead->stale);
    if (err == ERR_NONE)
        err = start_fetch(lead, exchange, kind, validate ? &exchange->lookup.object : NULL);
    if (err != ERR_NONE) {
        lease_release(&lead->stale);
        flight_release(&lead->flight);
        arena_reset(&lead->arena);
        slab_free(&worker->leads_slab, lead);
        return err;
    }
    list_push_back(&worker->leads, &lead->node);
    lead->exchange = exchange;
    exchange->lead = lead;
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
