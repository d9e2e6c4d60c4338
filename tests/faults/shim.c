/* shim.c: system calls and allocations that fail now and then, as they may: larder-faults is larder, linked with this in between.
 *
 *      larder ──malloc, recv, pwritev ...──▶ __wrap_X ──┬──▶ __real_X
 *                                                       └── now and then: ENOMEM, ECONNRESET, ENOSPC ...
 *
 * LARDER_FAULTS names the kinds, each with how often in a million it fails: "seed=7,malloc=100,recv=1000". It begins with the first accepted
 * connection, since a start that fails is another matter, and ends with SIGUSR2. How many were given is written to the file LARDER_FAULTS_REPORT
 * when the process ends. An error is one that the call can have; edges of epoll are never lost (no EAGAIN out of nothing, no short read).
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* X(kind, the errors that it takes turns with) */
#define KINDS(X)                                                                                             \
    X(malloc, ENOMEM)                                                                                        \
    X(accept4, EMFILE, ECONNABORTED, ENOMEM)                                                                 \
    X(recv, ECONNRESET, ETIMEDOUT, ENOMEM)                                                                   \
    X(sendmsg, EPIPE, ECONNRESET, ENOMEM)                                                                    \
    X(connect, ECONNREFUSED, EADDRNOTAVAIL, ENETUNREACH)                                                     \
    X(socket, EMFILE, ENOMEM)                                                                                \
    X(epoll_ctl, ENOMEM, ENOSPC)                                                                             \
    X(epoll_wait, EINTR)                                                                                     \
    X(pwritev, ENOSPC, EIO)                                                                                  \
    X(pread, EIO)                                                                                            \
    X(fdatasync, EIO, ENOSPC)

enum kind {
#define KIND(name, ...) KIND_##name,
    KINDS(KIND)
#undef KIND
        KIND_COUNT
};

static const char *const names[KIND_COUNT] = {
#define KIND(name, ...) #name,
    KINDS(KIND)
#undef KIND
};

static struct {
    uint32_t         in_a_million[KIND_COUNT];
    _Atomic uint64_t given[KIND_COUNT], seed;
    _Atomic bool     armed, over;
    char             report[256];
} faults;

static _Thread_local uint64_t state;

