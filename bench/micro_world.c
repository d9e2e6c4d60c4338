/* micro_world.c: a cache over a store in memory, and answers in it: what the parts are measured on. See micro.h.
 *
 *      response as an origin sends it ──parse, policy_answer, object_write──▶ meta ──one job──▶ 1,000 records
 */
#include "micro.h"

#include <errno.h>
#include <larder/base/check.h>
#include <larder/cache/key.h>
#include <larder/http/parse.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

/* STORE_BYTES for each reader: with fewer they would share a shard, which the server's store spares its workers. */
enum { STORE_BYTES = 64 << 20, CHUNK = 4096, ARENA_MOST = 16 << 20, HAND_MOST = 1 << 20, RECENT_SLOTS = 64 };

/* Digests that share these bits are neighbours: see struct store_key. */
#define NEIGHBOURS (UINT64_C(0xff) << 56)

static const char request_text[] =
    "GET /assets/app/main.3f9a1c.js?version=20261126&lang=en HTTP/1.1\r\n"
    "Host: www.shop.example\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: http://www.shop.example/list?page=2\r\n"
    "Sec-Fetch-Dest: script\r\n"
    "Sec-Fetch-Mode: no-cors\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "\r\n";

static const char answer_text[] = "HTTP/1.1 200 OK\r\n"
                                  "Server: origin\r\n"
                                  "Content-Type: text/javascript; charset=utf-8\r\n"
                                  "Content-Length: 1024\r\n"
                                  "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                                  "ETag: \"5f3a-1c2b3d4e\"\r\n"
                                  "Cache-Control: public, max-age=86400\r\n"
                                  "X-Content-Type-Options: nosniff\r\n"
                                  "\r\n";

struct span
micro_request(void)
{
    return span_of(request_text, sizeof request_text - 1);
}

static void
parse_asked(struct head *head, struct field *fields)
{
    const struct parse_limits limits = { .head = 64 << 10, .target = 8 << 10 };
    enum refusal              refusal;
    size_t                    size;

    head_init(head, fields, MICRO_FIELDS);
    enum err err = parse_request(head, micro_request(), &limits, &size, &refusal);
    CHECK(err == ERR_NONE);
}

/* ── what is stored ── */

static enum err
make_keys(struct micro_world *world)
{
    for (unsigned i = 0; i < MICRO_OBJECTS; i++) {
        char          path[64];
        int           len = snprintf(path, sizeof path, "/assets/app/object/%u/main.3f9a1c.js", i);
        struct target target = { .host = SPAN("www.shop.example"), .path = span_of(path, (size_t)len) };
        if (key_primary(&world->arena, store_seed(world->store), SPAN("http"), &target, target.host,
                        &world->keys[i])
            != ERR_NONE)
            return ERR_NO_MEMORY;
    }
    return ERR_NONE;
}

static enum err
make_meta(struct micro_world *world)
{
    const struct parse_limits limits = { .head = 64 << 10, .target = 8 << 10 };
    struct field              asked_fields[MICRO_FIELDS], fields[MICRO_FIELDS];
    struct head               asked, answer;
    struct verdict            verdict;
    enum refusal              refusal;
    size_t                    size;

    parse_asked(&asked, asked_fields);
    head_init(&answer, fields, MICRO_FIELDS);
    enum err err =
        parse_response(&answer, span_of(answer_text, sizeof answer_text - 1), &limits, &size, &refusal);
    CHECK(err == ERR_NONE);
    policy_answer(&asked, &answer, &world->settings, world->now, world->now, &verdict);
    CHECK(verdict.store);
    return object_write(&world->arena, &answer, &verdict, SPAN_EMPTY, MICRO_BODY, NULL, world->now,
                        &world->meta);
}

struct appending {
    struct store_job    job;
    struct micro_world *world;
    struct meter       *meter;
    uint64_t            first, count, refused;
    sem_t               over;
};

static void
append_all(struct appending *appending, struct store_writer *writer)
{
    struct micro_world *world = appending->world;
    struct iovec        body = { world->body, sizeof world->body };
    struct record_parts parts = { .meta = world->meta,
                                  .body = &body,
                                  .body_count = 1,
                                  .created = world->now,
                                  .expires = wall_add(world->now, 24 * 3600 * NSEC_PER_SEC) };

    for (uint64_t i = 0; i < appending->count; i++) {
        parts.key = world->keys[(appending->first + i) % MICRO_OBJECTS];
        appending->refused += writer_append(writer, &parts) != ERR_NONE;
    }
}

