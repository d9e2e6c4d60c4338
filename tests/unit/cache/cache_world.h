/* cache_world.h: a cache over a small real store, for the tests of flights, lookups and landings.
 *
 * Nothing waits for time: `now` is moved by hand, and a job queued behind a landing tells when that is done.
 */
#ifndef CACHE_WORLD_H
#define CACHE_WORLD_H

#include "cache_test.h"

#include <larder/base/list.h>
#include <larder/cache/lookup.h>
#include <larder/cache/settings.h>
#include <larder/cache/vary.h>
#include <pthread.h>

struct world {
    struct store         *store;
    struct cache         *cache;
    struct test_memory    memory;
    struct cache_settings settings;
    wall_time             now;
};

/* `directory`: of its store; NULL: in memory. */
static inline void
open_in(struct world *world, const char *directory)
{
    struct fault        fault;
    struct store_config config = { .directory = directory, .size = 16 << 20, .readers = 2 };

    cr_assert_eq(store_open(&world->store, &config, &fault), ERR_NONE, "%s", fault.text);
    struct cache_config cache = { .store = world->store, .workers = 2, .recent_slots = 64 };
    cr_assert_eq(cache_create(&world->cache, &cache), ERR_NONE);
}

static inline void
begin_in(struct world *world, const char *directory)
{
    memory_begin(&world->memory);
    option_defaults(&cache_options, &world->settings);
    world->now = clock_wall();
    open_in(world, directory);
}

static inline void
begin(struct world *world)
{
    begin_in(world, NULL);
}

static inline void
close_store(struct world *world)
{
    if (world->store != NULL)
        store_close(&world->store);
    cache_destroy(&world->cache);
}

static inline void
end(struct world *world)
{
    close_store(world);
    memory_end(&world->memory);
}

static inline struct store_key
key_for(struct world *world, const char *path)
{
    struct target    target = { SPAN("h"), SPAN_EMPTY, span_of_text(path), SPAN_EMPTY };
    struct store_key key;
    cr_assert_eq(
        key_primary(&world->memory.arena, store_seed(world->store), SPAN("http"), &target, SPAN("h"), &key),
        ERR_NONE);
    return key;
}

/* `distrust`: as in the question. */
static inline struct lookup
look_for(struct world *world, const struct store_key *key, const char *fields, bool distrust)
{
    struct test_head      *request = arena_alloc(&world->memory.arena, sizeof *request);
    struct range_set      *ranges = arena_alloc(&world->memory.arena, sizeof *ranges);
    struct lookup          lookup;
    struct lookup_question question = { .request = request_of(request, &world->memory.arena, fields),
                                        .primary = key,
                                        .settings = &world->settings,
                                        .distrust = distrust };
    if (range_find(&request->head, ranges) == ERR_NONE)
        question.ranges = ranges;
    cr_assert_eq(lookup_object(world->cache, 0, &world->memory.arena, &question, world->now, &lookup),
                 ERR_NONE);
    return lookup;
}

static inline struct lookup
look(struct world *world, const struct store_key *key, const char *fields)
{
    return look_for(world, key, fields, false);
}

static inline void
pass(struct world *world, int64_t seconds)
{
    world->now = wall_add(world->now, seconds * NSEC_PER_SEC);
}

/* The flight's answer: status 200 with these fields, this body, selected by the request's fields. */
static inline void
answer(struct world *world, struct flight *flight, const char *asked, const char *said, const char *body)
{
    struct arena    *arena = &world->memory.arena;
    struct test_head request, response;
    struct verdict   verdict;
    struct span      spec, values, meta;
    bool             star;

    request_of(&request, arena, asked);
    response_of(&response, arena, said);
    policy_answer(&request.head, &response.head, &world->settings, world->now, world->now, &verdict);
    cr_assert(verdict.store, "%s", reason_name(verdict.reason));
    cr_assert_eq(vary_spec(arena, &response.head, &spec, &star), ERR_NONE);
    cr_assert_eq(vary_values(arena, &request.head, spec, &values), ERR_NONE);
    cr_assert_eq(object_write(arena, &response.head, &verdict, spec, -1, NULL, world->now, &meta), ERR_NONE);
    cr_assert_eq(flight_share(flight, meta, &verdict, spec, values, -1), ERR_NONE);
    cr_assert_eq(fill_append(flight_fill(flight), span_of_text(body)), ERR_NONE);
    fill_end(flight_fill(flight));
}

static inline void
leave(struct lookup *lookup)
{
    lease_release(&lookup->lease);
    flight_release(&lookup->flight);
}

/* Leaves, and ends without an answer the flights that the lookup led or claimed. */
static inline void
give_up(struct lookup *lookup)
{
    if (lookup->refresh != NULL)
        flight_fail(lookup->refresh, 1, "");
    flight_release(&lookup->refresh);
    if (lookup->flight != NULL && lookup->result != LOOKUP_FOLLOW)
        flight_fail(lookup->flight, 1, "");
    leave(lookup);
}

/* Jobs of one URL run in order on one thread: a job queued behind a landing tells when that is done. */
struct fence {
    struct store_job job;
    pthread_mutex_t  mutex;
    pthread_cond_t   cond;
    bool             passed;
};

static inline void
pass_fence(struct store_job *job, struct store_writer *writer)
{
    struct fence *fence = CONTAINER_OF(job, struct fence, job);
    (void)writer;
    pthread_mutex_lock(&fence->mutex);
    fence->passed = true;
    pthread_cond_signal(&fence->cond);
    pthread_mutex_unlock(&fence->mutex);
}

static inline void
wait_for_store(struct world *world, const struct store_key *key)
{
    struct fence fence = { .job = { .cost = 1, .run = pass_fence },
                           .mutex = PTHREAD_MUTEX_INITIALIZER,
                           .cond = PTHREAD_COND_INITIALIZER };
    cr_assert_eq(store_submit(world->store, key->digest, &fence.job), ERR_NONE);
    pthread_mutex_lock(&fence.mutex);
    while (!fence.passed)
        pthread_cond_wait(&fence.cond, &fence.mutex);
    pthread_mutex_unlock(&fence.mutex);
}

static inline void
fetch(struct world *world, const struct store_key *key, const char *asked, const char *said, const char *body)
{
    struct lookup lookup = look(world, key, asked);
    cr_assert_eq(lookup.result, LOOKUP_LEAD);
    answer(world, lookup.flight, asked, said, body);
    cr_assert(flight_land(lookup.flight, &world->settings));
    leave(&lookup);
    wait_for_store(world, key);
}

static inline void
assert_hit(struct world *world, const struct store_key *key, const char *asked, const char *body)
{
    struct lookup lookup = look(world, key, asked);
    cr_assert_eq(lookup.result, LOOKUP_HIT, "%s", asked);
    cr_assert_span(lookup.lease.record.body, body);
    leave(&lookup);
}

#endif
