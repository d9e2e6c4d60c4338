/* test_part.c: parts of a representation: which are found, which are asked for, and how they are put together. */
#include "cache_world.h"

#define ALPHABET "abcdefghijklmnopqrstuvwxyz"
#define STRONG "Cache-Control: max-age=60\r\nETag: \"1\"\r\n"

/* The bytes first to last of the alphabet, as a 206 of the flight. Capitals: they tell the new bytes from those stored. */
static void
answer_part(struct world *world, struct flight *flight, const char *asked, const char *said, int64_t first,
            int64_t last, bool capital)
{
    struct arena        *arena = &world->memory.arena;
    struct content_range part = { first, last, 26 };
    struct test_head     request, response;
    struct verdict       verdict;
    struct span          spec, values, meta;
    char                 body[26];
    bool                 star;

    request_of(&request, arena, asked);
    parse_head(&response, arena, "HTTP/1.1 206 Partial Content", said);
    policy_answer(&request.head, &response.head, &world->settings, world->now, world->now, &verdict);
    cr_assert(verdict.store, "%s", reason_name(verdict.reason));
    cr_assert_eq(vary_spec(arena, &response.head, &spec, &star), ERR_NONE);
    cr_assert_eq(vary_values(arena, &request.head, spec, &values), ERR_NONE);
    cr_assert_eq(object_write(arena, &response.head, &verdict, spec, -1, &part, world->now, &meta), ERR_NONE);
    cr_assert_eq(flight_share(flight, meta, &verdict, spec, values, -1), ERR_NONE);
    for (int64_t i = first; i <= last; i++)
        body[i - first] = (char)((capital ? 'A' : 'a') + i);
    cr_assert_eq(fill_append(flight_fill(flight), span_of(body, (size_t)(last - first + 1))), ERR_NONE);
    fill_end(flight_fill(flight));
}

/* Fetches a part as it is asked for; the store has what is to be had when this returns. */
static void
fetch_part(struct world *world, const struct store_key *key, const char *asked, const char *said,
           int64_t first, int64_t last, bool capital)
{
    struct flight *flight = lookup_alone(world->cache, key, true);

    answer_part(world, flight, asked, said, first, last, capital);
    cr_assert(flight_land(flight, &world->settings));
    flight_release(&flight);
    wait_for_store(world, key);
}

/* ── what is found ── */

Test(cache_part, a_part_answers_what_lies_inside_of_it)
{
    static const struct {
        const char        *range;
        enum lookup_result result;
        bool               covers;
    } cases[] = {
        { "bytes=10-19", LOOKUP_HIT, true },
        { "bytes=10-10", LOOKUP_HIT, true },
        { "bytes=19-19", LOOKUP_HIT, true },
        { "bytes=9-19", LOOKUP_LEAD, false },
        { "bytes=10-20", LOOKUP_LEAD, false },
        { "bytes=0-", LOOKUP_LEAD, false },
        { "bytes=-5", LOOKUP_LEAD, false },
        { "bytes=99-", LOOKUP_LEAD, false },
        { "bytes=10-11,13-14", LOOKUP_LEAD, false },
        { "lines=10-11", LOOKUP_LEAD, false }, /* as if it did not ask for a range */
    };
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch_part(&world, &key, "", STRONG, 10, 19, false);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char fields[64];
        snprintf(fields, sizeof fields, "Range: %s\r\n", cases[i].range);
        struct lookup lookup = look(&world, &key, fields);
        cr_assert_eq(lookup.result, cases[i].result, "%s: %d", cases[i].range, (int)lookup.result);
        cr_assert_eq(lookup.covers, cases[i].covers, "%s", cases[i].range);
        cr_assert_not(lookup.completes);
        cr_assert_eq(lookup.lease.shard != NULL, cases[i].covers, "%s", cases[i].range);
        give_up(&lookup);
    }
    end(&world);
}

Test(cache_part, a_whole_answers_every_range)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "", STRONG, ALPHABET);
    static const char *const ranges[] = { "Range: bytes=0-1\r\n", "Range: bytes=-1\r\n",
                                          "Range: bytes=99-\r\n", "Range: bytes=0-1,3-4\r\n",
                                          "Range: nonsense\r\n" };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct lookup lookup = look(&world, &key, ranges[i]);
        cr_assert_eq(lookup.result, LOOKUP_HIT, "%s", ranges[i]);
        cr_assert(lookup.covers);
        leave(&lookup);
    }
    end(&world);
}

