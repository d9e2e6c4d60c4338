/* slices_impl.h: the reader of slices, for the two files that it is made of: deliver_slices.c (bytes) and find_slices.c (where the
 * next slice is).
 *
 * Two positions in the representation: `at` is the next byte that goes out, `stand` the next one that the source gives. They
 * differ where an answer begins inside of a slice, and for a range of what cannot be asked for in ranges: then we follow the
 * fetch from its beginning.
 */
#ifndef PROXY_SLICES_IMPL_H
#define PROXY_SLICES_IMPL_H

#include "slices.h"

/* Owner: the exchange; it lies in its arena. */
struct slices {
    struct object     object; /* its head is ours */
    struct slice_view view;
    int64_t           complete; /* -1: not known yet */
    struct byte_range parts[RANGES_MAX];
    unsigned          count, part; /* the one that goes out */
    struct span      *texts;       /* NULL: none */
    struct span       text;        /* what is left of one */
    int64_t           at, stand;
    bool              walks; /* reads from the beginning, whatever is wanted */
    bool              begun;

    struct slice_run *run; /* whose slices we have read last, or will, while they may still come */

    /* the slice that `stand` is in; none: it has to be found */
    struct lease   lease;
    struct flight *flight; /* under way: a reference, joined; its cursor is open once its head is there */
    struct cursor  cursor;
};

static inline int64_t
slices_start(const struct slices *slices, uint64_t number)
{
    return (int64_t)(number << slices->view.bits);
}

static inline uint64_t
slices_number(const struct slices *slices, int64_t position)
{
    return (uint64_t)position >> slices->view.bits;
}

static inline bool
slices_is_held(const struct slices *slices)
{
    return slices->lease.shard != NULL || slices->cursor.fill != NULL;
}

/* ── find_slices.c ── */

/* The slice that `stand` is in: it is held or about to be asked for again, or to be waited for, or there is none. */
enum hold { HOLD_READY, HOLD_WAIT, HOLD_END, HOLD_FAILED };
enum hold slices_hold(struct exchange *exchange);

#endif
