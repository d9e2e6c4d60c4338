/* etag.c: entity tags (RFC 9110 §8.8.3): [W/] DQUOTE *etagc DQUOTE, where `W` is a capital and a backslash is
 * itself. */
#include <larder/http/conditional.h>

#include "bytes.h"

bool
etag_parse(struct span text, struct etag *etag)
{
    bool weak = span_starts(text, SPAN("W/"));

    if (weak)
        text = span_skip(text, 2);
    if (text.len < 2 || text.at[0] != '"' || text.at[text.len - 1] != '"')
        return false;
    for (size_t i = 1; i < text.len - 1; i++)
        if (!byte_is(text.at[i], BYTE_ETAG))
            return false;
    *etag = (struct etag){ text, weak };
    return true;
}

bool
etag_match_strong(struct etag a, struct etag b)
{
    return !a.weak && !b.weak && span_equal(a.opaque, b.opaque);
}

bool
etag_match_weak(struct etag a, struct etag b)
{
    return span_equal(a.opaque, b.opaque);
}
