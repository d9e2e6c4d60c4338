/* age.h: the Age field (RFC 9111 §5.1). */
#ifndef LARDER_HTTP_AGE_H
#define LARDER_HTTP_AGE_H

#include <larder/http/message.h>

/* Seconds, at most 2^31 (DELTA_MAX), however many digits there are. Only the first member of the first line
 * counts, and only when it has nothing but digits; else, and without the field, false: as if there were no
 * Age. */
bool age_parse(const struct head *response, int64_t *seconds);

#endif
