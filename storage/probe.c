/* probe.c: see probe.h.
 */
#include "probe.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGE = 4096, SAMPLE = 64 * 1024, CORE_PAGES = 256 };

/* Debian 12's headers are older than the call. Its number is the same on all machines that we know. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

struct cache_range {
    uint64_t at, len;
};

struct cache_counts {
    uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

static long
count_cached(int fd, uint64_t at, uint64_t len, struct cache_counts *counts)
{
    struct cache_range range = { at, len };
    *counts = (struct cache_counts){ 0 };
    return syscall(SYS_cachestat, (unsigned)fd, &range, counts, 0);
}

bool
probe_by_cachestat(int fd, const char *map, uint64_t at, size_t len)
{
    struct cache_counts counts;

    (void)map;
    if (len == 0)
        return true;
    uint64_t pages = (at + len - 1) / PAGE - at / PAGE + 1;
    return count_cached(fd, at, len, &counts) == 0 && counts.cached >= pages;
}

static bool
has_byte(int fd, uint64_t at)
{
    char         byte;
    struct iovec piece = { &byte, 1 };
    return preadv2(fd, &piece, 1, (off_t)at, RWF_NOWAIT) == 1;
}

bool
probe_by_nowait(int fd, const char *map, uint64_t at, size_t len)
{
    (void)map;
    for (size_t done = 0; done < len; done += SAMPLE)
        if (!has_byte(fd, at + done))
            return false;
    return len == 0 || has_byte(fd, at + len - 1);
}

bool
probe_by_mincore(int fd, const char *map, uint64_t at, size_t len)
{
    unsigned char core[CORE_PAGES];
    uint64_t      end = at + len;

    (void)fd;
    for (at = at / PAGE * PAGE; at < end; at += (uint64_t)CORE_PAGES * PAGE) {
        uint64_t part = end - at < (uint64_t)CORE_PAGES * PAGE ? end - at : (uint64_t)CORE_PAGES * PAGE;
        if (mincore((void *)(uintptr_t)(map + at), part, core) != 0)
            return false;
        for (uint64_t page = 0; page < (part + PAGE - 1) / PAGE; page++)
            if (!(core[page] & 1))
                return false;
    }
    return true;
}

/* EAGAIN is an answer: it is not in memory. */
static bool
knows_nowait(int fd)
{
    char         byte;
    struct iovec piece = { &byte, 1 };
    return preadv2(fd, &piece, 1, 0, RWF_NOWAIT) >= 0 || errno == EAGAIN;
}

probe_call *
probe_choose(int fd)
{
    struct cache_counts counts;

    if (count_cached(fd, 0, 1, &counts) == 0)
        return probe_by_cachestat;
    return knows_nowait(fd) ? probe_by_nowait : probe_by_mincore;
}
