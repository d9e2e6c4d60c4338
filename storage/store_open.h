/* store_open.h: opening with system calls that tests put in place of the real ones.
 */
#ifndef LARDER_STORAGE_STORE_OPEN_H
#define LARDER_STORAGE_STORE_OPEN_H

#include "disk.h"

#include <larder/storage/store.h>

/* As store_open. `calls` must outlive the store. */
MUST_CHECK enum err store_open_with(struct store **store, const struct store_config *config,
                                    const struct disk_calls *calls, struct fault *fault);

#endif
