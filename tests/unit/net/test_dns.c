/* test_dns.c: one question, one answer: its time to live, and where it came from. */
#include "dns.h"
#include "name_server.h"

#include <criterion/criterion.h>
#include <string.h>

struct asker {
    struct dns_answer answer;
    struct dns_query *query;
    struct loop      *loop;
    struct dns       *dns;
    struct server     server;
    unsigned          done;
};

static void
note_done(struct dns_answer *answer)
{
    struct asker *asker = CONTAINER_OF(answer, struct asker, answer);

    cr_expect_null(asker->query);
    asker->done++;
}

static void
asker_init(struct asker *asker, void (*script)(struct server *, unsigned, bool, struct reply *))
{
    struct fault fault;

    *asker = (struct asker){ 0 };
    cr_assert_eq(loop_create(&asker->loop, &fault), ERR_NONE);
    const struct dns_settings settings = { 5 * NSEC_PER_SEC, "/etc/resolv.conf", 0 };
    cr_assert_eq(dns_open(&asker->dns, asker->loop, &settings, &fault), ERR_NONE);
    server_open(&asker->server, asker->loop, script);
    cr_assert_eq(dns_use_server(asker->dns, asker->server.address), ERR_NONE);
}

static void
asker_fini(struct asker *asker)
{
    dns_close(&asker->dns);
    server_close(&asker->server);
    loop_destroy(&asker->loop);
}

static void
ask(struct asker *asker, const char *name)
{
    dns_ask(asker->dns, name, 80, &asker->query, &asker->answer, note_done);
}

static void
await(struct asker *asker)
{
    while (asker->done == 0)
        loop_turn(asker->loop, INT64_MAX);
}

static void
answer_with_times(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)server, (void)tcp;
    if (type == TYPE_A) {
        add_a(reply, 100, "192.0.2.1");
        add_a(reply, 90, "192.0.2.2");
    } else {
        add_aaaa(reply, 80, "2001:db8::1");
    }
}

Test(net_dns, the_least_time_to_live_counts, .timeout = 30)
{
    struct asker asker;

    asker_init(&asker, answer_with_times);
    ask(&asker, "times.test.");
    await(&asker);
    cr_expect_eq(asker.answer.count, 3);
    cr_expect_eq(asker.answer.ttl, 80 * NSEC_PER_SEC);
    cr_expect_not(asker.answer.local);
    asker_fini(&asker);
}

static void
answer_by_alias(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)server, (void)tcp;
    add_alias(reply, 7);
    if (type == TYPE_A)
        add_a(reply, 100, "192.0.2.1");
}

Test(net_dns, an_alias_is_followed_and_its_time_counts_too, .timeout = 30)
{
    struct asker asker;

    asker_init(&asker, answer_by_alias);
    ask(&asker, "alias.test.");
    await(&asker);
    cr_expect_eq(asker.answer.count, 1);
    cr_expect_eq(asker.answer.ttl, 7 * NSEC_PER_SEC);
    asker_fini(&asker);
}

static void
answer_for_ever(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)server, (void)tcp;
    if (type == TYPE_A)
        add_a(reply, 0xffffffff, "192.0.2.1");
}

/* RFC 2181 §8: a value with the highest bit set is zero. */
Test(net_dns, a_negative_time_to_live_is_zero, .timeout = 30)
{
    struct asker asker;

    asker_init(&asker, answer_for_ever);
    ask(&asker, "ever.test.");
    await(&asker);
    cr_expect_eq(asker.answer.count, 1);
    cr_expect_eq(asker.answer.ttl, 0);
    asker_fini(&asker);
}

static void
stay_silent(struct server *server, unsigned type, bool tcp, struct reply *reply)
{
    (void)server, (void)type, (void)tcp;
    reply->silent = true;
}

Test(net_dns, the_hosts_file_answers_at_once, .timeout = 30)
{
    struct asker asker;

    asker_init(&asker, stay_silent);
    ask(&asker, "localhost");
    cr_expect_eq(asker.done, 1);
    cr_expect(asker.answer.local);
    cr_expect_gt(asker.answer.count, 0);
    asker_fini(&asker);
}

Test(net_dns, a_forgotten_query_tells_nobody, .timeout = 30)
{
    struct asker asker;

    asker_init(&asker, stay_silent);
    ask(&asker, "silent.test.");
    cr_assert_not_null(asker.query);
    dns_forget(&asker.query);
    cr_expect_null(asker.query);
    dns_forget(&asker.query);
    cr_expect_eq(dns_use_server(asker.dns, "127.0.0.1:53"), ERR_IN_USE, "not while a query is under way");
    dns_close(&asker.dns);
    cr_expect_eq(asker.done, 0);
    server_close(&asker.server);
    loop_destroy(&asker.loop);
}
