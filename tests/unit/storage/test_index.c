/* test_index.c: the index against a naive map, its growing, its drops, its memory.
 */
#include "entry.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* Entry i of a test: the hash and place follow from i, so a map is an array of flags. */
static uint64_t
hash_of(uint64_t i)
{
    uint64_t state = i * 77;
    return next_random(&state);
}

static struct index_facts
facts_of(uint64_t i)
{
    return (struct index_facts){ .place = { (uint32_t)(i >> 10), (uint32_t)(i & 1023) + 64 },
                                 .freq = (unsigned)(i & 15),
                                 .expiry = (uint32_t)(i * 3 % INDEX_EXPIRY_ASK),
                                 .size = 64 * (i % 31) };
}

static uint64_t
number_of(struct index_place place)
{
    return (uint64_t)place.segment << 10 | (place.offset - 64);
}

static struct index_entry *
entry_of(const struct index *index, uint64_t i)
{
    return index_at(index, hash_of(i), facts_of(i).place);
}

static void
note_drops(struct index_drops *drops, bool *present, uint64_t *count)
{
    for (unsigned i = 0; i < drops->count; i++) {
        uint64_t number = number_of(index_read(&drops->entries[i]).place);
        cr_assert(present[number], "%llu was dropped and not there", (unsigned long long)number);
        present[number] = false;
        ++*count;
    }
    drops->count = 0;
}

static void
insert(struct index *index, uint64_t i, bool *present, uint64_t *dropped)
{
    struct index_facts facts = facts_of(i);
    struct index_drops drops;
    drops.count = 0;
    index_insert(index, hash_of(i), &facts, &drops);
    present[i] = true;
    note_drops(&drops, present, dropped);
}

static void
grow(struct index *index, bool *present, uint64_t *dropped)
{
    struct index_table table;
    struct index_drops drops;

    drops.count = 0;
    cr_assert(index_grow_prepare(index, &table));
    index_grow_begin(index, table);
    while (!index_grow_step(index, &drops))
        note_drops(&drops, present, dropped);
    note_drops(&drops, present, dropped);
    table = index_grow_end(index);
    index_table_free(&table);
}

static void
check_all(const struct index *index, const bool *present, uint64_t count)
{
    uint64_t there = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct index_entry *entry = entry_of(index, i);
        cr_assert_eq(entry != NULL, present[i], "entry %llu", (unsigned long long)i);
        there += entry != NULL;
        if (entry == NULL)
            continue;
        struct index_facts facts = index_read(entry), wanted = facts_of(i);
        cr_assert_eq(facts.freq, wanted.freq);
        cr_assert_eq(facts.expiry, wanted.expiry);
        cr_assert_eq(facts.size, wanted.size);
    }
    cr_assert_eq(index->entries, there);
}

Test(storage_index, entry_keeps_every_bit)
{
    struct index_facts facts = { .place = { INDEX_SEGMENTS_MAX - 1, INDEX_OFFSET_MAX },
                                 .freq = 15,
                                 .expiry = INDEX_EXPIRY_ASK,
                                 .size = 8 * MIB };
    struct index_entry entry = entry_pack((1 << INDEX_TAG_BITS) - 1, &facts);
    struct index_facts back = entry_unpack(&entry);

    cr_assert_eq(entry_tag(&entry), (1 << INDEX_TAG_BITS) - 1);
    cr_assert_eq(back.place.segment, facts.place.segment);
    cr_assert_eq(back.place.offset, facts.place.offset);
    cr_assert_eq(back.freq, 15);
    cr_assert_eq(back.expiry, INDEX_EXPIRY_ASK);
    cr_assert_eq(back.size, 8 * MIB);
    entry_set_freq(&entry, 0);
    entry_set_place(&entry, (struct index_place){ 0x155555, 0xaaaa });
    back = entry_unpack(&entry);
    cr_assert_eq(back.freq, 0);
    cr_assert_eq(back.place.segment, 0x155555);
    cr_assert_eq(back.place.offset, 0xaaaa);
    cr_assert_eq(back.expiry, INDEX_EXPIRY_ASK);
    cr_assert_eq(entry_tag(&entry), (1 << INDEX_TAG_BITS) - 1);
}

