/* floor.c: `larder-bench floor`: the least that an answer over a socket can cost.
 *
 *      epoll_wait ─▶ recv ─▶ "\r\n\r\n"? ─▶ send(the same bytes each time)
 *
 * No HTTP server can do with less: it has no parser, no cache and no counters. What a server takes more than this is its own. One
 * thread, level-triggered, no timers; nothing of larder's own loop, so that the two can be held against each other.
 *
 * With --sendfile the answer lies in a memfd, and the socket is given its pages instead of a copy of them: what could be
 * had by that, on this machine.
 */
#include "command.h"
#include "descriptors.h"

#include <errno.h>
#include <larder/base/units.h>
#include <larder/net/listener.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MAX = 256, EVENTS = 256, REQUEST_MAX = 16 * 1024 };

struct settings {
    struct span listen;
    int64_t     size;
    bool        sendfile;
};

static const struct row flags[] = {
    { "listen", ROW_TEXT, offsetof(struct settings, listen), 0, 0, 0, "ADDR:PORT",
      "Where to listen; port 0 takes a free one." },
    { "size", ROW_SIZE, offsetof(struct settings, size), 0, INT64_C(1) << 30, 1024, "SIZE",
      "Length of the body." },
    { "sendfile", ROW_SWITCH, offsetof(struct settings, sendfile), 0, 0, 0, NULL,
      "Send from a file in memory, without a copy." },
};

struct connection {
    int    fd;
    size_t sent;   /* of the answer under way */
    bool   asking; /* an answer is under way */
    char   last[4];
};

struct floor {
    int         epoll, listener, signals;
    const char *answer;
    size_t      len;
    int         file; /* has the answer, too; -1: it is sent from memory */
};

static void
hang_up(struct connection *connection)
{
    close(connection->fd);
    free(connection);
}

/* Level-triggered, so whatever is left makes the next event. */
static void
wait_for(const struct floor *floor, struct connection *connection, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = connection };
    if (epoll_ctl(floor->epoll, EPOLL_CTL_MOD, connection->fd, &event) != 0)
        abort(); /* it is there, so this cannot fail */
}

