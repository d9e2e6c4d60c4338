/* footer.h: what a sealed segment holds, read back from its footer.
 */
#ifndef LARDER_STORAGE_FOOTER_H
#define LARDER_STORAGE_FOOTER_H

#include "shard.h"

/* The `count` entries of a segment whose footer is on the disk, in memory of their own. NULL: it is not as it
 * was written, or memory ended. By the store thread. */
struct footer_entry *footer_read(struct shard *shard, const struct segment *segment);

#endif