Test(cache_part, the_rest_is_asked_for_when_it_is_in_one_piece)
{
    static const struct {
        int64_t     first, last;
        const char *asked;
        bool        distrust, late, completes;
    } cases[] = {
        { 0, 9, "", false, false, true },
        { 10, 25, "", false, false, true },
        { 5, 9, "", false, false, false },                      /* there is something missing on both sides */
        { 0, 9, "Range: bytes=5-19\r\n", false, false, false }, /* not all of the rest is wanted */
        { 0, 9, "Range: bytes=0-1,3-4\r\n", false, false, false },
        { 0, 9, "", true, false, false },
        { 0, 9, "", false, true, false }, /* stale: it may be another by now */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world world;
        begin(&world);
        struct store_key key = key_for(&world, "/a");
        fetch_part(&world, &key, "", STRONG, cases[i].first, cases[i].last, false);
        if (cases[i].late)
            pass(&world, 200);
        struct lookup leader = look_for(&world, &key, cases[i].asked, cases[i].distrust);
        struct lookup follower = look_for(&world, &key, cases[i].asked, cases[i].distrust);
        cr_assert_eq(leader.result, LOOKUP_LEAD, "case %zu: %d", i, (int)leader.result);
        cr_assert_eq(follower.result, LOOKUP_FOLLOW, "case %zu: %d", i, (int)follower.result);
        cr_assert_eq(leader.completes, cases[i].completes, "case %zu", i);
        cr_assert_eq(leader.lease.shard != NULL, cases[i].completes, "case %zu", i);
        cr_assert_not(leader.covers);
        leave(&follower);
        give_up(&leader);
        end(&world);
    }
}

/* ── what is fetched ── */

Test(cache_part, who_wants_the_same_part_shares_its_flight)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lookup    one = look(&world, &key, "Range: bytes=0-9\r\n");
    struct lookup    same = look(&world, &key, "Range: bytes=0-9\r\n");
    struct lookup    other = look(&world, &key, "Range: bytes=10-19\r\n");
    /* A range with a condition of one client is for that one. */
    struct lookup mine = look(&world, &key, "Range: bytes=0-9\r\nIf-Range: \"1\"\r\n");
    struct lookup whole = look(&world, &key, "");
    struct lookup several = look(&world, &key, "Range: bytes=0-1,3-4\r\n");

    cr_assert_eq(mine.result, LOOKUP_ALONE);
    leave(&mine);
    cr_assert_eq(one.result, LOOKUP_LEAD);
    cr_assert(one.part);
    cr_assert_eq(same.result, LOOKUP_FOLLOW);
    cr_assert(same.part);
    cr_assert_eq(same.flight, one.flight);
    cr_assert_eq(other.result, LOOKUP_LEAD);
    cr_assert(other.part);
    cr_assert_eq(whole.result, LOOKUP_LEAD);
    cr_assert_not(whole.part);
    cr_assert_eq(several.result, LOOKUP_FOLLOW, "several ranges are cut from the whole");
    cr_assert_eq(several.flight, whole.flight);
    cr_assert_not(several.part);

    answer_part(&world, one.flight, "", STRONG, 0, 9, false);
    cr_assert(flight_land(one.flight, &world.settings));
    leave(&one);
    leave(&same);
    wait_for_store(&world, &key);
    struct lookup found = look(&world, &key, "Range: bytes=0-9\r\n");
    cr_assert_eq(found.result, LOOKUP_HIT);
    cr_assert_span(found.lease.record.body, "abcdefghij");
    leave(&found);
    leave(&several);
    give_up(&other);
    give_up(&whole);
    end(&world);
}

Test(cache_part, who_wants_a_range_joins_the_whole_that_is_under_way)
{
    static const char *const wanted[] = { "Range: bytes=20-29\r\n", "Range: bytes=-5\r\n",
                                          "Range: bytes=0-9\r\nIf-Range: \"1\"\r\n" };
    struct world             world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lookup    whole = look(&world, &key, "");

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        struct lookup part = look(&world, &key, wanted[i]);
        cr_assert_eq(part.result, LOOKUP_FOLLOW, "%s", wanted[i]);
        cr_assert_eq(part.flight, whole.flight);
        cr_assert(part.of_whole);
        cr_assert_not(part.part);
        leave(&part);
    }
    /* Its head has come, without a length: a part of that cannot be named. */
    answer(&world, whole.flight, "", "Cache-Control: max-age=60\r\n", "hello");
    struct lookup part = look(&world, &key, wanted[0]);
    cr_assert_eq(part.result, LOOKUP_LEAD);
    cr_assert(part.part);
    give_up(&part);
    cr_assert(flight_land(whole.flight, &world.settings));
    leave(&whole);
    wait_for_store(&world, &key);
    end(&world);
}

Test(cache_part, parts_of_variants)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch_part(&world, &key, "X-A: 1\r\n", STRONG "Vary: X-A\r\n", 0, 9, false);
    fetch_part(&world, &key, "X-A: 2\r\n", STRONG "Vary: X-A\r\n", 0, 9, true);
    struct lookup found = look(&world, &key, "X-A: 1\r\nRange: bytes=2-3\r\n");
    cr_assert_eq(found.result, LOOKUP_HIT);
    cr_assert_span(found.lease.record.body, "abcdefghij");
    leave(&found);
    struct lookup none = look(&world, &key, "X-A: 3\r\nRange: bytes=2-3\r\n");
    cr_assert_eq(none.result, LOOKUP_LEAD);
    cr_assert(none.part);
    give_up(&none);
    end(&world);
}

