/* digits.h: decimal numbers in fields: read from the front of a span, written to the end of a small array. */
#ifndef LARDER_HTTP_DIGITS_H
#define LARDER_HTTP_DIGITS_H

#include <larder/base/span.h>

#include "bytes.h"

enum { DIGITS_MAX = 20 }; /* of 2^64 - 1 */

/* Takes 1*DIGIT off the front, however many there are; a number above `max` is `max`. False when there is no
 * digit. `max` is at least 9. */
static inline bool
digits_take(struct span *rest, int64_t max, int64_t *number)
{
    size_t  i = 0;
    int64_t sum = 0;

    for (; i < rest->len && byte_is(rest->at[i], BYTE_DIGIT); i++) {
        int64_t digit = rest->at[i] - '0';
        sum = sum > (max - digit) / 10 ? max : sum * 10 + digit;
    }
    *number = sum;
    *rest = span_skip(*rest, i);
    return i > 0;
}

static inline struct span
digits_format(uint64_t number, char out[static DIGITS_MAX])
{
    char *at = out + DIGITS_MAX;

    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return span_of(at, (size_t)(out + DIGITS_MAX - at));
}

#endif
