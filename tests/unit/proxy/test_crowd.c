/* test_crowd.c: connections are counted, in all and for each client, and forgotten when they are over.
 */
#include <criterion/criterion.h>
#include <larder/base/list.h>
#include <larder/proxy/crowd.h>
#include <pthread.h>

static struct network
client(uint64_t high, uint64_t low)
{
    return (struct network){ .high = high, .low = low, .bits = 128, .is_ipv6 = true };
}

static struct crowd *
make(uint64_t most, uint64_t most_each)
{
    struct crowd *crowd;
    cr_assert_eq(crowd_create(&crowd, most, most_each), ERR_NONE);
    return crowd;
}

Test(proxy_crowd, each_client_has_its_share)
{
    struct crowd  *crowd = make(0, 2);
    struct network one = client(1, 1), other = client(2, 1);
    struct guest  *guests[4];

    cr_assert_eq(crowd_enter(crowd, &one, &guests[0]), CROWD_IN);
    cr_assert_eq(crowd_enter(crowd, &one, &guests[1]), CROWD_IN);
    cr_assert_eq(crowd_enter(crowd, &one, &guests[2]), CROWD_FULL_OF_CLIENT);
    cr_assert_null(guests[2]);
    cr_assert_eq(crowd_enter(crowd, &other, &guests[2]), CROWD_IN);
    cr_assert_eq(crowd_size(crowd), 3);
    crowd_leave(crowd, &guests[0]);
    cr_assert_null(guests[0]);
    cr_assert_eq(crowd_enter(crowd, &one, &guests[0]), CROWD_IN);
    for (int i = 0; i < 3; i++)
        crowd_leave(crowd, &guests[i]);
    crowd_leave(crowd, &guests[0]); /* nobody */
    cr_assert_eq(crowd_size(crowd), 0);
    crowd_destroy(&crowd);
}

Test(proxy_crowd, a_customer_of_ipv6_is_one_client)
{
    struct crowd  *crowd = make(0, 1);
    struct network one = client(1, 1), same = client(1, 99), other = client(2, 1);
    struct guest  *first, *second;

    cr_assert_eq(crowd_enter(crowd, &one, &first), CROWD_IN);
    cr_assert_eq(crowd_enter(crowd, &same, &second), CROWD_FULL_OF_CLIENT);
    cr_assert_eq(crowd_enter(crowd, &other, &second), CROWD_IN);
    crowd_leave(crowd, &first);
    crowd_leave(crowd, &second);
    crowd_destroy(&crowd);
}

Test(proxy_crowd, there_is_a_bound_in_all)
{
    enum { MOST = 500 };
    struct crowd *crowd = make(MOST, 0);
    struct guest *guests[MOST], *more;

    for (uint64_t i = 0; i < MOST; i++) {
        struct network one = client(i, 0);
        cr_assert_eq(crowd_enter(crowd, &one, &guests[i]), CROWD_IN);
    }
    struct network one = client(0, 0);
    cr_assert_eq(crowd_enter(crowd, &one, &more), CROWD_FULL);
    crowd_leave(crowd, &guests[7]);
    cr_assert_eq(crowd_enter(crowd, &one, &guests[7]), CROWD_IN);
    for (uint64_t i = 0; i < MOST; i++)
        crowd_leave(crowd, &guests[i]);
    cr_assert_eq(crowd_size(crowd), 0);
    crowd_destroy(&crowd);
}

/* ── several workers ── */

enum { ROUNDS = 20000, CLIENTS = 7, EACH = 3 };

static void *
come_and_go(void *argument)
{
    struct crowd *crowd = argument;
    struct guest *held[CLIENTS] = { NULL };

    for (uint64_t i = 0; i < ROUNDS; i++) {
        struct network one = client(i % CLIENTS, 0);
        if (held[i % CLIENTS] != NULL)
            crowd_leave(crowd, &held[i % CLIENTS]);
        else
            (void)crowd_enter(crowd, &one, &held[i % CLIENTS]);
        cr_assert_leq(crowd_size(crowd), CLIENTS * EACH + 4);
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        crowd_leave(crowd, &held[i]);
    return NULL;
}

Test(proxy_crowd, workers_share_it)
{
    struct crowd *crowd = make(0, EACH);
    pthread_t     threads[4];

    for (int i = 0; i < 4; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, come_and_go, crowd), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    cr_assert_eq(crowd_size(crowd), 0);
    crowd_destroy(&crowd);
}
