/* fixture.h: a store for a test, and jobs that the test waits for.
 *
 * Keys are made from numbers; a body is made from its key's number and a version, so that each byte that
 * comes back can be judged. Time is what `now` says: the tests move it by hand.
 */
#ifndef LARDER_TESTS_STORAGE_FIXTURE_H
#define LARDER_TESTS_STORAGE_FIXTURE_H

#include "store_open.h"

#include <larder/storage/eviction.h>
#include <larder/storage/store.h>

enum { MIB = 1 << 20, HOUR = 3600 };

struct fixture {
    struct store *store;
    wall_time     now;
    int64_t       lifetime; /* seconds, of what is appended */
};

/* In memory, of `size` bytes, for `readers`; ends the test when it cannot be had. */
struct fixture fixture_open(uint64_t size, unsigned readers, const struct eviction *eviction,
                            const struct disk_calls *calls);
void           fixture_close(struct fixture *fixture);

/* Calls `work` on the store thread of that digest's shard, and returns when it has run. */
typedef void fixture_work(struct store_writer *writer, void *argument);
void         fixture_run(struct fixture *fixture, struct digest digest, fixture_work *work, void *argument);

/* Until all that earlier runs stored can be found. */
void fixture_wait_ready(struct fixture *fixture);

/* Until what is due by the store's clock has been brought to the disk. */
void fixture_settle(struct fixture *fixture);

/* The key of that number; its text lives in `text`. */
enum { KEY_TEXT = 64 };
struct store_key fixture_key(struct fixture *fixture, uint64_t number, char text[static KEY_TEXT]);

/* Pseudo-random bytes, the same for the same seed. */
void     fill_bytes(char *at, size_t len, uint64_t seed);
bool     bytes_are(struct span bytes, uint64_t seed);
uint64_t next_random(uint64_t *state);

enum err fixture_append_parts(struct fixture *fixture, const struct record_parts *parts);

/* Appends the record `number` with meta of 8 bytes (`version`) and a body of `size` bytes filled from
 * number and version. */
enum err fixture_append(struct fixture *fixture, uint64_t number, uint64_t version, size_t size);
bool     fixture_remove(struct fixture *fixture, uint64_t number);

/* Found by reader 0, and its bytes are what was appended; false: not found. A wrong byte fails the test. */
bool fixture_has(struct fixture *fixture, uint64_t number, uint64_t *version);

/* Ends the test when meta or body are not those of that number. */
uint64_t check_record(const struct record *record, uint64_t number);

/* Sum over the shards, by a row's name. Exact when no job and no cleaning is under way. */
uint64_t fixture_metric(struct fixture *fixture, const char *name);

/* In one job, with nothing else under way: each of the numbers below `numbers` is looked for, and what
 * is found is held against the gauges. How many were found. One shard only. */
uint64_t fixture_census(struct fixture *fixture, uint64_t numbers);

#endif
