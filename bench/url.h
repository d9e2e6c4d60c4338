/* url.h: what the clients are told to ask: http://HOST[:PORT]/PATH, and where that is.
 */
#ifndef BENCH_URL_H
#define BENCH_URL_H

#include <larder/base/err.h>
#include <larder/net/addr.h>

/* Spans point into the text of the URL. */
struct url {
    struct span authority; /* host and port as written: the Host field */
    struct span host;      /* without brackets */
    uint16_t    port;
    struct span target; /* path and query, "/" when there is none; without a fragment */
};

/* "http://" may be left out. The fault names the URL. */
MUST_CHECK enum err url_parse(struct span text, struct url *url, struct fault *fault);

/* The first address of the host. Asks the system, and may take its time: for a tool's start only. */
MUST_CHECK enum err url_resolve(const struct url *url, struct addr *addr, struct fault *fault);

#endif
