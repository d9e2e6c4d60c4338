/* port.h: a worker's ear at a flight, shared by its exchanges that wait for it.
 *
 * The flight tells a port once per change, by mail; the port wakes its exchanges. It opens with the first
 * exchange that joins and closes with the last that leaves.
 */
#ifndef PROXY_PORT_H
#define PROXY_PORT_H

#include "exchange.h"

/* Joins a flight, after it has left the one before. ERR_NO_MEMORY. */
MUST_CHECK enum err port_join(struct exchange *exchange, struct flight *flight);

/* Leaves it, if joined. */
void port_leave(struct exchange *exchange);

size_t port_size(void); /* for the worker's slab */

#endif
