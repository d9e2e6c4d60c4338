/* ring.h: records from one thread to another, in a ring of bytes; nobody waits.
 *
 *      ┌── popped ──┬── records, in order ──┬── room ──┐
 *                   ▲ the reader            ▲ the writer
 *
 * One thread writes, one reads. A record lies in one piece, aligned to 8 bytes: what is left before the end of the
 * bytes and is too small for it is skipped. The writer finds no room when the reader is too slow, and then it is the
 * writer's choice what to lose. Each side keeps what it last saw of the other, so that the line of the other is touched
 * only when the ring looks full, or empty (Lamport's queue, with the caching of Giacomoni et al., PPoPP 2008).
 */
#ifndef LARDER_BASE_RING_H
#define LARDER_BASE_RING_H

#include <larder/base/err.h>
#include <larder/base/span.h>
#include <stdatomic.h>
#include <stdint.h>

enum { RING_LINE = 64 };

struct ring {
    char  *bytes;
    size_t size; /* a power of two */

    _Alignas(RING_LINE) _Atomic uint64_t written; /* bytes since the start; the writer's */
    uint64_t popped_seen, reserved;
    _Alignas(RING_LINE) _Atomic uint64_t popped; /* the reader's */
    uint64_t written_seen;
};

/* `size`: bytes, a power of two from 64 on. ERR_NO_MEMORY. */
MUST_CHECK enum err ring_init(struct ring *ring, size_t size);
void                ring_fini(struct ring *ring);

/* ── the writer ── */

/* Memory for a record of so many bytes, to be filled and then pushed; NULL: there is no room, or there never can be
 * (more than a quarter of the ring). A second call replaces the first. */
void *ring_reserve(struct ring *ring, size_t len);

/* The record that was reserved can be read from now on. */
void ring_push(struct ring *ring);

/* ── the reader ── */

/* The oldest record, valid until it is popped; at NULL: there is none. */
struct span ring_front(struct ring *ring);
void        ring_pop(struct ring *ring);

#endif
