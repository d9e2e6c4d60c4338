/* peers.c: see peers.h. */
#include "peers.h"

#include <larder/base/check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_SIZE = 16 * 1024 };

/* ── one of them ── */

static void
hear(struct heard *heard, struct span bytes)
{
    if (heard->room - heard->len < bytes.len) {
        heard->room = 2 * heard->room + bytes.len;
        heard->bytes = realloc(heard->bytes, heard->room);
        CHECK(heard->bytes != NULL);
    }
    memcpy(heard->bytes + heard->len, bytes.at, bytes.len);
    heard->len += bytes.len;
}

static void
read_all(struct peer *peer)
{
    char    bytes[READ_SIZE];
    ssize_t got;

    while (peer->fd >= 0 && (got = recv(peer->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        hear(&peer->heard, span_of(bytes, (size_t)got));
        peer->asked = true;
    }
}

void
peer_send(struct peer *peer, struct span bytes)
{
    if (peer->fd >= 0 && bytes.len > 0)
        (void)!send(peer->fd, bytes.at, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    peer->asked = false;
}

void
peer_end(struct peer *peer)
{
    if (peer->fd >= 0)
        shutdown(peer->fd, SHUT_WR);
}

/* A Unix socket that is closed with bytes unread resets its peer; one that was read ends in order. */
void
peer_close(struct peer *peer, bool reset)
{
    if (!reset)
        read_all(peer);
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
    peer->asked = false;
}

/* ── all of them ── */

/* Bound to no name: the kernel chooses one that no other process has. */
void
peers_open(struct peers *peers)
{
    const struct sockaddr_un unnamed = { .sun_family = AF_UNIX };

    *peers = (struct peers){ .theirs = -1, .addr.len = sizeof peers->addr.storage };
    for (unsigned i = 0; i < CLIENTS; i++)
        peers->clients[i].fd = -1;
    peers->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(peers->listener >= 0);
    CHECK(bind(peers->listener, (const struct sockaddr *)&unnamed, sizeof unnamed.sun_family) == 0);
    CHECK(listen(peers->listener, LINKS_MAX) == 0);
    CHECK(getsockname(peers->listener, (struct sockaddr *)&peers->addr.storage, &peers->addr.len) == 0);
}

void
peers_close(struct peers *peers)
{
    peers_end_links(peers);
    for (unsigned i = 0; i < peers->link_count; i++)
        free(peers->links[i].heard.bytes);
    for (unsigned i = 0; i < CLIENTS; i++) {
        peer_close(&peers->clients[i], false);
        free(peers->clients[i].heard.bytes);
    }
    close(peers->listener);
}

void
peers_look(struct peers *peers)
{
    int fd;

    while ((fd = accept4(peers->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        CHECK(peers->link_count < LINKS_MAX); /* a few bytes must not make many connections */
        peers->links[peers->link_count++] = (struct peer){ .fd = fd };
    }
    for (unsigned i = 0; i < peers->link_count; i++)
        read_all(&peers->links[i]);
    for (unsigned i = 0; i < CLIENTS; i++)
        read_all(&peers->clients[i]);
}

struct peer *
peers_client(struct peers *peers, unsigned number)
{
    struct peer *client = &peers->clients[number];
    int          ends[2];

    if (client->fd >= 0)
        return client;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    client->fd = ends[0];
    client->heard.len = 0;
    peers->theirs = ends[1];
    return client;
}

struct peer *
peers_link(struct peers *peers)
{
    for (unsigned i = 0; i < peers->link_count; i++)
        if (peers->links[i].fd >= 0 && peers->links[i].asked)
            return &peers->links[i];
    for (unsigned i = peers->link_count; i > 0; i--)
        if (peers->links[i - 1].fd >= 0)
            return &peers->links[i - 1];
    return NULL;
}

void
peers_end_links(struct peers *peers)
{
    for (unsigned i = 0; i < peers->link_count; i++)
        peer_close(&peers->links[i], false);
}
