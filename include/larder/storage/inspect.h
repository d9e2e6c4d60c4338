/* inspect.h: looking into a store: what there is, whether it is as it was written, and what is in it.
 *
 *      running:  store_submit ──▶ job ─────┐
 *                                          ├─ struct store_writer ─▶ inspect_count · inspect_list · inspect_verify
 *      a directory: inspect_open ─▶ shard ─┘
 *
 * The same calls serve both. In a running store each is called in a job on the shard's store thread: so nothing
 * changes under it, no worker waits for it, and the shard's lock is held for one entry at a time. A call does
 * a bounded piece of work and leaves in a cursor where to go on; between two calls nothing is held, so segments
 * may be reused meanwhile. A directory is read as a start would read it, under its lock, and nothing is changed.
 *
 * Bytes of a directory are hostile: whatever they are, these calls end, within bounded memory, and hand out
 * nothing whose sum is wrong but where they say so.
 */
#ifndef LARDER_STORAGE_INSPECT_H
#define LARDER_STORAGE_INSPECT_H

#include <larder/storage/store.h>

/* ── a directory that no larder uses ── */

struct inspect;

/* Locks the directory. `records`: reads what a start would find (memory for its index); without that only
 * inspect_verify may be called. ERR_IN_USE: the fault says by which process. `path` must outlive it. */
MUST_CHECK enum err inspect_open(struct inspect **inspect, const char *path, bool records,
                                 struct fault *fault);
void                inspect_close(struct inspect **inspect);

unsigned inspect_shards(const struct inspect *inspect);

/* For the calls below, as a job gets it. */
struct store_writer *inspect_writer(struct inspect *inspect, unsigned shard);

/* ── in a job, or with a directory's writer ── */

/* The digest that leads a job to that shard. */
static inline struct digest
inspect_digest(unsigned shard)
{
    return (struct digest){ (uint64_t)shard << 56, 0 };
}

enum { INSPECT_LOGS = 64, INSPECT_NAME = 32 };

struct inspect_log {
    uint64_t segments, objects, bytes; /* bytes of the objects */
};

/* Sums over the shards that were counted. */
struct inspect_info {
    uint32_t           format, segment_size;
    unsigned char      uuid[16];
    char               policy[INSPECT_NAME];
    bool               running;
    bool               clean;   /* a directory: the last run was closed in order */
    unsigned           shards;  /* counted */
    unsigned           damaged; /* ... whose journal is damaged: a start begins without them */
    uint64_t           segments, segments_free, segments_open, segments_sealed, segments_pinned;
    uint64_t           bytes_size, bytes_live, objects;
    bool               has_oldest;
    wall_time          oldest; /* some object is as old as that; what eviction copied may be older */
    unsigned           logs;
    struct inspect_log log[INSPECT_LOGS];
};

/* Adds a shard; `info` begins as zeros. Reads one record header for each segment. */
void inspect_count(struct store_writer *writer, struct inspect_info *info);

/* Where a list or a verification stands; it begins as zeros. `shard` says whose writer the next call needs;
 * equal to the number of shards: it is through. */
struct inspect_cursor {
    uint32_t shard, stage;
    uint64_t closed, seq;
    uint32_t at;
};

/* Digits and points. Parsing is strict; a cursor of other hands does no harm. */
enum { INSPECT_CURSOR_SIZE = 80 };
void inspect_cursor_format(const struct inspect_cursor *cursor, char out[static INSPECT_CURSOR_SIZE]);
bool inspect_cursor_parse(struct span text, struct inspect_cursor *cursor);

/* An object that can be found, or that has expired and is still there. Spans hold until the visitor returns. */
struct inspect_object {
    struct span key, meta;
    uint64_t    size; /* in the store */
    uint64_t    body;
    wall_time   created, expires;
};

/* False: no more in this call. */
typedef bool inspect_visitor(const struct inspect_object *object, void *context);

/* Visits objects from the cursor on. It looks at 256 records at most, so none may be visited, and there may
 * still be more. Each object that is there from the first call to the last is visited, some twice: when
 * eviction copies one, or a new version comes. Left out is what is damaged, and what lies in a segment whose footer is:
 * inspect_verify tells. ERR_NO_MEMORY: nothing was done. */
MUST_CHECK enum err inspect_list(struct store_writer *writer, struct inspect_cursor *cursor,
                                 inspect_visitor *visit, void *context);

/* Something that is not as it was written. */
struct inspect_damage {
    char        file[INSPECT_NAME];
    int64_t     segment; /* -1: not in one */
    uint64_t    offset;  /* in the file */
    const char *what;    /* "the body of a record" */
    struct span key; /* of a record, as it is there: it may be what is damaged; empty: it cannot be read */
};

typedef void inspect_reporter(const struct inspect_damage *damage, void *context);

/* What was looked at. */
struct inspect_verified {
    uint64_t segments, records, bytes;
    uint64_t unsealed; /* segments that were left without a footer when larder or the machine stopped */
};

/* Looks at the files beside a shard, or at one segment with all its records, and reports what is damaged.
 * Counts are added. */
MUST_CHECK enum err inspect_verify(struct store_writer *writer, struct inspect_cursor *cursor,
                                   struct inspect_verified *verified, inspect_reporter *report,
                                   void *context);

#endif
