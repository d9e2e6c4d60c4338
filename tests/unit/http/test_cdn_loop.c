/* test_cdn_loop.c: who was here before. */
#include <criterion/criterion.h>
#include <larder/http/cdn_loop.h>

#include "given.h"

Test(http_cdn_loop, members_are_counted)
{
    static const struct {
        const char *fields;
        unsigned    count;
    } rows[] = {
        { "", 0 },
        { "CDN-Loop:\r\n", 0 },
        { "CDN-Loop: larder\r\n", 1 },
        { "CDN-Loop: foo, Larder;v=1, bar\r\n", 1 },
        { "CDN-Loop: foo;x=\"a, larder\"\r\n", 0 },
        { "CDN-Loop: larder2, xlarder, larder:80\r\n", 0 },
        { "CDN-Loop: foo;larder\r\n", 0 },
        { "CDN-Loop: larder ; a=b\r\ncdn-loop: foo,larder\r\n", 2 },
        { "Via: larder\r\n", 0 },
    };
    struct given given;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_eq(cdn_loop_count(given_request(&given, "GET / HTTP/1.1", rows[i].fields), SPAN("larder")),
                     rows[i].count, "%s", rows[i].fields);
    cr_assert_eq(cdn_loop_count(given_request(&given, "GET / HTTP/1.1", "CDN-Loop: a.example:8080\r\n"),
                                SPAN("A.example:8080")),
                 1);
}
