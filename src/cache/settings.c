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
    ROW("keep", TIME, keep, 0, 3650 * DAY, DAY,
        "How much longer a stale object is kept that can be validated with the origin."),
    ROW("ignore-cookies", SWITCH, ignore_cookies, 0, 1, 0,
        "Requests with Cookie share answers also where the origin does not say how long they are fresh."),
    ROW("store-set-cookie", SWITCH, store_set_cookie, 0, 1, 0,
        "Answers with Set-Cookie may be stored, and everyone gets that cookie."),
    ROW("variants", COUNT, variants, 1, 1000, 64,
        "The most variants of one URL (Vary) that are stored; the oldest goes when there are more."),
};

const struct option_table cache_options = { rows, sizeof rows / sizeof rows[0] };
