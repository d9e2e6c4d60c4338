/* wheel.h: the timers of one loop, as a hierarchical timing wheel (Varghese and Lauck, 1987).
 *
 *      level 0:  64 slots of 1 ms      │ a timer lies in the level of the highest group of six bits in
 *      level 1:  64 slots of 64 ms     │ which its tick differs from ours, in the slot of that group.
 *      level 2:  64 slots of 4096 ms   │ When we enter a slot above level 0, its timers move down.
 *      ...       8 levels: all of int64_t nanoseconds
 *
 * So every occupied slot lies ahead, no slot wraps around, and the lowest level that is not empty holds the
 * earliest timer. Set and cancel are O(1); a timer moves down 7 times at most. A slot's bit in `occupied` may
 * outlive its last timer (a cancelled timer does not know its slot) and is cleared when it is next looked at.
 *
 * A timer's tick is rounded up and the clock's down: it never fires early. Time is an argument. Owner: the
 * loop.
 */
#ifndef LARDER_NET_WHEEL_H
#define LARDER_NET_WHEEL_H

#include <larder/net/loop.h>

enum { WHEEL_LEVELS = 8, WHEEL_BITS = 6, WHEEL_SLOTS = 1 << WHEEL_BITS };

struct wheel {
    uint64_t    tick; /* milliseconds; all up to here has been taken out */
    size_t      count;
    struct list due;    /* to be fired by the next advance */
    struct list firing; /* being fired by this one */
    uint64_t    occupied[WHEEL_LEVELS];
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *wheel, mono_time now);

/* Sets or moves the timer. */
void wheel_set(struct wheel *wheel, struct timer *timer, mono_time at);
void wheel_cancel(struct wheel *wheel, struct timer *timer);

/* When wheel_advance should be called next: not after the earliest timer's tick, perhaps before (timers must
 * move down first). MONO_NEVER when no timer is set. */
mono_time wheel_next(struct wheel *wheel);

/* Fires what is due at `now`, in the order of ticks. What callbacks set is for a later call, even if it
 * is due already: a timer that sets itself again does not hold the loop. */
void wheel_advance(struct wheel *wheel, mono_time now);

#endif
