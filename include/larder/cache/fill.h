/* fill.h: the body of an answer while it arrives: one writes, many read, on any thread, and nobody waits.
 *
 *      fill ─▶ [chunk]─▶[chunk]─▶[chunk]      each chunk holds the next one; the writer holds the last,
 *                 ▲        ▲        ▲         a reader the one it stands in, and a fill that is kept
 *               reader   reader   writer      whole holds the first
 *
 * A chunk that nobody holds is given back. So a body that is to be stored stays whole, and one that passes through lives in a
 * window between its slowest reader and its writer: fill_is_over_window tells the writer to pause, `drained` to go on.
 *
 * Owner: references. The writing calls belong to one thread; each cursor to one thread.
 */
#ifndef LARDER_CACHE_FILL_H
#define LARDER_CACHE_FILL_H

#include <larder/base/err.h>
#include <larder/base/span.h>
#include <stdatomic.h>
#include <sys/uio.h>

struct fill;
struct fill_chunk;

enum fill_state {
    FILL_OPEN,  /* more may come */
    FILL_WHOLE, /* that was all of it */
    FILL_CUT    /* the source broke: what is there is not the whole */
};

/* An empty fill, kept whole until fill_pass. `expected`: the length if it is known, else 0: sizes the chunks. NULL when memory ends. */
struct fill *fill_create(uint64_t expected);
struct fill *fill_acquire(struct fill *fill);
void         fill_release(struct fill **fill);

/* ── the writer ── */
MUST_CHECK enum err fill_append(struct fill *fill,
                                struct span  bytes); /* ERR_NO_MEMORY: nothing was appended */
void                fill_end(struct fill *fill);
void                fill_cut(struct fill *fill);

/* From now on chunks are given back behind the readers. Nobody may open a cursor any more. */
void fill_pass(struct fill *fill);

bool fill_is_kept(const struct fill *fill);

/* Passing, and more than a window (256 KiB) lies between the slowest reader and the writer. When true, `drained` is called once, on a
 * reader's thread, as soon as half of it is free again. */
bool fill_is_over_window(struct fill *fill);
void fill_on_drained(struct fill *fill, void (*drained)(void *owner), void *owner);

/* After fill_is_over_window said true: takes the wish back. False: too late, `drained` was or will be called. */
bool fill_forget_drained(struct fill *fill);

/* Bytes appended so far. Any thread. */
uint64_t fill_size(const struct fill *fill);

/* The pieces of a whole fill that is still kept, for storing it. False when there are more than `*count`. */
bool fill_pieces(const struct fill *fill, struct iovec *pieces, int *count);

/* ── readers ── */
struct cursor {
    struct fill       *fill; /* NULL: closed */
    struct fill_chunk *chunk;
    size_t             at; /* in the chunk */
};

/* At the first byte; the fill must be kept whole. */
void cursor_open(struct cursor *cursor, struct fill *fill);
void cursor_close(struct cursor *cursor);

/* What can be read now: fills at most `*count` pieces, sets it, returns their bytes. 0 bytes: *state says whether to wait (OPEN), or how it ended. */
size_t cursor_peek(struct cursor *cursor, struct iovec *pieces, int *count, enum fill_state *state);
void   cursor_advance(struct cursor *cursor, size_t bytes);

#endif
