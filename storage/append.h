/* append.h: bytes into segments: the open segment of each log, headers, records, footers.
 *
 * Nothing here frees a segment: append_prepare says ERR_FULL, and who called it cleans (clean.h). Nothing
 * here knows the index: what was written is told back, and becomes findable by catalog_put.
 *
 * When a write fails the segment is abandoned: sealed without a footer. What it holds stays readable until
 * it is cleaned.
 *
 * Owner: the shard's store thread.
 */
#ifndef LARDER_STORAGE_APPEND_H
#define LARDER_STORAGE_APPEND_H

#include "catalog.h"

/* The open segment of `log` with room for `size` bytes; opened, and the one before it sealed, if need
 * be, as long as more than `spare` segments are free. ERR_FULL: they are not. ERR_IO: its header could
 * not be written. */
MUST_CHECK enum err append_prepare(struct shard *shard, unsigned log, uint64_t size, uint32_t spare,
                                   struct segment **segment);

/* Writes a new record to a segment that was prepared for its size; `stages`: to the stage, which has room (stage.h), and that
 * cannot fail. */
MUST_CHECK enum err append_new(struct shard *shard, struct segment *segment, const struct record_parts *parts,
                               bool stages, struct catalog_written *written);

/* Writes a record that lies in another segment once more. */
MUST_CHECK enum err append_copy(struct shard *shard, struct segment *segment, struct digest digest,
                                const struct record *record, struct catalog_written *written);

/* A write to the segment failed: it is counted, and the segment abandoned. ERR_IO, always. */
enum err append_failed(struct shard *shard, struct segment *segment, enum err err);

#endif
