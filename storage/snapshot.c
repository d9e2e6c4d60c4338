/* snapshot.c: see snapshot.h.
 */
#include "snapshot.h"
#include "directory.h"
#include "entry.h"

#include <errno.h>
#include <fcntl.h>
#include <larder/base/check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "buckets are written as they lie in memory");

static const unsigned char magic[8] = { 'l', 'a', 'r', 'd', 'e', 'r', 'S', 'N' };

struct snapshot_header {
    unsigned char magic[8];
    le32          format;
    le32          shard;
    unsigned char store[16];
    le64          run;
    char          policy[POLICY_NAME];
    le32          segments;
    le32          bits; /* of the index; see index.h */
    le64          buckets;
    le64          entries;
    le64          epoch; /* s since 1970 */
    le64          clock; /* records placed */
    le64          writes;
    le64          rows_sum;    /* xxh3 of the rows */
    le64          buckets_sum; /* xxh3 of the buckets */
    le64          sum;         /* xxh3 of the bytes before */
};

/* All zeros: free. */
struct snapshot_row {
    le64 seq;
    le64 expires;
    le64 worth; /* a double */
    le64 born;
    le64 bytes;
    le64 live_bytes;
    le32 live;
    le32 count;
    le32 used;
    le32 log;
};

static_assert(sizeof(struct snapshot_header) == 128, "snapshot header");
static_assert(sizeof(struct snapshot_row) == 64, "snapshot row");

void
snapshot_remove(struct shard *shard)
{
    char name[DIRECTORY_NAME_SIZE];
    directory_snapshot_name(shard->number, name);
    unlinkat(shard->directory, name, 0);
}

static struct span
rows_of(const struct snapshot_row *rows, uint32_t count)
{
    return span_of(rows, count * sizeof rows[0]);
}

static struct span
buckets_of(const struct index_table *table)
{
    return span_of(table->buckets, table->count * sizeof table->buckets[0]);
}

/* ── writing ── */

static void
fill_row(struct snapshot_row *row, const struct segment *segment)
{
    uint64_t worth;
    memcpy(&worth, &segment->view.worth, sizeof worth);
    *row = (struct snapshot_row){ .seq = le64_of(segment->seq),
                                  .expires = le64_of((uint64_t)segment->expires),
                                  .worth = le64_of(worth),
                                  .born = le64_of(segment->view.born),
                                  .bytes = le64_of(segment->view.bytes),
                                  .live_bytes = le64_of(segment->live_bytes),
                                  .live = le32_of(segment->live),
                                  .count = le32_of(segment->count),
                                  .used = le32_of(segment->used),
                                  .log = le32_of(segment->log) };
}

static struct snapshot_row *
make_rows(const struct shard *shard)
{
    struct snapshot_row *rows = calloc(shard->table.count, sizeof rows[0]);
    for (uint32_t i = 0; rows != NULL && i < shard->table.count; i++)
        if (shard->table.segments[i].state == SEGMENT_SEALED)
            fill_row(&rows[i], &shard->table.segments[i]);
    return rows;
}

static void
fill_header(const struct shard *shard, const struct snapshot_row *rows, struct snapshot_header *header)
{
    *header = (struct snapshot_header){ .format = le32_of(LAYOUT_FORMAT),
                                        .shard = le32_of(shard->number),
                                        .run = le64_of(shard->run),
                                        .segments = le32_of(shard->table.count),
                                        .bits = le32_of(shard->index.bits),
                                        .buckets = le64_of(shard->index.table.count),
                                        .entries = le64_of(shard->index.entries),
                                        .epoch = le64_of((uint64_t)shard->epoch),
                                        .clock = le64_of(shard->clock),
                                        .writes = le64_of(shard->table.writes) };
    memcpy(header->magic, magic, sizeof magic);
    memcpy(header->store, shard->store, sizeof header->store);
    policy_name(header->policy, shard->eviction->name);
    header->rows_sum = le64_of(hash_checksum(rows_of(rows, shard->table.count)));
    header->buckets_sum = le64_of(hash_checksum(buckets_of(&shard->index.table)));
    header->sum = le64_of(hash_checksum(span_of(header, offsetof(struct snapshot_header, sum))));
}

