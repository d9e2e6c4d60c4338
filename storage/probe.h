/* probe.h: are the pages of a file in memory?
 *
 * A touch of a page that is not in memory stops the thread until the disk has answered (a major fault). So
 * who must not stop asks before, unless it has reason to believe. The answer may be out of date in the next
 * moment: it makes faults rare, not impossible.
 *
 *      cachestat(2)             Linux 6.5: counts the pages of a range                        0.8 us
 *      preadv2(RWF_NOWAIT)      Linux 4.14: one byte in 64 KiB, a sample                      0.9 us each
 *      mincore(2)               everywhere: a byte for each page of the map                   2 us
 */
#ifndef LARDER_STORAGE_PROBE_H
#define LARDER_STORAGE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True: all pages of `len` bytes at `at` of the file are believed to be in memory. `map` is where the file's
 * beginning is mapped. What cannot be asked is not in memory. */
typedef bool probe_call(int fd, const char *map, uint64_t at, size_t len);

bool probe_by_cachestat(int fd, const char *map, uint64_t at, size_t len);
bool probe_by_nowait(int fd, const char *map, uint64_t at, size_t len);
bool probe_by_mincore(int fd, const char *map, uint64_t at, size_t len);

/* The first of them that this kernel knows for this file. */
probe_call *probe_choose(int fd);

#endif
