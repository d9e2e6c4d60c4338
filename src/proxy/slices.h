/* slices.h: the body of an answer out of slices (cache/slice.h), one after the other, each from where it is.
 *
 *      slice 7 stored ─▶ lease      slice 8 under way ─▶ cursor      slice 9 neither ─▶ we lead a fetch of what is missing
 *
 * The reader holds one slice at a time: however slow its client is, it pins no more, and not even that when the store wants
 * it back (relief.h). A stored slice that is not in memory is read first (thaw.h). Slices that our own fetch has brought and the
 * store does not have yet are kept for us in exchange->ahead.
 *
 * Owner: the exchange; it lies in its arena.
 */
#ifndef PROXY_SLICES_H
#define PROXY_SLICES_H

#include "answer.h"

#include <larder/cache/slice.h>

/* Begins to read what is selected; the object is copied, and the exchange's lease of the head given back. `arriving`: it is fetched
 * just now. False: memory ended. */
bool slices_open(struct exchange *exchange, const struct object *object, const struct selection *selection,
                 bool arriving);

/* For several parts: what goes before each of them, and after the last one; NULL: nothing. */
void slices_set_texts(struct exchange *exchange, struct span *texts);

/* The object as it was copied: the head of the answer refers to it. */
const struct object *slices_object(const struct exchange *exchange);

/* The body in the cursor is whole: has it grown into slices? False: no. True with *state FILL_CUT: yes, but memory ended. */
bool slices_continue(struct exchange *exchange, enum fill_state *state);

void slices_close(struct exchange *exchange);

/* As cursor_peek and cursor_advance. It may start a fetch, or join a flight. */
size_t slices_peek(struct exchange *exchange, struct iovec *pieces, int *count, enum fill_state *state);
void   slices_advance(struct exchange *exchange, size_t bytes);

/* Whether the head may go out: the first slice is there, or it is known that its fetch brings it. */
bool slices_are_sure(const struct exchange *exchange);

/* Whether anything went out: from then on an answer can only be ended or broken off. */
bool slices_have_begun(const struct exchange *exchange);
void slices_note_begun(struct exchange *exchange);

/* Nothing went out, and what was found is of no use: the answer is to be looked for again, distrusting what is stored. */
void slices_take_back(struct exchange *exchange);

/* Whether all that is selected is stored: of a bounded number of slices, and as the index tells without reading. What turns out to be
 * missing nevertheless breaks the answer off. */
bool slices_are_there(struct exchange *exchange, const struct object *object,
                      const struct selection *selection);

/* The lease of the stored slice that goes out, and how much of its end is still to be sent; NULL: there is none. */
struct lease *slices_lease(const struct exchange *exchange, size_t *left);

/* The exchange's lead has brought a slice: it is kept until the exchange has come to it, or the store has it. */
void slices_keep(struct exchange *exchange, struct flight *flight);
void slices_drop_stored(struct exchange *exchange);

#endif