static enum err
write_all(struct shard *shard, const struct disk *file, const struct snapshot_row *rows)
{
    struct snapshot_header header;
    struct gather          gather;

    fill_header(shard, rows, &header);
    gather_begin(&gather, file, 0);
    gather_add(&gather, span_of(&header, sizeof header));
    gather_add(&gather, rows_of(rows, shard->table.count));
    gather_add(&gather, buckets_of(&shard->index.table));
    enum err err = gather_end(&gather);
    return err == ERR_NONE ? disk_sync(file) : err;
}

void
snapshot_write(struct shard *shard)
{
    char name[DIRECTORY_NAME_SIZE];

    directory_snapshot_name(shard->number, name);
    CHECK(shard->index.old.buckets == NULL);
    struct disk          file = { .calls = shard->disk.calls,
                                  .in_file = true,
                                  .fd = openat(shard->directory, name,
                                               O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) };
    struct snapshot_row *rows = make_rows(shard);
    enum err             err = file.fd < 0 ? err_from_errno(errno) : ERR_NO_MEMORY;

    if (file.fd >= 0 && rows != NULL)
        err = write_all(shard, &file, rows);
    free(rows);
    disk_close(&file);
    if (err == ERR_NONE)
        return;
    snapshot_remove(shard);
    log_write(shard->log, LOG_WARN, "store: %s cannot be written: %s; the next start will read the footers",
              name, err_text(err));
}

/* ── loading ── */

struct loading {
    struct shard          *shard;
    struct disk            file;
    struct snapshot_header header;
    struct snapshot_row   *rows;
    uint32_t              *live; /* entries counted for each segment */
    struct index_table     table;
};

static bool
read_header(struct loading *loading)
{
    struct shard           *shard = loading->shard;
    struct snapshot_header *header = &loading->header;
    char                    policy[POLICY_NAME];
    struct stat             status;

    policy_name(policy, shard->eviction->name);
    if (disk_read(&loading->file, 0, header, sizeof *header) != ERR_NONE
        || memcmp(header->magic, magic, sizeof magic) != 0 || le32_get(header->format) != LAYOUT_FORMAT
        || le64_get(header->sum) != hash_checksum(span_of(header, offsetof(struct snapshot_header, sum))))
        return false;
    uint64_t size = sizeof *header + (uint64_t)shard->table.count * sizeof loading->rows[0];
    return le32_get(header->shard) == shard->number && le64_get(header->run) + 1 == shard->run
           && memcmp(header->store, shard->store, sizeof header->store) == 0
           && memcmp(header->policy, policy, sizeof policy) == 0
           && le32_get(header->segments) == shard->table.count && le32_get(header->bits) == shard->index.bits
           && le64_get(header->buckets) <= shard->index.count_max && fstat(loading->file.fd, &status) == 0
           && (uint64_t)status.st_size == size + le64_get(header->buckets) * sizeof(struct index_bucket);
}

static bool
read_parts(struct loading *loading)
{
    struct shard *shard = loading->shard;
    uint32_t      segments = shard->table.count;
    uint64_t      at = sizeof loading->header;

    loading->rows = calloc(segments, sizeof loading->rows[0]);
    loading->live = calloc(segments, sizeof loading->live[0]);
    if (loading->rows == NULL || loading->live == NULL
        || !index_table_create(&loading->table, le64_get(loading->header.buckets)))
        return false;
    struct span rows = rows_of(loading->rows, segments), buckets = buckets_of(&loading->table);
    return disk_read(&loading->file, at, loading->rows, rows.len) == ERR_NONE
           && disk_read(&loading->file, at + rows.len, loading->table.buckets, buckets.len) == ERR_NONE
           && le64_get(loading->header.rows_sum) == hash_checksum(rows)
           && le64_get(loading->header.buckets_sum) == hash_checksum(buckets);
}

static bool
entry_is_sound(struct loading *loading, struct index_entry *entry)
{
    struct index_place place = index_read(entry).place;
    if (place.segment >= loading->shard->table.count)
        return false;
    uint64_t used = le32_get(loading->rows[place.segment].used);
    uint64_t from = (uint64_t)place.offset * RECORD_ALIGN;
    loading->live[place.segment]++;
    index_set_unverified(entry);
    return from >= SEGMENT_HEAD && from + RECORD_HEAD <= used;
}

