/* test_damage.c: files that were damaged between two runs, disks that fail, and a file that is cut under a running
 * store. Whatever it is: a miss at worst, never a wrong byte, never a record that was removed.
 */
#include "crash.h"

#include "layout.h"
#include "super.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(storage_damage, .init = crash_make_root, .fini = crash_remove_root);

enum { MANY = 300, PER_SEGMENT = 62 };

static void
append_many(struct fixture *fixture)
{
    for (uint64_t i = 0; i < MANY; i++)
        cr_assert_eq(fixture_append(fixture, i, 1, 4000), ERR_NONE);
    crash_settle(fixture);
}

static uint64_t
count_found(struct fixture *fixture)
{
    uint64_t found = 0;
    for (uint64_t i = 0; i < MANY; i++)
        found += fixture_has(fixture, i, NULL);
    return found;
}

/* How many records of `append_many` a start finds, every byte of which was looked at. */
static uint64_t
found_at_next_start(void)
{
    struct fixture fixture = crash_open();
    uint64_t       found = count_found(&fixture);
    for (uint64_t i = 1000; i < 1300; i++) /* and it goes on working */
        cr_assert_eq(fixture_append(&fixture, i, 1, 4000), ERR_NONE);
    cr_assert_geq(fixture_census(&fixture, 1300), 300);
    fixture_close(&fixture);
    return found;
}

static uint64_t
record_at(uint64_t number)
{
    return (number / PER_SEGMENT) * CRASH_SEGMENT + SEGMENT_HEAD + (number % PER_SEGMENT) * 4096;
}

/* ── single records ── */

static void
damage_one(uint64_t offset)
{
    crash_run(append_many);
    crash_flip("shard-00.dat", record_at(7) + offset);
    struct fixture fixture = crash_open();
    uint64_t       objects = fixture_metric(&fixture, "objects");
    cr_assert_eq(objects, MANY);
    cr_assert_not(fixture_has(&fixture, 7, NULL));
    cr_assert_eq(count_found(&fixture), MANY - 1);
    cr_assert_eq(fixture_append(&fixture, 7, 9, 100), ERR_NONE);
    cr_assert(fixture_has(&fixture, 7, NULL));
    fixture_close(&fixture);
}

Test(storage_damage, a_flipped_byte_of_a_body_is_a_miss)
{
    damage_one(2000);
}

Test(storage_damage, a_flipped_byte_of_a_meta_is_a_miss)
{
    damage_one(64 + 22 + 1);
}

Test(storage_damage, a_flipped_byte_of_a_lifetime_is_a_miss)
{
    damage_one(32);
}

Test(storage_damage, a_flipped_byte_of_a_digest_is_a_miss)
{
    damage_one(9);
}

Test(storage_damage, a_damaged_record_is_dropped_and_counted_once)
{
    crash_run(append_many);
    crash_flip("shard-00.dat", record_at(7) + 2000);
    struct fixture fixture = crash_open();
    cr_assert_not(fixture_has(&fixture, 7, NULL));
    fixture_wait_ready(&fixture); /* the job that drops it comes before */
    cr_assert_eq(fixture_metric(&fixture, "damaged"), 1);
    cr_assert_not(fixture_has(&fixture, 7, NULL));
    fixture_wait_ready(&fixture);
    cr_assert_eq(fixture_metric(&fixture, "damaged"), 1);
    cr_assert_eq(fixture_census(&fixture, MANY), MANY - 1);
    fixture_close(&fixture);
}

static void
find_in_job(struct store_writer *writer, void *argument)
{
    struct record record;
    cr_assert_not(writer_find(writer, argument, &record));
}

Test(storage_damage, a_job_does_not_find_a_damaged_record_either)
{
    char text[KEY_TEXT];
    crash_run(append_many);
    crash_flip("shard-00.dat", record_at(7) + 2000);
    struct fixture   fixture = crash_open();
    struct store_key key = fixture_key(&fixture, 7, text);
    fixture_run(&fixture, key.digest, find_in_job, &key);
    cr_assert_eq(fixture_metric(&fixture, "damaged"), 1);
    fixture_close(&fixture);
}

/* What eviction copies without looking at it is looked at when it is used. */
Test(storage_damage, a_damaged_body_that_was_copied_is_a_miss)
{
    crash_run_as(8 * MIB, &eviction_lru, append_many);
    crash_flip("shard-00.dat", record_at(7) + 2000);
    struct fixture fixture = crash_open_as(8 * MIB, &eviction_lru, NULL);
    for (uint64_t i = 8; i < 60; i++)
        cr_assert(fixture_has(&fixture, i, NULL)); /* hot */
    for (uint64_t i = 1000; i < 3000; i++) {
        cr_assert_eq(fixture_append(&fixture, i, 1, 4000), ERR_NONE);
        fixture_has(&fixture, 8 + i % 52, NULL);
    }
    cr_assert_gt(fixture_metric(&fixture, "copied"), 50);
    cr_assert_not(fixture_has(&fixture, 7, NULL));
    fixture_close(&fixture);
}