/* ── what is stored ── */

#define DATED                                                                                                \
    "Cache-Control: max-age=60\r\nDate: Sun, 06 Nov 2044 08:49:37 GMT\r\nLast-Modified: Sun, 06 Nov 2044 "   \
    "08:49:30 GMT\r\n"

Test(cache_part, what_is_stored_after_two_parts)
{
    static const struct {
        const char *old_said;
        int64_t     old_first, old_last;
        const char *new_said;
        int64_t     new_first, new_last;
        const char *body;
        int64_t     first; /* -1: it is the whole */
    } cases[] = {
        /* touching, on either side */
        { STRONG, 5, 9, STRONG, 10, 14, "fghijKLMNO", 5 },
        { STRONG, 10, 14, STRONG, 5, 9, "FGHIJklmno", 5 },
        /* overlapping: the new bytes count */
        { STRONG, 5, 11, STRONG, 10, 14, "fghijKLMNO", 5 },
        { STRONG, 8, 14, STRONG, 5, 9, "FGHIJklmno", 5 },
        { STRONG, 5, 14, STRONG, 7, 8, "fgHIjklmno", 5 },
        { STRONG, 7, 8, STRONG, 5, 9, "FGHIJ", 5 },
        { STRONG, 5, 9, STRONG, 5, 9, "FGHIJ", 5 },
        { STRONG, 5, 9, STRONG, 5, 6, "FGhij", 5 },
        { STRONG, 5, 9, STRONG, 8, 9, "fghIJ", 5 },
        /* a gap of one byte: the newer one is kept */
        { STRONG, 5, 9, STRONG, 11, 14, "LMNO", 11 },
        { STRONG, 11, 14, STRONG, 5, 9, "FGHIJ", 5 },
        /* becoming whole */
        { STRONG, 0, 9, STRONG, 10, 25, "abcdefghijKLMNOPQRSTUVWXYZ", -1 },
        { STRONG, 10, 25, STRONG, 0, 12, "ABCDEFGHIJKLMnopqrstuvwxyz", -1 },
        /* not surely of one representation */
        { STRONG, 5, 9, "Cache-Control: max-age=60\r\nETag: \"2\"\r\n", 10, 14, "KLMNO", 10 },
        { STRONG, 5, 9, "Cache-Control: max-age=60\r\nETag: W/\"1\"\r\n", 10, 14, "KLMNO", 10 },
        { STRONG, 5, 9, "Cache-Control: max-age=60\r\n", 10, 14, "KLMNO", 10 },
        { "Cache-Control: max-age=60\r\nETag: W/\"1\"\r\n", 5, 9,
          "Cache-Control: max-age=60\r\nETag: W/\"1\"\r\n", 10, 14, "KLMNO", 10 },
        { "Cache-Control: max-age=60\r\n", 5, 9, "Cache-Control: max-age=60\r\n", 10, 14, "KLMNO", 10 },
        /* a strong date will do where there are no tags (RFC 9110 §8.8.2.2) */
        { DATED, 5, 9, DATED, 10, 14, "fghijKLMNO", 5 },
        { DATED, 5, 9, DATED "ETag: \"1\"\r\n", 10, 14, "KLMNO", 10 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world  world;
        struct object object;
        begin(&world);
        if (cases[i].old_said[strlen(cases[i].old_said) - 3] == 'T') /* dated: that is its now */
            world.now = wall_from_seconds(INT64_C(2362034977));
        struct store_key key = key_for(&world, "/a");
        struct lease     lease;

        fetch_part(&world, &key, "", cases[i].old_said, cases[i].old_first, cases[i].old_last, false);
        fetch_part(&world, &key, "", cases[i].new_said, cases[i].new_first, cases[i].new_last, true);
        cr_assert(store_find(world.store, 0, &key, world.now, &lease), "case %zu", i);
        cr_assert_span(lease.record.body, cases[i].body);
        cr_assert(object_read(lease.record.meta, &object));
        cr_assert_eq((object.flags & OBJECT_PARTIAL) != 0, cases[i].first >= 0, "case %zu", i);
        cr_assert_eq(object.first, cases[i].first < 0 ? 0 : cases[i].first, "case %zu", i);
        bool has_length = memmem(object.head.at, object.head.len, "\r\nContent-Length: 26\r\n", 22) != NULL;
        cr_assert_eq(has_length, cases[i].first < 0, "case %zu", i);
        lease_release(&lease);
        if (cases[i].first < 0) {
            struct lookup whole = look(&world, &key, "");
            cr_assert_eq(whole.result, LOOKUP_HIT, "case %zu", i);
            leave(&whole);
        }
        end(&world);
    }
}

Test(cache_part, a_part_of_another_length_is_of_another)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lease     lease;

    fetch_part(&world, &key, "", STRONG, 5, 9, false);
    /* The same tag, but of 99 bytes. */
    struct flight       *flight = lookup_alone(world.cache, &key, true);
    struct content_range part = { 10, 11, 99 };
    struct test_head     request, response;
    struct verdict       verdict;
    struct span          meta;
    request_of(&request, &world.memory.arena, "");
    parse_head(&response, &world.memory.arena, "HTTP/1.1 206 Partial Content", STRONG);
    policy_answer(&request.head, &response.head, &world.settings, world.now, world.now, &verdict);
    cr_assert_eq(
        object_write(&world.memory.arena, &response.head, &verdict, SPAN_EMPTY, -1, &part, world.now, &meta),
        ERR_NONE);
    cr_assert_eq(flight_share(flight, meta, &verdict, SPAN_EMPTY, SPAN_EMPTY, -1), ERR_NONE);
    cr_assert_eq(fill_append(flight_fill(flight), SPAN("KL")), ERR_NONE);
    fill_end(flight_fill(flight));
    cr_assert(flight_land(flight, &world.settings));
    flight_release(&flight);
    wait_for_store(&world, &key);
    cr_assert(store_find(world.store, 0, &key, world.now, &lease));
    cr_assert_span(lease.record.body, "KL");
    lease_release(&lease);
    end(&world);
}