/* splitmix64 gives each thread its own seed, xorshift goes on from there. */
static uint64_t
next_random(void)
{
    if (state == 0) {
        uint64_t z = atomic_fetch_add(&faults.seed, 0x9e3779b97f4a7c15u) + 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        state = (z ^ z >> 31) | 1;
    }
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* 0: it does not fail. */
static int
error_of(enum kind kind)
{
#define KIND(name, ...) static const int name##_errors[] = { __VA_ARGS__ };
    KINDS(KIND)
#undef KIND
    static const struct {
        const int *errors;
        unsigned   count;
    } rows[KIND_COUNT] = {
#define KIND(name, ...) { name##_errors, sizeof name##_errors / sizeof name##_errors[0] },
        KINDS(KIND)
#undef KIND
    };
    if (!atomic_load_explicit(&faults.armed, memory_order_relaxed) || faults.in_a_million[kind] == 0
        || next_random() % 1000000 >= faults.in_a_million[kind])
        return 0;
    atomic_fetch_add_explicit(&faults.given[kind], 1, memory_order_relaxed);
    return rows[kind].errors[next_random() % rows[kind].count];
}

static bool
fails(enum kind kind)
{
    int error = error_of(kind);
    if (error != 0)
        errno = error;
    return error != 0;
}

/* A connection that is said to be broken is broken: the other side learns of it, and nothing more comes. */
static bool
fails_at(enum kind kind, int fd)
{
    int error = error_of(kind);
    if (error == EPIPE || error == ECONNRESET || error == ETIMEDOUT)
        shutdown(fd, SHUT_RDWR);
    errno = error != 0 ? error : errno;
    return error != 0;
}

/* ── begin and end ── */

static void
disarm(int number)
{
    (void)number;
    atomic_store(&faults.over, true);
    atomic_store(&faults.armed, false);
}

static void
set(const char *name, size_t len, unsigned long value)
{
    if (len == 4 && strncmp(name, "seed", len) == 0)
        atomic_store(&faults.seed, value);
    for (unsigned i = 0; i < KIND_COUNT; i++)
        if (strlen(names[i]) == len && strncmp(name, names[i], len) == 0)
            faults.in_a_million[i] = (uint32_t)value;
}

__attribute__((constructor)) static void
begin(void)
{
    const char *at = getenv("LARDER_FAULTS"), *report = getenv("LARDER_FAULTS_REPORT");

    for (const char *equals; at != NULL && (equals = strchr(at, '=')) != NULL; at = strchr(equals, ',')) {
        at += *at == ',';
        set(at, (size_t)(equals - at), strtoul(equals + 1, NULL, 10));
    }
    snprintf(faults.report, sizeof faults.report, "%s", report == NULL ? "" : report);
    signal(SIGUSR2, disarm);
}

__attribute__((destructor)) static void
end(void)
{
    FILE *file = faults.report[0] == '\0' ? NULL : fopen(faults.report, "w");

    for (unsigned i = 0; file != NULL && i < KIND_COUNT; i++)
        fprintf(file, "%s %llu\n", names[i], (unsigned long long)atomic_load(&faults.given[i]));
    if (file != NULL)
        fclose(file);
}

/* ── the calls ── */

#define WRAP(type, name, ...)                                                                                \
    type __real_##name(__VA_ARGS__);                                                                         \
    type __wrap_##name(__VA_ARGS__);                                                                         \
    type __wrap_##name(__VA_ARGS__)

WRAP(void *, malloc, size_t size)
{
    return fails(KIND_malloc) ? NULL : __real_malloc(size);
}

WRAP(void *, calloc, size_t count, size_t size)
{
    return fails(KIND_malloc) ? NULL : __real_calloc(count, size);
}

WRAP(void *, realloc, void *at, size_t size)
{
    return fails(KIND_malloc) ? NULL : __real_realloc(at, size);
}

WRAP(void *, aligned_alloc, size_t alignment, size_t size)
{
    return fails(KIND_malloc) ? NULL : __real_aligned_alloc(alignment, size);
}

WRAP(int, accept4, int fd, struct sockaddr *address, socklen_t *len, int flags)
{
    if (fails(KIND_accept4))
        return -1;
    int accepted = __real_accept4(fd, address, len, flags);
    if (accepted >= 0 && !atomic_load(&faults.over))
        atomic_store(&faults.armed, true);
    return accepted;
}

WRAP(ssize_t, recv, int fd, void *into, size_t size, int flags)
{
    return fails_at(KIND_recv, fd) ? -1 : __real_recv(fd, into, size, flags);
}

WRAP(ssize_t, __recv_chk, int fd, void *into, size_t size, size_t room, int flags)
{
    return fails_at(KIND_recv, fd) ? -1 : __real___recv_chk(fd, into, size, room, flags);
}

WRAP(ssize_t, sendmsg, int fd, const struct msghdr *message, int flags)
{
    return fails_at(KIND_sendmsg, fd) ? -1 : __real_sendmsg(fd, message, flags);
}

WRAP(int, connect, int fd, const struct sockaddr *address, socklen_t len)
{
    return fails(KIND_connect) ? -1 : __real_connect(fd, address, len);
}

WRAP(int, socket, int family, int type, int protocol)
{
    return fails(KIND_socket) ? -1 : __real_socket(family, type, protocol);
}

/* Taking a descriptor out does not fail. */
WRAP(int, epoll_ctl, int epoll, int operation, int fd, struct epoll_event *event)
{
    return operation == EPOLL_CTL_ADD && fails(KIND_epoll_ctl) ? -1 : __real_epoll_ctl(epoll, operation, fd, event);
}

WRAP(int, epoll_wait, int epoll, struct epoll_event *events, int most, int milliseconds)
{
    return fails(KIND_epoll_wait) ? -1 : __real_epoll_wait(epoll, events, most, milliseconds);
}

WRAP(ssize_t, pwritev, int fd, const struct iovec *pieces, int count, off_t at)
{
    return fails(KIND_pwritev) ? -1 : __real_pwritev(fd, pieces, count, at);
}

WRAP(ssize_t, pread, int fd, void *into, size_t size, off_t at)
{
    return fails(KIND_pread) ? -1 : __real_pread(fd, into, size, at);
}

WRAP(int, fdatasync, int fd)
{
    return fails(KIND_fdatasync) ? -1 : __real_fdatasync(fd);
}
