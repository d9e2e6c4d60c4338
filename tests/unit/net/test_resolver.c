/* test_resolver.c: watches on names against a scripted name server, which lives in the same loop.
 *
 *      watch ─▶ c-ares ─▶ UDP ─▶ server: script(question) ─▶ reply, or none
 *
 * The times of the resolver are made short, so that the tests wait for events only: the patience is the
 * time limit of the test.
 */
#include "name_server.h"
#include "resolver_impl.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ── what every test has ── */

struct client {
    struct loop           *loop;
    struct resolver       *resolver;
    struct resolver_watch *watch;
    struct server          server;
    unsigned               told;
    size_t                 count;
    struct addr            addrs[RESOLVER_ADDRS_MAX];
    char                   why[128];
    bool                   drops; /* the watch, when it is told */
};

static const struct resolver_times quick = {
    .ttl_least = NSEC_PER_MSEC,
    .ttl_most = 5 * NSEC_PER_MSEC,
    .local = NSEC_PER_MSEC,
    .retry_least = NSEC_PER_MSEC,
    .retry_most = 4 * NSEC_PER_MSEC,
    .timeout = 5 * NSEC_PER_SEC,
};

static void
note(void *owner, const struct addr *addrs, size_t count, const char *why)
{
    struct client *client = owner;

    client->told++;
    client->count = count;
    memcpy(client->addrs, addrs, count * sizeof *addrs);
    snprintf(client->why, sizeof client->why, "%s", why);
    if (client->drops)
        resolver_unwatch(&client->watch);
}

static void
client_init(struct client *client, const struct resolver_times *times,
            void (*script)(struct server *, unsigned, bool, struct reply *))
{
    struct fault fault;

    *client = (struct client){ 0 };
    cr_assert_eq(loop_create(&client->loop, &fault), ERR_NONE);
    cr_assert_eq(resolver_create_with(&client->resolver, client->loop, times, &fault), ERR_NONE);
    server_open(&client->server, client->loop, script);
    cr_assert_eq(resolver_use_server(client->resolver, client->server.address), ERR_NONE);
}

static void
watch_name(struct client *client, const char *name)
{
    client->watch = resolver_watch_name(client->resolver, span_of_text(name), 8080, note, client);
    cr_assert_not_null(client->watch);
    cr_assert_eq(client->told, 0, "never from within the call");
}

static void
await_told(struct client *client, unsigned times)
{
    while (client->told < times)
        loop_turn(client->loop, INT64_MAX);
}

/* loop_destroy checks that no watch of a socket and no timer is left. */
static void
client_fini(struct client *client)
{
    resolver_unwatch(&client->watch);
    resolver_unwatch(&client->watch);
    resolver_destroy(&client->resolver);
    cr_expect_null(client->resolver);
    server_close(&client->server);
    loop_destroy(&client->loop);
}

static void
expect_addrs(const struct client *client, const char *const *texts, size_t count)
{
    char out[ADDR_TEXT_SIZE];

    cr_assert_eq(client->count, count);
    for (size_t i = 0; i < count; i++)
        cr_expect_str_eq(addr_format(&client->addrs[i], out), texts[i]);
    cr_expect_str_eq(client->why, "");
}

/* ── answers ── */

static void
answer_both(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)server, (void)tcp;
    if (type == TYPE_AAAA) {
        add_aaaa(reply, 100, "2001:db8::2");
        add_aaaa(reply, 100, "2001:db8::1");
    } else {
        add_a(reply, 100, "192.0.2.9");
        add_a(reply, 100, "192.0.2.1");
        add_a(reply, 100, "192.0.2.9");
    }
}

Test(net_resolver, addresses_of_both_families_come_sorted_and_once, .timeout = 30)
{
    static const char *const expected[] = { "192.0.2.1:8080", "192.0.2.9:8080", "[2001:db8::1]:8080",
                                            "[2001:db8::2]:8080" };
    struct resolver_times    slow = quick;
    struct client            client;

    slow.ttl_least = slow.ttl_most = 3600 * NSEC_PER_SEC;
    client_init(&client, &slow, answer_both);
    watch_name(&client, "two.test.");
    await_told(&client, 1);
    expect_addrs(&client, expected, 4);
    cr_expect_eq(client.server.asked_a, 1);
    cr_expect_eq(client.server.asked_aaaa, 1);
    client_fini(&client);
}

