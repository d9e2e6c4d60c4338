/* warm.c: see warm.h.
 */
#include "warm.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64, SECOND_BITS = 16, SECOND_MASK = (1 << SECOND_BITS) - 1, OFFSET_BITS = 17 };

enum err
warm_init(struct warm *warm, unsigned shards)
{
    uint32_t count = WARM_SLOTS;

    while (count > WARM_SLOTS_LEAST && count > WARM_SLOTS / shards)
        count /= 2;
    *warm = (struct warm){ .mask = count - 1 };
    warm->slots = aligned_alloc(CACHE_LINE, count * sizeof warm->slots[0]);
    if (warm->slots == NULL)
        return ERR_NO_MEMORY;
    memset(warm->slots, 0, count * sizeof warm->slots[0]);
    return ERR_NONE;
}

void
warm_fini(struct warm *warm)
{
    free(warm->slots);
    warm->slots = NULL;
}

/* Offset 0 is no record's, so this is never 0. */
static uint64_t
name_of(struct index_place place)
{
    return (uint64_t)place.segment << OFFSET_BITS | place.offset;
}

static uint32_t
slot_of(const struct warm *warm, uint64_t name)
{
    return (uint32_t)(name * UINT64_C(0x9e3779b97f4a7c15) >> 32) & warm->mask;
}

static uint64_t
second_of(wall_time now)
{
    return (uint64_t)wall_seconds(now) & SECOND_MASK;
}

static bool
is_noted(const struct warm *warm, struct index_place place, wall_time now)
{
    uint64_t name = name_of(place);
    uint64_t slot = warm->slots[slot_of(warm, name)];

    return slot >> SECOND_BITS == name && ((second_of(now) - slot) & SECOND_MASK) <= WARM_SECONDS;
}

/* Not for longer than WARM_ASKS, also when the clock was set back. */
static bool
asks(const struct warm *warm, wall_time now)
{
    int64_t left = warm->asks_until - wall_seconds(now);
    return left > 0 && left <= WARM_ASKS;
}

bool
warm_knows(struct warm *warm, struct index_place place, wall_time now)
{
    return is_noted(warm, place, now) && !asks(warm, now) && ++warm->known % WARM_SAMPLE != 0;
}

void
warm_was_wrong(struct warm *warm, struct index_place place, wall_time now)
{
    if (is_noted(warm, place, now))
        warm->asks_until = wall_seconds(now) + WARM_ASKS;
}

void
warm_note(struct warm *warm, struct index_place place, wall_time now)
{
    uint64_t  name = name_of(place);
    uint64_t  is = name << SECOND_BITS | second_of(now);
    uint64_t *slot = &warm->slots[slot_of(warm, name)];

    if (*slot != is)
        *slot = is;
}
