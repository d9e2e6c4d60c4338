/* dns.c: see dns.h.
 *
 * Levels out of edges. The loop tells a socket's edge once, while c-ares reads a TCP socket one piece at a
 * time, and may want to write to a socket that has long been writable. So a socket is polled when it is
 * told, and served again by a task for as long as poll finds something: a server that sends without end
 * takes one turn for each piece.
 *
 * c-ares may close a socket, and open another under the same number, inside of ares_process_fd. Nothing is
 * kept across that call but the number.
 *
 * c-ares cannot cancel one query of several. A forgotten query goes on and is freed when it ends.
 */
#include "dns.h"

#include <larder/base/check.h>

#include <ares.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { TRIES = 3 };

/* Which resolv.conf it was: a file that is written anew differs in one of these. */
struct edition {
    dev_t           device;
    ino_t           inode;
    off_t           size;
    struct timespec changed;
};

struct dns {
    struct loop        *loop;
    ares_channel        channel;
    struct timer        timer; /* the next time-out in c-ares */
    struct list         sockets;
    size_t              queries; /* under way, the forgotten ones included */
    struct dns_settings settings;
    struct edition      edition; /* of resolv.conf, when the channel was opened; zeros: there was none */
    bool                fixed;   /* dns_use_server */
};

struct dns_socket {
    struct list  node;
    struct dns  *dns;
    struct watch watch;
    struct task  again;
    bool         reads, writes; /* what c-ares wants */
};

struct dns_query {
    struct dns        *dns;
    struct dns_query **place; /* the owner's pointer here; NULL when forgotten */
    struct dns_answer *answer;
    void (*done)(struct dns_answer *answer);
    uint16_t port;
    bool     starting; /* still inside ares_getaddrinfo: what is answered now came from no server */
};

/* ── time-outs ── */

static void
arm_timer(struct dns *dns)
{
    struct timeval  left;
    struct timeval *wait = ares_timeout(dns->channel, NULL, &left);

    if (wait == NULL) {
        timer_cancel(dns->loop, &dns->timer);
        return;
    }
    nsec ns = (nsec)wait->tv_sec * NSEC_PER_SEC + (nsec)wait->tv_usec * NSEC_PER_USEC;
    timer_set(dns->loop, &dns->timer, mono_add(loop_now(dns->loop), ns));
}

static void
fire_timer(struct timer *timer)
{
    struct dns *dns = CONTAINER_OF(timer, struct dns, timer);

    ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm_timer(dns);
}

/* ── sockets ── */

static struct dns_socket *
find_socket(struct dns *dns, int fd)
{
    LIST_EACH(&dns->sockets, node)
    {
        struct dns_socket *socket = CONTAINER_OF(node, struct dns_socket, node);
        if (socket->watch.fd == fd)
            return socket;
    }
    return NULL;
}

