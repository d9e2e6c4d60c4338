/* pool_impl.h: what fetches need of a pool. */
#ifndef ORIGIN_POOL_IMPL_H
#define ORIGIN_POOL_IMPL_H

#include <larder/origin/pool.h>

/* The address number `index`, counted around. False: there is none. */
bool pool_pick(struct pool *pool, size_t index, struct addr *addr);

/* Another number whenever the addresses are others. */
unsigned pool_generation(const struct pool *pool);

bool pool_has(struct pool *pool, const struct addr *addr);

#endif