/* ── segments ── */

Test(storage_damage, a_damaged_header_costs_its_segment)
{
    crash_run(append_many);
    crash_flip("shard-00.dat", CRASH_SEGMENT + 10);
    cr_assert_eq(found_at_next_start(), MANY - PER_SEGMENT);
}

/* In the same boot the records tell what the footer does not. */
Test(storage_damage, a_damaged_footer_costs_nothing_in_the_same_boot)
{
    crash_run(append_many);
    crash_flip("shard-00.dat", 2 * CRASH_SEGMENT - 64 - 320);
    cr_assert_eq(found_at_next_start(), MANY);
}

Test(storage_damage, a_damaged_footer_costs_its_segment_in_another_boot)
{
    crash_run(append_many);
    crash_change_boot();
    crash_flip("shard-00.dat", 2 * CRASH_SEGMENT - 64 - 320);
    cr_assert_eq(found_at_next_start(), MANY - PER_SEGMENT);
}

Test(storage_damage, a_file_that_was_cut_costs_what_was_cut_off)
{
    char path[128];
    crash_run(append_many);
    snprintf(path, sizeof path, "%s/shard-00.dat", crash_root);
    cr_assert_eq(truncate(path, CRASH_SEGMENT + 5000), 0);
    cr_assert_eq(found_at_next_start(), PER_SEGMENT);
}

Test(storage_damage, a_shard_that_is_gone_is_begun_anew)
{
    char path[128];
    crash_run(append_many);
    snprintf(path, sizeof path, "%s/shard-00.dat", crash_root);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(found_at_next_start(), 0);
}

/* ── the journal ── */

static void
remove_third(struct fixture *fixture)
{
    append_many(fixture);
    for (uint64_t i = 0; i < MANY; i += 3)
        cr_assert(fixture_remove(fixture, i));
}

static void
append_ten(struct fixture *fixture)
{
    for (uint64_t i = 1000; i < 1010; i++)
        cr_assert_eq(fixture_append(fixture, i, 1, 4000), ERR_NONE);
}

/* The start after it is empty, and so is every one after that, though the segments are still there. */
static void
check_distrust(void)
{
    crash_run(append_ten); /* begins empty, and is killed too */
    struct fixture fixture = crash_open();
    cr_assert_eq(count_found(&fixture), 0);
    for (uint64_t i = 1000; i < 1010; i++)
        cr_assert(fixture_has(&fixture, i, NULL));
    fixture_close(&fixture);
}

Test(storage_damage, a_flipped_byte_of_a_tombstone_is_distrust)
{
    crash_run(remove_third);
    crash_flip("journal-00.log", 4096 + 32 * 50 + 5);
    check_distrust();
}

Test(storage_damage, a_flipped_byte_behind_the_tombstones_is_distrust)
{
    crash_run(remove_third);
    crash_flip("journal-00.log", 4096 + 32 * 500);
    check_distrust();
}

Test(storage_damage, a_tombstone_that_turned_into_zeros_is_distrust)
{
    static const char zeros[32];
    crash_run(remove_third);
    crash_write("journal-00.log", 4096 + 32 * 50, zeros, sizeof zeros);
    check_distrust();
}

Test(storage_damage, a_tombstone_in_another_place_is_distrust)
{
    char slot[32];
    crash_run(remove_third);
    crash_read("journal-00.log", 4096 + 32 * 20, slot, sizeof slot);
    crash_write("journal-00.log", 4096 + 32 * 50, slot, sizeof slot);
    check_distrust();
}

Test(storage_damage, a_damaged_journal_header_is_distrust)
{
    crash_run(remove_third);
    crash_flip("journal-00.log", 41);
    check_distrust();
}

Test(storage_damage, a_journal_that_was_cut_or_removed_is_distrust)
{
    char path[128];
    snprintf(path, sizeof path, "%s/journal-00.log", crash_root);
    crash_run(remove_third);
    cr_assert_eq(truncate(path, 4096 + 32 * 50), 0);
    check_distrust();
    crash_run(remove_third);
    cr_assert_eq(unlink(path), 0);
    check_distrust();
}

