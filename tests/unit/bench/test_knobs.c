/* Knobs: paths that spell out an answer. */
#include "knobs.h"

#include <criterion/criterion.h>
#include <larder/base/clock.h>
#include <stdio.h>

static struct knobs
parse(const char *path)
{
    struct knobs knobs;
    struct fault fault = { .text = "" };
    cr_assert_eq(knobs_parse(span_of_text(path), &knobs, &fault), ERR_NONE, "%s: %s", path, fault.text);
    return knobs;
}

static void
refuse(const char *path, const char *part)
{
    struct knobs knobs;
    struct fault fault = { .text = "" };
    cr_assert_neq(knobs_parse(span_of_text(path), &knobs, &fault), ERR_NONE, "%s", path);
    cr_assert_not_null(strstr(fault.text, part), "%s: %s", path, fault.text);
}

/* Whether the member that the row sets is the same in both. */
static bool
same(const struct row *row, const struct knobs *a, const struct knobs *b)
{
    const char *left = (const char *)a + row->offset, *right = (const char *)b + row->offset;
    if (row->type == ROW_SWITCH)
        return *(const bool *)left == *(const bool *)right;
    if (row->type == ROW_TEXTS)
        return ((const struct texts *)left)->count == ((const struct texts *)right)->count;
    return *(const int64_t *)left == *(const int64_t *)right;
}

static void
expect_same_but(const struct knobs *a, const struct knobs *b, const struct row *but)
{
    for (size_t i = 0; i < knobs_table.count; i++)
        if (&knobs_table.rows[i] != but)
            cr_assert(same(&knobs_table.rows[i], a, b), "%s", knobs_table.rows[i].name);
}

Test(bench_knobs, the_documented_example)
{
    struct knobs knobs = parse("/size/64k/delay/500ms/max-age/60/vary/accept-encoding/chunked");
    cr_assert_eq(knobs.size, 65536);
    cr_assert_eq(knobs.delay, 500 * NSEC_PER_MSEC);
    cr_assert_eq(knobs.max_age, 60);
    cr_assert_eq(knobs.vary.count, 1);
    cr_assert(span_equal(knobs.vary.at[0], SPAN("accept-encoding")));
    cr_assert(knobs.chunked);
    cr_assert_not(knobs.etag);
}

Test(bench_knobs, any_order)
{
    struct knobs one = parse("/etag/size/1k/no-store"), two = parse("/no-store/etag/size/1k");
    expect_same_but(&one, &two, NULL);
}

Test(bench_knobs, defaults)
{
    struct knobs knobs = parse("/etag");
    cr_assert_eq(knobs.size, 1024);
    cr_assert_eq(knobs.status, 200);
    cr_assert_eq(knobs.delay, ROW_ABSENT);
    cr_assert_eq(knobs.drip, 0);
    cr_assert_eq(knobs.max_age, ROW_ABSENT);
    cr_assert_eq(knobs.age, ROW_ABSENT);
    cr_assert_eq(knobs.cut, ROW_ABSENT);
    cr_assert_eq(knobs.object, ROW_ABSENT);
    cr_assert_eq(knobs.vary.count, 0);
}

Test(bench_knobs, a_size_without_a_unit_is_bytes)
{
    cr_assert_eq(parse("/size/300").size, 300);
    cr_assert_eq(parse("/size/0").size, 0);
}

Test(bench_knobs, an_object_has_a_number)
{
    cr_assert_eq(parse("/object/0").object, 0);
    cr_assert_eq(parse("/size/1/object/4294967295").object, UINT32_MAX);
}

Test(bench_knobs, a_slash_at_the_end_is_nothing)
{
    cr_assert_eq(parse("/size/2k/").size, 2048);
}

Test(bench_knobs, every_switch_switches_only_itself)
{
    struct knobs none = parse("/size/1k");
    for (size_t i = 0; i < knobs_table.count; i++) {
        const struct row *row = &knobs_table.rows[i];
        if (row->type != ROW_SWITCH)
            continue;
        char path[64];
        snprintf(path, sizeof path, "/%s", row->name);
        struct knobs knobs = parse(path);
        cr_assert_not(same(row, &knobs, &none), "%s", row->name);
        expect_same_but(&knobs, &none, row);
    }
}

Test(bench_knobs, vary_may_be_repeated)
{
    struct knobs knobs = parse("/vary/a/vary/b");
    cr_assert_eq(knobs.vary.count, 2);
    cr_assert(span_equal(knobs.vary.at[1], SPAN("b")));
}

Test(bench_knobs, the_first_segment_decides)
{
    cr_assert(knobs_begin(SPAN("/size/1k")));
    cr_assert(knobs_begin(SPAN("/etag")));
    cr_assert_not(knobs_begin(SPAN("/")));
    cr_assert_not(knobs_begin(SPAN("/account/size/1k")));
    cr_assert_not(knobs_begin(SPAN("/sizes")));
}

Test(bench_knobs, mistakes_are_named)
{
    refuse("/size/1k/chunkd", "did you mean \"chunked\"?");
    refuse("/size/1k/zebra", "unknown knob \"zebra\"");
    refuse("/size/1k//etag", "unknown knob \"\"");
    refuse("/size", "/size needs a value: /size/SIZE");
    refuse("/size/", "/size/");
    refuse("/size/12x", "/size/12x");
    refuse("/delay/5", "/delay/5");
    refuse("/delay/2h", "expected 0 to 1h");
    refuse("/status/199", "expected 200 to 599");
    refuse("/max-age/-1", "expected a whole number");
    refuse("/chunked/no-length", "exclude each other");
}

Test(bench_knobs, a_vary_name_is_a_token_of_bounded_length)
{
    char path[100] = "/vary/";
    memset(path + 6, 'a', 65);
    refuse(path, "name of a field");
    refuse("/vary/a%0d%0ab:", "name of a field");
    refuse("/vary/a b", "name of a field");
    refuse("/vary/", "name of a field");
    path[6 + 64] = '\0';
    cr_assert_eq(parse(path).vary.count, 1);
}

Test(bench_knobs, vary_is_bounded)
{
    char   path[ROW_TEXTS_MAX * 8 + 16];
    size_t len = 0;
    for (int i = 0; i <= ROW_TEXTS_MAX; i++)
        len += (size_t)snprintf(path + len, sizeof path - len, "/vary/a");
    refuse(path, "at most");
}
