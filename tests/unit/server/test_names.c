/* test_names.c: the name of an origin over time: not there yet, there, asked for again. A small name server answers in
 * the same loop; the times are the real ones, so each change takes a second.
 */
#include "fixture.h"

#include "names.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

struct name_server {
    struct watch watch;
    unsigned     asked;
    bool         knows;
};

enum { HEADER = 12, TYPE_AND_CLASS = 4 };

/* RFC 1035 §4: the question's name again, type A, class IN, a second to live, 192.0.2.1. */
static const unsigned char record[] = { 0xc0, HEADER, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 192, 0, 2, 1 };

/* From a question to its answer, in place. Returns the length. */
static size_t
answer(struct name_server *server, unsigned char *message)
{
    size_t end = HEADER;

    while (message[end] != 0)
        end += message[end] + 1u;
    end += 1 + TYPE_AND_CLASS;
    bool for_ipv4 = message[end - 3] == 1, found = for_ipv4 && server->knows;
    server->asked += for_ipv4;
    message[2] = 0x81;
    message[3] = server->knows ? 0x80 : 0x83; /* or: no such name */
    memset(message + 6, 0, 6);
    message[7] = found;
    if (!found)
        return end;
    memcpy(message + end, record, sizeof record);
    return end + sizeof record;
}

static void
serve(struct watch *watch, unsigned events)
{
    struct name_server *server = CONTAINER_OF(watch, struct name_server, watch);
    unsigned char       message[512 + sizeof record];
    struct sockaddr_in  from;
    socklen_t           len = sizeof from;

    (void)events;
    while (recvfrom(watch->fd, message, 512, MSG_DONTWAIT, (struct sockaddr *)&from, &len) > HEADER)
        sendto(watch->fd, message, answer(server, message), 0, (struct sockaddr *)&from, len);
}

static void
open_server(struct name_server *server, struct loop *loop, struct addr *addr)
{
    cr_assert(addr_from_literal(SPAN("127.0.0.1"), 0, addr));
    *server = (struct name_server){ .watch = { socket(AF_INET, SOCK_DGRAM, 0), serve } };
    cr_assert_eq(bind(server->watch.fd, (struct sockaddr *)&addr->storage, addr->len), 0);
    cr_assert_eq(getsockname(server->watch.fd, (struct sockaddr *)&addr->storage, &addr->len), 0);
    cr_assert_eq(loop_watch(loop, &server->watch), ERR_NONE);
}

Test(server_names, an_origin_may_get_its_name_later, .timeout = 60)
{
    struct snapshot   *snapshot = snapshot_of(FLAGS("--origin", "origin.test:7"));
    struct pool       *pool = snapshot->sites.sites[0].pool;
    struct loop       *loop;
    struct names       names;
    struct name_server server;
    struct addr        addr;
    struct fault       fault;
    char               text[ADDR_TEXT_SIZE], why[128];

    cr_assert_eq(loop_create(&loop, &fault), ERR_NONE);
    open_server(&server, loop, &addr);
    cr_assert_eq(names_open(&names, loop, &snapshot->sites, NULL, &fault), ERR_NONE);
    cr_assert_eq(resolver_use_server(names.resolver, addr_format(&addr, text)), ERR_NONE);
    names_settle(&names, 50 * NSEC_PER_SEC);
    cr_expect_eq(names.untold, 0);
    cr_expect_eq(pool_addresses(pool, why), 0);
    cr_expect_str_eq(why, "the name does not exist");

    server.knows = true;
    while (pool_addresses(pool, NULL) == 0) /* it is asked for again until it is there */
        loop_turn(loop, INT64_MAX);
    unsigned asked = server.asked;
    while (server.asked == asked) /* and again when its time to live, a second, is over */
        loop_turn(loop, INT64_MAX);

    names_close(&names);
    loop_unwatch(loop, &server.watch);
    close(server.watch.fd);
    loop_destroy(&loop);
    snapshot_release(&snapshot);
}
