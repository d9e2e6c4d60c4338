/* fit.c: flights and single requests: may the answer of a flight go to this one, and the flight of one that goes alone.
 */
#include <larder/cache/lookup.h>
#include <larder/cache/reuse.h>
#include <larder/cache/vary.h>

#include "tables.h"

enum lookup_fit
lookup_fits(struct arena *arena, const struct flight *flight, const struct head *request,
            const struct cache_settings *settings, struct span *values)
{
    *values = SPAN_EMPTY;
    if (flight_vary(flight).len > 0) {
        if (vary_values(arena, request, flight_vary(flight), values) != ERR_NONE)
            return FIT_NO_MEMORY;
        if (!flight_suits(flight, *values))
            return FIT_OTHER_VARIANT;
    }
    if (!flight_verdict(flight)->store || !flight_verdict(flight)->reusable)
        return FIT_NOT_REUSABLE;
    if (flight_verdict(flight)->implicit && reuse_has_credentials(request, settings))
        return FIT_CREDENTIALS;
    return FIT_YES;
}

struct flight *
lookup_alone(struct cache *cache, const struct store_key *primary, bool store)
{
    return flight_create(cache, primary, primary, primary->digest, store);
}
