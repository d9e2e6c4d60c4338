/* test_journal.c: tombstones: written, replayed, all around the ring, and what counts as damage.
 */
#include "crash.h"

#include "journal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(storage_journal, .init = crash_make_root, .fini = crash_remove_root);

enum { SLOTS = 64 };

static struct journal
make(void)
{
    struct journal journal = { .disk = { .calls = &crash_calls, .fd = -1 },
                               .directory = open(crash_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                               .name = "journal-00.log",
                               .store = "store of a test",
                               .slots = SLOTS };
    cr_assert_geq(journal.directory, 0);
    return journal;
}

static struct journal
create(uint64_t floor)
{
    struct journal journal = make();
    struct fault   fault;
    cr_assert_eq(journal_create(&journal, crash_root, floor, &fault), ERR_NONE, "%s", fault.text);
    return journal;
}

static struct digest
digest_of(uint64_t number)
{
    return (struct digest){ number * 7, number % 5 }; /* many share a place in the table */
}

static void
add(struct journal *journal, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        journal_add(journal, JOURNAL_PURGE, digest_of(i), 1000 + i);
}

static void
leave(struct journal *journal)
{
    journal_close(journal);
    close(journal->directory);
}

static enum err
replay(struct journal *journal, struct tombs *tombs)
{
    struct fault fault;
    *journal = make();
    enum err err = journal_open(journal, crash_root, &fault);
    if (err == ERR_NONE)
        err = journal_replay(journal, tombs);
    if (err != ERR_NONE)
        leave(journal);
    return err;
}

Test(storage_journal, an_empty_one_covers_nothing_above_its_floor)
{
    struct journal journal = create(55);
    struct tombs   tombs;
    leave(&journal);
    cr_assert_eq(replay(&journal, &tombs), ERR_NONE);
    cr_assert(tombs_cover(&tombs, digest_of(1), 55));
    cr_assert_not(tombs_cover(&tombs, digest_of(1), 56));
    cr_assert_eq(journal.next, 0);
    tombs_fini(&tombs);
    leave(&journal);
}

Test(storage_journal, tombstones_cover_what_came_before_them)
{
    struct journal journal = create(0);
    struct tombs   tombs;
    add(&journal, 1, 41);
    journal_add(&journal, JOURNAL_PURGE, digest_of(3), 2000); /* once more */
    leave(&journal);
    cr_assert_eq(replay(&journal, &tombs), ERR_NONE);
    for (uint64_t i = 1; i < 41; i++) {
        uint64_t position = i == 3 ? 2000 : 1000 + i;
        cr_assert(tombs_cover(&tombs, digest_of(i), position));
        cr_assert_not(tombs_cover(&tombs, digest_of(i), position + 1));
    }
    cr_assert_not(tombs_cover(&tombs, digest_of(41), 1));
    cr_assert_eq(journal.next, 41);
    cr_assert_eq(journal.last, 2000);
    tombs_fini(&tombs);
    leave(&journal);
}

/* From every place of the ring: what was written over is below the floor, the rest is known, and it goes on. */
Test(storage_journal, the_ring_goes_around)
{
    struct journal journal = create(0);
    struct tombs   tombs;
    uint64_t       count = 0;

    for (int round = 0; round < 3 * SLOTS; round++) {
        add(&journal, count, count + 1);
        count++;
        leave(&journal);
        cr_assert_eq(replay(&journal, &tombs), ERR_NONE, "round %d", round);
        cr_assert_eq(journal.next, count % SLOTS);
        for (uint64_t i = 0; i < count; i++)
            cr_assert(tombs_cover(&tombs, digest_of(i), 1000 + i));
        cr_assert_not(tombs_cover(&tombs, digest_of(count - 1), 1000 + count));
        cr_assert_leq(journal.floor, count <= SLOTS ? 0 : 1000 + count - SLOTS + SLOTS / 16);
        tombs_fini(&tombs);
    }
    leave(&journal);
}

static void
expect_damage(const char *what)
{
    struct journal journal;
    struct tombs   tombs;
    cr_assert_eq(replay(&journal, &tombs), ERR_CORRUPT, "%s", what);
}

/* Every single byte. */
Test(storage_journal, no_flipped_byte_is_overlooked)
{
    struct journal journal = create(7);
    add(&journal, 0, SLOTS + 20);
    leave(&journal);
    for (uint64_t at = 0; at < 56; at++) {
        crash_flip("journal-00.log", at);
        expect_damage("header");
        crash_flip("journal-00.log", at);
    }
    for (uint64_t at = JOURNAL_HEAD; at < JOURNAL_HEAD + SLOTS * JOURNAL_SLOT; at++) {
        crash_flip("journal-00.log", at);
        expect_damage("slot");
        crash_flip("journal-00.log", at);
    }
    struct tombs tombs;
    cr_assert_eq(replay(&journal, &tombs), ERR_NONE); /* it was the flips */
    tombs_fini(&tombs);
    leave(&journal);
}

Test(storage_journal, one_of_another_store_or_shard_is_not_read)
{
    struct journal journal = create(0), other = make();
    struct fault   fault;
    leave(&journal);
    other.shard = 1;
    cr_assert_eq(journal_open(&other, crash_root, &fault), ERR_CORRUPT);
    other.shard = 0;
    other.store[0] ^= 1;
    cr_assert_eq(journal_open(&other, crash_root, &fault), ERR_CORRUPT);
    cr_assert_not_null(strstr(fault.text, "journal-00.log"));
    leave(&other);
}

Test(storage_journal, is_synced_when_it_is_due_and_not_else)
{
    struct journal journal = create(0);
    int            before = atomic_load(&crash_mood.syncs);
    journal_sync(&journal);
    cr_assert_eq(atomic_load(&crash_mood.syncs), before);
    add(&journal, 0, 3);
    nsec left = mono_since(journal.due, crash_calls.mono());
    cr_assert_leq(left, JOURNAL_DELAY);
    journal_sync(&journal);
    cr_assert_eq(atomic_load(&crash_mood.syncs), before + 1);
    cr_assert_eq(journal.due.ns, MONO_NEVER.ns);
    leave(&journal);
}

/* The floor must be on the disk before what it stands for is written over; where it cannot be, the journal goes. */
Test(storage_journal, a_floor_that_cannot_be_synced_is_the_end_of_it)
{
    struct journal journal = create(0);
    add(&journal, 0, SLOTS);
    atomic_store(&crash_mood.fail_sync, 1);
    add(&journal, SLOTS, SLOTS + 1);
    cr_assert(journal.lost);
    cr_assert_not(crash_exists("journal-00.log"));
    add(&journal, SLOTS + 1, SLOTS + 2); /* nothing */
    leave(&journal);
}

Test(storage_journal, no_disk_no_journal)
{
    struct journal journal = { .disk = { .calls = &crash_calls, .fd = -1 }, .due = MONO_NEVER };
    add(&journal, 0, 10);
    journal_sync(&journal);
    cr_assert_eq(journal.due.ns, MONO_NEVER.ns);
}

Test(storage_journal, has_a_slot_for_each_16_KiB_of_its_shard)
{
    cr_assert_eq(journal_slots(8 * MIB), 2048);
    cr_assert_eq(journal_slots(1024 * (uint64_t)MIB), 65536);
    for (uint64_t size = 8 * MIB; size < 100000 * (uint64_t)MIB; size += 7777 * 4096)
        cr_assert_eq(journal_slots(size) % 16, 0);
}
