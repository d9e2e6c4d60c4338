/* policy.c: what may be stored, and how long it is fresh.
 *
 * The order of the questions is the order of the reasons in policy.h: the first that forbids storing is the one that is told.
 */
#include <larder/cache/policy.h>

#include <larder/base/check.h>
#include <larder/http/date.h>

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

const char *
lifetime_source_name(enum lifetime_source source)
{
    static const char *const names[] = { [LIFETIME_NONE] = "none",
                                         [LIFETIME_S_MAXAGE] = "s-maxage",
                                         [LIFETIME_MAX_AGE] = "max-age",
                                         [LIFETIME_EXPIRES] = "expires",
                                         [LIFETIME_DEFAULT] = "default" };
    return names[source];
}

enum reason
policy_request(const struct head *request, bool has_body)
{
    if (request->method != METHOD_GET && request->method != METHOD_HEAD)
        return REASON_METHOD;
    if (has_body)
        return REASON_BODY;
    return REASON_NONE;
}

/* ── age and lifetime (RFC 9111 §4.2) ── */

static int64_t
date_or(const struct head *response, wall_time received)
{
    int64_t date;
    if (date_parse(head_value(response, FIELD_DATE), received, &date))
        return date;
    return wall_seconds(received);
}

/* RFC 9111 §5.1: digits only, the first member of the first line; anything else is ignored. */
static nsec
age_value(const struct head *response)
{
    struct span rest = head_value(response, FIELD_AGE), first;
    uint64_t    seconds;

    if (rest.at == NULL || !span_split(&rest, ',', &first))
        return 0;
    first = span_trim(first);
    for (size_t i = 0; i < first.len; i++)
        if (first.at[i] < '0' || first.at[i] > '9')
            return 0;
    if (first.len == 0)
        return 0;
    if (!span_to_u64(first, (uint64_t)DELTA_MAX, &seconds))
        seconds = (uint64_t)DELTA_MAX;
    return (nsec)seconds * NSEC_PER_SEC;
}

/* When its age was 0 (RFC 9111 §4.2.3): the older of what Date says, and what Age says plus the delay. A Date counts whole seconds, so
 * less than one second of difference is no age. */
static wall_time
born_at(const struct head *response, wall_time requested, wall_time received)
{
    nsec apparent = wall_since(received, wall_from_seconds(date_or(response, received)));
    if (apparent < NSEC_PER_SEC)
        apparent = 0;
    nsec age = age_value(response);
    nsec delay = wall_since(received, requested);
    nsec corrected = age > 0 ? age + (delay > 0 ? delay : 0) : 0;
    return wall_add(received, -(apparent > corrected ? apparent : corrected));
}

/* Expires − Date; a second line, or one that is no date, is long ago (RFC 9111 §5.3). */
static nsec
expires_lifetime(const struct head *response, wall_time received)
{
    const struct field *field = head_find(response, FIELD_EXPIRES);
    int64_t             expires;

    if (head_next(response, field) != NULL || !date_parse(field->value, received, &expires))
        return 0;
    int64_t seconds = expires - date_or(response, received);
    if (seconds <= 0)
        return 0;
    return (seconds > DELTA_MAX ? DELTA_MAX : seconds) * NSEC_PER_SEC;
}

static nsec
delta(int64_t seconds)
{
    return seconds < 0 ? 0 : seconds * NSEC_PER_SEC; /* DELTA_INVALID: not fresh */
}

/* RFC 9110 §15.1 and RFC 9111 §4.2.2: statuses that may be stored without being told for how long. */
static bool
is_heuristically_cacheable(unsigned status)
{
    switch (status) {
    case 200:
    case 203:
    case 204:
    case 300:
    case 301:
    case 308:
    case 404:
    case 405:
    case 410:
    case 414:
    case 501:
        return true;
    default:
        return false;
    }
}

