/* sockets.c: see sockets.h. */
#include "sockets.h"

#include <larder/base/check.h>
#include <larder/net/listener.h>
#include <stdlib.h>
#include <unistd.h>

static int *
slot(const struct sockets *sockets, size_t address, unsigned worker)
{
    CHECK(address < sockets->count && worker < sockets->workers);
    return &sockets->fds[address * sockets->workers + worker];
}

/* The first socket finds out whether the port is free, and which one it is; the others join it. */
static enum err
bind_address(struct sockets *sockets, size_t address, const struct addr *wanted, struct fault *fault)
{
    struct addr *bound = &sockets->bound[address];

    enum err err = listener_bind(wanted, false, slot(sockets, address, 0), bound, fault);
    for (unsigned worker = 1; worker < sockets->workers && err == ERR_NONE; worker++)
        err = listener_bind(bound, true, slot(sockets, address, worker), bound, fault);
    return err;
}

enum err
sockets_open(struct sockets *sockets, const struct snapshot *snapshot, unsigned workers, struct fault *fault)
{
    size_t   all = snapshot->listen_count * workers;
    enum err err = ERR_NONE;

    *sockets = (struct sockets){ .count = snapshot->listen_count, .workers = workers };
    sockets->fds = malloc(all * sizeof sockets->fds[0]);
    if (sockets->fds == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < all; i++)
        sockets->fds[i] = -1;
    for (size_t i = 0; i < snapshot->listen_count; i++)
        sockets->proxy_protocol[i] = snapshot->listens[i].proxy_protocol;
    for (size_t i = 0; i < snapshot->listen_count && err == ERR_NONE; i++)
        err = bind_address(sockets, i, &snapshot->listens[i].addr, fault);
    if (err != ERR_NONE)
        sockets_close(sockets);
    return err;
}

int
sockets_take(struct sockets *sockets, size_t address, unsigned worker)
{
    int *at = slot(sockets, address, worker), fd = *at;
    *at = -1;
    return fd;
}

void
sockets_close(struct sockets *sockets)
{
    for (size_t i = 0; sockets->fds != NULL && i < sockets->count * sockets->workers; i++)
        if (sockets->fds[i] >= 0)
            close(sockets->fds[i]);
    free(sockets->fds);
    sockets->fds = NULL;
}