static void
run_append(struct store_job *job, struct store_writer *writer)
{
    struct appending *appending = (struct appending *)(void *)job;

    if (appending->meter != NULL)
        meter_begin(appending->meter);
    append_all(appending, writer);
    if (appending->meter != NULL)
        meter_end(appending->meter);
    sem_post(&appending->over);
}

uint64_t
micro_world_append(struct micro_world *world, uint64_t first, uint64_t count, struct meter *meter)
{
    struct appending appending = {
        .job = { .run = run_append }, .world = world, .meter = meter, .first = first, .count = count
    };

    CHECK(sem_init(&appending.over, 0, 0) == 0);
    enum err err = store_submit(world->store, world->keys[first].digest, &appending.job);
    CHECK(err == ERR_NONE); /* it costs no room, and the store is not closing */
    while (sem_wait(&appending.over) != 0)
        CHECK(errno == EINTR);
    sem_destroy(&appending.over);
    return appending.refused;
}

/* ── the world ── */

static enum err
open_store(struct micro_world *world, unsigned readers, struct fault *fault)
{
    struct store_config config = { .size = STORE_BYTES * readers, .readers = readers };
    enum err            err = store_open(&world->store, &config, fault);

    if (err != ERR_NONE)
        return err;
    struct cache_config cache = { .store = world->store, .workers = readers, .recent_slots = RECENT_SLOTS };
    err = cache_create(&world->cache, &cache);
    return err == ERR_NONE ? err : fault_set(fault, err, "out of memory");
}

/* Neighbours may be written by one job; those that are not lie in shards as they do in a server. */
static void
make_neighbours(struct micro_world *world)
{
    uint64_t top = world->keys[0].digest.high & NEIGHBOURS;
    for (unsigned i = 0; i < MICRO_OBJECTS; i++)
        world->keys[i].digest.high = (world->keys[i].digest.high & ~NEIGHBOURS) | top;
}

static enum err
fill(struct micro_world *world, bool spread, struct fault *fault)
{
    uint64_t refused = 0;

    if (!spread)
        refused = micro_world_append(world, 0, MICRO_OBJECTS, NULL);
    for (unsigned i = 0; spread && i < MICRO_OBJECTS; i++)
        refused += micro_world_append(world, i, 1, NULL);
    return refused == 0 ? ERR_NONE : fault_set(fault, ERR_FULL, "the store refused %d records", (int)refused);
}

static enum err
begin(struct micro_world *world, unsigned readers, bool filled, struct fault *fault)
{
    enum err err = open_store(world, readers, fault);

    if (err != ERR_NONE)
        return err;
    if (make_keys(world) != ERR_NONE || make_meta(world) != ERR_NONE)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    if (readers == 1)
        make_neighbours(world);
    return filled ? fill(world, readers > 1, fault) : ERR_NONE;
}

enum err
micro_world_create(struct micro_world **out, unsigned readers, bool filled, unsigned answers,
                   struct fault *fault)
{
    struct micro_world *world = calloc(1, sizeof *world);

    *out = world;
    if (world == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    slab_init(&world->slab, CHUNK, 0);
    arena_init(&world->arena, &world->slab, ARENA_MOST);
    option_defaults(&cache_options, &world->settings);
    world->now = clock_wall();
    world->answers = answers;
    memset(world->body, 'b', sizeof world->body);
    enum err err = begin(world, readers, filled, fault);
    if (err != ERR_NONE)
        micro_world_destroy(out);
    return err;
}

void
micro_world_destroy(struct micro_world **destroyed)
{
    struct micro_world *world = *destroyed;

    if (world == NULL)
        return;
    if (world->store != NULL)
        store_close(&world->store);
    if (world->cache != NULL)
        cache_destroy(&world->cache);
    arena_reset(&world->arena);
    slab_fini(&world->slab);
    free(world);
    *destroyed = NULL;
}

/* ── the hand ── */

void
micro_hand_init(struct micro_hand *hand, struct micro_world *world, unsigned reader)
{
    *hand = (struct micro_hand){ .world = world, .reader = reader };
    slab_init(&hand->slab, CHUNK, 0);
    arena_init(&hand->arena, &hand->slab, HAND_MOST);
    parse_asked(&hand->request, hand->fields);
}

void
micro_hand_fini(struct micro_hand *hand)
{
    arena_reset(&hand->arena);
    slab_fini(&hand->slab);
}
