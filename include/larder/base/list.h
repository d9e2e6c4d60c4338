/* list.h: an intrusive, doubly linked list: the node lives inside the thing that is listed.
 *
 * A list is a node that stands for both ends. A node that is in no list points at itself after
 * list_node_init, so removing it twice does no harm.
 */
#ifndef LARDER_BASE_LIST_H
#define LARDER_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev, *next;
};

#define CONTAINER_OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#define LIST_INIT(name) { &(name), &(name) }

static inline void
list_init(struct list *list)
{
    list->prev = list->next = list;
}

static inline bool
list_empty(const struct list *list)
{
    return list->next == list;
}

static inline void
list_push_back(struct list *list, struct list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

static inline void
list_push_front(struct list *list, struct list *node)
{
    list_push_back(list->next, node);
}

/* Takes the node out of whatever list it is in, and leaves it pointing at itself. */
static inline void
list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

static inline struct list *
list_first(struct list *list)
{
    return list_empty(list) ? NULL : list->next;
}

static inline struct list *
list_pop_front(struct list *list)
{
    struct list *node = list_first(list);
    if (node != NULL)
        list_remove(node);
    return node;
}

/* Moves all of `from` to the end of `to`. */
static inline void
list_splice_back(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

/* The body may remove `node`, and nothing else. */
#define LIST_EACH(of, node)                                              \
    for (struct list *node = (of)->next, *node##_next = node->next;      \
         node != (of); node = node##_next, node##_next = node->next)

#endif
