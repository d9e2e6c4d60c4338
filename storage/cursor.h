/* cursor.h: from segment to segment of a running shard, with nothing held in between.
 *
 *      sealed ones, in the order in which they were sealed ──▶ those that are open then, by seq
 *
 * Why that order: what eviction copies goes to a segment that is open, and an open one is sealed behind all that
 * are sealed already. So what moves, moves to where the cursor has not been.
 */
#ifndef LARDER_STORAGE_CURSOR_H
#define LARDER_STORAGE_CURSOR_H

#include "shard.h"

#include <larder/storage/inspect.h>

enum cursor_stage { CURSOR_FILES, CURSOR_SEALED, CURSOR_OPEN };

/* The segment on which it stands, or the next one, with `at` 0; NULL: the shard is through. */
const struct segment *cursor_segment(const struct shard *shard, struct inspect_cursor *cursor);

/* Behind the segment on which it stands. */
void cursor_pass(struct inspect_cursor *cursor);

/* To the beginning of the next shard. */
void cursor_next_shard(struct inspect_cursor *cursor);

#endif
