/* test_span.c: views of bytes. */
#include <criterion/criterion.h>
#include <larder/base/span.h>

Test(base_span, comparing)
{
    cr_assert(span_equal(SPAN("ab"), SPAN("ab")));
    cr_assert(span_equal(SPAN_EMPTY, SPAN("")));
    cr_assert_not(span_equal(SPAN("ab"), SPAN("abc")));
    cr_assert_not(span_equal(SPAN("ab"), SPAN("aB")));
    cr_assert(span_equal_nocase(SPAN("aZ@["), SPAN("Az@[")));
    cr_assert_not(span_equal_nocase(SPAN("@"), SPAN("`"))); /* neighbours of letters are not letters */
    cr_assert_not(span_equal_nocase(SPAN("["), SPAN("{")));
    cr_assert(span_starts(SPAN("abc"), SPAN("ab")) && span_starts(SPAN("abc"), SPAN("")));
    cr_assert_not(span_starts(SPAN("a"), SPAN("ab")));
    cr_assert(span_starts_nocase(SPAN("ABc"), SPAN("ab")));
    cr_assert(span_ends(SPAN("abc"), SPAN("bc")));
    cr_assert_not(span_ends(SPAN("c"), SPAN("bc")));
}

Test(base_span, cutting)
{
    cr_assert(span_equal(span_skip(SPAN("abc"), 1), SPAN("bc")));
    cr_assert_eq(span_skip(SPAN("abc"), 9).len, 0);
    cr_assert(span_equal(span_head(SPAN("abc"), 2), SPAN("ab")));
    cr_assert_eq(span_find(SPAN("abc"), 'c'), 2);
    cr_assert_eq(span_find(SPAN("abc"), 'x'), -1);
    cr_assert_eq(span_find(SPAN_EMPTY, 'x'), -1);
    cr_assert(span_equal(span_trim(SPAN(" \ta b\t ")), SPAN("a b")));
    cr_assert_eq(span_trim(SPAN("\t ")).len, 0);
}

Test(base_span, splitting_keeps_empty_parts)
{
    static const char *const parts[] = { "a", "", "b", "" };
    struct span              rest = SPAN("a,,b,"), part;
    size_t                   n = 0;

    while (span_split(&rest, ',', &part))
        cr_assert(span_equal(part, span_of_text(parts[n++])));
    cr_assert_eq(n, 4);
    rest = SPAN("");
    cr_assert(span_split(&rest, ',', &part));
    cr_assert_eq(part.len, 0);
    cr_assert_not(span_split(&rest, ',', &part));
    rest = SPAN_EMPTY;
    cr_assert_not(span_split(&rest, ',', &part));
}

Test(base_span, numbers_are_digits_only)
{
    static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "99999999999999999999999" };
    uint64_t                 value = 7;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(span_to_u64(span_of_text(bad[i]), UINT64_MAX, &value), "%s", bad[i]);
    cr_assert_eq(value, 7);
    cr_assert(span_to_u64(SPAN("18446744073709551615"), UINT64_MAX, &value));
    cr_assert_eq(value, UINT64_MAX);
    cr_assert(span_to_u64(SPAN("007"), 7, &value));
    cr_assert_eq(value, 7);
    cr_assert_not(span_to_u64(SPAN("8"), 7, &value));
}

Test(base_span, distance_is_in_edits)
{
    char long_name[70];

    cr_assert_eq(span_distance(SPAN("orign"), SPAN("origin")), 1);
    cr_assert_eq(span_distance(SPAN("orgiin"), SPAN("origin")), 1);
    cr_assert_eq(span_distance(SPAN("ttl"), SPAN("ttl")), 0);
    cr_assert_eq(span_distance(SPAN(""), SPAN("abc")), 3);
    cr_assert_eq(span_distance(SPAN("kitten"), SPAN("sitting")), 3);
    memset(long_name, 'x', sizeof long_name);
    cr_assert_eq(span_distance(span_of(long_name, 70), SPAN("x")), 70);
}
