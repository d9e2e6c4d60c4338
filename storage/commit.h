/* commit.h: when what was written is safe: footers, and the order in which the disk is waited for.
 *
 *      records ─▶ sealed: waits ─▶ fdatasync ─▶ footers ─▶ fdatasync         one batch for all that wait
 *                 open: 25 s old ──────┘           └─ of open segments too, marked so; they go on being filled
 *
 * A footer must not reach the disk before what it vouches for, so the data is synced first. A batch begins
 * when 8 segments wait, or one for a second. What lies in segments that stay open for long gets a footer as
 * well, which a later one replaces: so a power failure costs what came in the last 30 s, and no segment is
 * closed half empty for that. When a sync fails nobody knows what was lost: all segments that it was for are
 * given up.
 *
 * Nothing of this in memory: there a footer is written at once, for the cleaner.
 *
 * Owner: the shard's store thread.
 */
#ifndef LARDER_STORAGE_COMMIT_H
#define LARDER_STORAGE_COMMIT_H

#include "shard.h"

/* The open segment of a log is full: sealed, its footer will be written. */
void commit_seal(struct shard *shard, struct segment *segment);

/* A record was written. */
void commit_touch(struct shard *shard);

/* The segment is emptied: nothing is to be written for it any more, and no start shall read what it held. */
void commit_forget(struct shard *shard, struct segment *segment);

/* When commit_run has something to do; MONO_NEVER: nothing. */
mono_time commit_due(const struct shard *shard);
void      commit_run(struct shard *shard, mono_time now);

/* Seals all, and waits until all is on the disk. */
void commit_all(struct shard *shard);

#endif
