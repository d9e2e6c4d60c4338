/* store.h: the object store: records found by digest, kept in segments of preallocated, mapped memory.
 *
 *      worker ── store_find ──▶ shard: index ──▶ lease on a record ──▶ bytes in the mapping (read-only)
 *      worker ── store_submit ─▶ shard's store thread: job ── writer_append ──▶ open segment (pwritev)
 *                                                                └─ full: eviction chooses, survivors are copied
 *      worker ── store_look ──▶ the same, or COLD ──▶ a thread reads ──▶ mail ──▶ store_look again
 *
 * A store is shards, each a complete small cache: index, segments, eviction logs, one lock, one file (or
 * memfd), allocated in full at creation and mapped PROT_READ. Only the shard's store thread writes, with
 * pwritev: a full disk is an error at start or a failed append, never a signal, and a stray write cannot
 * reach the bytes. The store knows nothing of HTTP: key, meta and body are bytes to it.
 *
 * What finds no place is refused (ERR_FULL), never waited for: the caller passes the answer through.
 */
#ifndef LARDER_STORAGE_STORE_H
#define LARDER_STORAGE_STORE_H

#include <larder/base/clock.h>
#include <larder/base/hash.h>
#include <larder/base/log.h>
#include <larder/base/metric.h>
#include <larder/base/queue.h>
#include <larder/base/span.h>
#include <sys/uio.h>

struct store;
struct eviction; /* eviction.h */

struct store_config {
    const char            *directory; /* NULL: in memory (memfd) */
    uint64_t               size;      /* bytes of all shards together; at least STORE_SIZE_MIN */
    unsigned               readers;   /* threads that will call store_find, numbered from 0 */
    const struct eviction *eviction;  /* NULL: eviction_sc with EVICTION_ALPHA */
    double                 alpha;     /* of the policy, where `eviction` is set: 0 to 1 */
    uint64_t               cold_kept; /* bytes of records kept in private memory, see lease_move; 0: 64 MiB */
    struct log            *log;
};

enum { STORE_SIZE_MIN = 8 << 20 };

/* Creates or opens the files, maps them, starts the store threads. What an earlier run stored is found again
 * after the return, by threads of the store: until then it is a miss, and what is stored and removed meanwhile
 * wins. The fault says what and where: the directory cannot be made or is another process's (who), the disk
 * has no room, the size is below the minimum. Nothing is left half done. */
MUST_CHECK enum err store_open(struct store **store, const struct store_config *config, struct fault *fault);

/* Runs the jobs that are queued, brings all to the disk, ends the threads, unmaps. All leases must be
 * back. */
void store_close(struct store **store);

/* The seed of the digests; kept with the files. Frozen. */
const struct hash_seed *store_seed(const struct store *store);

/* Key text, meta and body of one record together may have this many bytes at most. */
size_t store_record_max(const struct store *store);

/* ── reading: any of the `readers` threads ── */

/* The top 8 bits of digest.high choose the shard: digests that share them are neighbours, and one job may
 * write them together. */
struct store_key {
    struct digest digest;
    struct span   text; /* compared in full on a hit: a collision is a miss */
};

/* A record in the mapping. Valid while it is leased, or inside the job that found it. */
struct record {
    struct span key, meta, body;
    wall_time   created; /* as given at append, to the millisecond */
    wall_time   expires; /* from then on it is not found any more, to the second */
};

/* A pin on the record's segment: its bytes stay until the lease is released. It costs the reader a counter of
 * its own, nobody else's cache line. Or it holds the record in private memory, and pins nothing. A lease
 * belongs to the thread that found it. */
struct lease {
    struct record record;
    void         *shard;  /* NULL: no lease */
    void         *buffer; /* the private memory; NULL: the record is in the mapping */
    uint32_t      segment;
    uint32_t      reader;
};

/* A thread that finds must not block SIGBUS: a page of the map that the disk cannot give is a miss.
 *
 * The newest record of that key that has not expired; counts as a hit for eviction. False: none. For who may
 * wait for the disk: pages that are not in memory are read while it waits. */
bool store_find(struct store *store, unsigned reader, const struct store_key *key, wall_time now,
                struct lease *lease);

/* A second lease of the same record, of the same thread. */
void lease_copy(const struct lease *lease, struct lease *copy);

