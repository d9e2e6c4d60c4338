/* test_policy.c: each rule of storing and freshness, with the clock moved by hand. */
#include "cache_test.h"

#include <larder/cache/policy.h>

#define DATE "Date: Sun, 06 Nov 2044 08:49:37 GMT\r\n"
#define DATE_SECONDS INT64_C(2362034977)

static const struct cache_settings settings = { .ttl = 120 * NSEC_PER_SEC,
                                                .keep = 3600 * NSEC_PER_SEC,
                                                .variants = 8 };

static struct verdict
judge_method(const char *start, const struct cache_settings *with, const char *status, const char *asked,
             const char *said, int64_t received)
{
    struct test_memory memory;
    struct test_head   request, response;
    struct verdict     verdict;
    wall_time          now = wall_from_seconds(received);

    memory_begin(&memory);
    policy_answer(parse_head(&request, &memory.arena, start, asked),
                  parse_head(&response, &memory.arena, status, said), with, now, now, &verdict);
    memory_end(&memory);
    return verdict;
}

static struct verdict
judge_with(const struct cache_settings *with, const char *status, const char *asked, const char *said,
           int64_t received)
{
    return judge_method("GET / HTTP/1.1", with, status, asked, said, received);
}

static struct verdict
judge(const char *asked, const char *said)
{
    return judge_with(&settings, "HTTP/1.1 200 OK", asked, said, DATE_SECONDS);
}

static int64_t
lifetime(const struct verdict *verdict)
{
    return wall_since(verdict->fresh_until, verdict->born) / NSEC_PER_SEC;
}

