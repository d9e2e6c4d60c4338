/* crash.h: stores on the disk that are killed, damaged, and opened again.
 *
 * A run is a process of its own, so that SIGKILL is what ends it: nothing is closed, flushed or unlocked by
 * us. The disk is real, but for a mood: errors on demand, and a clock that the test moves.
 */
#ifndef LARDER_TESTS_STORAGE_CRASH_H
#define LARDER_TESTS_STORAGE_CRASH_H

#include "fixture.h"

#include <larder/base/hash.h>
#include <stdatomic.h>

/* What goes wrong; of this process alone, and of those it forks. */
struct mood {
    atomic_int   fail_sync;    /* so many of the next syncs fail with EIO */
    atomic_int   fail_read;    /* ... reads */
    atomic_int   fail_write;   /* ... writes */
    atomic_int   syncs, reads; /* calls so far */
    _Atomic nsec ahead;        /* of the clock */
};

extern struct mood             crash_mood;
extern const struct disk_calls crash_calls;

/* A directory for the test, and its removal: .init and .fini of a suite. */
extern char crash_root[64];
void        crash_make_root(void);
void        crash_remove_root(void);

/* Opens the store of the test and waits until it is ready. */
struct fixture crash_open_as(uint64_t size, const struct eviction *eviction, struct log *log);
struct fixture crash_open(void); /* 8 MiB, FIFO */

/* Calls `work` with the store opened in a process of its own, and kills that. */
typedef void crash_work(struct fixture *fixture);
void         crash_run(crash_work *work);
void         crash_run_as(uint64_t size, const struct eviction *eviction, crash_work *work);

/* All that is due is done: the clock moves by a minute. */
void crash_settle(struct fixture *fixture);

/* Files of the store, by name. */
enum { CRASH_SEGMENT = 256 * 1024 };
uint64_t crash_size(const char *name);
bool     crash_exists(const char *name);
void     crash_read(const char *name, uint64_t at, void *bytes, size_t len);
void     crash_write(const char *name, uint64_t at, const void *bytes, size_t len);
void     crash_flip(const char *name, uint64_t at);

/* Segments look as if the machine had been started anew since. */
void crash_change_boot(void);

/* Where the record of that number lies; it was the only one of that body. */
uint64_t crash_find_bytes(const char *name, const void *bytes, size_t len);

#endif
