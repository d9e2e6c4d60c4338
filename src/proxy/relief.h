/* relief.h: slow clients and the store: nobody waits for the disk for them, and they do not hold the store up.
 *
 *      socket full, with a lease ──▶ list of the slow ──▶ each second, if the store has too many segments that
 *            │                                            wait for leases: those who hold one get a copy
 *            └─ goes on ─▶ is what comes next still in memory? ── no ─▶ it is read, and the exchange waits
 *
 * Both are the same act: the record is read by a thread of the store into private memory, and the answer goes
 * on from there. The record is a whole object, or the slice that goes out just now.
 */
#ifndef PROXY_RELIEF_H
#define PROXY_RELIEF_H

#include "exchange.h"

/* The socket took no more. */
void relief_note(struct exchange *exchange);

/* Before more is sent: must it be read first? Then the exchange will be woken. */
bool relief_is_awaited(struct exchange *exchange);

/* A read of the lease's record is over. */
void relief_take(struct exchange *exchange, const struct cold *cold);

/* Once a second. */
void relief_sweep(struct worker *worker);

#endif
