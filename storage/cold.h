/* cold.h: records that are read by threads of their own, because who wants them must not wait for the disk.
 *
 *      reader ── cold_begin ──▶ line ──▶ thread: pread into a buffer, sums ──▶ done()   
 *         ▲                                                                                    │
 *         └── cold_end: the buffer is kept, or dropped for lack of room ◀── mail ◀─────────────┘
 *
 * Memory. A read that waits in line has no buffer; those between the line and cold_end have `moving_max`
 * bytes together, and who finds no room there waits. Readers take what is done at once, so that wait is
 * short. What they then keep, perhaps for a slow client, has a bound of its own (`kept_max`): beyond it the
 * buffer is dropped, and the map is used, whose pages have just been read.
 *
 * Owner: the reader for whom it was made, and while it is read the thread that reads.
 */
#ifndef LARDER_STORAGE_COLD_H
#define LARDER_STORAGE_COLD_H

#include "shard.h"

enum { COLD_THREADS = 2, COLD_WAYS = 64, COLD_MOVING = 32 << 20, COLD_KEPT = 64 << 20 };

/* Bytes of a record, in memory of their own. Owner: the reader. */
struct cold_buffer {
    struct cold_pool *pool;
    size_t            len;
    unsigned          refs;
    _Alignas(8) char  bytes[]; /* as the header of a record wants it */
};

struct cold {
    struct list         link;    /* in the line; guard: the pool's lock */
    struct list         pending; /* of its reader: what is not over */
    struct cold_pool   *pool;
    struct shard       *shard;
    unsigned            reader, refs;
    uint64_t            hash;
    struct index_place  place; /* pinned as long as this lives */
    bool                unverified;
    size_t              len;
    wall_time           now;
    cold_done          *done;
    void               *context;
    bool                over;   /* cold_end was called */
    enum err            err;    /* ... and this came of it */
    struct cold_buffer *buffer; /* NULL then: there was no room to keep it */
};

struct cold_pool {
    pthread_mutex_t  lock; /* innermost: nothing is taken and nothing waited for inside */
    pthread_cond_t   news;
    struct list      line;
    uint64_t         moving, moving_max; /* bytes; guard: lock */
    _Atomic uint64_t kept;
    uint64_t         kept_max;
    unsigned         idle;
    bool             stop;
    unsigned         readers;
    struct list     *pending; /* [readers][COLD_WAYS]; each row is its reader's */
    pthread_t        threads[COLD_THREADS];
    unsigned         started;
};

/* `kept_max` 0: COLD_KEPT. */
MUST_CHECK enum err cold_pool_start(struct cold_pool *pool, unsigned readers, uint64_t kept_max,
                                    struct fault *fault);

/* All reads must be over and released. Idempotent, also after a start that failed. */
void cold_pool_stop(struct cold_pool *pool);

/* The read of `len` bytes at a place that the reader has pinned: one under way for it, or a new one. Takes the
 * pin over; NULL when memory ends: then the pin is dropped. */
struct cold *cold_acquire(struct shard *shard, unsigned reader, uint64_t hash, struct index_place place,
                          size_t len, bool unverified, wall_time now);

/* Whether it is the read of that place. */
bool cold_is_at(const struct cold *cold, const struct shard *shard, struct index_place place);

/* Whether a read of that many bytes would be kept. */
bool cold_has_room(const struct cold_pool *pool, size_t len);

/* For a lease: one more user of the buffer. */
void cold_buffer_release(struct cold_buffer *buffer);

#endif
