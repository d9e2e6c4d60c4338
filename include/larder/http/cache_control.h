/* cache_control.h: Cache-Control of both directions (RFC 9111 §5.2, RFC 5861, RFC 8246) as a struct.
 *
 * All field lines are read as one list; names in any letter case; quoted strings respected; unknown
 * directives skipped. A directive with delta-seconds (in quotes or not) that is malformed or negative counts as present
 * and invalid: not fresh. Above 2^31 clamps to 2^31. A flag that forbids counts whatever follows its name,
 * one that allows only alone; a quoted string that is never closed is taken as no-store.
 */
#ifndef LARDER_HTTP_CACHE_CONTROL_H
#define LARDER_HTTP_CACHE_CONTROL_H

#include <larder/http/message.h>

enum { DELTA_ABSENT = -1, DELTA_INVALID = -2, DELTA_ANY = -3 /* max-stale without a value */ };
#define DELTA_MAX INT64_C(2147483648)

struct cache_control {
    bool present; /* there was at least one directive */
    bool no_store, no_cache, is_private, is_public, must_revalidate, proxy_revalidate, must_understand,
        no_transform, immutable, only_if_cached;
    /* `no-cache="a, b"` and `private="a, b"`: the field list (unquoted), and then no_cache / is_private stay
     * false */
    struct span no_cache_fields, private_fields;
    /* seconds, or DELTA_*; of a directive that appears twice the first counts (RFC 9111 §4.2.1), and
     * `repeated` is set */
    int64_t max_age, s_maxage, max_stale, min_fresh, stale_while_revalidate, stale_if_error;
    bool    repeated;

    /* the field that it was read from; FIELD_OTHER when there was none (`present` is false) */
    enum field_id source;
};

/* Cache-Control alone: of a request, or of a response for which targeted fields do not matter. */
void cache_control_parse(const struct head *head, struct cache_control *control);

/* What we call ourselves in Surrogate-Capability, so that an origin may aim a directive at us. */
#define SURROGATE_NAME "larder"

/* The directives that this cache goes by: those of the first of CDN-Cache-Control (RFC 9213),
 * Surrogate-Control (Edge Architecture Specification 1.0) and Cache-Control that has something valid to say;
 * `source` tells which. When it is one of the first two, Cache-Control *and Expires* (and Pragma) are not to
 * be looked at (RFC 9213 §2.2).
 *
 * CDN-Cache-Control is a dictionary of RFC 8941: names in lower case only, of two the last counts. When it
 * is empty, breaks that grammar, or gives a known directive a value of another type, it counts as absent
 * (§2.1). A negative number is DELTA_INVALID.
 *
 * Surrogate-Control is read as Cache-Control is, and knows `max-age=N+M`, where M is for
 * stale_while_revalidate and stale_if_error unless they are given. Members aimed at another surrogate
 * (`max-age=60;name`) unless the name is SURROGATE_NAME are skipped. With nothing in it that we know (`content="ESI/1.0"`) it counts as
 * absent. */
void cache_control_effective(const struct head *response, struct cache_control *control);

/* Whether Expires and Pragma do not count, since a targeted field was used. */
static inline bool
cache_control_is_targeted(const struct cache_control *control)
{
    return control->source == FIELD_CDN_CACHE_CONTROL || control->source == FIELD_SURROGATE_CONTROL;
}

#endif
