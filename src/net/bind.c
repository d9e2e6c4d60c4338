/* bind.c: listening sockets, made at boot, with errors that a person can act on.
 *
 * TCP. Several sockets of this process share one address through SO_REUSEPORT, but a second larder of the
 * same user must not slip into the group and take half of the connections. So the first socket is bound
 * without the option, which fails when anybody holds the address, and gets it right after, so that the next
 * ones may join. There is no moment at which two processes could both believe that they were first.
 *
 * Unix. A socket file outlives its process. If nobody answers at the path, it is removed and bound anew;
 * the mode is set before bind, so that there is no moment at which others may connect.
 */
#include <larder/net/listener.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 }; /* the kernel lowers it to net.core.somaxconn */

/* What a connection takes of the kernel's memory beyond what its peer can take: who reads slowly would hold megabytes, for
 * nothing. Accepted sockets inherit it. */
enum { UNSENT_MAX = 256 * 1024 };

static enum err
set_flag(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? err_from_errno(errno) : ERR_NONE;
}

/* ── TCP ── */

static bool
is_any_ipv6(const struct addr *addr)
{
    struct sockaddr_in6 in6;

    if (addr->storage.ss_family != AF_INET6)
        return false;
    memcpy(&in6, &addr->storage, sizeof in6);
    return IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr);
}

/* "All interfaces" on a machine without IPv6 means those of IPv4. */
static int
open_socket(struct addr *addr)
{
    int kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(addr->storage.ss_family, kind, 0);

    if (fd >= 0 || errno != EAFNOSUPPORT || !is_any_ipv6(addr))
        return fd;
    addr_from_literal(SPAN("0.0.0.0"), addr_port(addr), addr);
    return socket(AF_INET, kind, 0);
}

static const char *
advice(int number)
{
    switch (number) {
    case EADDRINUSE:
        return "address already in use: another process listens there; stop it, or choose another port";
    case EACCES:
        return "permission denied: ports below 1024 need root or CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL:
        return "this machine has no such address";
    case EAFNOSUPPORT:
        return "this machine has no IPv6";
    default:
        return NULL;
    }
}

static enum err
refuse(const struct addr *addr, int number, struct fault *fault)
{
    char        text[ADDR_TEXT_SIZE];
    const char *words = advice(number);

    addr_format(addr, text);
    if (words == NULL)
        return fault_set_errno(fault, number, "%s: cannot listen", text);
    return fault_set(fault, err_from_errno(number), "%s: %s", text, words);
}

static bool
bind_and_listen(int fd, const struct addr *addr, bool reuse)
{
    /* Connections of an earlier run in TIME_WAIT do not hold the port; a listening socket does. */
    if (set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) != ERR_NONE)
        return false;
    if (addr->storage.ss_family == AF_INET6 && set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) != ERR_NONE)
        return false;
    if (reuse && set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1) != ERR_NONE)
        return false;
    if (bind(fd, (const struct sockaddr *)&addr->storage, addr->len) < 0)
        return false;
    if (!reuse && set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1) != ERR_NONE)
        return false;
    if (set_flag(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX) != ERR_NONE)
        return false;
    return listen(fd, BACKLOG) == 0;
}

enum err
listener_bind(const struct addr *addr, bool reuse, int *fd, struct addr *bound, struct fault *fault)
{
    struct addr here = *addr;
    int         new = open_socket(&here);

    if (new < 0)
        return refuse(&here, errno, fault);
    if (!bind_and_listen(new, &here, reuse)) {
        int number = errno;
        close(new);
        return refuse(&here, number, fault);
    }
    *bound = (struct addr){ .len = sizeof bound->storage };
    if (getsockname(new, (struct sockaddr *)&bound->storage, &bound->len) < 0) {
        int number = errno;
        close(new);
        return refuse(&here, number, fault);
    }
    *fd = new;
    return ERR_NONE;
}

/* ── Unix ── */

static enum err
unix_addr(const char *path, struct addr *addr, struct fault *fault)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    size_t             len = strlen(path);

    if (len == 0)
        return fault_set(fault, ERR_SYNTAX, "the path of a Unix socket is empty");
    if (len >= sizeof un.sun_path)
        return fault_set(fault, ERR_RANGE, "%s: the path of a Unix socket has at most %zu bytes", path,
                         sizeof un.sun_path - 1);
    memcpy(un.sun_path, path, len);
    *addr = (struct addr){ .len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1) };
    memcpy(&addr->storage, &un, sizeof un);
    return ERR_NONE;
}

/* ERR_REFUSED when the socket at the path is nobody's. A full backlog (EAGAIN) is an answer too. */
static enum err
try_connect(const struct addr *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_from_errno(errno);
    int failed = connect(fd, (const struct sockaddr *)&addr->storage, addr->len);
    enum err err = failed == 0 ? ERR_NONE : err_from_errno(errno);
    close(fd);
    return err;
}

/* Two processes that start at once may both find the same stale file; the later one wins the path. */
static enum err
remove_stale(const char *path, const struct addr *addr, struct fault *fault)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return fault_set_errno(fault, errno, "%s", path);
    if (!S_ISSOCK(status.st_mode))
        return fault_set(fault, ERR_EXISTS,
                         "%s: a file that is no socket is in the way; move it, or choose another path", path);
    switch (try_connect(addr)) {
    case ERR_REFUSED:
        break;
    case ERR_DENIED:
        return fault_set(fault, ERR_DENIED, "%s: a socket of another user is in the way", path);
    default:
        return fault_set(fault, ERR_IN_USE,
                         "%s: another process answers there; stop it, or choose another path", path);
    }
    if (unlink(path) < 0)
        return fault_set_errno(fault, errno, "%s: cannot remove a stale socket", path);
    return ERR_NONE;
}

static bool
bind_unix(int fd, const struct addr *addr)
{
    return bind(fd, (const struct sockaddr *)&addr->storage, addr->len) == 0;
}

static enum err
bind_at(int fd, const char *path, const struct addr *addr, struct fault *fault)
{
    /* Linux gives the file the socket's own mode, less the umask. */
    if (fchmod(fd, S_IRUSR | S_IWUSR) < 0)
        return fault_set_errno(fault, errno, "%s: cannot set its mode", path);
    if (!bind_unix(fd, addr)) {
        if (errno != EADDRINUSE)
            return fault_set_errno(fault, errno, "%s: cannot listen", path);
        enum err err = remove_stale(path, addr, fault);
        if (err != ERR_NONE)
            return err;
        if (!bind_unix(fd, addr))
            return fault_set_errno(fault, errno, "%s: cannot listen", path);
    }
    if (listen(fd, BACKLOG) < 0)
        return fault_set_errno(fault, errno, "%s: cannot listen", path);
    return ERR_NONE;
}

enum err
listener_bind_unix(const char *path, int *fd, struct fault *fault)
{
    struct addr addr;
    enum err    err = unix_addr(path, &addr, fault);

    if (err != ERR_NONE)
        return err;
    int new = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (new < 0)
        return fault_set_errno(fault, errno, "%s: cannot listen", path);
    err = bind_at(new, path, &addr, fault);
    if (err != ERR_NONE) {
        close(new);
        return err;
    }
    *fd = new;
    return ERR_NONE;
}
