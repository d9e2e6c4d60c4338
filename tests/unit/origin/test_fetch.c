/* test_fetch.c: what a fetch tells, for good and for bad answers, and what becomes of its connection. */
#include "scripted.h"

#include <larder/base/text.h>
#include <larder/origin/fetch.h>
#include <stdlib.h>

#define OK "HTTP/1.1 200 OK\r\n"

struct owner {
    struct fetch      *fetch;
    struct text        body;
    unsigned           interims, status;
    struct framing     framing;
    bool               ended, failed, drained;
    enum fetch_failure failure;
    char               detail[128];
    const char        *release_in; /* the callback that releases the fetch */
    bool               pause_once;
};

struct world {
    struct loop          *loop;
    struct origin        *origin;
    struct origin_metrics metrics;
    struct pool          *pool;
    struct scripted       peer;
};

static void
maybe_release(struct owner *owner, const char *here)
{
    if (owner->release_in != NULL && strcmp(owner->release_in, here) == 0)
        fetch_release(&owner->fetch);
}

static void
on_interim(void *argument, const struct head *head)
{
    struct owner *owner = argument;
    owner->interims += head->status;
    maybe_release(owner, "interim");
}

static void
on_head(void *argument, const struct head *head, const struct framing *framing)
{
    struct owner *owner = argument;
    owner->status = head->status;
    owner->framing = *framing;
    if (owner->pause_once)
        fetch_pause(owner->fetch);
    maybe_release(owner, "head");
}

static void
on_body(void *argument, struct span bytes)
{
    struct owner *owner = argument;
    text_append(&owner->body, bytes);
    maybe_release(owner, "body");
}

static void
on_end(void *argument)
{
    struct owner *owner = argument;
    owner->ended = true;
    maybe_release(owner, "end");
}

static void
on_fail(void *argument, enum fetch_failure failure, const char *detail)
{
    struct owner *owner = argument;
    owner->failed = true;
    owner->failure = failure;
    snprintf(owner->detail, sizeof owner->detail, "%s", detail);
    maybe_release(owner, "fail");
}

static void
on_drain(void *argument)
{
    ((struct owner *)argument)->drained = true;
}

static const struct fetch_events events = { on_interim, on_head, on_body, on_end, on_fail, on_drain };

static void
begin_with(struct world *world, const struct turn *turns, size_t count, nsec first_byte, nsec idle)
{
    struct fault         fault;
    struct pool_settings settings;

    memset(world, 0, sizeof *world);
    option_defaults(&pool_options, &settings);
    settings.first_byte_timeout = first_byte;
    settings.idle_timeout = idle;
    scripted_start(&world->peer, turns, count);
    cr_assert_eq(loop_create(&world->loop, &fault), ERR_NONE);
    cr_assert_eq(origin_create(&world->origin, world->loop, &chunk_limits_initial, &world->metrics), ERR_NONE);
    world->pool = pool_create("test", SPAN("127.0.0.1"), addr_port(&world->peer.addr), &settings);
    pool_set_addresses(world->pool, &world->peer.addr, 1, "");
}

static void
begin(struct world *world, const struct turn *turns, size_t count)
{
    begin_with(world, turns, count, 20 * NSEC_PER_SEC, 20 * NSEC_PER_SEC);
}

static void
end(struct world *world)
{
    origin_destroy(&world->origin);
    scripted_stop(&world->peer);
    loop_destroy(&world->loop);
    pool_release(&world->pool);
    cr_assert_eq(metric_read(&world->metrics.connections), 0);
    cr_assert_eq(metric_read(&world->metrics.connections_unused), 0);
}

