/* test_age.c: what is an Age, and what is ignored. */
#include <criterion/criterion.h>
#include <larder/http/age.h>

#include "given.h"

Test(http_age, seconds)
{
    static const struct {
        const char *fields;
        int64_t     seconds; /* -1: ignored */
    } rows[] = {
        { "", -1 },
        { "Age: 0\r\n", 0 },
        { "Age: 7200\r\n", 7200 },
        { "age:   007200  \r\n", 7200 },
        { "Age: 2147483647\r\n", 2147483647 },
        { "Age: 2147483648\r\n", INT64_C(2147483648) },
        { "Age: 2147483649\r\n", INT64_C(2147483648) },
        { "Age: 99999999999999999999999999999999\r\n", INT64_C(2147483648) },
        { "Age: 1, 7200\r\n", 1 },
        { "Age: 7200, x\r\n", 7200 },
        { "Age: ,5\r\n", 5 },
        { "Age: 0\r\nAge: 7200\r\n", 0 },
        { "Age: x\r\nAge: 7200\r\n", -1 },
        { "Age: x, 7200\r\n", -1 },
        { "Age:\r\nAge: 7200\r\n", -1 },
        { "Age:\r\n", -1 },
        { "Age: ,\r\n", -1 },
        { "Age: -1\r\n", -1 },
        { "Age: +1\r\n", -1 },
        { "Age: 1.5\r\n", -1 },
        { "Age: 1 2\r\n", -1 },
        { "Age: 7200s\r\n", -1 },
        { "Age: a7200\r\n", -1 },
        { "Age: 7200;foo=bar\r\n", -1 },
        { "Age: \"7200\"\r\n", -1 },
        { "Age: 0x10\r\n", -1 },
        { "Age: 1e3\r\n", -1 },
    };
    struct given given;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t seconds = -1;
        bool    valid = age_parse(given_response(&given, "HTTP/1.1 200 OK", rows[i].fields), &seconds);
        cr_assert_eq(valid, rows[i].seconds >= 0, "%s", rows[i].fields);
        cr_assert_eq(seconds, rows[i].seconds, "%s: %lld", rows[i].fields, (long long)seconds);
    }
}