Test(storage_index, size_code_never_too_small_and_a_sixteenth_too_large_at_most)
{
    uint32_t before = 0;
    for (uint64_t units = 0; units <= 131072; units++) {
        uint32_t code = size_encode(units * 64);
        uint64_t back = size_decode(code);
        cr_assert(code < 1024 && code >= before);
        cr_assert_geq(back, units * 64);
        cr_assert_leq(back - units * 64, units * 4);
        if (units <= 32)
            cr_assert_eq(back, units * 64);
        before = code;
    }
    cr_assert_eq(size_decode(size_encode(1)), 64);
}

Test(storage_index, agrees_with_a_naive_map_while_it_grows)
{
    enum { NUMBERS = 20000, TURNS = 200000 };
    bool        *present = calloc(NUMBERS, sizeof *present);
    struct index index;
    uint64_t     random = 1, dropped = 0, grown = 0;

    cr_assert_eq(index_init(&index, 64 * MIB), ERR_NONE);
    for (int turn = 0; turn < TURNS; turn++) {
        uint64_t i = next_random(&random) % NUMBERS;
        if (!present[i]) {
            insert(&index, i, present, &dropped);
        } else if (next_random(&random) % 4 == 0) {
            index_remove(&index, entry_of(&index, i));
            present[i] = false;
        }
        if (index_is_full(&index)) {
            grow(&index, present, &dropped);
            grown++;
        }
        if (turn % 20000 == 0)
            check_all(&index, present, NUMBERS);
    }
    check_all(&index, present, NUMBERS);
    cr_assert_geq(grown, 5);
    cr_assert_eq(dropped, 0); /* each finds a place, after two moves at most */
    index_fini(&index);
    free(present);
}

/* A reader may come between any two steps of growing. */
Test(storage_index, finds_everything_in_the_middle_of_growing)
{
    enum { NUMBERS = 3500 };
    bool               present[NUMBERS] = { false };
    uint64_t           dropped = 0;
    struct index       index;
    struct index_table table;
    struct index_drops drops;

    cr_assert_eq(index_init(&index, 64 * MIB), ERR_NONE);
    for (uint64_t i = 0; i < NUMBERS; i++)
        insert(&index, i, present, &dropped);
    drops.count = 0;
    cr_assert(index_grow_prepare(&index, &table));
    index_grow_begin(&index, table);
    for (bool through = false; !through;) {
        check_all(&index, present, NUMBERS);
        through = index_grow_step(&index, &drops);
        note_drops(&drops, present, &dropped);
    }
    check_all(&index, present, NUMBERS);
    table = index_grow_end(&index);
    index_table_free(&table);
    check_all(&index, present, NUMBERS);
    index_fini(&index);
}

Test(storage_index, growing_ends_at_its_bound)
{
    struct index       index;
    struct index_table table;
    struct index_drops drops;

    drops.count = 0;
    cr_assert_eq(index_init(&index, 8 * MIB), ERR_NONE);
    while (index_grow_prepare(&index, &table)) {
        index_grow_begin(&index, table);
        while (!index_grow_step(&index, &drops)) {}
        table = index_grow_end(&index);
        index_table_free(&table);
    }
    cr_assert_leq(index.table.count, index.count_max);
    cr_assert_gt(index.table.count * 13 / 10, index.count_max);
    index_fini(&index);
}

Test(storage_index, a_full_pair_drops_the_least_used)
{
    struct index       index;
    struct index_drops drops;
    struct index_facts facts = { .place = { 0, 64 }, .size = 64 };

    drops.count = 0;
    cr_assert_eq(index_init(&index, 8 * MIB), ERR_NONE);
    /* One hash again and again: both of its buckets fill, and no entry has anywhere else to go. */
    for (uint32_t i = 0; i < INDEX_MATCHES; i++) {
        facts.place.offset = 64 + i;
        facts.freq = i == 6 ? 1 : 9;
        index_insert(&index, 12345, &facts, &drops);
    }
    cr_assert_eq(drops.count, 0);
    facts.place.offset = 500;
    index_insert(&index, 12345, &facts, &drops);
    cr_assert_eq(drops.count, 1);
    cr_assert_eq(index_read(&drops.entries[0]).place.offset, 64 + 6);
    cr_assert_eq(index.entries, INDEX_MATCHES);
    cr_assert_not_null(index_at(&index, 12345, (struct index_place){ 0, 500 }));
    cr_assert_null(index_at(&index, 12345, (struct index_place){ 0, 64 + 6 }));
    index_fini(&index);
}

