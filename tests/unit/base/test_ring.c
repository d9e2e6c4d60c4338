/* test_ring.c: records come out as they went in, in order, around the end of the bytes, and between two threads.
 */
#include <larder/base/ring.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static bool
push(struct ring *ring, uint64_t number, size_t len)
{
    unsigned char *at = ring_reserve(ring, len);
    if (at == NULL)
        return false;
    cr_assert_eq((uintptr_t)at % 8, 0);
    for (size_t i = 0; i < len; i++)
        at[i] = (unsigned char)(number + i);
    ring_push(ring);
    return true;
}

static bool
pop(struct ring *ring, uint64_t number, size_t len)
{
    struct span record = ring_front(ring);
    if (record.at == NULL)
        return false;
    cr_assert_eq(record.len, len);
    for (size_t i = 0; i < len; i++)
        cr_assert_eq((unsigned char)record.at[i], (unsigned char)(number + i));
    ring_pop(ring);
    return true;
}

Test(base_ring, an_empty_one_has_nothing)
{
    struct ring ring;
    cr_assert_eq(ring_init(&ring, 64), ERR_NONE);
    cr_assert_null(ring_front(&ring).at);
    cr_assert(push(&ring, 1, 0));
    cr_assert_not_null(ring_front(&ring).at);
    cr_assert(pop(&ring, 1, 0));
    cr_assert_null(ring_front(&ring).at);
    ring_fini(&ring);
}

Test(base_ring, nothing_longer_than_a_quarter)
{
    struct ring ring;
    cr_assert_eq(ring_init(&ring, 1024), ERR_NONE);
    cr_assert_null(ring_reserve(&ring, 257));
    cr_assert_not_null(ring_reserve(&ring, 256));
    cr_assert_null(ring_front(&ring).at); /* it was not pushed */
    ring_fini(&ring);
}

Test(base_ring, what_finds_no_room_is_not_in_and_the_rest_is)
{
    struct ring ring;
    uint64_t    count = 0;

    cr_assert_eq(ring_init(&ring, 1024), ERR_NONE);
    while (push(&ring, count, 56))
        count++;
    cr_assert_eq(count, 16); /* 8 for the head of each */
    cr_assert_not(push(&ring, 99, 0));
    cr_assert(pop(&ring, 0, 56));
    cr_assert(push(&ring, count, 56));
    for (uint64_t i = 1; i <= count; i++)
        cr_assert(pop(&ring, i, 56));
    cr_assert_null(ring_front(&ring).at);
    ring_fini(&ring);
}

/* Lengths that do not divide the ring: each end is met with another rest. */
Test(base_ring, around_the_end)
{
    struct ring ring;
    uint64_t    pushed = 0, popped = 0;

    cr_assert_eq(ring_init(&ring, 4096), ERR_NONE);
    while (popped < 20000) {
        for (unsigned i = 0; i < 1 + pushed % 7; i++)
            if (push(&ring, pushed, pushed * 37 % 900))
                pushed++;
        if (pop(&ring, popped, popped * 37 % 900))
            popped++;
    }
    while (pop(&ring, popped, popped * 37 % 900))
        popped++;
    cr_assert_eq(popped, pushed);
    ring_fini(&ring);
}

/* ── two threads ── */

enum { MANY = 100000 };

static void *
write_many(void *argument)
{
    for (uint64_t i = 0; i < MANY;)
        if (push(argument, i, i * 31 % 400))
            i++;
        else
            sched_yield();
    return NULL;
}

Test(base_ring, between_two_threads)
{
    struct ring *ring = aligned_alloc(RING_LINE, sizeof *ring);
    pthread_t    writer;

    cr_assert_eq(ring_init(ring, 8192), ERR_NONE);
    cr_assert_eq(pthread_create(&writer, NULL, write_many, ring), 0);
    for (uint64_t i = 0; i < MANY;)
        if (pop(ring, i, i * 31 % 400))
            i++;
        else
            sched_yield();
    pthread_join(writer, NULL);
    cr_assert_null(ring_front(ring).at);
    ring_fini(ring);
    free(ring);
}
