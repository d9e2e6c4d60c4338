/* micro_parts.c: the table of what is measured, and for each the loop around it. See micro.h.
 *
 * In the order of a hit: parser ▶ key ▶ lookup (in it find) ▶ head; then what lies beside it: ring and record.
 * Every operation gives its memory back, as an exchange does at its end.
 */
#include "micro.h"

#include <larder/base/check.h>
#include <larder/base/ring.h>
#include <larder/cache/lookup.h>
#include <larder/http/parse.h>
#include <larder/http/structured.h>
#include <larder/http/write.h>

static const struct parse_limits limits = { .head = 64 << 10, .target = 8 << 10 };

/* ── parser: a request's head, from bytes to fields ── */

static void
run_parser(struct micro_hand *hand, uint64_t operations, struct meter *meter)
{
    struct span  bytes = micro_request();
    enum refusal refusal;
    size_t       size;

    meter_begin(meter);
    for (uint64_t i = 0; i < operations; i++) {
        enum err err = parse_request(&hand->request, bytes, &limits, &size, &refusal);
        CHECK(err == ERR_NONE);
    }
    meter_end(meter);
}

/* ── key: from the parsed head to the digest ── */

static enum err
make_key(struct micro_hand *hand, struct store_key *key)
{
    struct target sent, normal;
    enum refusal  refusal;
    enum err      err = parse_target(&hand->request, &sent, &refusal);

    if (err == ERR_NONE)
        err = key_normalise(&hand->arena, &sent, &normal);
    if (err == ERR_NONE)
        err =
            key_primary(&hand->arena, store_seed(hand->world->store), SPAN("http"), &normal, sent.host, key);
    return err;
}

static void
run_key(struct micro_hand *hand, uint64_t operations, struct meter *meter)
{
    meter_begin(meter);
    for (uint64_t i = 0; i < operations; i++) {
        struct store_key key;
        enum err         err = make_key(hand, &key);
        CHECK(err == ERR_NONE && key.digest.high != 0);
        arena_reset(&hand->arena);
    }
    meter_end(meter);
}

/* ── lookup: from the key to an answer that may be sent, and its lease back ── */

static bool
look_up(struct micro_hand *hand, const struct store_key *key)
{
    struct micro_world    *world = hand->world;
    struct lookup          lookup;
    struct lookup_question question = { .request = &hand->request,
                                        .primary = key,
                                        .settings = &world->settings };
    enum err err = lookup_object(world->cache, hand->reader, &hand->arena, &question, world->now, &lookup);

    if (err != ERR_NONE || lookup.result != LOOKUP_HIT)
        return false;
    lease_release(&lookup.lease);
    arena_reset(&hand->arena);
    return true;
}

static void
run_lookup(struct micro_hand *hand, uint64_t operations, struct meter *meter)
{
    const struct micro_world *world = hand->world;
    unsigned                  at = 0;

    meter_begin(meter);
    for (uint64_t i = 0; i < operations; i++) {
        bool hit = look_up(hand, &world->keys[at]);
        CHECK(hit); /* they are stored, and fresh for a day */
        at = at + 1 == world->answers ? 0 : at + 1;
    }
    meter_end(meter);
}

/* ── find: the store's part of a lookup ── */

static bool
find(struct micro_hand *hand, const struct store_key *key)
{
    struct lease lease;
    struct cold *cold;

    if (store_look(hand->world->store, hand->reader, key, hand->world->now, NULL, &lease, &cold)
        != FIND_FOUND)
        return false;
    lease_release(&lease);
    return true;
}

static void
run_find(struct micro_hand *hand, uint64_t operations, struct meter *meter)
{
    const struct micro_world *world = hand->world;
    unsigned                  at = 0;

    meter_begin(meter);
    for (uint64_t i = 0; i < operations; i++) {
        bool found = find(hand, &world->keys[at]);
        CHECK(found);
        at = at + 1 == world->answers ? 0 : at + 1;
    }
    meter_end(meter);
}

