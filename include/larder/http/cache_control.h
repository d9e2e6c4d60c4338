/* cache_control.h: Cache-Control of both directions (RFC 9111 §5.2, RFC 5861, RFC 8246) as a struct.
 *
 * All field lines are read as one list; names in any letter case; quoted strings respected; unknown directives skipped. A directive with
 * delta-seconds that is malformed, quoted or negative counts as present and invalid: not fresh. Above 2^31 clamps to 2^31.
 * A flag that forbids counts whatever follows its name, one that allows only alone; a quoted string that is never closed is taken as no-store.
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
    /* `no-cache="a, b"` and `private="a, b"`: the field list (unquoted), and then no_cache / is_private stay false */
    struct span no_cache_fields, private_fields;
    /* seconds, or DELTA_*; of a directive that appears twice the first counts, and `repeated` is set */
    int64_t max_age, s_maxage, max_stale, min_fresh, stale_while_revalidate, stale_if_error;
    bool    repeated;
};

void cache_control_parse(const struct head *head, struct cache_control *control);

#endif
