/* test_parts.c: sockets, the file of the admin socket, signals, names: each alone. */
#include "fixture.h"

#include "admin_socket.h"
#include "names.h"
#include "signals.h"
#include "sockets.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <larder/net/listener.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* ── sockets ── */

Test(server_sockets, one_for_each_address_and_worker)
{
    struct snapshot *snapshot = snapshot_of(FLAGS("--origin", "a:1", "--listen", "127.0.0.1:0 [::1]:0"));
    struct sockets   sockets;
    struct fault     fault;

    cr_assert_eq(sockets_open(&sockets, snapshot, 3, &fault), ERR_NONE);
    cr_expect_eq(sockets.count, 2);
    cr_expect_neq(addr_port(&sockets.bound[0]), 0);
    for (size_t i = 0; i < 2; i++)
        for (unsigned worker = 0; worker < 3; worker++) {
            struct addr addr = { .len = sizeof addr.storage };
            int         fd = sockets_take(&sockets, i, worker);
            cr_assert_geq(fd, 0);
            cr_assert_eq(getsockname(fd, (struct sockaddr *)&addr.storage, &addr.len), 0);
            cr_expect(addr_equal(&addr, &sockets.bound[i]));
            cr_expect_eq(sockets_take(&sockets, i, worker), -1);
            close(fd);
        }
    sockets_close(&sockets);
    snapshot_release(&snapshot);
}

Test(server_sockets, all_or_none)
{
    struct addr  taken;
    struct fault fault;
    char         listen[160], text[ADDR_TEXT_SIZE];
    int          fd;

    cr_assert_eq(addr_parse(SPAN("127.0.0.1:0"), &taken, &fault), ERR_NONE);
    cr_assert_eq(listener_bind(&taken, false, &fd, &taken, &fault), ERR_NONE);
    snprintf(listen, sizeof listen, "127.0.0.1:0 %s", addr_format(&taken, text));
    struct snapshot *snapshot = snapshot_of(FLAGS("--origin", "a:1", "--listen", listen));
    struct sockets   sockets;
    cr_expect_eq(sockets_open(&sockets, snapshot, 2, &fault), ERR_IN_USE);
    cr_expect_not_null(strstr(fault.text, text), "%s", fault.text);
    cr_expect_eq(fcntl(fd + 1, F_GETFD), -1); /* nothing was left open */
    snapshot_release(&snapshot);
    close(fd);
}

/* ── the admin socket ── */

Test(server_admin_socket, comes_and_goes)
{
    struct admin_socket socket;
    struct fault        fault;
    char                folder[FOLDER_SIZE], path[64];

    snprintf(path, sizeof path, "%s/a.sock", make_folder(folder));
    cr_assert_eq(admin_socket_open(&socket, path, &fault), ERR_NONE, "%s", fault.text);
    cr_expect_eq(access(path, F_OK), 0);
    admin_socket_close(&socket);
    cr_expect_eq(access(path, F_OK), -1);
    admin_socket_close(&socket);
    forget_folder(folder);
}

/* Somebody removed our file and put another there: it is not ours to remove. */
Test(server_admin_socket, what_is_anothers_stays)
{
    struct admin_socket ours, theirs;
    struct fault        fault;
    char                folder[FOLDER_SIZE], path[64], aside[64];

    snprintf(path, sizeof path, "%s/a.sock", make_folder(folder));
    snprintf(aside, sizeof aside, "%s/b.sock", folder);
    cr_assert_eq(admin_socket_open(&ours, path, &fault), ERR_NONE);
    cr_assert_eq(rename(path, aside), 0);
    cr_assert_eq(admin_socket_open(&theirs, path, &fault), ERR_NONE);
    admin_socket_close(&ours);
    cr_expect_eq(access(path, F_OK), 0);
    admin_socket_close(&theirs);
    unlink(aside);
    forget_folder(folder);
}

Test(server_admin_socket, what_cannot_be)
{
    struct admin_socket socket, second;
    struct fault        fault;
    char                folder[FOLDER_SIZE], path[200];

    cr_expect_neq(admin_socket_open(&socket, "/no/such/folder/a.sock", &fault), ERR_NONE);
    cr_expect_not_null(strstr(fault.text, "/no/such/folder/a.sock"), "%s", fault.text);
    admin_socket_close(&socket);
    memset(path, 'x', 150);
    path[150] = '\0';
    cr_expect_eq(admin_socket_open(&socket, path, &fault), ERR_RANGE);
    admin_socket_close(&socket);
    snprintf(path, sizeof path, "%s/a.sock", make_folder(folder));
    cr_assert_eq(admin_socket_open(&socket, path, &fault), ERR_NONE);
    cr_expect_eq(admin_socket_open(&second, path, &fault), ERR_IN_USE);
    admin_socket_close(&second);
    cr_expect_eq(access(path, F_OK), 0);
    admin_socket_close(&socket);
    forget_folder(folder);
}

/* ── signals ── */

static char     last[16];
static unsigned caught;

static void
note(struct signals *signals, int number, const char *name)
{
    (void)signals;
    (void)number;
    snprintf(last, sizeof last, "%s", name);
    caught++;
}

Test(server_signals, come_as_events)
{
    struct loop   *loop;
    struct signals signals;
    struct fault   fault;
    sigset_t       now;

    cr_assert_eq(loop_create(&loop, &fault), ERR_NONE);
    cr_assert_eq(signals_open(&signals, loop, note, &fault), ERR_NONE);
    loop_turn(loop, 0);
    cr_expect_eq(caught, 0);
    raise(SIGTERM);
    loop_turn(loop, NSEC_PER_SEC);
    cr_expect_eq(caught, 1);
    cr_expect_str_eq(last, "SIGTERM");
    raise(SIGHUP);
    loop_turn(loop, NSEC_PER_SEC);
    cr_expect_str_eq(last, "SIGHUP");
    signals_close(&signals);
    signals_close(&signals);
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    cr_expect_not(sigismember(&now, SIGTERM));
    loop_destroy(&loop);
}

/* ── names ── */

Test(server_names, literals_are_there_after_settling)
{
    struct snapshot *snapshot = snapshot_of(FLAGS("--origin", "127.0.0.1:7"));
    struct pool     *pool = snapshot->sites.sites[0].pool;
    struct loop     *loop;
    struct names     names;
    struct fault     fault;

    cr_assert_eq(loop_create(&loop, &fault), ERR_NONE);
    cr_expect_eq(pool_addresses(pool, NULL), 0);
    cr_assert_eq(names_open(&names, loop, &snapshot->sites, NULL, &fault), ERR_NONE);
    names_settle(&names, 100 * NSEC_PER_SEC);
    cr_expect_eq(names.untold, 0);
    cr_expect_eq(pool_addresses(pool, NULL), 1);
    names_close(&names);
    names_close(&names);
    loop_destroy(&loop);
    snapshot_release(&snapshot);
}

Test(server_names, settling_ends_when_its_time_is_over)
{
    struct snapshot *snapshot = snapshot_of(FLAGS("--origin", "127.0.0.1:7"));
    struct loop     *loop;
    struct names     names;
    struct fault     fault;

    cr_assert_eq(loop_create(&loop, &fault), ERR_NONE);
    cr_assert_eq(names_open(&names, loop, &snapshot->sites, NULL, &fault), ERR_NONE);
    names_settle(&names, 0);
    cr_expect_eq(names.untold, 1);
    names_close(&names);
    loop_destroy(&loop);
    snapshot_release(&snapshot);
}
