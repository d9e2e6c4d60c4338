/* footer.c: see footer.h. The footer comes from the disk: it is believed only with the segment's own stamp, the
 * count that the shard knows, and a true sum.
 */
#include "footer.h"

#include <stdlib.h>

struct footer_entry *
footer_read(struct shard *shard, const struct segment *segment)
{
    uint64_t              end = ((uint64_t)segment_number(&shard->table, segment) + 1) * shard->table.size;
    struct footer_trailer trailer;
    struct segment_stamp  stamp = shard_stamp(shard, segment);
    size_t                len = segment->count * sizeof(struct footer_entry);
    struct footer_entry  *entries = malloc(len + 1);

    if (entries == NULL)
        return NULL;
    bool read = disk_read(&shard->disk, end - sizeof trailer, &trailer, sizeof trailer) == ERR_NONE
                && disk_read(&shard->disk, end - sizeof trailer - len, entries, len) == ERR_NONE;
    if (read && le32_get(trailer.count) == segment->count && memcmp(&trailer.stamp, &stamp, sizeof stamp) == 0
        && le64_get(trailer.sum) == footer_sum(&trailer, entries, shard->stream))
        return entries;
    free(entries);
    return NULL;
}
