/* access.c: see access.h. Two passes over the texts: how long they are, and, when the ring has room, their copies. */
#include "access.h"

#include "exchange.h"

#include <larder/proxy/access.h>
#include <unistd.h>

static const uint16_t most[ACCESS_TEXT_COUNT] = {
#define ACCESS_MOST(id, most) [ACCESS_##id] = most,
    ACCESS_TEXTS(ACCESS_MOST)
#undef ACCESS_MOST
};

/* ── what there is to say ── */

static struct span
cache_of(const struct exchange *exchange)
{
    if (exchange->outcome.fwd != NULL)
        return span_of_text(exchange->outcome.fwd);
    return exchange_is_hit(exchange) ? SPAN("hit") : SPAN("none");
}

static struct span
detail_of(const struct exchange *exchange)
{
    if (exchange->error != NULL)
        return span_of_text(exchange->error);
    return exchange->outcome.reason == REASON_NONE ? SPAN_EMPTY
                                                   : span_of_text(reason_name(exchange->outcome.reason));
}

static enum access_end
end_of(const struct exchange *exchange)
{
    if (exchange->step != STEP_FINISH)
        return ACCESS_GONE;
    return exchange->end == END_ABORT ? ACCESS_CUT : ACCESS_WHOLE;
}

/* The spans of a head that the parser refused lead nowhere. */
static void
collect(const struct exchange *exchange, struct span texts[static ACCESS_TEXT_COUNT])
{
    const struct head *head = &exchange->head;

    texts[ACCESS_CLIENT] = span_of(exchange->client->address, exchange->client->address_len);
    texts[ACCESS_CACHE] = cache_of(exchange);
    texts[ACCESS_DETAIL] = detail_of(exchange);
    if (!exchange->parsed)
        return;
    texts[ACCESS_METHOD] = head->method_text;
    texts[ACCESS_TARGET] = head->target;
    texts[ACCESS_HOST] = head_value(head, FIELD_HOST);
    texts[ACCESS_REFERER] = head_value(head, FIELD_REFERER);
    texts[ACCESS_AGENT] = head_value(head, FIELD_USER_AGENT);
}

/* ── the record ── */

static void
fill(struct access_record *record, const struct exchange *exchange)
{
    const struct loop *loop = exchange->worker->loop;
    nsec               in_turns = mono_since(loop_now(loop), exchange->began);

    *record = (struct access_record){
        .received = wall_add(loop_wall(loop), -in_turns),
        .duration = mono_since(clock_mono(), exchange->began),
        .sent = exchange->out.body_sent,
        .status = (uint16_t)(exchange->status != 0 ? exchange->status : ACCESS_STATUS_GONE),
        .origin_status = (uint16_t)exchange->outcome.fwd_status,
        .minor = exchange->head.minor,
        .end = (uint8_t)end_of(exchange),
        .stored = exchange->outcome.stored,
        .collapsed = exchange->outcome.collapsed,
    };
}

static void
copy_texts(struct access_record *record, const struct span texts[static ACCESS_TEXT_COUNT])
{
    char *at = record->texts;

    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++) {
        size_t len = texts[i].len;
        if (len > most[i]) {
            len = most[i];
            record->cut |= (uint16_t)(1u << i);
        }
        record->lens[i] = (uint16_t)len;
        if (len > 0)
            memcpy(at, texts[i].at, len);
        at += len;
    }
}

/* A reader that falls asleep this very moment looks again by itself, a little later. */
static void
wake(struct access_reader *reader)
{
    uint64_t one = 1;

    if (atomic_load_explicit(&reader->sleeps, memory_order_relaxed)
        && atomic_exchange_explicit(&reader->sleeps, false, memory_order_relaxed))
        (void)!write(reader->wake, &one, sizeof one);
}

void
access_write(struct exchange *exchange)
{
    struct worker      *worker = exchange->worker;
    struct access_ring *log = worker->config.access;
    struct span         texts[ACCESS_TEXT_COUNT] = { 0 };
    size_t              size = sizeof(struct access_record);

    if (log == NULL || exchange->step == STEP_RECEIVE)
        return;
    collect(exchange, texts);
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++)
        size += texts[i].len < most[i] ? texts[i].len : most[i];
    struct access_record *record = ring_reserve(&log->ring, size);
    if (record == NULL) {
        metric_add(&worker->metrics.log_dropped, 1);
        return;
    }
    fill(record, exchange);
    copy_texts(record, texts);
    ring_push(&log->ring);
    wake(log->reader);
}
