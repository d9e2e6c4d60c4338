/* stage.h: short records on their way to the disk, several in one write.
 *
 *      writer_append ──▶ stage ──┬─ no job is left, or it is full ──────┐
 *                                ├─ a job asks for one of its keys ─────┼─▶ one pwritev ──▶ catalog ──▶ done() of the jobs
 *                                ├─ a job comes that has no done() ─────┤
 *                                ├─ other shards have had their turn ───┤
 *                                └─ segments are sealed, or cleaned ────┘
 *
 * A record of a kilobyte costs less than the call that writes it. So what comes from jobs that can wait for their end
 * (store_job.done) is gathered while others are queued. It has its place in the segment from the start; no index knows it before
 * it is written, so nobody can read what is not there. Who looks for a key, writes a footer, frees a segment, or writes a longer
 * record flushes first.
 *
 * Owner: the shard's store thread.
 */
#ifndef LARDER_STORAGE_STAGE_H
#define LARDER_STORAGE_STAGE_H

#include "catalog.h"

enum { STAGE_SIZE = 64 * 1024, STAGE_RECORD_MAX = 16 * 1024, STAGE_RECORDS = 64 };

/* A record, written or about to be, that the index does not know yet. */
struct staged {
    struct digest           digest;
    struct catalog_written  written;
    struct eviction_verdict verdict;
};

struct stage {
    struct segment   *segment; /* all that is here goes to it, in one piece; NULL: nothing is here */
    uint64_t          at;      /* in the file */
    size_t            len;
    unsigned          count, job_count;
    unsigned          before;  /* of `count`: not from the job under way */
    bool              lost;    /* something of the job under way could not be written */
    unsigned          passes;  /* of the store thread, in which this shard had no job */
    struct staged     records[STAGE_RECORDS];
    struct store_job *jobs[STAGE_RECORDS]; /* whose records they are */
    char              bytes[STAGE_SIZE];
};

/* Makes a record that was written the one of its digest, in place of an older one. `err`: it was not, and the older one goes too. */
void stage_settle(struct shard *shard, const struct staged *record, enum err err);

/* Could the segment's next record, of that size, come behind what is here? An empty one always has room. */
bool stage_has_room(const struct shard *shard, const struct segment *segment, uint64_t size);

/* Takes the bytes of the gather, which begin at its place in the segment, in place of gather_end. */
void stage_put(struct shard *shard, struct segment *segment, const struct gather *gather);

/* ... and what they are. */
void stage_note(struct shard *shard, const struct staged *record);

/* A job begins; without a done() it finds the stage empty. */
void stage_begin_job(struct shard *shard, const struct store_job *job);

/* It has ended, and has a done(), which is called when what it put here is written: at once if nothing is here. */
void stage_end_job(struct shard *shard, struct store_job *job);

/* The shard had no job in a pass of the thread: some later, what is here goes, whatever other shards have to do. */
void stage_pass(struct shard *shard);

/* False: there was nothing. */
bool stage_flush(struct shard *shard);

/* ... if the record of that digest is there. */
void stage_flush_key(struct shard *shard, struct digest digest);

#endif
