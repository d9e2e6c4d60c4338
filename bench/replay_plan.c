/* replay_plan.c: what a trace says before it is played: when each request is due, and what nobody could have
 * kept. See replay.h. Pure. */
#include "replay.h"

#include <stdlib.h>

#define LATEST 9e18 /* nanoseconds; 285 years */

static uint64_t
due_at(double seconds, double speed)
{
    double due = seconds * (double)NSEC_PER_SEC / speed;
    return due < LATEST ? (uint64_t)due : (uint64_t)LATEST;
}

/* The end of the requests that share a second with `from`. */
static size_t
second_end(const struct trace *trace, size_t from)
{
    size_t to = from + 1;
    while (to < trace->request_count && trace->times[to] == trace->times[from])
        to++;
    return to;
}

uint64_t *
replay_dues(const struct trace *trace, uint64_t count, double speed)
{
    uint64_t *dues = malloc(count * sizeof dues[0]);
    size_t    to;
    for (size_t from = 0; dues != NULL && from < count; from = to) {
        double second = trace->times[from] - trace->times[0];
        to = second_end(trace, from);
        for (size_t i = from; i < to && i < count; i++)
            dues[i] = due_at(second + (double)(i - from) / (double)(to - from), speed);
    }
    return dues;
}

bool
replay_count_least(const struct trace *trace, uint64_t count, struct replay_least *least)
{
    bool *seen = calloc(trace->object_count, sizeof seen[0]);
    *least = (struct replay_least){ .misses = 0 };
    if (seen == NULL)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t object = trace->requests[i];
        least->bytes += trace->sizes[object];
        least->misses += seen[object] ? 0 : 1;
        least->miss_bytes += seen[object] ? 0 : trace->sizes[object];
        seen[object] = true;
    }
    free(seen);
    return true;
}
