/* commit.c: see commit.h.
 */
#include "commit.h"
#include "stage.h"

#include <larder/base/check.h>
#include <stdlib.h>

enum { BATCH = 8 };

#define SEALED_DELAY NSEC_PER_SEC
#define OPEN_DELAY (25 * NSEC_PER_SEC) /* and 5 s to get to the disk */

static uint64_t
start_of(const struct shard *shard, const struct segment *segment)
{
    return (uint64_t)segment_number(&shard->table, segment) * shard->table.size;
}

/* ── footers ── */

static enum err
write_footer(struct shard *shard, const struct segment *segment, uint32_t flags)
{
    struct gather         gather;
    struct footer_trailer trailer = { .magic = le32_of(FOOTER_MAGIC),
                                      .count = le32_of(segment->count),
                                      .stamp = shard_stamp(shard, segment),
                                      .used = le32_of(segment->used),
                                      .flags = le32_of(flags) };
    struct span           entries = span_of(segment->entries, segment->count * sizeof segment->entries[0]);
    uint64_t              end = start_of(shard, segment) + shard->table.size;

    trailer.sum = le64_of(footer_sum(&trailer, segment->entries, shard->stream));
    gather_begin(&gather, &shard->disk, end - sizeof trailer - entries.len);
    gather_add(&gather, entries);
    gather_add(&gather, span_of(&trailer, sizeof trailer));
    return gather_end(&gather);
}

/* Once the footer is written the list in memory is not needed any more. */
static void
free_entries(struct segment *segment)
{
    free(segment->entries);
    segment->entries = NULL;
    segment->room = 0;
}

static void
settle_in_memory(struct shard *shard, struct segment *segment)
{
    enum err err = write_footer(shard, segment, 0);
    if (err == ERR_NONE)
        free_entries(segment);
    else
        shard_count_error(shard, segment, err);
}

static mono_time
earlier(mono_time a, mono_time b)
{
    return a.ns < b.ns ? a : b;
}

void
commit_seal(struct shard *shard, struct segment *segment)
{
    segment_seal(&shard->table, segment);
    if (!shard->disk.in_file) {
        settle_in_memory(shard, segment);
        return;
    }
    disk_kick(&shard->disk, start_of(shard, segment), shard->table.size);
    mono_time now = shard->disk.calls->mono();
    segment->pending = true;
    shard->pending++;
    shard->sealed_due =
        shard->pending >= BATCH ? now : earlier(shard->sealed_due, mono_add(now, SEALED_DELAY));
}

void
commit_touch(struct shard *shard)
{
    if (shard->disk.in_file && shard->open_due.ns == MONO_NEVER.ns)
        shard->open_due = mono_add(shard->disk.calls->mono(), OPEN_DELAY);
}

static void
clear_pending(struct shard *shard, struct segment *segment)
{
    if (segment->pending)
        shard->pending--;
    segment->pending = false;
}

/* Without its header a segment is nobody's. A failure only means that it may be read at the next start: what
 * was purged is known from the journal. */
static void
wipe(struct shard *shard, const struct segment *segment)
{
    struct gather gather;

    if (!shard->disk.in_file)
        return;
    gather_begin(&gather, &shard->disk, start_of(shard, segment));
    gather_add_zeros(&gather, sizeof(struct segment_header));
    enum err err = gather_end(&gather);
    (void)err;
}

void
commit_forget(struct shard *shard, struct segment *segment)
{
    clear_pending(shard, segment);
    wipe(shard, segment);
}

/* ── batches ── */

mono_time
commit_due(const struct shard *shard)
{
    return earlier(shard->sealed_due, shard->open_due);
}

typedef void segment_visitor(struct shard *shard, struct segment *segment);

/* Few segments are open, and few wait: but they are looked for among all, once a second at most. */
static void
each_uncommitted(struct shard *shard, segment_visitor *visit)
{
    for (uint32_t i = 0; i < shard->table.count; i++) {
        struct segment *segment = &shard->table.segments[i];
        if (segment->pending || segment->state == SEGMENT_OPEN)
            visit(shard, segment);
    }
}

static void
settle(struct shard *shard, struct segment *segment)
{
    bool open = segment->state == SEGMENT_OPEN;
    if (open && (segment->noted == segment->count || shard->open_due.ns != MONO_NEVER.ns))
        return; /* nothing new, or not yet due */
    enum err err = write_footer(shard, segment, open ? FOOTER_OPEN : 0);
    if (err == ERR_NONE) {
        segment->noted = segment->count;
        return;
    }
    shard_count_error(shard, segment, err);
    clear_pending(shard, segment); /* it stays as it is, without a footer */
}

static void
conclude(struct shard *shard, struct segment *segment)
{
    if (!segment->pending)
        return;
    clear_pending(shard, segment);
    free_entries(segment);
}

static void
give_up(struct shard *shard, struct segment *segment)
{
    if (segment->state == SEGMENT_OPEN)
        segment_seal(&shard->table, segment);
    clear_pending(shard, segment);
    if (segment->live > 0)
        catalog_sweep(shard, segment);
    wipe(shard, segment);
}

static bool
sync_disk(struct shard *shard)
{
    enum err err = disk_sync(&shard->disk);
    if (err == ERR_NONE)
        return true;
    metric_add(&shard->metrics.sync_errors, 1);
    log_write(shard->log, LOG_ERROR,
              "store: shard %u: waiting for the disk failed: %s; what was not on it yet is dropped",
              shard->number, err_text(err));
    each_uncommitted(shard, give_up);
    return false;
}

void
commit_run(struct shard *shard, mono_time now)
{
    stage_flush(shard); /* a footer tells of no record that is not written */
    shard->sealed_due = MONO_NEVER;
    if (shard->open_due.ns <= now.ns)
        shard->open_due = MONO_NEVER; /* so they are due: see settle */
    if (!sync_disk(shard))
        return;
    each_uncommitted(shard, settle);
    if (sync_disk(shard))
        each_uncommitted(shard, conclude);
}

void
commit_all(struct shard *shard)
{
    stage_flush(shard);
    for (unsigned i = 0; i < shard->table.log_count; i++)
        if (shard->table.logs[i].open != NULL)
            commit_seal(shard, shard->table.logs[i].open);
    commit_run(shard, MONO_NEVER);
}
