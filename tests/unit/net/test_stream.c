/* test_stream.c: streams over TCP and Unix sockets on the loopback: bytes, ends, breaks and connects. */
#include <larder/net/listener.h>
#include <larder/net/stream.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

struct end {
    struct stream stream;
    struct loop  *loop;
    unsigned      events;
    unsigned      told;
};

static void
note_ready(struct stream *stream, unsigned events)
{
    struct end *end = CONTAINER_OF(stream, struct end, stream);

    end->told++;
    end->events |= events;
}

static void
end_init(struct end *end)
{
    struct fault fault;

    *end = (struct end){ 0 };
    cr_assert_eq(loop_create(&end->loop, &fault), ERR_NONE);
    stream_init(&end->stream, note_ready);
}

static void
end_fini(struct end *end)
{
    stream_close(&end->stream);
    loop_destroy(&end->loop);
}

/* Turns until one of `events` was told; the test's time limit is the patience. */
static void
await(struct end *end, unsigned events)
{
    while ((end->events & events) == 0)
        loop_turn(end->loop, INT64_MAX);
    end->events = 0;
}

/* An address nobody listens on, and the socket that listens there after all if `fd` is given. */
static struct addr
listen_somewhere(const char *host, int *fd)
{
    struct addr  addr;
    struct fault fault;

    cr_assert(addr_from_literal(span_of_text(host), 0, &addr));
    cr_assert_eq(listener_bind(&addr, false, fd, &addr, &fault), ERR_NONE, "%s", fault.text);
    fcntl(*fd, F_SETFL, 0); /* accept waits */
    return addr;
}

/* A stream, and a blocking descriptor at the other end. */
static int
connect_tcp(struct end *end)
{
    int         listening;
    struct addr addr = listen_somewhere("127.0.0.1", &listening);

    end_init(end);
    cr_assert_eq(stream_connect(&end->stream, end->loop, &addr), ERR_NONE);
    int far = accept(listening, NULL, NULL);
    cr_assert_geq(far, 0);
    close(listening);
    await(end, STREAM_WRITE);
    cr_assert_eq(stream_connect_result(&end->stream), ERR_NONE);
    return far;
}

static void
write_far(int far, const char *text)
{
    cr_assert_eq(write(far, text, strlen(text)), (ssize_t)strlen(text));
}

Test(net_stream, reads_until_again_and_the_end, .timeout = 30)
{
    struct end end;
    int        far = connect_tcp(&end);
    char       bytes[8];
    size_t     got = 99;

    cr_expect_eq(stream_read(&end.stream, bytes, sizeof bytes, &got), ERR_AGAIN);
    cr_expect_eq(got, 0);
    write_far(far, "hello");
    await(&end, STREAM_READ);
    cr_expect_eq(stream_read(&end.stream, bytes, 3, &got), ERR_NONE);
    cr_expect(got == 3 && memcmp(bytes, "hel", 3) == 0);
    struct iovec parts[2] = { { bytes, 1 }, { bytes + 4, 4 } };
    cr_expect_eq(stream_readv(&end.stream, parts, 2, &got), ERR_NONE);
    cr_expect(got == 2 && bytes[0] == 'l' && bytes[4] == 'o');
    cr_expect_eq(stream_readv(&end.stream, parts, 2, &got), ERR_AGAIN);

    close(far);
    await(&end, STREAM_READ);
    cr_expect_eq(stream_read(&end.stream, bytes, sizeof bytes, &got), ERR_CLOSED);
    cr_expect_eq(got, 0);
    end_fini(&end);
}

Test(net_stream, writes_pieces_and_says_the_end, .timeout = 30)
{
    struct end   end;
    int          far = connect_tcp(&end);
    char         bytes[16];
    struct iovec parts[2] = { { "abc", 3 }, { "defg", 4 } };
    size_t       put, sum = 0;

    cr_expect_eq(stream_write(&end.stream, parts, 2, true, &put), ERR_NONE);
    cr_expect_eq(put, 7);
    cr_expect_eq(stream_write(&end.stream, parts, 1, false, &put), ERR_NONE);
    cr_expect_eq(put, 3);
    stream_shutdown(&end.stream);
    for (ssize_t n; (n = read(far, bytes + sum, sizeof bytes - sum)) > 0;)
        sum += (size_t)n;
    cr_expect(sum == 10 && memcmp(bytes, "abcdefgabc", 10) == 0);
    close(far);
    end_fini(&end);
}