/* ── head: what changes from hit to hit, behind the head that is stored ── */

enum { AGE = 1234 }; /* seconds: four digits, as many as most have */

/* As proxy/answer_stored.c does for a client that is told (one on loopback), whose connection stays. */
static void
write_tail(struct writer *writer, const struct object *object, wall_time now)
{
    int64_t age = wall_since(now, object->born) / NSEC_PER_SEC;

    write_number(writer, SPAN("Age: "), age > 0 ? (uint64_t)age : 0);
    write_raw(writer, SPAN("Cache-Status: larder;hit;ttl="));
    sf_write_integer(writer, wall_since(object->fresh_until, now) / NSEC_PER_SEC);
    write_raw(writer, SPAN("\r\n"));
    write_end(writer);
}

static void
run_head(struct micro_hand *hand, uint64_t operations, struct meter *meter)
{
    wall_time now = wall_add(hand->world->now, AGE * NSEC_PER_SEC);
    char      bytes[512];

    meter_begin(meter);
    for (uint64_t i = 0; i < operations; i++) {
        struct object object;
        struct writer writer;
        bool          good = object_read(hand->world->meta, &object);
        writer_init(&writer, bytes, sizeof bytes);
        write_tail(&writer, &object, now);
        CHECK(good && !writer.failed);
    }
    meter_end(meter);
}

/* ── ring: the access log's, from a worker to its thread: in and out, by one thread, eight records at a time ── */

enum { RING_BATCH = 8, RING_RECORD = 256, RING_SIZE = 64 * 1024 };

static void
pass_on(struct ring *ring, uint64_t first, unsigned count)
{
    for (uint64_t i = first; i < first + count; i++) {
        char *room = ring_reserve(ring, RING_RECORD);
        CHECK(room != NULL);
        memcpy(room, &i, sizeof i);
        ring_push(ring);
    }
    for (uint64_t i = first; i < first + count; i++) {
        struct span front = ring_front(ring);
        CHECK(front.len == RING_RECORD && memcmp(front.at, &i, sizeof i) == 0);
        ring_pop(ring);
    }
}

static void
run_ring(struct micro_hand *hand, uint64_t operations, struct meter *meter)
{
    struct ring ring;
    uint64_t    left = operations;
    enum err    err = ring_init(&ring, RING_SIZE);

    (void)hand;
    CHECK(err == ERR_NONE);
    meter_begin(meter);
    for (; left > RING_BATCH; left -= RING_BATCH)
        pass_on(&ring, left, RING_BATCH);
    pass_on(&ring, left, (unsigned)left);
    meter_end(meter);
    ring_fini(&ring);
}

/* ── record: an answer into the store: header, sums, the write, the index, and making room ── */

static void
run_record(struct micro_hand *hand, uint64_t operations, struct meter *meter)
{
    uint64_t refused = micro_world_append(hand->world, 0, operations, meter);
    CHECK(refused == 0);
}

const struct micro_part micro_parts[] = {
    { "parser", "a request's head, from bytes to fields", run_parser, .filled = false },
    { "key", "target, and key with its digest", run_key, .filled = false },
    { "lookup", "the cache finds a fresh answer, and lets it go", run_lookup, .filled = true },
    { "find", "the store's part of that", run_find, .filled = true },
    { "head", "what is written behind the stored head of a hit", run_head, .filled = false },
    { "ring", "into the ring of the access log, and out of it", run_ring, .filled = false },
    { "record", "an answer of 1 KB is appended, and makes room for itself", run_record, .single = true },
};
const unsigned micro_part_count = sizeof micro_parts / sizeof micro_parts[0];

const struct micro_part *
micro_part_find(struct span name)
{
    for (unsigned i = 0; i < micro_part_count; i++)
        if (span_equal(name, span_of_text(micro_parts[i].name)))
            return &micro_parts[i];
    return NULL;
}
