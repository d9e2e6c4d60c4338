/* age.c: the Age field, which proxies on the way may have written more than once. */
#include <larder/http/age.h>
#include <larder/http/cache_control.h>

#include "digits.h"

/* RFC 9111 §5.1: of more than one member the first counts, and a value that is no number is ignored; §1.2.2:
 * one that is too large is 2^31. */
bool
age_parse(const struct head *response, int64_t *seconds)
{
    struct span rest = head_value(response, FIELD_AGE), first;
    int64_t     number;

    if (!list_next(&rest, &first) || !digits_take(&first, DELTA_MAX, &number) || first.len > 0)
        return false;
    *seconds = number;
    return true;
}
