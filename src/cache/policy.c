/* policy.c: what may be stored, and until when it may be sent.
 *
 * The order of the questions is the order of the reasons in policy.h: the first that forbids storing is the one
 * that is told. Everything that a hit would have to work out is worked out here, once: until when the answer is
 * fresh, until when it may be sent stale while it is refreshed, and until when it may stand in for an origin that fails.
 */
#include <larder/cache/policy.h>

#include "deception.h"
#include "freshness.h"

#include <larder/http/conditional.h>

static const struct {
    const char *name, *text;
} reasons[REASON_COUNT] = {
#define REASON_ROW(id, name, text) [REASON_##id] = { name, text },
    REASON_TABLE(REASON_ROW)
#undef REASON_ROW
};

const char *
reason_name(enum reason reason)
{
    return reasons[reason].name;
}

const char *
reason_text(enum reason reason)
{
    return reasons[reason].text;
}

bool
reason_is_of_answer(enum reason reason)
{
    switch (reason) {
    case REASON_NO_STORE:
    case REASON_PRIVATE:
    case REASON_SET_COOKIE:
    case REASON_STATUS:
    case REASON_DECEPTION:
    case REASON_NO_FRESHNESS:
    case REASON_VARY_STAR:
    case REASON_VARY_LIMIT:
    case REASON_VARY_CHANGED:
    case REASON_TOO_LARGE:
    case REASON_HEAD_TOO_LARGE:
        return true;
    default:
        return false;
    }
}

