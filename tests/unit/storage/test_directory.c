/* test_directory.c: the directory of a store: made, locked, refused, used again; and a disk without room.
 */
#include "fixture.h"

#include "directory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64]; /* each test is a process of its own */

static const char *
in_root(const char *name)
{
    static char paths[4][256];
    static int  next;
    char       *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static void
make_root(void)
{
    snprintf(root, sizeof root, "/tmp/larder-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
}

static void
remove_root(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", root);
    cr_assert_eq(system(command), 0);
}

TestSuite(storage_directory, .init = make_root, .fini = remove_root);

static enum err
open_at(struct store **store, const char *directory, uint64_t size, const struct disk_calls *calls,
        struct fault *fault)
{
    struct store_config config = { .directory = directory, .size = size, .readers = 4 };
    return store_open_with(store, &config, calls != NULL ? calls : &disk_calls_real, fault);
}

static struct store *
must_open(const char *directory, uint64_t size)
{
    struct store *store;
    struct fault  fault;
    cr_assert_eq(open_at(&store, directory, size, NULL, &fault), ERR_NONE, "%s", fault.text);
    return store;
}

static void
must_refuse(const char *directory, enum err wanted, const char *words)
{
    struct store *store = NULL;
    struct fault  fault;
    cr_assert_eq(open_at(&store, directory, 8 * MIB, NULL, &fault), wanted);
    cr_assert_not_null(strstr(fault.text, words), "\"%s\" does not say \"%s\"", fault.text, words);
    cr_assert_null(store);
}

static bool
exists(const char *name)
{
    struct stat status;
    return lstat(in_root(name), &status) == 0;
}

static void
put(const char *name, const char *bytes, size_t len)
{
    int fd = open(in_root(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
    close(fd);
}

/* ── made and used ── */

Test(storage_directory, is_made_and_allocated_in_full)
{
    struct stat   status;
    struct store *store = must_open(in_root("cache"), 8 * MIB);

    cr_assert_eq(stat(in_root("cache"), &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0700);
    cr_assert_eq(stat(in_root("cache/shard-00.dat"), &status), 0);
    cr_assert_eq(status.st_size, 8 * MIB);
    cr_assert_geq(status.st_blocks * 512, 8 * MIB);
    cr_assert_eq(status.st_mode & 0777, 0600);
    store_close(&store);
    cr_assert(exists("cache/shard-00.dat"));
}

Test(storage_directory, stores_and_finds)
{
    struct fixture fixture = { .store = must_open(root, 8 * MIB), .now = clock_wall(), .lifetime = HOUR };

    for (uint64_t i = 0; i < 3000; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 5000), ERR_NONE);
    cr_assert_gt(fixture_census(&fixture, 3000), 1000);
    fixture_close(&fixture);
}

Test(storage_directory, an_own_store_is_found_again_with_the_same_seed)
{
    struct fixture fixture = { .store = must_open(root, 8 * MIB), .now = clock_wall(), .lifetime = HOUR };
    unsigned char  seed[HASH_SEED_SIZE];

    cr_assert_eq(fixture_append(&fixture, 1, 0, 5000), ERR_NONE);
    memcpy(seed, store_seed(fixture.store)->seed, sizeof seed);
    fixture_close(&fixture);
    for (int i = 0; i < 3; i++) {
        fixture.store = must_open(root, 8 * MIB);
        cr_assert_eq(memcmp(seed, store_seed(fixture.store)->seed, sizeof seed), 0);
        fixture_wait_ready(&fixture);
        cr_assert(fixture_has(&fixture, 1, NULL));
        cr_assert_eq(fixture_append(&fixture, 1, 0, 5000), ERR_NONE);
        fixture_close(&fixture);
    }
}

/* What the log says, for there is no other way to learn that the content is gone. */
Test(storage_directory, beginning_empty_is_said)
{
    int                 pipe_ends[2];
    char                text[4096] = "";
    struct fault        fault;
    struct store       *store = must_open(root, 9 * MIB);
    struct store_config config = { .directory = root, .size = 8 * MIB, .readers = 1 };

    store_close(&store);
    cr_assert_eq(pipe(pipe_ends), 0);
    cr_assert_eq(log_open(&config.log, pipe_ends[1], LOG_INFO), ERR_NONE);
    cr_assert_eq(log_start(config.log), ERR_NONE);
    cr_assert_eq(store_open(&store, &config, &fault), ERR_NONE);
    store_close(&store);
    log_close(&config.log);
    cr_assert_gt(read(pipe_ends[0], text, sizeof text - 1), 0);
    cr_assert_not_null(strstr(text, "starting empty: it was made for another size"), "%s", text);
    cr_assert_not_null(strstr(text, "1 shards of 8"));
}

Test(storage_directory, another_size_uses_and_removes_its_files)
{
    struct stat   status;
    struct store *store = must_open(root, 256 * (uint64_t)MIB);

    cr_assert_eq(store_metrics_count(store), 4);
    store_close(&store);
    cr_assert(exists("shard-03.dat"));
    store = must_open(root, 8 * MIB);
    cr_assert_not(exists("shard-01.dat"));
    cr_assert_not(exists("shard-03.dat"));
    cr_assert_eq(stat(in_root("shard-00.dat"), &status), 0);
    cr_assert_eq(status.st_size, 8 * MIB);
    store_close(&store);
}

Test(storage_directory, superblocks_alternate)
{
    struct super  a, b;
    struct store *store = must_open(root, 8 * MIB);
    int           fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    cr_assert_eq(super_read(fd, "super.B", &b), SUPER_VALID);
    cr_assert_eq(super_read(fd, "super.A", &a), SUPER_NONE);
    cr_assert_eq(le64_get(b.generation), 1);
    cr_assert_eq(le32_get(b.flags), 0);
    cr_assert_eq(le32_get(b.shards), 1);
    cr_assert_eq(le32_get(b.segment_size), 256 * 1024);
    cr_assert_eq(le64_get(b.shard_size), 8 * MIB);
    store_close(&store);
    cr_assert_eq(super_read(fd, "super.A", &a), SUPER_VALID);
    cr_assert_eq(le64_get(a.generation), 2);
    cr_assert_eq(le32_get(a.flags), SUPER_CLEAN);
    close(fd);
}

Test(storage_directory, one_damaged_superblock_is_no_loss_both_are_a_new_store)
{
    struct store *store = must_open(root, 8 * MIB);
    unsigned char seed[HASH_SEED_SIZE], page[SUPER_SIZE];

    memcpy(seed, store_seed(store)->seed, sizeof seed);
    store_close(&store);
    const char *names[] = { "super.A", "super.B" };
    for (int i = 0; i < 2; i++) {
        int fd = open(in_root(names[i]), O_RDWR | O_CLOEXEC);
        cr_assert_eq(pread(fd, page, sizeof page, 0), SUPER_SIZE);
        page[90] ^= 1;
        cr_assert_eq(pwrite(fd, page, sizeof page, 0), SUPER_SIZE);
        close(fd);
        if (i == 0) {
            store = must_open(root, 8 * MIB); /* writes the damaged one again */
            cr_assert_eq(memcmp(seed, store_seed(store)->seed, sizeof seed), 0);
            store_close(&store);
            int again = open(in_root(names[0]), O_RDWR | O_CLOEXEC);
            cr_assert_eq(pwrite(again, page, sizeof page, 0), SUPER_SIZE);
            close(again);
        }
    }
    store = must_open(root, 8 * MIB);
    cr_assert_neq(memcmp(seed, store_seed(store)->seed, sizeof seed), 0);
    store_close(&store);
}

/* Both copies say a format that this version does not know: begun anew, and said. */
Test(storage_directory, another_format_is_begun_empty_and_said)
{
    int                 ends[2];
    char                text[4096] = "", page[SUPER_SIZE];
    struct fault        fault;
    struct store       *store = must_open(root, 8 * MIB);
    struct store_config config = { .directory = root, .size = 8 * MIB, .readers = 1 };
    const char         *names[] = { "super.A", "super.B" };

    store_close(&store);
    for (int i = 0; i < 2; i++) {
        int fd = open(in_root(names[i]), O_RDWR | O_CLOEXEC);
        cr_assert_eq(pread(fd, page, sizeof page, 0), SUPER_SIZE);
        page[8] = 1;
        cr_assert_eq(pwrite(fd, page, sizeof page, 0), SUPER_SIZE);
        close(fd);
    }
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(log_open(&config.log, ends[1], LOG_INFO), ERR_NONE);
    cr_assert_eq(log_start(config.log), ERR_NONE);
    cr_assert_eq(store_open(&store, &config, &fault), ERR_NONE, "%s", fault.text);
    store_close(&store);
    log_close(&config.log);
    cr_assert_gt(read(ends[0], text, sizeof text - 1), 0);
    cr_assert_not_null(strstr(text, "starting empty: it was written in another format"), "%s", text);
}

/* ── refused ── */

Test(storage_directory, a_second_process_is_told_who_has_it)
{
    char          words[64];
    struct store *store = must_open(root, 8 * MIB);

    snprintf(words, sizeof words, "in use by process %ld", (long)getpid());
    must_refuse(root, ERR_IN_USE, words);
    must_refuse(root, ERR_IN_USE, root);
    store_close(&store);
    store = must_open(root, 8 * MIB);
    store_close(&store);
}

Test(storage_directory, foreign_files_are_refused_and_stay)
{
    put("photo.jpg", "mine", 4);
    must_refuse(root, ERR_EXISTS, "photo.jpg");
    cr_assert(exists("photo.jpg"));
    cr_assert_not(exists("lock"));
    cr_assert_not(exists("super.A"));
    cr_assert_eq(unlink(in_root("photo.jpg")), 0);
    put("shard-1.dat", "mine", 4); /* not quite our name */
    must_refuse(root, ERR_EXISTS, "shard-1.dat");
}

Test(storage_directory, our_names_without_our_bytes_are_refused_and_stay)
{
    const char *names[] = { "shard-00.dat", "super.A", "super.B", "lock" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct stat status;
        put(names[i], "somebody else's bytes", 21);
        must_refuse(root, ERR_EXISTS, i == 0 ? "no superblock" : names[i]);
        cr_assert_eq(stat(in_root(names[i]), &status), 0);
        cr_assert_eq(status.st_size, 21);
        cr_assert_eq(unlink(in_root(names[i])), 0);
    }
    cr_assert_not(exists("lock"));
    struct store *store = must_open(root, 8 * MIB); /* nothing was left behind */
    store_close(&store);
}

Test(storage_directory, lost_and_found_is_nobodys)
{
    cr_assert_eq(mkdir(in_root("lost+found"), 0700), 0);
    struct store *store = must_open(root, 8 * MIB);
    store_close(&store);
    cr_assert(exists("lost+found"));
}

Test(storage_directory, a_superblock_cut_off_at_the_first_start_is_begun_again)
{
    put("super.B", "larderSB", 8);
    put("super.A", "", 0);
    struct store *store = must_open(root, 8 * MIB);
    store_close(&store);
}

Test(storage_directory, impossible_places_are_said)
{
    put("file", "x", 1);
    must_refuse(in_root("file"), ERR_NOT_FOUND, "file");
    must_refuse(in_root("no/such/parent"), ERR_NOT_FOUND, "no/such/parent");
    cr_assert_eq(symlink("/etc/passwd", in_root("shard-00.dat")), 0);
    cr_assert_eq(unlink(in_root("file")), 0);
    must_refuse(root, ERR_EXISTS, "no superblock");
}

Test(storage_directory, too_small_is_said)
{
    struct store *store = NULL;
    struct fault  fault;
    cr_assert_eq(open_at(&store, root, 8 * MIB - 1, NULL, &fault), ERR_RANGE);
    cr_assert_not_null(strstr(fault.text, "8M"));
    cr_assert_not(exists("lock"));
}

/* ── no room ── */

static int allocations, error_of_allocations;

static int
allocate_some(int fd, int mode, off_t at, off_t len)
{
    if (allocations-- > 0)
        return fallocate(fd, mode, at, len);
    errno = error_of_allocations;
    return -1;
}

static const struct disk_calls sparing = {
    .pwritev = pwritev, .pread = pread, .fallocate = allocate_some, .fdatasync = fdatasync, .mono = clock_mono
};

Test(storage_directory, a_full_disk_is_an_error_at_start_and_leaves_nothing)
{
    struct store *store = NULL;
    struct fault  fault;

    allocations = 4; /* two shards, each with its journal */
    error_of_allocations = ENOSPC;
    cr_assert_eq(open_at(&store, in_root("cache"), 256 * (uint64_t)MIB, &sparing, &fault), ERR_FULL);
    cr_assert_not_null(strstr(fault.text, "shard-02.dat"), "%s", fault.text);
    cr_assert_not(exists("cache"));
}

Test(storage_directory, a_disk_full_for_a_journal_is_an_error_at_start_too)
{
    struct store *store = NULL;
    struct fault  fault;

    allocations = 1;
    error_of_allocations = ENOSPC;
    cr_assert_eq(open_at(&store, in_root("cache"), 8 * MIB, &sparing, &fault), ERR_FULL);
    cr_assert_not_null(strstr(fault.text, "journal-00.log"), "%s", fault.text);
    cr_assert_not(exists("cache"));
}

/* An own store that is to be larger than there is room: what it has stays ours. */
Test(storage_directory, a_full_disk_leaves_an_own_store_usable)
{
    struct store *store = must_open(root, 8 * MIB);
    struct fault  fault;

    store_close(&store);
    allocations = 2;
    error_of_allocations = ENOSPC;
    cr_assert_eq(open_at(&store, root, 256 * (uint64_t)MIB, &sparing, &fault), ERR_FULL);
    cr_assert_not(exists("shard-01.dat"));
    cr_assert(exists("shard-00.dat"));
    store = must_open(root, 8 * MIB);
    store_close(&store);
}

Test(storage_directory, a_limit_on_file_size_is_an_error_at_start)
{
    struct store *store = NULL;
    struct fault  fault;
    struct rlimit limit = { 4 * MIB, 4 * MIB };

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_neq(open_at(&store, in_root("cache"), 8 * MIB, NULL, &fault), ERR_NONE);
    cr_assert_not_null(strstr(fault.text, "shard-00.dat"), "%s", fault.text);
    cr_assert_not(exists("cache"));
}

Test(storage_directory, a_filesystem_without_fallocate_is_filled_with_zeros)
{
    struct store *store;
    struct fault  fault;
    struct stat   status;

    allocations = 0;
    error_of_allocations = EOPNOTSUPP;
    cr_assert_eq(open_at(&store, root, 8 * MIB, &sparing, &fault), ERR_NONE, "%s", fault.text);
    cr_assert_eq(stat(in_root("shard-00.dat"), &status), 0);
    cr_assert_eq(status.st_size, 8 * MIB);
    cr_assert_geq(status.st_blocks * 512, 8 * MIB);
    store_close(&store);
}
