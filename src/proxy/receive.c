/* receive.c: from a parsed head to a site and a key.
 *
 * Everything that makes a request ambiguous is refused here, before anybody else looks at it, and the connection is closed
 * after the answer: what follows on it cannot be trusted to be a request.
 */
#include "exchange.h"

#include <larder/base/check.h>
#include <larder/cache/reuse.h>
#include <larder/http/cdn_loop.h>

static enum step_result
refuse(struct exchange *exchange)
{
    metric_add(&exchange->worker->metrics.refused, 1);
    metric_add(&exchange->worker->refusals.given[exchange->refusal], 1);
    exchange->upload.whole = true; /* nothing more is read */
    return answer_error(exchange, refusal_status(exchange->refusal), refusal_name(exchange->refusal),
                        refusal_text(exchange->refusal), true);
}

/* RFC 9110 §10.1.1: 100-continue is the only expectation there is. It goes on to the origin, whose 100 comes back. */
static bool
is_expectation_known(const struct head *head)
{
    const struct field *field = head_find(head, FIELD_EXPECT);
    return field == NULL
           || (head_next(head, field) == NULL && span_equal_nocase(field->value, SPAN("100-continue")));
}

static enum err
check_request(struct exchange *exchange, struct target *sent)
{
    const struct head           *head = &exchange->head;
    const struct proxy_settings *settings = exchange->worker->config.settings;

    enum err err = parse_target(head, sent, &exchange->refusal);
    if (err == ERR_NONE)
        err = framing_of_request(head, &exchange->framing, &exchange->refusal);
    if (err == ERR_NONE)
        err = framing_mark_hop(head, &exchange->hop, &exchange->refusal);
    if (err != ERR_NONE)
        return err;
    if (!is_expectation_known(head))
        exchange->refusal = REFUSAL_BAD_EXPECT;
    else if (settings->body_size > 0 && exchange->framing.length > settings->body_size)
        exchange->refusal = REFUSAL_BODY_TOO_LONG;
    return exchange->refusal == REFUSAL_NONE ? ERR_NONE : ERR_SYNTAX;
}

enum step_result
step_receive(struct exchange *exchange)
{
    struct target sent;

    metric_add(&exchange->worker->metrics.requests, 1);
    if (exchange->refusal != REFUSAL_NONE || check_request(exchange, &sent) != ERR_NONE)
        return refuse(exchange);
    if (key_normalise(&exchange->arena, &sent, &exchange->target) != ERR_NONE)
        return answer_error(exchange, 503, "no-memory", "out of memory", true);
    exchange->upload.whole = exchange->upload.told = exchange->framing.kind == BODY_NONE;
    exchange->upload.left = exchange->framing.length;
    chunk_decode_init(&exchange->upload.decoder, &exchange->worker->chunks);
    uint64_t most = exchange->worker->config.settings->requests_each;
    if (!exchange->framing.keep_alive || exchange->worker->stopping
        || (most > 0 && exchange->client->requests >= most))
        exchange->end = END_CLOSE;
    exchange->step = STEP_ROUTE;
    return STEP_NEXT;
}

/* RFC 9110 §7.8: an upgrade is between the client and the origin; we only carry it. But not to HTTP/2 (h2c, which RFC 9113 §3.1 has withdrawn):
 * its requests would pass by everything that is checked here. */
static bool
wants_upgrade(const struct exchange *exchange)
{
    return head_has(&exchange->head, FIELD_UPGRADE) && exchange->head.minor >= 1
           && head_lists_token(&exchange->head, FIELD_CONNECTION, SPAN("upgrade"))
           && !head_lists_token(&exchange->head, FIELD_UPGRADE, SPAN("h2c"));
}

static enum reason
reason_to_pass(const struct exchange *exchange)
{
    if (wants_upgrade(exchange))
        return REASON_UPGRADE;
    if (reuse_forbids_storing(&exchange->head, &exchange->site->cache))
        return REASON_CLIENT;
    return policy_request(&exchange->head, exchange->framing.kind != BODY_NONE);
}

/* Takes "http://host:port/path?query", the key's own words, apart. Without Host (HTTP/1.0) the authority is the name of the site, or when that
 * is a pattern what the origin is called: keys of such requests are of no host. */
static void
split_key(struct exchange *exchange)
{
    const struct target *target = &exchange->target;
    struct span          rest = span_skip(exchange->primary.text, sizeof "http://" - 1);

    exchange->key_target = target->path.len + (target->query.at == NULL ? 0 : target->query.len + 1);
    exchange->authority = span_head(rest, rest.len - exchange->key_target);
    if (target->host.len == 0 && span_find(exchange->authority, '*') >= 0)
        exchange->authority = pool_authority(exchange->site->pool);
}

/* RFC 9110 §14.2: Range is only defined for GET, and one that is not understood, or asks for too much, is none. */
static bool
wants_ranges(struct exchange *exchange)
{
    struct worker *worker = exchange->worker;

    if (exchange->head.method != METHOD_GET || !head_has(&exchange->head, FIELD_RANGE))
        return false;
    enum err err = range_find(&exchange->head, &exchange->ranges);
    if (err == ERR_NONE && exchange->ranges.count > worker->config.settings->ranges)
        err = ERR_LIMIT;
    metric_add(&worker->metrics.ranges_ignored, err == ERR_LIMIT);
    return err == ERR_NONE;
}

enum step_result
step_route(struct exchange *exchange)
{
    struct worker *worker = exchange->worker;

    exchange->site = site_find(worker->config.sites, exchange->target.host);
    if (exchange->site == NULL) {
        metric_add(&worker->metrics.unknown_host, 1);
        return answer_error(exchange, 421, "unknown-host", "no site of this server has that name",
                            exchange->framing.kind != BODY_NONE);
    }
    if (key_primary(&exchange->arena, store_seed(cache_store(worker->config.cache)), SPAN("http"),
                    &exchange->target, span_of_text(exchange->site->name), &exchange->primary)
        != ERR_NONE)
        return answer_error(exchange, 503, "no-memory", "out of memory", true);

    split_key(exchange);
    if (cdn_loop_count(&exchange->head, span_of_text(worker->loop_id)) > 0) /* RFC 8586 */
        return answer_error(exchange, 508, "loop", "this request came through this server before", true);
    exchange->outcome.reason = reason_to_pass(exchange);
    exchange->upgrade = exchange->outcome.reason == REASON_UPGRADE;
    exchange->ranged = wants_ranges(exchange);
    if (exchange->site->guarded)
        exchange->step = STEP_ADMIT;
    else
        exchange->step = exchange->outcome.reason == REASON_NONE ? STEP_LOOKUP : STEP_PASS;
    return STEP_NEXT;
}
