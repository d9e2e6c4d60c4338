/* fuzz_targeted.c: any bytes as the lines of CDN-Cache-Control (which begin with 'c') and Surrogate-Control,
 * beside a Cache-Control.
 *
 * Holds: numbers and spans are in their bounds; `source` is the first field that counts, and Cache-Control
 * does not show through; a line that breaks the dictionary makes it absent; a no-store on a line of its own
 * is found.
 */
#include "fuzz.h"

#include <larder/http/cache_control.h>
#include <larder/http/structured.h>

enum { LINES = 32 };

struct lines {
    struct field fields[LINES];
    struct head  head;
};

static bool
add_line(struct lines *lines, enum field_id id, struct span value)
{
    return head_add(&lines->head, field_name(id), value, id);
}

static void
split_lines(struct lines *lines, struct span bytes)
{
    struct span line;

    head_init(&lines->head, lines->fields, LINES);
    CHECK(add_line(lines, FIELD_CACHE_CONTROL, SPAN("min-fresh=4711, max-stale=4711")));
    while (span_split(&bytes, '\n', &line)) {
        enum field_id id = span_starts(line, SPAN("c")) ? FIELD_CDN_CACHE_CONTROL : FIELD_SURROGATE_CONTROL;
        if (!add_line(lines, id, span_trim(span_skip(line, 1))))
            return;
    }
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
    CHECK(control->max_age != DELTA_ANY && control->stale_if_error != DELTA_ANY);
    CHECK(fuzz_is_inside(control->no_cache_fields, bytes) && fuzz_is_inside(control->private_fields, bytes));
    CHECK(control->present);
}

static bool
is_dictionary(const struct head *head)
{
    struct sf_walk   walk;
    struct sf_member member;

    sf_walk_head(&walk, head, FIELD_CDN_CACHE_CONTROL);
    while (sf_dictionary_next(&walk, &member))
        ;
    return walk.any && !walk.failed;
}

static void
check_source(const struct head *head, const struct cache_control *control)
{
    bool untouched = control->min_fresh == 4711 && control->max_stale == 4711;

    switch (control->source) {
    case FIELD_CDN_CACHE_CONTROL:
        CHECK(is_dictionary(head) && !control->repeated);
        break;
    case FIELD_SURROGATE_CONTROL:
        CHECK(head_has(head, FIELD_SURROGATE_CONTROL));
        break;
    default:
        CHECK(control->source == FIELD_CACHE_CONTROL && untouched && !control->no_store);
    }
    CHECK(cache_control_is_targeted(control) == (control->source != FIELD_CACHE_CONTROL));
}

static void
check_additions(struct lines *lines)
{
    struct cache_control before, after;
    uint16_t             room = lines->head.room;

    if (lines->head.count + 2 > room)
        return;
    cache_control_effective(&lines->head, &before);
    CHECK(add_line(lines, FIELD_SURROGATE_CONTROL, SPAN("no-store")));
    cache_control_effective(&lines->head, &after);
    CHECK(before.source == FIELD_CDN_CACHE_CONTROL ? after.source == before.source : after.no_store);
    CHECK(add_line(lines, FIELD_CDN_CACHE_CONTROL, SPAN("no-store=?0")));
    cache_control_effective(&lines->head, &after);
    CHECK(after.source == FIELD_SURROGATE_CONTROL && after.no_store);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                *copy = fuzz_copy(span_of(data, size));
    struct span          bytes = span_of(copy, size);
    struct lines         lines;
    struct cache_control control;

    split_lines(&lines, bytes);
    cache_control_effective(&lines.head, &control);
    check_bounds(&control, bytes);
    check_source(&lines.head, &control);
    check_additions(&lines);
    free(copy);
    return 0;
}
