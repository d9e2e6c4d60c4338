/* test_range.c: which Range fields are understood, and what they ask for of a known length. */
#include <criterion/criterion.h>
#include <larder/http/range.h>

#include "given.h"

#define HUGE "99999999999999999999999999"

/* The set as text, "5-" as 5..-1, or the error's name. */
static const char *
specs_of(const char *value, char out[static 512])
{
    struct range_set set;
    size_t           length = 0;
    enum err         err = range_parse(span_of_text(value), &set);

    if (err != ERR_NONE) {
        cr_assert_eq(set.count, 0);
        return err_name(err);
    }
    cr_assert(set.count > 0 && set.count <= RANGES_MAX);
    for (unsigned i = 0; i < set.count; i++)
        length += (size_t)snprintf(out + length, 512 - length, "%s%lld..%lld", i > 0 ? " " : "",
                                   (long long)set.spec[i].first, (long long)set.spec[i].last);
    return out;
}

Test(http_range, the_field)
{
    static const struct {
        const char *value, *specs;
    } rows[] = {
        { "bytes=0-0", "0..0" },
        { "bytes=0-499", "0..499" },
        { "bytes=00-0499", "0..499" },
        { "bytes=500-", "500..-1" },
        { "bytes=-500", "-1..500" },
        { "bytes=-0", "-1..0" },
        { "BYTES=1-2", "1..2" },
        { "bytes=0-1,5-,-3", "0..1 5..-1 -1..3" },
        { "bytes=0-1 ,\t5-6", "0..1 5..6" },
        { "bytes=,0-1,,2-3,", "0..1 2..3" }, /* empty members: RFC 9110 §5.6.1.2 */
        { "bytes=9223372036854775806-9223372036854775807", "9223372036854775806..9223372036854775807" },
        { "bytes=0-" HUGE, "0..9223372036854775807" },
        { "bytes=" HUGE "-", "9223372036854775807..-1" },
        { "bytes=-" HUGE, "-1..9223372036854775807" },
        { "bytes=0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1", "limit" },
        { "lines=0-1", "unsupported" },
        { "bytes-x=0-1", "unsupported" },
        { "none=", "unsupported" },
        { "", "syntax" },
        { "bytes", "syntax" },
        { "bytes=", "syntax" },
        { "bytes=,", "syntax" },
        { "bytes=-", "syntax" },
        { "bytes=0", "syntax" },
        { "bytes=a-b", "syntax" },
        { "bytes=0-1x", "syntax" },
        { "bytes=0x0-1", "syntax" },
        { "bytes=0-1-2", "syntax" },
        { "bytes=--1", "syntax" },
        { "bytes=+1-2", "syntax" },
        { "bytes=2-1", "syntax" },
        { "bytes=0-1,2-1", "syntax" },
        { "bytes=0-1;2-3", "syntax" },
        { "bytes=0 -1", "syntax" },
        { "bytes= 0-1", "syntax" },
        { "bytes =0-1", "syntax" },
        { "bytes:0-1", "syntax" },
        { "bytes 0-1", "syntax" },
        { "=0-1", "syntax" },
        { "bytes=\"0-1\"", "syntax" },
        { "bytes=0-1,x,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1,0-1", "syntax" },
    };
    char out[512];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *specs = specs_of(rows[i].value, out);
        cr_assert_str_eq(specs, rows[i].specs, "%s: %s", rows[i].value, specs);
    }
}

Test(http_range, one_line_and_no_more)
{
    struct given     given;
    struct range_set set;

    cr_assert_eq(range_find(given_request(&given, "GET / HTTP/1.1", ""), &set), ERR_NOT_FOUND);
    cr_assert_eq(range_find(given_request(&given, "GET / HTTP/1.1", "Range: bytes=1-\r\n"), &set), ERR_NONE);
    cr_assert_eq(set.count, 1);
    cr_assert_eq(
        range_find(given_request(&given, "GET / HTTP/1.1", "Range: bytes=1-\r\nRange: bytes=1-\r\n"), &set),
        ERR_SYNTAX);
}

static const char *
ranges_of(const char *value, int64_t length, char out[static 512])
{
    struct range_set  set;
    struct byte_range ranges[RANGES_MAX];
    unsigned          count;
    size_t            size = 0;

    cr_assert_eq(range_parse(span_of_text(value), &set), ERR_NONE, "%s", value);
    enum err err = range_resolve(&set, length, ranges, &count);
    if (err != ERR_NONE)
        return err_name(err);
    cr_assert(count > 0);
    for (unsigned i = 0; i < count; i++)
        size += (size_t)snprintf(out + size, 512 - size, "%s%lld-%lld", i > 0 ? " " : "",
                                 (long long)ranges[i].first, (long long)ranges[i].last);
    return out;
}

