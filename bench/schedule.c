/* schedule.c: see schedule.h. */
#include "schedule.h"

#include <larder/base/check.h>

mono_time
schedule_at(const struct schedule *schedule, uint64_t k)
{
    unsigned __int128 number = (unsigned __int128)k * schedule->threads + schedule->thread;
    if (schedule->dues != NULL)
        return number < schedule->due_count ? mono_add(schedule->start, (nsec)schedule->dues[number])
                                            : MONO_NEVER;
    CHECK(schedule->rate > 0);
    return mono_add(schedule->start, (nsec)(number * (uint64_t)NSEC_PER_SEC / schedule->rate));
}

bool
schedule_take(struct schedule *schedule, mono_time now, mono_time *due)
{
    *due = schedule_at(schedule, schedule->next);
    if (due->ns > now.ns)
        return false;
    schedule->next++;
    return true;
}

uint64_t
schedule_missed(const struct schedule *schedule, mono_time end)
{
    uint64_t low = schedule->next, high = schedule->next;
    for (uint64_t step = 1; schedule_at(schedule, high).ns < end.ns; step *= 2)
        high += step;
    while (low < high) { /* the first k that is due at `end` or later */
        uint64_t middle = low + (high - low) / 2;
        if (schedule_at(schedule, middle).ns < end.ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low - schedule->next;
}

uint64_t
schedule_share(uint64_t total, unsigned thread, unsigned threads)
{
    return total / threads + (thread < total % threads ? 1 : 0);
}
