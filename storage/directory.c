/* directory.c: see directory.h.
 */
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <larder/base/check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock"
#define LOCK_WORD "larder "
#define EMPTY_PLEASE "give it an empty directory"

enum { LOCK_TEXT_SIZE = 64, LOCK_TRIES = 8 };

/* ── names ── */

enum { PATTERNS = 3 };

/* The files that each shard has. */
static void
make_name(unsigned pattern, unsigned number, char name[static DIRECTORY_NAME_SIZE])
{
    switch (pattern) {
    case 0:
        snprintf(name, DIRECTORY_NAME_SIZE, "shard-%02u.dat", number);
        break;
    case 1:
        snprintf(name, DIRECTORY_NAME_SIZE, "journal-%02u.log", number);
        break;
    default:
        snprintf(name, DIRECTORY_NAME_SIZE, "index-%02u.snap", number);
        break;
    }
}

void
directory_shard_name(unsigned number, char name[static DIRECTORY_NAME_SIZE])
{
    make_name(0, number, name);
}

void
directory_journal_name(unsigned number, char name[static DIRECTORY_NAME_SIZE])
{
    make_name(1, number, name);
}

void
directory_snapshot_name(unsigned number, char name[static DIRECTORY_NAME_SIZE])
{
    make_name(2, number, name);
}

/* The shard whose file it is, -1 for other names. */
static int
shard_of_name(const char *name)
{
    for (unsigned i = 0; i < PATTERNS; i++) {
        char        again[DIRECTORY_NAME_SIZE];
        unsigned    number = 0;
        const char *digits = strchr(name, '-');
        if (digits == NULL || sscanf(digits, "-%2u", &number) != 1)
            return -1;
        make_name(i, number, again);
        if (strcmp(again, name) == 0)
            return (int)number;
    }
    return -1;
}

static bool
is_super(const char *name)
{
    return strcmp(name, super_names[0]) == 0 || strcmp(name, super_names[1]) == 0;
}

static bool
is_ours(const char *name)
{
    return strcmp(name, LOCK_NAME) == 0 || is_super(name) || shard_of_name(name) >= 0;
}

/* What a directory has of itself: the top of a filesystem has lost+found. */
static bool
is_nobodys(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lost+found") == 0;
}

/* ── what is in it ── */

typedef void name_visitor(const char *name, void *context);

static int
each_name(const struct directory *directory, name_visitor *visit, void *context)
{
    int  fd = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);

    if (stream == NULL) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return error;
    }
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        if (!is_nobodys(entry->d_name))
            visit(entry->d_name, context);
    closedir(stream);
    return 0;
}

struct census {
    bool shards, supers;
    char foreign[256];
};

static void
count_name(const char *name, void *context)
{
    struct census *census = context;
    if (shard_of_name(name) >= 0)
        census->shards = true;
    else if (is_super(name))
        census->supers = true;
    else if (!is_ours(name) && census->foreign[0] == '\0')
        snprintf(census->foreign, sizeof census->foreign, "%s", name);
}

static enum err
look_around(const struct directory *directory, struct census *census, struct fault *fault)
{
    *census = (struct census){ .shards = false };
    int error = each_name(directory, count_name, census);
    if (error != 0)
        return fault_set_errno(fault, error, "cannot read the cache directory %s", directory->path);
    if (census->foreign[0] != '\0')
        return fault_set(fault, ERR_EXISTS,
                         "the cache directory %s holds \"%s\", which is not larder's: " EMPTY_PLEASE,
                         directory->path, census->foreign);
    return ERR_NONE;
}

/* ── the lock ── */

/* False: the lock file is somebody else's file. */
static bool
read_holder(int fd, long *pid)
{
    char    text[LOCK_TEXT_SIZE];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);

    *pid = 0;
    if (n <= 0)
        return n == 0;
    text[n] = '\0';
    if (strncmp(text, LOCK_WORD, sizeof LOCK_WORD - 1) != 0)
        return false;
    *pid = strtol(text + sizeof LOCK_WORD - 1, NULL, 10);
    return true;
}

static int
write_holder(int fd)
{
    char text[LOCK_TEXT_SIZE];
    int  len = snprintf(text, sizeof text, LOCK_WORD "%ld\n", (long)getpid());
    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) == len ? 0 : errno;
}