/* A writer is told when the reader has made room again: the edge that follows ERR_AGAIN. */
Test(net_stream, a_full_socket_is_again_and_then_ready, .timeout = 60)
{
    static char  block[65536];
    struct end   end;
    int          far = connect_tcp(&end);
    struct iovec part = { block, sizeof block };
    size_t       put, written = 0, taken = 0;
    enum err     err;

    while ((err = stream_write(&end.stream, &part, 1, false, &put)) == ERR_NONE)
        written += put;
    cr_expect_eq(err, ERR_AGAIN);
    cr_expect_eq(put, 0);
    end.events = 0;
    while (taken < written) {
        ssize_t n = read(far, block, sizeof block);
        cr_assert_gt(n, 0);
        taken += (size_t)n;
    }
    await(&end, STREAM_WRITE);
    cr_expect_eq(stream_write(&end.stream, &part, 1, false, &put), ERR_NONE);
    cr_expect_gt(put, 0);
    close(far);
    end_fini(&end);
}

Test(net_stream, a_broken_peer_is_an_error_and_no_signal, .timeout = 30)
{
    struct linger none = { 1, 0 };
    struct end    end;
    int           far = connect_tcp(&end);
    char          byte;
    size_t        n;
    struct iovec  part = { "x", 1 };

    signal(SIGPIPE, SIG_DFL); /* would end the test */
    setsockopt(far, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(far);
    await(&end, STREAM_READ);
    cr_expect_eq(stream_read(&end.stream, &byte, 1, &n), ERR_RESET);
    cr_expect_eq(stream_write(&end.stream, &part, 1, false, &n), ERR_RESET);
    cr_expect_eq(n, 0);
    stream_shutdown(&end.stream); /* nobody is there: no matter */
    end_fini(&end);
}

Test(net_stream, abort_resets_and_close_ends, .timeout = 30)
{
    struct end end;
    char       byte;
    int        far = connect_tcp(&end);

    stream_abort(&end.stream);
    cr_expect_not(stream_is_open(&end.stream));
    cr_expect_eq(read(far, &byte, 1), -1);
    cr_expect_eq(errno, ECONNRESET);
    stream_abort(&end.stream);
    close(far);
    end_fini(&end);

    far = connect_tcp(&end);
    stream_close(&end.stream);
    stream_close(&end.stream);
    cr_expect_eq(read(far, &byte, 1), 0);
    close(far);
    end_fini(&end);
}

Test(net_stream, tcp_does_not_wait_for_acknowledgements, .timeout = 30)
{
    struct end end;
    int        far = connect_tcp(&end), on = 0;
    socklen_t  len = sizeof on;

    cr_assert_eq(getsockopt(end.stream.watch.fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    cr_expect_neq(on, 0);
    cr_expect(fcntl(end.stream.watch.fd, F_GETFD) & FD_CLOEXEC);
    cr_expect(fcntl(end.stream.watch.fd, F_GETFL) & O_NONBLOCK);
    close(far);
    end_fini(&end);
}

Test(net_stream, quiet_means_neither_bytes_nor_an_end, .timeout = 30)
{
    struct end end;
    int        far = connect_tcp(&end);
    char       byte;
    size_t     got;

    cr_expect(stream_is_quiet(&end.stream));
    write_far(far, "x");
    await(&end, STREAM_READ);
    cr_expect_not(stream_is_quiet(&end.stream));
    cr_expect_eq(stream_read(&end.stream, &byte, 1, &got), ERR_NONE, "peeking takes nothing");
    cr_expect(stream_is_quiet(&end.stream));
    close(far);
    await(&end, STREAM_READ);
    cr_expect_not(stream_is_quiet(&end.stream));
    end_fini(&end);
}

/* ── opening what was accepted ── */

Test(net_stream, opens_an_accepted_descriptor, .timeout = 30)
{
    struct end  end;
    int         fds[2];
    struct addr peer;

    end_init(&end);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    cr_assert_eq(stream_open(&end.stream, end.loop, fds[0]), ERR_NONE, "TCP_NODELAY is for TCP only");
    await(&end, STREAM_WRITE);
    cr_expect_eq(stream_connect_result(&end.stream), ERR_NONE);
    cr_expect_eq(stream_peer(&end.stream, &peer), ERR_NONE);
    cr_expect(addr_is_loopback(&peer));
    close(fds[1]);
    end_fini(&end);
}

Test(net_stream, a_descriptor_that_cannot_be_watched_is_closed)
{
    struct end end;
    int        fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    end_init(&end);
    cr_expect_eq(stream_open(&end.stream, end.loop, fd), ERR_DENIED);
    cr_expect_not(stream_is_open(&end.stream));
    cr_expect_eq(fcntl(fd, F_GETFD), -1);
    end_fini(&end);
}

/* ── connecting ── */

Test(net_stream, knows_its_peer, .timeout = 30)
{
    struct end  end;
    int         listening;
    struct addr addr = listen_somewhere("::1", &listening), peer;

    end_init(&end);
    cr_assert_eq(stream_connect(&end.stream, end.loop, &addr), ERR_NONE);
    await(&end, STREAM_WRITE);
    cr_expect_eq(stream_connect_result(&end.stream), ERR_NONE);
    cr_expect_eq(stream_peer(&end.stream, &peer), ERR_NONE);
    cr_expect(addr_equal(&addr, &peer));
    close(listening);
    end_fini(&end);
}

Test(net_stream, a_refused_connect_says_so, .timeout = 30)
{
    struct end  end;
    int         listening;
    struct addr addr = listen_somewhere("127.0.0.1", &listening);

    close(listening);
    end_init(&end);
    enum err err = stream_connect(&end.stream, end.loop, &addr);
    if (err == ERR_NONE) { /* on the loopback the kernel may know at once */
        await(&end, STREAM_WRITE);
        err = stream_connect_result(&end.stream);
    }
    cr_expect_eq(err, ERR_REFUSED);
    end_fini(&end);
}

/* With a backlog of 0 one connection fills it; the next SYN is dropped, and its connect stays under way. */
Test(net_stream, a_connect_under_way_is_again, .timeout = 30)
{
    struct end    end;
    int           listening, filler = socket(AF_INET, SOCK_STREAM, 0);
    struct addr   addr = listen_somewhere("127.0.0.1", &listening);
    struct pollfd filled = { .fd = listening, .events = POLLIN };

    listen(listening, 0);
    end_init(&end);
    cr_assert_eq(connect(filler, (struct sockaddr *)&addr.storage, addr.len), 0);
    cr_assert_eq(poll(&filled, 1, -1), 1);
    cr_assert_eq(stream_connect(&end.stream, end.loop, &addr), ERR_NONE);
    cr_expect_eq(stream_connect_result(&end.stream), ERR_AGAIN);
    stream_close(&end.stream);
    close(filler);
    close(listening);
    end_fini(&end);
}

Test(net_stream, a_connect_that_fails_at_once_leaves_nothing_open)
{
    struct end    end;
    struct addr   broadcast, nowhere = { .len = sizeof(struct sockaddr_in), .storage.ss_family = AF_UNSPEC };
    struct rlimit limit, none;

    end_init(&end);
    cr_assert(addr_from_literal(SPAN("255.255.255.255"), 9, &broadcast));
    enum err err = stream_connect(&end.stream, end.loop, &broadcast);
    cr_expect(err == ERR_UNREACHABLE || err == ERR_DENIED, "%s", err_name(err));
    cr_expect_not(stream_is_open(&end.stream));
    cr_expect_eq(stream_connect(&end.stream, end.loop, &nowhere), ERR_SYSTEM);

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){ 3, limit.rlim_max };
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cr_expect_eq(stream_connect(&end.stream, end.loop, &broadcast), ERR_NO_DESCRIPTORS);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0); /* the leak sanitizer needs some */
    cr_expect_not(stream_is_open(&end.stream));
    end_fini(&end);
}

static struct addr
unix_addr(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct addr        addr = { .len = sizeof un };

    memcpy(un.sun_path, path, strlen(path) + 1);
    memcpy(&addr.storage, &un, sizeof un);
    return addr;
}

Test(net_stream, connects_to_unix_sockets, .timeout = 30)
{
    char         folder[] = "/tmp/larder-stream-XXXXXX", path[64];
    struct end   end;
    struct fault fault;
    int          listening;

    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    struct addr addr = unix_addr(path);
    end_init(&end);
    cr_expect_eq(stream_connect(&end.stream, end.loop, &addr), ERR_NOT_FOUND);

    cr_assert_eq(listener_bind_unix(path, &listening, &fault), ERR_NONE);
    cr_assert_eq(stream_connect(&end.stream, end.loop, &addr), ERR_NONE);
    await(&end, STREAM_WRITE);
    cr_expect_eq(stream_connect_result(&end.stream), ERR_NONE);
    stream_close(&end.stream);

    /* A full backlog is EAGAIN, after which no event would ever come. */
    listen(listening, 0);
    int filler = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), more = 8;
    while (more-- > 0 && connect(filler, (struct sockaddr *)&addr.storage, addr.len) == 0)
        filler = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_expect_eq(stream_connect(&end.stream, end.loop, &addr), ERR_REFUSED);
    cr_expect_not(stream_is_open(&end.stream));

    close(listening);
    cr_expect_eq(stream_connect(&end.stream, end.loop, &addr), ERR_REFUSED);
    unlink(path);
    rmdir(folder);
    end_fini(&end);
}
