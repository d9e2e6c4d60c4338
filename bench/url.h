/* url.h: what the clients are told to ask: http://HOST[:PORT]/PATH, where that is, and the request as bytes.
 */
#ifndef BENCH_URL_H
#define BENCH_URL_H

#include "row.h"

#include <larder/base/text.h>
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

/* What a client sends. Frozen once made. */
enum { REQUESTS_MAX = ROW_TEXTS_MAX };
struct requests {
    struct addr addr; /* one for all URLs: they must name the same host and port */
    struct text texts[REQUESTS_MAX];
    unsigned    count;
};

/* Parses the URLs and writes a GET for each, with the further field lines ("Name: value"). On failure
 * nothing is left to give back. */
MUST_CHECK enum err requests_init(struct requests *requests, const struct texts *urls,
                                  const struct texts *fields, struct fault *fault);
void                requests_fini(struct requests *requests);

#endif
