/* name_server.c: see name_server.h. RFC 1035 §4 has the formats. */
#include "name_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUESTION = 12 }; /* where its name stands */

static void
put_u16(struct reply *reply, unsigned value)
{
    reply->bytes[reply->len++] = (unsigned char)(value >> 8);
    reply->bytes[reply->len++] = (unsigned char)value;
}

/* RFC 1035 §4.1.3; the name is a pointer. */
static void
add_record(struct reply *reply, unsigned type, unsigned ttl, const void *data, unsigned size)
{
    cr_assert_lt(reply->len + 12 + size, REPLY_MAX);
    put_u16(reply, 0xc000 | (unsigned)(reply->owner == 0 ? QUESTION : reply->owner));
    put_u16(reply, type);
    put_u16(reply, 1);
    put_u16(reply, ttl >> 16);
    put_u16(reply, ttl & 0xffff);
    put_u16(reply, size);
    memcpy(reply->bytes + reply->len, data, size);
    reply->len += size;
    reply->count++;
}

void
add_a(struct reply *reply, unsigned ttl, const char *ip)
{
    struct in_addr in;

    cr_assert_eq(inet_pton(AF_INET, ip, &in), 1);
    add_record(reply, TYPE_A, ttl, &in, sizeof in);
}

void
add_aaaa(struct reply *reply, unsigned ttl, const char *ip)
{
    struct in6_addr in6;

    cr_assert_eq(inet_pton(AF_INET6, ip, &in6), 1);
    add_record(reply, TYPE_AAAA, ttl, &in6, sizeof in6);
}

/* "alias." before the name that was asked. */
void
add_alias(struct reply *reply, unsigned ttl)
{
    static const unsigned char name[] = { 5, 'a', 'l', 'i', 'a', 's', 0xc0, QUESTION };

    add_record(reply, TYPE_CNAME, ttl, name, sizeof name);
    reply->owner = reply->len - sizeof name;
}

/* Copies id and question, runs the script, and completes the header (RFC 1035 §4.1.1). */
static void
make_reply(struct server *server, const unsigned char *query, size_t len, bool tcp, struct reply *reply)
{
    size_t end = QUESTION;

    *reply = (struct reply){ 0 };
    while (end < len && query[end] != 0)
        end += query[end] + 1u;
    end += 5;
    cr_assert_leq(end, len);
    memcpy(reply->bytes, query, end);
    reply->len = end;
    unsigned type = (unsigned)(query[end - 4] << 8 | query[end - 3]);
    server->asked_a += type == TYPE_A;
    server->asked_aaaa += type == TYPE_AAAA;
    server->asked_tcp += tcp;
    server->script(server, type, tcp, reply);
    reply->bytes[2] = (unsigned char)(0x81 | (reply->truncated ? 2 : 0));
    reply->bytes[3] = (unsigned char)(0x80 | reply->rcode);
    memset(reply->bytes + 6, 0, 6);
    reply->bytes[6] = (unsigned char)(reply->count >> 8);
    reply->bytes[7] = (unsigned char)reply->count;
}

static void
serve_udp(struct watch *watch, unsigned events)
{
    struct server          *server = CONTAINER_OF(watch, struct server, watch);
    unsigned char           query[512];
    struct reply           *reply = malloc(sizeof *reply);
    struct sockaddr_storage from;
    socklen_t               from_len = sizeof from;
    ssize_t                 n;

    (void)events;
    while ((n = recvfrom(watch->fd, query, sizeof query, 0, (struct sockaddr *)&from, &from_len)) > 0) {
        make_reply(server, query, (size_t)n, false, reply);
        if (!reply->silent)
            sendto(watch->fd, reply->bytes, reply->len, 0, (struct sockaddr *)&from, from_len);
        from_len = sizeof from;
    }
    free(reply);
}

static void
close_tcp(struct server *server)
{
    loop_unwatch(server->loop, &server->tcp);
    close(server->tcp.fd);
    server->tcp.fd = -1;
}

/* c-ares reads the length and the message one by one, and gets one edge for all that is there. */
static void
serve_tcp(struct watch *watch, unsigned events)
{
    struct server *server = CONTAINER_OF(watch, struct server, tcp);
    unsigned char  bytes[1024], *query = bytes;
    struct reply  *reply = malloc(sizeof *reply);
    ssize_t        n;

    (void)events;
    while ((n = recv(watch->fd, bytes, sizeof bytes, 0)) > 0) {
        for (query = bytes; query < bytes + n; query += 2 + (query[0] << 8 | query[1])) {
            make_reply(server, query + 2, (size_t)(query[0] << 8 | query[1]), true, reply);
            unsigned char prefix[2] = { (unsigned char)(reply->len >> 8), (unsigned char)reply->len };
            send(watch->fd, prefix, 1, MSG_NOSIGNAL);
            send(watch->fd, prefix + 1, 1, MSG_NOSIGNAL);
            send(watch->fd, reply->bytes, reply->len, MSG_NOSIGNAL);
        }
    }
    free(reply);
    if (n == 0 || errno != EAGAIN)
        close_tcp(server);
}

static void
accept_tcp(struct listener *listener, int fd, const struct addr *peer)
{
    struct server *server = listener->owner;

    (void)peer;
    cr_assert_lt(server->tcp.fd, 0, "one connection at a time is all this server has");
    server->tcp = (struct watch){ .fd = fd, .ready = serve_tcp };
    cr_assert_eq(loop_watch(server->loop, &server->tcp), ERR_NONE);
}

void
server_open(struct server *server, struct loop *loop,
            void (*script)(struct server *, unsigned, bool, struct reply *))
{
    struct addr  addr;
    struct fault fault;
    int          listening;

    *server = (struct server){ .loop = loop, .script = script, .tcp.fd = -1 };
    cr_assert(addr_from_literal(SPAN("127.0.0.1"), 0, &addr));
    cr_assert_eq(listener_bind(&addr, false, &listening, &addr, &fault), ERR_NONE);
    cr_assert_eq(listener_open(&server->listener, loop, listening, accept_tcp, server), ERR_NONE);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&addr.storage, addr.len), 0);
    addr_format(&addr, server->address);
    server->watch = (struct watch){ .fd = fd, .ready = serve_udp };
    cr_assert_eq(loop_watch(loop, &server->watch), ERR_NONE);
}

void
server_close(struct server *server)
{
    if (server->tcp.fd >= 0)
        close_tcp(server);
    listener_close(&server->listener);
    loop_unwatch(server->loop, &server->watch);
    close(server->watch.fd);
}
