/* language.c: languages that a client asks for (RFC 9110 §12.5.4).
 *
 *      "EN;q=0.7, da,en-GB;q=0.80"  ──▶ ranges with weights, sorted  ──▶  "da,en-gb;q=0.8,en;q=0.7"
 *
 * Order among equal weights says nothing that could be relied on (§12.5.4), so it is no reason for two
 * variants.
 */
#include <larder/http/language.h>

#include <larder/base/check.h>
#include <larder/http/negotiate.h>

#include "bytes.h"

enum { WEIGHT_SIZE = sizeof(";q=0.123") - 1, WEIGHT_MAX = 1000 };

struct language {
    struct span range;
    unsigned    weight;
};

struct languages {
    struct language at[LANGUAGES_MAX];
    size_t          count;
};

static int
compare_ranges(struct span a, struct span b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        unsigned char x = (unsigned char)ascii_lower(a.at[i]), y = (unsigned char)ascii_lower(b.at[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static bool
comes_before(const struct language *a, const struct language *b)
{
    if (a->weight != b->weight)
        return a->weight > b->weight;
    return compare_ranges(a->range, b->range) < 0;
}

static bool
is_named(const struct languages *languages, struct span range)
{
    for (size_t i = 0; i < languages->count; i++)
        if (span_equal_nocase(languages->at[i].range, range))
            return true;
    return false;
}

static void
insert(struct languages *languages, struct language language)
{
    size_t at = languages->count++;

    for (; at > 0 && comes_before(&language, &languages->at[at - 1]); at--)
        languages->at[at] = languages->at[at - 1];
    languages->at[at] = language;
}

/* Letters, digits, hyphens and `*` (RFC 4647 §2.2); how long the parts are does not matter here. */
static bool
is_range(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = ascii_lower(text.at[i]);
        if (!byte_is(byte, BYTE_DIGIT) && (byte < 'a' || byte > 'z') && byte != '-' && byte != '*')
            return false;
    }
    return true;
}

/* False when there are more than we sort, or one that is no range: what an origin makes of it nobody knows. */
static bool
collect(const struct head *request, struct languages *languages)
{
    struct list_walk walk = { 0 };
    struct span      member;

    languages->count = 0;
    while (head_walk(request, FIELD_ACCEPT_LANGUAGE, &walk, &member)) {
        struct language language;
        language.weight = weight_of(member, &language.range);
        if (!is_range(language.range) || span_find(member, '"') >= 0)
            return false;
        if (language.range.len == 0 || is_named(languages, language.range))
            continue;
        if (languages->count == LANGUAGES_MAX)
            return false;
        insert(languages, language);
    }
    return true;
}

/* ── writing ── */

static char *
put_lower(char *at, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        *at++ = ascii_lower(text.at[i]);
    return at;
}

/* ";q=0.8": as few digits as it takes. */
static char *
put_weight(char *at, unsigned weight)
{
    if (weight == WEIGHT_MAX)
        return at;
    at = put_lower(at, SPAN(";q=0"));
    if (weight > 0)
        *at++ = '.';
    for (unsigned unit = WEIGHT_MAX / 10; weight > 0; weight %= unit, unit /= 10)
        *at++ = (char)('0' + weight / unit);
    return at;
}

static enum err
write_sorted(struct arena *arena, const struct languages *languages, struct span *form)
{
    size_t room = 1;

    for (size_t i = 0; i < languages->count; i++)
        room += 1 + languages->at[i].range.len + WEIGHT_SIZE;
    char *out = arena_alloc(arena, room), *at = out;
    if (out == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < languages->count; i++) {
        if (i > 0)
            *at++ = ',';
        at = put_weight(put_lower(at, languages->at[i].range), languages->at[i].weight);
    }
    CHECK((size_t)(at - out) < room);
    *form = span_of(out, (size_t)(at - out));
    return ERR_NONE;
}

/* In lower case and without the white space around commas, which is safe whatever it says. */
static enum err
write_as_sent(struct arena *arena, const struct head *request, struct span *form)
{
    struct list_walk walk = { 0 };
    struct span      member;
    size_t           room = 1;

    for (const struct field *field = head_find(request, FIELD_ACCEPT_LANGUAGE); field != NULL;
         field = head_next(request, field))
        room += field->value.len + 1;
    char *out = arena_alloc(arena, room), *at = out;
    if (out == NULL)
        return ERR_NO_MEMORY;
    while (head_walk(request, FIELD_ACCEPT_LANGUAGE, &walk, &member)) {
        if (at > out)
            *at++ = ',';
        at = put_lower(at, member);
    }
    CHECK((size_t)(at - out) < room);
    *form = span_of(out, (size_t)(at - out));
    return ERR_NONE;
}

enum err
accept_language_normalise(struct arena *arena, const struct head *request, struct span *form)
{
    struct languages languages;

    *form = SPAN_EMPTY;
    if (!head_has(request, FIELD_ACCEPT_LANGUAGE))
        return ERR_NONE;
    if (!collect(request, &languages))
        return write_as_sent(arena, request, form);
    return write_sorted(arena, &languages, form);
}

/* ── matching ── */

/* RFC 4647 §3.3.1: the tag, or a prefix of it that ends before a hyphen. */
static bool
matches(struct span range, struct span tag)
{
    if (span_equal(range, SPAN("*")))
        return true;
    return span_starts_nocase(tag, range) && (tag.len == range.len || tag.at[range.len] == '-');
}

/* How much a range says: `*` less than any other. */
static size_t
length_of(struct span range)
{
    return span_equal(range, SPAN("*")) ? 1 : 1 + range.len;
}

/* The weight of the longest range that matches, 0 when none does; `*any` says whether there is a range at
 * all. */
static unsigned
weight_for(const struct head *request, struct span tag, bool *any)
{
    struct list_walk walk = { 0 };
    struct span      member, range;
    size_t           longest = 0;
    unsigned         best = 0;

    while (head_walk(request, FIELD_ACCEPT_LANGUAGE, &walk, &member)) {
        unsigned weight = weight_of(member, &range);
        *any = *any || range.len > 0;
        if (range.len > 0 && length_of(range) > longest && matches(range, tag)) {
            longest = length_of(range);
            best = weight;
        }
    }
    return best;
}

unsigned
accept_language_quality(const struct head *request, struct span content_language)
{
    struct span tag;
    unsigned    best = 0, tags = 0;
    bool        any = false;

    for (; tags < LANGUAGES_MAX && list_next(&content_language, &tag); tags++) {
        unsigned weight = weight_for(request, tag, &any);
        best = weight > best ? weight : best;
    }
    return any ? best : WEIGHT_MAX;
}
