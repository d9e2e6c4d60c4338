/* queue.h: many threads push, one pops; nobody waits (Vyukov's intrusive MPSC queue).
 *
 * Nodes live inside what is queued and belong to the queue from push to pop. Order is kept per
 * pushing thread. queue_pop may return NULL for a moment while a push is half done; the pusher
 * wakes the consumer after its push, so nothing is missed.
 */
#ifndef LARDER_BASE_QUEUE_H
#define LARDER_BASE_QUEUE_H

#include <stdatomic.h>

struct queue_node {
    _Atomic(struct queue_node *) next;
};

struct queue {
    _Atomic(struct queue_node *) head; /* pushers */
    struct queue_node           *tail; /* the consumer */
    struct queue_node            stub;
};

void queue_init(struct queue *queue);

/* Any thread. */
void queue_push(struct queue *queue, struct queue_node *node);

/* The consuming thread only. */
struct queue_node *queue_pop(struct queue *queue);

#endif
