/* test_sandbox.c: what is left to a process that has confined itself, tried out in children of the test. */
#include "fixture.h"

#include "identity.h"
#include "landlock.h"
#include "sandbox.h"
#include "syscalls.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that does `act` and ends with what it returns; the status as of waitpid. */
static int
status_of(int (*act)(const char *folder), const char *folder)
{
    int   status;
    pid_t child = fork();

    cr_assert_geq(child, 0);
    if (child == 0)
        _exit(act(folder));
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

static const struct user nobody = { .name = "nobody", .uid = 65534, .gid = 65534 };

#ifdef LARDER_SANITIZED

static int
try_both(const char *folder)
{
    struct sandbox_report       report;
    const struct landlock_grant own[] = { { folder, LANDLOCK_KEEP } };
    struct fault                fault = { .text = "" };

    if (sandbox_enter(SANDBOX_STRICT, own, sizeof own / sizeof own[0], &report, &fault) != ERR_UNSUPPORTED
        || strstr(fault.text, "sanitizers") == NULL)
        return 1;
    return sandbox_enter(SANDBOX_ON, own, sizeof own / sizeof own[0], &report, &fault) == ERR_NONE
                   && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0
               ? 0
               : 2;
}

Test(server_sandbox, is_not_for_sanitizers)
{
    char folder[FOLDER_SIZE];
    cr_expect_eq(status_of(try_both, make_folder(folder)), 0);
    forget_folder(folder);
}

#else

/* Ends the child with a number that says where. */
#define NEED(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            dprintf(STDERR_FILENO, "line %d: %s: %s\n", __LINE__, #condition, strerror(errno));              \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

/* The admin socket's folder is "admin" in `folder`, and the rest of `folder` is not ours. */
static void
enter(const char *folder)
{
    char                        admin[FOLDER_SIZE + 8], cache[FOLDER_SIZE + 8];
    struct sandbox_report       report;
    const struct landlock_grant own[] = { { cache, LANDLOCK_KEEP },
                                          { admin, LANDLOCK_REMOVE },
                                          { NULL, LANDLOCK_READ } };
    struct fault                fault = { .text = "" };

    snprintf(admin, sizeof admin, "%s/admin", folder);
    snprintf(cache, sizeof cache, "%s/cache", folder);
    enum err err = sandbox_enter(SANDBOX_STRICT, own, sizeof own / sizeof own[0], &report, &fault);
    if (err != ERR_NONE)
        dprintf(STDERR_FILENO, "%s\n", fault.text);
    NEED(err == ERR_NONE);
    NEED(chdir(folder) != 0 && errno == ENOSYS); /* tests name files in full */
}

static int
open_in(const char *folder, const char *name, int flags)
{
    char path[FOLDER_SIZE + 64];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return open(path, flags | O_CLOEXEC, 0600);
}

static int
remove_in(const char *folder, const char *name)
{
    char path[FOLDER_SIZE + 64];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return unlink(path);
}

static void
prepare(char folder[static FOLDER_SIZE])
{
    char path[FOLDER_SIZE + 64];

    if (landlock_edition() == 0 || !syscalls_can_confine())
        cr_skip_test("this kernel has no Landlock, or no seccomp filters");
    make_folder(folder);
    snprintf(path, sizeof path, "%s/admin", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/cache", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    close(open_in(folder, "admin/socket", O_WRONLY | O_CREAT));
    close(open_in(folder, "secret", O_WRONLY | O_CREAT));
}

static void
forget(const char *folder)
{
    char path[FOLDER_SIZE + 64];

    remove_in(folder, "admin/socket");
    remove_in(folder, "secret");
    snprintf(path, sizeof path, "%s/admin", folder);
    cr_expect_eq(rmdir(path), 0);
    snprintf(path, sizeof path, "%s/cache", folder);
    cr_expect_eq(rmdir(path), 0);
    forget_folder(folder);
}

/* ── files ── */

static int
use_files(const char *folder)
{
    char from[FOLDER_SIZE + 64], to[FOLDER_SIZE + 64];

    enter(folder);
    int fd = open_in(folder, "cache/a", O_RDWR | O_CREAT | O_EXCL);
    NEED(fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0 && fallocate(fd, 0, 0, 4096) == 0);
    snprintf(from, sizeof from, "%s/cache/a", folder);
    snprintf(to, sizeof to, "%s/cache/b", folder);
    NEED(rename(from, to) == 0 && unlink(to) == 0);
    snprintf(to, sizeof to, "%s/a", folder);
    NEED(mkdir(from, 0700) != 0 && errno == EACCES);
    NEED(symlink(from, to) != 0 && errno == ENOSYS);
    NEED(chmod(from, 04777) != 0 && errno == ENOSYS);

    NEED(open_in(folder, "secret", O_RDONLY) < 0 && errno == EACCES);
    NEED(open_in(folder, "new", O_WRONLY | O_CREAT) < 0 && errno == EACCES);
    NEED(open_in(folder, "admin/socket", O_RDONLY) < 0 && errno == EACCES);
    NEED(open_in(folder, "admin/new", O_WRONLY | O_CREAT) < 0 && errno == EACCES);
    NEED(remove_in(folder, "secret") != 0 && errno == EACCES);
    NEED(remove_in(folder, "admin/socket") == 0);
    return 0;
}

static int
use_the_systems_files(const char *folder)
{
    enter(folder);
    NEED(open("/etc/hosts", O_RDONLY) >= 0);
    NEED(open("/etc/hosts", O_WRONLY) < 0 && errno == EACCES);
    NEED(open("/dev/urandom", O_RDONLY) >= 0);
    NEED(open("/proc/sys/kernel/random/boot_id", O_RDONLY) >= 0);
    NEED(open("/proc/self/mem", O_RDWR) < 0 && errno == EACCES);
    NEED(open("/proc/self/environ", O_RDONLY) < 0 && errno == EACCES);
    NEED(open("/bin/sh", O_RDONLY) < 0 && errno == EACCES);
    return 0;
}

Test(server_sandbox, files_are_those_of_the_configuration)
{
    char folder[FOLDER_SIZE];
    prepare(folder);
    cr_expect_eq(status_of(use_files, folder), 0);
    cr_expect_eq(status_of(use_the_systems_files, folder), 0);
    forget(folder);
}

/* ── system calls ── */

static void *
note_thread(void *argument)
{
    *(pid_t *)argument = gettid();
    return NULL;
}

static int
work(const char *folder)
{
    struct rlimit limit;
    pthread_t     thread;
    char          name[16];
    pid_t         noted = 0;

    enter(folder);
    NEED(prctl(PR_SET_NAME, "confined") == 0 && prctl(PR_GET_NAME, name) == 0
         && strcmp(name, "confined") == 0);
    NEED(prctl(PR_SET_DUMPABLE, 1) != 0 && errno == ENOSYS);
    NEED(socket(AF_INET, SOCK_DGRAM, 0) >= 0 && socket(AF_INET6, SOCK_STREAM, 0) >= 0);
    NEED(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == ENOSYS);
    NEED(socket(AF_NETLINK, SOCK_RAW, 0) < 0 && errno == ENOSYS);
    NEED(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    NEED(setrlimit(RLIMIT_NOFILE, &limit) != 0 && errno == ENOSYS);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    NEED(page != MAP_FAILED);
    NEED(mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0 && errno == ENOSYS);
    NEED(mprotect(page, 4096, PROT_READ) == 0);
    NEED(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    NEED(kill(getppid(), 0) != 0 && errno == ENOSYS);
    NEED(syscall(SYS_tgkill, getppid(), getppid(), 0) != 0 && errno == ENOSYS);
    NEED(syscall(425 /* io_uring_setup */, 1, NULL) != 0 && errno == ENOSYS);
    NEED(pthread_create(&thread, NULL, note_thread, &noted) == 0 && pthread_join(thread, NULL) == 0);
    NEED(noted != 0 && noted != gettid());
    return 0;
}

static int
panic(const char *folder)
{
    signal(SIGABRT, SIG_DFL);
    enter(folder);
    abort();
}

Test(server_sandbox, what_is_needed_works_and_the_rest_is_not_there)
{
    char folder[FOLDER_SIZE];
    prepare(folder);
    cr_expect_eq(status_of(work, folder), 0);
    int status = status_of(panic, folder);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%d", status);
    cr_expect(!WCOREDUMP(status));
    forget(folder);
}

/* Each of them is the last thing that its child does. */

static int
run_a_program(const char *folder)
{
    enter(folder);
    return execl("/bin/true", "true", NULL);
}

static int
make_a_process(const char *folder)
{
    enter(folder);
    return fork() < 0;
}

static int
change_user(const char *folder)
{
    enter(folder);
    return setuid(geteuid());
}

static int
trace(const char *folder)
{
    enter(folder);
    return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int
read_another(const char *folder)
{
    struct iovec local = { &local, 1 };
    enter(folder);
    return (int)process_vm_readv(getppid(), &local, 1, &local, 1, 0);
}

static void *
run_in_thread(void *argument)
{
    (void)argument;
    execl("/bin/true", "true", NULL);
    return NULL;
}

static int
run_from_another_thread(const char *folder)
{
    pthread_t thread;

    enter(folder);
    NEED(pthread_create(&thread, NULL, run_in_thread, NULL) == 0);
    pthread_join(thread, NULL);
    return 0;
}

Test(server_sandbox, what_only_an_intruder_does_ends_the_process)
{
    static int (*const acts[])(const char *) = { run_a_program, make_a_process, change_user,
                                                 trace,         read_another,   run_from_another_thread };
    char folder[FOLDER_SIZE];

    prepare(folder);
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        int status = status_of(acts[i], folder);
        cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "act %zu: status %x", i,
                  (unsigned)status);
        cr_expect(!WCOREDUMP(status));
    }
    forget(folder);
}

/* What a process that may not be looked into has in /proc belongs to root, whoever it is. */
static int
hide_from_our_user(const char *folder)
{
    struct stat  memory;
    struct fault fault;

    NEED(identity_take(&nobody, &fault) == ERR_NONE && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
    NEED(stat("/proc/self/mem", &memory) == 0 && memory.st_uid == nobody.uid);
    enter(folder);
    NEED(stat("/proc/self/mem", &memory) == 0 && memory.st_uid == 0);
    return 0;
}

Test(server_sandbox, nobody_may_look_into_it)
{
    char folder[FOLDER_SIZE];

    if (geteuid() != 0)
        cr_skip_test("only root can become another user");
    prepare(folder);
    cr_expect_eq(status_of(hide_from_our_user, folder), 0);
    forget(folder);
}

#endif

/* ── the user ── */

static int
become_nobody(const char *folder)
{
    struct fault fault = { .text = "" };
    struct stat  stat_of_folder;
    char         cache[FOLDER_SIZE + 8];
    gid_t        groups[8];

    snprintf(cache, sizeof cache, "%s/cache", folder);
    if (identity_make_folder(&nobody, cache, &fault) != ERR_NONE || stat(cache, &stat_of_folder) != 0
        || stat_of_folder.st_uid != nobody.uid || stat_of_folder.st_gid != nobody.gid)
        return 1;
    if (identity_take(&nobody, &fault) != ERR_NONE || getuid() != nobody.uid || getegid() != nobody.gid)
        return 2;
    if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setgid(0) == 0 || getgroups(8, groups) != 1
        || groups[0] != nobody.gid)
        return 3;
    if (identity_check(&nobody, &fault) != ERR_NONE || identity_take(&nobody, &fault) != ERR_NONE)
        return 4; /* it is who we are */
    const struct user root = { .name = "root" };
    if (identity_check(&root, &fault) != ERR_DENIED || identity_take(&root, &fault) != ERR_DENIED
        || strstr(fault.text, "only root can become another user") == NULL)
        return 5;
    if (identity_check_folder(&nobody, cache, &fault) != ERR_DENIED
        || strstr(fault.text, "chown -R nobody ") == NULL)
        return 6; /* the folder above it is root's alone */
    return 0;
}

Test(server_identity, root_is_left_for_good)
{
    char folder[FOLDER_SIZE], cache[FOLDER_SIZE + 8];

    if (geteuid() != 0)
        cr_skip_test("only root can become another user");
    cr_expect_eq(status_of(become_nobody, make_folder(folder)), 0);
    snprintf(cache, sizeof cache, "%s/cache", folder);
    cr_expect_eq(rmdir(cache), 0);
    forget_folder(folder);
}
