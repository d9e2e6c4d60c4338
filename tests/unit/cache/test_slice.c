/* test_slice.c: slices: their keys, the metas of heads, claims, the pace of a run, and a body that grows into them. */
#include "cache_world.h"

#include <larder/cache/slice.h>

static unsigned woken;

static void
count_wake(void *owner)
{
    cr_assert_eq(owner, &woken);
    woken++;
}

static struct slice_run *
new_run(void)
{
    struct slice_run *run = slice_run_create(count_wake);
    cr_assert_not_null(run);
    slice_run_set_owner(run, &woken);
    woken = 0;
    return run;
}

static struct slice_view
view_of(struct world *world, const struct store_key *primary, uint64_t generation)
{
    return (struct slice_view){ .cache = world->cache,
                                .arena = &world->memory.arena,
                                .primary = *primary,
                                .generation = generation,
                                .bits = slice_bits(world->store) };
}

/* Claims the slice, which must be free. */
static struct flight *
claim(struct world *world, const struct slice_view *view, uint64_t number, struct slice_run *run)
{
    struct flight *flight;
    cr_assert_eq(slice_claim(view, number, world->now, run, &flight), ERR_NONE);
    cr_assert_eq(slice_number(flight), number);
    return flight;
}

static enum slice_found
find(struct world *world, const struct slice_view *view, uint64_t number)
{
    struct lease     lease;
    struct cold     *cold;
    struct flight   *flight;
    enum slice_found found = slice_find(view, number, world->now, &lease, &cold, &flight);
    cr_assert_eq(found == SLICE_STORED, lease.shard != NULL);
    cr_assert_eq(found == SLICE_COLD, cold != NULL);
    cr_assert_eq(found == SLICE_ARRIVING, flight != NULL);
    cr_assert_eq(found != SLICE_MISSING, slice_is_known(view, number, world->now));
    lease_release(&lease);
    cold_release(&cold);
    flight_release(&flight);
    return found;
}

/* Until what was handed to the store is there: a slice's shard is its own affair. */
static void
store_slice(struct world *world, const struct slice_view *view, struct flight *flight, const char *body)
{
    struct store_key key = *flight_key(flight);

    cr_assert_eq(slice_share(view, flight, wall_add(world->now, NSEC_PER_SEC), (int64_t)strlen(body)),
                 ERR_NONE);
    cr_assert_eq(fill_append(flight_fill(flight), span_of_text(body)), ERR_NONE);
    fill_end(flight_fill(flight));
    cr_assert(flight_land(flight, &world->settings));
    wait_for_store(world, &key);
}

Test(cache_slice, each_slice_of_each_generation_has_its_key)
{
    struct world world;
    begin(&world);
    struct store_key        primary = key_for(&world, "/a"), keys[3];
    const struct hash_seed *seed = store_seed(world.store);
    struct arena           *arena = &world.memory.arena;

    cr_assert_eq(key_slice(arena, seed, &primary, 0xab, 0, &keys[0]), ERR_NONE);
    cr_assert_eq(key_slice(arena, seed, &primary, 0xab, 1, &keys[1]), ERR_NONE);
    cr_assert_eq(key_slice(arena, seed, &primary, 0xac, 0, &keys[2]), ERR_NONE);
    cr_assert_span(keys[1].text, "http://h/a\nslice: 00000000000000ab 1");
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < i; k++)
            cr_assert_not(digest_equal(keys[i].digest, keys[k].digest));
    end(&world);
}

Test(cache_slice, a_slice_fits_a_record)
{
    struct world world;
    begin(&world);
    size_t size = (size_t)1 << slice_bits(world.store);
    cr_assert_leq(size, (size_t)1 << 20);
    cr_assert_lt(size + 16384, store_record_max(world.store));
    end(&world);
}

