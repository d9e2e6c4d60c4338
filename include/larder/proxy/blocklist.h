/* blocklist.h: networks in files, which are read again while workers ask.
 *
 *      blocklist_reload ──▶ a new generation of all files ──▶ current        (the control thread)
 *                                                               │ blocklist_renew, before a worker asks
 *                                                               ▼
 *      worker: its own reference ──▶ generation ──▶ networks_have
 *
 * A generation is frozen and counted; the last who lets go frees it. A worker compares one pointer for each request, and
 * takes the lock only when there is a newer generation. One that serves nobody lets go with its tick, within a second.
 *
 * Guard: blocklists->lock, rank CONTROL, for `current`; a generation counts with atomics.
 */
#ifndef LARDER_PROXY_BLOCKLIST_H
#define LARDER_PROXY_BLOCKLIST_H

#include <larder/base/metric.h>
#include <larder/net/networks.h>

#define BLOCKLIST_METRICS(X)                                                                                 \
    X(files, GAUGE, "files", "Files of networks that are denied.")                                           \
    X(networks, GAUGE, "networks", "Networks in these files, as they were read last.")                       \
    X(bytes, GAUGE, "bytes", "Memory for these networks.")                                                   \
    X(reloads, COUNTER, "reloads", "Times that the files were read again.")                                  \
    X(reloads_failed, COUNTER, "reloads",                                                                    \
      "Times that a file could not be read again, and all stayed as they were.")
METRIC_STRUCT(blocklist_metrics, BLOCKLIST_METRICS);

struct blocklists;
struct generation;

enum { BLOCKLIST_FILES_MAX = 64 };

MUST_CHECK enum err blocklists_create(struct blocklists **blocklists);
/* After all references to its generations were let go. */
void blocklists_destroy(struct blocklists **blocklists);

/* Before anybody asks: reads a file, if it was not added before, and says the number by which it is asked. */
MUST_CHECK enum err blocklists_add(struct blocklists *blocklists, const char *path, unsigned *file,
                                   struct fault *fault);

/* Reads all files again. On failure nothing changes, and the fault names file and line. Blocks: for the control thread, which
 * alone may call it. */
MUST_CHECK enum err blocklists_reload(struct blocklists *blocklists, struct fault *fault);

/* Of `file` from 0; NULL after the last. */
const char *blocklists_path(const struct blocklists *blocklists, unsigned file);
const char *blocklists_folder(const struct blocklists *blocklists, unsigned file);

const struct blocklist_metrics *blocklists_metrics(const struct blocklists *blocklists);

/* The caller's reference (NULL: it has none yet) becomes one to the newest generation. */
void blocklist_renew(struct blocklists *blocklists, struct generation **held);
void blocklist_release(struct generation **held);

bool blocklist_has(const struct generation *generation, unsigned file, const struct network *host);

#endif
