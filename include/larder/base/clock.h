/* clock.h: two kinds of time that cannot be mixed up.
 *
 * mono_time measures (timers, timeouts, ages in this process); wall_time dates (HTTP fields, what is
 * stored). Both count nanoseconds; a difference is an `nsec`. One clock per loop turn reads them
 * (net/loop.h); everything below takes time as an argument, so tests move it by hand.
 */
#ifndef LARDER_BASE_CLOCK_H
#define LARDER_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t nsec;

typedef struct {
    nsec ns; /* since some point of this boot */
} mono_time;

typedef struct {
    nsec ns; /* since 1970-01-01 UTC, no leap seconds */
} wall_time;

#define NSEC_PER_USEC INT64_C(1000)
#define NSEC_PER_MSEC INT64_C(1000000)
#define NSEC_PER_SEC INT64_C(1000000000)
#define MONO_NEVER ((mono_time){ INT64_MAX })

mono_time clock_mono(void);
wall_time clock_wall(void);

/* Processor time of the calling thread, and of all threads together. */
nsec clock_thread_cpu(void);
nsec clock_process_cpu(void);

/* Sums saturate instead of wrapping. */
static inline mono_time
mono_add(mono_time time, nsec delta)
{
    nsec sum;
    if (__builtin_add_overflow(time.ns, delta, &sum))
        sum = delta > 0 ? INT64_MAX : INT64_MIN;
    return (mono_time){ sum };
}

static inline wall_time
wall_add(wall_time time, nsec delta)
{
    nsec sum;
    if (__builtin_add_overflow(time.ns, delta, &sum))
        sum = delta > 0 ? INT64_MAX : INT64_MIN;
    return (wall_time){ sum };
}

static inline nsec
mono_since(mono_time now, mono_time then)
{
    return now.ns - then.ns;
}

static inline nsec
wall_since(wall_time now, wall_time then)
{
    return now.ns - then.ns;
}

static inline int64_t
wall_seconds(wall_time time)
{
    return time.ns / NSEC_PER_SEC;
}

static inline wall_time
wall_from_seconds(int64_t seconds)
{
    nsec ns;
    if (__builtin_mul_overflow(seconds, NSEC_PER_SEC, &ns))
        ns = seconds > 0 ? INT64_MAX : INT64_MIN;
    return (wall_time){ ns };
}

#endif
