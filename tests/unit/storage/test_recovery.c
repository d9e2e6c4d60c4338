/* test_recovery.c: what comes back after kill -9 and after a clean stop, and what must not.
 */
#include "crash.h"

#include "catalog.h"
#include "writer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(storage_recovery, .init = crash_make_root, .fini = crash_remove_root);

enum { MANY = 200 }; /* of 4000 bytes: three segments full, a fourth begun */

static void
append_range(struct fixture *fixture, uint64_t from, uint64_t to, uint64_t version)
{
    for (uint64_t i = from; i < to; i++)
        cr_assert_eq(fixture_append(fixture, i, version, 4000), ERR_NONE);
}

static void
append_many(struct fixture *fixture)
{
    append_range(fixture, 0, MANY, 1);
}

static uint64_t
count_found(struct fixture *fixture, uint64_t from, uint64_t to)
{
    uint64_t found = 0;
    for (uint64_t i = from; i < to; i++)
        found += fixture_has(fixture, i, NULL);
    return found;
}

/* ── kill -9 ── */

Test(storage_recovery, all_is_back_after_a_kill)
{
    crash_run(append_many);
    struct fixture fixture = crash_open();
    cr_assert_eq(fixture_metric(&fixture, "recovered"), MANY);
    cr_assert_eq(count_found(&fixture, 0, MANY), MANY);
    cr_assert_eq(fixture_census(&fixture, MANY), MANY);
    append_range(&fixture, MANY, 5000, 1); /* and is evicted like any other */
    cr_assert_gt(fixture_census(&fixture, 5000), 1000);
    cr_assert_eq(fixture_metric(&fixture, "damaged"), 0);
    fixture_close(&fixture);
}

enum { SMALL = 3000 };

static void
append_small(struct fixture *fixture)
{
    for (uint64_t i = 0; i < SMALL; i++)
        cr_assert_eq(fixture_append(fixture, i, 1, 10), ERR_NONE);
}

/* No footer has told of them, so there is no room in the index when they come. */
Test(storage_recovery, an_index_that_is_too_small_grows_on_the_way)
{
    crash_run(append_small);
    struct fixture fixture = crash_open();
    cr_assert_eq(fixture_metric(&fixture, "recovered"), SMALL);
    cr_assert_eq(fixture_census(&fixture, SMALL), SMALL);
    fixture_close(&fixture);
}

static void
do_nothing(struct fixture *fixture)
{
    (void)fixture;
}

/* What was walked has a footer after the next start; what has one is found again and again. */
Test(storage_recovery, all_is_back_after_many_kills)
{
    crash_run(append_many);
    for (int i = 0; i < 3; i++)
        crash_run(do_nothing);
    crash_run(crash_settle);
    crash_change_boot();
    crash_run(do_nothing);
    struct fixture fixture = crash_open();
    cr_assert_eq(count_found(&fixture, 0, MANY), MANY);
    fixture_close(&fixture);
}

static void
append_and_settle(struct fixture *fixture)
{
    append_range(fixture, 0, MANY, 1);
    crash_settle(fixture);
    append_range(fixture, MANY, MANY + 10, 1);
}

/* The open segment got its footer after 25 s; only what came later is lost, and only to a power failure. */
Test(storage_recovery, another_boot_costs_what_was_not_synced)
{
    crash_run(append_and_settle);
    crash_change_boot();
    struct fixture fixture = crash_open();
    cr_assert_eq(count_found(&fixture, 0, MANY), MANY);
    cr_assert_eq(count_found(&fixture, MANY, MANY + 10), 0);
    fixture_close(&fixture);
}

Test(storage_recovery, the_same_boot_costs_nothing)
{
    crash_run(append_and_settle);
    struct fixture fixture = crash_open();
    cr_assert_eq(count_found(&fixture, 0, MANY + 10), MANY + 10);
    fixture_close(&fixture);
}

Test(storage_recovery, without_any_footer_another_boot_has_nothing)
{
    crash_run(append_many);
    crash_change_boot();
    struct fixture fixture = crash_open();
    cr_assert_eq(fixture_metric(&fixture, "recovered"), 0);
    cr_assert_eq(fixture_metric(&fixture, "recovery_unsealed"), 4);
    cr_assert_eq(count_found(&fixture, 0, MANY), 0);
    append_range(&fixture, 0, MANY, 2);
    cr_assert_eq(fixture_census(&fixture, MANY), MANY);
    fixture_close(&fixture);
}

/* ── the newest wins ── */

