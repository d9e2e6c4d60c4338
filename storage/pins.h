/* pins.h: who still reads from which segment: a counter for each reader and segment, in the reader's own
 * cache lines.
 *
 *      find, under the lock:  pin ────┐                    ┌── cleaner: unlink under the lock, then pins_held
 *      release, without it:  unpin ───┴─▶ counter[reader][segment] ──▶ all 0: it may be written again
 *
 * A segment is pinned under the shard's lock while its records are in the index (or by who has a pin
 * on it already). The cleaner takes them out of the index under the same lock; from then on the counters
 * only fall. So a sum of 0 stays 0. The exception is a pin that is taken on trust, without the lock (recall.h): whoever
 * finds that the segment's version is not the one he knew lets go without having read a byte.
 */
#ifndef LARDER_STORAGE_PINS_H
#define LARDER_STORAGE_PINS_H

#include <larder/base/check.h>
#include <larder/base/err.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pins {
    _Atomic uint32_t **counts; /* [readers][segments]; each row is written by its reader alone */
    unsigned           readers;
};

MUST_CHECK enum err pins_init(struct pins *pins, unsigned readers, uint32_t segments);
void                pins_fini(struct pins *pins);

/* By the cleaner, after the segment left the index. What readers did before they let go is before the
 * return. */
bool pins_held(const struct pins *pins, uint32_t segment);

/* By the reader. The lock orders the first pin before the cleaner's look; a further one needs no order,
 * for the counter is not 0. */
static inline void
pins_take(const struct pins *pins, unsigned reader, uint32_t segment)
{
    _Atomic uint32_t *count = &pins->counts[reader][segment];
    uint32_t          before = atomic_load_explicit(count, memory_order_relaxed);
    CHECK(before < UINT32_MAX);
    atomic_store_explicit(count, before + 1, memory_order_relaxed);
}

/* By the reader, without the lock: it must look at the segment's version next, and let go if that is another one. */
static inline void
pins_take_unlocked(const struct pins *pins, unsigned reader, uint32_t segment)
{
    _Atomic uint32_t *count = &pins->counts[reader][segment];
    uint32_t          before = atomic_load_explicit(count, memory_order_relaxed);
    CHECK(before < UINT32_MAX);
    atomic_store_explicit(count, before + 1, memory_order_seq_cst);
}

/* By the reader: its reads are over before the cleaner sees it. */
static inline void
pins_drop(const struct pins *pins, unsigned reader, uint32_t segment)
{
    _Atomic uint32_t *count = &pins->counts[reader][segment];
    uint32_t          before = atomic_load_explicit(count, memory_order_relaxed);
    CHECK(before > 0);
    atomic_store_explicit(count, before - 1, memory_order_release);
}

#endif
