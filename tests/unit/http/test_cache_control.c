/* test_cache_control.c: each directive, the grammar at its edges, and the reading that keeps less. */
#include <criterion/criterion.h>
#include <larder/http/cache_control.h>

#include "given.h"

/* Parses field lines; the spans of the result live in `given`. */
static struct cache_control
control_of(struct given *given, const char *fields)
{
    struct cache_control control;

    memset(&control, 0xff, sizeof control); /* whatever was there before */
    cache_control_parse(given_response(given, "HTTP/1.1 200 OK", fields), &control);
    return control;
}

static struct cache_control
control_of_value(struct given *given, const char *value)
{
    char fields[512];

    snprintf(fields, sizeof fields, "Cache-Control: %s\r\n", value);
    return control_of(given, fields);
}

Test(http_cache_control, nothing_is_absent)
{
    static const char *const fields[] = { "", "Cache-Control:\r\n",
                                          "Cache-Control: ,\r\nCache-Control: , ,\r\n" };
    struct given             given;

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct cache_control control = control_of(&given, fields[i]);
        cr_assert_not(control.present || control.no_store || control.no_cache || control.is_private);
        cr_assert_not(control.is_public || control.must_revalidate || control.proxy_revalidate
                      || control.repeated);
        cr_assert_not(control.must_understand || control.no_transform || control.immutable
                      || control.only_if_cached);
        cr_assert(control.max_age == DELTA_ABSENT && control.s_maxage == DELTA_ABSENT);
        cr_assert(control.max_stale == DELTA_ABSENT && control.min_fresh == DELTA_ABSENT);
        cr_assert(control.stale_while_revalidate == DELTA_ABSENT && control.stale_if_error == DELTA_ABSENT);
        cr_assert(control.no_cache_fields.at == NULL && control.private_fields.at == NULL);
    }
}

Test(http_cache_control, every_directive_in_any_letter_case)
{
    struct given         given;
    struct cache_control control = control_of(
        &given, "Cache-Control: No-Store, NO-CACHE, private,Public , MUST-revalidate,proxy-revalidate\r\n"
                "Cache-Control: must-understand, no-transform, immutable, only-if-cached, MAX-AGE=1\r\n"
                "Cache-Control: s-maxage=2, max-stale=3, min-fresh=4\r\n"
                "Cache-Control: stale-while-revalidate=5, stale-if-error=6, whatever, ext=7\r\n");

    cr_assert(control.present && control.no_store && control.no_cache && control.is_private
              && control.is_public);
    cr_assert(control.must_revalidate && control.proxy_revalidate && control.must_understand);
    cr_assert(control.no_transform && control.immutable && control.only_if_cached);
    cr_assert_eq(control.max_age, 1);
    cr_assert_eq(control.s_maxage, 2);
    cr_assert_eq(control.max_stale, 3);
    cr_assert_eq(control.min_fresh, 4);
    cr_assert_eq(control.stale_while_revalidate, 5);
    cr_assert_eq(control.stale_if_error, 6);
    cr_assert_not(control.repeated);
}

Test(http_cache_control, names_are_whole_names)
{
    struct given         given;
    struct cache_control control =
        control_of_value(&given, "xno-store, no-storex, no_store, max-agex=1, ax-age=1");

    cr_assert(control.present);
    cr_assert_not(control.no_store);
    cr_assert_eq(control.max_age, DELTA_ABSENT);
}

struct delta {
    const char *value;
    int64_t     seconds;
};

Test(http_cache_control, seconds)
{
    static const struct delta rows[] = {
        { "max-age=0", 0 },
        { "max-age=3600", 3600 },
        { "max-age=0003600", 3600 },
        { "max-age=2147483647", 2147483647 },
        { "max-age=2147483648", DELTA_MAX },
        { "max-age=2147483649", DELTA_MAX },
        { "max-age=4294967297", DELTA_MAX },
        { "max-age=18446744073709551617", DELTA_MAX },
        { "max-age=99999999999999999999999999999999999999999999", DELTA_MAX },
        { "max-age=00000000000000000000000000000000000000000001", 1 },
        { "max-age", DELTA_INVALID },
        { "max-age=", DELTA_INVALID },
        { "max-age=-1", DELTA_INVALID },
        { "max-age=+1", DELTA_INVALID },
        { "max-age=\"3600\"", 3600 },
        { "max-age=\"3600 \"", DELTA_INVALID },
        { "max-age=\"-1\"", DELTA_INVALID },
        { "max-age=\"\"", DELTA_INVALID },
        { "max-age='3600'", DELTA_INVALID },
        { "max-age=3600.5", DELTA_INVALID },
        { "max-age=3600s", DELTA_INVALID },
        { "max-age=a3600", DELTA_INVALID },
        { "max-age=0x10", DELTA_INVALID },
        { "max-age=1 2", DELTA_INVALID },
        { "max-age =3600", DELTA_INVALID },
        { "max-age= 3600", DELTA_INVALID },
        { "max-age 3600", DELTA_INVALID },
        { "max-age:3600", DELTA_INVALID },
        { "max-age=3600;x", DELTA_INVALID },
        { "max-age==3600", DELTA_INVALID },
        { "max-age=99999999999999999999x", DELTA_INVALID },
    };
    struct given given;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cache_control control = control_of_value(&given, rows[i].value);
        cr_assert_eq(control.max_age, rows[i].seconds, "%s: %lld", rows[i].value, (long long)control.max_age);
        cr_assert(control.present);
        cr_assert_not(control.no_store, "%s", rows[i].value);
    }
}

