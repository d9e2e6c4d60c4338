/* settings.h: what an operator may say about caching, per site. Frozen once published. */
#ifndef LARDER_CACHE_SETTINGS_H
#define LARDER_CACHE_SETTINGS_H

#include <larder/base/clock.h>
#include <larder/base/option.h>

struct cache_settings {
    nsec     ttl;            /* freshness of an answer whose origin says nothing; 0: do not store such answers */
    nsec     keep;           /* a stale object that can be revalidated is kept this much longer */
    bool     ignore_cookies; /* requests with Cookie may share answers that have no explicit freshness */
    bool     store_set_cookie; /* answers with Set-Cookie may be stored (the field goes to everyone) */
    uint64_t variants;       /* variants of one URL that are stored */
};
extern const struct option_table cache_options;

#endif