/* Each answer names another host: the second is asked for because the first one's time is over. */
static void
answer_moving(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)tcp;
    if (type == TYPE_A)
        add_a(reply, 0, server->asked_a == 1 ? "192.0.2.1" : "192.0.2.2");
}

Test(net_resolver, asks_again_when_the_time_to_live_has_passed, .timeout = 30)
{
    static const char *const first[] = { "192.0.2.1:8080" }, *const second[] = { "192.0.2.2:8080" };
    struct client client;

    client_init(&client, &quick, answer_moving);
    watch_name(&client, "moving.test.");
    await_told(&client, 1);
    expect_addrs(&client, first, 1);
    await_told(&client, 2);
    expect_addrs(&client, second, 1);
    cr_expect_geq(client.server.asked_a, 2);
    client_fini(&client);
}

static void
answer_none_then_one(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)tcp;
    if (server->asked_a <= 4)
        reply->rcode = NXDOMAIN;
    else if (type == TYPE_A)
        add_a(reply, 60, "192.0.2.1");
}

Test(net_resolver, a_failure_is_told_once_and_ends_with_an_answer, .timeout = 30)
{
    static const char *const expected[] = { "192.0.2.1:8080" };
    struct client            client;

    client_init(&client, &quick, answer_none_then_one);
    watch_name(&client, "late.test.");
    await_told(&client, 1);
    cr_expect_eq(client.count, 0);
    cr_expect_str_eq(client.why, "the name does not exist");
    await_told(&client, 2);
    expect_addrs(&client, expected, 1);
    cr_expect_geq(client.server.asked_a, 5, "three failures went by untold");
    client_fini(&client);
}

static void
answer_one_then_fail(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)tcp;
    if (server->asked_a > 1)
        reply->rcode = NXDOMAIN;
    else if (type == TYPE_A)
        add_a(reply, 0, "192.0.2.1");
}

Test(net_resolver, a_name_that_goes_away_is_told, .timeout = 30)
{
    struct client client;

    client_init(&client, &quick, answer_one_then_fail);
    watch_name(&client, "gone.test.");
    await_told(&client, 1);
    cr_expect_eq(client.count, 1);
    await_told(&client, 2);
    cr_expect_eq(client.count, 0);
    while (client.server.asked_a < 5)
        loop_turn(client.loop, INT64_MAX);
    cr_expect_eq(client.told, 2, "no news");
    client_fini(&client);
}

static void
answer_nothing(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)server, (void)type, (void)tcp, (void)reply;
}

Test(net_resolver, a_name_without_addresses_is_a_failure, .timeout = 30)
{
    struct client client;

    client_init(&client, &quick, answer_nothing);
    watch_name(&client, "empty.test.");
    await_told(&client, 1);
    cr_expect_eq(client.count, 0);
    cr_expect_str_eq(client.why, "the name has no address");
    client_fini(&client);
}

static void
stay_silent(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)server, (void)type, (void)tcp;
    reply->silent = true;
}

Test(net_resolver, a_server_that_is_silent_is_a_failure, .timeout = 60)
{
    struct resolver_times hasty = quick;
    struct client         client;

    hasty.timeout = 20 * NSEC_PER_MSEC;
    client_init(&client, &hasty, stay_silent);
    watch_name(&client, "silent.test.");
    await_told(&client, 1);
    cr_expect_eq(client.count, 0);
    cr_expect_str_eq(client.why, "no name server answers");
    cr_expect_geq(client.server.asked_a, 3, "it was tried again");
    client_fini(&client);
}

static void
fail_then_answer(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)tcp;
    if (server->asked_a + server->asked_aaaa <= 12)
        reply->rcode = SERVFAIL;
    else if (type == TYPE_A)
        add_a(reply, 60, "192.0.2.1");
}

Test(net_resolver, a_server_that_fails_is_asked_again, .timeout = 60)
{
    struct client client;

    client_init(&client, &quick, fail_then_answer);
    watch_name(&client, "sick.test.");
    while (client.count == 0)
        loop_turn(client.loop, INT64_MAX);
    cr_expect_eq(client.told, 2);
    client_fini(&client);
}

/* ── long answers: UDP says "truncated", TCP brings it in pieces ── */

enum { MANY = 200 };

