/* name_server.h: a scripted name server in the test's own loop, over UDP and TCP.
 *
 *      question ─▶ script adds records, or an error, or silence ─▶ reply
 */
#ifndef TESTS_NET_NAME_SERVER_H
#define TESTS_NET_NAME_SERVER_H

#include <larder/net/listener.h>

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, NXDOMAIN = 3, SERVFAIL = 2, REPLY_MAX = 8192 };

struct reply {
    unsigned      rcode, count;
    size_t        len;
    size_t        owner; /* where the name of the next record stands; 0: the question's */
    bool          silent, truncated;
    unsigned char bytes[REPLY_MAX];
};

struct server {
    struct watch    watch;
    struct listener listener; /* the same port, for answers that are too long for UDP */
    struct watch    tcp;
    struct loop    *loop;
    char            address[ADDR_TEXT_SIZE];
    unsigned        asked_a, asked_aaaa, asked_tcp;
    /* Adds records by add_*, or sets rcode, silent, truncated. */
    void (*script)(struct server *server, unsigned type, bool tcp, struct reply *reply);
};

void server_open(struct server *server, struct loop *loop,
                 void (*script)(struct server *, unsigned, bool, struct reply *));
void server_close(struct server *server);

/* For scripts: one record more, for the name that was asked; after an alias, for what that names. */
void add_a(struct reply *reply, unsigned ttl, const char *ip);
void add_aaaa(struct reply *reply, unsigned ttl, const char *ip);
void add_alias(struct reply *reply, unsigned ttl);

#endif
