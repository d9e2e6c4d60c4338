/* inspect.c: a directory opened to be looked at, and the numbers of a shard. See inspect.h.
 *
 * A shard of a directory is a shard like any other, without a thread and with its files open for reading: what
 * a start would do to find its records is done here too, by the same code (recover.c).
 */
#include <larder/storage/inspect.h>

#include "directory.h"
#include "guard.h"
#include "recover.h"
#include "writer.h"

#include <larder/base/check.h>
#include <stdlib.h>

enum { SHARDS_MOST = 16, SEGMENT_LEAST = 256 << 10, SEGMENT_MOST = 8 << 20 };

static_assert((int)INSPECT_NAME >= (int)DIRECTORY_NAME_SIZE, "names of files");
static_assert((int)INSPECT_NAME > (int)POLICY_NAME, "names of policies");

/* Owner: the caller. */
struct inspect {
    struct directory    directory;
    struct store_writer writers[SHARDS_MOST];
    unsigned            shards;
};

/* ── opening ── */

static bool
is_power_of_two(uint32_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

/* A true sum is no proof of sense: whoever can write the file can write the sum. */
static bool
has_sound_shape(const struct super *super)
{
    uint32_t shards = le32_get(super->shards), segment = le32_get(super->segment_size);
    uint64_t size = le64_get(super->shard_size);

    return is_power_of_two(shards) && shards <= SHARDS_MOST && is_power_of_two(segment)
           && segment >= SEGMENT_LEAST && segment <= SEGMENT_MOST && size > 0 && size % segment == 0
           && size / segment <= INDEX_SEGMENTS_MAX && le64_get(super->run) <= RECOVER_RUNS_MAX;
}

static const struct eviction *
policy_of(const struct super *super)
{
    return eviction_by_name(span_of(super->policy, strnlen(super->policy, sizeof super->policy)));
}

static enum err
open_shard(struct inspect *inspect, unsigned number, struct fault *fault)
{
    const struct super    *super = &inspect->directory.super;
    const struct eviction *policy = policy_of(super);
    uint32_t               segment = le32_get(super->segment_size);
    unsigned char          boot[16];
    char                   name[DIRECTORY_NAME_SIZE];
    struct disk            disk;

    directory_shard_name(number, name);
    enum err err = disk_open_read(&disk, inspect->directory.fd, inspect->directory.path, name,
                                  le64_get(super->shard_size), &disk_calls_real, fault);
    if (err != ERR_NONE)
        return err;
    super_read_boot(boot);
    struct shard_config config = { .eviction = policy != NULL ? policy : &eviction_fifo,
                                   .alpha = EVICTION_ALPHA,
                                   .store = super->store,
                                   .boot = boot,
                                   .number = number,
                                   .shards = le32_get(super->shards),
                                   .readers = 1,
                                   .run = le64_get(super->run) + 1,
                                   .was_clean = le32_get(super->flags) & SUPER_CLEAN,
                                   .same_policy = policy != NULL,
                                   .read_only = true,
                                   .directory = inspect->directory.fd,
                                   .path = inspect->directory.path,
                                   .segments = (uint32_t)(le64_get(super->shard_size) / segment),
                                   .segment_size = segment };
    err = shard_create(&inspect->writers[number].shard, disk, &config);
    inspect->writers[number].shards = config.shards;
    return err == ERR_NONE ? ERR_NONE : fault_set(fault, err, "no memory to look at the store");
}

static enum err
open_shards(struct inspect *inspect, bool records, struct fault *fault)
{
    enum err err = ERR_NONE;

    if (!has_sound_shape(&inspect->directory.super))
        return fault_set(fault, ERR_CORRUPT, "the superblock of %s tells of a store that cannot be",
                         inspect->directory.path);
    inspect->shards = le32_get(inspect->directory.super.shards);
    for (unsigned i = 0; i < inspect->shards && err == ERR_NONE; i++) {
        err = open_shard(inspect, i, fault);
        if (err == ERR_NONE && records)
            recover_run(inspect->writers[i].shard);
    }
    return err;
}

enum err
inspect_open(struct inspect **opened, const char *path, bool records, struct fault *fault)
{
    struct inspect *inspect = calloc(1, sizeof *inspect);

    *opened = NULL;
    if (inspect == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "no memory to look at the store");
    enum err err = directory_inspect(&inspect->directory, path, fault);
    if (err != ERR_NONE) {
        free(inspect);
        return err;
    }
    guard_install();
    err = open_shards(inspect, records, fault);
    if (err != ERR_NONE)
        inspect_close(&inspect);
    *opened = inspect;
    return err;
}

void
inspect_close(struct inspect **closed)
{
    struct inspect *inspect = *closed;

    *closed = NULL;
    if (inspect == NULL)
        return;
    for (unsigned i = 0; i < inspect->shards; i++)
        shard_destroy(&inspect->writers[i].shard);
    directory_abandon(&inspect->directory); /* a lock file that was not there before */
    directory_close(&inspect->directory);
    free(inspect);
}

unsigned
inspect_shards(const struct inspect *inspect)
{
    return inspect->shards;
}

struct store_writer *
inspect_writer(struct inspect *inspect, unsigned shard)
{
    CHECK(shard < inspect->shards);
    return &inspect->writers[shard];
}

/* ── numbers ── */

/* When the segment was begun, or, when that is longer ago, the first record of it. */
static bool
read_age(const struct shard *shard, const struct segment *segment, wall_time *born)
{
    uint64_t              at = (uint64_t)segment_number(&shard->table, segment) * shard->table.size;
    struct segment_stamp  stamp = shard_stamp(shard, segment);
    struct segment_header header;
    struct record_header  first;

    if (disk_read(&shard->disk, at, &header, sizeof header) != ERR_NONE
        || memcmp(&header.stamp, &stamp, sizeof stamp) != 0
        || le64_get(header.opened) > INT64_MAX / NSEC_PER_MSEC)
        return false;
    *born = (wall_time){ (nsec)le64_get(header.opened) * NSEC_PER_MSEC };
    if (disk_read(&shard->disk, at + SEGMENT_HEAD, &first, sizeof first) == ERR_NONE
        && le32_get(first.magic) == RECORD_MAGIC && record_created(&first).ns < born->ns)
        *born = record_created(&first);
    return true;
}

static void
count_segment(const struct shard *shard, const struct segment *segment, struct inspect_info *info)
{
    unsigned  log = segment->log < INSPECT_LOGS ? segment->log : INSPECT_LOGS - 1;
    wall_time born;

    if (segment->state == SEGMENT_OPEN)
        info->segments_open++;
    else
        info->segments_sealed++;
    info->log[log].segments++;
    info->log[log].objects += segment->live;
    info->log[log].bytes += segment->live_bytes;
    info->objects += segment->live;
    info->bytes_live += segment->live_bytes;
    if (segment->live > 0 && read_age(shard, segment, &born)
        && (!info->has_oldest || born.ns < info->oldest.ns)) {
        info->has_oldest = true;
        info->oldest = born;
    }
}

void
inspect_count(struct store_writer *writer, struct inspect_info *info)
{
    const struct shard         *shard = writer->shard;
    const struct segment_table *table = &shard->table;

    info->format = LAYOUT_FORMAT;
    info->segment_size = table->size;
    memcpy(info->uuid, shard->store, sizeof info->uuid);
    policy_name(info->policy, shard->eviction->name); /* the rest of it is zeros */
    info->running = !shard->read_only;
    info->clean = shard->read_only && shard->was_clean;
    info->shards++;
    info->damaged += shard->read_only && shard->journal.lost;
    info->segments += table->count;
    info->segments_free += table->unused_count;
    info->segments_pinned += table->deferred_count;
    info->bytes_size += shard->disk.size;
    if (table->log_count > info->logs)
        info->logs = table->log_count < INSPECT_LOGS ? table->log_count : INSPECT_LOGS;
    for (uint32_t i = 0; i < table->count; i++)
        if (table->segments[i].state == SEGMENT_OPEN || table->segments[i].state == SEGMENT_SEALED)
            count_segment(shard, &table->segments[i], info);
}
