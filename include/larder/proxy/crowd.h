/* crowd.h: how many connections there are, in all and of each client, over all workers.
 *
 *      accepted ──▶ crowd_enter ──▶ guest, counted until crowd_leave
 *                        └─ full, or this client has its share: not let in
 *
 * A client is an address, of IPv6 the /64 that one customer has at least (RFC 6177). There is an entry for each client that has a connection, and
 * none for others: the table is no larger than what it bounds.
 *
 * Shared by all workers. Guard: a lock for each stripe, rank CROWD.
 */
#ifndef LARDER_PROXY_CROWD_H
#define LARDER_PROXY_CROWD_H

#include <larder/base/err.h>
#include <larder/net/networks.h>

struct crowd;
struct guest;

/* 0: no bound. ERR_NO_MEMORY. */
MUST_CHECK enum err crowd_create(struct crowd **crowd, uint64_t most, uint64_t most_each);
void                crowd_destroy(struct crowd **crowd);

enum crowd_answer { CROWD_IN, CROWD_FULL, CROWD_FULL_OF_CLIENT };

/* Counts a connection of that client. *guest is for crowd_leave; NULL unless CROWD_IN. When memory ends it is CROWD_FULL. */
enum crowd_answer crowd_enter(struct crowd *crowd, const struct network *client, struct guest **guest);

/* The connection is over. NULL was never counted. */
void crowd_leave(struct crowd *crowd, struct guest **guest);

/* Connections that are counted now. */
uint64_t crowd_size(const struct crowd *crowd);

#endif
