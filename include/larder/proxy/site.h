/* site.h: what is served: hosts, and for each the pool behind it and the rules of its cache.
 *
 * A site table belongs to one snapshot of the configuration and is frozen once published.
 */
#ifndef LARDER_PROXY_SITE_H
#define LARDER_PROXY_SITE_H

#include <larder/base/span.h>
#include <larder/cache/settings.h>
#include <larder/origin/pool.h>
#include <larder/proxy/deny.h>
#include <larder/proxy/rate.h>

struct site {
    const char           *name;  /* the first host as written, or "*" */
    struct span          *hosts; /* lower case; "*.example.com" matches any depth below; "*" matches all */
    size_t                host_count;
    struct pool          *pool;
    struct cache_settings cache;
    struct deny          *deny; /* NULL: nothing */
    struct rate           rates[RATE_BY_COUNT];
    bool                  guarded; /* it has rules that the step `admit` looks at */
};

struct site_table {
    struct site *sites;
    size_t       count;
};

/* The site of a host (any letter case, without port): exact names first, then the longest wildcard, then "*"; NULL: unknown
 * (421). `host` may be empty (HTTP/1.0 without Host): then only "*" or a table of one site matches. */
const struct site *site_find(const struct site_table *table, struct span host);

#endif
