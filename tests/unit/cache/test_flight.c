/* test_flight.c: flights over a real store: phases, ports, landing, purging, and what a lookup finds. */
#include "cache_world.h"

static unsigned purged;

static void
count_purged(struct cache_purge *purge)
{
    purged = purge->removed;
}

static unsigned
purge(struct world *world, const struct store_key *key)
{
    struct cache_purge purge = { .key = *key, .done = count_purged };
    cr_assert_eq(cache_purge(world->cache, &purge), ERR_NONE);
    wait_for_store(world, key);
    return purged;
}

Test(cache_flight, one_leads_the_others_follow)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lookup    leader = look(&world, &key, ""), follower = look(&world, &key, "");

    cr_assert_eq(leader.result, LOOKUP_LEAD);
    cr_assert_eq(follower.result, LOOKUP_FOLLOW);
    cr_assert_eq(leader.flight, follower.flight);
    cr_assert_eq(flight_phase(leader.flight), FLIGHT_OPEN);
    answer(&world, leader.flight, "", "Cache-Control: max-age=60\r\n", "hello");
    cr_assert(flight_land(leader.flight, &world.settings));
    wait_for_store(&world, &key);
    assert_hit(&world, &key, "", "hello");
    leave(&leader);
    leave(&follower);
    end(&world);
}

Test(cache_flight, a_failure_frees_the_key)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lookup    leader = look(&world, &key, "");
    const char      *detail;

    flight_fail(leader.flight, 7, "why");
    cr_assert_eq(flight_phase(leader.flight), FLIGHT_FAILED);
    cr_assert_eq(flight_failure(leader.flight, &detail), 7);
    cr_assert_str_eq(detail, "why");
    struct lookup next = look(&world, &key, "");
    cr_assert_eq(next.result, LOOKUP_LEAD);
    flight_fail(next.flight, 1, "");
    leave(&leader);
    leave(&next);
    end(&world);
}

Test(cache_flight, what_is_let_go_is_remembered)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lookup    leader = look(&world, &key, "");

    cr_assert_eq(flight_let_go(leader.flight, REASON_PRIVATE, true), ERR_NONE);
    cr_assert_eq(flight_reason(leader.flight), REASON_PRIVATE);
    struct lookup one = look(&world, &key, ""), two = look(&world, &key, "");
    cr_assert_eq(one.result, LOOKUP_ALONE);
    cr_assert_eq(two.result, LOOKUP_ALONE);
    cr_assert_eq(one.reason, REASON_KNOWN_UNCACHEABLE);
    cr_assert_neq(one.flight, two.flight);
    /* One that turns out to be for everybody is shared again from then on. */
    answer(&world, one.flight, "", "Cache-Control: max-age=60\r\n", "hello");
    cr_assert(flight_land(one.flight, &world.settings));
    wait_for_store(&world, &key);
    assert_hit(&world, &key, "", "hello");
    leave(&leader);
    leave(&one);
    leave(&two);
    end(&world);
}

Test(cache_flight, variants_are_found_by_what_they_vary_on)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "X-A: 1\r\n", "Cache-Control: max-age=60\r\nVary: X-A\r\n", "one");
    fetch(&world, &key, "X-A: 2\r\n", "Cache-Control: max-age=60\r\nVary: X-A\r\n", "two");
    assert_hit(&world, &key, "X-A: 1\r\n", "one");
    assert_hit(&world, &key, "X-A: 2\r\n", "two");
    struct lookup other = look(&world, &key, "");
    cr_assert_eq(other.result, LOOKUP_LEAD);
    cr_assert_span(other.vary, "x-a");
    flight_fail(other.flight, 1, "");
    leave(&other);
    cr_assert_eq(purge(&world, &key), 2);
    other = look(&world, &key, "X-A: 1\r\n");
    cr_assert_eq(other.result, LOOKUP_LEAD);
    flight_fail(other.flight, 1, "");
    leave(&other);
    end(&world);
}

struct losing {
    struct store_job job;
    struct store_key key;
};

static void
lose(struct store_job *job, struct store_writer *writer)
{
    struct losing *losing = CONTAINER_OF(job, struct losing, job);
    cr_assert(writer_remove(writer, &losing->key));
}

