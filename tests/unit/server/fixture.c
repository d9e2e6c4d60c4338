/* fixture.c: see fixture.h. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <larder/config/load.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct snapshot *
snapshot_of(char *const argv[])
{
    struct report    report;
    struct snapshot *snapshot;
    struct fault     fault = { .text = "" };
    int              argc = 0;

    while (argv[argc] != NULL)
        argc++;
    report_init(&report);
    cr_assert_eq(config_load_arguments(argc, argv, &report, &snapshot, &fault), ERR_NONE, "%s", fault.text);
    report_fini(&report);
    snapshot->settings.sandbox = SANDBOX_OFF; /* it would hold for the test's own process */
    return snapshot;
}

char *
make_folder(char out[static FOLDER_SIZE])
{
    snprintf(out, FOLDER_SIZE, "/tmp/larder-server-XXXXXX");
    cr_assert_not_null(mkdtemp(out));
    return out;
}

void
forget_folder(const char *folder)
{
    cr_expect_eq(rmdir(folder), 0, "something was left in %s", folder);
}

int
connect_to(const struct addr *addr)
{
    int fd = socket(addr->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&addr->storage, addr->len), 0);
    return fd;
}
