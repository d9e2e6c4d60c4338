/* disk.h: the bytes of a shard: a file or a memfd, allocated in full, mapped read-only, written with pwritev.
 *
 *      readers ──▶ map (PROT_READ)          pages are shared: what pwritev wrote is seen in the map
 *      store thread ──gather──▶ pwritev ──▶ file
 *
 * A stray write of the process cannot reach the map; a full disk is an error of disk_open_*, not a signal
 * later. Owner: the shard; only its store thread writes.
 */
#ifndef LARDER_STORAGE_DISK_H
#define LARDER_STORAGE_DISK_H

#include "probe.h"

#include <larder/base/clock.h>
#include <larder/base/err.h>
#include <larder/base/span.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* The system calls that may fail when the disk does; tests put their own in place. */
struct disk_calls {
    ssize_t (*pwritev)(int fd, const struct iovec *pieces, int count, off_t at);
    ssize_t (*pread)(int fd, void *bytes, size_t len, off_t at);
    int (*fallocate)(int fd, int mode, off_t at, off_t len);
    int (*fdatasync)(int fd);
    mono_time (*mono)(void); /* of the delays after which something is synced */
    probe_call *probe;       /* NULL: the best that the kernel has */
};

extern const struct disk_calls disk_calls_real;

struct disk {
    const struct disk_calls *calls;
    const char              *map;
    uint64_t                 size;
    int                      fd;
    bool                     in_file;
    probe_call              *probe; /* of a file; a memfd is always in memory */
};

/* A memfd of that size; its pages are taken when they are first written. */
MUST_CHECK enum err disk_open_memory(struct disk *disk, uint64_t size, const struct disk_calls *calls,
                                     struct fault *fault);

/* The file `name` in `directory`, made if it is not there, cut or stretched to `size`, every block
 * allocated. `*made` says whether it was made; on failure one that was made is removed again. `path` is
 * the directory's, for the fault. */
MUST_CHECK enum err disk_open_file(struct disk *disk, int directory, const char *path, const char *name,
                                   uint64_t size, const struct disk_calls *calls, bool *made,
                                   struct fault *fault);
void                disk_close(struct disk *disk);

/* The file as it is, for reading only. It may be shorter than `size`: touch the map with a guard. */
MUST_CHECK enum err disk_open_read(struct disk *disk, int directory, const char *path, const char *name,
                                   uint64_t size, const struct disk_calls *calls, struct fault *fault);

/* Exactly that range, as it is in the file now; never a signal, as a touch of the map may be. */
MUST_CHECK enum err disk_read(const struct disk *disk, uint64_t at, void *bytes, size_t len);

/* The range will be read soon: the disk may begin. Advice only, which costs little where the pages are in memory. */
void disk_expect(const struct disk *disk, uint64_t at, uint64_t len);

/* Are the pages of that range believed to be in memory? */
bool disk_is_warm(const struct disk *disk, uint64_t at, size_t len);

/* Waits until all that was written is on the disk. An error means that some of it may be lost, though it can
 * be read for now. A memfd has nothing to wait for. */
MUST_CHECK enum err disk_sync(const struct disk *disk);

/* The pages of that range are to be written back soon. */
void disk_kick(const struct disk *disk, uint64_t at, uint64_t len);

/* ── pieces written one behind the other ── */

enum { GATHER_PIECES = 128 };

struct gather {
    const struct disk *disk;
    uint64_t           at; /* of the first piece that waits */
    int                count;
    int                error; /* the first errno; what comes after is ignored */
    struct iovec       pieces[GATHER_PIECES];
};

/* The bytes that are added must stay until gather_end. */
void gather_begin(struct gather *gather, const struct disk *disk, uint64_t at);
void gather_add(struct gather *gather, struct span bytes);

/* Zeros, less than 4096. */
void gather_add_zeros(struct gather *gather, size_t count);

MUST_CHECK enum err gather_end(struct gather *gather);

/* In place of gather_end: what waits is copied to memory, which must have the room; how many bytes. Nothing may have been
 * written: at most GATHER_PIECES were added. */
size_t gather_copy(const struct gather *gather, char *to, size_t room);

#endif
