/* clean.h: room: the policy's victim gives up what it keeps and loses the rest, and its segment is free
 * again.
 *
 *      all dead? else choose ──▶ victim ──▶ each live record: expired ─ out │ keep ─ copy │ drop ─ out
 *                                                          └──▶ pinned? deferred : free
 *
 * It runs in the background after jobs, so that a reserve of free segments is ready; an append that finds
 * none free cleans by itself. When one victim after the other is kept almost whole, so that the reserve
 * does not fill (a cache in which all is hot), the survivors are dropped: the quality of the cache falls,
 * not its pace.
 *
 * Owner: the shard's store thread.
 */
#ifndef LARDER_STORAGE_CLEAN_H
#define LARDER_STORAGE_CLEAN_H

#include "append.h"

/* One victim, if the reserve is not whole and there is one. True: something was done, it may be called
 * again. */
bool clean_ahead(struct shard *shard);

/* Cleans until more than `spare` segments are free; false when that cannot be now, for what is left is
 * pinned. */
MUST_CHECK bool clean_until(struct shard *shard, uint32_t spare);

#endif