static ssize_t
put_rest(const struct floor *floor, const struct connection *connection)
{
    off_t  at = (off_t)connection->sent;
    size_t left = floor->len - connection->sent;

    if (floor->file >= 0)
        return sendfile(connection->fd, floor->file, &at, left);
    return send(connection->fd, floor->answer + connection->sent, left, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* False when the connection is over. */
static bool
send_answer(const struct floor *floor, struct connection *connection)
{
    bool    waited = connection->sent > 0;
    ssize_t put = put_rest(floor, connection);
    if (put < 0 && errno != EAGAIN)
        return false;
    connection->sent += put > 0 ? (size_t)put : 0;
    connection->asking = connection->sent < floor->len;
    if (connection->asking && !waited)
        wait_for(floor, connection, EPOLLOUT);
    if (connection->asking)
        return true;
    connection->sent = 0;
    if (waited)
        wait_for(floor, connection, EPOLLIN);
    return true;
}

/* One request at a time: its head has ended when these are the last bytes. */
static bool
take_request(const struct floor *floor, struct connection *connection)
{
    char    in[REQUEST_MAX];
    ssize_t got = recv(connection->fd, in, sizeof in, MSG_DONTWAIT);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    for (size_t i = got < 4 ? 0 : (size_t)got - 4; i < (size_t)got; i++) {
        memmove(connection->last, connection->last + 1, 3);
        connection->last[3] = in[i];
    }
    return memcmp(connection->last, "\r\n\r\n", 4) != 0 || send_answer(floor, connection);
}

static void
accept_one(const struct floor *floor)
{
    int                fd = accept4(floor->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct connection *connection = fd < 0 ? NULL : calloc(1, sizeof *connection);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
    if (connection != NULL)
        connection->fd = fd;
    if (connection != NULL && epoll_ctl(floor->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return;
    free(connection);
    if (fd >= 0)
        close(fd);
}

/* Until a signal comes. */
static void
serve(const struct floor *floor)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(floor->epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (events[i].data.ptr == &floor->signals)
                return;
            if (events[i].data.ptr == &floor->listener)
                accept_one(floor);
            else if (!(connection->asking ? send_answer(floor, connection) : take_request(floor, connection)))
                hang_up(connection);
        }
    }
}

/* ── life ── */

static char *
make_answer(size_t size, size_t *len)
{
    char *answer = malloc(HEAD_MAX + size);
    if (answer == NULL)
        return NULL;
    int head = snprintf(answer, HEAD_MAX,
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: max-age=86400\r\n"
                        "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nAge: 1\r\nContent-Length: %zu\r\n\r\n",
                        size);
    memset(answer + head, 'x', size);
    *len = (size_t)head + size;
    return answer;
}

static int
open_file(const char *answer, size_t len, struct fault *fault)
{
    int file = memfd_create("answer", MFD_CLOEXEC);
    if (file >= 0 && write(file, answer, len) == (ssize_t)len)
        return file;
    fault_set_errno(fault, errno, "cannot put the answer into a file in memory");
    if (file >= 0)
        close(file);
    return -1;
}

static bool
watch(const struct floor *floor, const int *fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = (void *)(uintptr_t)fd };
    return epoll_ctl(floor->epoll, EPOLL_CTL_ADD, *fd, &event) == 0;
}

static int
open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* sendfile has no flag for it */
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static enum err
bind_address(struct span text, int *fd, struct fault *fault)
{
    struct addr  addr;
    struct fault why;
    char         shown[ADDR_TEXT_SIZE];

    if (text.len == 0)
        return fault_set(fault, ERR_SYNTAX, "--listen ADDR:PORT is missing");
    if (addr_parse(text, &addr, &why) != ERR_NONE)
        return fault_set(fault, why.code, "--listen: %s", why.text);
    enum err err = listener_bind(&addr, false, fd, &addr, fault);
    if (err != ERR_NONE)
        return err;
    printf("listening on %s\n", addr_format(&addr, shown));
    fflush(stdout);
    return ERR_NONE;
}

static int
run(const void *given, const struct texts *operands, struct fault *fault)
{
    const struct settings *settings = given;
    size_t                 len = 0;
    char                  *answer = make_answer((size_t)settings->size, &len);
    struct floor           floor = { epoll_create1(EPOLL_CLOEXEC), -1, open_signals(), answer, len, -1 };
    int                    code = EXIT_FAILURE;

    (void)operands;
    if (answer == NULL)
        fault_set(fault, ERR_NO_MEMORY, "out of memory");
    else if (settings->sendfile)
        floor.file = open_file(answer, len, fault);
    if (answer != NULL && (floor.file >= 0) == settings->sendfile && descriptors_raise(0, fault) == ERR_NONE
             && bind_address(settings->listen, &floor.listener, fault) == ERR_NONE) {
        if (watch(&floor, &floor.listener) && watch(&floor, &floor.signals)) {
            serve(&floor);
            code = EXIT_SUCCESS; /* its connections go with the process */
        } else {
            fault_set_errno(fault, errno, "cannot watch the listening socket");
        }
        close(floor.listener);
    }
    if (floor.file >= 0)
        close(floor.file);
    close(floor.epoll);
    close(floor.signals);
    free(answer);
    return code;
}

const struct command command_floor = {
    .name = "floor",
    .operands = "",
    .summary = "The least that an answer can cost: a bare loop that sends the same bytes.",
    .help = "Answers each request with the same bytes until SIGTERM or SIGINT, without looking at it. Not pipelined.\n"
            "The first line on stdout is \"listening on ADDR:PORT\".",
    .flags = ROW_TABLE(flags),
    .settings_size = sizeof(struct settings),
    .run = run,
};