static enum err
in_use_by(const struct directory *directory, long pid, struct fault *fault)
{
    char who[LOCK_TEXT_SIZE] = "another process";
    if (pid > 0)
        snprintf(who, sizeof who, "process %ld", pid);
    return fault_set(fault, ERR_IN_USE, "the cache directory %s is in use by %s", directory->path, who);
}

static enum err
in_use(struct directory *directory, struct fault *fault)
{
    long pid;
    if (read_holder(directory->lock, &pid) && pid > 0)
        return in_use_by(directory, pid, fault);
    return in_use_by(directory, 0, fault);
}

/* Who held the lock before us may have taken the file away while we waited to open it. */
static bool
lock_is_in_place(const struct directory *directory)
{
    struct stat held, named;
    return fstat(directory->lock, &held) == 0
           && fstatat(directory->fd, LOCK_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0
           && held.st_ino == named.st_ino;
}

static int
open_lock(struct directory *directory)
{
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    directory->lock = openat(directory->fd, LOCK_NAME, flags | O_CREAT | O_EXCL, 0600);
    directory->made_lock = directory->lock >= 0;
    if (directory->lock < 0 && errno == EEXIST)
        directory->lock = openat(directory->fd, LOCK_NAME, flags);
    return directory->lock >= 0 ? 0 : errno;
}

static enum err
take_lock(struct directory *directory, struct fault *fault)
{
    long pid;

    for (int i = 0; i < LOCK_TRIES; i++) {
        int error = open_lock(directory);
        if (error != 0)
            return fault_set_errno(fault, error, "cannot open %s/" LOCK_NAME, directory->path);
        if (flock(directory->lock, LOCK_EX | LOCK_NB) != 0) {
            directory->made_lock = false; /* it is the other's now */
            return in_use(directory, fault);
        }
        if (lock_is_in_place(directory))
            break;
        close(directory->lock);
        directory->lock = -1;
    }
    if (directory->lock < 0)
        return in_use_by(directory, 0, fault);
    if (!read_holder(directory->lock, &pid))
        return fault_set(fault, ERR_EXISTS, "%s/" LOCK_NAME " is not larder's: " EMPTY_PLEASE,
                         directory->path);
    int error = write_holder(directory->lock);
    if (error != 0)
        return fault_set_errno(fault, error, "cannot write %s/" LOCK_NAME, directory->path);
    return ERR_NONE;
}

/* ── the superblock ── */

/* Of two valid ones the later counts. */
static void
take_super(struct directory *directory, enum super_state state, const struct super *super)
{
    directory->was_store |= state >= SUPER_DAMAGED;
    directory->other_format |= state == SUPER_OTHER;
    if (state != SUPER_VALID)
        return;
    if (!directory->was_valid || le64_get(super->generation) > le64_get(directory->super.generation))
        directory->super = *super;
    directory->was_valid = true;
}

static enum err
read_supers(struct directory *directory, bool shards, struct fault *fault)
{
    for (int i = 0; i < SUPER_COPIES; i++) {
        struct super     super;
        enum super_state state = super_read(directory->fd, super_names[i], &super);
        if (state == SUPER_FOREIGN)
            return fault_set(fault, ERR_EXISTS, "%s/%s is not larder's: " EMPTY_PLEASE, directory->path,
                             super_names[i]);
        take_super(directory, state, &super);
    }
    if (shards && !directory->was_store)
        return fault_set(fault, ERR_EXISTS,
                         "the cache directory %s holds shards but no superblock of larder: " EMPTY_PLEASE,
                         directory->path);
    if (!directory->was_valid) {
        struct hash_seed seed;
        hash_seed_random(&seed);
        memcpy(directory->super.seed, seed.seed, sizeof directory->super.seed);
    }
    return ERR_NONE;
}

/* Generations alternate between the copies, so the next one goes over the older. */
static void
next_generation(struct directory *directory)
{
    directory->super.generation = le64_of(le64_get(directory->super.generation) + 1);
}

enum err
directory_begin(struct directory *directory, struct fault *fault)
{
    struct super *super = &directory->super;
    super->flags = le32_of(0);
    next_generation(directory);
    directory->begun = true;
    return super_write(directory->fd, directory->path, super, fault);
}

void
directory_finish(struct directory *directory, struct log *log)
{
    struct fault fault;
    directory->super.flags = le32_of(SUPER_CLEAN);
    next_generation(directory);
    if (super_write(directory->fd, directory->path, &directory->super, &fault) != ERR_NONE)
        log_write(log, LOG_WARN, "store: %s", fault.text); /* the next start does without the flag */
}

/* ── opening and closing ── */

static enum err
open_path(struct directory *directory, struct fault *fault)
{
    directory->made = mkdir(directory->path, 0700) == 0;
    if (!directory->made && errno != EEXIST)
        return fault_set_errno(fault, errno, "cannot make the cache directory %s", directory->path);
    directory->fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory->fd < 0)
        return fault_set_errno(fault, errno, "cannot open the cache directory %s", directory->path);
    return ERR_NONE;
}

