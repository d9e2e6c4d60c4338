/* lead_impl.h: the lead, for the two files that it is made of: lead.c (its life) and judge.c (the answer's head). */
#ifndef PROXY_LEAD_IMPL_H
#define PROXY_LEAD_IMPL_H

#include "lead.h"

#include <larder/http/date.h>

/* The slices that a lead writes, one after the other (lead_slices.c). */
struct lead_slices {
    struct slice_run *run; /* NULL: its body is not written in slices */
    struct slice_view view;
    struct flight    *frontier; /* the slice that arrives, a reference; NULL: none any more */
    uint64_t          number;   /* its number */
    int64_t           at;       /* the next byte of the representation */
    int64_t           end;      /* and the one behind the last that comes; -1: not known */
    wall_time         expires;
    bool              head_later; /* the head lands when all slices have: they cannot be asked for again */
    bool              refetch;    /* the lead's flight is the first slice itself: these were missing */
    int64_t           complete;   /* of what is refetched; -1: not known */
    int64_t           skip;       /* bytes that come before what was asked for: the origin sends the whole */
    struct validators validators; /* and what it must have in common with the head */
};

/* Owner: the worker. `drained` is posted by readers of the fill. */
struct lead {
    struct list      node;
    struct worker   *worker;
    struct fetch    *fetch;
    struct flight   *flight;
    struct exchange *exchange; /* who started it; NULL once it left */
    struct arena     arena;
    struct mail      drained;

    const struct site *site;
    struct head        request; /* in our arena */
    enum method        method;  /* of our own: a GET for a client's HEAD where the answer is to be stored */
    struct store_key   primary;
    enum reason        reason;    /* why it is a pass */
    struct span        vary;      /* the spec under which the key was looked for */
    struct lease       stale;     /* what is validated, and stands in; no lease: nothing */
    bool               validates; /* our request has a condition */
    bool               passes;    /* it is the client's own */
    bool               ranged;    /* it asks for one range */
    bool               completes; /* and that is the rest of `stale` */
    int64_t            expected;  /* bytes that a part must have; 0: any number */
    uint64_t           received;  /* bytes of the body so far */
    struct span        tail;      /* goes behind the body: the end of `stale` */
    wall_time          requested;
    size_t             body_max;
    bool               behind;  /* nobody waits for it: it refreshes what was sent stale */
    bool               rounded; /* it asks for more than the client wants: for whole slices */
    bool               aligned; /* it may be answered with whole slices */
    struct lead_slices slices;
    bool               paused; /* waits for `drained` */
    bool               over;   /* the fetch has ended; only mail is waited for */
};

/* Gives everything back. The phase of the flight has been decided before. */
void lead_end(struct lead *lead);

/* ── judge_part.c ── */

/* The part that a 206 brings. False: we did not ask for one range, or it is none that can be stored: no length of the whole, or not as
 * long as it says. */
bool lead_read_part(const struct lead *lead, const struct head *head, const struct framing *framing,
                    struct content_range *part);

/* A 206 with the rest of what is stored: shares the whole. False: it does not fit, or memory ended; the flight is still open. */
bool lead_complete(struct lead *lead, const struct head *head, const struct framing *framing);

/* The If-Range that goes with what is stored, empty when there is no strong validator. */
struct span lead_if_range(const struct validators *validators, char date[static DATE_SIZE]);

/* The range that is missing of the part that was found, and its If-Range. */
void lead_plan_rest(const struct lookup *lookup, struct range_spec *rest, char date[static DATE_SIZE],
                    struct span *if_range);

/* The origin failed: if something stale can be sent meanwhile, nobody else tries for a while. */
void lead_note_trouble(struct lead *lead);
/* ── lead.c ── */

/* NULL when memory ends. With a range in the plan it is asked for as it stands. */
struct lead *lead_create(struct exchange *exchange, struct flight *flight, const struct request_plan *given);

/* ── lead_slices.c ── */

/* How an answer that may be stored is kept. */
enum lead_shape {
    SHAPE_WHOLE,  /* in one record */
    SHAPE_PART,   /* a 206, as a part */
    SHAPE_ALL,    /* a 206 that brings all of it: as the whole */
    SHAPE_SLICES, /* from `part` on, if it is a 206 */
    SHAPE_HEAD, /* a 206 that has no whole slice: as the head of slices that are fetched when they are wanted */
    SHAPE_NONE /* not at all */
};
enum lead_shape lead_choose_shape(const struct lead *lead, const struct head *head,
                                  const struct framing *framing, const struct content_range *part);

/* The first slice can be joined from now on, the lead's flight be shared: its meta is made sliced. `length`: of the whole; `part`: what of it comes,
 * NULL: all. ERR_NO_MEMORY: nothing has changed. */
MUST_CHECK enum err lead_begin_slices(struct lead *lead, const struct head *head,
                                      const struct verdict *verdict, int64_t length,
                                      const struct content_range *part, struct span *meta);

/* The flight could not be shared after all. */
void lead_drop_slices(struct lead *lead);

/* The flight is shared: its body comes in slices. */
void lead_publish_slices(struct lead *lead);

/* The body of unknown length is about to grow beyond a slice: it goes on in slices. False: it cannot. */
bool lead_grow(struct lead *lead);

/* What fetch and worker tell, while slices are written. The lead may be gone afterwards. */
void lead_take_slices(struct lead *lead, struct span bytes);
void lead_end_slices(struct lead *lead);
void lead_cut_slices(struct lead *lead);
void lead_go_on_slices(struct lead *lead); /* it was paused */
void lead_leave_slices(struct lead *lead); /* its exchange is gone */
bool lead_slices_are_idle(const struct lead *lead);

/* What the slice that begins at `at` will have; -1: not known. */
int64_t lead_next_length(const struct lead_slices *slices);

/* ── lead_missing.c ── */

/* The answer to a request for missing slices. */
void lead_judge_slices(struct lead *lead, const struct head *head, const struct framing *framing);

/* Whether something stale can stand in if the origin fails now. */
bool lead_has_stand_in(const struct lead *lead);

/* Wakes the lead's worker when a reader has made room in the fill; any thread. */
void lead_send_drained(void *lead);

/* The final head of an answer has come: decides what becomes of the flight. The lead may be gone afterwards. */
void lead_judge(struct lead *lead, const struct head *head, const struct framing *framing);

#endif
