/* test_negotiate.c: weights, and one form for equal wishes. */
#include <criterion/criterion.h>
#include <larder/http/negotiate.h>

#include "given.h"

Test(http_negotiate, weights)
{
    static const struct {
        const char *member, *name;
        unsigned    weight;
    } rows[] = {
        { "gzip", "gzip", 1000 },
        { "gzip;q=1", "gzip", 1000 },
        { "gzip;q=1.", "gzip", 1000 },
        { "gzip;q=1.000", "gzip", 1000 },
        { "gzip;q=0", "gzip", 0 },
        { "gzip;q=0.", "gzip", 0 },
        { "gzip;q=0.000", "gzip", 0 },
        { "gzip;q=0.5", "gzip", 500 },
        { "gzip;q=0.05", "gzip", 50 },
        { "gzip;q=0.123", "gzip", 123 },
        { "gzip;q=0.999", "gzip", 999 },
        { "gzip \t; Q=0.5", "gzip", 500 },
        { "a;level=1;q=0.5;q=0.1", "a", 500 },
        { "a;x=\"q=0.1;q=0.2\";q=0.5", "a", 500 },
        { "a;x=\"\\\";q=0.2\";q=0.5", "a", 500 },
        { ";q=0.5", "", 500 },
        { "", "", 1000 },
        /* what breaks the grammar weighs 1 */
        { "gzip;q=", "gzip", 1000 },
        { "gzip;q=2", "gzip", 1000 },
        { "gzip;q=1.5", "gzip", 1000 },
        { "gzip;q=0.1234", "gzip", 1000 },
        { "gzip;q=0,5", "gzip", 1000 },
        { "gzip;q=.5", "gzip", 1000 },
        { "gzip;q=00", "gzip", 1000 },
        { "gzip;q=-0", "gzip", 1000 },
        { "gzip;q=0.x", "gzip", 1000 },
        { "gzip;q=\"0\"", "gzip", 1000 },
        { "gzip;q =0", "gzip", 1000 },
        { "gzip;x=\"", "gzip", 1000 },
        { "gzip;x=\"\\", "gzip", 1000 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span name;
        unsigned    weight = weight_of(span_of_text(rows[i].member), &name);
        cr_assert_eq(weight, rows[i].weight, "%s: %u", rows[i].member, weight);
        cr_assert(given_is(name, rows[i].name), "%s", rows[i].member);
    }
}

static unsigned
quality(const char *fields, const char *coding)
{
    struct given given;
    return accept_encoding_quality(given_request(&given, "GET / HTTP/1.1", fields), span_of_text(coding));
}

Test(http_negotiate, quality_of_a_coding)
{
    cr_assert_eq(quality("", "identity"), 1000);
    cr_assert_eq(quality("", "gzip"), 0);
    cr_assert_eq(quality("Accept-Encoding:\r\n", "gzip"), 0);
    cr_assert_eq(quality("Accept-Encoding:\r\n", "identity"), 1000);
    cr_assert_eq(quality("Accept-Encoding: GZIP\r\n", "gzip"), 1000);
    cr_assert_eq(quality("Accept-Encoding: br\r\nAccept-Encoding: gzip;q=0.3\r\n", "gzip"), 300);
    cr_assert_eq(quality("Accept-Encoding: x-gzip;q=0.4\r\n", "gzip"), 400);
    cr_assert_eq(quality("Accept-Encoding: gzip;q=0.4\r\n", "X-Gzip"), 400);
    cr_assert_eq(quality("Accept-Encoding: gzip;q=0.4, gzip\r\n", "gzip"), 400);
    cr_assert_eq(quality("Accept-Encoding: *;q=0.2\r\n", "gzip"), 200);
    cr_assert_eq(quality("Accept-Encoding: *;q=0.2, gzip;q=0\r\n", "gzip"), 0);
    cr_assert_eq(quality("Accept-Encoding: gzip\r\n", "identity"), 1000);
    cr_assert_eq(quality("Accept-Encoding: gzip, identity;q=0\r\n", "identity"), 0);
    cr_assert_eq(quality("Accept-Encoding: gzip, *;q=0\r\n", "identity"), 0);
    cr_assert_eq(quality("Accept-Encoding: identity;q=0.1, *;q=0\r\n", "identity"), 100);
    cr_assert_eq(quality("Accept-Encoding: gzipp\r\n", "gzip"), 0);
}

Test(http_negotiate, equal_wishes_have_one_form)
{
    static const struct {
        const char *fields, *form;
    } rows[] = {
        { "", "identity" },
        { "Accept-Encoding:\r\n", "identity" },
        { "Accept-Encoding: identity\r\n", "identity" },
        { "Accept-Encoding: compress, foo\r\n", "identity" },
        { "Accept-Encoding: gzip;q=0\r\n", "identity" },
        { "Accept-Encoding: gzip\r\n", "gzip" },
        { "Accept-Encoding: X-GZIP\r\n", "gzip" },
        { "Accept-Encoding: gzip, deflate, br, zstd\r\n", "br,deflate,gzip,zstd" },
        { "Accept-Encoding: zstd;q=0.1,br\r\nAccept-Encoding: gzip;q=0.2\r\n", "br,gzip,zstd" },
        { "Accept-Encoding: *\r\n", "br,deflate,gzip,zstd" },
        { "Accept-Encoding: *, deflate;q=0.0\r\n", "br,gzip,zstd" },
        { "Accept-Encoding: *;q=0, br\r\n", "br,identity;q=0" },
        { "Accept-Encoding: identity;q=0, gzip\r\n", "gzip,identity;q=0" },
        { "Accept-Encoding: identity;q=0.0, *\r\n", "br,deflate,gzip,zstd,identity;q=0" },
        { "Accept-Encoding: identity;q=0\r\n", "identity;q=0" },
        { "Accept-Encoding: *;q=0, identity;q=0.1\r\n", "identity" },
        { "Accept-Encoding: gzip, identity;q=0.1\r\n", "gzip" },
        { "Accept-Encoding: gzip, x-gzip;q=0\r\n", "gzip" },
        { "Accept-Encoding: gzip;q=0, *\r\n", "br,deflate,zstd" },
        { "Accept-Encoding: deflate, gzip;q=1.0, *;q=0.5\r\n", "br,deflate,gzip,zstd" },
    };
    struct given given;
    char         out[ACCEPT_ENCODING_SIZE];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span form =
            accept_encoding_normalise(given_request(&given, "GET / HTTP/1.1", rows[i].fields), out);
        cr_assert(given_is(form, rows[i].form), "%s: %s", rows[i].fields, out);
        cr_assert_eq(form.at, out);
        cr_assert_str_eq(out, rows[i].form);
    }
}
