/* test_land.c: what a landing leaves in the store: variants and their markers, aliases, refreshed objects. */
#include "cache_world.h"

#define FOR_A "Cache-Control: max-age=60\r\nVary: X-A\r\n"

static void
assert_led(struct world *world, const struct store_key *key, const char *asked)
{
    struct lookup lookup = look(world, key, asked);
    cr_assert_eq(lookup.result, LOOKUP_LEAD, "%s: %d", asked, (int)lookup.result);
    give_up(&lookup);
}

/* Fetches it although it may be there, as one who goes alone does. */
static void
fetch_again(struct world *world, const struct store_key *key, const char *asked, const char *said,
            const char *body)
{
    struct flight *flight = lookup_alone(world->cache, key, true);

    answer(world, flight, asked, said, body);
    cr_assert(flight_land(flight, &world->settings));
    flight_release(&flight);
    wait_for_store(world, key);
}

static uint64_t
dropped(const struct world *world)
{
    return atomic_load(&cache_metrics_of(world->cache)->variants_dropped);
}

Test(cache_land, the_oldest_variant_goes_when_there_are_too_many)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    world.settings.variants = 2;
    fetch(&world, &key, "X-A: 1\r\n", FOR_A, "one");
    fetch(&world, &key, "X-A: 2\r\n", FOR_A, "two");
    fetch_again(&world, &key, "X-A: 1\r\n", FOR_A, "one again"); /* so it is the newest */
    cr_assert_eq(dropped(&world), 0);
    fetch(&world, &key, "X-A: 3\r\n", FOR_A, "three");
    cr_assert_eq(dropped(&world), 1);
    assert_hit(&world, &key, "X-A: 1\r\n", "one again");
    assert_hit(&world, &key, "X-A: 3\r\n", "three");
    assert_led(&world, &key, "X-A: 2\r\n");

    world.settings.variants = 1;
    fetch(&world, &key, "X-A: 4\r\n", FOR_A, "four");
    cr_assert_eq(dropped(&world), 3);
    assert_hit(&world, &key, "X-A: 4\r\n", "four");
    assert_led(&world, &key, "X-A: 3\r\n");
    end(&world);
}

#define FOR_LANGUAGE "Cache-Control: max-age=60\r\nVary: Accept-Language, X-A\r\n"

Test(cache_land, an_alias_does_not_push_out_its_own_variant)
{
    struct world world;
    begin(&world);
    struct store_key  key = key_for(&world, "/a");
    static const char de[] = FOR_LANGUAGE "Content-Language: de\r\n",
                      wants[] = "Accept-Language: de, en;q=0.5\r\n";

    /* The marker is full, and the variant that comes again is its oldest. */
    world.settings.variants = 3;
    fetch(&world, &key, wants, FOR_LANGUAGE, "no language");
    fetch(&world, &key, "X-A: 1\r\n", FOR_LANGUAGE, "one");
    fetch(&world, &key, "X-A: 2\r\n", FOR_LANGUAGE, "two");
    fetch_again(&world, &key, wants, de, "Guten Tag");
    assert_hit(&world, &key, wants, "Guten Tag");
    assert_hit(&world, &key, "Accept-Language: de\r\n", "Guten Tag");

    /* Where there is room for one, it is the variant's. */
    world.settings.variants = 1;
    fetch_again(&world, &key, wants, de, "Guten Abend");
    assert_hit(&world, &key, wants, "Guten Abend");
    assert_led(&world, &key, "X-A: 2\r\n");
    end(&world);
}

Test(cache_land, an_answer_without_vary_takes_the_variants_with_it)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "X-A: 1\r\n", FOR_A, "one");
    fetch_again(&world, &key, "X-A: 2\r\n", "Cache-Control: max-age=60\r\n", "for all");
    assert_hit(&world, &key, "X-A: 1\r\n", "for all");
    /* and when it varies again, the old variants do not come back */
    fetch_again(&world, &key, "X-A: 2\r\n", FOR_A, "two");
    assert_hit(&world, &key, "X-A: 2\r\n", "two");
    assert_led(&world, &key, "X-A: 1\r\n");
    end(&world);
}