static enum lifetime_source
lifetime_of(const struct head *response, const struct cache_control *control,
            const struct cache_settings *settings, wall_time received, nsec *lifetime)
{
    if (control->s_maxage != DELTA_ABSENT) {
        *lifetime = delta(control->s_maxage);
        return LIFETIME_S_MAXAGE;
    }
    if (control->max_age != DELTA_ABSENT) {
        *lifetime = delta(control->max_age);
        return LIFETIME_MAX_AGE;
    }
    if (head_has(response, FIELD_EXPIRES)) {
        *lifetime = expires_lifetime(response, received);
        return LIFETIME_EXPIRES;
    }
    *lifetime = settings->ttl;
    return settings->ttl > 0 && is_heuristically_cacheable(response->status) ? LIFETIME_DEFAULT
                                                                             : LIFETIME_NONE;
}

/* ── storing (RFC 9111 §3) ── */

/* RFC 9111 §3.5 */
static bool
allows_authorization(const struct cache_control *control)
{
    return control->is_public || control->must_revalidate || control->s_maxage != DELTA_ABSENT;
}

static bool
has_validator(const struct head *response)
{
    return head_has(response, FIELD_ETAG) || head_has(response, FIELD_LAST_MODIFIED);
}

static enum reason
forbidden_by_directives(const struct head *request, const struct head *response,
                        const struct cache_control *asked, const struct cache_control *said,
                        const struct cache_settings *settings)
{
    if (said->no_store || asked->no_store) /* §5.2.1.5, §5.2.2.5 */
        return REASON_NO_STORE;
    /* private="field" and no-cache="field" are read in their unqualified form, which §5.2.2.4 and §5.2.2.7 allow */
    if (said->is_private || said->private_fields.at != NULL)
        return REASON_PRIVATE;
    if (head_has(request, FIELD_AUTHORIZATION) && !allows_authorization(said))
        return REASON_AUTHORIZATION;
    if (head_has(response, FIELD_SET_COOKIE) && !settings->store_set_cookie && !said->is_public)
        return REASON_SET_COOKIE;
    return REASON_NONE;
}

static enum reason
forbidden_by_lifetime(const struct head *request, const struct head *response,
                      const struct cache_settings *settings, const struct verdict *verdict, bool usable)
{
    if (verdict->source == LIFETIME_NONE)
        return is_heuristically_cacheable(response->status) ? REASON_NO_FRESHNESS : REASON_STATUS;
    if (verdict->implicit && head_has(request, FIELD_COOKIE) && !settings->ignore_cookies)
        return REASON_COOKIE;
    return usable ? REASON_NONE : REASON_NO_FRESHNESS;
}

void
policy_answer(const struct head *request, const struct head *response, const struct cache_settings *settings,
              wall_time requested, wall_time received, struct verdict *verdict)
{
    struct cache_control asked, said;
    nsec                 lifetime;

    cache_control_parse(request, &asked);
    cache_control_parse(response, &said);
    *verdict = (struct verdict){ .born = born_at(response, requested, received) };
    verdict->source = lifetime_of(response, &said, settings, received, &lifetime);
    verdict->implicit = verdict->source == LIFETIME_DEFAULT;
    verdict->always_validate =
        said.no_cache || said.no_cache_fields.at != NULL
        || (!said.present && head_lists_token(response, FIELD_PRAGMA, SPAN("no-cache")));
    verdict->fresh_until = wall_add(verdict->born, lifetime);

    bool validatable = has_validator(response);
    bool fresh = !verdict->always_validate && verdict->fresh_until.ns > received.ns;
    verdict->expires = wall_add(verdict->fresh_until.ns > received.ns ? verdict->fresh_until : received,
                                validatable ? settings->keep : 0);

    verdict->reason = forbidden_by_directives(request, response, &asked, &said, settings);
    /* 206 and 304 are parts of something (RFC 9111 §3.3, §4.3); without ranges of our own they are not stored. */
    if (verdict->reason == REASON_NONE && (response->status == 206 || response->status == 304))
        verdict->reason = REASON_PARTIAL;
    if (verdict->reason == REASON_NONE && response->status < 200)
        verdict->reason = REASON_STATUS;
    if (verdict->reason == REASON_NONE)
        verdict->reason = forbidden_by_lifetime(request, response, settings, verdict,
                                                fresh || (validatable && settings->keep > 0));
    verdict->store = verdict->reason == REASON_NONE;
}
