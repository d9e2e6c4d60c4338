/* freshness.h: how old an answer is, and how long it is fresh (RFC 9111 §4.2): pure functions of its head.
 *
 *      s-maxage ▶ max-age ▶ Expires − Date ▶ a tenth of what Last-Modified says ▶ the operator's ttl
 *
 * The first that is there decides, also when it says "not at all". Not here: whether it may be stored (policy.h).
 */
#ifndef CACHE_FRESHNESS_H
#define CACHE_FRESHNESS_H

#include <larder/cache/policy.h>

/* The moment at which the answer's age was 0 (RFC 9111 §4.2.3). */
wall_time freshness_born(const struct head *response, wall_time requested, wall_time received);

/* Statuses whose answers may be fresh without being told so (RFC 9110 §15.1). */
bool freshness_may_guess(unsigned status, const struct cache_control *said);

/* *lifetime is 0 or more; LIFETIME_NONE: nothing was said, and nothing may be assumed. */
enum lifetime_source freshness_lifetime(const struct head *response, const struct cache_control *said,
                                        const struct cache_settings *settings, wall_time received,
                                        nsec *lifetime);

#endif
