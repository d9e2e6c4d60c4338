/* stage.c: see stage.h.
 *
 * What is staged is the end of its segment: whoever else writes to one, seals it or frees it flushes first. So when the write
 * fails the segment is as it was before.
 */
#include "stage.h"
#include "append.h"

#include <larder/base/check.h>

enum { PASSES_MOST = 16 };

/* ── the index ── */

/* The old record is looked for last: cleaning may have moved it. */
void
stage_settle(struct shard *shard, const struct staged *record, enum err err)
{
    struct catalog_item old;
    bool                replaces = catalog_find(shard, record->digest, &old);

    if (err == ERR_NONE) {
        metric_add(&shard->metrics.appends, 1);
        metric_add(&shard->metrics.append_bytes, record->written.size);
        catalog_put(shard, record->digest, replaces ? &old : NULL, &record->written, &record->verdict);
        return;
    }
    metric_add(&shard->metrics.append_failed, 1);
    if (replaces) {
        shard_bury(shard, record->digest);
        catalog_remove(shard, record->digest, old.place, old.size, CATALOG_REMOVED);
    }
}

/* ── filling ── */

bool
stage_has_room(const struct shard *shard, const struct segment *segment, uint64_t size)
{
    const struct stage *stage = shard->stage;
    bool                fits = stage->count < STAGE_RECORDS && size <= STAGE_SIZE - stage->len;

    return stage->count == 0 || (stage->segment == segment && fits);
}

void
stage_put(struct shard *shard, struct segment *segment, const struct gather *gather)
{
    struct stage *stage = shard->stage;

    if (stage->segment == NULL) {
        stage->segment = segment;
        stage->at = gather->at;
    }
    CHECK(stage->segment == segment && gather->at == stage->at + stage->len);
    stage->len += gather_copy(gather, stage->bytes + stage->len, STAGE_SIZE - stage->len);
}

void
stage_note(struct shard *shard, const struct staged *record)
{
    struct stage *stage = shard->stage;

    CHECK(stage->segment != NULL && stage->count < STAGE_RECORDS);
    stage->records[stage->count++] = *record;
}

void
stage_begin_job(struct shard *shard, const struct store_job *job)
{
    struct stage *stage = shard->stage;

    if (job->done == NULL)
        stage_flush(shard);
    stage->before = stage->count;
    stage->lost = false;
}

void
stage_end_job(struct shard *shard, struct store_job *job)
{
    struct stage *stage = shard->stage;

    if (stage->lost || stage->count == stage->before) {
        job->done(job, stage->lost ? ERR_IO : ERR_NONE);
        return;
    }
    CHECK(stage->job_count < stage->count); /* each has a record of its own here */
    stage->jobs[stage->job_count++] = job;
    if (job->cost > STAGE_SIZE) /* it holds too much to wait */
        stage_flush(shard);
}

/* ── emptying ── */

static void
take_back(struct segment *segment, const struct stage *stage)
{
    segment->count -= stage->count;
    segment->used -= (uint32_t)stage->len;
    segment->view.bytes -= stage->len;
}

static enum err
write_all(struct shard *shard)
{
    struct stage *stage = shard->stage;
    struct gather gather;

    gather_begin(&gather, &shard->disk, stage->at);
    gather_add(&gather, span_of(stage->bytes, stage->len));
    enum err err = gather_end(&gather);
    if (err == ERR_NONE)
        return ERR_NONE;
    take_back(stage->segment, stage);
    return append_failed(shard, stage->segment, err);
}

bool
stage_flush(struct shard *shard)
{
    struct stage *stage = shard->stage;
    unsigned      count = stage->count, job_count = stage->job_count;

    if (count == 0)
        return false;
    enum err err = write_all(shard);
    stage->lost |= err != ERR_NONE && count > stage->before;
    stage->segment = NULL;
    stage->len = 0;
    stage->count = stage->job_count = stage->before = stage->passes = 0;
    for (unsigned i = 0; i < count; i++)
        stage_settle(shard, &stage->records[i], err);
    for (unsigned i = 0; i < job_count; i++)
        stage->jobs[i]->done(stage->jobs[i], err);
    return true;
}

void
stage_pass(struct shard *shard)
{
    struct stage *stage = shard->stage;

    if (stage->count > 0 && ++stage->passes > PASSES_MOST)
        stage_flush(shard);
}

void
stage_flush_key(struct shard *shard, struct digest digest)
{
    const struct stage *stage = shard->stage;

    for (unsigned i = 0; i < stage->count; i++)
        if (digest_equal(stage->records[i].digest, digest)) {
            stage_flush(shard);
            return;
        }
}