Test(storage_index, sweep_takes_one_segment_out)
{
    enum { NUMBERS = 3000 };
    bool         present[NUMBERS] = { false };
    uint64_t     dropped = 0, at = 0;
    unsigned     removed = 0, expected = 0;
    struct index index;

    cr_assert_eq(index_init(&index, 64 * MIB), ERR_NONE);
    for (uint64_t i = 0; i < NUMBERS; i++)
        insert(&index, i, present, &dropped);
    while (!index_sweep(&index, 1, &at, &removed)) {}
    for (uint64_t i = 1024; i < 2048; i++) {
        expected += present[i];
        present[i] = false;
    }
    cr_assert_eq(removed, expected);
    check_all(&index, present, NUMBERS);
    index_fini(&index);
}

/* What was reserved for is entered without growing; nothing is taken away, and the bound holds. */
Test(storage_index, reserved_room_is_enough)
{
    enum { NUMBERS = 100000 };
    static bool  present[NUMBERS];
    struct index index;
    uint64_t     dropped = 0;

    cr_assert_eq(index_init(&index, 64 * (uint64_t)MIB), ERR_NONE);
    uint64_t first = index.table.count;
    index_reserve(&index, 10);
    cr_assert_eq(index.table.count, first);
    index_reserve(&index, NUMBERS);
    for (uint64_t i = 0; i < NUMBERS; i++)
        insert(&index, i, present, &dropped);
    cr_assert_not(index_is_full(&index));
    cr_assert_leq((double)index_memory(&index) / NUMBERS, 16.6);
    cr_assert_eq(dropped, 0);
    check_all(&index, present, NUMBERS);
    index_fini(&index);

    cr_assert_eq(index_init(&index, 64 * (uint64_t)MIB), ERR_NONE);
    index_reserve(&index, UINT64_C(1) << 40);
    cr_assert_eq(index.table.count, index.count_max);
    index_fini(&index);
}

/* It stays good while others are entered, and are moved to their other bucket to make room. */
Test(storage_index, a_spot_is_good_until_the_table_grows)
{
    enum { NUMBERS = 400 };
    struct index_spot   spots[NUMBERS];
    struct index_entry *found[INDEX_MATCHES];
    struct index_drops  drops;
    struct index        index;

    cr_assert_eq(index_init(&index, 8 * (uint64_t)MIB), ERR_NONE);
    cr_assert(index_has_room(&index, NUMBERS));
    for (uint64_t i = 0; i < NUMBERS; i++)
        spots[i] = index_locate(&index, hash_of(i));
    drops.count = 0;
    for (uint32_t i = 0; i < NUMBERS; i++) {
        struct index_facts facts = { .place = { i, 64 }, .size = 640 };
        index_insert_at(&index, &spots[i], &facts, &drops);
    }
    cr_assert_eq(drops.count, 0);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        cr_assert_geq(index_match_at(&spots[i], found), 1);
        cr_assert_not_null(index_at(&index, hash_of(i), (struct index_place){ i, 64 }));
    }
    uint64_t room = index.table.count * INDEX_SLOTS * 7 / 9 - NUMBERS;
    cr_assert(index_has_room(&index, room));
    cr_assert_not(index_has_room(&index, room + 1));
    index_fini(&index);
}

/* What the header promises: 17 to 21 bytes, and few drops at the load at which it grows. */
Test(storage_index, memory_and_drops_for_each_object)
{
    enum { NUMBERS = 1 << 20 };
    bool        *present = calloc(NUMBERS, sizeof *present);
    struct index index;
    uint64_t     dropped = 0;
    double       most = 0, least = 1000;

    cr_assert_eq(index_init(&index, 1024 * (uint64_t)MIB), ERR_NONE);
    for (uint64_t i = 0; i < NUMBERS; i++) {
        insert(&index, i, present, &dropped);
        if (index_is_full(&index))
            grow(&index, present, &dropped);
        if (i > 100000) {
            double bytes = (double)index_memory(&index) / (double)index.entries;
            most = bytes > most ? bytes : most;
            least = bytes < least ? bytes : least;
        }
    }
    printf("index: %.1f to %.1f bytes for each record; %llu of %d dropped\n", least, most,
           (unsigned long long)dropped, NUMBERS);
    cr_assert_leq(most, 21.0);
    cr_assert_eq(dropped, 0);
    index_fini(&index);
    free(present);
}