Test(http_cache_control, max_stale_needs_no_number)
{
    struct given given;

    cr_assert_eq(control_of_value(&given, "max-stale").max_stale, DELTA_ANY);
    cr_assert_eq(control_of_value(&given, "max-stale=5").max_stale, 5);
    cr_assert_eq(control_of_value(&given, "max-stale=").max_stale, DELTA_INVALID);
    cr_assert_eq(control_of_value(&given, "max-stale=x").max_stale, DELTA_INVALID);
    cr_assert_eq(control_of_value(&given, "max-stale x").max_stale, DELTA_INVALID);
    cr_assert_eq(control_of_value(&given, "min-fresh").min_fresh, DELTA_INVALID);
}

Test(http_cache_control, of_two_the_first_counts_and_it_is_noted)
{
    struct given         given;
    struct cache_control control =
        control_of(&given, "Cache-Control: max-age=1\r\nCache-Control: max-age=2\r\n");

    cr_assert_eq(control.max_age, 1);
    cr_assert(control.repeated);
    control = control_of_value(&given, "max-age=x, max-age=2");
    cr_assert_eq(control.max_age, DELTA_INVALID);
    cr_assert(control.repeated);
    control = control_of_value(&given, "max-age=1, s-maxage=1, no-store, no-store");
    cr_assert_not(control.repeated);
}

Test(http_cache_control, quoted_strings_hide_what_is_in_them)
{
    struct given         given;
    struct cache_control control = control_of_value(&given, "ext=\"max-age=3600, no-store\", max-age=1");

    cr_assert_eq(control.max_age, 1);
    cr_assert_not(control.no_store || control.repeated);
    control = control_of_value(&given, "ext=\"a\\\", max-age=3600\", max-age=1");
    cr_assert_eq(control.max_age, 1);
    cr_assert_not(control.no_store || control.repeated);
}

/* What an open quote swallowed may have been a no-store. */
Test(http_cache_control, a_quoted_string_that_is_not_closed_forbids_storing)
{
    static const char *const open[] = {
        "max-age=60, ext=\"a, no-store",
        "ext=\"",
        "max-age=\"60",
        "a\"",
        "ext=\"a\\\"",
        "\"a\"\"b",
        "private=\"a",
    };
    static const char *const closed[] = { "ext=\"\"", "ext=\"\\\"\"", "\"a\"", "ext=\"a\"b", "ext=a\\" };
    struct given             given;

    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        cr_assert(control_of_value(&given, open[i]).no_store, "%s", open[i]);
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++)
        cr_assert_not(control_of_value(&given, closed[i]).no_store, "%s", closed[i]);
}

Test(http_cache_control, no_cache_and_private_may_name_fields)
{
    struct given         given;
    struct cache_control control = control_of_value(&given, "no-cache=\"a, Set-Cookie\", private=X-B");

    cr_assert(given_is(control.no_cache_fields, "a, Set-Cookie"));
    cr_assert(given_is(control.private_fields, "X-B"));
    cr_assert_not(control.no_cache || control.is_private);
    control = control_of_value(&given, "private, private=\"a\"");
    cr_assert(control.is_private);
    cr_assert(given_is(control.private_fields, "a"));
}

Test(http_cache_control, fields_that_cannot_be_read_mean_the_whole_answer)
{
    static const char *const values[] = {
        "=",        "=\"\"",   "=\",\"",  "=\"a b\"", "=\"a\\\"b\"",
        "=\"a:b\"", "=\"a\"x", " =\"a\"", "= \"a\"",  "=\"a, b;\"",
        "=a=b",     " a",      "=a b",    "=\"a",     "=\"a\", PRIVATE=\"b\"",
    };
    struct given given;
    char         value[64];

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        snprintf(value, sizeof value, "private%s", values[i]);
        cr_assert(control_of_value(&given, value).is_private, "%s", value);
    }
    cr_assert(control_of_value(&given, "no-cache=\"a b\"").no_cache);
    cr_assert(control_of_value(&given, "no-cache=\"a\", no-cache=\"b\"").no_cache);
}

Test(http_cache_control, what_forbids_counts_with_anything_behind_it_and_what_allows_does_not)
{
    struct given         given;
    struct cache_control control = control_of_value(
        &given, "no-store=x, must-revalidate y, proxy-revalidate=\"\", no-transform=, only-if-cached=1");

    cr_assert(control.no_store && control.must_revalidate && control.proxy_revalidate);
    cr_assert(control.no_transform && control.only_if_cached);
    control = control_of_value(&given, "public=x, immutable y, must-understand=\"\"");
    cr_assert_not(control.is_public || control.immutable || control.must_understand);
}
