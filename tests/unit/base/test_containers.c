/* test_containers.c: lists, maps and the queue between threads. */
#include <criterion/criterion.h>
#include <larder/base/list.h>
#include <larder/base/map.h>
#include <larder/base/queue.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

struct item {
    struct list     node;
    struct map_node map_node;
    int             value;
};

Test(base_list, keeps_order_and_removes_in_place)
{
    struct list list = LIST_INIT(list), other = LIST_INIT(other);
    struct item items[5];
    int         sum = 0;

    for (int i = 0; i < 5; i++) {
        items[i].value = i;
        list_push_back(&list, &items[i].node);
    }
    LIST_EACH (&list, node)
        if (CONTAINER_OF(node, struct item, node)->value % 2 == 1)
            list_remove(node);
    list_remove(&items[1].node); /* twice does no harm */
    LIST_EACH (&list, node)
        sum = sum * 10 + CONTAINER_OF(node, struct item, node)->value;
    cr_assert_eq(sum, 24);
    list_push_front(&other, &items[1].node);
    list_splice_back(&other, &list);
    cr_assert(list_empty(&list));
    list_splice_back(&other, &list);
    cr_assert_eq(list_pop_front(&other), &items[1].node);
    cr_assert_eq(list_pop_front(&other), &items[0].node);
    cr_assert_eq(list_first(&other), &items[2].node);
    cr_assert_null(list_pop_front(&list));
}

static bool
has_value(const struct map_node *node, const void *wanted)
{
    return CONTAINER_OF(node, struct item, map_node)->value == *(const int *)wanted;
}

Test(base_map, finds_among_collisions_and_grows)
{
    enum { N = 1000 };
    struct map   map;
    struct item *items = calloc(N, sizeof *items);

    cr_assert_eq(map_init(&map, 2), ERR_NONE);
    for (int i = 0; i < N; i++) {
        items[i].value = i;
        map_insert(&map, &items[i].map_node, (uint64_t)i / 3 * UINT64_C(0x9e3779b97f4a7c15)); /* three of each hash */
    }
    cr_assert_gt(map.mask, N / 2);
    for (int i = 0; i < N; i += 2)
        map_remove(&map, &items[i].map_node);
    for (int i = 0; i < N; i++) {
        struct map_node *found = map_find(&map, (uint64_t)i / 3 * UINT64_C(0x9e3779b97f4a7c15), has_value, &i);
        cr_assert_eq(found, i % 2 == 0 ? NULL : &items[i].map_node);
    }
    for (struct map_node *node; (node = map_any(&map)) != NULL;)
        map_remove(&map, node);
    cr_assert_eq(map.count, 0);
    map_fini(&map);
    free(items);
}

enum { PUSHERS = 4, EACH = 20000 };

struct message {
    struct queue_node node;
    int               from, number;
};

struct pusher {
    struct queue   *queue;
    struct message *messages;
    int             from;
};

static void *
push_all(void *argument)
{
    struct pusher *pusher = argument;
    for (int i = 0; i < EACH; i++) {
        pusher->messages[i] = (struct message){ .from = pusher->from, .number = i };
        queue_push(pusher->queue, &pusher->messages[i].node);
    }
    return NULL;
}

Test(base_queue, nothing_is_lost_and_each_pushers_order_is_kept)
{
    struct queue  queue;
    pthread_t     threads[PUSHERS];
    struct pusher pushers[PUSHERS];
    int           next[PUSHERS] = { 0 };

    queue_init(&queue);
    cr_assert_null(queue_pop(&queue));
    for (int i = 0; i < PUSHERS; i++) {
        pushers[i] = (struct pusher){ &queue, calloc(EACH, sizeof(struct message)), i };
        pthread_create(&threads[i], NULL, push_all, &pushers[i]);
    }
    for (int popped = 0; popped < PUSHERS * EACH;) {
        struct queue_node *node = queue_pop(&queue);
        if (node == NULL) {
            sched_yield();
            continue;
        }
        struct message *message = CONTAINER_OF(node, struct message, node);
        cr_assert_eq(message->number, next[message->from]++);
        popped++;
    }
    cr_assert_null(queue_pop(&queue));
    for (int i = 0; i < PUSHERS; i++) {
        pthread_join(threads[i], NULL);
        free(pushers[i].messages);
    }
}