enum err
directory_open(struct directory *directory, const char *path, struct fault *fault)
{
    struct census census;

    *directory = (struct directory){ .path = path, .fd = -1, .lock = -1 };
    enum err err = open_path(directory, fault);
    if (err == ERR_NONE)
        err = look_around(directory, &census, fault);
    if (err == ERR_NONE)
        err = take_lock(directory, fault);
    if (err == ERR_NONE)
        err = read_supers(directory, census.shards, fault);
    if (err != ERR_NONE) {
        directory_abandon(directory);
        directory_close(directory);
    }
    return err;
}

/* ── looking only ── */

static enum err
find_store(struct directory *directory, struct fault *fault)
{
    struct census census = { .shards = false };

    directory->fd = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory->fd < 0)
        return fault_set_errno(fault, errno, "cannot open the directory %s", directory->path);
    int error = each_name(directory, count_name, &census);
    if (error != 0)
        return fault_set_errno(fault, error, "cannot read the directory %s", directory->path);
    if (!census.shards && !census.supers)
        return fault_set(fault, ERR_NOT_FOUND, "%s holds no store of larder", directory->path);
    return ERR_NONE;
}

static enum err
find_super(struct directory *directory, struct fault *fault)
{
    for (int i = 0; i < SUPER_COPIES; i++) {
        struct super     super;
        enum super_state state = super_read(directory->fd, super_names[i], &super);
        take_super(directory, state, &super);
    }
    if (directory->was_valid)
        return ERR_NONE;
    if (directory->other_format)
        return fault_set(fault, ERR_UNSUPPORTED, "%s holds a store of another format than %d",
                         directory->path, LAYOUT_FORMAT);
    return fault_set(fault, ERR_CORRUPT,
                     "%s/%s and %s are damaged, both: a start would begin empty or refuse", directory->path,
                     super_names[0], super_names[1]);
}

enum err
directory_inspect(struct directory *directory, const char *path, struct fault *fault)
{
    *directory = (struct directory){ .path = path, .fd = -1, .lock = -1 };
    enum err err = find_store(directory, fault);
    if (err == ERR_NONE)
        err = take_lock(directory, fault);
    if (err == ERR_NONE)
        err = find_super(directory, fault);
    if (err != ERR_NONE) {
        directory_abandon(directory);
        directory_close(directory);
    }
    return err;
}

struct tidying {
    struct directory *directory;
    unsigned          shards;
};

static void
tidy_name(const char *name, void *context)
{
    struct tidying *tidying = context;
    if (shard_of_name(name) >= (int)tidying->shards)
        unlinkat(tidying->directory->fd, name, 0);
}

void
directory_tidy(struct directory *directory, unsigned shards)
{
    struct tidying tidying = { directory, shards };
    each_name(directory, tidy_name, &tidying);
}

void
directory_abandon(struct directory *directory)
{
    if (directory->begun && !directory->was_store)
        for (int i = 0; i < SUPER_COPIES; i++)
            unlinkat(directory->fd, super_names[i], 0);
    if (directory->made_lock)
        unlinkat(directory->fd, LOCK_NAME, 0);
    if (directory->made)
        rmdir(directory->path);
}

void
directory_close(struct directory *directory)
{
    if (directory->lock >= 0)
        close(directory->lock);
    if (directory->fd >= 0)
        close(directory->fd);
    directory->lock = directory->fd = -1;
}