static const struct metric_row reason_rows[] = {
#define REASON_METRIC(id, name, text)                                                                        \
    { name, METRIC_COUNTER, "requests", "Requests with the reason: " text ".",                               \
      offsetof(struct reason_metrics, given) + REASON_##id * sizeof(metric_cell) },
    REASON_TABLE(REASON_METRIC)
#undef REASON_METRIC
};

const struct metric_table reason_metrics_table = { "reason", reason_rows,
                                                   sizeof reason_rows / sizeof reason_rows[0] };

const char *
lifetime_source_name(enum lifetime_source source)
{
    static const char *const names[] = {
        [LIFETIME_NONE] = "none",       [LIFETIME_S_MAXAGE] = "s-maxage",   [LIFETIME_MAX_AGE] = "max-age",
        [LIFETIME_EXPIRES] = "expires", [LIFETIME_HEURISTIC] = "heuristic", [LIFETIME_DEFAULT] = "default"
    };
    return names[source];
}

enum reason
policy_request(const struct head *request, bool has_body)
{
    if (request->method != METHOD_GET && request->method != METHOD_HEAD)
        return REASON_METHOD;
    if (has_body)
        return REASON_BODY;
    /* RFC 9111 §4.3.2: not for a cache to judge. */
    if (head_has(request, FIELD_IF_MATCH) || head_has(request, FIELD_IF_UNMODIFIED_SINCE))
        return REASON_CONDITION;
    return REASON_NONE;
}

/* ── fields that are not for everybody (RFC 9111 §5.2.2.4, §5.2.2.7) ── */

void
verdict_hide(struct verdict *verdict, const struct cache_control *said)
{
    verdict->hidden[0] = said->no_cache_fields;
    verdict->hidden[1] = said->private_fields;
}

bool
verdict_hides(const struct verdict *verdict, struct span name)
{
    for (size_t i = 0; i < sizeof verdict->hidden / sizeof verdict->hidden[0]; i++) {
        struct span rest = verdict->hidden[i], member;
        while (list_next(&rest, &member))
            if (span_equal_nocase(member, name))
                return true;
    }
    return false;
}

/* ── storing (RFC 9111 §3) ── */

/* RFC 9111 §3.5 */
static bool
allows_authorization(const struct cache_control *said)
{
    return said->is_public || said->must_revalidate || said->s_maxage != DELTA_ABSENT;
}

/* Whether it can be asked about later: by something that really is a validator. */
static bool
has_validator(const struct head *response, wall_time now)
{
    struct validators validators;

    validators_read(response, now, &validators);
    return validators.etag.len > 0 || validators.has_modified;
}

/* RFC 9111 §5.2.2.3: who understands the status goes by the rules for it, and no-store is for who does not. */
static enum reason
forbidden_by_no_store(const struct head *response, const struct cache_control *said)
{
    if (said->must_understand)
        return status_reason(response->status)[0] == '\0' ? REASON_STATUS : REASON_NONE;
    return said->no_store ? REASON_NO_STORE : REASON_NONE; /* §5.2.2.5 */
}

static enum reason
forbidden_by_directives(const struct head *request, const struct head *response,
                        const struct cache_control *said, const struct cache_settings *settings,
                        const struct verdict *verdict)
{
    enum reason reason = forbidden_by_no_store(response, said);

    if (reason != REASON_NONE)
        return reason;
    if (said->is_private) /* §5.2.2.7 */
        return REASON_PRIVATE;
    if (head_has(request, FIELD_AUTHORIZATION) && !allows_authorization(said))
        return REASON_AUTHORIZATION;
    if (head_has(response, FIELD_SET_COOKIE) && !verdict_hides(verdict, SPAN("Set-Cookie"))
        && !settings->store_set_cookie && !said->is_public)
        return REASON_SET_COOKIE;
    return REASON_NONE;
}

/* A 304 and, for now, a 206 are parts of something (RFC 9111 §3.3, §4.3). Only what was asked with GET is
 * stored, or what a POST says to be the answer to it (RFC 9110 §9.3.3). */
static enum reason
forbidden_by_kind(const struct head *request, const struct head *response, const struct verdict *verdict)
{
    if (response->status < 200)
        return REASON_STATUS;
    if (response->status == 304 || (response->status == 206 && request->method != METHOD_GET))
        return REASON_PARTIAL;
    /* What the request's own conditions, range or expectation led to says nothing to others. */
    if (response->status == 412 || response->status == 416 || response->status == 417)
        return REASON_CONDITION;
    if (request->method == METHOD_POST && (verdict->implicit || verdict->source == LIFETIME_NONE))
        return REASON_METHOD;
    return REASON_NONE;
}

/* RFC 9111 §3: what may be stored at all says how long it is fresh, or has a status for which that may be assumed.
 * no-cache says it too: never without asking. */
static enum reason
forbidden_by_lifetime(const struct head *request, const struct head *response,
                      const struct cache_control *said, const struct cache_settings *settings,
                      const struct verdict *verdict, bool usable)
{
    if (verdict->implicit && !freshness_may_guess(response->status, said))
        return REASON_STATUS;
    if (verdict->source == LIFETIME_NONE && !verdict->always_validate)
        return REASON_NO_FRESHNESS;
    if (verdict->implicit && head_has(request, FIELD_COOKIE) && !settings->ignore_cookies)
        return REASON_COOKIE;
    if (verdict->implicit && deception_is_likely(request, response))
        return REASON_DECEPTION;
    return usable ? REASON_NONE : REASON_NO_FRESHNESS;
}

static wall_time
later(wall_time a, wall_time b)
{
    return a.ns > b.ns ? a : b;
}

/* Until when it may be sent stale (RFC 5861, RFC 9111 §4.2.4): as the origin says, else as the operator allows, unless the origin forbids
 * it, also by a lifetime of nothing. An explicit stale-while-revalidate beside s-maxage is a permission of its own. */
static void
set_stale_times(const struct cache_control *said, const struct cache_settings *settings,
                struct verdict *verdict)
{
    bool strict = said->must_revalidate || said->proxy_revalidate || verdict->always_validate;
    bool lasts = verdict->fresh_until.ns > verdict->born.ns;
    nsec refresh = 0, error = 0;

    verdict->strict = strict || said->s_maxage != DELTA_ABSENT;
    if (!strict && said->stale_while_revalidate >= 0)
        refresh = said->stale_while_revalidate * NSEC_PER_SEC;
    else if (!verdict->strict && lasts)
        refresh = settings->grace;
    if (!verdict->strict && said->stale_if_error >= 0)
        error = said->stale_if_error * NSEC_PER_SEC;
    else if (!verdict->strict && lasts)
        error = settings->stale_if_error;
    verdict->refresh_until = wall_add(verdict->fresh_until, refresh);
    verdict->error_until = wall_add(verdict->fresh_until, error);
}

/* RFC 9111 §5.4: Pragma counts where Cache-Control is absent. */
static bool
must_always_validate(const struct head *response, const struct cache_control *said)
{
    return said->no_cache || (!said->present && head_lists_token(response, FIELD_PRAGMA, SPAN("no-cache")));
}

/* What is stale when it comes is kept only for what somebody asked for: to be validated, or for the windows that the origin names. */
static bool
is_usable(const struct cache_control *said, const struct cache_settings *settings,
          const struct verdict *verdict, bool validatable, wall_time received)
{
    return verdict->reusable || (validatable && settings->keep > 0)
           || (said->stale_if_error > 0 && !verdict->always_validate
               && verdict->error_until.ns > received.ns);
}

void
policy_answer(const struct head *request, const struct head *response, const struct cache_settings *settings,
              wall_time requested, wall_time received, struct verdict *verdict)
{
    struct cache_control said;
    nsec                 lifetime;
    bool                 validatable = has_validator(response, received);

    cache_control_effective(response, &said);
    *verdict = (struct verdict){ .born = freshness_born(response, requested, received) };
    verdict->source = freshness_lifetime(response, &said, settings, received, &lifetime);
    verdict->implicit = verdict->source == LIFETIME_NONE || verdict->source >= LIFETIME_HEURISTIC;
    verdict->always_validate = must_always_validate(response, &said);
    verdict_hide(verdict, &said);
    verdict->fresh_until = wall_add(verdict->born, lifetime);
    set_stale_times(&said, settings, verdict);
    verdict->reusable = !verdict->always_validate && verdict->refresh_until.ns > received.ns;
    verdict->expires = wall_add(later(verdict->fresh_until, received), validatable ? settings->keep : 0);
    verdict->expires = later(verdict->expires, later(verdict->refresh_until, verdict->error_until));

    verdict->reason = forbidden_by_directives(request, response, &said, settings, verdict);
    if (verdict->reason == REASON_NONE)
        verdict->reason = forbidden_by_kind(request, response, verdict);
    if (verdict->reason == REASON_NONE)
        verdict->reason = forbidden_by_lifetime(request, response, &said, settings, verdict,
                                                is_usable(&said, settings, verdict, validatable, received));
    verdict->store = verdict->reason == REASON_NONE;
}
