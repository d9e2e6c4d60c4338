/* feed.c: see feed.h.
 */
#include "feed.h"

#include <errno.h>
#include <inttypes.h>
#include <larder/base/check.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct slot {
    struct store_job job;
    sem_t            idle;
    struct feed     *feed;
    struct feed_key  key;
    uint64_t         size;
};

struct feed {
    struct store    *store;
    struct slot     *slots;
    unsigned         count, next;
    char            *body;
    uint64_t         body_max;
    wall_time        now, expires;
    _Atomic uint64_t refused;
};

void
feed_key_make(struct feed_key *key, const struct store *store, uint64_t number, unsigned part)
{
    int len = snprintf(key->text, sizeof key->text, "http://bench.example/%010" PRIu64 "/%u", number, part);
    CHECK(len > 0 && (size_t)len < sizeof key->text);
    key->key.text = span_of(key->text, (size_t)len);
    key->key.digest = hash_digest(store_seed(store), key->key.text);
}

static void
wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        CHECK(errno == EINTR);
}

static void
run(struct store_job *job, struct store_writer *writer)
{
    struct slot        *slot = (struct slot *)(void *)job;
    struct feed        *feed = slot->feed;
    struct iovec        piece = { feed->body, slot->size };
    struct record_parts parts = {
        .key = slot->key.key, .body = &piece, .body_count = 1, .created = feed->now, .expires = feed->expires
    };

    if (writer_append(writer, &parts) != ERR_NONE)
        atomic_fetch_add_explicit(&feed->refused, 1, memory_order_relaxed);
    sem_post(&slot->idle);
}

struct feed *
feed_create(struct store *store, unsigned slots, uint64_t body_max)
{
    struct feed *feed = calloc(1, sizeof *feed);
    if (feed == NULL)
        return NULL;
    feed->store = store;
    feed->body_max = body_max;
    feed->now = clock_wall();
    feed->expires = wall_add(feed->now, 24 * 3600 * NSEC_PER_SEC);
    feed->body = malloc(body_max + 1);
    feed->slots = calloc(slots, sizeof feed->slots[0]);
    if (feed->body == NULL || feed->slots == NULL) {
        feed_destroy(&feed);
        return NULL;
    }
    memset(feed->body, 'b', body_max);
    for (; feed->count < slots; feed->count++) {
        struct slot *slot = &feed->slots[feed->count];
        *slot = (struct slot){ .job = { .cost = 0, .run = run }, .feed = feed };
        CHECK(sem_init(&slot->idle, 0, 1) == 0);
    }
    return feed;
}

void
feed_destroy(struct feed **destroyed)
{
    struct feed *feed = *destroyed;
    if (feed == NULL)
        return;
    feed_drain(feed);
    for (unsigned i = 0; i < feed->count; i++)
        sem_destroy(&feed->slots[i].idle);
    free(feed->slots);
    free(feed->body);
    free(feed);
    *destroyed = NULL;
}

void
feed_append(struct feed *feed, uint64_t number, unsigned part, uint64_t size)
{
    struct slot *slot = &feed->slots[feed->next++ % feed->count];

    CHECK(size <= feed->body_max);
    wait_for(&slot->idle);
    feed_key_make(&slot->key, feed->store, number, part);
    slot->size = size;
    enum err err = store_submit(feed->store, slot->key.key.digest, &slot->job);
    CHECK(err == ERR_NONE); /* it costs no room, and the store is not closing */
}

void
feed_drain(struct feed *feed)
{
    for (unsigned i = 0; i < feed->count; i++) {
        wait_for(&feed->slots[i].idle);
        sem_post(&feed->slots[i].idle);
    }
}

uint64_t
feed_refused(const struct feed *feed)
{
    return atomic_load_explicit(&((struct feed *)(uintptr_t)feed)->refused, memory_order_relaxed);
}
