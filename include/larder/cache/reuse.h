/* reuse.h: may a stored answer be sent for this request, now? (RFC 9111 §4, §4.2.4, §5.2.1, RFC 5861)
 *
 *      fresh ──────────────────────────────▶ FRESH
 *      stale, until refresh_until ─────────▶ STALE      send it, and refresh it behind
 *      else ───────────────────────────────▶ VALIDATE   ask the origin first
 *
 * Pure functions of request, stored answer, settings and time. All that does not depend on request and time was worked out when the answer was
 * stored (policy.h), so a fresh hit costs one comparison.
 */
#ifndef LARDER_CACHE_REUSE_H
#define LARDER_CACHE_REUSE_H

#include <larder/cache/object.h>

enum reuse { REUSE_FRESH, REUSE_STALE, REUSE_VALIDATE };

/* *reason: why it is not REUSE_FRESH. */
enum reuse reuse_decide(const struct object *object, const struct head *request,
                        const struct cache_settings *settings, wall_time now, enum reason *reason);

/* Whether it may be sent since the origin failed. */
bool reuse_on_error(const struct object *object, wall_time now);

/* Whether the request says who asks: Authorization, and Cookie unless the settings ignore it. */
bool reuse_has_credentials(const struct head *request, const struct cache_settings *settings);

/* What a client asks of the cache, as far as the settings let it. */
bool reuse_forbids_storing(const struct head *request, const struct cache_settings *settings);
bool reuse_only_if_cached(const struct head *request, const struct cache_settings *settings);

#endif
