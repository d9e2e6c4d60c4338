/* lease.c: a reader's hold on a record: by a pin on its segment, or by private memory. See store.h.
 *
 *      pin ── slow reader, too many segments wait ──▶ lease_read ──▶ ... read ... ──▶ lease_move ──▶ buffer
 *
 * Where the record begins is not kept in the lease: its key lies right behind its header.
 */
#include "lease.h"

#include <larder/base/check.h>

enum { WANTED_PART = 20 };

void
lease_copy(const struct lease *lease, struct lease *copy)
{
    struct shard       *shard = lease->shard;
    struct cold_buffer *buffer = lease->buffer;

    CHECK(shard != NULL);
    *copy = *lease;
    if (buffer != NULL)
        buffer->refs++;
    else
        pins_take(&shard->pins, lease->reader, lease->segment);
}

void
lease_release(struct lease *lease)
{
    struct shard *shard = lease->shard;

    if (shard != NULL && lease->buffer != NULL)
        cold_buffer_release(lease->buffer);
    else if (shard != NULL)
        pins_drop(&shard->pins, lease->reader, lease->segment);
    *lease = (struct lease){ .shard = NULL };
}

/* ── slow readers ── */

bool
shard_wants_leases(const struct shard *shard)
{
    return metric_read(&shard->metrics.segments_pinned) * WANTED_PART > shard->table.count;
}

bool
lease_is_wanted(const struct lease *lease)
{
    const struct shard *shard = lease->shard;

    return shard != NULL && lease->buffer == NULL && shard_wants_leases(shard)
           && atomic_load_explicit(&shard->table.segments[lease->segment].wanted, memory_order_relaxed);
}

/* Of a record in the map. */
static struct index_place
place_of(const struct lease *lease)
{
    const struct shard *shard = lease->shard;
    const char         *start = shard->disk.map + (uint64_t)lease->segment * shard->table.size;

    CHECK(lease->buffer == NULL);
    return (struct index_place){ .segment = lease->segment,
                                 .offset = (uint32_t)((lease->record.key.at - RECORD_HEAD - start)
                                                      / RECORD_ALIGN) };
}

bool
lease_is_warm(const struct lease *lease, size_t len, wall_time now)
{
    struct shard *shard = lease->shard;

    if (shard == NULL || lease->buffer != NULL || !shard->disk.in_file || len == 0)
        return true;
    struct warm       *warm = &shard->warm[lease->reader];
    struct index_place place = place_of(lease);
    if (warm_knows(warm, place, now))
        return true;
    CHECK(len <= lease->record.body.len);
    const char *from = lease->record.body.at + lease->record.body.len - len;
    if (disk_is_warm(&shard->disk, (uint64_t)(from - shard->disk.map), len))
        return true;
    warm_was_wrong(warm, place, now);
    return false;
}

struct cold *
lease_read(const struct lease *lease, wall_time now)
{
    struct shard *shard = lease->shard;

    if (shard == NULL || lease->buffer != NULL)
        return NULL;
    size_t len = record_size(record_content(&lease->record));
    if (!cold_has_room(shard->cold, len))
        return NULL;
    pins_take(&shard->pins, lease->reader, lease->segment); /* the read's own */
    return cold_acquire(shard, lease->reader, 0, place_of(lease), len, false, now);
}

/* A read of the same place for a finder may have come first; it has the whole record, too. */
bool
lease_move(struct lease *lease, const struct cold *cold)
{
    struct shard       *shard = lease->shard;
    struct cold_buffer *buffer = cold->buffer;
    struct record       record;
    struct digest       digest;

    CHECK(cold->over);
    if (buffer == NULL || lease->buffer != NULL
        || !record_parse(span_of(buffer->bytes, buffer->len), &record, &digest)
        || record_content(&record) != record_content(&lease->record))
        return false;
    CHECK(cold_is_at(cold, shard, place_of(lease))); /* else another record's bytes would go out */
    buffer->refs++;
    lease->record = record;
    lease->buffer = buffer;
    pins_drop(&shard->pins, lease->reader, lease->segment);
    atomic_fetch_add_explicit(&shard->metrics.leases_moved, 1, memory_order_relaxed);
    return true;
}
