/* cold.c: see cold.h.
 *
 * The line is a list under a mutex that is held for a few instructions. A worker that pushes may so wait for
 * a thread that has just popped, never for a read. (The house's lock has no condition to wait for.)
 */
#include "cold.h"
#include "thread.h"
#include "verify.h"

#include <stdlib.h>

/* ── buffers ── */

static struct cold_buffer *
create_buffer(struct cold_pool *pool, size_t len)
{
    struct cold_buffer *buffer = malloc(sizeof *buffer + len);
    if (buffer != NULL)
        *buffer = (struct cold_buffer){ .pool = pool, .len = len, .refs = 1 };
    return buffer;
}

void
cold_buffer_release(struct cold_buffer *buffer)
{
    CHECK(buffer->refs > 0);
    if (--buffer->refs > 0)
        return;
    atomic_fetch_sub_explicit(&buffer->pool->kept, buffer->len, memory_order_relaxed);
    free(buffer);
}

bool
cold_has_room(const struct cold_pool *pool, size_t len)
{
    return atomic_load_explicit((_Atomic uint64_t *)(uintptr_t)&pool->kept, memory_order_relaxed) + len
           <= pool->kept_max;
}

/* It is counted as kept, or freed. */
static void
keep_or_drop(struct cold *cold)
{
    struct cold_pool *pool = cold->pool;
    size_t            len = cold->len;

    uint64_t before = atomic_fetch_add_explicit(&pool->kept, len, memory_order_relaxed);
    if (before + len <= pool->kept_max)
        return;
    atomic_fetch_sub_explicit(&pool->kept, len, memory_order_relaxed);
    free(cold->buffer);
    cold->buffer = NULL;
}

/* ── reading ── */

/* Cells of a shard that more than one thread adds to. */
static void
count(metric_cell *cell, uint64_t n)
{
    atomic_fetch_add_explicit(cell, n, memory_order_relaxed);
}

/* The sums cost nothing here that a client would wait for: so what went bad on the disk since the record was
 * written is found out, too. */
static bool
is_intact(const struct cold *cold)
{
    return verify_bytes(cold->shard, cold->hash, cold->place, span_of(cold->buffer->bytes, cold->len),
                        cold->unverified, cold->now);
}

static void
read_record(struct cold *cold)
{
    uint64_t at = shard_offset(cold->shard, cold->place);

    count(&cold->shard->metrics.cold_reads, 1);
    count(&cold->shard->metrics.cold_bytes, cold->len);
    cold->buffer = create_buffer(cold->pool, cold->len);
    cold->err = cold->buffer == NULL ? ERR_NO_MEMORY
                                     : disk_read(&cold->shard->disk, at, cold->buffer->bytes, cold->len);
    if (cold->err == ERR_NONE && !is_intact(cold))
        cold->err = ERR_CORRUPT;
    if (cold->err != ERR_NONE) {
        free(cold->buffer);
        cold->buffer = NULL;
    }
}

static bool
may_move(const struct cold_pool *pool)
{
    if (list_empty(&pool->line))
        return false;
    const struct cold *first = CONTAINER_OF(pool->line.next, struct cold, link);
    return pool->moving == 0 || pool->moving + first->len <= pool->moving_max;
}

/* The next in line, once there is room for it; NULL: the end. */
static struct cold *
next_in_line(struct cold_pool *pool)
{
    struct cold *cold = NULL;

    pthread_mutex_lock(&pool->lock);
    pool->idle++;
    while (!may_move(pool) && !(pool->stop && list_empty(&pool->line)))
        pthread_cond_wait(&pool->news, &pool->lock);
    pool->idle--;
    if (!list_empty(&pool->line)) {
        cold = CONTAINER_OF(list_pop_front(&pool->line), struct cold, link);
        pool->moving += cold->len;
    }
    pthread_mutex_unlock(&pool->lock);
    return cold;
}

static void *
main_of_thread(void *argument)
{
    struct cold_pool *pool = argument;
    struct cold      *cold;

    while ((cold = next_in_line(pool)) != NULL) {
        read_record(cold);
        cold->done(cold->context); /* from here on it is the reader's */
    }
    return NULL;
}

/* ── the pool ── */

enum err
cold_pool_start(struct cold_pool *pool, unsigned readers, uint64_t kept_max, struct fault *fault)
{
    size_t lists = (size_t)readers * COLD_WAYS;

    *pool = (struct cold_pool){ .readers = readers,
                                .moving_max = COLD_MOVING,
                                .kept_max = kept_max == 0 ? COLD_KEPT : kept_max,
                                .pending = calloc(lists, sizeof pool->pending[0]) };
    if (pool->pending == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "no memory for the store");
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->news, NULL);
    list_init(&pool->line);
    for (size_t i = 0; i < lists; i++)
        list_init(&pool->pending[i]);
    for (; pool->started < COLD_THREADS; pool->started++) {
        int error = store_thread_spawn(&pool->threads[pool->started], main_of_thread, pool);
        if (error != 0)
            return fault_set_errno(fault, error, "cannot start a thread that reads the store");
    }
    return ERR_NONE;
}