/* Eviction takes a marker, a purge comes and cannot reach the variants; the next answer makes a new marker. */
Test(cache_flight, a_variant_that_lost_its_marker_before_a_purge_is_not_found)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "X-A: 1\r\n", "Cache-Control: max-age=60\r\nVary: X-A\r\n", "one");
    fetch(&world, &key, "X-A: 2\r\n", "Cache-Control: max-age=60\r\nVary: X-A\r\n", "two");
    struct losing losing = { .job = { .cost = 1, .run = lose }, .key = key };
    cr_assert_eq(store_submit(world.store, key.digest, &losing.job), ERR_NONE);
    wait_for_store(&world, &key);
    cr_assert_eq(purge(&world, &key), 0);
    fetch(&world, &key, "X-A: 1\r\n", "Cache-Control: max-age=60\r\nVary: X-A\r\n", "new");
    assert_hit(&world, &key, "X-A: 1\r\n", "new");
    struct lookup other = look(&world, &key, "X-A: 2\r\n");
    cr_assert_eq(other.result, LOOKUP_LEAD);
    cr_assert_null(other.lease.shard);
    flight_fail(other.flight, 1, "");
    leave(&other);
    fetch(&world, &key, "X-A: 2\r\n", "Cache-Control: max-age=60\r\nVary: X-A\r\n", "newer");
    assert_hit(&world, &key, "X-A: 2\r\n", "newer");
    end(&world);
}

Test(cache_flight, a_lookup_meets_the_variant_that_is_under_way)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lookup    first = look(&world, &key, "X-A: 1\r\n");

    answer(&world, first.flight, "X-A: 1\r\n", "Cache-Control: max-age=60\r\nVary: X-A\r\n", "one");
    struct lookup same = look(&world, &key, "X-A: 1\r\n"), other = look(&world, &key, "X-A: 2\r\n"),
                  more = look(&world, &key, "X-A: 2\r\n");
    cr_assert_eq(same.result, LOOKUP_FOLLOW);
    cr_assert_eq(same.flight, first.flight);
    cr_assert_eq(other.result, LOOKUP_LEAD);
    cr_assert_eq(more.result, LOOKUP_FOLLOW);
    cr_assert_eq(more.flight, other.flight);
    flight_abandon(first.flight);
    flight_fail(other.flight, 1, "");
    leave(&first);
    leave(&same);
    leave(&other);
    leave(&more);
    end(&world);
}

Test(cache_flight, implicit_freshness_is_not_for_credentials)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "", "", "anonymous");
    assert_hit(&world, &key, "", "anonymous");
    struct lookup mine = look(&world, &key, "Cookie: me\r\n");
    cr_assert_eq(mine.result, LOOKUP_ALONE);
    cr_assert_eq(mine.reason, REASON_COOKIE);
    leave(&mine);
    mine = look(&world, &key, "Authorization: me\r\n");
    cr_assert_eq(mine.result, LOOKUP_ALONE);
    cr_assert_eq(mine.reason, REASON_AUTHORIZATION);
    leave(&mine);
    world.settings.ignore_cookies = true;
    assert_hit(&world, &key, "Cookie: me\r\n", "anonymous");
    end(&world);
}

Test(cache_flight, a_stale_object_comes_with_the_flight_that_validates_it)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");

    fetch(&world, &key, "", "Cache-Control: max-age=10\r\nETag: \"1\"\r\n", "hello");
    world.now = wall_add(world.now, 20 * NSEC_PER_SEC);
    struct lookup leader = look(&world, &key, ""), follower = look(&world, &key, "");
    cr_assert_eq(leader.result, LOOKUP_LEAD);
    cr_assert_eq(follower.result, LOOKUP_FOLLOW);
    cr_assert_span(leader.lease.record.body, "hello");
    cr_assert_span(follower.lease.record.body, "hello");
    cr_assert_span(leader.object.validators.etag, "\"1\"");

    struct verdict verdict = { .store = true,
                               .born = world.now,
                               .fresh_until = wall_add(world.now, 60 * NSEC_PER_SEC) };
    verdict.expires = verdict.fresh_until;
    struct test_head update, request;
    struct span      meta;
    parse_head(&update, &world.memory.arena, "HTTP/1.1 304 Not Modified",
               "Cache-Control: max-age=60\r\nETag: \"1\"\r\n");
    cr_assert_eq(object_refresh(&world.memory.arena, &leader.object, &update.head,
                                request_of(&request, &world.memory.arena, ""), &world.settings, world.now,
                                world.now, &verdict, &meta),
                 ERR_NONE);
    cr_assert_eq(flight_refresh(leader.flight, meta, &verdict, leader.lease.record.created), ERR_NONE);
    cr_assert(flight_land(leader.flight, &world.settings));
    leave(&leader);
    leave(&follower);
    wait_for_store(&world, &key);
    assert_hit(&world, &key, "", "hello");
    end(&world);
}

