/* test_targeted.c: CDN-Cache-Control and Surrogate-Control: when they count, and for what. */
#include <criterion/criterion.h>
#include <larder/http/cache_control.h>

#include "given.h"

static struct cache_control
effective(struct given *given, const char *fields)
{
    struct cache_control control;

    memset(&control, 0xff, sizeof control);
    cache_control_effective(given_response(given, "HTTP/1.1 200 OK", fields), &control);
    return control;
}

/* CDN-Cache-Control with this value, beside a Cache-Control that says something else. */
static struct cache_control
cdn(struct given *given, const char *value)
{
    char fields[512];

    snprintf(fields, sizeof fields, "Cache-Control: s-maxage=77\r\nCDN-Cache-Control: %s\r\n", value);
    return effective(given, fields);
}

static struct cache_control
surrogate(struct given *given, const char *value)
{
    char fields[512];

    snprintf(fields, sizeof fields, "Cache-Control: s-maxage=77\r\nSurrogate-Control: %s\r\n", value);
    return effective(given, fields);
}

static bool
is_cache_control(const struct cache_control *control)
{
    return control->source == FIELD_CACHE_CONTROL && control->s_maxage == 77
           && !cache_control_is_targeted(control);
}

Test(http_targeted, without_them_it_is_cache_control)
{
    struct given         given;
    struct cache_control control = effective(&given, "Cache-Control: max-age=5, no-store\r\n");

    cr_assert(control.present && control.no_store && control.max_age == 5);
    cr_assert_eq(control.source, FIELD_CACHE_CONTROL);
    control = effective(&given, "");
    cr_assert(!control.present && control.source == FIELD_OTHER && control.max_age == DELTA_ABSENT);
    cr_assert_not(cache_control_is_targeted(&control));
}

Test(http_targeted, the_first_of_the_list_counts_alone)
{
    struct given         given;
    struct cache_control control = effective(&given, "Cache-Control: no-store, max-age=1\r\n"
                                                     "Surrogate-Control: max-age=2, no-cache\r\n"
                                                     "CDN-Cache-Control: max-age=3\r\n");

    cr_assert_eq(control.source, FIELD_CDN_CACHE_CONTROL);
    cr_assert(control.max_age == 3 && !control.no_store && !control.no_cache);
    cr_assert(cache_control_is_targeted(&control));
    control = effective(&given, "Cache-Control: no-store, max-age=1\r\n"
                                "CDN-Cache-Control: max-age=x=3\r\n"
                                "Surrogate-Control: max-age=2\r\n");
    cr_assert_eq(control.source, FIELD_SURROGATE_CONTROL);
    cr_assert(control.max_age == 2 && !control.no_store);
    cr_assert(cache_control_is_targeted(&control));
}

Test(http_targeted, a_dictionary_says_all_that_cache_control_can)
{
    struct given         given;
    struct cache_control control =
        effective(&given, "CDN-Cache-Control: max-age=1, s-maxage=2;x=y, stale-while-revalidate=3\r\n"
                          "CDN-Cache-Control: stale-if-error=4, no-store, must-revalidate, immutable\r\n"
                          "CDN-Cache-Control: public, proxy-revalidate, must-understand=?1, foo=(1 2)\r\n"
                          "CDN-Cache-Control: no-cache=\"a, b\", private=X-B, no-transform\r\n");

    cr_assert(control.present && control.max_age == 1 && control.s_maxage == 2);
    cr_assert(control.stale_while_revalidate == 3 && control.stale_if_error == 4);
    cr_assert(control.no_store && control.must_revalidate && control.immutable && control.is_public);
    cr_assert(control.proxy_revalidate && control.must_understand && control.no_transform);
    cr_assert(given_is(control.no_cache_fields, "a, b") && given_is(control.private_fields, "X-B"));
    cr_assert_not(control.no_cache || control.is_private || control.repeated);
    control = cdn(&given, "no-cache, private");
    cr_assert(control.no_cache && control.is_private && control.s_maxage == DELTA_ABSENT);
    control = cdn(&given, "no-cache=\"a\\\"b\", private=\"\"");
    cr_assert(control.no_cache && control.is_private);
}

Test(http_targeted, seconds_of_a_dictionary)
{
    struct given given;

    cr_assert_eq(cdn(&given, "max-age=0").max_age, 0);
    cr_assert_eq(cdn(&given, "max-age=0060").max_age, 60);
    cr_assert_eq(cdn(&given, "max-age=2147483648").max_age, DELTA_MAX);
    cr_assert_eq(cdn(&given, "max-age=99999999999").max_age, DELTA_MAX);
    cr_assert_eq(cdn(&given, "max-age=999999999999999").max_age, DELTA_MAX);
    cr_assert_eq(cdn(&given, "max-age=-1").max_age, DELTA_INVALID);
    cr_assert_eq(cdn(&given, "max-age=1, max-age=2").max_age, 2); /* RFC 8941 §3.2 */
    cr_assert_eq(cdn(&given, "max-age=x, max-age=2").max_age, 2);
    cr_assert_eq(cdn(&given, "foo").source, FIELD_CDN_CACHE_CONTROL);
}

