/* test_lookup.c: what a request is led to: an object, a flight that others share, one of its own, or nothing. */
#include "cache_world.h"

static void
assert_led(struct world *world, const struct store_key *key, const char *asked)
{
    struct lookup lookup = look(world, key, asked);
    cr_assert_eq(lookup.result, LOOKUP_LEAD, "%s: %d", asked, (int)lookup.result);
    give_up(&lookup);
}

/* ── stale ── */

#define STALE_SOON                                                                                           \
    "Cache-Control: max-age=10, stale-while-revalidate=20, stale-if-error=100\r\nETag: \"1\"\r\n"

Test(cache_lookup, a_stale_hit_is_refreshed_once)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "", STALE_SOON, "old");
    pass(&world, 15);
    struct lookup first = look(&world, &key, ""), second = look(&world, &key, "");
    cr_assert_eq(first.result, LOOKUP_HIT);
    cr_assert_eq(first.reason, REASON_STALE);
    cr_assert_not_null(first.refresh);
    cr_assert_null(first.flight);
    cr_assert(first.covers);
    cr_assert_span(first.lease.record.body, "old");
    cr_assert_eq(second.result, LOOKUP_HIT);
    cr_assert_eq(second.reason, REASON_STALE);
    cr_assert_null(second.refresh, "somebody does it already");

    /* Who may not have it stale waits for that same flight. */
    world.settings.client_no_cache = true;
    struct lookup strict = look(&world, &key, "Cache-Control: no-cache\r\n");
    cr_assert_eq(strict.result, LOOKUP_FOLLOW);
    cr_assert_eq(strict.flight, first.refresh);

    answer(&world, first.refresh, "", STALE_SOON, "new");
    cr_assert(flight_land(first.refresh, &world.settings));
    flight_release(&first.refresh);
    leave(&first);
    leave(&second);
    leave(&strict);
    wait_for_store(&world, &key);
    assert_hit(&world, &key, "", "new");
    end(&world);
}

Test(cache_lookup, past_its_window_the_client_waits)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "", STALE_SOON, "old");
    pass(&world, 31);
    struct lookup leader = look(&world, &key, ""), follower = look(&world, &key, "");
    cr_assert_eq(leader.result, LOOKUP_LEAD);
    cr_assert_eq(follower.result, LOOKUP_FOLLOW);
    cr_assert_span(leader.lease.record.body, "old");
    cr_assert(leader.covers);
    leave(&follower);
    give_up(&leader);
    end(&world);
}

Test(cache_lookup, an_origin_in_trouble_is_left_alone_for_a_while)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "", STALE_SOON, "old");
    pass(&world, 15);
    struct lookup first = look(&world, &key, "");
    flight_note_trouble(first.refresh);
    give_up(&first);
    struct lookup next = look(&world, &key, "");
    cr_assert_eq(next.result, LOOKUP_HIT);
    cr_assert_eq(next.reason, REASON_STALE);
    cr_assert_null(next.refresh);
    leave(&next);

    pass(&world, 20); /* past the window, it stands in all the same */
    next = look(&world, &key, "");
    cr_assert_eq(next.result, LOOKUP_HIT);
    cr_assert_eq(next.reason, REASON_STALE_IF_ERROR);
    cr_assert_null(next.refresh);
    leave(&next);

    pass(&world, 100); /* but not for ever */
    next = look(&world, &key, "");
    cr_assert_eq(next.result, LOOKUP_LEAD);
    cr_assert_span(next.lease.record.body, "old");
    /* An answer ends the trouble. */
    answer(&world, next.flight, "", STALE_SOON, "new");
    cr_assert(flight_land(next.flight, &world.settings));
    leave(&next);
    wait_for_store(&world, &key);
    pass(&world, 15);
    next = look(&world, &key, "");
    cr_assert_not_null(next.refresh);
    give_up(&next);
    end(&world);
}

/* ── what each has to ask for himself ── */

Test(cache_lookup, what_is_always_validated_is_validated_alone)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "", "Cache-Control: no-cache, max-age=60\r\nETag: \"1\"\r\n", "mine");
    world.settings.client_no_cache = true;
    static const char *const asked[] = { "", "Cache-Control: no-cache\r\n", "Pragma: no-cache\r\n" };
    struct lookup            found[3];
    for (size_t i = 0; i < 3; i++) {
        found[i] = look(&world, &key, asked[i]);
        cr_assert_eq(found[i].result, LOOKUP_ALONE, "%s", asked[i]);
        cr_assert_eq(found[i].reason, REASON_ALWAYS_VALIDATE);
        cr_assert_span(found[i].lease.record.body, "mine");
        cr_assert_span(found[i].object.validators.etag, "\"1\"");
        cr_assert(i == 0 || found[i].flight != found[i - 1].flight);
    }
    for (size_t i = 0; i < 3; i++)
        leave(&found[i]);
    end(&world);
}