Test(cache_slice, one_claims_the_others_join_and_then_it_is_stored)
{
    struct world world;
    begin(&world);
    struct store_key  primary = key_for(&world, "/a");
    struct slice_view view = view_of(&world, &primary, 1), other = view_of(&world, &primary, 2);
    struct slice_run *run = new_run();

    cr_assert_eq(find(&world, &view, 7), SLICE_MISSING);
    struct flight *flight = claim(&world, &view, 7, run), *second;
    cr_assert_eq(find(&world, &view, 7), SLICE_ARRIVING);
    cr_assert_eq(slice_claim(&view, 7, world.now, run, &second), ERR_EXISTS);
    cr_assert_null(second);
    cr_assert_eq(find(&world, &view, 8), SLICE_MISSING);
    cr_assert_eq(find(&world, &other, 7), SLICE_MISSING);
    cr_assert_not(slice_is_stored(flight));
    store_slice(&world, &view, flight, "seven");
    cr_assert(slice_is_stored(flight));
    cr_assert_eq(find(&world, &view, 7), SLICE_STORED);
    cr_assert_eq(slice_claim(&view, 7, world.now, run, &second), ERR_EXISTS);
    flight_release(&flight);
    slice_run_release(&run);
    end(&world);
}

Test(cache_slice, no_answer_is_found_under_the_key_of_a_slice)
{
    struct world world;
    begin(&world);
    struct store_key  primary = key_for(&world, "/a"), key;
    struct slice_view view = view_of(&world, &primary, 1);
    struct slice_run *run = new_run();
    struct lease      lease;
    struct object     object;

    struct flight *flight = claim(&world, &view, 0, run);
    store_slice(&world, &view, flight, "zero");
    flight_release(&flight);
    slice_run_release(&run);
    cr_assert_eq(key_slice(&world.memory.arena, store_seed(world.store), &primary, 1, 0, &key), ERR_NONE);
    cr_assert(store_find(world.store, 0, &key, world.now, &lease));
    cr_assert(object_read(lease.record.meta, &object));
    cr_assert_eq(object.flags, OBJECT_SLICE);
    cr_assert_span(lease.record.body, "zero");
    lease_release(&lease);
    end(&world);
}

Test(cache_slice, a_run_waits_for_its_fastest_reader)
{
    struct world world;
    begin(&world);
    struct store_key  primary = key_for(&world, "/a");
    struct slice_view view = view_of(&world, &primary, 1);
    struct slice_run *run = new_run();

    cr_assert_not(slice_run_must_wait(run, 1, true));
    cr_assert(slice_run_must_wait(run, 2, true));
    slice_run_reach(run, 1);
    cr_assert_eq(woken, 1u);
    cr_assert_not(slice_run_must_wait(run, 2, true));
    cr_assert(slice_run_must_wait(run, 3, true));
    slice_run_reach(run, 1); /* no news */
    cr_assert_eq(woken, 1u);
    cr_assert(slice_run_forget(run));
    slice_run_reach(run, 9);
    cr_assert_eq(woken, 1u);

    struct flight    *flight = claim(&world, &view, 9, run);
    struct slice_run *joined = slice_run_join(flight);
    cr_assert(slice_run_is_read(run));
    cr_assert(slice_run_must_wait(run, 11, false)); /* a reader is followed whoever he is */
    slice_run_leave(&joined);
    cr_assert_eq(woken, 2u); /* nobody is followed now */
    cr_assert_not(slice_run_must_wait(run, 11, false));
    flight_fail(flight, 1, "");
    flight_release(&flight);
    slice_run_release(&run);
    end(&world);
}

/* The head of an answer in slices, as it lands. */
static struct span
write_sliced(struct world *world, struct slicing slicing)
{
    struct test_head response;
    struct verdict   verdict = { .store = true, .expires = wall_add(world->now, NSEC_PER_SEC) };
    struct span      meta;

    response_of(&response, &world->memory.arena, "ETag: \"1\"\r\n");
    cr_assert_eq(object_write(&world->memory.arena, &response.head, &verdict, SPAN_EMPTY, slicing.complete,
                              NULL, world->now, &meta),
                 ERR_NONE);
    cr_assert_eq(object_make_sliced(&world->memory.arena, meta, &slicing, &meta), ERR_NONE);
    return meta;
}

Test(cache_slice, a_head_tells_where_its_slices_are)
{
    struct world world;
    begin(&world);
    struct slicing slicing = { .generation = UINT64_MAX - 5, .complete = 10000000000, .bits = 20 };
    struct object  object;

    struct span meta = write_sliced(&world, slicing);
    cr_assert(object_is_sliced(meta));
    cr_assert(object_read(meta, &object));
    cr_assert_eq(object.generation, UINT64_MAX - 5);
    cr_assert_eq(object.complete, 10000000000);
    cr_assert_eq(object.slice_bits, 20u);
    cr_assert_not(object.flags & OBJECT_UNRANGED);
    slicing.unranged = true;
    cr_assert(object_read(write_sliced(&world, slicing), &object));
    cr_assert(object.flags & OBJECT_UNRANGED);
    end(&world);
}

