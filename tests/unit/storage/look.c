/* look.c: see look.h.
 */
#include "look.h"

#include <criterion/criterion.h>
#include <stdio.h>

void
look_note_damage(const struct inspect_damage *damage, void *context)
{
    struct looked *looked = context;
    looked->damaged++;
    looked->last = *damage;
    snprintf(looked->key, sizeof looked->key, "%.*s", SPAN_ARG(span_head(damage->key, KEY_TEXT - 1)));
}

struct looked
look_verify(void)
{
    struct inspect       *inspect;
    struct fault          fault;
    struct inspect_cursor cursor = { .shard = 0 };
    struct looked         looked = { .damaged = 0 };

    cr_assert_eq(inspect_open(&inspect, crash_root, false, &fault), ERR_NONE, "%s", fault.text);
    while (cursor.shard < inspect_shards(inspect))
        cr_assert_eq(inspect_verify(inspect_writer(inspect, cursor.shard), &cursor, &looked.verified,
                                    look_note_damage, &looked),
                     ERR_NONE);
    inspect_close(&inspect);
    return looked;
}

bool
look_note_object(const struct inspect_object *object, void *context)
{
    struct listed *listed = context;
    char           text[KEY_TEXT];
    unsigned       number;

    snprintf(text, sizeof text, "%.*s", SPAN_ARG(object->key));
    cr_assert_eq(sscanf(text, "http://test.example/%u", &number), 1, "%s", text);
    cr_assert_lt(number, LOOK_NUMBERS);
    cr_assert_eq(object->meta.len, 8);
    cr_assert_geq(object->size, object->body + object->meta.len + object->key.len);
    listed->times[number]++;
    listed->count++;
    return listed->visits_left == 0 || --listed->visits_left > 0;
}

void
look_list(struct listed *listed)
{
    struct inspect       *inspect;
    struct fault          fault;
    struct inspect_cursor cursor = { .shard = 0 };

    *listed = (struct listed){ .count = 0 };
    cr_assert_eq(inspect_open(&inspect, crash_root, true, &fault), ERR_NONE, "%s", fault.text);
    while (cursor.shard < inspect_shards(inspect))
        cr_assert_eq(inspect_list(inspect_writer(inspect, cursor.shard), &cursor, look_note_object, listed),
                     ERR_NONE);
    inspect_close(&inspect);
}

void
look_append_many(struct fixture *fixture)
{
    for (uint64_t i = 0; i < LOOK_MANY; i++)
        cr_assert_eq(fixture_append(fixture, i, 1, 1000 + i * 10), ERR_NONE);
}

void
look_append_and_remove(struct fixture *fixture)
{
    look_append_many(fixture);
    for (uint64_t i = 0; i < LOOK_MANY; i += 3)
        cr_assert(fixture_remove(fixture, i));
    for (uint64_t i = 1; i < LOOK_MANY; i += 3)
        cr_assert_eq(fixture_append(fixture, i, 2, 500), ERR_NONE);
}

/* A store that was stopped in order, with something in each of its files. */
void
look_make_stopped(void)
{
    struct fixture fixture = crash_open();
    look_append_and_remove(&fixture);
    fixture_close(&fixture);
    fixture = crash_open(); /* so that there are two superblocks */
    fixture_close(&fixture);
    cr_assert(crash_exists("super.A") && crash_exists("super.B") && crash_exists("index-00.snap"));
}

uint64_t
look_place_of_key(uint64_t number)
{
    char key[KEY_TEXT];
    int  len = snprintf(key, sizeof key, "http://test.example/%llu", (unsigned long long)number);
    return crash_find_bytes("shard-00.dat", key, (size_t)len);
}

uint64_t
look_segment_of(uint64_t at)
{
    return at / CRASH_SEGMENT * CRASH_SEGMENT;
}
