/* queue.c: Dmitry Vyukov's intrusive queue for many producers and one consumer.
 *
 * Pushers exchange the head and then link the node before it to theirs; in between, the consumer sees the end of the list a
 * moment too early, which queue_pop tells as NULL. The stub keeps the list from ever being empty.
 */
#include <larder/base/queue.h>

#include <stddef.h>

void
queue_init(struct queue *queue)
{
    atomic_init(&queue->stub.next, NULL);
    atomic_init(&queue->head, &queue->stub);
    queue->tail = &queue->stub;
}

void
queue_push(struct queue *queue, struct queue_node *node)
{
    atomic_store_explicit(&node->next, NULL, memory_order_relaxed);
    struct queue_node *before = atomic_exchange_explicit(&queue->head, node, memory_order_acq_rel);
    atomic_store_explicit(&before->next, node, memory_order_release);
}

static struct queue_node *
next_of(struct queue_node *node)
{
    return atomic_load_explicit(&node->next, memory_order_acquire);
}

struct queue_node *
queue_pop(struct queue *queue)
{
    struct queue_node *tail = queue->tail, *next = next_of(tail);

    if (tail == &queue->stub) {
        if (next == NULL)
            return NULL;
        queue->tail = tail = next;
        next = next_of(tail);
    }
    if (next != NULL) {
        queue->tail = next;
        return tail;
    }
    if (tail != atomic_load_explicit(&queue->head, memory_order_acquire))
        return NULL; /* a push is half done */
    queue_push(queue, &queue->stub);
    next = next_of(tail);
    if (next == NULL)
        return NULL;
    queue->tail = next;
    return tail;
}
