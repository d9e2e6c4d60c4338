/* test_reuse.c: whether a stored answer may be sent, at the nanosecond at which that changes, and what a client may ask. */
#include "cache_test.h"

#include <larder/cache/reuse.h>

#define SEC NSEC_PER_SEC

/* Born at 1000 s, fresh for 100 s, sent stale for 10 s more, stands in for 20 s. */
static const struct object         stored = { .born = { 1000 * SEC },
                                              .fresh_until = { 1100 * SEC },
                                              .refresh_until = { 1110 * SEC },
                                              .error_until = { 1120 * SEC },
                                              .expires = { 2000 * SEC } };
static const struct cache_settings deaf = { .ttl = 0 };

static struct object
with_flags(uint32_t flags)
{
    struct object object = stored;
    object.flags = flags;
    return object;
}

static enum reuse
decide(const struct cache_settings *settings, uint32_t flags, const char *fields, nsec now,
       enum reason *reason)
{
    struct test_memory memory;
    struct test_head   request;
    struct object      object = with_flags(flags);

    memory_begin(&memory);
    enum reuse reuse = reuse_decide(&object, request_of(&request, &memory.arena, fields), settings,
                                    (wall_time){ now }, reason);
    memory_end(&memory);
    return reuse;
}

Test(cache_reuse, fresh_then_stale_then_to_be_validated)
{
    static const struct {
        uint32_t    flags;
        nsec        now;
        enum reuse  reuse;
        enum reason reason;
    } cases[] = {
        { 0, 1000 * SEC, REUSE_FRESH, REASON_NONE },
        { 0, 999 * SEC, REUSE_FRESH, REASON_NONE }, /* the clock was set back */
        { 0, 1100 * SEC - 1, REUSE_FRESH, REASON_NONE },
        { 0, 1100 * SEC, REUSE_STALE, REASON_STALE },
        { 0, 1110 * SEC - 1, REUSE_STALE, REASON_STALE },
        { 0, 1110 * SEC, REUSE_VALIDATE, REASON_STALE },
        { OBJECT_STRICT, 1100 * SEC - 1, REUSE_FRESH, REASON_NONE },
        { OBJECT_ALWAYS_VALIDATE, 1000 * SEC, REUSE_VALIDATE, REASON_ALWAYS_VALIDATE },
        { OBJECT_ALWAYS_VALIDATE, 1105 * SEC, REUSE_VALIDATE, REASON_ALWAYS_VALIDATE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum reason reason = REASON_COUNT;
        cr_assert_eq(decide(&deaf, cases[i].flags, "", cases[i].now, &reason), cases[i].reuse, "case %zu", i);
        cr_assert_eq(reason, cases[i].reason, "case %zu: %s", i, reason_name(reason));
    }
}

Test(cache_reuse, a_client_is_obeyed_where_the_operator_says_so)
{
    static const struct {
        struct cache_settings settings;
        const char           *fields;
        nsec                  now;
        enum reuse            reuse;
        enum reason           reason;
    } cases[] = {
        { { .client_no_cache = true },
          "Cache-Control: no-cache\r\n",
          1000 * SEC,
          REUSE_VALIDATE,
          REASON_CLIENT },
        { { .client_no_cache = true },
          "Cache-Control: x, NO-CACHE\r\n",
          1000 * SEC,
          REUSE_VALIDATE,
          REASON_CLIENT },
        { { .client_no_cache = true }, "Pragma: no-cache\r\n", 1000 * SEC, REUSE_VALIDATE, REASON_CLIENT },
        { { .client_no_cache = true }, "Pragma: x, No-Cache\r\n", 1000 * SEC, REUSE_VALIDATE, REASON_CLIENT },
        { { .client_no_cache = true },
          "Cache-Control: no-cache\r\n",
          1105 * SEC,
          REUSE_VALIDATE,
          REASON_CLIENT },
        /* an age of just as many seconds is not above them */
        { { .client_max_age = true },
          "Cache-Control: max-age=30\r\n",
          1030 * SEC + 1,
          REUSE_VALIDATE,
          REASON_CLIENT },
        { { .client_max_age = true },
          "Cache-Control: max-age=0\r\n",
          1000 * SEC + 1,
          REUSE_VALIDATE,
          REASON_CLIENT },
        { { .client_max_age = true },
          "Cache-Control: max-age=104\r\n",
          1105 * SEC,
          REUSE_VALIDATE,
          REASON_CLIENT },
        { { .client_max_age = true },
          "Cache-Control: max-age=500\r\n",
          1105 * SEC,
          REUSE_VALIDATE,
          REASON_CLIENT },
        { { .client_max_age = true },
          "Cache-Control: max-age=500, max-stale\r\n",
          1105 * SEC,
          REUSE_VALIDATE,
          REASON_CLIENT },
        { { .client_min_fresh = true },
          "Cache-Control: min-fresh=30\r\n",
          1070 * SEC + 1,
          REUSE_VALIDATE,
          REASON_CLIENT },
        { { .client_min_fresh = true },
          "Cache-Control: min-fresh=0\r\n",
          1105 * SEC,
          REUSE_VALIDATE,
          REASON_CLIENT },
        { { .client_min_fresh = true },
          "Cache-Control: min-fresh=99999999999999\r\n",
          1000 * SEC,
          REUSE_VALIDATE,
          REASON_CLIENT },
        { { .client_max_stale = true },
          "Cache-Control: max-stale\r\n",
          1500 * SEC,
          REUSE_STALE,
          REASON_STALE },
        { { .client_max_stale = true },
          "Cache-Control: max-stale=50\r\n",
          1150 * SEC,
          REUSE_STALE,
          REASON_STALE },
        { { .client_max_stale = true },
          "Cache-Control: max-stale=99999999999999\r\n",
          1500 * SEC,
          REUSE_STALE,
          REASON_STALE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum reason reason = REASON_COUNT, plain_reason = REASON_COUNT;
        cr_assert_eq(decide(&cases[i].settings, 0, cases[i].fields, cases[i].now, &reason), cases[i].reuse,
                     "case %zu", i);
        cr_assert_eq(reason, cases[i].reason, "case %zu: %s", i, reason_name(reason));
        /* and else nobody listens */
        enum reuse plain = decide(&deaf, 0, "", cases[i].now, &plain_reason);
        cr_assert_neq(plain, cases[i].reuse == REUSE_VALIDATE && cases[i].reason == REASON_CLIENT
                                 ? REUSE_VALIDATE
                                 : REUSE_STALE);
        cr_assert_eq(decide(&deaf, 0, cases[i].fields, cases[i].now, &reason), plain, "case %zu", i);
        cr_assert_eq(reason, plain_reason, "case %zu", i);
    }
}

static const struct cache_settings all_ears = { .client_no_cache = true,
                                                .client_no_store = true,
                                                .client_max_age = true,
                                                .client_max_stale = true,
                                                .client_min_fresh = true,
                                                .client_only_if_cached = true };

Test(cache_reuse, what_a_client_asks_may_change_nothing)
{
    static const struct {
        const char *fields;
        uint32_t    flags;
        nsec        now;
        enum reuse  reuse;
        enum reason reason;
    } cases[] = {
        { "Cache-Control: max-age=30\r\n", 0, 1030 * SEC, REUSE_FRESH, REASON_NONE },
        { "Cache-Control: max-age=0\r\n", 0, 1000 * SEC, REUSE_FRESH, REASON_NONE },
        { "Cache-Control: min-fresh=30\r\n", 0, 1070 * SEC, REUSE_FRESH, REASON_NONE },
        { "Cache-Control: max-stale=5\r\n", 0, 1050 * SEC, REUSE_FRESH, REASON_NONE },
        { "Cache-Control: max-stale=5\r\n", 0, 1109 * SEC, REUSE_STALE,
          REASON_STALE }, /* the origin allows more */
        { "Cache-Control: max-age=500, max-stale\r\n", 0, 1105 * SEC, REUSE_STALE, REASON_STALE },
        { "Cache-Control: max-stale=50\r\n", 0, 1150 * SEC + 1, REUSE_VALIDATE, REASON_STALE },
        /* Pragma is for those who do not send Cache-Control (RFC 9111 §5.4) */
        { "Cache-Control: max-age=99\r\nPragma: no-cache\r\n", 0, 1000 * SEC, REUSE_FRESH, REASON_NONE },
        { "Pragma: other\r\n", 0, 1000 * SEC, REUSE_FRESH, REASON_NONE },
        /* what is no number was not said */
        { "Cache-Control: max-age=x\r\n", 0, 1050 * SEC, REUSE_FRESH, REASON_NONE },
        { "Cache-Control: min-fresh=-1\r\n", 0, 1099 * SEC, REUSE_FRESH, REASON_NONE },
        { "Cache-Control: max-stale=\"50x\"\r\n", 0, 1150 * SEC, REUSE_VALIDATE, REASON_STALE },
        { "Cache-Control: no-store, only-if-cached, immutable\r\n", 0, 1050 * SEC, REUSE_FRESH, REASON_NONE },
        /* an origin that forbids stale answers is not overruled (RFC 9111 §4.2.4) */
        { "Cache-Control: max-stale\r\n", OBJECT_STRICT, 1150 * SEC, REUSE_VALIDATE, REASON_STALE },
        { "Cache-Control: max-stale=50\r\n", OBJECT_STRICT, 1150 * SEC, REUSE_VALIDATE, REASON_STALE },
        { "Cache-Control: max-stale\r\n", OBJECT_ALWAYS_VALIDATE, 1050 * SEC, REUSE_VALIDATE,
          REASON_ALWAYS_VALIDATE },
        /* and what is validated for each request is told from what one client wants validated */
        { "Cache-Control: no-cache\r\n", OBJECT_ALWAYS_VALIDATE, 1050 * SEC, REUSE_VALIDATE,
          REASON_ALWAYS_VALIDATE },
        { "Cache-Control: max-age=0\r\n", OBJECT_ALWAYS_VALIDATE, 1150 * SEC, REUSE_VALIDATE,
          REASON_ALWAYS_VALIDATE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum reason reason = REASON_COUNT;
        cr_assert_eq(decide(&all_ears, cases[i].flags, cases[i].fields, cases[i].now, &reason),
                     cases[i].reuse, "case %zu", i);
        cr_assert_eq(reason, cases[i].reason, "case %zu: %s", i, reason_name(reason));
    }
}

Test(cache_reuse, it_stands_in_for_an_origin_that_fails_for_so_long)
{
    struct object always = with_flags(OBJECT_ALWAYS_VALIDATE);

    cr_assert(reuse_on_error(&stored, (wall_time){ 1050 * SEC }));
    cr_assert(reuse_on_error(&stored, (wall_time){ 1120 * SEC - 1 }));
    cr_assert_not(reuse_on_error(&stored, (wall_time){ 1120 * SEC }));
    cr_assert_not(reuse_on_error(&always, (wall_time){ 1050 * SEC }));
}

static bool
ask(bool question(const struct head *, const struct cache_settings *), const char *fields,
    const struct cache_settings *settings)
{
    struct test_memory memory;
    struct test_head   request;

    memory_begin(&memory);
    bool answer = question(request_of(&request, &memory.arena, fields), settings);
    memory_end(&memory);
    return answer;
}

Test(cache_reuse, what_a_client_keeps_out_of_the_cache)
{
    cr_assert(ask(reuse_forbids_storing, "Cache-Control: max-age=1, no-store\r\n", &all_ears));
    cr_assert_not(ask(reuse_forbids_storing, "Cache-Control: no-store\r\n", &deaf));
    cr_assert_not(ask(reuse_forbids_storing, "Cache-Control: no-cache\r\n", &all_ears));
    cr_assert_not(ask(reuse_forbids_storing, "Pragma: no-store\r\n", &all_ears));
    cr_assert_not(ask(reuse_forbids_storing, "", &all_ears));
}

Test(cache_reuse, a_client_that_wants_nothing_but_what_is_stored)
{
    cr_assert(ask(reuse_only_if_cached, "Cache-Control: max-age=1\r\nCache-Control: Only-If-Cached\r\n",
                  &all_ears));
    cr_assert_not(ask(reuse_only_if_cached, "Cache-Control: only-if-cached\r\n", &deaf));
    cr_assert_not(ask(reuse_only_if_cached, "Cache-Control: ext=\"only-if-cached\"\r\n", &all_ears));
    cr_assert_not(ask(reuse_only_if_cached, "", &all_ears));
}