/* A tombstone that cannot be written: the floor is raised above it, or the journal goes. */
static void
remove_with_failing_writes(struct fixture *fixture)
{
    append_many(fixture);
    atomic_store(&crash_mood.fail_write, 1);
    cr_assert(fixture_remove(fixture, 0));
    cr_assert_eq(atomic_load(&crash_mood.fail_write), 0);
    cr_assert_not(fixture_has(fixture, 0, NULL));
    cr_assert_eq(fixture_append(fixture, 1000, 1, 4000), ERR_NONE);
}

static void
remove_with_writes_that_go_on_failing(struct fixture *fixture)
{
    append_many(fixture);
    atomic_store(&crash_mood.fail_write, 2);
    cr_assert(fixture_remove(fixture, 0));
    cr_assert_eq(fixture_append(fixture, 1000, 1, 4000), ERR_NONE);
}

Test(storage_damage, a_removal_that_cannot_be_written_costs_more_and_is_kept)
{
    crash_run(remove_with_failing_writes);
    struct fixture fixture = crash_open();
    cr_assert_eq(count_found(&fixture), 0);
    cr_assert(fixture_has(&fixture, 1000, NULL)); /* it came after the floor */
    fixture_close(&fixture);
    crash_run(remove_with_writes_that_go_on_failing);
    cr_assert_not(crash_exists("journal-00.log"));
    fixture = crash_open();
    cr_assert_eq(count_found(&fixture), 0);
    fixture_close(&fixture);
}

static void
remove_with_a_failing_sync(struct fixture *fixture)
{
    append_many(fixture);
    cr_assert(fixture_remove(fixture, 0));
    atomic_store(&crash_mood.fail_sync, 1);
    crash_settle(fixture);
}

Test(storage_damage, a_journal_that_cannot_be_synced_is_distrust)
{
    crash_run(remove_with_a_failing_sync);
    struct fixture fixture = crash_open();
    cr_assert_eq(count_found(&fixture), 0);
    fixture_close(&fixture);
}

/* ── errors of the disk ── */

Test(storage_damage, segments_that_cannot_be_read_are_left_out)
{
    struct store_config config = { .directory = crash_root, .size = 8 * MIB, .readers = 1 };
    struct fault        fault;
    struct fixture      fixture = { .now = clock_wall(), .lifetime = HOUR };

    crash_run(append_many);
    atomic_store(&crash_mood.fail_read, 1000); /* header, slots, headers: all */
    cr_assert_eq(store_open_with(&fixture.store, &config, &crash_calls, &fault), ERR_NONE);
    fixture_wait_ready(&fixture);
    atomic_store(&crash_mood.fail_read, 0);
    cr_assert_eq(count_found(&fixture), 0);
    cr_assert_eq(fixture_append(&fixture, 1, 2, 4000), ERR_NONE);
    cr_assert(fixture_has(&fixture, 1, NULL));
    fixture_close(&fixture);
}

Test(storage_damage, a_record_that_cannot_be_read_is_a_miss)
{
    crash_run(append_many);
    struct fixture fixture = crash_open();
    atomic_store(&crash_mood.fail_read, 1);
    cr_assert_not(fixture_has(&fixture, 7, NULL));
    cr_assert_eq(atomic_load(&crash_mood.fail_read), 0);
    fixture_wait_ready(&fixture);
    cr_assert_eq(fixture_metric(&fixture, "damaged"), 1);
    cr_assert_eq(count_found(&fixture), MANY - 1);
    fixture_close(&fixture);
}

/* What was not on the disk yet is dropped, also from the running store: the page cache may lose it any time. */
static void
fail_a_sync(struct fixture *fixture)
{
    append_many(fixture); /* safe */
    for (uint64_t i = 1000; i < 1200; i++)
        cr_assert_eq(fixture_append(fixture, i, 1, 4000), ERR_NONE);
    atomic_store(&crash_mood.fail_sync, 1);
    crash_settle(fixture);
    cr_assert_eq(fixture_metric(fixture, "sync_errors"), 1);
    for (uint64_t i = 1000 + 75; i < 1200; i++) /* the first may lie in the segment that was safe already */
        cr_assert_not(fixture_has(fixture, i, NULL));
    cr_assert_geq(count_found(fixture), MANY / PER_SEGMENT * PER_SEGMENT);
    for (uint64_t i = 2000; i < 2100; i++)
        cr_assert_eq(fixture_append(fixture, i, 1, 4000), ERR_NONE);
    fixture_census(fixture, 3000);
}

Test(storage_damage, a_sync_that_fails_costs_what_it_was_for)
{
    crash_run(fail_a_sync);
    struct fixture fixture = crash_open();
    for (uint64_t i = 2000; i < 2100; i++)
        cr_assert(fixture_has(&fixture, i, NULL));
    for (uint64_t i = 1075; i < 1200; i++)
        cr_assert_not(fixture_has(&fixture, i, NULL));
    fixture_close(&fixture);
}

