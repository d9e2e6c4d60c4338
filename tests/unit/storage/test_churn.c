/* test_churn.c: a full store: what goes, what stays, what is counted; and leases, which nothing may move.
 */
#include "fixture.h"

#include "record.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

/* ── accounts ── */

/* Appends, replacements, removals and hits at random, many times the store's size. */
static void
churn(struct fixture *fixture, uint64_t numbers, int turns, uint64_t *random)
{
    for (int i = 0; i < turns; i++) {
        uint64_t number = next_random(random) % numbers;
        uint64_t what = next_random(random) % 16;
        if (what == 0)
            fixture_remove(fixture, number);
        else if (what < 5)
            fixture_has(fixture, number, NULL);
        else
            cr_assert_eq(fixture_append(fixture, number, *random, next_random(random) % 12000), ERR_NONE);
    }
}

static void
check_accounts(const struct eviction *eviction)
{
    enum { NUMBERS = 3000 };
    struct fixture fixture = fixture_open(8 * MIB, 1, eviction, NULL);
    uint64_t       random = 42;

    for (int round = 0; round < 4; round++) {
        churn(&fixture, NUMBERS, 2000, &random);
        cr_assert_gt(fixture_census(&fixture, NUMBERS), 500);
    }
    cr_assert_gt(fixture_metric(&fixture, "evicted"), 1000);
    cr_assert_eq(fixture_metric(&fixture, "append_failed"), 0);
    /* Empty it: what then is still counted was counted wrong. */
    for (uint64_t i = 0; i < NUMBERS; i++)
        fixture_remove(&fixture, i);
    cr_assert_eq(fixture_census(&fixture, NUMBERS), 0);
    cr_assert_eq(fixture_metric(&fixture, "bytes_live"), 0);
    cr_assert_eq(fixture_metric(&fixture, "appends"),
                 fixture_metric(&fixture, "removed") + fixture_metric(&fixture, "evicted"));
    fixture_close(&fixture);
}

Test(storage_churn, fifo_accounts_are_exact)
{
    check_accounts(&eviction_fifo);
}

Test(storage_churn, lru_accounts_are_exact)
{
    check_accounts(&eviction_lru);
}

Test(storage_churn, sc_accounts_are_exact)
{
    check_accounts(&eviction_sc);
}

Test(storage_churn, s3fifo_accounts_are_exact)
{
    check_accounts(&eviction_s3fifo);
}

/* Records of 64 to 200 bytes in a store that began with room in its index for records of 16 KiB: it
 * grows by itself. */
Test(storage_churn, small_records_fill_the_store)
{
    enum { NUMBERS = 60000 };
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);

    for (uint64_t i = 0; i < NUMBERS; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, i % 40), ERR_NONE);
    uint64_t found = fixture_census(&fixture, NUMBERS);
    cr_assert_gt(found * (128 + 32), 6 * MIB); /* of 8 MiB */
    cr_assert_eq(fixture_metric(&fixture, "evicted"), NUMBERS - found);
    fixture_close(&fixture);
}

/* ── policies ── */

static unsigned
hot_that_stay(const struct eviction *eviction)
{
    enum { HOT = 100, OTHERS = 5000 };
    struct fixture fixture = fixture_open(8 * MIB, 1, eviction, NULL);
    unsigned       stay = 0;

    for (uint64_t i = 0; i < HOT; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 4000), ERR_NONE);
    for (uint64_t i = 0; i < OTHERS; i++) {
        cr_assert_eq(fixture_append(&fixture, HOT + i, 0, 4000), ERR_NONE);
        fixture_has(&fixture, i % HOT, NULL);
    }
    for (uint64_t i = 0; i < HOT; i++)
        stay += fixture_has(&fixture, i, NULL);
    fixture_census(&fixture, HOT + OTHERS);
    cr_assert_eq(fixture_metric(&fixture, "copied_bytes"), fixture_metric(&fixture, "copied") * 4096);
    cr_assert_eq(fixture_metric(&fixture, "copied") == 0, eviction == &eviction_fifo);
    fixture_close(&fixture);
    return stay;
}

Test(storage_churn, lru_keeps_what_is_asked_for)
{
    cr_assert_eq(hot_that_stay(&eviction_lru), 100);
}