Test(cache_policy, lifetimes_and_their_sources)
{
    static const struct {
        const char          *said;
        int64_t              seconds;
        enum lifetime_source source;
    } cases[] = {
        { DATE "Cache-Control: max-age=60\r\n", 60, LIFETIME_MAX_AGE },
        { DATE "Cache-Control: max-age=60, s-maxage=10\r\n", 10, LIFETIME_S_MAXAGE },
        { DATE "Cache-Control: max-age=60\r\nExpires: Sun, 06 Nov 2044 08:49:38 GMT\r\n", 60,
          LIFETIME_MAX_AGE },
        { DATE "Expires: Sun, 06 Nov 2044 08:50:07 GMT\r\n", 30, LIFETIME_EXPIRES },
        { DATE "", 120, LIFETIME_DEFAULT },
        { DATE "Cache-Control: public\r\n", 120, LIFETIME_DEFAULT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verdict verdict = judge("", cases[i].said);
        cr_assert(verdict.store, "%s", cases[i].said);
        cr_assert_eq(lifetime(&verdict), cases[i].seconds, "%s: %lld", cases[i].said,
                     (long long)lifetime(&verdict));
        cr_assert_eq(verdict.source, cases[i].source);
        cr_assert_eq(verdict.implicit, cases[i].source == LIFETIME_DEFAULT);
    }
}

Test(cache_policy, what_is_never_fresh)
{
    static const char *const said[] = {
        "Cache-Control: max-age=0\r\n",
        "Cache-Control: s-maxage=0, max-age=60\r\n",
        "Cache-Control: max-age=nonsense\r\n",
        "Cache-Control: max-age=-1\r\n",
        DATE "Expires: 0\r\n",
        DATE "Expires: Sun, 06 Nov 2044 08:49:37 GMT\r\n",
        DATE "Expires: Sun, 06 Nov 2044 08:50:07 GMT\r\nExpires: Sun, 06 Nov 2044 08:50:07 GMT\r\n",
        "Cache-Control: max-age=60\r\nAge: 60\r\n",
        "Cache-Control: no-cache, max-age=60\r\n",
        "Pragma: no-cache\r\n",
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        struct verdict verdict = judge("", said[i]);
        cr_assert_not(verdict.store, "%s", said[i]);
        cr_assert_eq(verdict.reason, REASON_NO_FRESHNESS, "%s", said[i]);

        /* With a validator it is worth keeping. */
        char with[256];
        snprintf(with, sizeof with, "%sETag: \"1\"\r\n", said[i]);
        verdict = judge("", with);
        cr_assert(verdict.store, "%s", with);
        cr_assert(verdict.always_validate || verdict.fresh_until.ns <= wall_from_seconds(DATE_SECONDS).ns);
        cr_assert_geq(wall_since(verdict.expires, wall_from_seconds(DATE_SECONDS)), settings.keep);
    }
}

Test(cache_policy, a_page_that_poses_as_a_file)
{
    static const struct {
        const char *target, *said;
        bool        stored;
    } cases[] = {
        { "/account", "Content-Type: text/html\r\n", true },
        { "/account/x.css", "Content-Type: text/html\r\n", false },
        { "/account;x.css", "Content-Type: text/html; charset=utf-8\r\n", false },
        { "/account%0Ax.JPG?a=b/c", "content-type: Text/HTML\r\n", false },
        { "/account/x.woff2?", "Content-Type: application/xhtml+xml\r\n", false },
        { "/account/x.css", "Content-Type: text/css\r\n", true },
        { "/account/x.css", "", true },
        { "/account/x.css", "Content-Type: text/html\r\nCache-Control: max-age=60\r\n", true },
        { "/account/x.css/", "Content-Type: text/html\r\n", true },
        { "/account.html", "Content-Type: text/html\r\n", true },
        { "/x.css/account", "Content-Type: text/html\r\n", true },
        { "/account?x.css", "Content-Type: text/html\r\n", true },
        { "/css", "Content-Type: text/html\r\n", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char start[64];
        snprintf(start, sizeof start, "GET %s HTTP/1.1", cases[i].target);
        struct verdict verdict =
            judge_method(start, &settings, "HTTP/1.1 200 OK", "", cases[i].said, DATE_SECONDS);
        cr_assert_eq(verdict.store, cases[i].stored, "%s", cases[i].target);
        cr_assert_eq(verdict.reason, cases[i].stored ? REASON_NONE : REASON_DECEPTION, "%s", cases[i].target);
    }
}

Test(cache_policy, what_is_never_stored)
{
    static const struct {
        const char *status, *asked, *said;
        enum reason reason;
    } cases[] = {
        { "HTTP/1.1 200 OK", "", "Cache-Control: no-store, max-age=60\r\n", REASON_NO_STORE },
        { "HTTP/1.1 200 OK", "", "Cache-Control: private, max-age=60\r\n", REASON_PRIVATE },
        { "HTTP/1.1 200 OK", "Authorization: x\r\n", "Cache-Control: max-age=60\r\n", REASON_AUTHORIZATION },
        { "HTTP/1.1 200 OK", "", "Cache-Control: max-age=60\r\nSet-Cookie: a=b\r\n", REASON_SET_COOKIE },
        { "HTTP/1.1 200 OK", "Cookie: a=b\r\n", "", REASON_COOKIE },
        { "HTTP/1.1 412 Precondition Failed", "", "Cache-Control: max-age=60\r\n", REASON_CONDITION },
        { "HTTP/1.1 416 Range Not Satisfiable", "", "Cache-Control: max-age=60\r\n", REASON_CONDITION },
        { "HTTP/1.1 304 Not Modified", "", "Cache-Control: max-age=60\r\n", REASON_PARTIAL },
        { "HTTP/1.1 417 Expectation Failed", "", "Cache-Control: max-age=60\r\n", REASON_CONDITION },
        { "HTTP/1.1 500 Oops", "", "", REASON_STATUS },
        { "HTTP/1.1 302 Found", "", "", REASON_STATUS },
        { "HTTP/1.1 103 Early Hints", "", "Cache-Control: max-age=60\r\n", REASON_STATUS },
        /* no-cache is a word about reuse, not the permission that such a status needs (RFC 9111 §3) */
        { "HTTP/1.1 500 Oops", "", "Cache-Control: no-cache\r\nETag: \"1\"\r\n", REASON_STATUS },
        { "HTTP/1.1 200 OK", "", "Cache-Control: max-age=60, NO-STORE=x\r\n", REASON_NO_STORE },
        { "HTTP/1.1 200 OK", "", "Cache-Control: max-age=60, ext=\"open\r\n", REASON_NO_STORE },
        { "HTTP/1.1 200 OK", "", "Cache-Control: private, no-store\r\n", REASON_NO_STORE },
        { "HTTP/1.1 200 OK", "", "Cache-Control: private=\"a b\", max-age=60\r\n", REASON_PRIVATE },
        { "HTTP/1.1 200 OK", "", "CDN-Cache-Control: no-store\r\nCache-Control: max-age=60\r\n",
          REASON_NO_STORE },
        { "HTTP/1.1 200 OK", "Authorization: x\r\n", "Cache-Control: private, public\r\n", REASON_PRIVATE },
        { "HTTP/1.1 200 OK", "Authorization: x\r\n", "Cache-Control: max-age=60, proxy-revalidate\r\n",
          REASON_AUTHORIZATION },
        { "HTTP/1.1 200 OK", "Authorization: x\r\n", "ETag: \"1\"\r\n", REASON_AUTHORIZATION },
        { "HTTP/1.1 200 OK", "", "Cache-Control: max-age=60, private=\"x\"\r\nSet-Cookie: a=b\r\n",
          REASON_SET_COOKIE },
        { "HTTP/1.1 200 OK", "Cookie: a=b\r\n", DATE "Last-Modified: Sun, 06 Nov 2044 08:47:57 GMT\r\n",
          REASON_COOKIE },
        { "HTTP/1.1 200 OK", "Cookie: a=b\r\n", "Cache-Control: public\r\n", REASON_COOKIE },
        { "HTTP/1.1 200 OK", "Cookie: a=b\r\n", "Cache-Control: no-cache\r\nETag: \"1\"\r\n", REASON_COOKIE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verdict verdict =
            judge_with(&settings, cases[i].status, cases[i].asked, cases[i].said, DATE_SECONDS);
        cr_assert_not(verdict.store, "case %zu", i);
        cr_assert_eq(verdict.reason, cases[i].reason, "case %zu: %s", i, reason_name(verdict.reason));
    }
}

Test(cache_policy, what_permits_storing_after_all)
{
    static const struct {
        const char *status, *asked, *said;
    } cases[] = {
        { "HTTP/1.1 200 OK", "Authorization: x\r\n", "Cache-Control: public, max-age=60\r\n" },
        { "HTTP/1.1 200 OK", "Authorization: x\r\n", "Cache-Control: s-maxage=60\r\n" },
        { "HTTP/1.1 200 OK", "Authorization: x\r\n", "Cache-Control: must-revalidate, max-age=60\r\n" },
        { "HTTP/1.1 200 OK", "", "Cache-Control: public, max-age=60\r\nSet-Cookie: a=b\r\n" },
        { "HTTP/1.1 200 OK", "Cookie: a=b\r\n", "Cache-Control: max-age=60\r\n" },
        { "HTTP/1.1 200 OK", "Cookie: a=b\r\n", DATE "Expires: Sun, 06 Nov 2044 08:50:07 GMT\r\n" },
        { "HTTP/1.1 200 OK", "",
          "Cache-Control: max-age=60, private=\"x, set-cookie\"\r\nSet-Cookie: a=b\r\n" },
        { "HTTP/1.1 200 OK", "",
          "Cache-Control: max-age=60, no-cache=\"SET-COOKIE\"\r\nSet-Cookie: a=b\r\n" },
        { "HTTP/1.1 200 OK", "", "Cache-Control: no-cache\r\nETag: \"1\"\r\n" },
        { "HTTP/1.1 200 OK", "",
          "CDN-Cache-Control: max-age=60\r\nCache-Control: no-store, private\r\nPragma: no-cache\r\n" },
        { "HTTP/1.1 500 Oops", "", "Cache-Control: max-age=60\r\n" },
        { "HTTP/1.1 302 Found", "", "Cache-Control: public\r\n" },
        { "HTTP/1.1 599 Unheard Of", "", DATE "Expires: Sun, 06 Nov 2044 08:50:07 GMT\r\n" },
        { "HTTP/1.1 404 Not Found", "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verdict verdict =
            judge_with(&settings, cases[i].status, cases[i].asked, cases[i].said, DATE_SECONDS);
        cr_assert(verdict.store, "case %zu: %s", i, reason_name(verdict.reason));
    }
}

Test(cache_policy, must_understand_is_a_matter_of_the_status) /* RFC 9111 §5.2.2.3 */
{
    static const struct {
        const char *status, *said;
        enum reason reason;
    } cases[] = {
        { "HTTP/1.1 200 OK", "Cache-Control: no-store, must-understand, max-age=60\r\n", REASON_NONE },
        { "HTTP/1.1 200 OK", "Cache-Control: must-understand, no-store\r\n", REASON_NONE },
        { "HTTP/1.1 200 OK", "Cache-Control: must-understand=1, no-store, max-age=60\r\n", REASON_NO_STORE },
        { "HTTP/1.1 200 OK", "Cache-Control: must-understand, private, max-age=60\r\n", REASON_PRIVATE },
        { "HTTP/1.1 299 Odd", "Cache-Control: no-store, must-understand, max-age=60\r\n", REASON_STATUS },
        { "HTTP/1.1 299 Odd", "Cache-Control: must-understand, max-age=60\r\n", REASON_STATUS },
        { "HTTP/1.1 299 Odd", "Cache-Control: max-age=60\r\n", REASON_NONE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(judge_with(&settings, cases[i].status, "", cases[i].said, DATE_SECONDS).reason,
                     cases[i].reason, "case %zu", i);
}

Test(cache_policy, what_the_method_says)
{
    static const struct {
        const char *start, *status, *said;
        enum reason reason;
    } cases[] = {
        /* a POST's answer is stored when it says how long it is fresh (RFC 9110 §9.3.3) */
        { "POST / HTTP/1.1", "HTTP/1.1 200 OK", "Cache-Control: max-age=60\r\n", REASON_NONE },
        { "POST / HTTP/1.1", "HTTP/1.1 200 OK", DATE "Expires: Sun, 06 Nov 2044 08:50:07 GMT\r\n",
          REASON_NONE },
        { "POST / HTTP/1.1", "HTTP/1.1 200 OK", "", REASON_METHOD },
        { "POST / HTTP/1.1", "HTTP/1.1 200 OK", "Cache-Control: public\r\n", REASON_METHOD },
        { "POST / HTTP/1.1", "HTTP/1.1 200 OK", "Cache-Control: no-cache\r\nETag: \"1\"\r\n", REASON_METHOD },
        /* a part is one of what was asked for with GET */
        { "GET / HTTP/1.1", "HTTP/1.1 206 Partial Content", "Cache-Control: max-age=60\r\n", REASON_NONE },
        { "HEAD / HTTP/1.1", "HTTP/1.1 206 Partial Content", "Cache-Control: max-age=60\r\n",
          REASON_PARTIAL },
        { "POST / HTTP/1.1", "HTTP/1.1 206 Partial Content", "Cache-Control: max-age=60\r\n",
          REASON_PARTIAL },
        { "HEAD / HTTP/1.1", "HTTP/1.1 200 OK", "Cache-Control: max-age=60\r\n", REASON_NONE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(
            judge_method(cases[i].start, &settings, cases[i].status, "", cases[i].said, DATE_SECONDS).reason,
            cases[i].reason, "case %zu", i);
}

/* ── stale ── */

static const struct cache_settings generous = { .ttl = 120 * NSEC_PER_SEC,
                                                .grace = 10 * NSEC_PER_SEC,
                                                .stale_if_error = 100 * NSEC_PER_SEC,
                                                .keep = 3600 * NSEC_PER_SEC };

static int64_t
seconds_between(wall_time later, wall_time earlier)
{
    return wall_since(later, earlier) / NSEC_PER_SEC;
}

Test(cache_policy, until_when_it_may_be_sent_stale)
{
    static const struct {
        const char *said;
        int64_t     refresh, error; /* after the end of its freshness */
        bool        strict;
    } cases[] = {
        /* what the origin says, else the settings */
        { "", 10, 100, false },
        { "Cache-Control: max-age=60\r\n", 10, 100, false },
        { DATE "Expires: Sun, 06 Nov 2044 08:50:07 GMT\r\n", 10, 100, false },
        { "Cache-Control: max-age=60, stale-while-revalidate=5\r\n", 5, 100, false },
        { "Cache-Control: max-age=60, stale-while-revalidate=0\r\n", 0, 100, false },
        { "Cache-Control: max-age=60, stale-if-error=7\r\n", 10, 7, false },
        { "Cache-Control: max-age=60, stale-if-error=0\r\n", 10, 0, false },
        { "Cache-Control: max-age=60, stale-while-revalidate=5, stale-if-error=7\r\n", 5, 7, false },
        { "Cache-Control: max-age=60, stale-while-revalidate=500, stale-if-error=7\r\n", 500, 7, false },
        { "Cache-Control: max-age=60, immutable\r\n", 10, 100, false },
        /* forbidden by the origin (RFC 9111 §4.2.4) */
        { "Cache-Control: max-age=60, must-revalidate\r\n", 0, 0, true },
        { "Cache-Control: max-age=60, proxy-revalidate\r\n", 0, 0, true },
        { "Cache-Control: max-age=60, must-revalidate, stale-while-revalidate=5, stale-if-error=7\r\n", 0, 0,
          true },
        { "Cache-Control: max-age=60, proxy-revalidate, stale-while-revalidate=5, stale-if-error=7\r\n", 0, 0,
          true },
        { "Cache-Control: s-maxage=60\r\n", 0, 0, true },
        { "Cache-Control: s-maxage=60, max-age=30\r\n", 0, 0, true },
        { "Cache-Control: s-maxage=60, stale-while-revalidate=5\r\n", 5, 0, true },
        { "Cache-Control: s-maxage=60, stale-if-error=7\r\n", 0, 0, true },
        { "Cache-Control: no-cache, max-age=60, stale-while-revalidate=5, stale-if-error=7\r\nETag: "
          "\"1\"\r\n",
          0, 0, true },
        { "Pragma: no-cache\r\nETag: \"1\"\r\n", 0, 0, true },
        /* a lifetime of nothing is no invitation to the settings, but the origin may invite */
        { "Cache-Control: max-age=0\r\nETag: \"1\"\r\n", 0, 0, false },
        { "Expires: 0\r\nETag: \"1\"\r\n", 0, 0, false },
        { "Cache-Control: max-age=0, stale-while-revalidate=5\r\n", 5, 0, false },
        { "Cache-Control: max-age=0, stale-if-error=7\r\n", 0, 7, false },
        /* a number that is none does not forbid */
        { "Cache-Control: max-age=60, stale-while-revalidate=x, stale-if-error=-1\r\n", 10, 100, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verdict verdict = judge_with(&generous, "HTTP/1.1 200 OK", "", cases[i].said, DATE_SECONDS);
        cr_assert(verdict.store, "case %zu: %s", i, reason_name(verdict.reason));
        cr_assert_eq(seconds_between(verdict.refresh_until, verdict.fresh_until), cases[i].refresh,
                     "case %zu", i);
        cr_assert_eq(seconds_between(verdict.error_until, verdict.fresh_until), cases[i].error, "case %zu",
                     i);
        cr_assert_eq(verdict.strict, cases[i].strict, "case %zu", i);
    }
}

Test(cache_policy, whether_it_may_answer_others_and_how_long_it_is_kept)
{
    static const struct {
        const char *said;
        bool        store, reusable;
        int64_t     expires; /* from when it came */
    } cases[] = {
        { "Cache-Control: max-age=60\r\n", true, true, 160 },
        { "Cache-Control: max-age=60, must-revalidate\r\n", true, true, 60 },
        { "Cache-Control: max-age=60\r\nETag: \"1\"\r\n", true, true, 3660 },
        { "Cache-Control: max-age=60\r\nLast-Modified: Sun, 06 Nov 2044 08:47:57 GMT\r\n", true, true, 3660 },
        { "Cache-Control: max-age=60, stale-while-revalidate=5000\r\nETag: \"1\"\r\n", true, true, 5060 },
        { "Cache-Control: max-age=60, stale-if-error=9000\r\nETag: \"1\"\r\n", true, true, 9060 },
        /* old already: kept from when it came */
        { "Cache-Control: max-age=60\r\nAge: 1000\r\nETag: \"1\"\r\n", true, false, 3600 },
        { "Cache-Control: max-age=60\r\nAge: 69\r\n", true, true, 91 },
        { "Cache-Control: max-age=60\r\nAge: 70\r\n", false, false, 90 },
        { "Cache-Control: no-cache, max-age=60\r\nETag: \"1\"\r\n", true, false, 3660 },
        { "Cache-Control: max-age=0\r\nETag: \"1\"\r\n", true, false, 3600 },
        { "Cache-Control: max-age=0, stale-while-revalidate=5\r\n", true, true, 5 },
        { "Cache-Control: max-age=0, stale-if-error=7\r\n", true, false, 7 },
        /* what can neither be sent nor validated is not worth its place */
        { "Cache-Control: no-cache, max-age=60, stale-if-error=7\r\n", false, false, 60 },
        { "Cache-Control: max-age=0\r\nETag: unquoted\r\n", false, false, 0 },
        { "Cache-Control: max-age=0\r\nETag: \"1\"\r\nETag: \"2\"\r\n", false, false, 0 },
        { "Cache-Control: max-age=0\r\nLast-Modified: yesterday\r\n", false, false, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct verdict verdict = judge_with(&generous, "HTTP/1.1 200 OK", "", cases[i].said, DATE_SECONDS);
        cr_assert_eq(verdict.store, cases[i].store, "case %zu: %s", i, reason_name(verdict.reason));
        cr_assert_eq(verdict.reason, cases[i].store ? REASON_NONE : REASON_NO_FRESHNESS, "case %zu", i);
        cr_assert_eq(verdict.reusable, cases[i].reusable, "case %zu", i);
        cr_assert_eq(seconds_between(verdict.expires, wall_from_seconds(DATE_SECONDS)), cases[i].expires,
                     "case %zu: %lld", i,
                     (long long)seconds_between(verdict.expires, wall_from_seconds(DATE_SECONDS)));
    }
}

Test(cache_policy, the_largest_times_do_not_wrap)
{
    struct verdict verdict =
        judge_with(&generous, "HTTP/1.1 200 OK", "",
                   "Cache-Control: max-age=99999999999, stale-while-revalidate=99999999999, "
                   "stale-if-error=99999999999\r\nETag: \"1\"\r\n",
                   DATE_SECONDS);

    cr_assert(verdict.store);
    cr_assert_eq(lifetime(&verdict), INT64_C(2147483648));
    cr_assert_gt(verdict.refresh_until.ns, verdict.fresh_until.ns);
    cr_assert_geq(verdict.expires.ns, verdict.error_until.ns);
    /* What is older than time can count is stale. */
    verdict = judge_with(&generous, "HTTP/1.1 200 OK", "",
                         "Date: Sat, 01 Jan 0000 00:00:00 GMT\r\nCache-Control: max-age=99999999999\r\n",
                         DATE_SECONDS);
    cr_assert_leq(verdict.fresh_until.ns, wall_from_seconds(DATE_SECONDS).ns);
}

Test(cache_policy, fields_that_are_not_for_everybody)
{
    struct test_memory memory;
    struct test_head   request, response;
    struct verdict     verdict;

    memory_begin(&memory);
    request_of(&request, &memory.arena, "");
    response_of(&response, &memory.arena,
                "Cache-Control: max-age=60, private=\"X-A, x-b\", no-cache=\"X-C\"\r\n");
    policy_answer(&request.head, &response.head, &settings, wall_from_seconds(DATE_SECONDS),
                  wall_from_seconds(DATE_SECONDS), &verdict);
    cr_assert(verdict.store);
    cr_assert_not(verdict.always_validate);
    cr_assert(verdict.reusable);
    cr_assert(verdict_hides(&verdict, SPAN("x-a")));
    cr_assert(verdict_hides(&verdict, SPAN("X-B")));
    cr_assert(verdict_hides(&verdict, SPAN("X-C")));
    cr_assert_not(verdict_hides(&verdict, SPAN("X-D")));
    cr_assert_not(verdict_hides(&verdict, SPAN("X")));
    memory_end(&memory);
}

Test(cache_policy, settings_are_obeyed)
{
    struct cache_settings other = settings;

    other.ttl = 0;
    cr_assert_eq(judge_with(&other, "HTTP/1.1 200 OK", "", "", DATE_SECONDS).reason, REASON_NO_FRESHNESS);
    other = settings;
    other.ignore_cookies = true;
    cr_assert(judge_with(&other, "HTTP/1.1 200 OK", "Cookie: a\r\n", "", DATE_SECONDS).store);
    other = settings;
    other.store_set_cookie = true;
    cr_assert(judge_with(&other, "HTTP/1.1 200 OK", "", "Set-Cookie: a\r\n", DATE_SECONDS).store);
    other = settings;
    other.keep = 0;
    cr_assert_not(
        judge_with(&other, "HTTP/1.1 200 OK", "", "Cache-Control: max-age=0\r\nETag: \"1\"\r\n", DATE_SECONDS)
            .store);
}

Test(cache_policy, age_counts_from_where_it_is_oldest)
{
    static const struct {
        const char *said;
        int64_t     after, age;
    } cases[] = {
        { DATE, 0, 0 },
        { DATE, 30, 30 }, /* the answer was under way, or in another cache */
        { DATE, -30, 0 }, /* the origin's clock is ahead */
        { DATE "Age: 10\r\n", 0, 10 },
        { DATE "Age: 10\r\n", 30, 30 },
        { DATE "Age: 50\r\n", 30, 50 },
        { "Age: 7, 9\r\n", 0, 7 },
        { "Age: -7\r\n", 0, 0 },
        { "Age: 7x\r\n", 0, 0 },
        { "Age: 99999999999999999999\r\n", 0, INT64_C(2147483648) },
        { "Date: nonsense\r\n", 0, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t        received = DATE_SECONDS + cases[i].after;
        struct verdict verdict = judge_with(&settings, "HTTP/1.1 200 OK", "", cases[i].said, received);
        cr_assert_eq(wall_since(wall_from_seconds(received), verdict.born) / NSEC_PER_SEC, cases[i].age,
                     "case %zu", i);
    }
}

Test(cache_policy, requests_for_the_cache)
{
    static const struct {
        const char *start;
        bool        body;
        enum reason reason;
    } cases[] = {
        { "GET / HTTP/1.1", false, REASON_NONE },       { "HEAD / HTTP/1.1", false, REASON_NONE },
        { "POST / HTTP/1.1", false, REASON_METHOD },    { "GET / HTTP/1.1", true, REASON_BODY },
        { "PROPFIND / HTTP/1.1", true, REASON_METHOD }, { "get / HTTP/1.1", false, REASON_METHOD },
    };
    struct test_memory memory;
    struct test_head   request;

    memory_begin(&memory);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(policy_request(parse_head(&request, &memory.arena, cases[i].start, ""), cases[i].body),
                     cases[i].reason);
    memory_end(&memory);
}

Test(cache_policy, every_reason_has_a_name_and_a_sentence)
{
    for (int i = 0; i < REASON_COUNT; i++) {
        cr_assert_gt(strlen(reason_name((enum reason)i)), 0);
        cr_assert_gt(strlen(reason_text((enum reason)i)), 5);
    }
    for (int i = LIFETIME_NONE; i <= LIFETIME_DEFAULT; i++)
        cr_assert_gt(strlen(lifetime_source_name((enum lifetime_source)i)), 0);
}
