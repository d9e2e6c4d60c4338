/* date.h: HTTP dates (RFC 9110 §5.6.7): read in all three formats, written as IMF-fixdate. */
#ifndef LARDER_HTTP_DATE_H
#define LARDER_HTTP_DATE_H

#include <larder/base/clock.h>
#include <larder/base/span.h>

/* IMF-fixdate, RFC 850 (two-digit years more than 50 years ahead of `now` are of the past century) and asctime, names in any letter case; the
 * weekday need not fit the date. Seconds since 1970, also before it and past 2038. False for anything else: not a date. */
bool date_parse(struct span text, wall_time now, int64_t *seconds);

/* "Sun, 06 Nov 1994 08:49:37 GMT", 29 bytes, no NUL. Years 0 to 9999; beyond, the nearest. */
enum { DATE_SIZE = 29 };
void date_format(int64_t seconds, char out[static DATE_SIZE]);

#endif
