/* freshness.c: the age of an answer, and its lifetime. */
#include "freshness.h"

#include <larder/http/age.h>
#include <larder/http/date.h>

/* ── age (RFC 9111 §4.2.3) ── */

/* RFC 9110 §6.6.1: where Date is missing or no date, what counts is when the answer came. */
static int64_t
date_or(const struct head *response, wall_time received)
{
    int64_t date;
    if (date_parse(head_value(response, FIELD_DATE), received, &date))
        return date;
    return wall_seconds(received);
}

/* A Date counts whole seconds, so less than one second of difference is no age. One of centuries ago, which
 * nanoseconds cannot count, is as old as an Age can be. */
static nsec
apparent_age(const struct head *response, wall_time received)
{
    int64_t date = date_or(response, received);

    if (wall_seconds(received) - date >= DELTA_MAX)
        return DELTA_MAX * NSEC_PER_SEC;
    nsec age = wall_since(received, wall_from_seconds(date));
    return age < NSEC_PER_SEC ? 0 : age;
}

/* The older of what Date says, and what Age says plus the time for which we waited: the answer may have been made when we asked. */
wall_time
freshness_born(const struct head *response, wall_time requested, wall_time received)
{
    int64_t age = 0;
    nsec    apparent = apparent_age(response, received);
    nsec    delay = wall_since(received, requested);

    age_parse(response, &age);
    nsec corrected = age * NSEC_PER_SEC + (delay > 0 ? delay : 0);
    return wall_add(received, -(apparent > corrected ? apparent : corrected));
}

/* ── lifetime (RFC 9111 §4.2.1) ── */

static nsec
delta(int64_t seconds)
{
    if (seconds < 0)
        return 0; /* DELTA_INVALID: not fresh */
    return (seconds > DELTA_MAX ? DELTA_MAX : seconds) * NSEC_PER_SEC;
}

/* Expires − Date; a second line, or one that is no date, is long ago (RFC 9111 §5.3). */
static nsec
expires_lifetime(const struct head *response, wall_time received)
{
    const struct field *field = head_find(response, FIELD_EXPIRES);
    int64_t             expires;

    if (head_next(response, field) != NULL || !date_parse(field->value, received, &expires))
        return 0;
    return delta(expires - date_or(response, received));
}

/* RFC 9111 §4.2.2: a tenth of the time for which it has not changed. False: Last-Modified says nothing. */
static bool
guessed_lifetime(const struct head *response, const struct cache_settings *settings, wall_time received,
                 nsec *lifetime)
{
    const struct field *field = head_find(response, FIELD_LAST_MODIFIED);
    nsec                most = settings->heuristic > 0 ? settings->heuristic : settings->ttl;
    int64_t             modified;

    if (most == 0 || field == NULL || head_next(response, field) != NULL
        || !date_parse(field->value, received, &modified))
        return false;
    int64_t unchanged = date_or(response, received) - modified;
    if (unchanged < 0)
        return false;
    *lifetime = delta(unchanged) / 10;
    if (*lifetime > most)
        *lifetime = most;
    return true;
}

/* RFC 9110 §15.1, and RFC 9111 §4.2.2 for `public`. */
bool
freshness_may_guess(unsigned status, const struct cache_control *said)
{
    switch (status) {
    case 200:
    case 203:
    case 204:
    case 206:
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
        return said->is_public;
    }
}

enum lifetime_source
freshness_lifetime(const struct head *response, const struct cache_control *said,
                   const struct cache_settings *settings, wall_time received, nsec *lifetime)
{
    *lifetime = 0;
    if (said->s_maxage != DELTA_ABSENT) {
        *lifetime = delta(said->s_maxage);
        return LIFETIME_S_MAXAGE;
    }
    if (said->max_age != DELTA_ABSENT) {
        *lifetime = delta(said->max_age);
        return LIFETIME_MAX_AGE;
    }
    if (!cache_control_is_targeted(said) && head_has(response, FIELD_EXPIRES)) { /* RFC 9213 §2.2 */
        *lifetime = expires_lifetime(response, received);
        return LIFETIME_EXPIRES;
    }
    if (!freshness_may_guess(response->status, said))
        return LIFETIME_NONE;
    if (guessed_lifetime(response, settings, received, lifetime))
        return LIFETIME_HEURISTIC;
    *lifetime = settings->ttl;
    return settings->ttl > 0 ? LIFETIME_DEFAULT : LIFETIME_NONE;
}
