/* test_inspect.c: what is listed is what can be found, page by page, whatever happens in between.
 */
#include "look.h"

#include "cursor.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(storage_inspect, .init = crash_make_root, .fini = crash_remove_root);

/* ── lists ── */

static void
expect_listed_as_removed(void)
{
    struct listed *listed = calloc(1, sizeof *listed);

    look_list(listed);
    for (unsigned i = 0; i < LOOK_MANY; i++)
        cr_assert_eq(listed->times[i], i % 3 != 0, "%u: %u times", i, listed->times[i]);
    cr_assert_eq(listed->count, LOOK_MANY - LOOK_MANY / 3);
    free(listed);
}

Test(storage_inspect, a_list_of_a_stopped_store)
{
    look_make_stopped();
    expect_listed_as_removed();
}

Test(storage_inspect, a_list_of_a_killed_store)
{
    crash_run(look_append_and_remove);
    expect_listed_as_removed();
}

Test(storage_inspect, a_list_leaves_out_what_is_damaged)
{
    struct listed *listed = calloc(1, sizeof *listed);
    look_make_stopped();
    crash_flip("shard-00.dat", look_place_of_key(200) + 5);
    look_list(listed);
    cr_assert_eq(listed->times[200], 0);
    cr_assert_eq(listed->count, LOOK_MANY - LOOK_MANY / 3 - 1);
    free(listed);
}

/* Without its journal a start takes nothing over: so nothing is listed, and the numbers say why. */
Test(storage_inspect, a_damaged_journal_is_told)
{
    struct inspect     *inspect;
    struct fault        fault;
    struct inspect_info info = { .shards = 0 };
    struct listed      *listed = calloc(1, sizeof *listed);

    look_make_stopped();
    crash_flip("journal-00.log", 20);
    look_list(listed);
    cr_assert_eq(listed->count, 0);
    free(listed);
    cr_assert_eq(inspect_open(&inspect, crash_root, true, &fault), ERR_NONE);
    inspect_count(inspect_writer(inspect, 0), &info);
    cr_assert_eq(info.damaged, 1);
    inspect_close(&inspect);
}

/* ── a running store ── */

struct calling {
    struct inspect_cursor cursor;
    struct listed        *listed;
    struct looked        *looked;
    struct inspect_info   info;
};

static void
call_list(struct store_writer *writer, void *argument)
{
    struct calling *calling = argument;
    calling->listed->visits_left = 7;
    cr_assert_eq(inspect_list(writer, &calling->cursor, look_note_object, calling->listed), ERR_NONE);
}

static void
call_verify(struct store_writer *writer, void *argument)
{
    struct calling *calling = argument;
    cr_assert_eq(inspect_verify(writer, &calling->cursor, &calling->looked->verified, look_note_damage,
                                calling->looked),
                 ERR_NONE);
}

static void
call_count(struct store_writer *writer, void *argument)
{
    struct calling *calling = argument;
    inspect_count(writer, &calling->info);
}

/* Pages of 7 while records come, go, are hit and are copied: what is there all the time is listed. */
static void
list_under_churn(const struct eviction *eviction)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, eviction, NULL);
    struct listed *listed = calloc(1, sizeof *listed);
    struct calling calling = { .listed = listed };
    static bool    there[LOOK_NUMBERS];
    uint64_t       next = 0, state = 1;
    unsigned       stayed = 0;

    while (next < 3000)
        cr_assert_eq(fixture_append(&fixture, next++, 1, 3000), ERR_NONE);
    for (uint64_t i = 0; i < next; i++)
        there[i] = fixture_has(&fixture, i, NULL);
    for (uint64_t known = next; calling.cursor.shard == 0;) {
        fixture_run(&fixture, inspect_digest(0), call_list, &calling);
        for (int i = 0; i < 3; i++) {
            if (next < LOOK_NUMBERS)
                cr_assert_eq(fixture_append(&fixture, next++, 1, 3000), ERR_NONE);
            fixture_has(&fixture, next_random(&state) % known, NULL);
        }
    }
    cr_assert_gt(fixture_metric(&fixture, "evicted"), 100);
    for (uint64_t i = 0; i < 3000; i++) {
        if (!there[i] || !fixture_has(&fixture, i, NULL))
            continue;
        stayed++;
        cr_assert_geq(listed->times[i], 1, "%llu was there all the time", (unsigned long long)i);
    }
    cr_assert_gt(stayed, 100);
    free(listed);
    fixture_close(&fixture);
}

