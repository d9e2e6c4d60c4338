/* lease.h: what leases need of the store's inside. The contract is in store.h.
 */
#ifndef LARDER_STORAGE_LEASE_H
#define LARDER_STORAGE_LEASE_H

#include "cold.h"

/* Do more than a twentieth of its segments wait for leases? Any thread. */
bool shard_wants_leases(const struct shard *shard);

#endif
