/* scripted.h: an origin in a thread that follows a script: for each connection, for each request, these bytes.
 *
 * A script is a list of turns. A turn reads a request (its head, and `body` bytes more), then sends `answer`, and then keeps the
 * connection for the next turn, ends it, or breaks it. What was received is kept for the test to look at.
 */
#ifndef ORIGIN_SCRIPTED_H
#define ORIGIN_SCRIPTED_H

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <larder/net/addr.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum after { KEEP, END, BREAK, HOLD /* until the other side ends */ };

struct turn {
    const char *answer;
    size_t      body; /* bytes of the request's body to wait for */
    enum after  after;
    bool        deaf; /* answers without having read anything */
};

struct scripted {
    const struct turn *turns;
    size_t             count;
    int                listener;
    struct addr        addr;
    pthread_t          thread;
    bool               finished;
    char               seen[64 * 1024];
    size_t             seen_len;
    unsigned           connections;
};

static inline bool
scripted_read(struct scripted *origin, int fd, size_t body)
{
    size_t from = origin->seen_len;
    for (;;) {
        char  *end = NULL;
        size_t have = origin->seen_len - from;
        origin->seen[origin->seen_len] = '\0';
        if ((end = strstr(origin->seen + from, "\r\n\r\n")) != NULL
            && have >= (size_t)(end + 4 - (origin->seen + from)) + body)
            return true;
        ssize_t got =
            recv(fd, origin->seen + origin->seen_len, sizeof origin->seen - 1 - origin->seen_len, 0);
        if (got <= 0)
            return false;
        origin->seen_len += (size_t)got;
    }
}

static inline void *
scripted_run(void *argument)
{
    struct scripted *origin = argument;
    for (size_t i = 0; i < origin->count;) {
        int fd = accept(origin->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        origin->connections++;
        for (bool keep = true; keep && i < origin->count;) {
            const struct turn *turn = &origin->turns[i];
            if (!turn->deaf && !scripted_read(origin, fd, turn->body))
                break;
            i++;
            send(fd, turn->answer, strlen(turn->answer), MSG_NOSIGNAL);
            keep = turn->after == KEEP;
            struct linger at_once = { 1, 0 };
            if (turn->after == BREAK)
                setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
            char byte;
            while (turn->after == HOLD && recv(fd, &byte, 1, 0) > 0)
                ;
        }
        close(fd);
    }
    return NULL;
}

static inline void
scripted_start(struct scripted *origin, const struct turn *turns, size_t count)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    memset(origin, 0, sizeof *origin);
    origin->turns = turns;
    origin->count = count;
    origin->listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(origin->listener, (struct sockaddr *)&name, sizeof name), 0);
    cr_assert_eq(listen(origin->listener, 16), 0);
    origin->addr.len = sizeof origin->addr.storage;
    cr_assert_eq(getsockname(origin->listener, (struct sockaddr *)&origin->addr.storage, &origin->addr.len),
                 0);
    cr_assert_eq(pthread_create(&origin->thread, NULL, scripted_run, origin), 0);
}

/* Waits until the whole script was played. */
static inline void
scripted_finish(struct scripted *origin)
{
    pthread_join(origin->thread, NULL);
    origin->finished = true;
}

static inline void
scripted_stop(struct scripted *origin)
{
    shutdown(origin->listener, SHUT_RDWR); /* wakes accept */
    if (!origin->finished)
        pthread_join(origin->thread, NULL);
    close(origin->listener);
}

#endif
