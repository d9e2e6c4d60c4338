/* resolver.c: c-ares on our loop.
 *
 *      c-ares says which sockets it wants watched ─▶ loop ─▶ ares_process_fd ─▶ callback ─▶ told
 *
 * A watch has at most one query under way, and one timer for the next. When a watch is dropped while its query is under way, the query
 * goes on without it (c-ares cannot cancel a single one) and frees the rest when it ends.
 */
#include <larder/net/resolver.h>

#include <ares.h>
#include <larder/base/check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOCKETS_MAX = 32, NAME_SIZE = 256, TTL_LEAST = 1, TTL_MOST = 300, TTL_UNKNOWN = 60, BACKOFF_MOST = 30 };

struct resolver_socket {
    struct watch     watch;
    struct resolver *resolver;
    bool             used;
};

struct resolver {
    struct loop           *loop;
    ares_channel           channel;
    struct timer           timer;
    struct resolver_socket sockets[SOCKETS_MAX];
    unsigned               watches;
};

struct resolver_watch {
    struct resolver *resolver;
    resolver_told   *told; /* NULL: dropped */
    void            *owner;
    struct timer     again;
    uint16_t         port;
    bool             asking, failing;
    unsigned         backoff; /* seconds */
    struct addr      literal;
    bool             is_literal;
    char             host[NAME_SIZE];
};

/* ── c-ares and the loop ── */

static void
arm_timer(struct resolver *resolver)
{
    struct timeval most = { .tv_sec = 1 }, left;
    struct timeval *wait = ares_timeout(resolver->channel, &most, &left);

    timer_set(resolver->loop, &resolver->timer,
              mono_add(loop_now(resolver->loop), (nsec)wait->tv_sec * NSEC_PER_SEC + (nsec)wait->tv_usec * NSEC_PER_USEC));
}

static void
fire_timer(struct timer *timer)
{
    struct resolver *resolver = CONTAINER_OF(timer, struct resolver, timer);
    fd_set           reads, writes;

    FD_ZERO(&reads);
    FD_ZERO(&writes);
    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* time-outs only */
    if (ares_fds(resolver->channel, &reads, &writes) > 0)
        arm_timer(resolver);
}

static void
handle_ready(struct watch *watch, unsigned events)
{
    struct resolver_socket *socket = CONTAINER_OF(watch, struct resolver_socket, watch);
    int                     fd = watch->fd;

    ares_process_fd(socket->resolver->channel, events & (WATCH_READ | WATCH_ERROR) ? fd : ARES_SOCKET_BAD,
                    events & WATCH_WRITE ? fd : ARES_SOCKET_BAD);
}

static struct resolver_socket *
find_socket(struct resolver *resolver, int fd, bool used)
{
    for (unsigned i = 0; i < SOCKETS_MAX; i++)
        if (resolver->sockets[i].used == used && (!used || resolver->sockets[i].watch.fd == fd))
            return &resolver->sockets[i];
    return NULL;
}

/* c-ares opens, wants or closes a socket. */
static void
change_socket(void *data, ares_socket_t fd, int readable, int writable)
{
    struct resolver        *resolver = data;
    struct resolver_socket *socket = find_socket(resolver, fd, true);

    if (!readable && !writable) {
        if (socket != NULL) {
            loop_unwatch(resolver->loop, &socket->watch);
            socket->used = false;
        }
        return;
    }
    if (socket != NULL || (socket = find_socket(resolver, fd, false)) == NULL)
        return; /* without a watch the query times out */
    *socket = (struct resolver_socket){ .watch = { .fd = fd, .ready = handle_ready }, .resolver = resolver };
    socket->used = loop_watch(resolver->loop, &socket->watch) == ERR_NONE;
}

