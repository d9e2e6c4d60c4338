/* test_date.c: the three formats, what is no date, and the calendar at its edges. */
#include <criterion/criterion.h>
#include <larder/http/date.h>

#include <time.h>

/* 2024-06-01 00:00:00. */
#define NOW ((wall_time){ INT64_C(1717200000) * NSEC_PER_SEC })

struct dated {
    const char *text;
    int64_t     seconds;
};

static const struct dated good[] = {
    { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
    { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
    { "Sun Nov  6 08:49:37 1994", 784111777 },
    { "sUN, 06 nOV 1994 08:49:37 gmt", 784111777 },
    { "SUNDAY, 06-NOV-94 08:49:37 GMT", 784111777 },
    { "sun nov  6 08:49:37 1994", 784111777 },
    { "Wed, 06 Nov 1994 08:49:37 GMT", 784111777 }, /* another weekday */
    { "Wednesday, 06-Nov-94 08:49:37 GMT", 784111777 },
    { "Thu Nov 06 08:49:37 1994", 784111777 }, /* asctime with 2DIGIT */
    { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
    { "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
    { "Fri, 13 Dec 1901 20:45:51 GMT", INT64_C(-2147483649) },
    { "Tue, 19 Jan 2038 03:14:08 GMT", INT64_C(2147483648) },
    { "Sat, 29 Feb 2000 23:59:60 GMT", 951868800 }, /* a leap second */
    { "Thu, 29 Feb 2024 00:00:00 GMT", 1709164800 },
    { "Sat, 01 Jan 0000 00:00:00 GMT", INT64_C(-62167219200) },
    { "Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799) },
};

static const char *const bad[] = {
    "",
    "0",
    "-1",
    "784111777",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 ",
    "Sun, 06 Nov 1994 08:49:37 GM",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMTx",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 EST",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 06 Nov 1994 08:49:37 Feb", /* as long as a month's name */
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 19940 8:49:37 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994  8:49:37 GMT",
    "Sun, 06 Nov 1994 08:49 GMT",
    "Sun, 06 Nov 1994 08.49.37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun,06 Nov 1994 08:49:37 GMT",
    "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun,\t06 Nov 1994 08:49:37 GMT",
    "06 Nov 1994 08:49:37 GMT",
    "Xyz, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 November 1994 08:49:37 GMT",
    "Sun, 06 Nvo 1994 08:49:37 GMT",
    "Sun, 06 11 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 32 Dec 1994 08:49:37 GMT",
    "Sun, 29 Feb 1900 08:49:37 GMT",
    "Sun, 29 Feb 2023 08:49:37 GMT",
    "Sun, 30 Feb 2024 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov -994 08:49:37 GMT",
    "Sun, +6 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sunday, 06 Nov 94 08:49:37 GMT",
    "Sunday,06-Nov-94 08:49:37 GMT",
    "Sunday 06-Nov-94 08:49:37 GMT",
    "Sonntag, 06-Nov-94 08:49:37 GMT",
    "Sunday",
    "Sunday, ",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov   08:49:37 1994",
    "Sun Nov  6 08:49:37 94",
    "Sun Nov  0 08:49:37 1994",
    "1994-11-06T08:49:37Z",
};

Test(http_date, three_formats)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t seconds = 42;
        cr_assert(date_parse(span_of_text(good[i].text), NOW, &seconds), "%s", good[i].text);
        cr_assert_eq(seconds, good[i].seconds, "%s: %lld", good[i].text, (long long)seconds);
    }
}

Test(http_date, anything_else_is_no_date)
{
    int64_t seconds;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(date_parse(span_of_text(bad[i]), NOW, &seconds), "'%s'", bad[i]);
    cr_assert_not(date_parse(SPAN_EMPTY, NOW, &seconds));
    cr_assert_not(date_parse(span_of("Sun, 06 Nov 1994 08:49:37 GMT\0", 30), NOW, &seconds));
    cr_assert_not(date_parse(span_of("Sun, 06 Nov 1994\00008:49:37 GMT", 29), NOW, &seconds));
}

Test(http_date, every_prefix_of_a_date_is_none)
{
    for (size_t i = 0; i < 3; i++)
        for (size_t length = 0; length < strlen(good[i].text); length++) {
            int64_t seconds;
            cr_assert_not(date_parse(span_of(good[i].text, length), NOW, &seconds));
        }
}

static int64_t
seconds_at(const char *text, int64_t now)
{
    int64_t seconds = 0;
    cr_assert(date_parse(span_of_text(text), (wall_time){ now * NSEC_PER_SEC }, &seconds), "%s", text);
    return seconds;
}

/* RFC 9110 §5.6.7. Seen from 2024-06-01: what lies beyond 2074-06-01 is of the last century. */
Test(http_date, two_digit_years_are_at_most_fifty_years_ahead)
{
    int64_t now = NOW.ns / NSEC_PER_SEC;

    cr_assert_eq(seconds_at("Friday, 01-Jun-74 00:00:00 GMT", now),
                 seconds_at("Fri, 01 Jun 2074 00:00:00 GMT", now));
    cr_assert_eq(seconds_at("Friday, 01-Jun-74 00:00:01 GMT", now),
                 seconds_at("Sat, 01 Jun 1974 00:00:01 GMT", now));
    cr_assert_eq(seconds_at("Monday, 01-Jan-24 00:00:00 GMT", now),
                 seconds_at("Mon, 01 Jan 2024 00:00:00 GMT", now));
    cr_assert_eq(seconds_at("Monday, 01-Jan-00 00:00:00 GMT", now),
                 seconds_at("Sat, 01 Jan 2000 00:00:00 GMT", now));
    cr_assert_eq(seconds_at("Monday, 01-Jan-99 00:00:00 GMT", now),
                 seconds_at("Fri, 01 Jan 1999 00:00:00 GMT", now));
}

Test(http_date, two_digit_years_seen_from_other_centuries)
{
    int64_t in_1999 = 930787200, in_2060 = INT64_C(2855692800), in_1969 = -15724800;

    cr_assert_eq(seconds_at("Monday, 01-Jan-05 00:00:00 GMT", in_1999),
                 seconds_at("Mon, 01 Jan 2005 00:00:00 GMT", 0));
    cr_assert_eq(seconds_at("Monday, 01-Jan-05 00:00:00 GMT", in_2060),
                 seconds_at("Mon, 01 Jan 2105 00:00:00 GMT", 0));
    cr_assert_eq(seconds_at("Monday, 01-Jan-20 00:00:00 GMT", in_1969),
                 seconds_at("Thu, 01 Jan 1920 00:00:00 GMT", 0));
    cr_assert_eq(seconds_at("Tuesday, 29-Feb-72 00:00:00 GMT", in_1999),
                 seconds_at("Tue, 29 Feb 1972 00:00:00 GMT", 0));
}

static struct span
written(int64_t seconds, char out[static DATE_SIZE])
{
    date_format(seconds, out);
    return span_of(out, DATE_SIZE);
}

Test(http_date, dates_are_written_as_imf_fixdate)
{
    char out[DATE_SIZE];

    cr_assert(span_equal(written(784111777, out), SPAN("Sun, 06 Nov 1994 08:49:37 GMT")));
    cr_assert(span_equal(written(0, out), SPAN("Thu, 01 Jan 1970 00:00:00 GMT")));
    cr_assert(span_equal(written(-1, out), SPAN("Wed, 31 Dec 1969 23:59:59 GMT")));
    cr_assert(span_equal(written(INT64_C(253402300799), out), SPAN("Fri, 31 Dec 9999 23:59:59 GMT")));
    cr_assert(span_equal(written(INT64_C(253402300800), out), SPAN("Fri, 31 Dec 9999 23:59:59 GMT")));
    cr_assert(span_equal(written(INT64_MAX, out), SPAN("Fri, 31 Dec 9999 23:59:59 GMT")));
    cr_assert(span_equal(written(INT64_C(-62167219200), out), SPAN("Sat, 01 Jan 0000 00:00:00 GMT")));
    cr_assert(span_equal(written(INT64_MIN, out), SPAN("Sat, 01 Jan 0000 00:00:00 GMT")));
}

/* The libc's calendar, over more than a whole era of 400 years. */
Test(http_date, the_calendar_is_that_of_the_libc)
{
    for (int64_t day = -200000; day < 200000; day++) {
        time_t    seconds = (time_t)(day * 86400 + (day % 86400 + 86400) % 86400);
        struct tm tm;
        char      theirs[64], ours[DATE_SIZE];
        int64_t   back;

        cr_assert_not_null(gmtime_r(&seconds, &tm));
        if (tm.tm_year + 1900 < 1000)
            continue;
        cr_assert_eq(strftime(theirs, sizeof theirs, "%a, %d %b %Y %H:%M:%S GMT", &tm), DATE_SIZE);
        cr_assert(span_equal(written(seconds, ours), span_of(theirs, DATE_SIZE)), "%s", theirs);
        cr_assert(date_parse(span_of(ours, DATE_SIZE), NOW, &back));
        cr_assert_eq(back, seconds);
    }
}
