/* verify.h: is a record that an earlier run wrote still what was written?
 *
 * A start reads no bodies. So the first who uses such a record looks at its sums, once: from then on the
 * index says that it was done. What this run writes is never looked at.
 */
#ifndef LARDER_STORAGE_VERIFY_H
#define LARDER_STORAGE_VERIFY_H

#include "shard.h"

/* What summing takes. Owner: the caller, one thread. */
struct verify {
    const struct disk  *disk;
    struct hash_stream *stream;
    char               *piece;
};

MUST_CHECK enum err verify_begin(struct verify *verify, const struct disk *disk);
void                verify_end(struct verify *verify);

enum verify_result {
    VERIFY_TRUE,
    VERIFY_UNREADABLE, /* the disk does not give it */
    VERIFY_HEAD,       /* it is no record, or header, key or meta are not what was written */
    VERIFY_BODY
};

/* Looks at both sums of the record at `at` of the disk, which has `room` bytes at most, in a segment of that
 * stamp. `header` is what is there, unless it is unreadable. */
enum verify_result verify_sums(struct verify *verify, const struct segment_stamp *stamp, uint64_t at,
                               uint64_t room, struct record_header *header);

/* Reads the record of that hash at a place that the caller has pinned; any thread. True: all its bytes are
 * those that were written, and not later than the clock allows. Tells the index. */
bool verify_record(struct shard *shard, uint64_t hash, struct index_place place, const struct record *record,
                   wall_time now);

/* The same of a record whose bytes, from its header on, were read to private memory. `unverified`: what the
 * index thinks of it; else it was written by this run, or looked at before. */
bool verify_bytes(struct shard *shard, uint64_t hash, struct index_place place, struct span bytes,
                  bool unverified, wall_time now);

#endif