Test(storage_inspect, pages_under_churn_where_eviction_copies)
{
    list_under_churn(&eviction_lru);
}

Test(storage_inspect, pages_under_churn)
{
    list_under_churn(NULL);
}

Test(storage_inspect, a_running_store_is_verified_and_counted)
{
    struct fixture fixture = crash_open();
    struct looked  looked = { .damaged = 0 };
    struct calling calling = { .looked = &looked };

    look_append_and_remove(&fixture);
    while (calling.cursor.shard == 0)
        fixture_run(&fixture, inspect_digest(0), call_verify, &calling);
    cr_assert_eq(looked.damaged, 0, "%s", looked.last.what);
    cr_assert_geq(looked.verified.records, LOOK_MANY - LOOK_MANY / 3);
    fixture_run(&fixture, inspect_digest(0), call_count, &calling);
    cr_assert_eq(calling.info.objects, fixture_metric(&fixture, "objects"));
    cr_assert_eq(calling.info.bytes_live, fixture_metric(&fixture, "bytes_live"));
    cr_assert_eq(calling.info.segments_free, fixture_metric(&fixture, "segments_free"));
    cr_assert_eq(calling.info.segments_free + calling.info.segments_open + calling.info.segments_sealed
                     + calling.info.segments_pinned,
                 fixture_metric(&fixture, "segments"));
    cr_assert(calling.info.has_oldest && calling.info.running);
    fixture_close(&fixture);
}

Test(storage_inspect, damage_below_a_running_store)
{
    struct fixture fixture = crash_open();
    struct looked  looked = { .damaged = 0 };
    struct calling calling = { .looked = &looked };

    look_append_many(&fixture);
    crash_settle(&fixture); /* sealed ones have their footers */
    uint64_t body = look_place_of_key(200) + 300, header = look_segment_of(look_place_of_key(20)) + 20;
    crash_flip("shard-00.dat", body);
    crash_flip("shard-00.dat", header);
    crash_flip("super.B", 30);
    crash_flip("journal-00.log", 12);
    while (calling.cursor.shard == 0)
        fixture_run(&fixture, inspect_digest(0), call_verify, &calling);
    cr_assert_eq(looked.damaged, 4, "%u", looked.damaged);
    crash_flip("shard-00.dat", body);
    crash_flip("shard-00.dat", header);
    fixture_close(&fixture);
}

/* ── cursors ── */

Test(storage_inspect, cursors_as_text)
{
    struct inspect_cursor cursor = { 3, CURSOR_OPEN, UINT64_MAX, 17, UINT32_MAX }, again;
    char                  text[INSPECT_CURSOR_SIZE];

    inspect_cursor_format(&cursor, text);
    cr_assert_str_eq(text, "3.2.18446744073709551615.17.4294967295");
    cr_assert(inspect_cursor_parse(span_of_text(text), &again));
    cr_assert(again.shard == cursor.shard && again.stage == cursor.stage && again.closed == cursor.closed
              && again.seq == cursor.seq && again.at == cursor.at);
    static const char *const wrong[] = {
        "",         "1",          "1.2.3.4",    "1.2.3.4.5.6",        "1.3.3.4.5",
        "1.2.3.4.", "-1.2.3.4.5", "1.2.3.4.5 ", "4294967296.0.0.0.0", "a.b.c.d.e"
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_not(inspect_cursor_parse(span_of_text(wrong[i]), &again), "%s", wrong[i]);
}

/* Whatever comes from outside as a cursor: an end is reached. */
Test(storage_inspect, cursors_of_other_hands)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    struct listed *listed = calloc(1, sizeof *listed);
    uint64_t       state = 5;

    look_append_many(&fixture);
    for (int i = 0; i < 200; i++) {
        struct calling calling = {
            .listed = listed,
            .cursor = { 0, (uint32_t)(next_random(&state) % 3), next_random(&state) >> (i % 64),
                        next_random(&state) >> (i % 61), (uint32_t)next_random(&state) }
        };
        for (int pages = 0; calling.cursor.shard == 0; pages++) {
            cr_assert_lt(pages, 200);
            fixture_run(&fixture, inspect_digest(0), call_list, &calling);
        }
    }
    free(listed);
    fixture_close(&fixture);
}
