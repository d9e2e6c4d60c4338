/* show.h: numbers and times for reading, and members of an answer that may have any shape.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <jansson.h>
#include <larder/base/units.h>
#include <stdio.h>

/* "1,234,567". Returns out. */
const char *show_count(uint64_t value, char out[static UNITS_TEXT_SIZE]);

/* "3d 4h", "3h 12m", "12m 5s", "5s". Returns out. */
const char *show_time(uint64_t seconds, char out[static UNITS_TEXT_SIZE]);

/* A member of an object: 0 when it is negative or no number, "" when it is no text. */
uint64_t    show_number(const json_t *object, const char *name);
const char *show_text(const json_t *object, const char *name);

/* The bytes, ended by a newline. */
void show_raw(struct span body, FILE *out);

#endif
