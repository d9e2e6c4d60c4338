/* zipf.h: who is asked for: number k (from 0) in proportion to 1 / (k + 1) ^ a. On the web a is 0.64 to 0.83
 * (Breslau et al., 1999), and more on today's sites; with 0 all are alike.
 *
 * Pure: the caller keeps the state of the random numbers, so that equal runs ask alike, and threads may draw
 * from one zipf. Owner: who has it. Frozen after zipf_init.
 */
#ifndef BENCH_ZIPF_H
#define BENCH_ZIPF_H

#include <stdbool.h>
#include <stdint.h>

#define ZIPF_WEB 0.9 /* the exponent where none is asked for */

struct zipf {
    double  *sums; /* of the weights of 0 .. k; NULL when all are alike */
    uint32_t count;
    double   exponent;
};

/* False when memory ends: 8 bytes for each. `count`: at least 1; `exponent`: at least 0. */
bool zipf_init(struct zipf *zipf, uint32_t count, double exponent);
void zipf_fini(struct zipf *zipf);

uint32_t zipf_draw(const struct zipf *zipf, uint64_t *state);

/* The next of splitmix64 (Steele et al., 2014). */
uint64_t zipf_random(uint64_t *state);

#endif
