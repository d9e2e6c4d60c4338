/* scan.h: the inner loops of the parser: how far do the allowed bytes reach?
 *
 * Three implementations of each (scalar, SSE4.2, AVX2), equal to the byte; the best that the processor has is chosen once at
 * start. Each returns the number of leading bytes of `span` that are in its class; reading stays inside the span.
 */
#ifndef LARDER_HTTP_SCAN_H
#define LARDER_HTTP_SCAN_H

#include <larder/base/span.h>

struct scan {
    const char *name; /* "scalar", "sse4.2", "avx2" */
    size_t (*token)(struct span span);  /* tchar, RFC 9110 §5.6.2 */
    size_t (*value)(struct span span);  /* HTAB, SP, VCHAR, obs-text: field values, reason phrases */
    size_t (*target)(struct span span); /* VCHAR but '#': request targets */
};

/* The best for this processor; always the same pointer. */
const struct scan *scan_best(void);

/* By name, for tests that hold them against each other; NULL when this processor lacks it. */
const struct scan *scan_by_name(const char *name);

#endif