static void
answer_many(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    char ip[32];

    if (type != TYPE_A)
        return;
    reply->truncated = !tcp;
    for (unsigned i = 0; tcp && i < MANY; i++) { /* rotating, as servers do */
        snprintf(ip, sizeof ip, "10.0.0.%u", (i + server->asked_a * 37) % MANY);
        add_a(reply, 0, ip);
    }
}

Test(net_resolver, the_same_64_of_many_addresses_are_kept_however_they_rotate, .timeout = 30)
{
    struct client client;
    struct addr   first[RESOLVER_ADDRS_MAX];
    char          text[ADDR_TEXT_SIZE];

    client_init(&client, &quick, answer_many);
    watch_name(&client, "many.test.");
    await_told(&client, 1);
    cr_assert_eq(client.count, RESOLVER_ADDRS_MAX);
    memcpy(first, client.addrs, sizeof first);
    cr_expect_str_eq(addr_format(&first[0], text), "10.0.0.0:8080");
    cr_expect_str_eq(addr_format(&first[63], text), "10.0.0.63:8080");
    await_told(&client, 3);
    cr_expect_eq(memcmp(first, client.addrs, sizeof first), 0, "equal sets compare equal, byte by byte");
    cr_expect_geq(client.server.asked_tcp, 3);
    client_fini(&client);
}

/* ── names that need no server ── */

Test(net_resolver, literals_are_never_asked, .timeout = 30)
{
    static const char *const expected4[] = { "192.0.2.7:8080" };
    static const char *const expected6[] = { "[2001:db8::7]:8080" };
    struct client            client;

    client_init(&client, &quick, stay_silent);
    watch_name(&client, "192.0.2.7");
    await_told(&client, 1);
    expect_addrs(&client, expected4, 1);
    resolver_unwatch(&client.watch);
    client.told = 0;
    watch_name(&client, "2001:db8::7");
    await_told(&client, 1);
    expect_addrs(&client, expected6, 1);
    loop_turn(client.loop, 10 * NSEC_PER_MSEC);
    cr_expect_eq(client.told, 1);
    cr_expect_eq(client.server.asked_a, 0);
    client_fini(&client);
}

Test(net_resolver, localhost_comes_from_the_hosts_file_and_is_read_again, .timeout = 30)
{
    struct client client;

    client_init(&client, &quick, stay_silent);
    watch_name(&client, "localhost");
    await_told(&client, 2);
    cr_assert_gt(client.count, 0);
    for (size_t i = 0; i < client.count; i++) {
        cr_expect(addr_is_loopback(&client.addrs[i]));
        cr_expect_eq(addr_port(&client.addrs[i]), 8080);
    }
    cr_expect_eq(client.server.asked_a + client.server.asked_aaaa, 0);
    client_fini(&client);
}

Test(net_resolver, a_name_that_dns_cannot_carry_is_a_failure, .timeout = 30)
{
    struct client client;
    char          name[200];

    memset(name, 'a', sizeof name); /* one label of 199 bytes */
    name[sizeof name - 1] = '\0';
    client_init(&client, &quick, stay_silent);
    watch_name(&client, name);
    await_told(&client, 1);
    cr_expect_eq(client.count, 0);
    cr_expect_gt(strlen(client.why), 0);
    cr_expect_eq(client.server.asked_a, 0);
    client_fini(&client);
}

/* ── ends ── */

Test(net_resolver, a_watch_dropped_before_its_question_is_never_told, .timeout = 30)
{
    struct client client;

    client_init(&client, &quick, answer_both);
    watch_name(&client, "early.test.");
    resolver_unwatch(&client.watch);
    cr_expect_null(client.watch);
    watch_name(&client, "192.0.2.1");
    resolver_unwatch(&client.watch);
    loop_turn(client.loop, 5 * NSEC_PER_MSEC);
    cr_expect_eq(client.told, 0);
    cr_expect_eq(client.server.asked_a, 0);
    client_fini(&client);
}

/* The leak sanitizer sees a query that is not freed, and the address sanitizer a late call back. */
Test(net_resolver, ends_with_queries_under_way, .timeout = 30)
{
    struct client client;

    client_init(&client, &quick, stay_silent);
    watch_name(&client, "silent.test.");
    while (client.server.asked_a == 0)
        loop_turn(client.loop, INT64_MAX);
    client_fini(&client);
    cr_expect_eq(client.told, 0);
}

