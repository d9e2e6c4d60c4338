/* eviction.h: who goes when the store is full: the plug point for FIFO, LRU, S3-FIFO and SC.
 *
 *      new record ──place──▶ log ──▶ its open segment ── full ──▶ its sealed segments, oldest first
 *                                                                        │
 *      drop (dropped) ◀── keep ◀── each record that is still alive ◀── choose: the victim
 *                          └──▶ copied to the open segment of a log
 *
 * A policy never sees a byte, a segment table or a lock: it is told of records by hash and size and answers
 * with verdicts, which the caller carries out. So the same code runs in the store and in a simulator that has
 * only a trace. Memory for each record is the 4 bits of `freq` that the caller keeps beside it, for each
 * segment a `worth`; what a policy wants besides (a ghost list) is its own state.
 *
 * What was found how often is not on the disk. After a crash a record has freq 0, or 1 where a policy writes
 * several logs and it lies in the second half of them: there a policy keeps what proved itself.
 *
 * FIFO and LRU use one log; S3-FIFO two, small and main; SC a probation and a main log for each size class
 * (the policy with its measurements is in the design of the store, "SC"): `worth` is its utility, and
 * `dropped` fills its ghost list.
 *
 * Guard: the caller's; one call at a time (in the store: shard->lock). So every call must be short.
 */
#ifndef LARDER_STORAGE_EVICTION_H
#define LARDER_STORAGE_EVICTION_H

#include <stddef.h>
#include <stdint.h>

enum { EVICTION_FREQ_MAX = 15, EVICTION_DROP = -1, EVICTION_NONE = -1 };

/* What the policy works on: one shard. */
struct eviction_shape {
    uint64_t bytes; /* of all segments */
    uint32_t segments;
    uint32_t segment_size;
    unsigned logs_max; /* so many logs may be open at most */
};

struct eviction_object {
    uint64_t hash;     /* of the key; the same for the life of the store */
    uint64_t size;     /* bytes in the store, header included; in `hit` up to a sixteenth too large */
    uint32_t lifetime; /* seconds until it expires; in `place` only, else 0 */
    unsigned freq;     /* 0 .. EVICTION_FREQ_MAX, as the last verdict said; in `place` 0 */
    unsigned log;      /* where it stands; in `place` 0 */
};

struct eviction_verdict {
    int      log;   /* place, keep: where it is written; keep: or EVICTION_DROP. Not used by hit. */
    unsigned freq;  /* the record's new freq */
    double   worth; /* added to the segment: for hit the one it is in, else the one it is written to */
};

/* Kept by the caller for each segment; cleared when it is opened. */
struct eviction_segment {
    double   worth;
    uint64_t born; /* the clock when it was opened */
    uint64_t bytes;
};

struct eviction_log {
    const struct eviction_segment *oldest; /* sealed and may be freed; NULL: there is none now */
    uint64_t                       bytes;  /* of all its segments, the open one included */
};

struct eviction {
    const char *name; /* as in the configuration and in reports */

    /* NULL when memory ends. Sets *logs: how many it writes, 1 .. shape->logs_max. */
    void *(*create)(const struct eviction_shape *shape, unsigned *logs);
    void (*destroy)(void *policy);

    /* A new record is to be written. */
    struct eviction_verdict (*place)(void *policy, const struct eviction_object *object);

    /* A record was found. */
    struct eviction_verdict (*hit)(void *policy, const struct eviction_object *object);

    /* Which log gives its oldest segment, EVICTION_NONE when no log has one. `clock` counts the records
     * placed. */
    int (*choose)(void *policy, const struct eviction_log *logs, uint64_t clock);

    /* The victim holds this record, found by its key and not expired: copy it, or drop it? */
    struct eviction_verdict (*keep)(void *policy, const struct eviction_object *object);

    /* A record left for want of room: keep said so, or what it said could not be done. Not told of purges,
     * replacements and expiry. */
    void (*dropped)(void *policy, const struct eviction_object *object);
};

/* Oldest written goes first, whatever was asked for: the ring that Traffic Server uses. */
extern const struct eviction eviction_fifo;

/* What was found since it was written goes to the end of the log once more, the rest is dropped. */
extern const struct eviction eviction_lru;

#endif
