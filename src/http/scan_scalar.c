/* scan_scalar.c: the scanners that every processor can run, and that finish what the others leave over. */
#include "bytes.h"
#include "scan_impl.h"

static inline size_t
scan_class(struct span span, enum byte_class class)
{
    size_t n = 0;
    while (n < span.len && byte_is(span.at[n], class))
        n++;
    return n;
}

static size_t
scan_token(struct span span)
{
    return scan_class(span, BYTE_TOKEN);
}

static size_t
scan_value(struct span span)
{
    return scan_class(span, BYTE_VALUE);
}

static size_t
scan_target(struct span span)
{
    return scan_class(span, BYTE_TARGET);
}

const struct scan scan_scalar = { "scalar", scan_token, scan_value, scan_target };
