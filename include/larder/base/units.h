/* units.h: sizes, times and rates as people write them: 64k 20G · 300ms 2m 365d · 50/s.
 *
 * A number without a unit is refused where a unit is possible ("10": 10 what?), but for 0. Sizes count in
 * powers of 1024: k M G T (either case). Times: ms s m h d w. No signs, no fractions, no spaces.
 */
#ifndef LARDER_BASE_UNITS_H
#define LARDER_BASE_UNITS_H

#include <larder/base/clock.h>
#include <larder/base/err.h>
#include <larder/base/span.h>

/* On failure the fault says what was expected and offers readings of a bare number. */
MUST_CHECK enum err units_parse_size(struct span text, uint64_t *bytes, struct fault *fault);
MUST_CHECK enum err units_parse_time(struct span text, nsec *time, struct fault *fault);

/* So many in a time: 50/s 300/m 5k/h 1/d. Here k is 1000, as rates are counted and not addressed. */
MUST_CHECK enum err units_parse_rate(struct span text, uint64_t *count, nsec *period, struct fault *fault);

/* A plain number from 0 on, with up to 6 digits behind a point if it has one: 1, 0.7, 12.25. */
MUST_CHECK enum err units_parse_decimal(struct span text, double *number, struct fault *fault);

/* The shortest exact form ("64k", "1536k"), for writing settings back; NUL-terminated, returns out. */
enum { UNITS_TEXT_SIZE = 32 };
const char *units_format_size(uint64_t bytes, char out[static UNITS_TEXT_SIZE]);
const char *units_format_time(nsec time, char out[static UNITS_TEXT_SIZE]);

/* Three digits for reading ("1.46 MiB", "12.3 ms"). */
const char *units_round_size(uint64_t bytes, char out[static UNITS_TEXT_SIZE]);
const char *units_round_time(nsec time, char out[static UNITS_TEXT_SIZE]);

#endif
