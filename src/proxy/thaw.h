/* thaw.h: exchanges that wait for a record to be read from the disk.
 *
 *      exchange ─▶ thaw ─▶ thread of the store ─▶ mail ─▶ cold_end ─▶ all its exchanges: look again, or go on
 *
 * One thaw for each read of this worker, however many exchanges want it. An exchange waits for one at a time.
 */
#ifndef PROXY_THAW_H
#define PROXY_THAW_H

#include "exchange.h"

/* Has read what a look found cold: the reference is taken over. The exchange is woken when it is among its `reads` and
 * over. False: it has too many, or memory ends. */
bool thaw_read(struct exchange *exchange, struct cold *cold);

/* Has `cold` read for the body that is being sent; the reference is taken over. At the end relief_take is
 * called. False: no memory. */
bool thaw_lease(struct exchange *exchange, struct cold *cold);

/* The exchange waits no more. Idempotent. */
void thaw_leave(struct exchange *exchange);

size_t thaw_size(void);

#endif
