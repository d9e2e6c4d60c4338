/* slice.h: a body that is longer than a slice lies in slices: records of their own, and flights of their own.
 *
 *      primary key ──▶ head: OBJECT_SLICED, complete, generation, bits         (a variant's head under its own key)
 *      primary, generation, 0 ──▶ slice 0      primary, generation, 1 ──▶ slice 1      ...
 *
 *      fetch ──▶ [slice 3, whole: lands] [slice 4: the frontier, read while it grows]     a run writes one after the other
 *
 * A generation is a random number that is made when the first slice is written: slices of two generations have different keys,
 * so their bytes never mix, and those of a head that is gone are never found again; eviction clears them away.
 *
 * A run hooks slice n+1 before it ends slice n: who has read n to its end finds n+1 either stored or under way, or knows that the
 * run has stopped. It is kept from running ahead: of its fastest reader, and of the store.
 */
#ifndef LARDER_CACHE_SLICE_H
#define LARDER_CACHE_SLICE_H

#include <larder/cache/flight.h>
#include <larder/cache/key.h>

/* A slice of this store has 1 << slice_bits bytes: 1 MiB, or less where a record does not take that. */
unsigned slice_bits(const struct store *store);

/* ── one representation, as somebody on one thread sees it ── */
struct slice_view {
    struct cache          *cache;
    unsigned               reader; /* the thread's number in the store */
    struct arena          *arena;  /* for keys; given back at once */
    struct store_key       primary;
    uint64_t               generation;
    unsigned               bits;
    const struct cold_set *reads; /* what was COLD before, and has been read; NULL: nothing */
    bool alone; /* nobody else writes slices of this generation: none that is claimed can be there */
};

struct slice_run;

enum slice_found {
    SLICE_STORED, /* a lease */
    SLICE_COLD, /* it, or what may be it, must be read first: a reference, for the view's reads at the next look */
    SLICE_ARRIVING, /* the flight under way, a reference */
    SLICE_MISSING,  /* none of these */
    SLICE_NO_MEMORY
};

enum slice_found slice_find(const struct slice_view *view, uint64_t number, wall_time now,
                            struct lease *lease, struct cold **cold, struct flight **flight);

/* Whether it is stored or under way, for who looks at many and reads none: as store_knows tells, so once in 10^5 it is
 * not there after all. Also true when memory ends. */
bool slice_is_known(const struct slice_view *view, uint64_t number, wall_time now);

/* What is missing becomes a flight of the run, hooked: *flight is a reference. ERR_EXISTS: it is stored, or under way, or
 * must be read first: slice_find tells. ERR_NO_MEMORY. */
MUST_CHECK enum err slice_claim(const struct slice_view *view, uint64_t number, wall_time now,
                                struct slice_run *run, struct flight **flight);

/* ── a run: slices that one fetch brings ── */

/* `wake` is called on any thread, once after slice_run_must_wait said true. NULL when memory ends. */
struct slice_run *slice_run_create(void (*wake)(void *owner));
void              slice_run_release(struct slice_run **run);

/* Before it is asked whether to wait. */
void slice_run_set_owner(struct slice_run *run, void *owner);

/* Whether to pause before more of slice `number` is read: more slices than a few are on their way into the store, or, when
 * there are readers (or one will come: `followed`), none has come near yet. When true, `wake` is called as soon as that changes. */
bool slice_run_must_wait(struct slice_run *run, uint64_t number, bool followed);

/* After slice_run_must_wait said true: takes the wish back. False: too late, `wake` was or will be called. */
bool slice_run_forget(struct slice_run *run);

/* A reader of this slice becomes one of its run, and stays it until it leaves, wherever it finds the slices that follow. */
struct slice_run *slice_run_join(struct flight *flight);
void              slice_run_leave(struct slice_run **run);

/* The body of `main` is only whole while the run goes on, for what it does not bring cannot be asked for: its readers are the run's, even
 * while they read what is stored. Before `main` is shared; slice_grow does it too. */
void slice_run_feed(struct slice_run *run, struct flight *main);

/* A reader of the body of `main`, who comes to this slice, becomes one of its run. NULL: there is none that he must keep going. */
struct slice_run *slice_run_follow(struct flight *main, uint64_t number);

/* Whether it has readers. */
bool slice_run_is_read(struct slice_run *run);

/* A reader has come to slice `number`. */
void slice_run_reach(struct slice_run *run, uint64_t number);

/* The body of a claimed flight begins. `length`: what the slice will have, or -1 when that is not known; `expires`: when its head does. */
MUST_CHECK enum err slice_share(const struct slice_view *view, struct flight *flight, wall_time expires,
                                int64_t length);

/* Stores the sliced meta of an answer of which no slice is there yet. It takes the place of nothing that is as good, nor is it stored when there
 * was a purge since `fetched` began, whose answer it is. The other arguments as for flight_share. False: it was not taken. */
bool slice_land_head(struct flight *fetched, struct span meta, const struct verdict *verdict,
                     struct span vary, struct span values, const struct cache_settings *settings);

/* What an answer has shown of the stored head of this generation, and of no other. */
enum slice_news {
    SLICE_NEWS_UNRANGED, /* what is missing cannot be asked for alone: the head says so from now on (OBJECT_UNRANGED) */
    SLICE_NEWS_GONE /* the origin has something else by now: the head is taken away */
};

/* Notes it soon, on the store thread; when memory ends, not. */
void slice_note(const struct slice_view *view, enum slice_news news);

uint64_t slice_number(const struct flight *flight);

/* Whether it can be found in the store by now. */
bool slice_is_stored(const struct flight *flight);

/* ── a body whose length was not known, and that grew beyond a slice ──
 *
 * The fill of its flight becomes slice 0. Who reads it goes on with slice 1; who comes later joins the flight and
 * does the same. */

/* Before the fill's end: what stands in `main` is slice 0 of this view; NULL when memory ends, and nothing has changed. */
struct flight *slice_grow(const struct slice_view *view, struct slice_run *run, struct flight *main,
                          bool unranged);

/* Whether it has grown; any thread, once its fill is whole. */
bool slice_has_grown(const struct flight *main, struct slicing *slicing);

/* How it ended: its length, or SLICE_BROKEN. */
enum { SLICE_BROKEN = -2 };
void slice_grown_end(struct flight *main, int64_t complete);

#endif
