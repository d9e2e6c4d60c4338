/* test_field.c: known names in any letter case are found, and nothing else is. */
#include <criterion/criterion.h>
#include <larder/http/field.h>

#include <ctype.h>

enum { NAME_MAX_LEN = 64 };

static struct span
copy_with(struct span name, char *out, int (*change)(int))
{
    for (size_t i = 0; i < name.len; i++)
        out[i] = (char)change((unsigned char)name.at[i]);
    return span_of(out, name.len);
}

static int
unchanged(int byte)
{
    return byte;
}

Test(http_field, names_map_to_themselves_in_any_letter_case)
{
    char lower[NAME_MAX_LEN], upper[NAME_MAX_LEN], mixed[NAME_MAX_LEN];

    for (enum field_id id = FIELD_OTHER + 1; id < FIELD_ID_COUNT; id++) {
        struct span name = field_name(id);
        cr_assert(name.len > 0 && name.len < NAME_MAX_LEN);
        cr_assert_eq(field_lookup(name), id, "%.*s: run field_slots.py", SPAN_ARG(name));
        cr_assert_eq(field_lookup(copy_with(name, lower, tolower)), id);
        cr_assert_eq(field_lookup(copy_with(name, upper, toupper)), id);
        copy_with(name, mixed, tolower);
        for (size_t i = 1; i < name.len; i += 2)
            mixed[i] = (char)toupper((unsigned char)mixed[i]);
        cr_assert_eq(field_lookup(span_of(mixed, name.len)), id);
    }
}

/* The only other names that may be found are those of the table: "Age" is one letter away from none, but be
 * exact. */
static enum field_id
found_by_comparing(struct span name)
{
    for (enum field_id id = FIELD_OTHER + 1; id < FIELD_ID_COUNT; id++)
        if (span_equal_nocase(field_name(id), name))
            return id;
    return FIELD_OTHER;
}

Test(http_field, any_other_byte_at_any_place_makes_another_name)
{
    char changed[NAME_MAX_LEN];

    for (enum field_id id = FIELD_OTHER + 1; id < FIELD_ID_COUNT; id++) {
        struct span name = copy_with(field_name(id), changed, unchanged);
        for (size_t i = 0; i < name.len; i++) {
            char before = changed[i];
            for (int byte = 0; byte < 256; byte++) {
                changed[i] = (char)byte;
                cr_assert_eq(field_lookup(name), found_by_comparing(name), "%.*s, byte %d", SPAN_ARG(name),
                             byte);
            }
            changed[i] = before;
        }
    }
}

Test(http_field, underscores_are_no_hyphens)
{
    char changed[NAME_MAX_LEN];

    cr_assert_eq(field_lookup(SPAN("Content_Length")), FIELD_OTHER);
    cr_assert_eq(field_lookup(SPAN("Transfer_Encoding")), FIELD_OTHER);
    for (enum field_id id = FIELD_OTHER + 1; id < FIELD_ID_COUNT; id++) {
        struct span name = copy_with(field_name(id), changed, unchanged);
        for (size_t i = 0; i < name.len; i++)
            if (changed[i] == '-') {
                changed[i] = '_';
                cr_assert_eq(field_lookup(name), FIELD_OTHER, "%.*s", SPAN_ARG(name));
                changed[i] = '-';
            }
    }
}

Test(http_field, shorter_and_longer_names_are_others)
{
    char longer[NAME_MAX_LEN];

    for (enum field_id id = FIELD_OTHER + 1; id < FIELD_ID_COUNT; id++) {
        struct span name = copy_with(field_name(id), longer, unchanged);
        longer[name.len] = 's';
        cr_assert_eq(field_lookup(span_of(longer, name.len + 1)), FIELD_OTHER);
        struct span shorter = span_head(name, name.len - 1);
        cr_assert_eq(field_lookup(shorter), found_by_comparing(shorter));
    }
}

Test(http_field, empty_and_very_long_names_are_others)
{
    static char bytes[70000];

    memset(bytes, 'a', sizeof bytes);
    cr_assert_eq(field_lookup(SPAN_EMPTY), FIELD_OTHER);
    cr_assert_eq(field_lookup(SPAN("")), FIELD_OTHER);
    for (size_t length = 1; length < sizeof bytes; length = length * 2 + 1)
        cr_assert_eq(field_lookup(span_of(bytes, length)), FIELD_OTHER);
    cr_assert_eq(field_name(FIELD_OTHER).len, 0);
    cr_assert(span_equal(field_name(FIELD_ETAG), SPAN("ETag")));
}