enum err
resolver_create(struct resolver **out, struct loop *loop, struct fault *fault)
{
    struct resolver    *resolver = calloc(1, sizeof *resolver);
    struct ares_options options = { .timeout = 2000, .tries = 3, .sock_state_cb = change_socket, .sock_state_cb_data = resolver };

    *out = NULL;
    if (resolver == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "no memory for the resolver");
    resolver->loop = loop;
    timer_init(&resolver->timer, fire_timer);
    int failed = ares_library_init(ARES_LIB_INIT_ALL);
    if (failed == 0)
        failed = ares_init_options(&resolver->channel, &options,
                                   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (failed != 0) {
        free(resolver);
        return fault_set(fault, ERR_SYSTEM, "cannot start the resolver: %s", ares_strerror(failed));
    }
    *out = resolver;
    return ERR_NONE;
}

void
resolver_destroy(struct resolver **pointer)
{
    struct resolver *resolver = *pointer;
    *pointer = NULL;
    if (resolver == NULL)
        return;
    CHECK(resolver->watches == 0);
    ares_destroy(resolver->channel); /* ends what is under way with ARES_EDESTRUCTION */
    timer_cancel(resolver->loop, &resolver->timer);
    ares_library_cleanup();
    free(resolver);
}

enum err
resolver_use_server(struct resolver *resolver, const char *server)
{
    return ares_set_servers_ports_csv(resolver->channel, server) == ARES_SUCCESS ? ERR_NONE : ERR_SYNTAX;
}

/* ── answers ── */

static void ask(struct resolver_watch *watch);

static void
ask_again_in(struct resolver_watch *watch, unsigned seconds)
{
    struct loop *loop = watch->resolver->loop;
    timer_set(loop, &watch->again, mono_add(loop_now(loop), (nsec)seconds * NSEC_PER_SEC));
}

static int
compare_addrs(const void *a, const void *b)
{
    const struct addr *one = a, *two = b;
    return one->len != two->len ? (one->len < two->len ? -1 : 1) : memcmp(&one->storage, &two->storage, one->len);
}

static void
take_answer(struct resolver_watch *watch, const struct ares_addrinfo *info)
{
    static const struct addr none;
    struct addr              addrs[RESOLVER_ADDRS_MAX];
    size_t                   count = 0;
    int                      ttl = 0;

    for (const struct ares_addrinfo_node *node = info->nodes; node != NULL && count < RESOLVER_ADDRS_MAX; node = node->ai_next) {
        addrs[count] = none;
        addrs[count].len = node->ai_addrlen;
        memcpy(&addrs[count].storage, node->ai_addr, node->ai_addrlen);
        count++;
        if (node->ai_ttl > 0 && (ttl == 0 || node->ai_ttl < ttl))
            ttl = node->ai_ttl;
    }
    qsort(addrs, count, sizeof addrs[0], compare_addrs);
    watch->failing = false;
    watch->backoff = 0;
    ttl = ttl == 0 ? TTL_UNKNOWN : ttl < TTL_LEAST ? TTL_LEAST : ttl > TTL_MOST ? TTL_MOST : ttl;
    ask_again_in(watch, (unsigned)ttl);
    watch->told(watch->owner, addrs, count, "");
}

static void
take_failure(struct resolver_watch *watch, int status)
{
    bool news = !watch->failing;

    watch->failing = true;
    watch->backoff = watch->backoff == 0 ? 1 : watch->backoff * 2 > BACKOFF_MOST ? BACKOFF_MOST : watch->backoff * 2;
    ask_again_in(watch, watch->backoff);
    if (news)
        watch->told(watch->owner, NULL, 0, ares_strerror(status));
}

static void
handle_answer(void *argument, int status, int timeouts, struct ares_addrinfo *info)
{
    struct resolver_watch *watch = argument;

    (void)timeouts;
    watch->asking = false;
    if (watch->told == NULL)
        free(watch);
    else if (status == ARES_SUCCESS && info->nodes != NULL)
        take_answer(watch, info);
    else if (status != ARES_EDESTRUCTION)
        take_failure(watch, status == ARES_SUCCESS ? ARES_ENODATA : status);
    ares_freeaddrinfo(info);
}

static void
ask(struct resolver_watch *watch)
{
    struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NUMERICSERV };
    char                       service[8];

    if (watch->is_literal) {
        watch->told(watch->owner, &watch->literal, 1, "");
        return;
    }
    snprintf(service, sizeof service, "%u", watch->port);
    watch->asking = true;
    ares_getaddrinfo(watch->resolver->channel, watch->host, service, &hints, handle_answer, watch);
    arm_timer(watch->resolver);
}

static void
fire_again(struct timer *timer)
{
    ask(CONTAINER_OF(timer, struct resolver_watch, again));
}

struct resolver_watch *
resolver_watch_name(struct resolver *resolver, struct span host, uint16_t port, resolver_told *told, void *owner)
{
    struct resolver_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL || host.len >= sizeof watch->host) {
        free(watch);
        return NULL;
    }
    watch->resolver = resolver;
    watch->told = told;
    watch->owner = owner;
    watch->port = port;
    memcpy(watch->host, host.at, host.len);
    watch->is_literal = addr_from_literal(host, port, &watch->literal);
    timer_init(&watch->again, fire_again);
    timer_set(resolver->loop, &watch->again, loop_now(resolver->loop)); /* not from within this call */
    resolver->watches++;
    return watch;
}

void
resolver_unwatch(struct resolver_watch **pointer)
{
    struct resolver_watch *watch = *pointer;
    *pointer = NULL;
    if (watch == NULL)
        return;
    watch->resolver->watches--;
    timer_cancel(watch->resolver->loop, &watch->again);
    watch->told = NULL;
    if (!watch->asking)
        free(watch);
}
