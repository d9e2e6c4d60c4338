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

#include <larder/base/span.h>

enum { EVICTION_FREQ_MAX = 15, EVICTION_DROP = -1, EVICTION_NONE = -1 };

/* What the policy works on: one shard. */
struct eviction_shape {
    uint64_t bytes;      /* of all segments */
    uint64_t object_max; /* no object is larger */
    unsigned logs_max;   /* so many logs may be open at most; EVICTION_LOGS_LEAST or more */
    double   alpha;      /* of SC: see eviction_sc */
};

enum { EVICTION_LOGS_LEAST = 4 };

/* How many logs so many segments carry: each log has one open, which is not full and cannot be a victim. On
 * traces 6 logs of 16 segments missed less than 4 did, and than 8. */
static inline unsigned
eviction_logs_max(uint32_t segments)
{
    return segments / 8 * 3 < UINT8_MAX ? segments / 8 * 3 : UINT8_MAX;
}

/* When one victim after the other is kept almost whole, so that the caller finds no room, what the next ones
 * hold is dropped unasked: when more than 15/16 of the cache is hot, the rest of the order is not worth its
 * copies. After so many victims for one segment of new records; in a small shard not even once around. */
static inline unsigned
eviction_streak_max(uint32_t segments)
{
    return segments / 4 < 16 ? segments / 4 : 16;
}

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

    /* A new record is to be written; or one was found again after a crash, and counts in its segment as a
     * new one does (it stays in its log). */
    struct eviction_verdict (*place)(void *policy, const struct eviction_object *object);

    /* A record was found. A function of the object alone: once it changes nothing (the same freq, no worth) it
     * may not be asked for that record again until `keep` has moved it. */
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

/* The one of that name, or NULL. */
const struct eviction *eviction_by_name(struct span name);

/* Their names as a text for messages and usage lines: "sc|s3fifo|lru|fifo". */
#define EVICTION_NAMES "sc|s3fifo|lru|fifo"

/* Size classes with a probation and a main log each; the segment with the least use for its bytes and age
 * goes. `alpha`: what a hit is worth for an object of so many bytes is bytes ^ (1 - alpha), so 1 saves
 * requests, 0 saves bytes, and between them lies what one wants. */
extern const struct eviction eviction_sc;
#define EVICTION_ALPHA 0.7

/* S3-FIFO (Yang et al., SOSP 2023), in segments: a small log and a main one, whatever the sizes are. */
extern const struct eviction eviction_s3fifo;

/* Oldest written goes first, whatever was asked for: the ring that Traffic Server uses. */
extern const struct eviction eviction_fifo;

/* What was found since it was written goes to the end of the log once more, the rest is dropped. */
extern const struct eviction eviction_lru;

#endif
