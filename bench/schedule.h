/* schedule.h: when each request of an open loop is due, decided before the run and never moved.
 *
 *      request k of thread t of n:  start + (k * n + t) / rate,  or  start + dues[k * n + t]
 *
 * A server that stalls does not make the next requests later: they are late, and their latency counts from
 * when they were due (no coordinated omission). Pure.
 */
#ifndef BENCH_SCHEDULE_H
#define BENCH_SCHEDULE_H

#include <larder/base/clock.h>

/* Owner: the thread. */
struct schedule {
    mono_time       start;
    uint64_t        rate; /* requests a second, of all threads together; or, in its place: */
    const uint64_t *dues; /* nanoseconds after the start, ascending; NULL: by the rate */
    uint64_t        due_count;
    unsigned        thread, threads;
    uint64_t        next; /* k of the next request */
};

/* When request k is due: exact, whatever k is. Never, where the list has ended. */
mono_time schedule_at(const struct schedule *schedule, uint64_t k);

/* Takes the next request if it is due; *due says since when. */
bool schedule_take(struct schedule *schedule, mono_time now, mono_time *due);

/* The requests that were due before `end` and were not taken. */
uint64_t schedule_missed(const struct schedule *schedule, mono_time end);

/* The part of `total` that thread t of n gets; the parts add up. */
uint64_t schedule_share(uint64_t total, unsigned thread, unsigned threads);

#endif
