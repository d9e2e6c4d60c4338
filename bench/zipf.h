/* zipf.h: who is asked for: number k (from 0) in proportion to 1 / (k + 1) ^ 0.9, as on the web (Breslau et
 * al., 1999: 0.64 to 0.83; today's sites are steeper).
 *
 * Pure: the caller keeps the state of the random numbers, so that equal runs ask alike. Owner: who has it.
 */
#ifndef BENCH_ZIPF_H
#define BENCH_ZIPF_H

#include <stdint.h>

struct zipf {
    double  *sums; /* of the weights of 0 .. k */
    uint32_t count;
};

/* False when memory ends. `count`: at least 1. */
_Bool zipf_init(struct zipf *zipf, uint32_t count);
void  zipf_fini(struct zipf *zipf);

uint32_t zipf_draw(const struct zipf *zipf, uint64_t *state);

/* The next of splitmix64 (Steele et al., 2014). */
uint64_t zipf_random(uint64_t *state);

#endif
