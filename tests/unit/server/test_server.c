/* test_server.c: a whole server in the test's process: started, asked, stopped; and starts that fail. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <larder/net/listener.h>
#include <larder/server/server.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct server *
start(struct snapshot *snapshot)
{
    struct server *server;
    struct fault   fault = { .text = "" };

    cr_assert_eq(server_start(&server, snapshot, NULL, &fault), ERR_NONE, "%s", fault.text);
    return server;
}

/* The whole answer to a request whose connection ends with it. free() it. */
static char *
ask(int fd, const char *request)
{
    char   *answer = calloc(1, 65536);
    size_t  got = 0;
    ssize_t n = 1;

    cr_assert_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    while (n > 0 && got < 65535) {
        n = recv(fd, answer + got, 65535 - got, 0);
        got += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return answer;
}

Test(server, serves_until_a_signal)
{
    char folder[FOLDER_SIZE], path[64];
    snprintf(path, sizeof path, "%s/a.sock", make_folder(folder));
    struct snapshot *snapshot = snapshot_of(FLAGS("--origin", "127.0.0.1:1", "--listen", "127.0.0.1:0",
                                                  "--ram", "8M", "--admin", path, "--workers", "3"));
    struct server   *server = start(snapshot);

    snapshot_release(&snapshot); /* the server has its own reference */
    cr_expect_null(server_address(server, 1));
    char *answer =
        ask(connect_to(server_address(server, 0)), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    cr_expect_not_null(strstr(answer, "HTTP/1.1 502 "), "%s", answer);
    free(answer);
    raise(SIGTERM);
    server_run(server);
    server_destroy(&server);
    forget_folder(folder);
}

Test(server, a_signal_before_it_runs_is_not_lost)
{
    char folder[FOLDER_SIZE], path[64];
    snprintf(path, sizeof path, "%s/a.sock", make_folder(folder));
    struct snapshot *snapshot = snapshot_of(
        FLAGS("--origin", "127.0.0.1:1", "--listen", "127.0.0.1:0", "--ram", "8M", "--admin", path));
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    raise(SIGINT);
    struct server *server = start(snapshot);
    server_run(server);
    server_destroy(&server);
    snapshot_release(&snapshot);
    forget_folder(folder);
}

/* Without server_run: what a failure after the start would do. */
Test(server, can_be_destroyed_while_it_serves)
{
    char folder[FOLDER_SIZE], path[64];
    snprintf(path, sizeof path, "%s/a.sock", make_folder(folder));
    struct snapshot *snapshot = snapshot_of(
        FLAGS("--origin", "127.0.0.1:1", "--listen", "127.0.0.1:0", "--ram", "8M", "--admin", path));
    struct server *server = start(snapshot);

    int fd = connect_to(server_address(server, 0));
    server_destroy(&server);
    cr_expect_null(server);
    close(fd);
    snapshot_release(&snapshot);
    forget_folder(folder);
}

struct question {
    int  fd;
    bool good;
};

/* Asks, and when it has its answer, says that the server may stop. */
static void *
ask_admin(void *argument)
{
    struct question *question = argument;
    char *answer = ask(question->fd, "GET /v1/stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

    question->good = strstr(answer, "\"workers\":2") != NULL && strstr(answer, "\"proxy.hits\"") != NULL
                     && strstr(answer, "\"origin.fetches\"") != NULL
                     && strstr(answer, "\"store.objects\"") != NULL;
    free(answer);
    kill(getpid(), SIGTERM);
    return NULL;
}

Test(server, the_admin_api_answers_while_it_runs)
{
    char               folder[FOLDER_SIZE];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct question    question = { .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    pthread_t          client;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/a.sock", make_folder(folder));
    struct snapshot *snapshot =
        snapshot_of(FLAGS("--origin", "127.0.0.1:1", "--listen", "127.0.0.1:0", "--ram", "8M", "--admin",
                          address.sun_path, "--workers", "2"));
    struct server *server = start(snapshot);

    cr_assert_eq(connect(question.fd, (const struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(pthread_create(&client, NULL, ask_admin, &question), 0);
    server_run(server);
    pthread_join(client, NULL);
    cr_expect(question.good);
    server_destroy(&server);
    snapshot_release(&snapshot);
    forget_folder(folder);
}

Test(server, raises_the_limit_of_descriptors)
{
    char          folder[FOLDER_SIZE], path[64];
    struct rlimit limit;
    snprintf(path, sizeof path, "%s/a.sock", make_folder(folder));
    struct snapshot *snapshot = snapshot_of(
        FLAGS("--origin", "127.0.0.1:1", "--listen", "127.0.0.1:0", "--ram", "8M", "--admin", path));

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max / 2;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct server *server = start(snapshot);
    getrlimit(RLIMIT_NOFILE, &limit);
    cr_expect_eq(limit.rlim_cur, limit.rlim_max);
    server_destroy(&server);
    snapshot_release(&snapshot);
    forget_folder(folder);
}

/* ── starts that fail ── */

/* The number of open descriptors. */
static int
count_open(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* One fault that names `what`, and nothing is left: no descriptor, no file of the socket in `folder`. */
static void
expect_no_start(char *const flags[], const char *folder, const char *what)
{
    struct snapshot *snapshot = snapshot_of(flags);
    struct server   *server;
    struct fault     fault = { .text = "" };
    int              before = count_open();

    cr_expect_neq(server_start(&server, snapshot, NULL, &fault), ERR_NONE);
    cr_expect_null(server);
    cr_expect_not_null(strstr(fault.text, what), "%s is not in: %s", what, fault.text);
    cr_expect_null(strchr(fault.text, '\n'));
    cr_expect_eq(count_open(), before);
    snapshot_release(&snapshot);
    forget_folder(folder);
}

Test(server, a_taken_port)
{
    struct addr  taken;
    struct fault fault;
    char         folder[FOLDER_SIZE], path[64], text[ADDR_TEXT_SIZE];
    int          fd;

    snprintf(path, sizeof path, "%s/a.sock", make_folder(folder));
    cr_assert_eq(addr_parse(SPAN("127.0.0.1:0"), &taken, &fault), ERR_NONE);
    cr_assert_eq(listener_bind(&taken, false, &fd, &taken, &fault), ERR_NONE);
    addr_format(&taken, text);
    expect_no_start(FLAGS("--origin", "a:1", "--listen", text, "--admin", path, "--ram", "8M"), folder, text);
    close(fd);
}

Test(server, a_folder_that_cannot_be)
{
    char folder[FOLDER_SIZE], path[64];

    snprintf(path, sizeof path, "%s/a.sock", make_folder(folder));
    expect_no_start(FLAGS("--origin", "a:1", "--listen", "127.0.0.1:0", "--admin", path, "--cache",
                          "/proc/nothing", "8M"),
                    folder, "/proc/nothing");
}

Test(server, an_admin_socket_that_cannot_be)
{
    char folder[FOLDER_SIZE], path[64];

    snprintf(path, sizeof path, "%s/none/a.sock", make_folder(folder));
    expect_no_start(FLAGS("--origin", "a:1", "--listen", "127.0.0.1:0", "--admin", path, "--ram", "8M"),
                    folder, path);
}