static void
replace_half(struct fixture *fixture)
{
    append_range(fixture, 0, MANY, 1);
    for (uint64_t i = 0; i < MANY; i += 2)
        append_range(fixture, i, i + 1, 2);
}

Test(storage_recovery, the_newest_of_two_is_back)
{
    crash_run(replace_half);
    struct fixture fixture = crash_open();
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t version;
        cr_assert(fixture_has(&fixture, i, &version));
        cr_assert_eq(version, i % 2 == 0 ? 2 : 1);
    }
    cr_assert_eq(fixture_metric(&fixture, "recovery_older"), MANY / 2);
    cr_assert_eq(fixture_census(&fixture, MANY), MANY);
    fixture_close(&fixture);
}

/* LRU copies what was found, so that a later segment may hold the older of two versions of another record. */
static void
churn(struct fixture *fixture)
{
    uint64_t random = 11;
    for (uint64_t i = 1; i < 9000; i++) {
        uint64_t number = next_random(&random) % 1000;
        fixture_has(fixture, next_random(&random) % 300, NULL);
        cr_assert_eq(fixture_append(fixture, number, i, 4000), ERR_NONE);
    }
}

/* The last version of each, as churn writes them. */
static void
churned_versions(uint64_t versions[1000])
{
    uint64_t random = 11;
    for (uint64_t i = 1; i < 9000; i++) {
        uint64_t number = next_random(&random) % 1000;
        next_random(&random);
        versions[number] = i;
    }
}

Test(storage_recovery, after_eviction_and_copies_no_older_version_is_back)
{
    uint64_t versions[1000] = { 0 }, found = 0;

    crash_run_as(8 * MIB, &eviction_lru, churn);
    churned_versions(versions);
    struct fixture fixture = crash_open_as(8 * MIB, &eviction_lru, NULL);
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t version;
        if (!fixture_has(&fixture, i, &version))
            continue;
        found++;
        cr_assert_eq(version, versions[i]);
    }
    cr_assert_gt(found, 300);
    cr_assert_eq(fixture_census(&fixture, 1000), found);
    fixture_close(&fixture);
}

Test(storage_recovery, another_policy_takes_over_what_one_left)
{
    crash_run_as(8 * MIB, &eviction_lru, append_many);
    struct fixture fixture = crash_open_as(8 * MIB, &eviction_fifo, NULL);
    cr_assert_eq(count_found(&fixture, 0, MANY), MANY);
    append_range(&fixture, MANY, 4000, 1);
    fixture_census(&fixture, 4000);
    fixture_close(&fixture);
}

/* ── what was taken away ── */

static void
remove_some(struct fixture *fixture)
{
    append_range(fixture, 0, MANY, 1);
    for (uint64_t i = 0; i < MANY; i += 3)
        cr_assert(fixture_remove(fixture, i));
    append_range(fixture, 0, 1, 2); /* stored anew */
}

static void
check_removed(struct fixture *fixture)
{
    for (uint64_t i = 1; i < MANY; i++)
        cr_assert_eq(fixture_has(fixture, i, NULL), i % 3 != 0, "record %llu", (unsigned long long)i);
    uint64_t version;
    cr_assert(fixture_has(fixture, 0, &version));
    cr_assert_eq(version, 2);
}

Test(storage_recovery, what_was_removed_stays_away)
{
    crash_run(remove_some);
    crash_run(check_removed);
    struct fixture fixture = crash_open();
    check_removed(&fixture);
    cr_assert_eq(fixture_metric(&fixture, "recovery_purged"), (MANY + 2) / 3);
    fixture_close(&fixture);
    fixture = crash_open(); /* with a snapshot */
    check_removed(&fixture);
    fixture_close(&fixture);
}

static void
forget(struct store_writer *writer, void *argument)
{
    struct store_key   *key = argument;
    struct catalog_item item;
    cr_assert(catalog_find(writer->shard, key->digest, &item));
    catalog_remove(writer->shard, key->digest, item.place, item.size, CATALOG_EVICTED);
}

static void
remove_what_the_index_forgot(struct fixture *fixture)
{
    char text[KEY_TEXT];
    append_range(fixture, 0, 10, 1);
    struct store_key key = fixture_key(fixture, 5, text);
    fixture_run(fixture, key.digest, forget, &key);
    cr_assert_not(fixture_remove(fixture, 5));
}

Test(storage_recovery, what_was_removed_after_the_index_forgot_it_stays_away)
{
    crash_run(remove_what_the_index_forgot);
    struct fixture fixture = crash_open();
    cr_assert_not(fixture_has(&fixture, 5, NULL));
    cr_assert_eq(count_found(&fixture, 0, 10), 9);
    fixture_close(&fixture);
}

