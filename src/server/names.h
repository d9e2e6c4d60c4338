/* names.h: the addresses of all pools, kept up to date: what the resolver tells goes to the pool.
 *
 * Owner: the control thread.
 */
#ifndef SERVER_NAMES_H
#define SERVER_NAMES_H

#include <larder/base/log.h>
#include <larder/net/resolver.h>
#include <larder/proxy/site.h>

struct name;

struct names {
    struct loop     *loop;
    struct resolver *resolver;
    struct log      *log;
    struct name     *names;
    size_t           count;
    size_t           untold; /* names that nothing was told about yet */
};

MUST_CHECK enum err names_open(struct names *names, struct loop *loop, const struct site_table *sites,
                               struct log *log, struct fault *fault);

/* Runs the loop until each name was told once, or did not resolve, or `most` has passed: an origin that is
 * known at once is there for the first request. */
void names_settle(struct names *names, nsec most);

/* Idempotent, also on zeros. */
void names_close(struct names *names);

#endif
