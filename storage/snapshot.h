/* snapshot.h: the index as a clean stop left it: what saves the next start the look at the footers.
 *
 *      index-NN.snap:  header │ a row for each segment │ the index's buckets as they lay in memory
 *
 * It is only a shortcut: wrong in any way, or from another run than the last one, it is as if it were not
 * there. A start removes it: what it says is true only until something is written.
 *
 * Owner: the shard's store thread.
 */
#ifndef LARDER_STORAGE_SNAPSHOT_H
#define LARDER_STORAGE_SNAPSHOT_H

#include "shard.h"

/* Writes it and waits for the disk. A failure is logged, and costs the next start some time. */
void snapshot_write(struct shard *shard);

/* Fills index, segments and logs of a shard that is still empty. False: there is none that is true; nothing
 * has changed. */
bool snapshot_load(struct shard *shard);

void snapshot_remove(struct shard *shard);

/* Is the one that the last run left as it was written? ERR_NOT_FOUND: there is none; ERR_CORRUPT: `*at` is
 * where in the file the part begins that is wrong. Changes nothing. */
MUST_CHECK enum err snapshot_check(struct shard *shard, uint64_t *at);

#endif
