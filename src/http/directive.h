/* directive.h: cache directives, whatever field they came in: the table of known ones, and how each is set.
 *
 *      Cache-Control      comma list   ──▶ directive_read ──┐
 *      Surrogate-Control  comma list   ──▶ directive_read ──┼──▶ directive_apply ──▶ struct cache_control
 *      CDN-Cache-Control  dictionary   ──▶ targeted.c ──────┘
 */
#ifndef LARDER_HTTP_DIRECTIVE_H
#define LARDER_HTTP_DIRECTIVE_H

#include <larder/http/cache_control.h>

enum { DIRECTIVE_COUNT = 16 };

/* How a directive is read. */
enum reading {
    FORBIDS, /* a flag; whatever follows the name, it is set */
    ALLOWS,  /* a flag, set only without a value */
    SECONDS,
    SECONDS_OR_ANY, /* max-stale: no value means any number */
    FIELDS          /* a flag without a value, with one a list of field names */
};

struct directive {
    struct span  name;
    enum reading reading;
    size_t       flag;  /* offset of the bool */
    size_t       value; /* offset of the int64_t or struct span */
};

/* A member of the list taken apart. */
struct directive_member {
    struct span name;
    struct span value;
    bool        has_value;
    bool        quoted;
    bool        malformed;
    bool        unclosed; /* ends inside a quoted string */
};

/* Nothing said yet. */
void directive_clear(struct cache_control *control);

/* Index in the table, in any letter case; -1 when it is not known. */
int                     directive_find(struct span name);
const struct directive *directive_at(int index);

struct directive_member directive_read(struct span text);
void directive_apply(struct cache_control *control, int index, const struct directive_member *member);

/* Of two values the first stays. */
void directive_set_delta(struct cache_control *control, int index, int64_t seconds);

#endif