static void
serve(struct dns_socket *socket)
{
    struct dns   *dns = socket->dns;
    int           fd = socket->watch.fd;
    int           wanted = (socket->reads ? POLLIN : 0) | (socket->writes ? POLLOUT : 0);
    struct pollfd ready = { .fd = fd, .events = (short)wanted };

    if (poll(&ready, 1, 0) <= 0)
        return; /* its next edge will come */
    bool broken = (ready.revents & (POLLERR | POLLHUP)) != 0;
    ares_process_fd(dns->channel, broken || (ready.revents & POLLIN) != 0 ? fd : ARES_SOCKET_BAD,
                    (ready.revents & POLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
    socket = find_socket(dns, fd);
    if (socket != NULL)
        task_defer(dns->loop, &socket->again);
    arm_timer(dns);
}

static void
handle_events(struct watch *watch, unsigned events)
{
    (void)events; /* poll knows more: it is asked anyway */
    serve(CONTAINER_OF(watch, struct dns_socket, watch));
}

static void
run_again(struct task *task)
{
    serve(CONTAINER_OF(task, struct dns_socket, again));
}

/* NULL when memory ends: the query then times out, and is told as failed. */
static struct dns_socket *
add_socket(struct dns *dns, int fd)
{
    struct dns_socket *socket = calloc(1, sizeof *socket);

    if (socket == NULL)
        return NULL;
    socket->dns = dns;
    socket->watch = (struct watch){ .fd = fd, .ready = handle_events };
    task_init(&socket->again, run_again);
    if (loop_watch(dns->loop, &socket->watch) != ERR_NONE) {
        free(socket);
        return NULL;
    }
    list_push_back(&dns->sockets, &socket->node);
    return socket;
}

static void
drop_socket(struct dns_socket *socket)
{
    loop_unwatch(socket->dns->loop, &socket->watch);
    task_cancel(socket->dns->loop, &socket->again);
    list_remove(&socket->node);
    free(socket);
}

/* c-ares opened a socket, wants something else of it, or (neither of the two) is about to close it. */
static void
change_socket(void *data, ares_socket_t fd, int readable, int writable)
{
    struct dns        *dns = data;
    struct dns_socket *socket = find_socket(dns, fd);

    if (!readable && !writable) {
        if (socket != NULL)
            drop_socket(socket);
        return;
    }
    if (socket == NULL)
        socket = add_socket(dns, fd);
    if (socket == NULL)
        return;
    socket->reads = readable;
    socket->writes = writable;
    task_defer(dns->loop, &socket->again); /* its edge may be long past */
}

/* ── answers ── */

static const char *
reason(int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
        return "the name does not exist";
    case ARES_SUCCESS: /* records, but no addresses */
    case ARES_ENODATA:
        return "the name has no address";
    case ARES_ETIMEOUT:
        return "no name server answers";
    case ARES_ECONNREFUSED:
        return "the name servers cannot be reached";
    case ARES_ESERVFAIL:
        return "the name server failed";
    case ARES_EREFUSED:
        return "the name server refuses to answer";
    case ARES_EBADNAME:
        return "it is no valid name";
    default:
        return ares_strerror(status);
    }
}

/* Only what makes the address: padding and flow labels would make equal ones differ. */
static bool
read_address(const struct ares_addrinfo_node *node, uint16_t port, struct addr *addr)
{
    struct sockaddr_in  in = { .sin_family = AF_INET, .sin_port = htons(port) }, seen;
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) }, seen6;

    *addr = (struct addr){ 0 };
    if (node->ai_family == AF_INET && node->ai_addrlen >= sizeof seen) {
        memcpy(&seen, node->ai_addr, sizeof seen);
        in.sin_addr = seen.sin_addr;
        addr->len = sizeof in;
        memcpy(&addr->storage, &in, sizeof in);
        return true;
    }
    if (node->ai_family == AF_INET6 && node->ai_addrlen >= sizeof seen6) {
        memcpy(&seen6, node->ai_addr, sizeof seen6);
        in6.sin6_addr = seen6.sin6_addr;
        addr->len = sizeof in6;
        memcpy(&addr->storage, &in6, sizeof in6);
        return true;
    }
    return false;
}

/* IPv4 first: a machine without a route to IPv6 is more frequent than the other way round. */
static int
compare(const struct addr *a, const struct addr *b)
{
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(&a->storage, &b->storage, a->len);
}

/* Answers rotate, so the 64 that are kept are the least ones and not the first ones. */
static void
insert(struct dns_answer *answer, const struct addr *addr)
{
    size_t at = 0;

    while (at < answer->count && compare(&answer->addrs[at], addr) < 0)
        at++;
    if (at == RESOLVER_ADDRS_MAX || (at < answer->count && compare(&answer->addrs[at], addr) == 0))
        return;
    if (answer->count < RESOLVER_ADDRS_MAX)
        answer->count++;
    memmove(&answer->addrs[at + 1], &answer->addrs[at], (answer->count - at - 1) * sizeof *addr);
    answer->addrs[at] = *addr;
}

static int
least_ttl(const struct ares_addrinfo *info)
{
    int least = INT_MAX;

    for (const struct ares_addrinfo_node *node = info->nodes; node != NULL; node = node->ai_next)
        least = node->ai_ttl < least ? node->ai_ttl : least;
    for (const struct ares_addrinfo_cname *name = info->cnames; name != NULL; name = name->next)
        least = name->ttl < least ? name->ttl : least;
    return least < 0 ? 0 : least;
}

static void
fill(const struct dns_query *query, int status, const struct ares_addrinfo *info)
{
    struct dns_answer *answer = query->answer;
    struct addr        addr;

    answer->count = 0;
    answer->local = query->starting;
    answer->ttl = info == NULL ? 0 : (nsec)least_ttl(info) * NSEC_PER_SEC;
    for (const struct ares_addrinfo_node *node = info == NULL ? NULL : info->nodes; node != NULL;
         node = node->ai_next)
        if (read_address(node, query->port, &addr))
            insert(answer, &addr);
    answer->why = answer->count > 0 ? "" : reason(status);
}

static void
handle_answer(void *argument, int status, int timeouts, struct ares_addrinfo *info)
{
    struct dns_query *query = argument;

    (void)timeouts;
    query->dns->queries--;
    if (query->place != NULL) {
        *query->place = NULL;
        fill(query, status, status == ARES_SUCCESS ? info : NULL);
        query->done(query->answer);
    }
    ares_freeaddrinfo(info);
    free(query);
}

/* ── questions ── */

