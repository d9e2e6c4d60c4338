/* feed.h: records into a store, a job for each, so many under way at a time.
 *
 *      feed_append ──▶ slot ──store_submit──▶ store thread: writer_append ──▶ slot is idle again
 *                       └─ all under way: waits for the oldest
 *
 * Owner: the thread that appends.
 */
#ifndef BENCH_FEED_H
#define BENCH_FEED_H

#include <larder/storage/store.h>

/* The key of a record that is known by its number. It points into itself: not to be copied. */
struct feed_key {
    char             text[48];
    struct store_key key;
};

/* `part`: of an object that is stored in several. */
void feed_key_make(struct feed_key *key, const struct store *store, uint64_t number, unsigned part);

struct feed;

/* Bodies have `body_max` bytes at most. NULL when memory ends. */
struct feed *feed_create(struct store *store, unsigned slots, uint64_t body_max);

/* Waits for all that is under way. */
void feed_destroy(struct feed **feed);

void feed_append(struct feed *feed, uint64_t number, unsigned part, uint64_t size);

/* Returns when all has been written. */
void feed_drain(struct feed *feed);

/* Appends that the store refused. Exact after feed_drain. */
uint64_t feed_refused(const struct feed *feed);

#endif