Test(http_targeted, a_dictionary_that_is_none_is_absent)
{
    static const char *const values[] = {
        "",
        ",",
        "max-age=10000, &&&&&",
        "max-age=10000,",
        "max-age =100",
        "max-age= 100",
        "MaX-aGe=3600",
        "No-Store",
        "max-age=9999999999999999",
        "\"max-age\"=1",
        "no-cache=\"a",
        "max-age=1 no-store",
        /* of the wrong type */
        "max-age=\"10000\"",
        "max-age=10.0",
        "max-age",
        "max-age=?1",
        "max-age=x",
        "max-age=(1)",
        "max-age=:MTA=:",
        "max-age=1, max-age=x",
        "max-age=1, no-store=?0",
        "max-age=1, no-store=1",
        "max-age=1, no-store=yes",
        "public=?0, max-age=1",
        "private=?0, max-age=1",
        "no-cache=1, max-age=1",
        "no-cache=(\"a\"), max-age=1",
    };
    struct given given;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct cache_control control = cdn(&given, values[i]);
        cr_assert(is_cache_control(&control), "%s", values[i]);
    }
    struct cache_control control =
        effective(&given, "Cache-Control: s-maxage=77\r\nCDN-Cache-Control: no-store\r\n"
                          "CDN-Cache-Control:\r\n");
    cr_assert(is_cache_control(&control));
}

Test(http_targeted, surrogate_control)
{
    struct given         given;
    struct cache_control control =
        surrogate(&given, "Max-Age=3600+600, content=\"ESI/1.0\", no-store-remote");

    cr_assert_eq(control.source, FIELD_SURROGATE_CONTROL);
    cr_assert(control.max_age == 3600 && control.stale_while_revalidate == 600
              && control.stale_if_error == 600);
    cr_assert(control.s_maxage == DELTA_ABSENT && !control.no_store && !control.repeated);
    control = surrogate(&given, "no-store");
    cr_assert(control.no_store && control.max_age == DELTA_ABSENT);
    control = surrogate(&given, "max-age=1+9, stale-while-revalidate=60");
    cr_assert(control.max_age == 1 && control.stale_while_revalidate == 60 && control.stale_if_error == 9);
    cr_assert_not(control.repeated);
    control = surrogate(&given, "max-age=1+9, max-age=2+8, max-age=3");
    cr_assert(control.max_age == 1 && control.stale_if_error == 9 && control.repeated);
    control = surrogate(&given, "stale-if-error=7, max-age=1");
    cr_assert(control.stale_if_error == 7 && control.stale_while_revalidate == DELTA_ABSENT);
}

Test(http_targeted, surrogate_control_aimed_at_another)
{
    struct given         given;
    struct cache_control control = surrogate(&given, "max-age=1;abc, max-age=2, no-store ; squid");

    cr_assert(control.max_age == 2 && !control.no_store);
    control = surrogate(&given, "no-store;abc");
    cr_assert(is_cache_control(&control));
}

Test(http_targeted, surrogate_control_that_says_nothing_is_absent)
{
    static const char *const values[] = {
        "", ",", "content=\"ESI/1.0\"", "no-store-remote", "x=max-age", "content=\"max-age=5, no-store;x\""
    };
    struct given given;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct cache_control control = surrogate(&given, values[i]);
        cr_assert(is_cache_control(&control), "%s", values[i]);
    }
}

Test(http_targeted, surrogate_control_that_is_malformed_is_not_fresh)
{
    static const char *const values[] = { "max-age",    "max-age=",      "max-age=x",      "max-age=\"x\"",
                                          "max-age=-1", "max-age=+60",   "max-age=60+",    "max-age=6 0",
                                          "max-age=+",  "max-age =60+1", "max-age=\"1+1\"" };
    struct given             given;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        cr_assert_eq(surrogate(&given, values[i]).max_age, DELTA_INVALID, "%s", values[i]);
    struct cache_control control = surrogate(&given, "max-age=60+x");
    cr_assert(control.max_age == 60 && control.stale_while_revalidate == DELTA_INVALID);
    control = surrogate(&given, "max-age=60+1+1");
    cr_assert(control.max_age == 60 && control.stale_if_error == DELTA_INVALID);
    control = surrogate(&given, "max-age=99999999999+99999999999");
    cr_assert(control.max_age == DELTA_MAX && control.stale_if_error == DELTA_MAX);
    control = surrogate(&given, "max-age=60, x=\"no-store");
    cr_assert(control.no_store);
}
