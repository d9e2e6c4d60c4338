/* test_freshness.c: how old an answer is and how long it is fresh, source by source, with the clock moved by hand. */
#include "cache_test.h"
#include "freshness.h"

#include <larder/http/date.h>

/* 2044: beyond what 32 bits of seconds can say. */
#define DATE "Date: Sun, 06 Nov 2044 08:49:37 GMT\r\n"
#define DATE_SECONDS INT64_C(2362034977)
#define EXPIRES_30 "Expires: Sun, 06 Nov 2044 08:50:07 GMT\r\n"
#define MODIFIED_100 "Last-Modified: Sun, 06 Nov 2044 08:47:57 GMT\r\n"

static const struct cache_settings settings = { .ttl = 120 * NSEC_PER_SEC };

static enum lifetime_source
lifetime_of(const struct cache_settings *with, const char *status, const char *said, int64_t received,
            nsec *lifetime)
{
    struct test_memory   memory;
    struct test_head     response;
    struct cache_control control;

    memory_begin(&memory);
    cache_control_effective(parse_head(&response, &memory.arena, status, said), &control);
    enum lifetime_source source =
        freshness_lifetime(&response.head, &control, with, wall_from_seconds(received), lifetime);
    memory_end(&memory);
    return source;
}

struct lifetime_case {
    const char          *said;
    int64_t              seconds;
    enum lifetime_source source;
};

static void
check_lifetimes(const struct lifetime_case *cases, size_t count, int64_t received)
{
    for (size_t i = 0; i < count; i++) {
        nsec                 lifetime;
        enum lifetime_source source =
            lifetime_of(&settings, "HTTP/1.1 200 OK", cases[i].said, received, &lifetime);
        cr_assert_eq(lifetime, cases[i].seconds * NSEC_PER_SEC, "%s: %lld ns", cases[i].said,
                     (long long)lifetime);
        cr_assert_eq(source, cases[i].source, "%s: %s", cases[i].said, lifetime_source_name(source));
    }
}
#define check(cases, received) check_lifetimes(cases, sizeof(cases) / sizeof(cases)[0], received)

Test(cache_freshness, the_first_source_that_is_there_decides)
{
    static const struct lifetime_case cases[] = {
        { DATE EXPIRES_30 MODIFIED_100 "Cache-Control: max-age=2, s-maxage=1\r\n", 1, LIFETIME_S_MAXAGE },
        { DATE EXPIRES_30 MODIFIED_100 "Cache-Control: max-age=2\r\n", 2, LIFETIME_MAX_AGE },
        { DATE EXPIRES_30 MODIFIED_100, 30, LIFETIME_EXPIRES },
        { DATE MODIFIED_100, 10, LIFETIME_HEURISTIC },
        { DATE, 120, LIFETIME_DEFAULT },
        /* also when it says "not at all", or nothing that can be read */
        { DATE EXPIRES_30 "Cache-Control: max-age=60, s-maxage=0\r\n", 0, LIFETIME_S_MAXAGE },
        { DATE EXPIRES_30 "Cache-Control: max-age=60, s-maxage=x\r\n", 0, LIFETIME_S_MAXAGE },
        { DATE EXPIRES_30 "Cache-Control: max-age=x\r\n", 0, LIFETIME_MAX_AGE },
        { DATE MODIFIED_100 "Expires: 0\r\n", 0, LIFETIME_EXPIRES },
        { DATE MODIFIED_100 "Expires:\r\n", 0, LIFETIME_EXPIRES },
    };
    check(cases, DATE_SECONDS);
}

Test(cache_freshness, numbers_of_seconds)
{
    static const struct lifetime_case cases[] = {
        { "Cache-Control: MAX-AGE=7\r\n", 7, LIFETIME_MAX_AGE },
        { "Cache-Control: public\r\nCache-Control: max-age=7\r\n", 7, LIFETIME_MAX_AGE },
        { "Cache-Control: ext=\"max-age=3600\", max-age=1\r\n", 1, LIFETIME_MAX_AGE },
        { "Cache-Control: unknown, other=5, max-age=7\r\n", 7, LIFETIME_MAX_AGE },
        { "Cache-Control: max-age=007\r\n", 7, LIFETIME_MAX_AGE },
        { "Cache-Control: max-age=2147483648\r\n", INT64_C(2147483648), LIFETIME_MAX_AGE },
        { "Cache-Control: max-age=2147483649\r\n", INT64_C(2147483648), LIFETIME_MAX_AGE },
        { "Cache-Control: max-age=99999999999999999999999\r\n", INT64_C(2147483648), LIFETIME_MAX_AGE },
        { "Cache-Control: max-age=60, max-age=10\r\n", 60, LIFETIME_MAX_AGE }, /* RFC 9111 §4.2.1 */
        { "Cache-Control: max-age=-1\r\n", 0, LIFETIME_MAX_AGE },
        { "Cache-Control: max-age=\"60\"\r\n", 60, LIFETIME_MAX_AGE },
        { "Cache-Control: max-age =60\r\n", 0, LIFETIME_MAX_AGE },
        { "Cache-Control: max-age=1.5\r\n", 0, LIFETIME_MAX_AGE },
        { "Cache-Control: max-age=\r\n", 0, LIFETIME_MAX_AGE },
        { "Cache-Control: max-age\r\n", 0, LIFETIME_MAX_AGE },
        { "Cache-Control: max-age=60s\r\n", 0, LIFETIME_MAX_AGE },
    };
    check(cases, DATE_SECONDS);
}

