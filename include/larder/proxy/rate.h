/* rate.h: how often something may happen: 50 times a second for each client, 100 at once.
 *
 *      name (site and client, or site and key) ──hash──▶ a set of 8 buckets ──▶ its own, or the least busy one
 *
 * A token bucket as one time: the generic cell rate algorithm (GCRA, ITU-T I.371 §5.2). A bucket holds the time at which
 * it will be full again; an event moves it by the rate's interval, and is refused when it would then lie too far ahead.
 *
 * The table is bounded, and who has many addresses cannot get a busy bucket forgotten: a bucket that is full again is
 * worth nothing and makes room; when all eight are busy a newcomer takes the least busy one over *with its time*
 * (Metwally, Agrawal and El Abbadi, "Efficient computation of frequent and top-k elements in data streams", ICDT 2005).
 * So times in a set never go back, and who was driven out finds no earlier one. Nobody ever gets more than the rate; a
 * newcomer may get less while eight others that share its set, by a secret hash, use up theirs.
 *
 * Shared by all workers. Guard: a lock for each stripe of sets, rank RATE.
 */
#ifndef LARDER_PROXY_RATE_H
#define LARDER_PROXY_RATE_H

#include <larder/base/clock.h>
#include <larder/base/err.h>
#include <larder/base/span.h>

/* Whose events are counted together. */
enum rate_by { RATE_BY_CLIENT, RATE_BY_KEY, RATE_BY_COUNT };

enum { RATE_BURST_MAX = 1000000 };

/* interval 0: no bound. */
struct rate {
    nsec     interval; /* between two events that come evenly */
    uint64_t burst;    /* so many may come at once; at least 1 */
};

/* `count` events in `period`, and `burst` at once. ERR_RANGE: less than 1 or more than one in a nanosecond, or a bucket
 * that takes longer than 365 days to fill. */
MUST_CHECK enum err rate_set(struct rate *rate, uint64_t count, nsec period, uint64_t burst);

struct rates;

/* A table of at least so many buckets, of 16 bytes each. */
enum { RATES_BUCKETS = 256 * 1024 };
MUST_CHECK enum err rates_create(struct rates **rates, size_t buckets);
void                rates_destroy(struct rates **rates);

/* An event of `name` (any bytes; they are hashed with the table's seed). True: it may happen. False: not before `*wait`
 * has passed; nothing was taken. `now` may be that of any worker: a bucket does not mind clocks that differ by a turn of
 * the loop. */
bool rates_take(struct rates *rates, struct span name, const struct rate *rate, mono_time now, nsec *wait);

#endif
