/* histogram.c: values below 64 have a bucket each; above, each power of two has 64. */
#include <larder/base/histogram.h>

#include <larder/base/check.h>
#include <math.h>
#include <string.h>

enum { STEP_BITS = 6, STEPS = 1 << STEP_BITS };

void
histogram_init(struct histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
    histogram->least = UINT64_MAX;
}

static unsigned
bucket_of(uint64_t value)
{
    if (value < STEPS)
        return (unsigned)value;
    unsigned power = 63u - (unsigned)__builtin_clzll(value); /* >= STEP_BITS */
    return (power - STEP_BITS + 1) * STEPS + (unsigned)((value >> (power - STEP_BITS)) - STEPS);
}

/* The largest value that falls into the bucket. */
static uint64_t
upper_edge(unsigned bucket)
{
    if (bucket < STEPS)
        return bucket;
    unsigned shift = bucket / STEPS - 1;
    return ((uint64_t)(bucket % STEPS + STEPS + 1) << shift) - 1;
}

void
histogram_add(struct histogram *histogram, uint64_t value)
{
    if (value > INT64_MAX)
        value = INT64_MAX;
    histogram->counts[bucket_of(value)]++;
    histogram->total++;
    histogram->sum += (double)value;
    if (value < histogram->least)
        histogram->least = value;
    if (value > histogram->most)
        histogram->most = value;
}

void
histogram_add_corrected(struct histogram *histogram, uint64_t value, uint64_t interval)
{
    histogram_add(histogram, value);
    for (uint64_t missed = value; interval > 0 && missed >= 2 * interval;)
        histogram_add(histogram, missed -= interval);
}

void
histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->counts[i] += from->counts[i];
    into->total += from->total;
    into->sum += from->sum;
    if (from->least < into->least)
        into->least = from->least;
    if (from->most > into->most)
        into->most = from->most;
}

void
histogram_subtract(struct histogram *from, const struct histogram *earlier)
{
    CHECK(earlier->total <= from->total);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        from->counts[i] -= earlier->counts[i];
    from->total -= earlier->total;
    from->sum -= earlier->sum;
}

uint64_t
histogram_percentile(const struct histogram *histogram, double percentile)
{
    uint64_t wanted = (uint64_t)ceil(percentile / 100 * (double)histogram->total), seen = 0;

    if (histogram->total == 0)
        return 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen >= wanted && seen > 0) {
            uint64_t edge = upper_edge(i);
            return edge < histogram->most ? edge : histogram->most;
        }
    }
    return histogram->most;
}

double
histogram_mean(const struct histogram *histogram)
{
    return histogram->total == 0 ? 0 : histogram->sum / (double)histogram->total;
}
