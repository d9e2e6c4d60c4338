/* port.c: mail from a flight to the exchanges of this worker.
 *
 * The list of waiting exchanges is the worker's own; only the port's `told` flag and its slot in the flight
 * are seen by others. A closed port that still has mail on the way lives until that is delivered.
 */
#include "port.h"

#include <larder/base/check.h>

struct port {
    struct flight_port base;
    struct mail        mail;
    struct worker     *worker;
    struct flight     *flight; /* a reference; NULL once closed */
    struct list        exchanges;
};

/* Any thread. */
static void
wake_port(struct flight_port *base)
{
    struct port *port = CONTAINER_OF(base, struct port, base);
    loop_post(port->worker->loop, &port->mail);
}

/* The exchanges run as tasks, after this: each may leave the port, and the last one closes it. */
static void
deliver_mail(struct mail *mail)
{
    struct port *port = CONTAINER_OF(mail, struct port, mail);

    flight_hear(&port->base);
    if (port->flight == NULL) {
        slab_free(&port->worker->ports_slab, port);
        return;
    }
    LIST_EACH(&port->exchanges, node)
    exchange_wake(CONTAINER_OF(node, struct exchange, port_node));
}

static struct port *
open_port(struct worker *worker, struct flight *flight)
{
    struct port *port = slab_alloc(&worker->ports_slab);
    if (port == NULL)
        return NULL;
    *port = (struct port){ .base = { .wake = wake_port },
                           .mail = { .deliver = deliver_mail },
                           .worker = worker,
                           .flight = flight_acquire(flight) };
    list_init(&port->exchanges);
    flight_port_open(flight, worker->config.id, &port->base);
    return port;
}

enum err
port_join(struct exchange *exchange, struct flight *flight)
{
    struct worker      *worker = exchange->worker;
    struct flight_port *base = flight_port_of(flight, worker->config.id);
    struct port *port = base == NULL ? open_port(worker, flight) : CONTAINER_OF(base, struct port, base);

    if (port == NULL)
        return ERR_NO_MEMORY;
    CHECK(exchange->port == NULL);
    list_push_back(&port->exchanges, &exchange->port_node);
    exchange->port = port;
    return ERR_NONE;
}

void
port_leave(struct exchange *exchange)
{
    struct port *port = exchange->port;
    if (port == NULL)
        return;
    exchange->port = NULL;
    list_remove(&exchange->port_node);
    if (!list_empty(&port->exchanges))
        return;
    bool unheard = !flight_port_close(port->flight, port->worker->config.id);
    flight_release(&port->flight);
    if (!unheard)
        slab_free(&port->worker->ports_slab, port);
}

size_t
port_size(void)
{
    return sizeof(struct port);
}