Test(cache_freshness, expires_counts_from_date)
{
    static const struct lifetime_case cases[] = {
        { DATE "Expires: Sunday, 06-Nov-44 08:50:07 GMT\r\n", 30, LIFETIME_EXPIRES },
        { DATE "Expires: Sun Nov  6 08:50:07 2044\r\n", 30, LIFETIME_EXPIRES },
        { DATE "Expires: sun, 06 nov 2044 08:50:07 gmt\r\n", 30, LIFETIME_EXPIRES },
        { DATE "Expires: Fri, 31 Dec 9999 23:59:59 GMT\r\n", INT64_C(2147483648), LIFETIME_EXPIRES },
        { DATE "Expires: Sun, 06 Nov 2044 08:49:37 GMT\r\n", 0, LIFETIME_EXPIRES },
        { DATE "Expires: Sun, 06 Nov 2044 08:49:36 GMT\r\n", 0, LIFETIME_EXPIRES },
        { DATE "Expires: Sat, 01 Jan 0000 00:00:00 GMT\r\n", 0, LIFETIME_EXPIRES },
        { DATE EXPIRES_30 EXPIRES_30, 0, LIFETIME_EXPIRES },
        { DATE "Expires: -1\r\n", 0, LIFETIME_EXPIRES },
        { DATE "Expires: Sun, 06 Nov 2044 08:50:07 UTC\r\n", 0, LIFETIME_EXPIRES },
        { DATE "Expires: Sun, 06 Nov 2044 08:50:07 +0000\r\n", 0, LIFETIME_EXPIRES },
        { DATE "Expires: Thu, 31 Nov 2044 08:50:07 GMT\r\n", 0, LIFETIME_EXPIRES },
        /* without a Date that is one, from when it came */
        { EXPIRES_30, 30, LIFETIME_EXPIRES },
        { "Date: nonsense\r\n" EXPIRES_30, 30, LIFETIME_EXPIRES },
    };
    check(cases, DATE_SECONDS);
    /* Both may be in the future of our clock: only their difference counts. */
    static const struct lifetime_case ahead[] = { { DATE EXPIRES_30, 30, LIFETIME_EXPIRES },
                                                  { EXPIRES_30, 3630, LIFETIME_EXPIRES } };
    check(ahead, DATE_SECONDS - 3600);
}

Test(cache_freshness, targeted_fields_replace_cache_control_and_expires)
{
    static const struct lifetime_case cases[] = {
        { DATE EXPIRES_30 "CDN-Cache-Control: max-age=5\r\nCache-Control: s-maxage=60\r\n", 5,
          LIFETIME_MAX_AGE },
        { DATE EXPIRES_30 "CDN-Cache-Control: public\r\n", 120, LIFETIME_DEFAULT },
        { DATE "CDN-Cache-Control: max-age=5, max-age=6\r\n", 6, LIFETIME_MAX_AGE }, /* RFC 8941 §3.2 */
        { DATE "CDN-Cache-Control: max-age=-5\r\nCache-Control: max-age=60\r\n", 0, LIFETIME_MAX_AGE },
        /* invalid, or of another type: as if absent (RFC 9213 §2.1) */
        { DATE EXPIRES_30 "CDN-Cache-Control: max-age=\"5\"\r\n", 30, LIFETIME_EXPIRES },
        { DATE "CDN-Cache-Control: max-age=5.0\r\nCache-Control: max-age=60\r\n", 60, LIFETIME_MAX_AGE },
        { DATE "CDN-Cache-Control: MAX-AGE=5\r\nCache-Control: max-age=60\r\n", 60, LIFETIME_MAX_AGE },
        { DATE "CDN-Cache-Control: max-age=5,\r\nCache-Control: max-age=60\r\n", 60, LIFETIME_MAX_AGE },
        { DATE "CDN-Cache-Control:\r\nCache-Control: max-age=60\r\n", 60, LIFETIME_MAX_AGE },
        /* Surrogate-Control comes second */
        { DATE EXPIRES_30 "Surrogate-Control: max-age=5\r\nCache-Control: max-age=60\r\n", 5,
          LIFETIME_MAX_AGE },
        { DATE "Surrogate-Control: max-age=5\r\nCDN-Cache-Control: max-age=7\r\n", 7, LIFETIME_MAX_AGE },
        { DATE "Surrogate-Control: max-age=5;larder\r\nCache-Control: max-age=60\r\n", 5, LIFETIME_MAX_AGE },
        { DATE "Surrogate-Control: max-age=5;other\r\nCache-Control: max-age=60\r\n", 60, LIFETIME_MAX_AGE },
        { DATE EXPIRES_30 "Surrogate-Control: content=\"ESI/1.0\"\r\n", 30, LIFETIME_EXPIRES },
    };
    check(cases, DATE_SECONDS);
}

