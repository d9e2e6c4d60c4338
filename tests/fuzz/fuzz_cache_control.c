/* fuzz_cache_control.c: any bytes as the lines of Cache-Control, cut at LF.
 *
 * Holds: numbers and spans are in their bounds; letter case does not matter; a no-store on a line of its own
 * is always found; members of a list, each on a line of its own, say the same as the list.
 */
#include "fuzz.h"

#include <larder/http/cache_control.h>

#include <ctype.h>

enum { LINES = 64 };

struct lines {
    struct field fields[LINES];
    struct head  head;
};

static bool
add_line(struct lines *lines, struct span value)
{
    return head_add(&lines->head, SPAN("Cache-Control"), value, FIELD_CACHE_CONTROL);
}

static void
lines_init(struct lines *lines)
{
    head_init(&lines->head, lines->fields, LINES);
}

static void
split_lines(struct lines *lines, struct span bytes)
{
    struct span line;

    lines_init(lines);
    while (span_split(&bytes, '\n', &line))
        if (!add_line(lines, span_trim(line)))
            return;
}

static void
check_delta(int64_t delta)
{
    CHECK(delta >= DELTA_ANY && delta <= DELTA_MAX);
}

static void
check_bounds(const struct cache_control *control, struct span bytes)
{
    check_delta(control->max_age);
    check_delta(control->s_maxage);
    check_delta(control->max_stale);
    check_delta(control->min_fresh);
    check_delta(control->stale_while_revalidate);
    check_delta(control->stale_if_error);
    CHECK(control->max_age != DELTA_ANY && control->s_maxage != DELTA_ANY);
    CHECK(fuzz_is_inside(control->no_cache_fields, bytes) && fuzz_is_inside(control->private_fields, bytes));
    CHECK(control->no_cache_fields.at == NULL || control->no_cache_fields.len > 0);
}

/* All but the spans, which may lie in different copies. */
static void
check_same(const struct cache_control *a, const struct cache_control *b)
{
    CHECK(a->present == b->present && a->no_store == b->no_store && a->no_cache == b->no_cache);
    CHECK(a->is_private == b->is_private && a->is_public == b->is_public && a->repeated == b->repeated);
    CHECK(a->must_revalidate == b->must_revalidate && a->proxy_revalidate == b->proxy_revalidate);
    CHECK(a->must_understand == b->must_understand && a->no_transform == b->no_transform);
    CHECK(a->immutable == b->immutable && a->only_if_cached == b->only_if_cached);
    CHECK(a->max_age == b->max_age && a->s_maxage == b->s_maxage && a->max_stale == b->max_stale);
    CHECK(a->min_fresh == b->min_fresh && a->stale_if_error == b->stale_if_error);
    CHECK(a->stale_while_revalidate == b->stale_while_revalidate);
    CHECK(span_equal_nocase(a->no_cache_fields, b->no_cache_fields));
    CHECK(span_equal_nocase(a->private_fields, b->private_fields));
}

static void
check_letter_case(struct span bytes, const struct cache_control *control)
{
    char                *copy = fuzz_copy(bytes);
    struct lines         lines;
    struct cache_control other;

    for (size_t i = 0; i < bytes.len; i++)
        copy[i] = (char)(i % 2 == 0 ? toupper((unsigned char)copy[i]) : tolower((unsigned char)copy[i]));
    split_lines(&lines, span_of(copy, bytes.len));
    cache_control_parse(&lines.head, &other);
    check_same(control, &other);
    free(copy);
}

static void
check_member_by_member(const struct lines *lines, const struct cache_control *control)
{
    struct list_walk     walk = { 0 };
    struct span          member;
    struct lines         single;
    struct cache_control other;

    lines_init(&single);
    while (head_walk(&lines->head, FIELD_CACHE_CONTROL, &walk, &member)) {
        CHECK(member.len > 0 && span_equal(member, span_trim(member)));
        if (!add_line(&single, member))
            return;
    }
    cache_control_parse(&single.head, &other);
    check_same(control, &other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                *copy = fuzz_copy(span_of(data, size));
    struct span          bytes = span_of(copy, size);
    struct lines         lines;
    struct cache_control control;

    split_lines(&lines, bytes);
    cache_control_parse(&lines.head, &control);
    check_bounds(&control, bytes);
    check_letter_case(bytes, &control);
    check_member_by_member(&lines, &control);
    if (add_line(&lines, SPAN("no-store"))) {
        cache_control_parse(&lines.head, &control);
        CHECK(control.no_store && control.present);
    }
    free(copy);
    return 0;
}