Test(storage_churn, sc_keeps_what_is_asked_for)
{
    cr_assert_eq(hot_that_stay(&eviction_sc), 100);
}

Test(storage_churn, s3fifo_keeps_what_is_asked_for)
{
    cr_assert_eq(hot_that_stay(&eviction_s3fifo), 100);
}

Test(storage_churn, fifo_keeps_nothing)
{
    cr_assert_eq(hot_that_stay(&eviction_fifo), 0);
}

/* All records are hot: copying them all would go in circles, so in the end they are dropped, and appends
 * go on. */
/* A hit, without a look at each byte. */
static void
touch(struct fixture *fixture, uint64_t number)
{
    char             text[KEY_TEXT];
    struct lease     lease;
    struct store_key key = fixture_key(fixture, number, text);

    if (store_find(fixture->store, 0, &key, fixture->now, &lease))
        lease_release(&lease);
}

static void
heat_all(const struct eviction *eviction)
{
    enum { RECORDS = 300 }; /* 30 MB */
    struct fixture fixture = fixture_open(8 * MIB, 1, eviction, NULL);

    for (uint64_t i = 0; i < RECORDS; i++) {
        cr_assert_eq(fixture_append(&fixture, i, 0, 100000), ERR_NONE);
        for (uint64_t j = i < 80 ? 0 : i - 80; j <= i; j++)
            touch(&fixture, j);
        cr_assert(fixture_has(&fixture, i, NULL));
    }
    fixture_census(&fixture, RECORDS);
    fixture_close(&fixture);
}

Test(storage_churn, a_store_in_which_all_is_hot_still_takes_records)
{
    heat_all(&eviction_lru);
    heat_all(&eviction_s3fifo);
    heat_all(&eviction_sc);
}

/* Under SC a scan of records that are asked for once leaves those in peace that are in use; under LRU a
 * scan as long as the store is large washes out what is asked for less often than that. */
static unsigned
stay_beside_a_scan(const struct eviction *eviction)
{
    enum { USED = 500, SCAN = 8000 };
    struct fixture fixture = fixture_open(8 * MIB, 1, eviction, NULL);
    unsigned       stay = 0;

    for (uint64_t i = 0; i < USED; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 4000), ERR_NONE);
    for (uint64_t i = 0; i < 4 * USED; i++)
        cr_assert(fixture_has(&fixture, i % USED, NULL));
    for (uint64_t i = 0; i < SCAN; i++)
        cr_assert_eq(fixture_append(&fixture, USED + i, 0, 4000), ERR_NONE);
    for (uint64_t i = 0; i < USED; i++)
        stay += fixture_has(&fixture, i, NULL);
    fixture_close(&fixture);
    return stay;
}

Test(storage_churn, what_is_asked_for_once_does_not_displace)
{
    cr_assert_gt(stay_beside_a_scan(&eviction_sc), 450);
    cr_assert_gt(stay_beside_a_scan(&eviction_s3fifo), 450);
    cr_assert_eq(stay_beside_a_scan(&eviction_lru), 0);
}

/* ── time ── */

static void
expire_used_ones(const struct eviction *eviction)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, eviction, NULL);

    fixture.lifetime = 10;
    for (uint64_t i = 0; i < 1000; i++) {
        cr_assert_eq(fixture_append(&fixture, i, 0, 4000), ERR_NONE);
        cr_assert(fixture_has(&fixture, i, NULL)); /* used: LRU would copy it */
    }
    fixture.now = wall_add(fixture.now, 11 * NSEC_PER_SEC);
    fixture.lifetime = HOUR;
    for (uint64_t i = 1000; i < 1000 + 1500; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 4000), ERR_NONE);
    cr_assert_gt(fixture_metric(&fixture, "expired"), 500);
    cr_assert_eq(fixture_metric(&fixture, "copied"), 0);
    /* The index may have dropped one for want of a slot: a matter of the seed. */
    uint64_t found = 0, evicted = fixture_metric(&fixture, "evicted");
    for (uint64_t i = 1000; i < 1000 + 1500; i++)
        found += fixture_has(&fixture, i, NULL);
    cr_assert_leq(evicted, 3, "%s: %llu", eviction->name, (unsigned long long)evicted);
    cr_assert_geq(found, 1500 - evicted);
    fixture_close(&fixture);
}