/* NOSORT: c-ares would connect a socket to each address to learn its routes; we sort ourselves. */
static const struct ares_addrinfo_hints both_families = { .ai_family = AF_UNSPEC,
                                                          .ai_socktype = SOCK_STREAM,
                                                          .ai_flags = ARES_AI_NOSORT };

void
dns_ask(struct dns *dns, const char *host, uint16_t port, struct dns_query **query, struct dns_answer *answer,
        void (*done)(struct dns_answer *answer))
{
    struct dns_query *new = malloc(sizeof *new);

    CHECK(*query == NULL);
    if (new == NULL) {
        *answer = (struct dns_answer){ .why = err_text(ERR_NO_MEMORY) };
        done(answer);
        return;
    }
    *new = (struct dns_query){ dns, query, answer, done, port, .starting = true };
    *query = new;
    dns->queries++;
    ares_getaddrinfo(dns->channel, host, NULL, &both_families, handle_answer, new);
    if (*query != NULL)
        (*query)->starting = false;
    arm_timer(dns);
}

void
dns_forget(struct dns_query **query)
{
    if (*query == NULL)
        return;
    (*query)->place = NULL;
    *query = NULL;
}

/* ── life ── */

static struct edition
edition_of(const char *path)
{
    struct stat stat_;

    if (stat(path, &stat_) != 0)
        return (struct edition){ 0 };
    return (struct edition){ stat_.st_dev, stat_.st_ino, stat_.st_size, stat_.st_ctim };
}

static bool
edition_equal(const struct edition *a, const struct edition *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size
           && a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static int
open_channel(struct dns *dns)
{
    char                files_first[] = "fb";
    struct ares_options options = {
        .timeout = (int)(dns->settings.timeout / NSEC_PER_MSEC),
        .tries = TRIES,
        .lookups = files_first,
        .resolvconf_path = (char *)(uintptr_t)dns->settings.resolv_conf, /* c-ares copies it */
        .udp_port = dns->settings.port,
        .tcp_port = dns->settings.port,
        .sock_state_cb = change_socket,
        .sock_state_cb_data = dns,
    };
    int mask =
        ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF;

    if (dns->settings.port != 0)
        mask |= ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT;
    dns->edition = edition_of(dns->settings.resolv_conf);
    return ares_init_options(&dns->channel, &options, mask);
}

static int
set_up(struct dns *dns)
{
    int status = ares_library_init(ARES_LIB_INIT_ALL);

    if (status != ARES_SUCCESS)
        return status;
    status = open_channel(dns);
    if (status != ARES_SUCCESS)
        ares_library_cleanup();
    return status;
}

void
dns_refresh(struct dns *dns)
{
    struct edition now = edition_of(dns->settings.resolv_conf), edition = dns->edition;
    ares_channel   channel = dns->channel;

    if (dns->queries > 0 || dns->fixed || edition_equal(&now, &edition))
        return;
    if (open_channel(dns) == ARES_SUCCESS) {
        ares_destroy(channel); /* closes its sockets, which are told to `dns` */
    } else {
        dns->channel = channel;
        dns->edition = edition; /* the next question tries again */
    }
}

enum err
dns_open(struct dns **dns, struct loop *loop, const struct dns_settings *settings, struct fault *fault)
{
    struct dns *new = calloc(1, sizeof *new);

    if (new == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "cannot resolve names: %s", err_text(ERR_NO_MEMORY));
    new->loop = loop;
    new->settings = *settings;
    list_init(&new->sockets);
    timer_init(&new->timer, fire_timer);
    int status = set_up(new);
    if (status != ARES_SUCCESS) {
        free(new);
        return fault_set(fault, status == ARES_ENOMEM ? ERR_NO_MEMORY : ERR_SYSTEM,
                         "cannot resolve names: %s", ares_strerror(status));
    }
    *dns = new;
    return ERR_NONE;
}

/* ares_destroy calls handle_answer for each query, which frees it. */
void
dns_close(struct dns **dns)
{
    struct dns *old = *dns;

    ares_destroy(old->channel);
    ares_library_cleanup();
    timer_cancel(old->loop, &old->timer);
    CHECK(list_empty(&old->sockets));
    free(old);
    *dns = NULL;
}

enum err
dns_use_server(struct dns *dns, const char *server)
{
    switch (ares_set_servers_ports_csv(dns->channel, server)) {
    case ARES_SUCCESS:
        dns->fixed = true;
        return ERR_NONE;
    case ARES_ENOMEM:
        return ERR_NO_MEMORY;
    case ARES_ENOTIMP:
        return ERR_IN_USE; /* queries are under way */
    default:
        return ERR_SYNTAX;
    }
}
