/* span.h: a view of bytes that somebody else owns.
 *
 * Spans are passed by value, are not terminated by NUL, and may hold any byte. The empty span has
 * length 0; its pointer may be NULL. Nothing here allocates. Case folding is ASCII only, as all of
 * HTTP's grammar is (RFC 9110 §5.1).
 */
#ifndef LARDER_BASE_SPAN_H
#define LARDER_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

struct span {
    const char *at;
    size_t      len;
};

#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })
#define SPAN_EMPTY ((struct span){ NULL, 0 })

/* For printf: `%.*s` takes SPAN_ARG(span). */
#define SPAN_ARG(span) (int)(span).len, (span).at

static inline struct span
span_of(const void *at, size_t len)
{
    return (struct span){ at, len };
}

static inline struct span
span_of_text(const char *text)
{
    return (struct span){ text, strlen(text) };
}

/* The bytes from `from` on, and the first `len` bytes; both clamp to the span. */
static inline struct span
span_skip(struct span span, size_t from)
{
    size_t n = from < span.len ? from : span.len;
    return (struct span){ n == 0 ? span.at : span.at + n, span.len - n };
}

static inline struct span
span_head(struct span span, size_t len)
{
    return (struct span){ span.at, len < span.len ? len : span.len };
}

static inline bool
span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool span_equal_nocase(struct span a, struct span b);
bool span_starts(struct span span, struct span prefix);
bool span_starts_nocase(struct span span, struct span prefix);
bool span_ends(struct span span, struct span suffix);

/* Index of the first `byte`, or -1. */
ssize_t span_find(struct span span, char byte);

/* Without spaces and tabs at both ends: OWS of RFC 9110 §5.6.3. */
struct span span_trim(struct span span);

/* Takes the part before the first `separator` off `*rest`, separator eaten; false when `*rest` was
 * already used up. "a,,b" gives "a", "", "b"; "" gives one "". A used-up rest has a NULL pointer. */
bool span_split(struct span *rest, char separator, struct span *part);

/* The whole span as a decimal number of digits only; false when empty, other than digits, or
 * above `max`. */
bool span_to_u64(struct span span, uint64_t max, uint64_t *value);

/* Edit distance (insert, delete, replace, swap of neighbours), for "did you mean"; spans longer
 * than 64 bytes are as far apart as the longer of them. */
unsigned span_distance(struct span a, struct span b);

static inline char
ascii_lower(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

#endif
