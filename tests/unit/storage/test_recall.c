/* test_recall.c: a hot record is found without the shard's lock, and not for a moment longer than the index would find it.
 */
#include "fixture.h"

#include "recall.h"
#include "store_impl.h"

#include <criterion/criterion.h>
#include <pthread.h>

enum { SETTLED = EVICTION_FREQ_MAX + 2 }; /* so many hits, and the next tells the policy nothing */

static const struct recall_slot *
remembered(struct fixture *fixture, uint64_t number)
{
    char             text[KEY_TEXT];
    struct store_key key = fixture_key(fixture, number, text);
    return recall_find(&fixture->store->shards[0]->recalls[0], key.digest.low);
}

static void
make_hot(struct fixture *fixture, uint64_t number)
{
    for (int i = 0; i < SETTLED; i++)
        cr_assert(fixture_has(fixture, number, NULL));
    cr_assert_not_null(remembered(fixture, number));
}

static struct fixture
open_hot(uint64_t numbers)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);

    for (uint64_t i = 0; i < numbers; i++) {
        cr_assert_eq(fixture_append(&fixture, i, 0, 1000), ERR_NONE);
        make_hot(&fixture, i);
    }
    return fixture;
}

Test(storage_recall, is_for_what_is_so_hot_that_a_hit_tells_nothing_new)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);

    cr_assert_eq(fixture_append(&fixture, 1, 0, 1000), ERR_NONE);
    for (int i = 0; i < EVICTION_FREQ_MAX; i++) {
        cr_assert(fixture_has(&fixture, 1, NULL));
        cr_assert_null(remembered(&fixture, 1));
    }
    cr_assert(fixture_has(&fixture, 1, NULL));
    cr_assert_not_null(remembered(&fixture, 1));
    cr_assert_not(fixture_has(&fixture, 2, NULL));
    cr_assert_null(remembered(&fixture, 2));
    fixture_close(&fixture);
}

Test(storage_recall, what_is_remembered_is_found_without_the_lock)
{
    struct fixture fixture = open_hot(1);

    lock_acquire(&fixture.store->shards[0]->lock);
    cr_assert(fixture_has(&fixture, 0, NULL)); /* else it would wait for itself */
    lock_release(&fixture.store->shards[0]->lock);
    fixture_close(&fixture);
}

Test(storage_recall, what_was_removed_is_gone)
{
    struct fixture fixture = open_hot(2);

    cr_assert(fixture_remove(&fixture, 0));
    cr_assert_not(fixture_has(&fixture, 0, NULL));
    cr_assert(fixture_has(&fixture, 1, NULL));
    fixture_close(&fixture);
}

Test(storage_recall, what_was_replaced_is_found_anew)
{
    struct fixture fixture = open_hot(1);
    uint64_t       version;

    cr_assert_eq(fixture_append(&fixture, 0, 7, 500), ERR_NONE);
    cr_assert(fixture_has(&fixture, 0, &version));
    cr_assert_eq(version, 7);
    fixture_close(&fixture);
}

Test(storage_recall, what_has_expired_is_not_found)
{
    struct fixture fixture = open_hot(1);

    fixture.now = wall_add(fixture.now, (fixture.lifetime + 1) * NSEC_PER_SEC);
    cr_assert_not(fixture_has(&fixture, 0, NULL));
    fixture_close(&fixture);
}

static void
remove_all(struct store_writer *writer, void *argument)
{
    *(uint64_t *)argument = writer_remove_all(writer);
}

Test(storage_recall, nothing_is_found_in_an_emptied_store)
{
    struct fixture fixture = open_hot(20);
    uint64_t       removed = 0;

    fixture_run(&fixture, (struct digest){ 0, 0 }, remove_all, &removed);
    cr_assert_eq(removed, 20);
    for (uint64_t i = 0; i < 20; i++)
        cr_assert_not(fixture_has(&fixture, i, NULL));
    fixture_close(&fixture);
}

/* Three on one pair of slots: the third pushes the older one out, and all are found. */
Test(storage_recall, a_pair_of_slots_keeps_the_two_newest)
{
    struct recall      recall;
    struct recall_slot slot = { .place = { 1, 1 } };

    cr_assert_eq(recall_init(&recall, 1), ERR_NONE);
    for (slot.hash = RECALL_SLOTS; slot.hash <= 3 * RECALL_SLOTS; slot.hash += RECALL_SLOTS)
        recall_note(&recall, &slot);
    cr_assert_null(recall_find(&recall, RECALL_SLOTS));
    cr_assert_not_null(recall_find(&recall, 2 * RECALL_SLOTS));
    cr_assert_not_null(recall_find(&recall, 3 * RECALL_SLOTS));
    cr_assert_null(recall_find(&recall, 0));
    recall_fini(&recall);
}

/* ── beside a store thread that replaces and cleans ── */

enum { NUMBERS = 64, READS = 40000 };

struct reading {
    struct fixture  *fixture;
    struct store_key keys[NUMBERS];
    char             texts[NUMBERS][KEY_TEXT];
    atomic_bool      stop;
    uint64_t         found, wrong;
};

/* Versions of a number only grow, and bytes that are leased are the number's. */
static void *
read_hot(void *given)
{
    struct reading *reading = given;
    uint64_t        seen[NUMBERS] = { 0 };

    for (uint64_t i = 0; !atomic_load(&reading->stop) || i < READS; i++) {
        uint64_t     number = i % NUMBERS, version;
        struct lease lease;
        if (!store_find(reading->fixture->store, 1, &reading->keys[number], reading->fixture->now, &lease))
            continue;
        memcpy(&version, lease.record.meta.at, sizeof version);
        reading->wrong += version < seen[number] || !span_equal(lease.record.key, reading->keys[number].text);
        seen[number] = version;
        reading->found++;
        lease_release(&lease);
    }
    return NULL;
}

/* FIFO: each hit is settled at once, and nothing is kept, so that places come and go all the time. */
Test(storage_recall, a_reader_beside_changes_never_goes_back)
{
    struct fixture        fixture = fixture_open(8 * MIB, 2, &eviction_fifo, NULL);
    static struct reading reading;
    pthread_t             thread;

    reading.fixture = &fixture;
    for (uint64_t i = 0; i < NUMBERS; i++)
        reading.keys[i] = fixture_key(&fixture, i, reading.texts[i]);
    cr_assert_eq(pthread_create(&thread, NULL, read_hot, &reading), 0);
    for (uint64_t i = 0; i < 1500; i++)
        cr_assert_eq(fixture_append(&fixture, i % (2 * NUMBERS), i, 16000), ERR_NONE);
    atomic_store(&reading.stop, true);
    pthread_join(thread, NULL);
    cr_assert_gt(reading.found, 0);
    cr_assert_eq(reading.wrong, 0);
    fixture_close(&fixture);
}
