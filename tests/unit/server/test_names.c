/* test_names.c: the name of an origin over time: not there yet, there, asked for again. The name server is the
 * scripted one of the resolver's tests, in the same loop; the times are the real ones, so each change takes a second.
 */
#include "fixture.h"

#include "../net/name_server.h"
#include "names.h"

#include <criterion/criterion.h>
#include <string.h>

static bool exists;

static void
answer(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)server, (void)tcp;
    if (!exists)
        reply->rcode = NXDOMAIN;
    else if (type == TYPE_A)
        add_a(reply, 1, "192.0.2.1");
}

Test(server_names, an_origin_may_get_its_name_later, .timeout = 60)
{
    struct snapshot *snapshot = snapshot_of(FLAGS("--origin", "origin.test:7"));
    struct pool     *pool = snapshot->sites.sites[0].pool;
    struct loop     *loop;
    struct names     names;
    struct server    server;
    struct fault     fault;
    char             why[128];

    cr_assert_eq(loop_create(&loop, &fault), ERR_NONE);
    server_open(&server, loop, answer);
    cr_assert_eq(names_open(&names, loop, &snapshot->sites, NULL, &fault), ERR_NONE);
    cr_assert_eq(resolver_use_server(names.resolver, server.address), ERR_NONE);
    names_settle(&names, 50 * NSEC_PER_SEC);
    cr_expect_eq(names.untold, 0);
    cr_expect_eq(pool_addresses(pool, why), 0);
    cr_expect_str_eq(why, "the name does not exist");

    exists = true;
    while (pool_addresses(pool, NULL) == 0) /* it is asked for again until it is there */
        loop_turn(loop, INT64_MAX);
    unsigned asked = server.asked_a;
    while (server.asked_a == asked) /* and again when its time to live, a second, is over */
        loop_turn(loop, INT64_MAX);

    names_close(&names);
    server_close(&server);
    loop_destroy(&loop);
    snapshot_release(&snapshot);
}
