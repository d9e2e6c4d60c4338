/* lead_impl.h: the lead, for the two files that it is made of: lead.c (its life) and judge.c (the answer's head). */
#ifndef PROXY_LEAD_IMPL_H
#define PROXY_LEAD_IMPL_H

#include "lead.h"

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
    struct store_key   primary;
    enum reason        reason; /* why it is a pass */
    struct span        vary;   /* the spec under which the key was looked for */
    struct lease       stale;  /* what is validated; no lease: nothing */
    wall_time          requested;
    size_t             body_max;
    bool               paused; /* waits for `drained` */
    bool               over;   /* the fetch has ended; only mail is waited for */
};

/* Gives everything back. The phase of the flight has been decided before. */
void lead_end(struct lead *lead);

/* Wakes the lead's worker when a reader has made room in the fill; any thread. */
void lead_send_drained(void *lead);

/* The final head of an answer has come: decides what becomes of the flight. The lead may be gone afterwards. */
void lead_judge(struct lead *lead, const struct head *head, const struct framing *framing);

#endif