Test(cache_lookup, what_may_not_be_reused_is_not_shared)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lookup    leader = look(&world, &key, ""), early = look(&world, &key, "");
    struct span      values;

    cr_assert_eq(early.result, LOOKUP_FOLLOW);
    answer(&world, leader.flight, "", "Cache-Control: max-age=0\r\nETag: \"1\"\r\n", "mine");
    cr_assert_eq(lookup_fits(&world.memory.arena, early.flight, &(struct head){ .count = 0 }, &world.settings,
                             &values),
                 FIT_NOT_REUSABLE);
    struct lookup late = look(&world, &key, "");
    cr_assert_eq(late.result, LOOKUP_ALONE, "its head is there, and not for others");
    cr_assert_eq(late.reason, REASON_KNOWN_UNCACHEABLE);
    cr_assert(flight_land(leader.flight, &world.settings));
    leave(&leader);
    leave(&early);
    leave(&late);
    wait_for_store(&world, &key);
    /* Stored it is: to be validated, by each for himself. */
    struct lookup next = look(&world, &key, "");
    cr_assert_eq(next.result, LOOKUP_ALONE);
    cr_assert_eq(next.reason, REASON_KNOWN_UNCACHEABLE);
    cr_assert_span(next.lease.record.body, "mine");
    leave(&next);
    end(&world);
}

Test(cache_lookup, who_brings_credentials_shares_no_assumption)
{
    static const struct {
        const char     *said, *asked;
        enum lookup_fit fit;
    } cases[] = {
        { "", "", FIT_YES },
        { "", "Cookie: a\r\n", FIT_CREDENTIALS },
        { "", "Authorization: a\r\n", FIT_CREDENTIALS },
        { "Cache-Control: max-age=60\r\n", "Cookie: a\r\n", FIT_YES },
        { "Cache-Control: max-age=60\r\nVary: X-A\r\n", "X-A: 1\r\n", FIT_YES },
        { "Cache-Control: max-age=60\r\nVary: X-A\r\n", "X-A: 2\r\n", FIT_OTHER_VARIANT },
        { "Cache-Control: max-age=60\r\nVary: X-A\r\n", "", FIT_OTHER_VARIANT },
        { "Cache-Control: no-cache\r\nETag: \"1\"\r\nVary: X-A\r\n", "X-A: 2\r\n", FIT_OTHER_VARIANT },
        { "Cache-Control: no-cache\r\nETag: \"1\"\r\n", "", FIT_NOT_REUSABLE },
    };
    struct world world;
    begin(&world);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct test_head request;
        struct span      values;
        char             path[16];
        snprintf(path, sizeof path, "/%zu", i);
        struct store_key key = key_for(&world, path);
        struct lookup    leader = look(&world, &key, "X-A: 1\r\n");
        answer(&world, leader.flight, "X-A: 1\r\n", cases[i].said, "x");
        cr_assert_eq(lookup_fits(&world.memory.arena, leader.flight,
                                 request_of(&request, &world.memory.arena, cases[i].asked), &world.settings,
                                 &values),
                     cases[i].fit, "case %zu", i);
        flight_abandon(leader.flight);
        leave(&leader);
    }
    end(&world);
}

/* ── nothing but what is stored ── */

