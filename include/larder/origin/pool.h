/* pool.h: the servers of one origin, and how we talk to them.
 *
 * A pool is named by host and port; its addresses come from outside (the resolver, on the control thread) and may
 * change at any time. Workers read them under the pool's lock for a few nanoseconds at each connect. A
 * pool without addresses is no error: fetches fail with FETCH_UNRESOLVED until there are some, and the last good answer stays when DNS dies.
 *
 * Guard: pool->lock, rank POOL, for the addresses; the rest is frozen after pool_create.
 */
#ifndef LARDER_ORIGIN_POOL_H
#define LARDER_ORIGIN_POOL_H

#include <larder/base/clock.h>
#include <larder/base/option.h>
#include <larder/net/addr.h>

struct pool_settings {
    nsec     connect_timeout;    /* until the connection stands */
    nsec     first_byte_timeout; /* from the request sent to the first byte of the answer */
    nsec     idle_timeout;       /* between two pieces of an answer, and of a request on its way */
    nsec     keep_time;          /* an unused connection is closed after this */
    uint64_t keep_connections;   /* unused connections that each worker keeps */
};
extern const struct option_table pool_options;

struct pool;

/* A reference-counted pool without addresses; the texts are copied. NULL when memory ends. */
struct pool *pool_create(const char *name, struct span host, uint16_t port, const struct pool_settings *settings);
struct pool *pool_acquire(struct pool *pool);
void         pool_release(struct pool **pool);

const char                 *pool_name(const struct pool *pool);
const struct pool_settings *pool_settings_of(const struct pool *pool);
struct span                 pool_host(const struct pool *pool);
uint16_t                    pool_port(const struct pool *pool);
struct span                 pool_authority(const struct pool *pool); /* for a Host field: "host", or "host:port" when it is not 80 */

/* What the resolver told; count 0 keeps the last addresses and notes `why`. Control thread. */
void pool_set_addresses(struct pool *pool, const struct addr *addrs, size_t count, const char *why);

/* The number of addresses now; `why` (if not NULL, of at least 128 bytes) gets the reason when there are none. */
size_t pool_addresses(struct pool *pool, char *why);

#endif