static void
remove_all(struct store_writer *writer, void *argument)
{
    *(uint64_t *)argument = writer_remove_all(writer);
}

static void
empty_it(struct fixture *fixture)
{
    uint64_t removed = 0;
    append_range(fixture, 0, MANY, 1);
    cr_assert(fixture_remove(fixture, 3));
    fixture_run(fixture, (struct digest){ 0, 0 }, remove_all, &removed);
    cr_assert_eq(removed, MANY - 1);
    cr_assert_eq(fixture_census(fixture, MANY), 0);
    append_range(fixture, 0, 50, 2);
    cr_assert_eq(fixture_census(fixture, MANY), 50);
}

Test(storage_recovery, what_was_removed_all_at_once_stays_away)
{
    uint64_t version;
    crash_run(empty_it);
    struct fixture fixture = crash_open();
    cr_assert_eq(fixture_census(&fixture, MANY), 50);
    cr_assert(fixture_has(&fixture, 9, &version));
    cr_assert_eq(version, 2);
    append_range(&fixture, 1000, 4000, 1);
    fixture_census(&fixture, 4000);
    fixture_close(&fixture);
}

/* The job is queued before the shard is ready. */
static void
remove_at_once(struct fixture *fixture)
{
    struct store_config config = { .directory = crash_root, .size = 8 * MIB, .readers = 4 };
    struct fault        fault;
    store_close(&fixture->store);
    cr_assert_eq(store_open(&fixture->store, &config, &fault), ERR_NONE);
    cr_assert(fixture_remove(fixture, 7));
    cr_assert_eq(fixture_append(fixture, 8, 2, 100), ERR_NONE);
    cr_assert_not(fixture_has(fixture, 7, NULL));
}

Test(storage_recovery, what_comes_while_it_runs_wins)
{
    uint64_t version;
    crash_run(append_many);
    crash_run(remove_at_once);
    struct fixture fixture = crash_open();
    cr_assert_not(fixture_has(&fixture, 7, NULL));
    cr_assert(fixture_has(&fixture, 8, &version));
    cr_assert_eq(version, 2);
    fixture_close(&fixture);
}

/* Twice around the ring of tombstones: the oldest records are given up, no removed one is back. */
enum { SLOTS = 2048, ROUNDS = 2 * SLOTS + 100 };

static void
remove_often(struct fixture *fixture)
{
    append_range(fixture, 0, 100, 1);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        cr_assert_eq(fixture_append(fixture, 1000 + i, 1, 10), ERR_NONE);
        cr_assert(fixture_remove(fixture, 1000 + i));
    }
    append_range(fixture, 100, 200, 1);
}

Test(storage_recovery, a_full_journal_costs_the_oldest_and_no_purge)
{
    crash_run(remove_often);
    struct fixture fixture = crash_open();
    cr_assert_eq(count_found(&fixture, 1000, 1000 + ROUNDS), 0);
    cr_assert_eq(count_found(&fixture, 0, 100), 0);
    cr_assert_eq(count_found(&fixture, 100, 200), 100);
    fixture_close(&fixture);
}

/* ── time ── */

static void
append_short_lived(struct fixture *fixture)
{
    append_range(fixture, 0, 100, 1); /* lives for an hour */
    fixture->now = wall_add(fixture->now, -3000 * NSEC_PER_SEC);
    fixture->lifetime = 100;
    append_range(fixture, 0, 50, 2); /* is over already */
}

/* The version that has expired is the newest all the same: the older one does not come back in its place. */
Test(storage_recovery, what_has_expired_is_not_back_and_hides_what_it_replaced)
{
    crash_run(append_short_lived);
    struct fixture fixture = crash_open();
    cr_assert_eq(count_found(&fixture, 0, 50), 0);
    cr_assert_eq(count_found(&fixture, 50, 100), 50);
    cr_assert_eq(fixture_metric(&fixture, "recovery_expired"), 50);
    cr_assert_eq(fixture_census(&fixture, 100), 50);
    fixture_close(&fixture);
}

static void
append_ahead(struct fixture *fixture)
{
    append_range(fixture, 0, 10, 1);
    fixture->now = wall_add(fixture->now, 3600 * NSEC_PER_SEC);
    append_range(fixture, 10, 20, 1);
    fixture->now = wall_add(fixture->now, 3600 * NSEC_PER_SEC);
    append_range(fixture, 20, MANY, 1);
}