Test(cache_part, a_part_does_not_take_the_place_of_a_whole_that_is_as_good)
{
#define TAG(tag) "Cache-Control: max-age=60\r\nETag: " tag "\r\n"
#define OLD_TAG(tag) "Cache-Control: max-age=60\r\nAge: 65\r\nETag: " tag "\r\n"
    static const struct {
        const char *whole, *part;
        bool        stays;
    } cases[] = {
        { TAG("\"1\""), TAG("\"1\""), true },
        { TAG("\"1\""), TAG("\"2\""), false },
        { OLD_TAG("\"1\""), TAG("\"1\""), true }, /* stale, and still the same */
        { OLD_TAG("\"1\""), TAG("\"2\""), false },
        /* weak tags say that it may be another, or the same */
        { TAG("W/\"1\""), TAG("W/\"1\""), true },
        { TAG("W/\"1\""), TAG("\"1\""), true },
        { TAG("W/\"1\""), TAG("W/\"2\""), false },
        { OLD_TAG("W/\"1\""), TAG("W/\"1\""), false },
        /* nobody knows: as long as it is fresh */
        { "Cache-Control: max-age=60\r\n", "Cache-Control: max-age=60\r\n", true },
        { "Cache-Control: max-age=60\r\n", TAG("\"1\""), true },
        { "Cache-Control: max-age=60\r\nAge: 65\r\n", TAG("\"1\""), false },
        { TAG("\"1\""), "Cache-Control: max-age=60\r\n", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world world;
        struct lease lease;
        begin(&world);
        struct store_key key = key_for(&world, "/a");

        fetch(&world, &key, "", cases[i].whole, ALPHABET);
        fetch_part(&world, &key, "", cases[i].part, 10, 14, true);
        cr_assert(store_find(world.store, 0, &key, world.now, &lease), "case %zu", i);
        cr_assert_span(lease.record.body, cases[i].stays ? ALPHABET : "KLMNO");
        lease_release(&lease);
        end(&world);
    }
}

Test(cache_part, a_whole_that_nobody_finds_any_more_covers_nothing)
{
    struct world world;
    struct lease lease;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    wall_time        now = world.now;

    world.settings.keep = world.settings.grace = world.settings.stale_if_error = 0;
    pass(&world, -1000);
    fetch(&world, &key, "", STRONG, ALPHABET); /* it is still there, but its time is over */
    world.now = now;
    fetch_part(&world, &key, "", STRONG, 10, 14, true);
    cr_assert(store_find(world.store, 0, &key, world.now, &lease));
    cr_assert_span(lease.record.body, "KLMNO");
    lease_release(&lease);
    end(&world);
}

Test(cache_part, a_whole_takes_the_place_of_a_part)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch_part(&world, &key, "", STRONG, 5, 9, true);
    struct lookup leader = look(&world, &key, "");
    cr_assert_eq(leader.result, LOOKUP_LEAD);
    answer(&world, leader.flight, "", STRONG, ALPHABET);
    cr_assert(flight_land(leader.flight, &world.settings));
    leave(&leader);
    wait_for_store(&world, &key);
    assert_hit(&world, &key, "", ALPHABET);
    end(&world);
}