Test(cache_lookup, only_if_cached_never_leads_to_the_origin)
{
    static const char *const only = "Cache-Control: only-if-cached\r\n";
    struct world             world;
    begin(&world);
    world.settings.client_only_if_cached = true;
    struct store_key none = key_for(&world, "/none"), fresh = key_for(&world, "/fresh"),
                     asked = key_for(&world, "/asked"), guessed = key_for(&world, "/guessed"),
                     under_way = key_for(&world, "/under-way");

    fetch(&world, &fresh, "", STALE_SOON, "fresh");
    fetch(&world, &asked, "", "Cache-Control: no-cache\r\nETag: \"1\"\r\n", "asked");
    fetch(&world, &guessed, "", "", "guessed");
    struct lookup leader = look(&world, &under_way, "");
    assert_hit(&world, &fresh, only, "fresh");
    assert_hit(&world, &guessed, only, "guessed");
    pass(&world, 15);
    struct lookup stale = look(&world, &fresh, only);
    cr_assert_eq(stale.result, LOOKUP_HIT);
    give_up(&stale);
    pass(&world, 20);

    const struct {
        struct store_key *key;
        const char       *fields;
    } cases[] = {
        { &none, "" },
        { &none, "Range: bytes=0-1\r\n" },
        { &none, "Range: bytes=0-1\r\nIf-Range: \"1\"\r\n" },
        { &under_way, "" },
        { &asked, "" },
        { &fresh, "" },
        { &guessed, "Cookie: a\r\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char fields[128];
        snprintf(fields, sizeof fields, "%s%s", only, cases[i].fields);
        struct lookup lookup = look(&world, cases[i].key, fields);
        cr_assert_eq(lookup.result, LOOKUP_NOTHING, "case %zu: %d", i, (int)lookup.result);
        cr_assert_null(lookup.flight);
        leave(&lookup);
    }
    give_up(&leader);
    end(&world);
}

/* ── languages ── */

#define GERMAN "Cache-Control: max-age=60\r\nVary: Accept-Language\r\nContent-Language: de\r\nETag: \"1\"\r\n"

Test(cache_lookup, a_variant_in_the_language_that_is_wanted_most)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "Accept-Language: de, en;q=0.5\r\n", GERMAN, "Guten Tag");
    assert_hit(&world, &key, "Accept-Language: en;q=0.5, DE\r\n", "Guten Tag");
    assert_hit(&world, &key, "Accept-Language: de\r\n", "Guten Tag");
    assert_hit(&world, &key, "Accept-Language: fr;q=0.1, de;q=0.2\r\n", "Guten Tag");
    assert_led(&world, &key, "Accept-Language: de, fr\r\n");
    assert_led(&world, &key, "Accept-Language: de;q=0\r\n");
    assert_led(&world, &key, "Accept-Language: fr, de;q=0.9\r\n");
    assert_led(&world, &key, "Accept-Language: =de\r\n");
    assert_led(&world, &key, "");
    /* An alias is only for what is fresh: another's variant is not validated. */
    pass(&world, 61);
    struct lookup own = look(&world, &key, "Accept-Language: de, en;q=0.5\r\n");
    cr_assert_span(own.object.validators.etag, "\"1\"");
    give_up(&own);
    struct lookup other = look(&world, &key, "Accept-Language: de\r\n");
    cr_assert_eq(other.result, LOOKUP_LEAD);
    cr_assert_null(other.lease.shard);
    give_up(&other);
    end(&world);
}

Test(cache_lookup, a_language_is_found_beside_other_selecting_fields)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    const char *said = "Cache-Control: max-age=60\r\nVary: Accept-Language, X-A\r\nContent-Language: de\r\n";

    fetch(&world, &key, "Accept-Language: de, en;q=0.5\r\nX-A: 1\r\n", said, "eins");
    assert_hit(&world, &key, "Accept-Language: de\r\nX-A: 1\r\n", "eins");
    assert_led(&world, &key, "Accept-Language: de\r\nX-A: 2\r\n");
    end(&world);
}

Test(cache_lookup, who_forbids_it_is_not_led_by_language)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    /* Its freshness is our assumption: not for who brings a cookie. */
    fetch(&world, &key, "Accept-Language: de, en;q=0.5\r\n",
          "Vary: Accept-Language\r\nContent-Language: de\r\n", "Guten Tag");
    assert_hit(&world, &key, "Accept-Language: de\r\n", "Guten Tag");
    assert_led(&world, &key, "Accept-Language: de\r\nCookie: a\r\n");
    end(&world);
}

/* ── distrust ── */

Test(cache_lookup, what_is_distrusted_is_fetched_anew)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "", STALE_SOON, "old");
    struct lookup fresh = look_for(&world, &key, "", true);
    cr_assert_eq(fresh.result, LOOKUP_HIT, "it is not asked for, so its validator does not matter");
    leave(&fresh);
    pass(&world, 31);
    struct lookup stale = look_for(&world, &key, "", true);
    cr_assert_eq(stale.result, LOOKUP_LEAD);
    cr_assert_null(stale.lease.shard);
    give_up(&stale);
    end(&world);
}
