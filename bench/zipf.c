/* zipf.c: see zipf.h.
 */
#include "zipf.h"

#include <math.h>
#include <stdlib.h>

bool
zipf_init(struct zipf *zipf, uint32_t count, double exponent)
{
    double sum = 0;

    *zipf = (struct zipf){ .count = count, .exponent = exponent };
    if (exponent <= 0)
        return true;
    zipf->sums = malloc(count * sizeof zipf->sums[0]);
    for (uint32_t i = 0; zipf->sums != NULL && i < count; i++)
        zipf->sums[i] = sum += pow(i + 1.0, -exponent);
    return zipf->sums != NULL;
}

void
zipf_fini(struct zipf *zipf)
{
    free(zipf->sums);
    zipf->sums = NULL;
}

uint64_t
zipf_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* The first whose sum is above a point of the whole. */
static uint32_t
draw_weighed(const struct zipf *zipf, uint64_t random)
{
    double   point = (double)(random >> 11) / 9007199254740992.0 * zipf->sums[zipf->count - 1];
    uint32_t low = 0, high = zipf->count - 1;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zipf->sums[middle] <= point)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t
zipf_draw(const struct zipf *zipf, uint64_t *state)
{
    uint64_t random = zipf_random(state);
    if (zipf->sums == NULL)
        return (uint32_t)((random >> 32) * zipf->count >> 32);
    return draw_weighed(zipf, random);
}