Test(cache_land, another_vary_takes_the_variants_of_the_old_one)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "X-A: 1\r\n", FOR_A, "by a");
    fetch_again(&world, &key, "X-A: 1\r\nX-B: 1\r\n", "Cache-Control: max-age=60\r\nVary: X-B\r\n", "by b");
    assert_hit(&world, &key, "X-A: 9\r\nX-B: 1\r\n", "by b");
    assert_led(&world, &key, "X-A: 1\r\n");
    fetch_again(&world, &key, "X-A: 2\r\n", FOR_A, "by a again");
    assert_led(&world, &key, "X-A: 1\r\n");
    end(&world);
}

/* ── a 304 ── */

/* The answer to a validation, which makes the leader's object good again. */
static void
refresh(struct world *world, struct lookup *leader, const char *said)
{
    struct arena    *arena = &world->memory.arena;
    struct test_head update, request;
    struct verdict   verdict;
    struct span      meta;

    cr_assert_not_null(leader->lease.shard);
    parse_head(&update, arena, "HTTP/1.1 304 Not Modified", said);
    cr_assert_eq(object_refresh(arena, &leader->object, &update.head, request_of(&request, arena, ""),
                                &world->settings, world->now, world->now, &verdict, &meta),
                 ERR_NONE);
    cr_assert_eq(flight_refresh(leader->flight, meta, &verdict, leader->lease.record.created), ERR_NONE);
    cr_assert(flight_land(leader->flight, &world->settings));
}

#define TAGGED "Cache-Control: max-age=10, must-revalidate\r\nETag: \"1\"\r\n"

Test(cache_land, a_refreshed_object_keeps_its_body)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "", TAGGED, "hello");
    pass(&world, 20);
    struct lookup leader = look(&world, &key, "");
    refresh(&world, &leader, "Cache-Control: max-age=60\r\nX-New: 1\r\n");
    leave(&leader);
    wait_for_store(&world, &key);
    pass(&world, 59);
    struct lookup found = look(&world, &key, "");
    cr_assert_eq(found.result, LOOKUP_HIT);
    cr_assert_eq(found.reason, REASON_NONE);
    cr_assert_span(found.lease.record.body, "hello");
    cr_assert_not_null(memmem(found.object.head.at, found.object.head.len, "\r\nX-New: 1\r\n", 12));
    leave(&found);
    end(&world);
}

Test(cache_land, what_was_replaced_meanwhile_is_not_refreshed)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "", TAGGED, "old");
    pass(&world, 20);
    struct lookup leader = look(&world, &key, "");
    fetch_again(&world, &key, "", "Cache-Control: max-age=60\r\nETag: \"2\"\r\n", "new");
    refresh(&world, &leader, "Cache-Control: max-age=60\r\n");
    leave(&leader);
    wait_for_store(&world, &key);
    struct lookup found = look(&world, &key, "");
    cr_assert_eq(found.result, LOOKUP_HIT);
    cr_assert_span(found.lease.record.body, "new");
    cr_assert_span(found.object.validators.etag, "\"2\"");
    leave(&found);
    end(&world);
}

/* Two that go alone, one after the other, and a 304 to the first one's validator: in most rounds all of it is within a millisecond, which is as
 * exact as a record knows when it was made. */
Test(cache_land, what_was_replaced_in_the_same_moment_is_not_refreshed)
{
    struct world world;
    begin(&world);

    for (unsigned round = 0; round < 200; round++) {
        struct arena_mark mark = arena_mark(&world.memory.arena);
        char              path[16];
        snprintf(path, sizeof path, "/%u", round);
        struct store_key key = key_for(&world, path);

        world.now = clock_wall();
        fetch_again(&world, &key, "", TAGGED, "old");
        pass(&world, 20);
        struct lookup leader = look(&world, &key, "");
        fetch_again(&world, &key, "", "Cache-Control: max-age=600\r\nETag: \"2\"\r\n", "new");
        refresh(&world, &leader, "Cache-Control: max-age=60\r\n");
        leave(&leader);
        wait_for_store(&world, &key);
        struct lookup found = look(&world, &key, "");
        cr_assert_eq(found.result, LOOKUP_HIT);
        cr_assert_span(found.lease.record.body, "new");
        cr_assert_span(found.object.validators.etag, "\"2\"");
        leave(&found);
        arena_release(&world.memory.arena, mark);
    }
    end(&world);
}
