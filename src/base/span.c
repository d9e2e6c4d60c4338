/* span.c: comparing, searching and splitting views. */
#include <larder/base/span.h>

bool
span_equal_nocase(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.at[i]) != ascii_lower(b.at[i]))
            return false;
    return true;
}

bool
span_starts(struct span span, struct span prefix)
{
    return span.len >= prefix.len && span_equal(span_head(span, prefix.len), prefix);
}

bool
span_starts_nocase(struct span span, struct span prefix)
{
    return span.len >= prefix.len && span_equal_nocase(span_head(span, prefix.len), prefix);
}

bool
span_ends(struct span span, struct span suffix)
{
    return span.len >= suffix.len && span_equal(span_skip(span, span.len - suffix.len), suffix);
}

ssize_t
span_find(struct span span, char byte)
{
    const char *found = span.len == 0 ? NULL : memchr(span.at, byte, span.len);
    return found == NULL ? -1 : found - span.at;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t';
}

struct span
span_trim(struct span span)
{
    while (span.len > 0 && is_space(span.at[0]))
        span = span_skip(span, 1);
    while (span.len > 0 && is_space(span.at[span.len - 1]))
        span.len--;
    return span;
}

bool
span_split(struct span *rest, char separator, struct span *part)
{
    if (rest->at == NULL)
        return false;
    ssize_t at = span_find(*rest, separator);
    if (at < 0) {
        *part = *rest;
        *rest = SPAN_EMPTY;
        return true;
    }
    *part = span_head(*rest, (size_t)at);
    *rest = (struct span){ rest->at + at + 1, rest->len - (size_t)at - 1 };
    return true;
}

bool
span_to_u64(struct span span, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;

    if (span.len == 0)
        return false;
    for (size_t i = 0; i < span.len; i++) {
        unsigned digit = (unsigned char)span.at[i] - (unsigned)'0';
        if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum))
            return false;
    }
    if (sum > max)
        return false;
    *value = sum;
    return true;
}

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Damerau's distance with neighbours swapped once, by rows. */
unsigned
span_distance(struct span a, struct span b)
{
    enum { MOST = 64 };
    unsigned  rows[3][MOST + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];

    if (a.len > MOST || b.len > MOST)
        return (unsigned)(a.len > b.len ? a.len : b.len);
    for (unsigned j = 0; j <= b.len; j++)
        last[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned differs = a.at[i - 1] != b.at[j - 1];
            row[j] = least(least(last[j] + 1, row[j - 1] + 1), last[j - 1] + differs);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[b.len];
}
