/* range.c: the Range field (RFC 9110 §14.2), read and held against a length.
 *
 *      bytes=0-99, 50-149, 900-, -5      as written
 *        ──▶ 0-99  50-149  900-999  995-999      against 1000 bytes
 *        ──▶ 0-149  900-999                      what overlaps or touches is sent once
 *
 * Joining ranges saves parts, and a list that asks for the same bytes many times cannot make one answer
 * longer than what it is a part of. Lists that only an attack or a broken client writes are not answered in
 * parts.
 */
#include <larder/http/range.h>

#include <larder/base/check.h>
#include <larder/http/scan.h>

#include "digits.h"

#include <inttypes.h>
#include <stdio.h>

/* A list with more than RANGES_FEW ranges below RANGE_SMALL bytes, about the size of a part's head
 * (§15.3.7.2), is one of "many small ranges" (§14.2); more than RANGES_OVERLAP that overlap are too many. */
enum { RANGE_SMALL = 80, RANGES_FEW = 4, RANGES_OVERLAP = 2 };

/* first-last, first-, -last; the whole span. A number that is too large for us is beyond any end. */
static bool
read_spec(struct span text, struct range_spec *spec)
{
    bool from = digits_take(&text, INT64_MAX, &spec->first);

    if (text.len == 0 || text.at[0] != '-')
        return false;
    text = span_skip(text, 1);
    bool to = digits_take(&text, INT64_MAX, &spec->last);
    if (text.len > 0 || (!from && !to))
        return false;
    if (!from)
        spec->first = RANGE_OPEN;
    if (!to)
        spec->last = RANGE_OPEN;
    return !from || !to || spec->first <= spec->last; /* §14.1.1: else it is invalid, and with it the set */
}

static enum err
read_specs(struct span list, struct range_set *set)
{
    struct span member;

    if (list.len == 0 || list.at[0] == ' ' || list.at[0] == '\t')
        return ERR_SYNTAX;
    while (list_next(&list, &member)) {
        struct range_spec spec;
        if (!read_spec(member, &spec))
            return ERR_SYNTAX;
        if (set->count == RANGES_MAX)
            return ERR_LIMIT;
        set->spec[set->count++] = spec;
    }
    return set->count > 0 ? ERR_NONE : ERR_SYNTAX;
}

enum err
range_parse(struct span value, struct range_set *set)
{
    size_t      unit = scan_best()->token(value);
    struct span rest = span_skip(value, unit);

    set->count = 0;
    if (unit == 0 || rest.len == 0 || rest.at[0] != '=')
        return ERR_SYNTAX;
    if (!span_equal_nocase(span_head(value, unit), SPAN("bytes"))) /* in any letter case: §14.1 */
        return ERR_UNSUPPORTED;
    enum err err = read_specs(span_skip(rest, 1), set);
    if (err != ERR_NONE)
        set->count = 0;
    return err;
}

enum err
range_find(const struct head *request, struct range_set *set)
{
    const struct field *field = head_find(request, FIELD_RANGE);

    set->count = 0;
    if (field == NULL)
        return ERR_NOT_FOUND;
    return head_next(request, field) == NULL ? range_parse(field->value, set) : ERR_SYNTAX;
}

/* ── against a length ── */

/* False when no byte of it is there (§14.1.2). */
static bool
satisfy(const struct range_spec *spec, int64_t length, struct byte_range *range)
{
    if (spec->first == RANGE_OPEN) {
        *range = (struct byte_range){ spec->last < length ? length - spec->last : 0, length - 1 };
        return spec->last > 0 && length > 0;
    }
    bool open = spec->last == RANGE_OPEN || spec->last >= length;
    *range = (struct byte_range){ spec->first, open ? length - 1 : spec->last };
    return spec->first < length;
}

static bool
overlaps(struct byte_range a, struct byte_range b)
{
    return a.first <= b.last && b.first <= a.last;
}

/* Ends are lengths minus one at most, so that adding one does not overflow. */
static bool
touches(struct byte_range a, struct byte_range b)
{
    return a.first <= b.last + 1 && b.first <= a.last + 1;
}

static bool
overlaps_another(const struct byte_range *ranges, unsigned count, unsigned index)
{
    for (unsigned i = 0; i < count; i++)
        if (i != index && overlaps(ranges[i], ranges[index]))
            return true;
    return false;
}

/* RFC 9110 §14.2, and §17.15 for why. */
static bool
is_abusive(const struct byte_range *ranges, unsigned count)
{
    unsigned overlapping = 0, small = 0;
    bool     ascending = true;

    for (unsigned i = 0; i < count; i++) {
        overlapping += overlaps_another(ranges, count, i);
        small += ranges[i].last - ranges[i].first < RANGE_SMALL - 1;
        ascending = ascending && (i == 0 || ranges[i].first > ranges[i - 1].first);
    }
    return overlapping > RANGES_OVERLAP || (small > RANGES_FEW && !ascending);
}

static struct byte_range
join(struct byte_range a, struct byte_range b)
{
    return (struct byte_range){ a.first < b.first ? a.first : b.first, a.last > b.last ? a.last : b.last };
}

/* Adds a range to ranges that do not touch each other, in the place of the first that it touches (§15.3.7.2:
 * in the order asked for). What it grows by touches none of the others, so one pass is enough. */
static unsigned
add(struct byte_range *ranges, unsigned count, struct byte_range range)
{
    unsigned kept = 0, place = RANGES_MAX;

    for (unsigned i = 0; i < count; i++) {
        if (!touches(ranges[i], range)) {
            ranges[kept++] = ranges[i];
            continue;
        }
        range = join(range, ranges[i]);
        if (place == RANGES_MAX)
            place = kept++;
    }
    if (place == RANGES_MAX)
        place = kept++;
    ranges[place] = range;
    return kept;
}

enum err
range_resolve(const struct range_set *set, int64_t length, struct byte_range out[static RANGES_MAX],
              unsigned *count)
{
    struct byte_range asked[RANGES_MAX];
    unsigned          satisfied = 0;

    CHECK(length >= 0 && set->count > 0 && set->count <= RANGES_MAX);
    *count = 0;
    for (unsigned i = 0; i < set->count; i++) {
        const struct range_spec *spec = &set->spec[i];
        if (length == 0 && spec->first == RANGE_OPEN && spec->last > 0)
            return ERR_UNSUPPORTED; /* §14.1.2: satisfiable, and nothing to name */
        satisfied += satisfy(spec, length, &asked[satisfied]);
    }
    if (satisfied == 0)
        return ERR_RANGE;
    if (is_abusive(asked, satisfied))
        return ERR_LIMIT;
    for (unsigned i = 0; i < satisfied; i++)
        *count = add(out, *count, asked[i]);
    return ERR_NONE;
}

struct span
range_spec_format(struct range_spec spec, char out[static RANGE_SPEC_SIZE])
{
    char text[RANGE_SPEC_SIZE + 1];
    int  len;

    if (spec.first == RANGE_OPEN)
        len = snprintf(text, sizeof text, "bytes=-%" PRId64, spec.last);
    else if (spec.last == RANGE_OPEN)
        len = snprintf(text, sizeof text, "bytes=%" PRId64 "-", spec.first);
    else
        len = snprintf(text, sizeof text, "bytes=%" PRId64 "-%" PRId64, spec.first, spec.last);
    memcpy(out, text, (size_t)len);
    return span_of(out, (size_t)len);
}