Test(cache_slice, a_head_with_senseless_slices_is_none)
{
    static const struct slicing senseless[] = {
        { .complete = 1000, .bits = 0 },        { .complete = 1000, .bits = 31 },
        { .complete = 1000, .bits = 1u << 31 }, { .complete = 0, .bits = 20 },
        { .complete = -1, .bits = 20 },         { .complete = INT64_MIN, .bits = 20 }
    };
    struct world world;
    begin(&world);
    struct object  object;
    struct slicing sound = { .complete = 1000, .bits = 20 };

    cr_assert(object_read(write_sliced(&world, sound), &object));
    for (size_t i = 0; i < sizeof senseless / sizeof senseless[0]; i++) {
        struct slicing slicing = sound;
        struct span    meta = write_sliced(&world, slicing), damaged;
        slicing = senseless[i];
        cr_assert_eq(object_make_sliced(&world.memory.arena, meta, &slicing, &damaged), ERR_NONE);
        cr_assert_not(object_read(damaged, &object), "number %zu", i);
        cr_assert_not(object_is_sliced(damaged));
    }
    end(&world);
}

Test(cache_slice, a_body_of_unknown_length_grows_into_slices)
{
    struct world world;
    begin(&world);
    struct store_key  primary = key_for(&world, "/a");
    struct slice_view view = view_of(&world, &primary, 5);
    struct slice_run *run = new_run();
    struct slicing    slicing;
    struct lookup     leader = look(&world, &primary, "");

    answer(&world, leader.flight, "", "Cache-Control: max-age=60\r\nETag: \"1\"\r\n", "first");
    cr_assert_not(slice_has_grown(leader.flight, &slicing));
    struct flight *first = slice_grow(&view, run, leader.flight, false);
    cr_assert_not_null(first);
    cr_assert_eq(flight_fill(first), flight_fill(leader.flight));
    cr_assert(slice_has_grown(leader.flight, &slicing));
    cr_assert_eq(slicing.generation, 5u);
    cr_assert_eq(slicing.complete, -1);
    struct store_key key = *flight_key(first);
    cr_assert(flight_land(first, &world.settings));
    wait_for_store(&world, &key);
    cr_assert_eq(find(&world, &view, 0), SLICE_STORED);

    slice_grown_end(leader.flight, 7000000);
    cr_assert(flight_land(leader.flight, &world.settings));
    wait_for_store(&world, &primary);
    struct lookup hit = look(&world, &primary, "");
    cr_assert_eq(hit.result, LOOKUP_HIT);
    cr_assert_eq(hit.object.complete, 7000000);
    cr_assert_eq(hit.object.generation, 5u);
    cr_assert_eq(hit.lease.record.body.len, 0u);
    leave(&hit);
    flight_release(&first);
    leave(&leader);
    slice_run_release(&run);
    end(&world);
}

Test(cache_slice, a_long_range_is_asked_for_in_whole_slices)
{
    struct world world;
    begin(&world);
    struct store_key primary = key_for(&world, "/a");
    int64_t          size = INT64_C(1) << slice_bits(world.store);
    char             text[128];

    snprintf(text, sizeof text, "Range: bytes=%lld-\r\n", (long long)(2 * size + 17));
    struct lookup open = look(&world, &primary, text);
    cr_assert(open.part);
    cr_assert_eq(open.range.first, 2 * size);
    cr_assert_eq(open.range.last, RANGE_OPEN);
    give_up(&open);
    snprintf(text, sizeof text, "Range: bytes=%lld-%lld\r\n", (long long)size + 3, (long long)(2 * size + 2));
    struct lookup bounded = look(&world, &primary, text);
    cr_assert_eq(bounded.range.first, size);
    cr_assert_eq(bounded.range.last, 3 * size - 1);
    give_up(&bounded);
    struct lookup suffix = look(&world, &primary, "Range: bytes=-5\r\n");
    cr_assert_eq(suffix.range.first, RANGE_OPEN);
    cr_assert_eq(suffix.range.last, 5);
    give_up(&suffix);
    struct lookup little = look(&world, &primary, "Range: bytes=7-9\r\n");
    cr_assert_eq(little.range.first, 7);
    cr_assert_eq(little.range.last, 9);
    give_up(&little);
    end(&world);
}
