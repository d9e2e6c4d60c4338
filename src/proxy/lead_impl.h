/* lead_impl.h: the lead, for the two files that it is made of: lead.c (its life) and judge.c (the answer's head). */
#ifndef PROXY_LEAD_IMPL_H
#define PROXY_LEAD_IMPL_H

#include "lead.h"

#include <larder/http/date.h>

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

/* The range that is missing of the part that was found, and the If-Range that goes with it, empty when there is no strong validator. */
void lead_plan_rest(const struct lookup *lookup, struct range_spec *rest, char date[static DATE_SIZE],
                    struct span *if_range);

/* The origin failed: if something stale can be sent meanwhile, nobody else tries for a while. */
void lead_note_trouble(struct lead *lead);

/* Whether something stale can stand in if the origin fails now. */
bool lead_has_stand_in(const struct lead *lead);

/* Wakes the lead's worker when a reader has made room in the fill; any thread. */
void lead_send_drained(void *lead);

/* The final head of an answer has come: decides what becomes of the flight. The lead may be gone afterwards. */
void lead_judge(struct lead *lead, const struct head *head, const struct framing *framing);

#endif
