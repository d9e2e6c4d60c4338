/* pool.c: a pool's name, settings and addresses.
 *
 * The addresses are an array under the pool's lock, copied one at a time by whoever connects.
 */
#include "pool_impl.h"

#include <larder/base/check.h>
#include <larder/base/lock.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRS_MAX = 64, WHY_SIZE = 128 };

#define ROW(name, type, member, least, most, initial, help)                                                  \
    {                                                                                                        \
        name, OPTION_##type, offsetof(struct pool_settings, member), least, most, initial, help              \
    }

#define HOUR (3600 * NSEC_PER_SEC)

static const struct option_row rows[] = {
    ROW("connect", TIME, connect_timeout, NSEC_PER_MSEC, HOUR, 3 * NSEC_PER_SEC,
        "The longest time until a connection to the origin stands, else the answer is 504."),
    ROW("first-byte", TIME, first_byte_timeout, NSEC_PER_MSEC, 24 * HOUR, 60 * NSEC_PER_SEC,
        "The longest time from a request sent to the first byte of its answer, else the answer is 504."),
    ROW("idle", TIME, idle_timeout, NSEC_PER_MSEC, 24 * HOUR, 60 * NSEC_PER_SEC,
        "The longest pause between two pieces of an answer, or of a request on its way to the origin."),
    ROW("keep", TIME, keep_time, NSEC_PER_MSEC, HOUR, 60 * NSEC_PER_SEC,
        "A connection to the origin that is not used is closed after this time."),
    ROW("keep-connections", COUNT, keep_connections, 0, 100000, 64,
        "The unused connections to the origin that each worker keeps open."),
};

const struct option_table pool_options = { rows, sizeof rows / sizeof rows[0] };

struct pool {
    _Atomic unsigned     refs;
    char                *name, *host, *authority;
    uint16_t             port;
    struct pool_settings settings;
    _Atomic unsigned     generation; /* of the addresses; written under the lock, read without */

    struct lock lock; /* guards the rest */
    struct addr addrs[ADDRS_MAX];
    size_t      count;
    char        why[WHY_SIZE];
};

static char *
join_authority(struct span host, uint16_t port)
{
    bool  v6 = span_find(host, ':') >= 0;
    char *text = NULL;
    int   len = port == 80 ? asprintf(&text, v6 ? "[%.*s]" : "%.*s", SPAN_ARG(host))
                           : asprintf(&text, v6 ? "[%.*s]:%u" : "%.*s:%u", SPAN_ARG(host), port);
    return len < 0 ? NULL : text;
}

struct pool *
pool_create(const char *name, struct span host, uint16_t port, const struct pool_settings *settings)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    atomic_init(&pool->refs, 1);
    lock_init(&pool->lock, LOCK_RANK_POOL, "pool");
    pool->name = strdup(name);
    pool->host = strndup(host.at, host.len);
    pool->authority = join_authority(host, port);
    pool->port = port;
    pool->settings = *settings;
    snprintf(pool->why, sizeof pool->why, "it has not been resolved yet");
    if (pool->name == NULL || pool->host == NULL || pool->authority == NULL)
        pool_release(&pool);
    return pool;
}

struct pool *
pool_acquire(struct pool *pool)
{
    atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
    return pool;
}

void
pool_release(struct pool **pointer)
{
    struct pool *pool = *pointer;
    *pointer = NULL;
    if (pool == NULL || atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) != 1)
        return;
    lock_fini(&pool->lock);
    free(pool->name);
    free(pool->host);
    free(pool->authority);
    free(pool);
}

const char *
pool_name(const struct pool *pool)
{
    return pool->name;
}

const struct pool_settings *
pool_settings_of(const struct pool *pool)
{
    return &pool->settings;
}

struct span
pool_host(const struct pool *pool)
{
    return span_of_text(pool->host);
}

uint16_t
pool_port(const struct pool *pool)
{
    return pool->port;
}

struct span
pool_authority(const struct pool *pool)
{
    return span_of_text(pool->authority);
}

/* ── addresses ── */

static bool
are_known(const struct pool *pool, const struct addr *addrs, size_t count)
{
    bool same = pool->count == count;

    for (size_t i = 0; i < count && same; i++)
        same = addr_equal(&pool->addrs[i], &addrs[i]);
    return same;
}

void
pool_set_addresses(struct pool *pool, const struct addr *addrs, size_t count, const char *why)
{
    if (count > ADDRS_MAX)
        count = ADDRS_MAX;
    lock_acquire(&pool->lock);
    if (count > 0 && !are_known(pool, addrs, count)) {
        memcpy(pool->addrs, addrs, count * sizeof addrs[0]);
        pool->count = count;
        atomic_fetch_add_explicit(&pool->generation, 1, memory_order_relaxed);
    }
    snprintf(pool->why, sizeof pool->why, "%s", why);
    lock_release(&pool->lock);
}

size_t
pool_addresses(struct pool *pool, char *why)
{
    lock_acquire(&pool->lock);
    size_t count = pool->count;
    if (why != NULL)
        snprintf(why, WHY_SIZE, "%s", count == 0 ? pool->why : "");
    lock_release(&pool->lock);
    return count;
}

bool
pool_pick(struct pool *pool, size_t index, struct addr *addr)
{
    lock_acquire(&pool->lock);
    bool any = pool->count > 0;
    if (any)
        *addr = pool->addrs[index % pool->count];
    lock_release(&pool->lock);
    return any;
}

unsigned
pool_generation(const struct pool *pool)
{
    return atomic_load_explicit(&pool->generation, memory_order_relaxed);
}

bool
pool_has(struct pool *pool, const struct addr *addr)
{
    bool found = false;

    lock_acquire(&pool->lock);
    for (size_t i = 0; i < pool->count && !found; i++)
        found = addr_equal(&pool->addrs[i], addr);
    lock_release(&pool->lock);
    return found;
}