Test(http_range, against_a_length)
{
    static const struct {
        const char *value;
        int64_t     length;
        const char *ranges;
    } rows[] = {
        { "bytes=0-0", 1, "0-0" },
        { "bytes=0-499", 1000, "0-499" },
        { "bytes=0-999", 1000, "0-999" },
        { "bytes=0-1000", 1000, "0-999" },
        { "bytes=0-" HUGE, 1000, "0-999" },
        { "bytes=999-", 1000, "999-999" },
        { "bytes=1000-", 1000, "range" },
        { "bytes=" HUGE "-", 1000, "range" },
        { "bytes=" HUGE "-", INT64_MAX, "range" },
        { "bytes=0-" HUGE, INT64_MAX, "0-9223372036854775806" },
        { "bytes=-1", 1000, "999-999" },
        { "bytes=-1000", 1000, "0-999" },
        { "bytes=-1001", 1000, "0-999" },
        { "bytes=-" HUGE, 1000, "0-999" },
        { "bytes=-0", 1000, "range" },
        { "bytes=-0,5-5", 1000, "5-5" },
        { "bytes=2000-,0-0", 1000, "0-0" },
        { "bytes=2000-,3000-", 1000, "range" },
        /* an empty representation */
        { "bytes=0-", 0, "range" },
        { "bytes=-0", 0, "range" },
        { "bytes=-5", 0, "unsupported" },
        { "bytes=0-,-5", 0, "unsupported" },
        /* several: in their order, but for what overlaps or touches */
        { "bytes=500-599,0-99", 1000, "500-599 0-99" },
        { "bytes=0-99,100-199", 1000, "0-199" },
        { "bytes=100-199,0-99", 1000, "0-199" },
        { "bytes=0-99,101-199", 1000, "0-99 101-199" },
        { "bytes=0-99,50-149", 1000, "0-149" },
        { "bytes=0-99,0-99", 1000, "0-99" },
        { "bytes=0-999,500-599", 1000, "0-999" },
        { "bytes=0-99,200-299,100-199", 1000, "0-299" },
        { "bytes=200-299,0-99,100-199", 1000, "0-299" },
        { "bytes=900-949,200-299,0-99,400-499,100-199", 1000, "900-949 0-299 400-499" },
        { "bytes=900-,-5", 1000, "900-999" },
        /* more than two that overlap */
        { "bytes=0-,0-,0-", 1000, "limit" },
        { "bytes=0-99,50-149,140-200", 1000, "limit" },
        { "bytes=0-1,0-1,500-600,500-600", 1000, "limit" },
        /* many small ones: in order they are asked for by readers of archives, out of order by nobody */
        { "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12", 1000, "0-0 2-2 4-4 6-6 8-8 10-10 12-12" },
        { "bytes=12-12,2-2,4-4,6-6,8-8", 1000, "limit" },
        { "bytes=0-0,2-2,4-4,8-8,6-6", 1000, "limit" },
        { "bytes=12-12,2-2,4-4,6-6", 1000, "12-12 2-2 4-4 6-6" },
        { "bytes=800-878,600-678,400-478,200-278,0-78", 1000, "limit" },
        { "bytes=800-879,600-679,400-479,200-279,0-79", 1000, "800-879 600-679 400-479 200-279 0-79" },
    };
    char out[512];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *ranges = ranges_of(rows[i].value, rows[i].length, out);
        cr_assert_str_eq(ranges, rows[i].ranges, "%s of %lld: %s", rows[i].value, (long long)rows[i].length,
                         ranges);
    }
}

/* Against a bitmap: the same bytes, and no two ranges that touch. */
Test(http_range, the_ranges_are_the_bytes_that_were_asked_for)
{
    enum { LENGTH = 64 };
    uint32_t state = 7;

    for (unsigned round = 0; round < 20000; round++) {
        struct range_set  set = { .count = 1 + given_random(&state) % RANGES_MAX };
        struct byte_range ranges[RANGES_MAX];
        bool              asked[LENGTH] = { 0 };
        unsigned          count, bytes = 0, sent = 0;
        for (unsigned i = 0; i < set.count; i++) {
            int64_t first = given_random(&state) % (LENGTH + 8);
            set.spec[i] = (struct range_spec){ first, first + given_random(&state) % 8 };
            for (int64_t at = first; at <= set.spec[i].last && at < LENGTH; at++)
                asked[at] = true;
        }
        for (unsigned at = 0; at < LENGTH; at++)
            bytes += asked[at];
        enum err err = range_resolve(&set, LENGTH, ranges, &count);
        cr_assert_eq(err == ERR_RANGE, bytes == 0);
        if (err != ERR_NONE)
            continue;
        for (unsigned i = 0; i < count; i++) {
            cr_assert(ranges[i].first <= ranges[i].last && ranges[i].last < LENGTH);
            cr_assert(ranges[i].first == 0 || !asked[ranges[i].first - 1]);
            cr_assert(ranges[i].last == LENGTH - 1 || !asked[ranges[i].last + 1]);
            sent += (unsigned)(ranges[i].last - ranges[i].first + 1);
            for (int64_t at = ranges[i].first; at <= ranges[i].last; at++)
                cr_assert(asked[at]);
        }
        cr_assert_eq(sent, bytes);
    }
}