/* The clock went back: ages of these would be negative. Whole segments, and single records at their first
 * use. */
Test(storage_recovery, records_from_a_time_to_come_are_not_back)
{
    crash_run(append_ahead);
    struct fixture fixture = crash_open();
    cr_assert_geq(fixture_metric(&fixture, "recovery_future"), 2);
    cr_assert_eq(count_found(&fixture, 0, 10), 10);
    cr_assert_eq(count_found(&fixture, 10, MANY), 0);
    fixture_close(&fixture);
}

/* ── a clean stop ── */

Test(storage_recovery, a_clean_stop_leaves_a_snapshot_that_is_used_once)
{
    struct fixture fixture = crash_open_as(8 * MIB, &eviction_lru, NULL);
    append_range(&fixture, 0, MANY, 1);
    for (uint64_t i = 0; i < MANY; i += 5)
        fixture_remove(&fixture, i);
    fixture_close(&fixture);
    cr_assert(crash_exists("index-00.snap"));
    atomic_store(&crash_mood.reads, 0);
    fixture = crash_open_as(8 * MIB, &eviction_lru, NULL);
    cr_assert_lt(atomic_load(&crash_mood.reads), 10); /* no segment was looked at */
    cr_assert_not(crash_exists("index-00.snap"));
    cr_assert_eq(fixture_census(&fixture, MANY), MANY * 4 / 5);
    append_range(&fixture, MANY, 4000, 1);
    fixture_census(&fixture, 4000);
    fixture_close(&fixture);
}

static void
remove_one(struct fixture *fixture)
{
    cr_assert(fixture_remove(fixture, 1));
}

Test(storage_recovery, after_a_snapshot_removals_stay)
{
    struct fixture fixture = crash_open();
    append_range(&fixture, 0, MANY, 1);
    fixture_close(&fixture);
    crash_run(remove_one);
    fixture = crash_open();
    cr_assert_not(fixture_has(&fixture, 1, NULL));
    cr_assert_eq(count_found(&fixture, 0, MANY), MANY - 1);
    fixture_close(&fixture);
}

/* An old snapshot that is put back is of another run. */
Test(storage_recovery, a_snapshot_of_another_run_is_not_used)
{
    static char    bytes[64 * 1024];
    char           path[256];
    struct fixture fixture = crash_open();
    append_range(&fixture, 0, MANY, 1);
    fixture_close(&fixture);
    uint64_t size = crash_size("index-00.snap");
    cr_assert_leq(size, sizeof bytes);
    crash_read("index-00.snap", 0, bytes, size);
    fixture = crash_open();
    for (uint64_t i = 0; i < MANY; i++)
        cr_assert(fixture_remove(&fixture, i));
    fixture_close(&fixture);
    snprintf(path, sizeof path, "%s/index-00.snap", crash_root);
    cr_assert_eq(truncate(path, (off_t)size), 0);
    crash_write("index-00.snap", 0, bytes, size);
    fixture = crash_open();
    cr_assert_eq(count_found(&fixture, 0, MANY), 0);
    fixture_close(&fixture);
}

/* The middle of each part of the file. */
Test(storage_recovery, a_damaged_snapshot_is_no_loss)
{
    uint64_t places[] = { 3, 40, 130, 128 + 5 * 64 + 3, 128 + 16 * 64 + 100 };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct fixture fixture = crash_open();
        append_range(&fixture, 0, MANY, i);
        fixture_close(&fixture);
        crash_flip("index-00.snap", places[i]);
        fixture = crash_open();
        cr_assert_eq(fixture_census(&fixture, MANY), MANY);
        cr_assert_eq(fixture_metric(&fixture, "recovered"), MANY);
        fixture_close(&fixture);
    }
}

/* ── what is said ── */

Test(storage_recovery, the_log_says_what_came_back_and_what_did_not)
{
    int         ends[2];
    char        text[4096] = "";
    struct log *log;

    crash_run(remove_some);
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(log_open(&log, ends[1], LOG_INFO), ERR_NONE);
    cr_assert_eq(log_start(log), ERR_NONE);
    struct fixture fixture = crash_open_as(8 * MIB, NULL, log);
    fixture_close(&fixture);
    log_close(&log);
    cr_assert_gt(read(ends[0], text, sizeof text - 1), 0);
    cr_assert_not_null(strstr(text, "recovered 134 records"), "%s", text);
    cr_assert_not_null(strstr(text, "67 records purged"), "%s", text);
}