static void
start(struct world *world, struct owner *owner, struct fetch_request request)
{
    *owner = (struct owner){ .release_in = owner->release_in, .pause_once = owner->pause_once };
    text_init(&owner->body, 1 << 22);
    if (request.head.at == NULL)
        request.head = SPAN("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    owner->fetch = fetch_start(world->origin, world->pool, &request, &events, owner);
    cr_assert_not_null(owner->fetch);
    cr_assert_not(owner->ended || owner->failed, "nothing is told from within the call");
}

static void
turn_until_over(struct world *world, struct owner *owner)
{
    while (owner->fetch != NULL && !owner->ended && !owner->failed)
        loop_turn(world->loop, NSEC_PER_SEC);
}

static void
finish(struct owner *owner)
{
    fetch_release(&owner->fetch);
    text_fini(&owner->body);
}

static const struct fetch_request get = { .method = METHOD_GET, .replay = true };

static void
fetch_one(struct world *world, struct owner *owner)
{
    start(world, owner, get);
    turn_until_over(world, owner);
}

Test(origin_fetch, bodies_in_every_framing)
{
    static const char *const answers[] = {
        OK "Content-Length: 5\r\n\r\nhello",
        OK "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n",
        OK "\r\nhello",
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct world world;
        struct owner owner = { 0 };
        begin(&world, &(struct turn){ answers[i], .after = END }, 1);
        fetch_one(&world, &owner);
        cr_assert(owner.ended, "%s: %s", answers[i], owner.failed ? fetch_failure_name(owner.failure) : "");
        cr_assert_eq(owner.status, 200);
        cr_assert_str_eq(text_cstr(&owner.body), "hello");
        finish(&owner);
        end(&world);
    }
}

Test(origin_fetch, a_whole_answer_leaves_a_connection_for_the_next)
{
    static const struct turn turns[] = { { OK "Content-Length: 1\r\n\r\na", .after = KEEP },
                                         { OK "Content-Length: 1\r\n\r\nb", .after = KEEP },
                                         { OK "\r\nc", .after = END } };
    struct world             world;
    struct owner             owner = { 0 };

    begin(&world, turns, 3);
    for (int i = 0; i < 3; i++) {
        fetch_one(&world, &owner);
        cr_assert(owner.ended);
        cr_assert_eq(text_cstr(&owner.body)[0], "abc"[i]);
        finish(&owner);
    }
    cr_assert_eq(world.peer.connections, 1);
    cr_assert_eq(metric_read(&world.metrics.reuses), 2);
    end(&world);
}

Test(origin_fetch, what_must_not_be_used_again_is_closed)
{
    static const char *const answers[] = {
        OK "Content-Length: 1\r\nConnection: close\r\n\r\na",
        OK "Content-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct turn turns[] = { { answers[i], .after = HOLD },
                                      { OK "Content-Length: 1\r\n\r\nb", .after = HOLD } };
        struct world      world;
        struct owner      owner = { 0 };
        begin(&world, turns, 2);
        for (int j = 0; j < 2; j++) {
            fetch_one(&world, &owner);
            cr_assert(owner.ended);
            cr_assert_eq(text_cstr(&owner.body)[0], "ab"[j]);
            finish(&owner);
        }
        cr_assert_eq(world.peer.connections, 2, "%s", answers[i]);
        end(&world);
    }
}

Test(origin_fetch, a_lost_kept_connection_is_tried_once_more)
{
    static const struct turn turns[] = { { OK "Content-Length: 1\r\n\r\na", .after = KEEP },
                                         { "", .after = END },
                                         { OK "Content-Length: 1\r\n\r\nb", .after = KEEP } };
    struct world             world;
    struct owner             owner = { 0 };

    begin(&world, turns, 3);
    fetch_one(&world, &owner);
    finish(&owner);
    fetch_one(&world, &owner);
    cr_assert(owner.ended);
    cr_assert_str_eq(text_cstr(&owner.body), "b");
    cr_assert_eq(metric_read(&world.metrics.retries), 1);
    finish(&owner);
    end(&world);
}

