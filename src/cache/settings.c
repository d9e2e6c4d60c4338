/* settings.c: the table of what an operator may say about caching. */
#include <larder/cache/settings.h>

#define ROW(name, type, member, least, most, initial, help)                                                  \
    {                                                                                                        \
        name, OPTION_##type, offsetof(struct cache_settings, member), least, most, initial, help             \
    }

#define DAY (24 * 3600 * NSEC_PER_SEC)

static const struct option_row rows[] = {
    ROW("ttl", TIME, ttl, 0, 3650 * DAY, 120 * NSEC_PER_SEC,
        "How long an answer is fresh whose origin says nothing about it; 0: such answers are not stored."),
    ROW("heuristic", TIME, heuristic, 0, 3650 * DAY, 0,
        "The most that is assumed from Last-Modified where the origin says nothing else (a tenth of the time "
        "for "
        "which it has not changed); 0: as much as ttl."),
    ROW("grace", TIME, grace, 0, 3650 * DAY, 10 * NSEC_PER_SEC,
        "How long a stale answer is still sent while one request refreshes it, where the origin does not say "
        "(stale-while-revalidate)."),
    ROW("stale-if-error", TIME, stale_if_error, 0, 3650 * DAY, 3600 * NSEC_PER_SEC,
        "How long a stale answer stands in for an origin that fails, where the origin does not say."),
    ROW("keep", TIME, keep, 0, 3650 * DAY, DAY,
        "How much longer a stale object is kept that can be validated with the origin."),
    ROW("ignore-cookies", SWITCH, ignore_cookies, 0, 1, 0,
        "Requests with Cookie share answers also where the origin does not say how long they are fresh."),
    ROW("store-set-cookie", SWITCH, store_set_cookie, 0, 1, 0,
        "Answers with Set-Cookie may be stored, and everyone gets that cookie."),
    ROW("client-no-cache", SWITCH, client_no_cache, 0, 1, 0,
        "A client may ask for an answer that was validated just now (Cache-Control: no-cache, or Pragma)."),
    ROW("client-no-store", SWITCH, client_no_store, 0, 1, 0,
        "A client may keep its request and the answer out of the cache (Cache-Control: no-store)."),
    ROW("client-max-age", SWITCH, client_max_age, 0, 1, 0,
        "A client may say how old an answer may be (Cache-Control: max-age)."),
    ROW("client-max-stale", SWITCH, client_max_stale, 0, 1, 0,
        "A client may take stale answers (Cache-Control: max-stale)."),
    ROW("client-min-fresh", SWITCH, client_min_fresh, 0, 1, 0,
        "A client may say how much longer an answer must be fresh (Cache-Control: min-fresh)."),
    ROW("client-only-if-cached", SWITCH, client_only_if_cached, 0, 1, 0,
        "A client may ask for what is stored or nothing (Cache-Control: only-if-cached); nothing is 504."),
    ROW("lenient-ranges", SWITCH, lenient_ranges, 0, 1, 0,
        "An answer 206 whose body is shorter than its Content-Range says is stored as far as it goes."),
    ROW("variants", COUNT, variants, 1, 1000, 64,
        "The most variants of one URL (Vary) that are stored; the oldest goes when there are more."),
};

const struct option_table cache_options = { rows, sizeof rows / sizeof rows[0] };
