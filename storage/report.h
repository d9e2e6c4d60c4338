/* report.h: what all shards together found again, told once.
 */
#ifndef LARDER_STORAGE_REPORT_H
#define LARDER_STORAGE_REPORT_H

#include "shard.h"

/* Owner: the store; the last store thread to come tells. */
struct report {
    _Atomic unsigned waiting; /* shards that are not recovered */
    mono_time        began;
    struct shard   **shards;
    unsigned         count;
    struct log      *log;
};

/* One more shard is recovered. Any thread. */
void report_recovered(struct report *report);

#endif
