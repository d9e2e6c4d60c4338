/* settings.h: what an operator may say about caching, per site. Frozen once published. */
#ifndef LARDER_CACHE_SETTINGS_H
#define LARDER_CACHE_SETTINGS_H

#include <larder/base/clock.h>
#include <larder/base/option.h>

struct cache_settings {
    nsec ttl;       /* freshness of an answer whose origin says nothing; 0: do not store such answers */
    nsec heuristic; /* the most that is assumed from Last-Modified; 0: as much as ttl */
    nsec grace; /* a stale answer is sent this long while it is refreshed, where the origin does not say */
    nsec stale_if_error;   /* and this long when the origin fails */
    nsec keep;             /* a stale object that can be revalidated is kept this much longer */
    bool ignore_cookies;   /* requests with Cookie may share answers that have no explicit freshness */
    bool store_set_cookie; /* answers with Set-Cookie may be stored (the field goes to everyone) */
    /* directives of a client's Cache-Control that are obeyed (RFC 9111 §5.2.1) */
    bool client_no_cache, client_no_store, client_max_age, client_max_stale, client_min_fresh,
        client_only_if_cached;
    bool     lenient_ranges; /* a 206 is as long as its body, whatever its Content-Range says */
    uint64_t variants;       /* variants of one URL that are stored */
};
extern const struct option_table cache_options;

#endif
