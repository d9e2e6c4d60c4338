/* test_listener.c: binding at boot with its errors, accepting in batches, the pause without descriptors. */
#include <larder/net/listener.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FLOOD = 150 };

struct host {
    struct listener listener;
    struct loop    *loop;
    struct addr     addr;
    unsigned        accepted;
    unsigned        closes_at; /* the listener is closed by that connection */
    struct addr     last;
};

static void
take(struct listener *listener, int fd, const struct addr *peer)
{
    struct host *host = listener->owner;

    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    host->last = *peer;
    close(fd);
    if (++host->accepted == host->closes_at)
        listener_close(listener);
}

static struct addr
bind_to(const char *text, bool reuse, int *fd)
{
    struct addr  addr;
    struct fault fault;

    cr_assert_eq(addr_parse(span_of_text(text), &addr, &fault), ERR_NONE);
    cr_assert_eq(listener_bind(&addr, reuse, fd, &addr, &fault), ERR_NONE, "%s", fault.text);
    return addr;
}

static void
host_init(struct host *host, const char *text)
{
    struct fault fault;
    int          fd;

    *host = (struct host){ .addr = bind_to(text, false, &fd) };
    cr_assert_eq(loop_create(&host->loop, &fault), ERR_NONE);
    cr_assert_eq(listener_open(&host->listener, host->loop, fd, take, host), ERR_NONE);
}

static void
host_fini(struct host *host)
{
    listener_close(&host->listener);
    listener_close(&host->listener);
    loop_destroy(&host->loop);
}

static int
dial(const struct addr *addr)
{
    int fd = socket(addr->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&addr->storage, addr->len), 0, "%s", strerror(errno));
    return fd;
}

Test(net_listener, accepts_and_tells_the_peer, .timeout = 30)
{
    struct host host;
    struct addr mine = { .len = sizeof mine.storage };

    host_init(&host, "127.0.0.1:0");
    cr_expect_neq(addr_port(&host.addr), 0);
    int fd = dial(&host.addr);
    while (host.accepted == 0)
        loop_turn(host.loop, INT64_MAX);
    getsockname(fd, (struct sockaddr *)&mine.storage, &mine.len);
    cr_expect(addr_equal(&mine, &host.last));
    close(fd);
    host_fini(&host);
}

Test(net_listener, all_interfaces_take_ipv4_too, .timeout = 30)
{
    struct host host;
    struct addr addr;
    char        text[ADDR_TEXT_SIZE];

    host_init(&host, ":0");
    cr_assert(addr_from_literal(SPAN("127.0.0.1"), addr_port(&host.addr), &addr));
    int fd = dial(&addr);
    while (host.accepted == 0)
        loop_turn(host.loop, INT64_MAX);
    cr_expect_str_eq(addr_format_host(&host.last, text), "127.0.0.1");
    cr_expect(addr_is_loopback(&host.last));
    close(fd);
    host_fini(&host);
}

Test(net_listener, a_flood_is_taken_in_batches, .timeout = 30)
{
    struct host host;
    int         fds[FLOOD];

    host_init(&host, "127.0.0.1:0");
    for (unsigned i = 0; i < FLOOD; i++)
        fds[i] = dial(&host.addr);
    unsigned turns = 0, before = 0;
    while (host.accepted < FLOOD) {
        loop_turn(host.loop, INT64_MAX);
        cr_expect_leq(host.accepted - before, 128, "a batch by the event, and one by the task");
        before = host.accepted;
        turns++;
    }
    cr_expect_geq(turns, 2);
    for (unsigned i = 0; i < FLOOD; i++)
        close(fds[i]);
    host_fini(&host);
}

Test(net_listener, may_be_closed_by_the_connection_it_accepts, .timeout = 30)
{
    struct host host;
    int         fds[3];

    host_init(&host, "127.0.0.1:0");
    host.closes_at = 2;
    for (unsigned i = 0; i < 3; i++)
        fds[i] = dial(&host.addr);
    while (host.accepted < 2)
        loop_turn(host.loop, INT64_MAX);
    loop_turn(host.loop, 0);
    cr_expect_eq(host.accepted, 2);
    for (unsigned i = 0; i < 3; i++)
        close(fds[i]);
    host_fini(&host);
}

/* The limit stands just above the descriptors in use: accept finds none, and the connection waits. */
Test(net_listener, pauses_without_descriptors_and_goes_on, .timeout = 30)
{
    struct host   host;
    struct rlimit limit, small;

    host_init(&host, "127.0.0.1:0");
    int fd = dial(&host.addr), next = dup(fd);
    cr_assert_geq(next, 0);
    close(next);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    small = limit;
    small.rlim_cur = (rlim_t)next;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &small), 0);
    while (host.listener.pauses < 2)
        loop_turn(host.loop, INT64_MAX);
    cr_expect_eq(host.accepted, 0);
    cr_expect(host.listener.pause.set);

    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (host.accepted == 0)
        loop_turn(host.loop, INT64_MAX);
    cr_expect_not(host.listener.pause.set);
    close(fd);
    host_fini(&host);
}