Test(origin_fetch, what_may_not_be_replayed_is_not)
{
    static const struct turn turns[] = { { OK "Content-Length: 1\r\n\r\na", .after = KEEP },
                                         { "", .after = END } };
    struct world             world;
    struct owner             owner = { 0 };

    begin(&world, turns, 2);
    fetch_one(&world, &owner);
    finish(&owner);
    start(&world, &owner, (struct fetch_request){ .method = METHOD_POST, .replay = false });
    turn_until_over(&world, &owner);
    cr_assert(owner.failed);
    cr_assert_eq(owner.failure, FETCH_CLOSED_EARLY);
    cr_assert_eq(metric_read(&world.metrics.retries), 0);
    finish(&owner);
    end(&world);
}

Test(origin_fetch, failures_have_their_names)
{
    static const struct {
        struct turn        turn;
        enum fetch_failure failure;
    } cases[] = {
        { { "", .after = END }, FETCH_CLOSED_EARLY },
        { { "", .after = BREAK }, FETCH_CLOSED_EARLY },
        { { "nonsense\r\n\r\n", .after = HOLD }, FETCH_BAD_HEAD },
        { { OK "Bad Name: x\r\n\r\n", .after = HOLD }, FETCH_BAD_HEAD },
        { { OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", .after = HOLD }, FETCH_BAD_HEAD },
        { { OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", .after = HOLD }, FETCH_BAD_HEAD },
        { { "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", .after = HOLD },
          FETCH_BAD_HEAD },
        { { OK "Half: a he", .after = END }, FETCH_CUT },
        { { OK "Content-Length: 9\r\n\r\nhalf", .after = END }, FETCH_CUT },
        { { OK "Transfer-Encoding: chunked\r\n\r\n9\r\nhalf", .after = END }, FETCH_CUT },
        { { OK "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", .after = HOLD }, FETCH_BAD_BODY },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world world;
        struct owner owner = { 0 };
        begin(&world, &cases[i].turn, 1);
        fetch_one(&world, &owner);
        cr_assert(owner.failed && !owner.ended, "%s", cases[i].turn.answer);
        cr_assert_eq(owner.failure, cases[i].failure, "%s: %s", cases[i].turn.answer,
                     fetch_failure_name(owner.failure));
        cr_assert_eq(metric_read(&world.metrics.failures), 1);
        finish(&owner);
        end(&world);
    }
}

Test(origin_fetch, too_many_interim_answers_are_refused)
{
    char         flood[4096] = "";
    struct world world;
    struct owner owner = { 0 };

    for (int i = 0; i < 17; i++)
        strcat(flood, "HTTP/1.1 100 Continue\r\n\r\n");
    begin(&world, &(struct turn){ flood, .after = HOLD }, 1);
    fetch_one(&world, &owner);
    cr_assert_eq(owner.failure, FETCH_BAD_HEAD);
    cr_assert_eq(owner.interims, 1600);
    finish(&owner);
    end(&world);
}

/* The limit that is not meant is so long that the test would end first. */
Test(origin_fetch, time_limits, .timeout = 30)
{
    static const struct {
        const char        *answer;
        nsec               first_byte, idle;
        enum fetch_failure failure;
    } cases[] = { { "", 10 * NSEC_PER_MSEC, 3600 * NSEC_PER_SEC, FETCH_FIRST_BYTE_TIMEOUT },
                  { OK "Content-Length: 9\r\n\r\nhalf", 3600 * NSEC_PER_SEC, 10 * NSEC_PER_MSEC,
                    FETCH_BODY_TIMEOUT } };

    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct owner owner = { 0 };
        begin_with(&world, &(struct turn){ cases[i].answer, .after = HOLD }, 1, cases[i].first_byte,
                   cases[i].idle);
        fetch_one(&world, &owner);
        cr_assert_eq(owner.failure, cases[i].failure);
        cr_assert_eq(metric_read(&world.metrics.timeouts), 1);
        finish(&owner);
        end(&world);
    }
}

Test(origin_fetch, addresses_that_refuse_are_passed_over)
{
    struct world world;
    struct owner owner = { 0 };
    struct addr  addrs[3];
    int          closed = socket(AF_INET, SOCK_STREAM, 0);

    begin(&world, &(struct turn){ OK "Content-Length: 1\r\n\r\na", .after = HOLD }, 1);
    addrs[0] = addrs[2] = world.peer.addr;
    addrs[1] = world.peer.addr;
    struct sockaddr_in *name = (struct sockaddr_in *)(void *)&addrs[0].storage;
    name->sin_port = 0;
    cr_assert_eq(bind(closed, (struct sockaddr *)name, sizeof *name),
                 0); /* bound and not listening: refused */
    cr_assert_eq(getsockname(closed, (struct sockaddr *)name, &addrs[0].len), 0);
    addrs[2] = addrs[0];
    pool_set_addresses(world.pool, addrs, 2, "");
    fetch_one(&world, &owner);
    cr_assert(owner.ended);
    finish(&owner);
    pool_set_addresses(world.pool, &addrs[2], 1, "");
    origin_destroy(&world.origin);
    cr_assert_eq(origin_create(&world.origin, world.loop, &chunk_limits_initial, &world.metrics), ERR_NONE);
    fetch_one(&world, &owner);
    cr_assert_eq(owner.failure, FETCH_REFUSED);
    finish(&owner);
    close(closed);
    end(&world);
}

/* The last byte had left before the body was told to be complete. */
Test(origin_fetch, the_answers_time_begins_when_the_request_is_sent, .timeout = 30)
{
    struct fetch_request post = { .head = SPAN("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"),
                                  .method = METHOD_POST,
                                  .body = BODY_LENGTH,
                                  .length = 5 };
    struct world         world;
    struct owner         owner = { 0 };

    begin_with(&world, &(struct turn){ "", .body = 5, .after = HOLD }, 1, 10 * NSEC_PER_MSEC,
               3600 * NSEC_PER_SEC);
    start(&world, &owner, post);
    cr_assert_eq(fetch_send(owner.fetch, SPAN("hello")), 5);
    while (metric_read(&world.metrics.bytes_out) < post.head.len + 5)
        loop_turn(world.loop, NSEC_PER_SEC);
    fetch_send_end(owner.fetch);
    turn_until_over(&world, &owner);
    cr_assert_eq(owner.failure, FETCH_FIRST_BYTE_TIMEOUT);
    finish(&owner);
    end(&world);
}

/* Its backlog is full: it neither takes connections nor refuses them. */
struct silent {
    int         listener, waiting[4];
    struct addr addr;
};

static void
silent_open(struct silent *silent)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    silent->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(silent->listener, (struct sockaddr *)&name, sizeof name), 0);
    cr_assert_eq(listen(silent->listener, 0), 0);
    silent->addr.len = sizeof silent->addr.storage;
    cr_assert_eq(getsockname(silent->listener, (struct sockaddr *)&silent->addr.storage, &silent->addr.len),
                 0);
    for (size_t i = 0; i < 4; i++) {
        silent->waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(silent->waiting[i], (struct sockaddr *)&silent->addr.storage, silent->addr.len);
    }
}

static void
silent_close(struct silent *silent)
{
    for (size_t i = 0; i < 4; i++)
        close(silent->waiting[i]);
    close(silent->listener);
}

static void
limit_connecting(struct world *world, nsec limit)
{
    struct pool_settings settings = *pool_settings_of(world->pool);

    settings.connect_timeout = limit;
    pool_release(&world->pool);
    world->pool = pool_create("test", SPAN("origin"), 80, &settings);
}

Test(origin_fetch, an_address_that_is_silent_is_passed_over, .timeout = 30)
{
    struct world  world;
    struct owner  owner = { 0 };
    struct silent silent;

    begin(&world, &(struct turn){ OK "Content-Length: 1\r\n\r\na", .after = HOLD }, 1);
    silent_open(&silent);
    limit_connecting(&world, 2 * NSEC_PER_SEC); /* half of it for the silent one */
    pool_set_addresses(world.pool, (struct addr[]){ silent.addr, world.peer.addr }, 2, "");
    fetch_one(&world, &owner);
    cr_assert(owner.ended, "%s", fetch_failure_name(owner.failure));
    cr_assert_eq(metric_read(&world.metrics.connects), 2);
    cr_assert_eq(metric_read(&world.metrics.timeouts), 0);
    finish(&owner);
    silent_close(&silent);
    end(&world);
}

Test(origin_fetch, silent_addresses_share_one_time_limit, .timeout = 30)
{
    struct world  world;
    struct owner  owner = { 0 };
    struct silent silent;

    begin(&world, NULL, 0);
    silent_open(&silent);
    limit_connecting(&world, 20 * NSEC_PER_MSEC);
    struct addr addrs[64];
    for (size_t i = 0; i < 64; i++)
        addrs[i] = silent.addr;
    pool_set_addresses(world.pool, addrs, 64, "");
    fetch_one(&world, &owner);
    cr_assert_eq(owner.failure, FETCH_CONNECT_TIMEOUT);
    cr_assert_eq(metric_read(&world.metrics.timeouts), 1);
    cr_assert_lt(metric_read(&world.metrics.connects), 64);
    finish(&owner);
    silent_close(&silent);
    end(&world);
}

/* The name has another address now: kept connections to the old one are not for it. */
Test(origin_fetch, an_origin_that_moved_is_followed)
{
    static const struct turn old[] = { { OK "Content-Length: 1\r\n\r\na", .after = KEEP },
                                       { OK "Content-Length: 1\r\n\r\nb", .after = KEEP },
                                       { OK "Content-Length: 1\r\n\r\nx", .after = KEEP } };
    struct world             world;
    struct owner             owner = { 0 };
    struct scripted          moved;

    begin(&world, old, 3);
    scripted_start(&moved, &(struct turn){ OK "Content-Length: 1\r\n\r\nc", .after = HOLD }, 1);
    for (int i = 0; i < 3; i++) {
        fetch_one(&world, &owner);
        cr_assert(owner.ended);
        cr_expect_eq(text_cstr(&owner.body)[0], "abc"[i]);
        finish(&owner);
        if (i == 0) /* one more, and the old one still there */
            pool_set_addresses(world.pool, (struct addr[]){ world.peer.addr, world.peer.addr }, 2, "");
        else
            pool_set_addresses(world.pool, &moved.addr, 1, "");
    }
    cr_expect_eq(metric_read(&world.metrics.reuses), 1);
    cr_expect_eq(metric_read(&world.metrics.connections), 1);
    end(&world);
    scripted_stop(&moved);
}

Test(origin_fetch, an_end_that_comes_with_the_answer_leaves_nothing_to_keep)
{
    struct world world;
    struct owner owner = { 0 };

    begin(&world, &(struct turn){ OK "Content-Length: 1\r\n\r\na", .after = END }, 1);
    start(&world, &owner, get);
    fetch_pause(owner.fetch); /* or the answer might be read before the peer has closed */
    while (metric_read(&world.metrics.bytes_out) == 0)
        loop_turn(world.loop, NSEC_PER_SEC);
    scripted_finish(&world.peer);
    fetch_resume(owner.fetch);
    turn_until_over(&world, &owner);
    cr_assert(owner.ended);
    cr_assert_eq(metric_read(&world.metrics.connections), 0);
    finish(&owner);
    end(&world);
}

Test(origin_fetch, a_pool_without_addresses_says_why)
{
    struct world         world;
    struct owner         owner = { 0 };
    struct pool_settings settings;

    begin(&world, NULL, 0);
    option_defaults(&pool_options, &settings);
    pool_release(&world.pool);
    world.pool = pool_create("test", SPAN("nowhere"), 8080, &settings);
    cr_assert(span_equal(pool_authority(world.pool), SPAN("nowhere:8080")));
    pool_set_addresses(world.pool, NULL, 0, "no such name");
    fetch_one(&world, &owner);
    cr_assert_eq(owner.failure, FETCH_UNRESOLVED);
    cr_assert_str_eq(owner.detail, "no such name");
    finish(&owner);
    pool_set_addresses(world.pool, &world.peer.addr, 1, "");
    pool_set_addresses(world.pool, NULL, 0, "DNS died");
    cr_assert_eq(pool_addresses(world.pool, NULL), 1, "the last good answer stays");
    end(&world);
}

Test(origin_fetch, request_bodies_are_framed)
{
    struct world world;
    struct owner owner = { 0 };

    begin(&world, &(struct turn){ OK "Content-Length: 0\r\n\r\n", .body = 25, .after = HOLD }, 1);
    start(&world, &owner,
          (struct fetch_request){ .head = SPAN("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
                                  .method = METHOD_POST,
                                  .body = BODY_CHUNKED });
    cr_assert_eq(fetch_send(owner.fetch, SPAN("hello")), 5);
    cr_assert_eq(fetch_send(owner.fetch, SPAN(" world")), 6);
    fetch_send_end(owner.fetch);
    turn_until_over(&world, &owner);
    cr_assert(owner.ended);
    finish(&owner);
    end(&world);
    cr_assert_not_null(strstr(world.peer.seen, "\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), "%s",
                       world.peer.seen);
}

Test(origin_fetch, a_body_given_up_never_ends)
{
    struct world world;
    struct owner owner = { 0 };

    begin(&world, &(struct turn){ "", .body = 1000, .after = HOLD }, 1);
    start(&world, &owner,
          (struct fetch_request){ .head = SPAN("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
                                  .method = METHOD_POST,
                                  .body = BODY_CHUNKED });
    cr_assert_eq(fetch_send(owner.fetch, SPAN("hello")), 5);
    while (metric_read(&world.metrics.bytes_out) < 50)
        loop_turn(world.loop, NSEC_PER_SEC);
    finish(&owner);
    end(&world);
    cr_assert_null(strstr(world.peer.seen, "0\r\n\r\n"));
}

Test(origin_fetch, sending_is_bounded_and_drains)
{
    struct world world;
    struct owner owner = { 0 };
    size_t       sent = 0, total = 40000;
    char        *bytes = calloc(1, 200000);

    begin(&world, &(struct turn){ OK "Content-Length: 0\r\n\r\n", .body = 40000, .after = HOLD }, 1);
    start(&world, &owner,
          (struct fetch_request){ .head = SPAN("PUT / HTTP/1.1\r\nContent-Length: 40000\r\n\r\n"),
                                  .method = METHOD_PUT,
                                  .body = BODY_LENGTH,
                                  .length = 40000 });
    cr_assert_lt(fetch_send(owner.fetch, span_of(bytes, 200000)), 200000,
                 "before a connection stands only a buffer is taken");
    finish(&owner);
    start(&world, &owner,
          (struct fetch_request){ .head = SPAN("PUT / HTTP/1.1\r\nContent-Length: 40000\r\n\r\n"),
                                  .method = METHOD_PUT,
                                  .body = BODY_LENGTH,
                                  .length = 40000 });
    while (sent < total) {
        sent += fetch_send(owner.fetch, span_of(bytes, total - sent > 9000 ? 9000 : total - sent));
        loop_turn(world.loop, 0);
    }
    fetch_send_end(owner.fetch);
    turn_until_over(&world, &owner);
    cr_assert(owner.ended);
    finish(&owner);
    end(&world);
    free(bytes);
}

Test(origin_fetch, an_answer_before_the_request_has_ended)
{
    struct world world;
    struct owner owner = { 0 };

    begin(&world, &(struct turn){ "HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno", .after = HOLD }, 1);
    start(&world, &owner,
          (struct fetch_request){ .head = SPAN("PUT / HTTP/1.1\r\nContent-Length: 400\r\n\r\n"),
                                  .method = METHOD_PUT,
                                  .body = BODY_LENGTH,
                                  .length = 400 });
    turn_until_over(&world, &owner);
    cr_assert(owner.ended);
    cr_assert_eq(owner.status, 413);
    cr_assert_eq(fetch_send(owner.fetch, SPAN("late")), 0);
    cr_assert_eq(metric_read(&world.metrics.connections), 0, "not to be used again");
    finish(&owner);
    end(&world);
}

Test(origin_fetch, a_pause_stops_the_flow)
{
    struct world world;
    struct owner owner = { .pause_once = true };

    begin(&world, &(struct turn){ OK "Content-Length: 5\r\n\r\nhello", .after = HOLD }, 1);
    start(&world, &owner, get);
    while (owner.status == 0)
        loop_turn(world.loop, NSEC_PER_SEC);
    for (int i = 0; i < 5; i++)
        loop_turn(world.loop, NSEC_PER_MSEC);
    cr_assert_eq(owner.body.len, 0);
    fetch_resume(owner.fetch);
    cr_assert_eq(owner.body.len, 0, "nothing from within the call");
    turn_until_over(&world, &owner);
    cr_assert_str_eq(text_cstr(&owner.body), "hello");
    finish(&owner);
    end(&world);
}

Test(origin_fetch, a_tunnel_goes_both_ways_and_ends_in_halves)
{
    struct world world;
    struct owner owner = { 0 };

    begin(&world,
          &(struct turn){ "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw",
                          .after = HOLD },
          1);
    start(&world, &owner, (struct fetch_request){ .method = METHOD_GET, .upgrade = true });
    while (owner.body.len < 3)
        loop_turn(world.loop, NSEC_PER_SEC);
    cr_assert_eq(owner.framing.kind, BODY_TUNNEL);
    cr_assert_eq(fetch_send(owner.fetch, SPAN("more")), 4);
    fetch_send_end(owner.fetch); /* the peer reads our end, and ends too */
    turn_until_over(&world, &owner);
    cr_assert(owner.ended);
    cr_assert_str_eq(text_cstr(&owner.body), "raw");
    finish(&owner);
    end(&world);
}

Test(origin_fetch, released_in_any_callback)
{
    static const char *const places[] = { "interim", "head", "body", "end" };

    for (size_t i = 0; i < 4; i++) {
        struct world world;
        struct owner owner = { .release_in = places[i] };
        begin(
            &world,
            &(struct turn){ "HTTP/1.1 103 Hints\r\n\r\n" OK "Content-Length: 5\r\n\r\nhello", .after = HOLD },
            1);
        fetch_one(&world, &owner);
        cr_assert_null(owner.fetch, "%s", places[i]);
        text_fini(&owner.body);
        end(&world);
    }
    struct world world;
    struct owner owner = { .release_in = "fail" };
    begin(&world, &(struct turn){ "", .after = END }, 1);
    fetch_one(&world, &owner);
    cr_assert_null(owner.fetch);
    text_fini(&owner.body);
    end(&world);
}

Test(origin_fetch, released_in_any_state)
{
    for (int turns = 0; turns < 4; turns++) {
        struct world world;
        struct owner owner = { 0 };
        begin(&world, &(struct turn){ OK "Content-Length: 9\r\n\r\nhalf", .after = HOLD }, 1);
        start(&world, &owner, get);
        for (int i = 0; i < turns; i++)
            loop_turn(world.loop, NSEC_PER_MSEC);
        finish(&owner);
        end(&world);
    }
}

Test(origin_fetch, every_failure_has_a_name_a_status_and_a_sentence)
{
    for (int i = 0; i < FETCH_FAILURE_COUNT; i++) {
        cr_assert_gt(strlen(fetch_failure_name((enum fetch_failure)i)), 0);
        cr_assert_gt(strlen(fetch_failure_text((enum fetch_failure)i)), 10);
        cr_assert_geq(fetch_failure_status((enum fetch_failure)i), 502);
        cr_assert_leq(fetch_failure_status((enum fetch_failure)i), 504);
    }
}