/* Idempotent; clears the lease. */
void lease_release(struct lease *lease);

/* ── reading without waiting for the disk ── */

struct cold; /* the read of one record, by a thread of the store. It belongs to the reader it was made for */

/* Reads of one caller, handed in at the next look: what they read is found. */
enum { COLD_SET = 8 };
struct cold_set {
    struct cold *reads[COLD_SET];
    unsigned     count;
};

/* As store_find, but never waits for the disk, nor touches a page that it has no reason to believe in memory.
 * COLD: the record, or what may be it, must be read first: `*cold` is a reference of the caller's, who puts it
 * into `reads` and looks again when the read is over. It is found by then, from private memory or from the
 * map, unless something newer has come or it cannot be read. */
enum find { FIND_MISSING, FIND_FOUND, FIND_COLD };
enum find store_look(struct store *store, unsigned reader, const struct store_key *key, wall_time now,
                     const struct cold_set *reads, struct lease *lease, struct cold **cold);

/* What the index says alone, for who asks after many and wants none of them now: it touches no record, pins
 * nothing, and is no hit. False: there is none. True: most likely; once in 10^5 it is another one's entry, and one
 * that expired a moment ago or cannot be read counts as well. Any thread. */
bool store_knows(struct store *store, const struct store_key *key, wall_time now);

/* What cold_begin was given; NULL: it was not begun. Several looks of a reader share a read. */
void *cold_context(const struct cold *cold);

/* Has it read, once. `done` is called on a thread of the store, and has cold_end called by the reader's own
 * thread: soon, for others wait for the memory. `context` is not NULL. */
typedef void cold_done(void *context);
void         cold_begin(struct cold *cold, cold_done *done, void *context);
void         cold_end(struct cold *cold);

/* A second reference of the same reader. */
struct cold *cold_share(struct cold *cold);

/* Clears the reference. A read that was begun goes on, and must still be ended. */
void cold_release(struct cold **cold);
void cold_set_clear(struct cold_set *set);

/* ── leases of slow readers ── */

/* Some shard has more than a twentieth of its segments emptied but for readers' leases. */
bool store_wants_leases(const struct store *store);

/* ... and this is one of those. */
bool lease_is_wanted(const struct lease *lease);

/* Are the last `len` bytes of its record in memory, as far as one can know? As cheap as a look. */
bool lease_is_warm(const struct lease *lease, size_t len, wall_time now);

/* The read of the lease's own record, with which lease_move then replaces the pin by private memory. NULL: there
 * is no room, no memory, or the lease pins nothing. */
struct cold *lease_read(const struct lease *lease, wall_time now);

/* After cold_end. True: the record of the lease lies elsewhere now, with the same bytes, and its segment is not
 * pinned any more. */
bool lease_move(struct lease *lease, const struct cold *cold);

/* ── writing: jobs on the shard's store thread, one after the other ── */

struct store_writer;

struct store_job {
    struct queue_node node;
    size_t
        cost; /* about how many bytes it holds until it has run, 0: never refused for room; set before submitting */
    /* Called once, on the store thread; the job is the caller's again when it returns or frees it, or where there is a `done`
     * when that is called. It may block on the disk, never on a worker. */
    void (*run)(struct store_job *job, struct store_writer *writer);
    /* NULL: what the job appends is written when writer_append returns, and all that jobs before it appended when it runs. Else
     * short records are written with those of other jobs a little later, and this is called then, once, on the same thread;
     * until it is, readers may not find them, but jobs do. An error: some of what the job appended is lost. It must not wait, nor
     * look into the store. */
    void (*done)(struct store_job *job, enum err err);
};

/* Queues the job for the shard of `digest`. ERR_FULL: too many bytes wait already; ERR_STOPPING: the store is
 * closing. Then the job was not taken. Any thread. */
MUST_CHECK enum err store_submit(struct store *store, struct digest digest, struct store_job *job);

struct record_parts {
    struct store_key    key;
    struct span         meta;
    const struct iovec *body; /* pieces of the body in order */
    int                 body_count;
    wall_time           created;
    wall_time           expires;
};

/* Appends a record and makes it the one that store_find finds; an older one of the same key is gone with
 * that. ERR_FULL: no segment can be freed now, or it is longer than store_record_max; ERR_IO and others: the
 * write failed (the segment is abandoned). When it fails the older record is gone too: better none than a
 * stale one. */