/* No new descriptor can be had until `limit` is set again, which the leak sanitizer needs. */
static void
take_descriptors(struct rlimit *limit)
{
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, limit), 0);
    struct rlimit none = { 3, limit->rlim_max };
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
}

Test(net_listener, closes_while_it_pauses, .timeout = 30)
{
    struct host   host;
    struct rlimit limit;

    host_init(&host, "127.0.0.1:0");
    int fd = dial(&host.addr);
    take_descriptors(&limit);
    while (host.listener.pauses == 0)
        loop_turn(host.loop, INT64_MAX);
    host_fini(&host); /* checks that no timer is left */
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    close(fd);
}

Test(net_listener, what_cannot_be_watched_is_closed)
{
    struct host  host = { 0 };
    struct fault fault;
    int          fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    listener_close(&host.listener); /* never opened */
    cr_assert_eq(loop_create(&host.loop, &fault), ERR_NONE);
    cr_expect_eq(listener_open(&host.listener, host.loop, fd, take, &host), ERR_DENIED);
    cr_expect_eq(fcntl(fd, F_GETFD), -1);
    host_fini(&host);
}

/* ── binding ── */

static void
expect_taken(const struct addr *addr, bool reuse)
{
    struct addr  bound;
    struct fault fault;
    char         text[ADDR_TEXT_SIZE];
    int          fd;

    cr_expect_eq(listener_bind(addr, reuse, &fd, &bound, &fault), ERR_IN_USE);
    cr_expect(strstr(fault.text, addr_format(addr, text)) == fault.text, "%s", fault.text);
    cr_expect_not_null(strstr(fault.text, "address already in use: "));
}

Test(net_listener, siblings_share_an_address_and_its_connections, .timeout = 30)
{
    int         first, second, fds[64];
    struct addr addr = bind_to("127.0.0.1:0", false, &first), bound;
    struct fault fault;

    cr_assert_eq(listener_bind(&addr, true, &second, &bound, &fault), ERR_NONE);
    cr_expect(addr_equal(&addr, &bound));
    for (unsigned i = 0; i < 64; i++)
        fds[i] = dial(&addr);
    unsigned taken[2] = { 0 };
    for (unsigned i = 0; i < 2; i++)
        for (int fd; (fd = accept(i == 0 ? first : second, NULL, NULL)) >= 0; taken[i]++)
            close(fd);
    cr_expect_eq(taken[0] + taken[1], 64);
    cr_expect(taken[0] > 0 && taken[1] > 0, "the kernel spreads: %u and %u", taken[0], taken[1]);
    for (unsigned i = 0; i < 64; i++)
        close(fds[i]);
    close(first);
    close(second);
}

