/* admit.c: whether this client may ask this now. What is refused here costs neither a lookup nor a fetch.
 *
 *      route ──▶ admit ──┬──▶ lookup, pass
 *                        ├──▶ 403: what the site denies (deny.h)
 *                        └──▶ 429: more often than the site's rates allow (rate.h)
 *
 * Sites without such rules do not come here.
 */
#include "exchange.h"

#include <larder/base/check.h>

/* Who asks: the peer or, where that is trusted, the last one in X-Forwarded-For who is not; what he says of others may
 * be made up. Words that are no address hide whatever stands before them: then it is the peer. */
static struct network
client_of(const struct exchange *exchange)
{
    const struct networks *trust = exchange->worker->config.trust;
    struct network         client = exchange->client->host, one;
    struct list_walk       walk = { .started = false };
    struct addr            addr;
    struct span            member;
    bool                   first = true;

    if (!exchange->client->trusted)
        return client;
    for (; head_walk(&exchange->head, FIELD_X_FORWARDED_FOR, &walk, &member); first = false) {
        bool is_address = addr_from_literal(member, 0, &addr);
        one = is_address ? network_of_addr(&addr) : exchange->client->host;
        if (first || !is_address || !networks_have(trust, &one))
            client = one;
    }
    return client;
}

static const char *
why_denied(struct exchange *exchange, const struct network *host)
{
    struct worker *worker = exchange->worker;

    if (exchange->site->deny == NULL)
        return NULL;
    if (worker->config.blocklists != NULL)
        blocklist_renew(worker->config.blocklists, &worker->denied);
    const struct deny_question question = {
        .host = host,
        .lists = worker->denied,
        .head = &exchange->head,
        .path = exchange->target.path,
    };
    return deny_why(exchange->site->deny, &question, &exchange->arena);
}

static enum step_result
deny(struct exchange *exchange, const char *why, bool close)
{
    metric_add(&exchange->worker->metrics.denied, 1);
    return answer_error(exchange, 403, why, "this server does not answer that", close);
}

/* What hashes to a bucket: zeroed, so that no padding differs. */
struct rate_name {
    const struct site *site;
    uint64_t           by;
    uint64_t           high, low;
};

enum { IPV6_CLIENT_BITS = 64 }; /* what one customer has at least (RFC 6177) */

static struct rate_name
name_of(const struct exchange *exchange, const struct network *host, enum rate_by by)
{
    struct rate_name name;

    memset(&name, 0, sizeof name);
    name.site = exchange->site;
    name.by = by;
    if (by == RATE_BY_CLIENT) {
        struct network client = network_widen(*host, IPV6_CLIENT_BITS);
        name.high = client.high;
        name.low = client.is_ipv6;
    } else {
        name.high = exchange->primary.digest.high;
        name.low = exchange->primary.digest.low;
    }
    return name;
}

/* The rates that allow it have counted it when a later one does not: they are about asking, not about being answered. */
static bool
is_too_often(struct exchange *exchange, const struct network *host)
{
    const struct worker *worker = exchange->worker;

    for (unsigned by = 0; by < RATE_BY_COUNT; by++) {
        const struct rate *rate = &exchange->site->rates[by];
        nsec               wait;
        if (rate->interval == 0)
            continue;
        struct rate_name name = name_of(exchange, host, by);
        if (rates_take(worker->config.rates, span_of(&name, sizeof name), rate, loop_now(worker->loop),
                       &wait))
            continue;
        exchange->retry_after = (uint64_t)((wait + NSEC_PER_SEC - 1) / NSEC_PER_SEC);
        return true;
    }
    return false;
}

/* A body that nobody reads ends the connection. */
enum step_result
step_admit(struct exchange *exchange)
{
    bool           has_body = exchange->framing.kind != BODY_NONE;
    struct network host = client_of(exchange);
    const char    *why = why_denied(exchange, &host);

    if (why != NULL)
        return deny(exchange, why, has_body);
    if (is_too_often(exchange, &host)) {
        metric_add(&exchange->worker->metrics.rate_limited, 1);
        return answer_error(exchange, 429, "rate", "asked for too often; wait before the next request",
                            has_body);
    }
    exchange->step = exchange->outcome.reason == REASON_NONE ? STEP_LOOKUP : STEP_PASS;
    return STEP_NEXT;
}