/* Sums are no proof against a mistake of the program that wrote it. */
static bool
is_sound(struct loading *loading)
{
    const struct shard *shard = loading->shard;
    uint64_t            entries = 0;

    for (uint64_t i = 0; i < loading->table.count; i++) {
        struct index_bucket *bucket = &loading->table.buckets[i];
        if (bucket->used > INDEX_SLOTS)
            return false;
        for (uint32_t j = 0; j < bucket->used; j++)
            if (!entry_is_sound(loading, &bucket->entries[j]))
                return false;
        entries += bucket->used;
    }
    for (uint32_t i = 0; i < shard->table.count; i++) {
        const struct snapshot_row *row = &loading->rows[i];
        bool                       used = le64_get(row->seq) != 0;
        if (le32_get(row->live) != loading->live[i] || (!used && loading->live[i] > 0)
            || le32_get(row->log) >= shard->table.log_count || le32_get(row->used) > shard->table.size
            || le32_get(row->count) > shard->table.size / RECORD_ALIGN)
            return false;
    }
    return entries == le64_get(loading->header.entries);
}

static void
take_row(struct shard *shard, struct segment *segment, const struct snapshot_row *row)
{
    uint64_t worth = le64_get(row->worth);

    segment->seq = le64_get(row->seq);
    segment->expires = (int64_t)le64_get(row->expires);
    segment->view.bytes = le64_get(row->bytes);
    segment->count = segment->noted = le32_get(row->count);
    segment->used = le32_get(row->used);
    segment->log = (uint8_t)le32_get(row->log);
    segment_restore(&shard->table, segment, le64_get(row->born));
    memcpy(&segment->view.worth, &worth, sizeof worth);
    segment->live = le32_get(row->live);
    segment->live_bytes = le64_get(row->live_bytes);
    metric_add(&shard->metrics.objects, segment->live);
    metric_add(&shard->metrics.bytes_live, segment->live_bytes);
}

static int
compare_seq(const void *a, const void *b, void *rows_at)
{
    const struct snapshot_row *rows = rows_at;
    uint64_t                   x = le64_get(rows[*(const uint32_t *)a].seq);
    uint64_t                   y = le64_get(rows[*(const uint32_t *)b].seq);
    return x < y ? -1 : x > y;
}

/* In the order in which they were opened, so that each log's oldest comes first. `live` has done its duty. */
static void
take_over(struct loading *loading)
{
    struct shard *shard = loading->shard;
    uint32_t     *order = loading->live;

    for (uint32_t i = 0; i < shard->table.count; i++)
        order[i] = i;
    qsort_r(order, shard->table.count, sizeof order[0], compare_seq, loading->rows);
    for (uint32_t i = 0; i < shard->table.count; i++)
        if (le64_get(loading->rows[order[i]].seq) != 0)
            take_row(shard, &shard->table.segments[order[i]], &loading->rows[order[i]]);
    index_replace(&shard->index, loading->table, le64_get(loading->header.entries));
    shard_count_memory(shard);
    loading->table = (struct index_table){ NULL, 0 };
    shard->epoch = (int64_t)le64_get(loading->header.epoch);
    shard->clock = le64_get(loading->header.clock);
    shard->table.writes = le64_get(loading->header.writes);
}

static bool
loading_begin(struct loading *loading, struct shard *shard)
{
    char name[DIRECTORY_NAME_SIZE];

    directory_snapshot_name(shard->number, name);
    *loading = (struct loading){ .shard = shard,
                                 .file = { .calls = shard->disk.calls,
                                           .in_file = true,
                                           .fd = openat(shard->directory, name,
                                                        O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) } };
    return loading->file.fd >= 0;
}

static void
loading_end(struct loading *loading)
{
    index_table_free(&loading->table);
    free(loading->rows);
    free(loading->live);
    disk_close(&loading->file);
}

bool
snapshot_load(struct shard *shard)
{
    struct loading loading;

    bool loaded =
        loading_begin(&loading, shard) && read_header(&loading) && read_parts(&loading) && is_sound(&loading);
    if (loaded)
        take_over(&loading);
    loading_end(&loading);
    return loaded;
}

enum err
snapshot_check(struct shard *shard, uint64_t *at)
{
    struct loading loading;
    enum err       err = ERR_NONE;

    *at = 0;
    if (!loading_begin(&loading, shard))
        err = errno == ENOENT ? ERR_NOT_FOUND : ERR_CORRUPT;
    else if (!read_header(&loading))
        err = ERR_CORRUPT;
    else if (!read_parts(&loading) || !is_sound(&loading)) {
        *at = sizeof loading.header;
        err = ERR_CORRUPT;
    }
    loading_end(&loading);
    return err;
}