static void
answer_when_asked_twice(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)tcp;
    reply->silent = server->asked_a < 2;
    if (type == TYPE_A)
        add_a(reply, 60, "192.0.2.1");
}

/* The answer to a forgotten question arrives, and another watch is told all the same. */
Test(net_resolver, a_forgotten_question_does_no_harm, .timeout = 60)
{
    struct resolver_times hasty = quick;
    struct client         client;

    hasty.timeout = 20 * NSEC_PER_MSEC;
    client_init(&client, &hasty, answer_when_asked_twice);
    watch_name(&client, "first.test.");
    while (client.server.asked_a == 0)
        loop_turn(client.loop, INT64_MAX);
    resolver_unwatch(&client.watch);
    watch_name(&client, "second.test.");
    await_told(&client, 1);
    cr_expect_eq(client.count, 1);
    client_fini(&client);
}

Test(net_resolver, a_watch_may_be_dropped_when_it_is_told, .timeout = 30)
{
    struct client client;

    client_init(&client, &quick, answer_both);
    client.drops = true;
    watch_name(&client, "two.test.");
    await_told(&client, 1);
    cr_expect_null(client.watch);
    loop_turn(client.loop, 10 * NSEC_PER_MSEC);
    cr_expect_eq(client.told, 1);
    client_fini(&client);
}

/* The last thing an owner may do in its callback. */
static void
end_all(void *owner, const struct addr *addrs, size_t count, const char *why)
{
    struct client *client = owner;

    (void)addrs, (void)count, (void)why;
    client->told++;
    resolver_unwatch(&client->watch);
    resolver_destroy(&client->resolver);
}

Test(net_resolver, the_resolver_may_end_when_a_watch_is_told, .timeout = 30)
{
    struct client client;

    client_init(&client, &quick, answer_both);
    client.watch = resolver_watch_name(client.resolver, SPAN("two.test."), 80, end_all, &client);
    await_told(&client, 1);
    cr_expect_null(client.resolver);
    client_fini(&client);
}

/* ── resolv.conf ── */

static void
write_resolv_conf(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

/* As on a machine whose network comes up after us: nobody answers at the name server of the file, then
 * another one stands there. */
Test(net_resolver, follows_resolv_conf, .timeout = 60)
{
    static const char *const expected[] = { "192.0.2.1:8080", "192.0.2.9:8080", "[2001:db8::1]:8080",
                                            "[2001:db8::2]:8080" };
    char                     path[] = "/tmp/larder-resolv-XXXXXX";
    struct resolver_times    hasty = quick;
    struct client            client = { 0 };
    struct fault             fault;

    close(mkstemp(path));
    write_resolv_conf(path, "nameserver 127.0.0.2\n");
    cr_assert_eq(loop_create(&client.loop, &fault), ERR_NONE);
    server_open(&client.server, client.loop, answer_both);
    hasty.resolv_conf = path;
    hasty.port = (uint16_t)atoi(strrchr(client.server.address, ':') + 1);
    hasty.timeout = 20 * NSEC_PER_MSEC;
    cr_assert_eq(resolver_create_with(&client.resolver, client.loop, &hasty, &fault), ERR_NONE);
    watch_name(&client, "late.test.");
    await_told(&client, 1);
    cr_expect_eq(client.count, 0);
    cr_expect_eq(client.server.asked_a, 0);
    write_resolv_conf(path, "nameserver 127.0.0.1\n");
    while (client.count == 0)
        await_told(&client, client.told + 1);
    expect_addrs(&client, expected, 4);
    client_fini(&client);
    unlink(path);
}

Test(net_resolver, servers_are_checked)
{
    struct loop     *loop;
    struct resolver *resolver;
    struct fault     fault;

    cr_assert_eq(loop_create(&loop, &fault), ERR_NONE);
    cr_assert_eq(resolver_create(&resolver, loop, &fault), ERR_NONE);
    cr_expect_eq(resolver_use_server(resolver, "no address"), ERR_SYNTAX);
    cr_expect_eq(resolver_use_server(resolver, "[::1]:5353"), ERR_NONE);
    resolver_destroy(&resolver);
    resolver_destroy(&resolver);
    loop_destroy(&loop);
}
