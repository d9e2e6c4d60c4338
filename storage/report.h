/* report.h: what a start tells the log: how the store is laid out, and what all shards together found again.
 */
#ifndef LARDER_STORAGE_REPORT_H
#define LARDER_STORAGE_REPORT_H

#include "shape.h"
#include "shard.h"

/* Owner: the store; the last store thread to come tells. */
struct report {
    _Atomic unsigned waiting; /* shards that are not recovered */
    mono_time        began;
    struct shard   **shards;
    unsigned         count;
    struct log      *log;
};

void report_opened(const struct store_config *config, const struct shape *shape, const char *policy);

/* One more shard is recovered. Any thread. */
void report_recovered(struct report *report);

#endif
