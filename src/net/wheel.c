/* wheel.c: see wheel.h for the picture.
 *
 * Invariant: with t a timer's tick and w the wheel's, t > w, and t lies in level L, slot S such that t and
 * w are equal above group L, S is t's group L, and w's group L is less than S. Moving w up to, but not
 * into, the next occupied slot keeps that true for all timers; entering the slot places its timers anew.
 */
#include "wheel.h"

#include <larder/base/check.h>

static uint64_t
tick_of(mono_time at)
{
    return at.ns <= 0 ? 0 : (uint64_t)at.ns / NSEC_PER_MSEC;
}

static uint64_t
tick_not_before(mono_time at)
{
    return tick_of(at) + (at.ns > 0 && at.ns % NSEC_PER_MSEC != 0);
}

void
wheel_init(struct wheel *wheel, mono_time now)
{
    *wheel = (struct wheel){ .tick = tick_of(now) };
    list_init(&wheel->due);
    list_init(&wheel->firing);
    for (unsigned level = 0; level < WHEEL_LEVELS; level++)
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
            list_init(&wheel->slots[level][slot]);
}

static void
place(struct wheel *wheel, struct timer *timer)
{
    uint64_t tick = tick_not_before(timer->at);

    if (tick <= wheel->tick) {
        list_push_back(&wheel->due, &timer->node);
        return;
    }
    unsigned level = (63 - (unsigned)__builtin_clzll(tick ^ wheel->tick)) / WHEEL_BITS;
    unsigned slot = (unsigned)(tick >> (level * WHEEL_BITS)) % WHEEL_SLOTS;
    CHECK(level < WHEEL_LEVELS);
    wheel->occupied[level] |= UINT64_C(1) << slot;
    list_push_back(&wheel->slots[level][slot], &timer->node);
}

void
wheel_set(struct wheel *wheel, struct timer *timer, mono_time at)
{
    wheel_cancel(wheel, timer);
    timer->at = at;
    timer->set = true;
    wheel->count++;
    place(wheel, timer);
}

void
wheel_cancel(struct wheel *wheel, struct timer *timer)
{
    if (!timer->set)
        return;
    CHECK(wheel->count > 0);
    list_remove(&timer->node);
    timer->set = false;
    wheel->count--;
}

/* The next occupied slot and the tick at which it begins; NULL when all are empty. */
static struct list *
next_slot(struct wheel *wheel, uint64_t *begin)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned shift = level * WHEEL_BITS;
        uint64_t above = wheel->tick >> shift >> WHEEL_BITS << WHEEL_BITS;
        while (wheel->occupied[level] != 0) {
            unsigned slot = (unsigned)__builtin_ctzll(wheel->occupied[level]);
            if (!list_empty(&wheel->slots[level][slot])) {
                *begin = (above | slot) << shift;
                return &wheel->slots[level][slot];
            }
            wheel->occupied[level] &= wheel->occupied[level] - 1;
        }
    }
    return NULL;
}

mono_time
wheel_next(struct wheel *wheel)
{
    uint64_t begin = wheel->tick;

    if (list_empty(&wheel->due) && next_slot(wheel, &begin) == NULL)
        return MONO_NEVER;
    nsec ns;
    if (__builtin_mul_overflow(begin, NSEC_PER_MSEC, &ns))
        return MONO_NEVER; /* rounded up beyond the end of time */
    return (mono_time){ ns };
}

/* Timers of the slot go to lower levels or to `due`, never back: our tick now has the slot's own bits. */
static void
enter_slot(struct wheel *wheel, struct list *slot, uint64_t begin)
{
    struct list *node;

    wheel->tick = begin;
    while ((node = list_pop_front(slot)) != NULL)
        place(wheel, CONTAINER_OF(node, struct timer, node));
}

void
wheel_advance(struct wheel *wheel, mono_time now)
{
    uint64_t     target = tick_of(now), begin;
    struct list *slot, *node;

    while ((slot = next_slot(wheel, &begin)) != NULL && begin <= target)
        enter_slot(wheel, slot, begin);
    if (wheel->tick < target)
        wheel->tick = target;

    list_splice_back(&wheel->firing, &wheel->due);
    while ((node = list_pop_front(&wheel->firing)) != NULL) {
        struct timer *timer = CONTAINER_OF(node, struct timer, node);
        timer->set = false;
        wheel->count--;
        timer->fire(timer);
    }
}