Test(cache_flight, a_purge_dooms_what_is_under_way)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lookup    before = look(&world, &key, "");

    cr_assert_eq(purge(&world, &key), 0);
    struct lookup after = look(&world, &key, "");
    cr_assert_eq(after.result, LOOKUP_LEAD, "nobody joins what was purged");
    answer(&world, before.flight, "", "Cache-Control: max-age=60\r\n", "old");
    cr_assert(flight_land(before.flight, &world.settings));
    answer(&world, after.flight, "", "Cache-Control: max-age=60\r\n", "new");
    cr_assert(flight_land(after.flight, &world.settings));
    wait_for_store(&world, &key);
    assert_hit(&world, &key, "", "new");
    leave(&before);
    leave(&after);
    end(&world);
}

Test(cache_flight, what_outgrows_a_record_passes_to_those_who_came)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lookup    leader = look(&world, &key, ""), late = look(&world, &key, "");
    struct cursor    cursor, none;

    answer(&world, leader.flight, "", "Cache-Control: max-age=60\r\n", "hello");
    cr_assert(flight_open_body(leader.flight, &cursor));
    flight_outgrow(leader.flight, REASON_TOO_LARGE);
    cr_assert_not(flight_open_body(late.flight, &none));
    struct lookup next = look(&world, &key, "");
    cr_assert_eq(next.result, LOOKUP_ALONE);
    cursor_close(&cursor);
    leave(&leader);
    leave(&late);
    leave(&next);
    end(&world);
}

Test(cache_flight, a_closing_store_takes_nothing)
{
    struct world world;
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lookup    leader = look(&world, &key, "");

    answer(&world, leader.flight, "", "Cache-Control: max-age=60\r\n", "hello");
    cr_assert(flight_land(leader.flight, &world.settings));
    leave(&leader);
    store_close(&world.store); /* runs what is queued */
    end(&world);
}

struct ear {
    struct flight_port port;
    _Atomic int        wakes;
};

static void
hear(struct flight_port *port)
{
    atomic_fetch_add(&CONTAINER_OF(port, struct ear, port)->wakes, 1);
}

Test(cache_flight, a_port_is_told_once_until_it_has_heard)
{
    struct world world;
    struct ear   one = { .port.wake = hear }, two = { .port.wake = hear };
    begin(&world);
    struct store_key key = key_for(&world, "/a");
    struct lookup    leader = look(&world, &key, "");

    cr_assert_not(flight_has_followers(leader.flight));
    flight_port_open(leader.flight, 0, &one.port);
    flight_port_open(leader.flight, 1, &two.port);
    cr_assert_eq(flight_port_of(leader.flight, 1), &two.port);
    flight_tell(leader.flight);
    flight_tell(leader.flight);
    cr_assert_eq(one.wakes, 1);
    flight_hear(&one.port);
    flight_tell(leader.flight);
    cr_assert_eq(one.wakes, 2);
    cr_assert_eq(two.wakes, 1);
    cr_assert_not(flight_port_close(leader.flight, 1), "its wake is still to be heard");
    flight_hear(&one.port);
    cr_assert(flight_port_close(leader.flight, 0));
    flight_fail(leader.flight, 1, "");
    cr_assert_eq(one.wakes, 2);
    leave(&leader);
    end(&world);
}