MUST_CHECK enum err writer_append(struct store_writer *writer, const struct record_parts *parts);

/* In a job a key whose text has a NULL pointer stands for its digest alone. */

/* As store_find, without counting a hit and also when expired; the record is valid until the job returns. */
bool writer_find(struct store_writer *writer, const struct store_key *key, struct record *record);

/* Takes the record out of the index: at once invisible, and it does not come back when the process is killed
 * (after a power failure neither, when it was 100 ms ago). Call it also for what was not found: a record that
 * the index forgot may lie in the files. False: there was none. */
bool writer_remove(struct store_writer *writer, const struct store_key *key);

/* Takes all records of this shard out, those that the index forgot too, as writer_remove does for one. How many
 * could be found. To empty a store, run it in a job for each shard. */
uint64_t writer_remove_all(struct store_writer *writer);

/* ── numbers ── */
#define STORE_METRICS(X)                                                                                     \
    X(objects, GAUGE, "records", "Records that can be found.")                                               \
    X(bytes_live, GAUGE, "bytes", "Bytes of the records that can be found, headers included.")               \
    X(bytes_size, GAUGE, "bytes", "Bytes of all segments.")                                                  \
    X(bytes_index, GAUGE, "bytes", "Bytes of memory of the index and of the table of segments.")             \
    X(appends, COUNTER, "records", "Records appended for the cache.")                                        \
    X(append_bytes, COUNTER, "bytes", "Bytes appended for the cache.")                                       \
    X(append_failed, COUNTER, "records", "Records that found no place or could not be written.")             \
    X(rejected, COUNTER, "jobs", "Jobs refused because too many bytes waited to be written.")                \
    X(removed, COUNTER, "records", "Records removed by purges and replacements.")                            \
    X(expired, COUNTER, "records", "Records dropped because their time was over.")                           \
    X(evicted, COUNTER, "records", "Records dropped to make room.")                                          \
    X(copied, COUNTER, "records", "Records that eviction kept by copying them forward.")                     \
    X(copied_bytes, COUNTER, "bytes", "Bytes of the records that eviction copied forward.")                  \
    X(segments, GAUGE, "segments", "Segments in all.")                                                       \
    X(segments_free, GAUGE, "segments", "Segments that are empty and ready.")                                \
    X(segments_pinned, GAUGE, "segments", "Emptied segments that wait for a reader's lease.")                \
    X(cold_reads, COUNTER, "records", "Records read by threads, because they were not in memory.")           \
    X(cold_bytes, COUNTER, "bytes", "Bytes of these records.")                                               \
    X(cold_waits, COUNTER, "records", "Such reads that waited in line for a thread or for memory.")          \
    X(leases_moved, COUNTER, "leases", "Slow readers that were given a copy, to free what they pinned.")     \
    X(write_errors, COUNTER, "errors", "Writes that failed.")                                                \
    X(sync_errors, COUNTER, "errors", "Waits for the disk that failed: what they were for was dropped.")     \
    X(damaged, COUNTER, "records", "Records dropped because their bytes were not what was written.")         \
    X(recovered, GAUGE, "records", "Records of earlier runs that the start found again.")                    \
    X(recovered_bytes, GAUGE, "bytes", "Bytes of the records that the start found again.")                   \
    X(recovery_time, GAUGE, "milliseconds", "How long the start looked for records, shards added up.")       \
    X(recovery_expired, COUNTER, "records", "Records not taken over: their time was over.")                  \
    X(recovery_purged, COUNTER, "records", "Records not taken over: they had been purged.")                  \
    X(recovery_older, COUNTER, "records", "Records not taken over: a newer one was there.")                  \
    X(recovery_damaged, COUNTER, "segments", "Segments not taken over: damaged or unreadable.")              \
    X(recovery_unsealed, COUNTER, "segments", "Segments not taken over: unsynced when the machine stopped.") \
    X(recovery_future, COUNTER, "segments", "Segments not taken over: written under a clock too far ahead.")

METRIC_STRUCT(store_metrics, STORE_METRICS);

/* One block of cells for each shard; blocks add up. */
unsigned                    store_metrics_count(const struct store *store);
const struct store_metrics *store_metrics_of(const struct store *store, unsigned index);

#endif
