/* writer.h: what a job may do in its shard, and what it holds while it runs.
 */
#ifndef LARDER_STORAGE_WRITER_H
#define LARDER_STORAGE_WRITER_H

#include "shard.h"

/* Owner: the shard's store thread, for one job. */
struct store_writer {
    struct shard *shard;
    unsigned      shards; /* of the store; to see that a key belongs here */
    bool          stages; /* what it appends may be written a little later: the job waits for that */
};

/* Lets go of the segments whose records the job found. */
void writer_finish(struct store_writer *writer);

static inline unsigned
shard_of_digest(struct digest digest, unsigned shards)
{
    return (unsigned)(digest.high >> 56) & (shards - 1);
}

#endif
