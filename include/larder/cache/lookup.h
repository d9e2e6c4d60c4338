/* lookup.h: what the cache has for a request, in one call: an object, a flight to follow, or a flight to lead.
 *
 *      primary key ──▶ object? marker? flight?
 *                          │      └─ variant key ──▶ object? flight?
 *                          ├─ fresh ▶ HIT · stale, but may be sent ▶ HIT, and a refresh behind it
 *                          └─ stale ▶ LEAD or FOLLOW with the stale object in hand, to validate it and to stand in
 *
 * At most one flight per key is under way: the flights' table is locked while the store is asked a second
 * time, and a flight is unhooked only after its object can be found.
 */
#ifndef LARDER_CACHE_LOOKUP_H
#define LARDER_CACHE_LOOKUP_H

#include <larder/cache/flight.h>
#include <larder/cache/key.h>

enum lookup_result {
    LOOKUP_HIT, /* `lease` and `object`: send it. With `refresh`: it is stale, lead that flight behind the answer */
    LOOKUP_LEAD,   /* `flight`: run its fetch. With a lease: the object is stale, revalidate it */
    LOOKUP_FOLLOW, /* `flight`: wait for it */
    LOOKUP_ALONE,  /* `flight`: as LEAD, but nobody may join: `reason` says why */
    LOOKUP_NOTHING, /* the client wants only what is stored, and nothing is */
    LOOKUP_COLD     /* `cold` must be read from the disk first: look again with it among the question's reads */
};

struct lookup {
    enum lookup_result result;
    struct lease       lease;
    struct object      object;  /* valid with the lease */
    struct flight     *flight;  /* a reference of the caller's */
    struct flight     *refresh; /* another */
    struct cold       *cold;    /* another, of COLD; it has neither lease nor flight */
    enum reason        reason;
    struct span        vary;   /* the spec under which the key was looked for; empty: the primary key */
    bool               covers; /* with a lease: the object has all that the request wants */
    bool part;      /* LEAD, FOLLOW: the flight fetches the range that the request wants, and nothing else: */
    struct range_spec range; /* that one, out to whole slices if it is long */
    bool of_whole;  /* FOLLOW: the flight is to bring the whole, and the request wants one range */
    bool completes; /* LEAD: the object is a part, and the rest of it is wanted */
};

struct lookup_question {
    const struct head           *request;
    const struct store_key      *primary;
    const struct cache_settings *settings;
    const struct range_set      *ranges; /* what of it is wanted; NULL: all */
    const struct cold_set  *reads;  /* what was COLD before, and has been read; NULL: nothing */
    bool distrust; /* what is stored turned out to be of no use: neither to be validated nor completed, and ranges are asked for as they are */
};

/* What the question points to must live as long as the arena. ERR_NO_MEMORY: no lease and no flight are held. */
MUST_CHECK enum err lookup_object(struct cache *cache, unsigned reader, struct arena *arena,
                                  const struct lookup_question *question, wall_time now,
                                  struct lookup *lookup);

/* Whether the answer of a SHARED flight may go to this request: it is the variant that the request selects, may be reused without asking
 * again, and is not one whose freshness is only ours while the request carries credentials (Cookie, Authorization). */
enum lookup_fit { FIT_YES, FIT_OTHER_VARIANT, FIT_NOT_REUSABLE, FIT_CREDENTIALS, FIT_NO_MEMORY };
enum lookup_fit lookup_fits(struct arena *arena, const struct flight *flight, const struct head *request,
                            const struct cache_settings *settings, struct span *values);

/* A flight of one's own, outside of the table, for an exchange that goes alone for `reason`. `store`: its answer may still be stored if the verdict allows.
 * NULL when memory ends. */
struct flight *lookup_alone(struct cache *cache, const struct store_key *primary, bool store);

#endif