void
cold_pool_stop(struct cold_pool *pool)
{
    if (pool->pending == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    pthread_cond_broadcast(&pool->news);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->started; i++) {
        int error = pthread_join(pool->threads[i], NULL);
        CHECK(error == 0);
    }
    for (size_t i = 0; i < (size_t)pool->readers * COLD_WAYS; i++)
        CHECK(list_empty(&pool->pending[i]));
    CHECK(pool->kept == 0 && pool->moving == 0);
    pthread_cond_destroy(&pool->news);
    pthread_mutex_destroy(&pool->lock);
    free(pool->pending);
    pool->pending = NULL;
}

/* ── by the reader ── */

static struct list *
pending_of(struct cold_pool *pool, unsigned reader, struct index_place place)
{
    uint64_t name = ((uint64_t)place.segment << 20 ^ place.offset) * UINT64_C(0x9e3779b97f4a7c15);
    return &pool->pending[(size_t)reader * COLD_WAYS + (name >> 32) % COLD_WAYS];
}

bool
cold_is_at(const struct cold *cold, const struct shard *shard, struct index_place place)
{
    return cold->shard == shard && cold->place.segment == place.segment && cold->place.offset == place.offset;
}

static struct cold *
find_pending(struct list *pending, const struct shard *shard, struct index_place place)
{
    LIST_EACH(pending, node)
    {
        struct cold *cold = CONTAINER_OF(node, struct cold, pending);
        if (cold_is_at(cold, shard, place))
            return cold;
    }
    return NULL;
}

struct cold *
cold_acquire(struct shard *shard, unsigned reader, uint64_t hash, struct index_place place, size_t len,
             bool unverified, wall_time now)
{
    struct list *pending = pending_of(shard->cold, reader, place);
    struct cold *cold = find_pending(pending, shard, place);

    if (cold != NULL) {
        pins_drop(&shard->pins, reader, place.segment); /* it has one */
        cold->refs++;
        return cold;
    }
    cold = malloc(sizeof *cold);
    if (cold == NULL) {
        pins_drop(&shard->pins, reader, place.segment);
        return NULL;
    }
    *cold = (struct cold){ .pool = shard->cold,
                           .shard = shard,
                           .reader = reader,
                           .refs = 1,
                           .hash = hash,
                           .place = place,
                           .unverified = unverified,
                           .len = len,
                           .now = now };
    list_init(&cold->link);
    list_push_back(pending, &cold->pending);
    return cold;
}

void *
cold_context(const struct cold *cold)
{
    return cold->context;
}

void
cold_begin(struct cold *cold, cold_done *done, void *context)
{
    struct cold_pool *pool = cold->pool;

    CHECK(cold->done == NULL && context != NULL);
    cold->done = done;
    cold->context = context;
    cold->refs++; /* its own, until cold_end */
    pthread_mutex_lock(&pool->lock);
    bool waits = pool->idle == 0 || !list_empty(&pool->line);
    list_push_back(&pool->line, &cold->link);
    waits |= !may_move(pool);
    pthread_cond_signal(&pool->news);
    pthread_mutex_unlock(&pool->lock);
    if (waits)
        count(&cold->shard->metrics.cold_waits, 1);
}

void
cold_end(struct cold *cold)
{
    struct cold_pool *pool = cold->pool;

    CHECK(!cold->over && cold->done != NULL);
    cold->over = true;
    list_remove(&cold->pending);
    if (cold->buffer != NULL)
        keep_or_drop(cold);
    pthread_mutex_lock(&pool->lock);
    pool->moving -= cold->len;
    pthread_cond_broadcast(&pool->news);
    pthread_mutex_unlock(&pool->lock);
    cold_release(&cold);
}

struct cold *
cold_share(struct cold *cold)
{
    cold->refs++;
    return cold;
}

void
cold_release(struct cold **released)
{
    struct cold *cold = *released;

    *released = NULL;
    if (cold == NULL)
        return;
    CHECK(cold->refs > 0);
    if (--cold->refs > 0)
        return;
    CHECK(cold->over || cold->done == NULL);
    list_remove(&cold->pending);
    if (cold->buffer != NULL)
        cold_buffer_release(cold->buffer);
    pins_drop(&cold->shard->pins, cold->reader, cold->place.segment);
    free(cold);
}

struct cold *
cold_set_find(const struct cold_set *set, const struct shard *shard, struct index_place place)
{
    for (unsigned i = 0; i < set->count; i++)
        if (cold_is_at(set->reads[i], shard, place))
            return set->reads[i];
    return NULL;
}

void
cold_set_clear(struct cold_set *set)
{
    while (set->count > 0)
        cold_release(&set->reads[--set->count]);
}