Test(storage_churn, expired_records_are_not_copied)
{
    expire_used_ones(&eviction_lru);
    expire_used_ones(&eviction_s3fifo);
    expire_used_ones(&eviction_sc);
}

/* Long-lived and short-lived records in turn. Under SC they lie apart: when the short-lived ones are over,
 * their segments are free as a whole, and not one of the others had to be copied or dropped. */
Test(storage_churn, the_short_lived_lie_apart)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, &eviction_sc, NULL);

    for (uint64_t i = 0; i < 1200; i++) {
        fixture.lifetime = i % 2 == 0 ? HOUR : 10;
        cr_assert_eq(fixture_append(&fixture, i, 0, 4000), ERR_NONE);
    }
    fixture.now = wall_add(fixture.now, 11 * NSEC_PER_SEC);
    fixture.lifetime = HOUR;
    for (uint64_t i = 1200; i < 1500; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 4000), ERR_NONE);
    unsigned found = 0;
    for (uint64_t i = 0; i < 1200; i += 2)
        found += fixture_has(&fixture, i, NULL);
    cr_assert_eq(fixture_metric(&fixture, "copied"), 0);
    cr_assert_geq(found, 600 - 3); /* the index may have dropped one: a matter of the seed */
    fixture_close(&fixture);
}

/* Old and long-lived first, young and short-lived behind: the expired segments go first, though they are
 * younger. */
Test(storage_churn, segments_that_expired_whole_go_first)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, &eviction_fifo, NULL);
    uint64_t       i = 0;

    for (; i < 500; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 4000), ERR_NONE);
    fixture.lifetime = 10;
    for (; i < 1300; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 4000), ERR_NONE);
    fixture.now = wall_add(fixture.now, 11 * NSEC_PER_SEC);
    fixture.lifetime = HOUR;
    for (; i < 2200; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 4000), ERR_NONE);
    for (uint64_t j = 0; j < 500; j++)
        cr_assert(fixture_has(&fixture, j, NULL));
    cr_assert_gt(fixture_metric(&fixture, "expired"), 100);
    cr_assert_eq(fixture_metric(&fixture, "evicted"), 0);
    fixture_close(&fixture);
}

/* ── leases ── */

static bool
lease_of(struct fixture *fixture, unsigned reader, uint64_t number, struct lease *lease)
{
    char             text[KEY_TEXT];
    struct store_key key = fixture_key(fixture, number, text);
    return store_find(fixture->store, reader, &key, fixture->now, lease);
}

Test(storage_churn, leased_bytes_never_change)
{
    enum { LEASES = 20 };
    struct fixture fixture = fixture_open(8 * MIB, 1, &eviction_fifo, NULL);
    struct lease   leases[LEASES], copies[LEASES];

    for (uint64_t i = 0; i < LEASES; i++) {
        cr_assert_eq(fixture_append(&fixture, i, i, 3000 + i), ERR_NONE);
        cr_assert(lease_of(&fixture, 0, i, &leases[i]));
        lease_copy(&leases[i], &copies[i]);
        lease_release(&leases[i]); /* the copy alone holds it */
        cr_assert_null(leases[i].shard);
    }
    for (uint64_t i = 100; i < 5000; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 8000), ERR_NONE);
    for (uint64_t i = 0; i < LEASES; i++) {
        cr_assert_not(fixture_has(&fixture, i, NULL)); /* long gone from the index */
        cr_assert_eq(check_record(&copies[i].record, i), i);
        lease_release(&copies[i]);
    }
    fixture_census(&fixture, 5000);
    fixture_close(&fixture);
}

