/* fake_server.c: see fake_server.h. */
#include "fake_server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The request ends with its head, or with the "}" of its body. */
static bool
is_whole(const struct text *asked)
{
    const char *end = strstr(text_cstr(asked), "\r\n\r\n");
    if (end == NULL)
        return false;
    return strstr(text_cstr(asked), "Content-Length") == NULL || span_ends(text_span(asked), SPAN("}"));
}

static void *
serve(void *argument)
{
    struct fake_server *server = argument;
    char                piece[4096];
    ssize_t             got = 1;
    int                 fd = accept(server->fd, NULL, NULL);

    while (got > 0 && !is_whole(&server->asked)) {
        got = recv(fd, piece, sizeof piece, 0);
        if (got > 0)
            text_append(&server->asked, span_of(piece, (size_t)got));
    }
    for (struct span rest = span_of_text(server->answer); rest.len > 0;) {
        ssize_t put = send(fd, rest.at, rest.len, MSG_NOSIGNAL);
        if (put < 0)
            break;
        rest = span_skip(rest, (size_t)put);
    }
    close(fd);
    return NULL;
}

void
fake_server_open(struct fake_server *server, const char *answer)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char               folder[] = "/tmp/larder-cli-XXXXXX";

    *server = (struct fake_server){ .answer = answer };
    text_init(&server->asked, 1 << 20);
    cr_assert_not_null(mkdtemp(folder));
    snprintf(server->path, sizeof server->path, "%s/a.sock", folder);
    strcpy(address.sun_path, server->path);
    server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(server->fd, (const struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(server->fd, 1), 0);
    cr_assert_eq(pthread_create(&server->thread, NULL, serve, server), 0);
}

void
fake_server_close(struct fake_server *server)
{
    char folder[64];

    pthread_join(server->thread, NULL);
    close(server->fd);
    unlink(server->path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(server->path, '/') - server->path), server->path);
    rmdir(folder);
}

char *
fake_answer(const char *status, const char *body)
{
    char *answer = NULL;

    cr_assert_gt(asprintf(&answer,
                          "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                          "Connection: close\r\n\r\n%s",
                          status, strlen(body), body),
                 0);
    return answer;
}
