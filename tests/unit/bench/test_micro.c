/* What is measured must be what it says: else a gate guards nothing. */
#include "micro.h"

#include <criterion/criterion.h>

static void
open_world(struct micro_world **world, unsigned readers, bool filled)
{
    struct fault fault;
    cr_assert_eq(micro_world_create(world, readers, filled, MICRO_OBJECTS, &fault), ERR_NONE, "%s",
                 fault.text);
}

static unsigned
count_stored(struct micro_world *world)
{
    unsigned found = 0;

    for (unsigned i = 0; i < MICRO_OBJECTS; i++) {
        struct lease lease;
        found += store_find(world->store, 0, &world->keys[i], world->now, &lease)
                 && span_equal(lease.record.body, span_of(world->body, MICRO_BODY));
        lease_release(&lease);
    }
    return found;
}

Test(bench_micro, a_filled_world_has_every_answer_for_one_reader_and_for_several)
{
    for (unsigned readers = 1; readers <= 2; readers++) {
        struct micro_world *world;
        open_world(&world, readers, true);
        cr_assert_eq(count_stored(world), MICRO_OBJECTS);
        micro_world_destroy(&world);
        cr_assert_null(world);
    }
}

Test(bench_micro, records_replace_each_other_and_none_is_refused)
{
    struct micro_world *world;
    struct meter        meter;

    open_world(&world, 1, false);
    cr_assert_eq(count_stored(world), 0);
    cr_assert_eq(micro_world_append(world, 0, 2 * MICRO_OBJECTS, &meter), 0);
    cr_assert_eq(count_stored(world), MICRO_OBJECTS);
    cr_assert_eq(metric_read(&store_metrics_of(world->store, 0)->appends), 2 * MICRO_OBJECTS);
    micro_world_destroy(&world);
}

Test(bench_micro, every_part_runs_as_often_as_it_is_told_and_gives_its_memory_back)
{
    for (unsigned i = 0; i < micro_part_count; i++) {
        struct micro_world *world;
        struct micro_hand   hand;
        struct meter        meter = { .took = -1 };

        open_world(&world, 1, micro_parts[i].filled);
        micro_hand_init(&hand, world, 0);
        micro_parts[i].run(&hand, 19, &meter);
        cr_assert_geq(meter.took, 0, "%s", micro_parts[i].name);
        cr_assert_eq(hand.arena.used, 0, "%s", micro_parts[i].name);
        cr_assert_eq(micro_part_find(span_of_text(micro_parts[i].name)), &micro_parts[i]);
        micro_hand_fini(&hand);
        micro_world_destroy(&world);
    }
}