/* A lease on every segment there is. */
Test(storage_churn, all_pinned_is_full_and_passes)
{
    enum { LEASES = 200 };
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    struct lease   leases[LEASES];
    uint64_t       count = 0;
    enum err       err = ERR_NONE;

    for (; count < LEASES && err == ERR_NONE; count++) {
        err = fixture_append(&fixture, count, count, 100000);
        if (err == ERR_NONE)
            cr_assert(lease_of(&fixture, 0, count, &leases[count]));
    }
    count--;
    cr_assert_eq(err, ERR_FULL);
    cr_assert_gt(count, 20);
    cr_assert_not(fixture_has(&fixture, count, NULL));
    cr_assert_eq(fixture_metric(&fixture, "append_failed"), 1);
    cr_assert_gt(fixture_metric(&fixture, "segments_pinned"), 0);

    /* A refused replacement takes the older record along; so does a removal; no byte under a lease
     * changes. */
    uint64_t last = count - 1;
    cr_assert_eq(fixture_append(&fixture, last, 99, 100000), ERR_FULL);
    cr_assert_not(fixture_has(&fixture, last, NULL));
    fixture_census(&fixture, count + 1);
    for (uint64_t i = 0; i < count; i++) {
        cr_assert_eq(check_record(&leases[i].record, i), i);
        lease_release(&leases[i]);
    }
    for (uint64_t i = 1000; i < 1100; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 100000), ERR_NONE);
    fixture_census(&fixture, 1100);
    cr_assert_eq(fixture_metric(&fixture, "segments_pinned"), 0);
    fixture_close(&fixture);
}

enum { READERS = 3, HELD = 16, SPACE = 2000 };

struct reader {
    struct fixture *fixture;
    atomic_bool    *stop;
    pthread_t       thread;
    unsigned        number;
    uint64_t        finds;
};

struct held {
    struct lease lease;
    uint64_t     number, version;
};

static void
swap_lease(struct reader *reader, struct held *held, uint64_t *random)
{
    if (held->lease.shard != NULL) {
        cr_assert_eq(check_record(&held->lease.record, held->number), held->version);
        if (next_random(random) % 4 == 0) {
            struct lease copy;
            lease_copy(&held->lease, &copy);
            lease_release(&held->lease);
            held->lease = copy;
            return;
        }
        lease_release(&held->lease);
    }
    held->number = next_random(random) % SPACE;
    if (lease_of(reader->fixture, reader->number, held->number, &held->lease)) {
        held->version = check_record(&held->lease.record, held->number);
        reader->finds++;
    }
}

static void *
read_along(void *argument)
{
    struct reader *reader = argument;
    uint64_t       random = reader->number;
    struct held    held[HELD] = { 0 };

    while (!atomic_load_explicit(reader->stop, memory_order_relaxed) || reader->finds == 0)
        swap_lease(reader, &held[next_random(&random) % HELD], &random);
    for (int i = 0; i < HELD; i++) {
        if (held[i].lease.shard != NULL)
            cr_assert_eq(check_record(&held[i].lease.record, held[i].number), held[i].version);
        lease_release(&held[i].lease);
    }
    return NULL;
}

static void
read_while_churning(const struct eviction *eviction)
{
    struct fixture fixture = fixture_open(8 * MIB, READERS, eviction, NULL);
    struct reader  readers[READERS];
    atomic_bool    stop = false;
    uint64_t       random = 7;

    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){ .fixture = &fixture, .stop = &stop, .number = i };
        cr_assert_eq(pthread_create(&readers[i].thread, NULL, read_along, &readers[i]), 0);
    }
    for (int i = 0; i < 6000; i++) {
        /* Full is an answer too: sixteen leases of three readers may pin all there is. */
        enum err err = fixture_append(&fixture, next_random(&random) % SPACE, random, 1000 + random % 9000);
        cr_assert(err == ERR_NONE || err == ERR_FULL);
    }
    atomic_store(&stop, true);
    for (unsigned i = 0; i < READERS; i++)
        pthread_join(readers[i].thread, NULL);
    cr_assert_gt(fixture_metric(&fixture, "evicted"), 1000);
    cr_assert_gt(fixture_census(&fixture, SPACE), 100);
    fixture_close(&fixture);
}

Test(storage_churn, readers_hold_leases_while_fifo_churns)
{
    read_while_churning(&eviction_fifo);
}

Test(storage_churn, readers_hold_leases_while_lru_churns)
{
    read_while_churning(&eviction_lru);
}

Test(storage_churn, readers_hold_leases_while_sc_churns)
{
    read_while_churning(&eviction_sc);
}

Test(storage_churn, readers_hold_leases_while_s3fifo_churns)
{
    read_while_churning(&eviction_s3fifo);
}