Test(net_listener, a_taken_address_is_an_error)
{
    int         plain = socket(AF_INET, SOCK_STREAM, 0), group, one = 1;
    struct addr addr;

    cr_assert(addr_from_literal(SPAN("127.0.0.1"), 0, &addr));
    cr_assert_eq(bind(plain, (struct sockaddr *)&addr.storage, addr.len), 0);
    cr_assert_eq(listen(plain, 1), 0);
    getsockname(plain, (struct sockaddr *)&addr.storage, &addr.len);
    expect_taken(&addr, false);
    expect_taken(&addr, true);
    close(plain);

    /* Somebody else's group, which any socket of the same user might join. */
    group = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(group, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(group, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    cr_assert_eq(bind(group, (struct sockaddr *)&addr.storage, addr.len), 0);
    cr_assert_eq(listen(group, 1), 0);
    expect_taken(&addr, false);
    close(group);
}

Test(net_listener, an_address_is_free_again_at_once)
{
    int         fd, again, client;
    struct addr addr = bind_to("127.0.0.1:0", false, &fd), bound;
    struct fault fault;

    client = dial(&addr);
    fcntl(fd, F_SETFL, 0);
    int served = accept(fd, NULL, NULL);
    close(served); /* closes first: TIME_WAIT stays here */
    close(client);
    close(fd);
    cr_assert_eq(listener_bind(&addr, false, &again, &bound, &fault), ERR_NONE, "%s", fault.text);
    close(again);
}

Test(net_listener, an_address_of_another_machine_is_an_error)
{
    struct addr  addr, bound;
    struct fault fault;
    int          fd;

    cr_assert(addr_from_literal(SPAN("192.0.2.1"), 0, &addr)); /* RFC 5737: nobody's */
    cr_expect_eq(listener_bind(&addr, false, &fd, &bound, &fault), ERR_UNREACHABLE);
    cr_expect_not_null(strstr(fault.text, "192.0.2.1:0: this machine has no such address"));
}

Test(net_listener, no_descriptors_is_an_error_that_names_the_address)
{
    struct addr   addr, bound;
    struct fault  fault;
    struct rlimit limit;
    int           fd;

    cr_assert(addr_from_literal(SPAN("127.0.0.1"), 0, &addr));
    take_descriptors(&limit);
    cr_expect_eq(listener_bind(&addr, false, &fd, &bound, &fault), ERR_NO_DESCRIPTORS);
    cr_expect(strstr(fault.text, "127.0.0.1:0: ") == fault.text);
    cr_expect_eq(listener_bind_unix("/nowhere", &fd, &fault), ERR_NO_DESCRIPTORS);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* ── Unix sockets ── */

struct place {
    char folder[32], path[64];
};

static struct place
create_place(void)
{
    struct place place = { .folder = "/tmp/larder-listen-XXXXXX" };

    cr_assert_not_null(mkdtemp(place.folder));
    snprintf(place.path, sizeof place.path, "%s/socket", place.folder);
    return place;
}

static void
remove_place(struct place *place)
{
    unlink(place->path);
    rmdir(place->folder);
}

Test(net_listener, a_unix_socket_is_for_its_owner_alone)
{
    struct place place = create_place();
    struct fault fault;
    struct stat  status;
    int          fd;

    umask(0);
    cr_assert_eq(listener_bind_unix(place.path, &fd, &fault), ERR_NONE);
    cr_assert_eq(stat(place.path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
    close(fd);
    remove_place(&place);
}

Test(net_listener, a_stale_unix_socket_is_replaced_and_a_live_one_is_not)
{
    struct place place = create_place();
    struct fault fault;
    int          stale, fd, other = -1;

    cr_assert_eq(listener_bind_unix(place.path, &stale, &fault), ERR_NONE);
    close(stale);
    cr_assert_eq(listener_bind_unix(place.path, &fd, &fault), ERR_NONE, "%s", fault.text);
    cr_expect_eq(listener_bind_unix(place.path, &other, &fault), ERR_IN_USE);
    cr_expect_not_null(strstr(fault.text, place.path));
    cr_expect_eq(other, -1);
    cr_expect_eq(access(place.path, F_OK), 0);
    close(fd);
    remove_place(&place);
}

/* A server too busy to accept is alive all the same. */
Test(net_listener, a_unix_socket_with_a_full_backlog_is_live, .timeout = 30)
{
    struct place place = create_place();
    struct fault fault;
    int          fd, other;

    cr_assert_eq(listener_bind_unix(place.path, &fd, &fault), ERR_NONE);
    listen(fd, 0);
    for (unsigned i = 0; i < 4; i++) /* each of them knocks, and so fills the backlog */
        cr_expect_eq(listener_bind_unix(place.path, &other, &fault), ERR_IN_USE, "%u: %s", i, fault.text);
    close(fd);
    remove_place(&place);
}

Test(net_listener, a_file_that_is_no_socket_is_never_removed)
{
    struct place place = create_place();
    struct fault fault;
    struct stat  status;
    int          fd = open(place.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), got = -1;

    close(fd);
    cr_expect_eq(listener_bind_unix(place.path, &got, &fault), ERR_EXISTS);
    cr_expect_not_null(strstr(fault.text, place.path));
    cr_assert_eq(stat(place.path, &status), 0);
    cr_expect(S_ISREG(status.st_mode));
    unlink(place.path);
    cr_assert_eq(symlink("/tmp/nowhere", place.path), 0);
    cr_expect_eq(listener_bind_unix(place.path, &got, &fault), ERR_EXISTS);
    cr_expect_eq(got, -1);
    remove_place(&place);
}

Test(net_listener, a_socket_of_another_kind_is_in_use)
{
    struct place place = create_place();
    struct fault fault;
    int          stream, got;

    cr_assert_eq(listener_bind_unix(place.path, &stream, &fault), ERR_NONE);
    close(stream);
    unlink(place.path);
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    memcpy(name.sun_path, place.path, strlen(place.path) + 1);
    int datagrams = socket(AF_UNIX, SOCK_DGRAM, 0);
    cr_assert_eq(bind(datagrams, (struct sockaddr *)&name, sizeof name), 0);
    cr_expect_eq(listener_bind_unix(place.path, &got, &fault), ERR_IN_USE);
    close(datagrams);
    remove_place(&place);
}

Test(net_listener, bad_unix_paths_are_errors)
{
    char         path[200] = "/";
    struct fault fault;
    int          fd;

    cr_expect_eq(listener_bind_unix("", &fd, &fault), ERR_SYNTAX);
    cr_expect_eq(listener_bind_unix("/nowhere/at/all", &fd, &fault), ERR_NOT_FOUND);
    cr_expect_not_null(strstr(fault.text, "/nowhere/at/all"));
    memset(path + 1, 'x', sizeof path - 2);
    path[sizeof path - 1] = '\0';
    cr_expect_eq(listener_bind_unix(path, &fd, &fault), ERR_RANGE);
    cr_expect_not_null(strstr(fault.text, "107"));
}