/* ── what is assumed ── */

/* An answer of DATE that has not changed for so many seconds. */
static enum lifetime_source
guess(nsec ttl, nsec heuristic, int64_t unchanged, nsec *lifetime)
{
    struct cache_settings with = { .ttl = ttl, .heuristic = heuristic };
    char                  date[DATE_SIZE], said[160];

    date_format(DATE_SECONDS - unchanged, date);
    snprintf(said, sizeof said, DATE "Last-Modified: %.*s\r\n", DATE_SIZE, date);
    return lifetime_of(&with, "HTTP/1.1 200 OK", said, DATE_SECONDS, lifetime);
}

Test(cache_freshness, a_tenth_of_the_time_for_which_it_has_not_changed)
{
    static const struct {
        int64_t              ttl, heuristic, unchanged;
        nsec                 lifetime;
        enum lifetime_source source;
    } cases[] = {
        { 120, 0, 100, 10 * NSEC_PER_SEC, LIFETIME_HEURISTIC },
        { 120, 0, 5, NSEC_PER_SEC / 2, LIFETIME_HEURISTIC },
        { 120, 0, 0, 0, LIFETIME_HEURISTIC },
        { 120, 0, -1, 120 * NSEC_PER_SEC, LIFETIME_DEFAULT }, /* it changes tomorrow? That says nothing */
        /* at most `heuristic`, or ttl where that is not set */
        { 120, 0, 1200, 120 * NSEC_PER_SEC, LIFETIME_HEURISTIC },
        { 120, 0, 1210, 120 * NSEC_PER_SEC, LIFETIME_HEURISTIC },
        { 120, 5, 100, 5 * NSEC_PER_SEC, LIFETIME_HEURISTIC },
        { 120, 1000, 1210, 121 * NSEC_PER_SEC, LIFETIME_HEURISTIC },
        { 120, 1000, 60000, 1000 * NSEC_PER_SEC, LIFETIME_HEURISTIC },
        { 120, 1000, DATE_SECONDS + INT64_C(62135596800), 1000 * NSEC_PER_SEC, LIFETIME_HEURISTIC },
        /* ttl 0: nothing is assumed, unless `heuristic` says so */
        { 0, 0, 100, 0, LIFETIME_NONE },
        { 0, 1000, 100, 10 * NSEC_PER_SEC, LIFETIME_HEURISTIC },
        { 0, 1000, -1, 0, LIFETIME_NONE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nsec                 lifetime;
        enum lifetime_source source = guess(cases[i].ttl * NSEC_PER_SEC, cases[i].heuristic * NSEC_PER_SEC,
                                            cases[i].unchanged, &lifetime);
        cr_assert_eq(source, cases[i].source, "case %zu: %s", i, lifetime_source_name(source));
        cr_assert_eq(lifetime, cases[i].lifetime, "case %zu: %lld", i, (long long)lifetime);
    }
}

Test(cache_freshness, a_last_modified_that_is_none_says_nothing)
{
    static const struct lifetime_case cases[] = {
        { DATE MODIFIED_100 MODIFIED_100, 120, LIFETIME_DEFAULT },
        { DATE "Last-Modified: yesterday\r\n", 120, LIFETIME_DEFAULT },
        { DATE "Last-Modified:\r\n", 120, LIFETIME_DEFAULT },
        { MODIFIED_100, 10, LIFETIME_HEURISTIC }, /* without Date, from when it came */
        { "Date: nonsense\r\n" MODIFIED_100, 10, LIFETIME_HEURISTIC },
    };
    check(cases, DATE_SECONDS);
}

Test(cache_freshness, statuses_for_which_something_may_be_assumed)
{
    static const unsigned known[] = { 200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501 };
    struct cache_control  silent = { .is_public = false }, open = { .is_public = true };
    size_t                next = 0;

    for (unsigned status = 200; status < 600; status++) {
        bool is_known = next < sizeof known / sizeof known[0] && known[next] == status;
        next += is_known;
        cr_assert_eq(freshness_may_guess(status, &silent), is_known, "%u", status);
        cr_assert(freshness_may_guess(status, &open), "%u", status); /* RFC 9111 §4.2.2 */
    }

    nsec lifetime;
    cr_assert_eq(lifetime_of(&settings, "HTTP/1.1 302 Found", DATE MODIFIED_100, DATE_SECONDS, &lifetime),
                 LIFETIME_NONE);
    cr_assert_eq(lifetime_of(&settings, "HTTP/1.1 302 Found", DATE MODIFIED_100 "Cache-Control: public\r\n",
                             DATE_SECONDS, &lifetime),
                 LIFETIME_HEURISTIC);
    cr_assert_eq(lifetime, 10 * NSEC_PER_SEC);
    cr_assert_eq(lifetime_of(&settings, "HTTP/1.1 302 Found", DATE EXPIRES_30, DATE_SECONDS, &lifetime),
                 LIFETIME_EXPIRES);
}

/* ── age ── */

static nsec
age_of(const char *said, nsec requested, nsec received)
{
    struct test_memory memory;
    struct test_head   response;
    wall_time          date = wall_from_seconds(DATE_SECONDS), came = wall_add(date, received);

    memory_begin(&memory);
    wall_time born =
        freshness_born(response_of(&response, &memory.arena, said), wall_add(date, requested), came);
    memory_end(&memory);
    return wall_since(came, born);
}

Test(cache_freshness, the_older_of_date_and_age)
{
    static const struct {
        const char *said;
        nsec        requested, received, age;
    } cases[] = {
        /* Date counts whole seconds */
        { DATE, 0, 0, 0 },
        { DATE, NSEC_PER_SEC - 1, NSEC_PER_SEC - 1, 0 },
        { DATE, 0, NSEC_PER_SEC, NSEC_PER_SEC },
        { DATE, 0, 3 * NSEC_PER_SEC / 2, 3 * NSEC_PER_SEC / 2 },
        { DATE, -100 * NSEC_PER_SEC, -100 * NSEC_PER_SEC, 0 }, /* the origin's clock is ahead */
        { "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n", 0, 0, 0 },
        /* it may have been made when we asked; without a Date that is all there is */
        { "Date: nonsense\r\n", 0, 90 * NSEC_PER_SEC, 90 * NSEC_PER_SEC },
        { "", 0, 90 * NSEC_PER_SEC, 90 * NSEC_PER_SEC },
        { "", 90 * NSEC_PER_SEC, 90 * NSEC_PER_SEC, 0 },
        /* Age grows by the time for which we waited */
        { DATE "Age: 10\r\n", 0, 0, 10 * NSEC_PER_SEC },
        { DATE "Age: 10\r\n", -5 * NSEC_PER_SEC / 2, 0, 25 * NSEC_PER_SEC / 2 },
        { DATE "Age: 10\r\n", 5 * NSEC_PER_SEC, 0, 10 * NSEC_PER_SEC }, /* the clock was set back meanwhile */
        { DATE "Age: 10\r\n", 30 * NSEC_PER_SEC, 30 * NSEC_PER_SEC, 30 * NSEC_PER_SEC },
        { DATE "Age: 50\r\n", 30 * NSEC_PER_SEC, 30 * NSEC_PER_SEC, 50 * NSEC_PER_SEC },
        /* of several the first counts, and only digits */
        { "Age: 7, 9\r\n", 0, 0, 7 * NSEC_PER_SEC },
        { "Age: 7\r\nAge: 9\r\n", 0, 0, 7 * NSEC_PER_SEC },
        { "Age: 007\r\n", 0, 0, 7 * NSEC_PER_SEC },
        { "Age: x\r\nAge: 9\r\n", 0, 0, 0 },
        { "Age: +7\r\n", 0, 0, 0 },
        { "Age: -7\r\n", 0, 0, 0 },
        { "Age: 7.0\r\n", 0, 0, 0 },
        { "Age: 7 9\r\n", 0, 0, 0 },
        { "Age: \"7\"\r\n", 0, 0, 0 },
        { "Age:\r\n", 0, 0, 0 },
        { "Age: 2147483649\r\n", 0, 0, DELTA_MAX * NSEC_PER_SEC },
        { "Age: 99999999999999999999999\r\n", 0, 0, DELTA_MAX * NSEC_PER_SEC },
        /* an age that does not fit nanoseconds is as large as ages get */
        { "Date: Sat, 01 Jan 0000 00:00:00 GMT\r\n", 0, 0, DELTA_MAX * NSEC_PER_SEC },
        { "Date: Sun, 06 Nov 1800 08:49:37 GMT\r\n", 0, 0, DELTA_MAX * NSEC_PER_SEC },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        nsec age = age_of(cases[i].said, cases[i].requested, cases[i].received);
        cr_assert_eq(age, cases[i].age, "case %zu, %s: %lld ns", i, cases[i].said, (long long)age);
    }
}
