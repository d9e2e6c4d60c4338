/* crash.c: see crash.h.
 */
#include "crash.h"

#include "layout.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct mood crash_mood;
char        crash_root[64];

/* ── a disk with moods ── */

static bool
fails(atomic_int *left)
{
    if (atomic_load(left) <= 0)
        return false;
    atomic_fetch_sub(left, 1);
    errno = EIO;
    return true;
}

static ssize_t
moody_pwritev(int fd, const struct iovec *pieces, int count, off_t at)
{
    return fails(&crash_mood.fail_write) ? -1 : pwritev(fd, pieces, count, at);
}

static ssize_t
moody_pread(int fd, void *bytes, size_t len, off_t at)
{
    atomic_fetch_add(&crash_mood.reads, 1);
    return fails(&crash_mood.fail_read) ? -1 : pread(fd, bytes, len, at);
}

static int
moody_fdatasync(int fd)
{
    atomic_fetch_add(&crash_mood.syncs, 1);
    return fails(&crash_mood.fail_sync) ? -1 : fdatasync(fd);
}

static mono_time
moody_mono(void)
{
    return mono_add(clock_mono(), atomic_load(&crash_mood.ahead));
}

const struct disk_calls crash_calls = { .pwritev = moody_pwritev,
                                        .pread = moody_pread,
                                        .fallocate = fallocate,
                                        .fdatasync = moody_fdatasync,
                                        .mono = moody_mono };

/* ── stores ── */

void
crash_make_root(void)
{
    snprintf(crash_root, sizeof crash_root, "/tmp/larder-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(crash_root));
}

void
crash_remove_root(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", crash_root);
    cr_assert_eq(system(command), 0);
}

struct fixture
crash_open_as(uint64_t size, const struct eviction *eviction, struct log *log)
{
    struct store_config config = {
        .directory = crash_root, .size = size, .readers = 4, .eviction = eviction, .log = log
    };
    struct fixture fixture = { .now = clock_wall(), .lifetime = HOUR };
    struct fault   fault;

    cr_assert_eq(store_open_with(&fixture.store, &config, &crash_calls, &fault), ERR_NONE, "%s", fault.text);
    fixture_wait_ready(&fixture);
    return fixture;
}

struct fixture
crash_open(void)
{
    return crash_open_as(8 * MIB, NULL, NULL);
}

void
crash_run_as(uint64_t size, const struct eviction *eviction, crash_work *work)
{
    int   status;
    pid_t pid = fork();

    cr_assert_geq(pid, 0);
    if (pid == 0) {
        struct fixture fixture = crash_open_as(size, eviction, NULL);
        work(&fixture);
        kill(getpid(), SIGKILL);
    }
    while (waitpid(pid, &status, 0) < 0)
        cr_assert_eq(errno, EINTR);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the run ended with %d", status);
}

void
crash_run(crash_work *work)
{
    crash_run_as(8 * MIB, NULL, work);
}

void
crash_settle(struct fixture *fixture)
{
    atomic_fetch_add(&crash_mood.ahead, 60 * NSEC_PER_SEC);
    fixture_settle(fixture);
}

/* ── files ── */

static int
open_file(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", crash_root, name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    cr_assert_geq(fd, 0, "%s", path);
    return fd;
}

bool
crash_exists(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", crash_root, name);
    return access(path, F_OK) == 0;
}

uint64_t
crash_size(const char *name)
{
    struct stat status;
    int         fd = open_file(name);
    cr_assert_eq(fstat(fd, &status), 0);
    close(fd);
    return (uint64_t)status.st_size;
}

void
crash_read(const char *name, uint64_t at, void *bytes, size_t len)
{
    int fd = open_file(name);
    cr_assert_eq(pread(fd, bytes, len, (off_t)at), (ssize_t)len);
    close(fd);
}

void
crash_write(const char *name, uint64_t at, const void *bytes, size_t len)
{
    int fd = open_file(name);
    cr_assert_eq(pwrite(fd, bytes, len, (off_t)at), (ssize_t)len);
    close(fd);
}

void
crash_flip(const char *name, uint64_t at)
{
    unsigned char byte;
    crash_read(name, at, &byte, 1);
    byte ^= 0x40;
    crash_write(name, at, &byte, 1);
}

void
crash_change_boot(void)
{
    struct segment_header header;
    for (uint64_t at = 0; at < crash_size("shard-00.dat"); at += CRASH_SEGMENT) {
        crash_read("shard-00.dat", at, &header, sizeof header);
        if (le32_get(header.magic) != SEGMENT_MAGIC)
            continue;
        header.boot[0] ^= 1;
        header.sum = le64_of(hash_checksum(span_of(&header, offsetof(struct segment_header, sum))));
        crash_write("shard-00.dat", at, &header, sizeof header);
    }
}

uint64_t
crash_find_bytes(const char *name, const void *bytes, size_t len)
{
    uint64_t size = crash_size(name);
    char    *all = malloc(size);
    crash_read(name, 0, all, size);
    const char *at = memmem(all, size, bytes, len);
    cr_assert_not_null(at);
    uint64_t found = (uint64_t)(at - all);
    free(all);
    return found;
}