static void
fail_the_second_sync(struct fixture *fixture)
{
    append_many(fixture);
    for (uint64_t i = 1000; i < 1200; i++)
        cr_assert_eq(fixture_append(fixture, i, 1, 4000), ERR_NONE);
    atomic_store(&crash_mood.fail_write, 1); /* a footer */
    crash_settle(fixture);
    cr_assert_eq(fixture_metric(fixture, "write_errors"), 1);
    cr_assert_eq(count_found(fixture), MANY); /* nothing is lost, now */
    fixture_census(fixture, 2000);
    for (uint64_t i = 2000; i < 5000; i++)
        cr_assert_eq(fixture_append(fixture, i, 1, 4000), ERR_NONE);
    fixture_census(fixture, 5000);
}

Test(storage_damage, a_footer_that_cannot_be_written_is_lived_with)
{
    crash_run(fail_the_second_sync);
    struct fixture fixture = crash_open();
    cr_assert_gt(fixture_census(&fixture, 5000), 1000);
    fixture_close(&fixture);
}

/* ── a file that is cut under a running store ── */

/* The page behind the end is a SIGBUS for whoever touches it: here, a miss. */
Test(storage_damage, a_file_cut_under_the_store_is_misses)
{
    char           path[128];
    struct fixture fixture = crash_open();

    append_many(&fixture);
    snprintf(path, sizeof path, "%s/shard-00.dat", crash_root);
    cr_assert_eq(truncate(path, CRASH_SEGMENT), 0);
    for (uint64_t i = 0; i < PER_SEGMENT; i++)
        cr_assert(fixture_has(&fixture, i, NULL));
    for (uint64_t i = PER_SEGMENT; i < MANY; i++)
        cr_assert_not(fixture_has(&fixture, i, NULL));
    for (uint64_t i = 1000; i < 4000; i++) /* writing makes it whole again, bit by bit */
        cr_assert_eq(fixture_append(&fixture, i, 1, 4000), ERR_NONE);
    for (uint64_t i = 3900; i < 4000; i++)
        cr_assert(fixture_has(&fixture, i, NULL));
    fixture_close(&fixture);
}

/* ── everything, everywhere ── */

static void
remove_and_replace(struct fixture *fixture)
{
    append_many(fixture);
    for (uint64_t i = 0; i < MANY; i += 3)
        cr_assert(fixture_remove(fixture, i));
    for (uint64_t i = 1; i < MANY; i += 3)
        cr_assert_eq(fixture_append(fixture, i, 2, 4000), ERR_NONE);
}

static void
check_whatever_is_left(void)
{
    struct fixture fixture = crash_open();
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t version = 0;
        bool     found = fixture_has(&fixture, i, &version);
        cr_assert(!found || i % 3 != 0, "record %llu was removed", (unsigned long long)i);
        cr_assert(!found || version == 1 || (i % 3 == 1 && version == 2));
    }
    for (uint64_t i = 1000; i < 1100; i++)
        cr_assert_eq(fixture_append(&fixture, i, 1, 4000), ERR_NONE);
    fixture_close(&fixture);
}

Test(storage_damage, flipped_bytes_anywhere_never_show)
{
    static const char *const names[] = { "shard-00.dat", "shard-00.dat", "shard-00.dat", "journal-00.log",
                                         "super.A",      "super.B",      "index-00.snap" };
    uint64_t                 random = 77;

    crash_run(remove_and_replace);
    for (int round = 0; round < 60; round++) {
        const char *name = names[next_random(&random) % 7];
        if (!crash_exists(name))
            continue;
        uint64_t size = crash_size(name);
        if (strcmp(name, "shard-00.dat") == 0)
            size = 4 * CRASH_SEGMENT;
        for (uint64_t flips = next_random(&random) % 20 + 1; flips > 0 && size > 0; flips--)
            crash_flip(name, next_random(&random) % (flips % 2 == 0 && size > 4096 ? 4096 : size));
        check_whatever_is_left();
        if (round % 6 == 5)
            crash_run(remove_and_replace);
    }
}

/* Writes of 512 bytes are what a power failure leaves whole: some of the last ones are missing. */
Test(storage_damage, torn_writes_never_show)
{
    static char zeros[512];
    uint64_t    random = 78;

    for (int round = 0; round < 12; round++) {
        crash_run(remove_and_replace);
        if (round % 2 == 0)
            crash_change_boot();
        for (int i = 0; i < 40; i++)
            crash_write("shard-00.dat", next_random(&random) % (4 * CRASH_SEGMENT / 512) * 512, zeros,
                        sizeof zeros);
        check_whatever_is_left();
    }
}
