/* disk.c: see disk.h.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <larder/base/check.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const struct disk_calls disk_calls_real = {
    .pwritev = pwritev, .pread = pread, .fallocate = fallocate, .fdatasync = fdatasync, .mono = clock_mono
};

static const char zeros[4096];

enum { EXPECT_MAX = 128 * 1024 };

/* ── opening ── */

static enum err
map(struct disk *disk, struct fault *fault)
{
    void *at = mmap(NULL, disk->size, PROT_READ, MAP_SHARED, disk->fd, 0);
    if (at == MAP_FAILED)
        return fault_set_errno(fault, errno, "cannot map %llu bytes of the store",
                               (unsigned long long)disk->size);
    /* What visitors were sent is no part of a core, and a store of gigabytes least of all. */
    madvise(at, disk->size, MADV_DONTDUMP);
    /* Readahead would pull megabytes for each cold record; failure costs speed only. */
    if (disk->in_file) {
        madvise(at, disk->size, MADV_RANDOM);
        posix_fadvise(disk->fd, 0, 0, POSIX_FADV_RANDOM);
        disk->probe = disk->calls->probe != NULL ? disk->calls->probe : probe_choose(disk->fd);
    }
    disk->map = at;
    return ERR_NONE;
}

enum err
disk_open_memory(struct disk *disk, uint64_t size, const struct disk_calls *calls, struct fault *fault)
{
    *disk = (struct disk){ .calls = calls, .size = size, .fd = -1 };
    disk->fd = memfd_create("larder", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (disk->fd < 0)
        return fault_set_errno(fault, errno, "cannot create the store in memory");
    enum err err;
    if (ftruncate(disk->fd, (off_t)size) != 0 || fcntl(disk->fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0)
        err = fault_set_errno(fault, errno, "cannot make a store of %llu bytes in memory",
                              (unsigned long long)size);
    else
        err = map(disk, fault);
    if (err != ERR_NONE)
        disk_close(disk);
    return err;
}

/* For filesystems that know no fallocate: zeros to the end, which allocates as well. 0 or an errno. */
static int
write_zeros(const struct disk *disk)
{
    struct gather gather;

    gather_begin(&gather, disk, 0);
    for (uint64_t at = 0; at < disk->size && gather.error == 0; at += sizeof zeros)
        gather_add_zeros(&gather, disk->size - at < sizeof zeros ? disk->size - at : sizeof zeros);
    return gather_end(&gather) == ERR_NONE ? 0 : gather.error;
}

static int
allocate(const struct disk *disk)
{
    int failed;
    do
        failed = disk->calls->fallocate(disk->fd, 0, 0, (off_t)disk->size);
    while (failed != 0 && errno == EINTR);
    if (failed == 0)
        return 0;
    return errno == EOPNOTSUPP || errno == ENOSYS ? write_zeros(disk) : errno;
}

/* 0 or an errno. A link or a device under our name is not ours. */
static int
open_at(struct disk *disk, int directory, const char *name, bool *made)
{
    int         flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    struct stat status;

    disk->fd = openat(directory, name, flags | O_CREAT | O_EXCL, 0600);
    *made = disk->fd >= 0;
    if (disk->fd < 0 && errno == EEXIST)
        disk->fd = openat(directory, name, flags);
    if (disk->fd < 0 || fstat(disk->fd, &status) != 0)
        return errno;
    return S_ISREG(status.st_mode) ? 0 : ENOTSUP;
}

static enum err
prepare(struct disk *disk, const char *path, const char *name, struct fault *fault)
{
    struct stat status;
    if (fstat(disk->fd, &status) != 0
        || ((uint64_t)status.st_size > disk->size && ftruncate(disk->fd, (off_t)disk->size) != 0))
        return fault_set_errno(fault, errno, "cannot cut %s/%s to its size", path, name);
    int error = allocate(disk);
    if (error != 0)
        return fault_set_errno(fault, error, "cannot allocate %llu bytes for %s/%s",
                               (unsigned long long)disk->size, path, name);
    return map(disk, fault);
}

enum err
disk_open_file(struct disk *disk, int directory, const char *path, const char *name, uint64_t size,
               const struct disk_calls *calls, bool *made, struct fault *fault)
{
    *disk = (struct disk){ .calls = calls, .size = size, .in_file = true, .fd = -1 };
    int      error = open_at(disk, directory, name, made);
    enum err err = error != 0 ? fault_set_errno(fault, error, "cannot open %s/%s", path, name)
                              : prepare(disk, path, name, fault);
    if (err == ERR_NONE)
        return ERR_NONE;
    disk_close(disk);
    if (*made)
        unlinkat(directory, name, 0);
    *made = false;
    return err;
}

/* 0 or an errno. */
static int
open_read_at(struct disk *disk, int directory, const char *name)
{
    struct stat status;

    /* What is no file must not hold us up: a FIFO would, until somebody writes to it. */
    disk->fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (disk->fd < 0 || fstat(disk->fd, &status) != 0)
        return errno;
    return S_ISREG(status.st_mode) ? 0 : ENOTSUP;
}

enum err
disk_open_read(struct disk *disk, int directory, const char *path, const char *name, uint64_t size,
               const struct disk_calls *calls, struct fault *fault)
{
    *disk = (struct disk){ .calls = calls, .size = size, .in_file = true, .fd = -1 };
    int      error = open_read_at(disk, directory, name);
    enum err err =
        error != 0 ? fault_set_errno(fault, error, "cannot open %s/%s", path, name) : map(disk, fault);
    if (err != ERR_NONE)
        disk_close(disk);
    return err;
}

void
disk_close(struct disk *disk)
{
    if (disk->map != NULL)
        munmap((void *)(uintptr_t)disk->map, disk->size);
    if (disk->fd >= 0)
        close(disk->fd);
    disk->map = NULL;
    disk->fd = -1;
}

void
disk_kick(const struct disk *disk, uint64_t at, uint64_t len)
{
    /* Only advice: an error of the write-back shows when the data is synced. */
    if (disk->in_file)
        sync_file_range(disk->fd, (off_t)at, (off_t)len, SYNC_FILE_RANGE_WRITE);
}

enum err
disk_sync(const struct disk *disk)
{
    if (!disk->in_file)
        return ERR_NONE;
    return disk->calls->fdatasync(disk->fd) == 0 ? ERR_NONE : err_from_errno(errno);
}

/* ── reading ── */

bool
disk_is_warm(const struct disk *disk, uint64_t at, size_t len)
{
    return !disk->in_file || disk->probe(disk->fd, disk->map, at, len);
}

/* The kernel takes no more at a time than the device's readahead; the rest would be forgotten. */
void
disk_expect(const struct disk *disk, uint64_t at, uint64_t len)
{
    while (disk->in_file && len > 0) {
        uint64_t part = len < EXPECT_MAX ? len : EXPECT_MAX;
        posix_fadvise(disk->fd, (off_t)at, (off_t)part, POSIX_FADV_WILLNEED);
        at += part;
        len -= part;
    }
}

enum err
disk_read(const struct disk *disk, uint64_t at, void *bytes, size_t len)
{
    char *to = bytes;
    while (len > 0) {
        ssize_t n = disk->calls->pread(disk->fd, to, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) /* the file is shorter than it was */
            return n < 0 ? err_from_errno(errno) : ERR_IO;
        to += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return ERR_NONE;
}

/* ── writing ── */

void
gather_begin(struct gather *gather, const struct disk *disk, uint64_t at)
{
    gather->disk = disk;
    gather->at = at;
    gather->count = 0;
    gather->error = 0;
}

/* Drops the first `bytes` of the pieces, after a short write. */
static struct iovec *
advance(struct iovec *piece, int *count, size_t bytes)
{
    while (*count > 0 && bytes >= piece->iov_len) {
        bytes -= piece->iov_len;
        piece++;
        --*count;
    }
    if (*count > 0) {
        piece->iov_base = (char *)piece->iov_base + bytes;
        piece->iov_len -= bytes;
    }
    return piece;
}

static void
flush(struct gather *gather)
{
    struct iovec *piece = gather->pieces;

    while (gather->count > 0 && gather->error == 0) {
        ssize_t n = gather->disk->calls->pwritev(gather->disk->fd, piece, gather->count, (off_t)gather->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            gather->error = n < 0 ? errno : EIO;
            break;
        }
        gather->at += (uint64_t)n;
        piece = advance(piece, &gather->count, (size_t)n);
    }
    gather->count = 0;
}

void
gather_add(struct gather *gather, struct span bytes)
{
    if (bytes.len == 0)
        return;
    if (gather->count == GATHER_PIECES)
        flush(gather);
    gather->pieces[gather->count++] = (struct iovec){ (void *)(uintptr_t)bytes.at, bytes.len };
}

void
gather_add_zeros(struct gather *gather, size_t count)
{
    CHECK(count <= sizeof zeros);
    gather_add(gather, span_of(zeros, count));
}

size_t
gather_copy(const struct gather *gather, char *to, size_t room)
{
    size_t len = 0;

    for (int i = 0; i < gather->count; i++) {
        const struct iovec *piece = &gather->pieces[i];
        CHECK(piece->iov_len <= room - len);
        memcpy(to + len, piece->iov_base, piece->iov_len);
        len += piece->iov_len;
    }
    return len;
}

enum err
gather_end(struct gather *gather)
{
    flush(gather);
    return gather->error == 0 ? ERR_NONE : err_from_errno(gather->error);
}
