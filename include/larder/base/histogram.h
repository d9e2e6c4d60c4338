/* histogram.h: counts by value, with a relative error of at most 1/64, in fixed memory.
 *
 * Log-linear buckets (as HdrHistogram's): 64 steps for each power of two, from 0 to 2^63-1. Two
 * histograms add; percentiles come from the sum. Owner: one thread.
 */
#ifndef LARDER_BASE_HISTOGRAM_H
#define LARDER_BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 58 * 64 + 64 };

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total;
    uint64_t least, most; /* exact; least is UINT64_MAX while empty */
    double   sum;
};

void histogram_init(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t value);

/* Corrects for coordinated omission (Tene): a value of n intervals stands for n requests that a load
 * with a fixed interval would have sent meanwhile; adds value, value - interval, ... An interval of 0
 * adds the value alone. */
void histogram_add_corrected(struct histogram *histogram, uint64_t value, uint64_t interval);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* Leaves what was added since `earlier`, a copy of the same histogram. `least` and `most` stay those of all. */
void histogram_subtract(struct histogram *from, const struct histogram *earlier);

/* The value that `percentile` (0 to 100) percent of the counts do not exceed: the upper edge of its
 * bucket, never above `most`; 0 while empty. */
uint64_t histogram_percentile(const struct histogram *histogram, double percentile);
double   histogram_mean(const struct histogram *histogram);

#endif
