/* survey.c: see survey.h.
 */
#include "survey.h"
#include "writer.h"

#include <stdlib.h>

#define SEQ_MAX (UINT64_C(1) << 55)

enum { RECORD_LEAST = RECORD_ALIGN };

static uint32_t
entries_max(uint32_t segment_size)
{
    return (segment_size - SEGMENT_HEAD) / (RECORD_LEAST + (uint32_t)sizeof(struct footer_entry));
}

enum err
survey_init(struct survey *survey, struct shard *shard, wall_time now)
{
    uint32_t size = shard->table.size;
    *survey = (struct survey){ .shard = shard, .now = now };
    survey->bytes = aligned_alloc(RECORD_ALIGN, size);
    survey->entries = calloc(entries_max(size), sizeof survey->entries[0]);
    if (survey->bytes != NULL && survey->entries != NULL)
        return ERR_NONE;
    survey_fini(survey);
    return ERR_NO_MEMORY;
}

void
survey_fini(struct survey *survey)
{
    free(survey->bytes);
    free(survey->entries);
    survey->bytes = NULL;
    survey->entries = NULL;
}

static uint64_t
start_of(const struct survey *survey, uint32_t segment)
{
    return (uint64_t)segment * survey->shard->table.size;
}

/* Where the trailer is. */
static uint64_t
trailer_of(const struct survey *survey, uint32_t segment)
{
    return start_of(survey, segment) + survey->shard->table.size - sizeof(struct footer_trailer);
}

void
survey_expect(const struct survey *survey, uint32_t segment)
{
    disk_expect(&survey->shard->disk, start_of(survey, segment), sizeof(struct segment_header));
    disk_expect(&survey->shard->disk, trailer_of(survey, segment), sizeof(struct footer_trailer));
}

void
survey_expect_entries(const struct survey *survey, uint32_t segment, uint32_t count)
{
    uint64_t len = (uint64_t)count * sizeof survey->entries[0];
    disk_expect(&survey->shard->disk, trailer_of(survey, segment) - len, len);
}

/* ── header ── */

static bool
is_ahead(const struct survey *survey, uint64_t milliseconds)
{
    int64_t limit = wall_add(survey->now, SURVEY_AHEAD).ns / NSEC_PER_MSEC;
    return limit < 0 || milliseconds > (uint64_t)limit;
}

enum survey_result
survey_header(const struct survey *survey, uint32_t segment, struct segment_header *header)
{
    const struct shard *shard = survey->shard;

    if (disk_read(&shard->disk, start_of(survey, segment), header, sizeof *header) != ERR_NONE)
        return SURVEY_DAMAGED;
    if (le32_get(header->magic) != SEGMENT_MAGIC || le32_get(header->format) != LAYOUT_FORMAT
        || memcmp(header->stamp.store, shard->store, sizeof header->stamp.store) != 0)
        return SURVEY_NONE;
    if (le64_get(header->sum) != hash_checksum(span_of(header, offsetof(struct segment_header, sum)))
        || le32_get(header->shard) != shard->number || le32_get(header->segment) != segment
        || le32_get(header->size) != shard->table.size || le64_get(header->stamp.seq) > SEQ_MAX)
        return SURVEY_DAMAGED;
    return is_ahead(survey, le64_get(header->opened)) ? SURVEY_FUTURE : SURVEY_FOOTER;
}

/* ── footer ── */

static bool
belongs(const struct survey *survey, struct digest digest)
{
    return shard_of_digest(digest, survey->shard->shards) == survey->shard->number;
}

static bool
entries_are_sound(const struct survey *survey)
{
    uint64_t free_from = SEGMENT_HEAD;
    uint32_t order = 0;

    for (uint32_t i = 0; i < survey->count; i++) {
        const struct footer_entry *entry = &survey->entries[i];
        uint64_t                   at = (uint64_t)le32_get(entry->offset) * RECORD_ALIGN;
        uint64_t                   size = (uint64_t)le32_get(entry->size) * RECORD_ALIGN;
        if (at < free_from || size == 0 || at + size > survey->used || le32_get(entry->order) <= order
            || !belongs(survey, footer_digest(entry)))
            return false;
        free_from = at + size;
        order = le32_get(entry->order);
    }
    return true;
}

uint32_t
survey_claim(const struct survey *survey, uint32_t segment, const struct segment_header *header)
{
    const struct shard   *shard = survey->shard;
    struct footer_trailer trailer;

    if (disk_read(&shard->disk, trailer_of(survey, segment), &trailer, sizeof trailer) != ERR_NONE
        || le32_get(trailer.magic) != FOOTER_MAGIC
        || memcmp(&trailer.stamp, &header->stamp, sizeof trailer.stamp) != 0)
        return 0;
    uint32_t count = le32_get(trailer.count), most = entries_max(shard->table.size);
    return count < most ? count : most;
}

static bool
read_footer(struct survey *survey, uint32_t segment, const struct footer_trailer *trailer)
{
    const struct shard *shard = survey->shard;
    uint64_t            end = trailer_of(survey, segment);
    uint64_t            len = (uint64_t)le32_get(trailer->count) * sizeof survey->entries[0];

    survey->count = le32_get(trailer->count);
    survey->used = le32_get(trailer->used);
    if (survey->count > entries_max(shard->table.size) || survey->used < SEGMENT_HEAD
        || survey->used + len + sizeof *trailer > shard->table.size)
        return false;
    return disk_read(&shard->disk, end - len, survey->entries, len) == ERR_NONE
           && le64_get(trailer->sum) == footer_sum(trailer, survey->entries, shard->stream)
           && entries_are_sound(survey);
}

/* ── records ── */

static void
note(struct survey *survey, const struct record_header *header, struct digest digest, uint64_t size)
{
    int64_t expires = segment_expiry(record_expires(header));
    survey->entries[survey->count++] =
        (struct footer_entry){ .digest_high = le64_of(digest.high),
                               .digest_low = le64_of(digest.low),
                               .offset = le32_of(survey->used / RECORD_ALIGN),
                               .size = le32_of((uint32_t)(size / RECORD_ALIGN)),
                               .expires = le32_of(expires > UINT32_MAX ? UINT32_MAX : (uint32_t)expires),
                               .order = header->order };
    survey->used += (uint32_t)size;
}

static uint32_t
last_order(const struct survey *survey)
{
    return survey->count == 0 ? 0 : le32_get(survey->entries[survey->count - 1].order);
}

/* The record at `used`; false when there is none that is proved by its sum. */
static bool
walk_one(struct survey *survey, const struct segment_stamp *stamp, uint32_t end)
{
    struct record record;
    struct digest digest;

    if (survey->used >= end || survey->count >= entries_max(survey->shard->table.size))
        return false;
    struct span                 room = span_of(survey->bytes + survey->used, end - survey->used);
    const struct record_header *header = (const struct record_header *)(const void *)room.at;
    if (!record_parse(room, &record, &digest) || !record_head_intact(&record, stamp, survey->shard->stream))
        return false;
    uint64_t size = record_size(record_content(&record));
    uint64_t footer =
        (survey->count + UINT64_C(1)) * sizeof(struct footer_entry) + sizeof(struct footer_trailer);
    if (survey->used + size + footer > survey->shard->table.size
        || le32_get(header->order) <= last_order(survey) || !belongs(survey, digest))
        return false;
    note(survey, header, digest, size);
    return true;
}

/* The page cache holds what was written; one large read beats many small ones. */
static bool
walk(struct survey *survey, uint32_t segment, const struct segment_stamp *stamp)
{
    uint32_t size = survey->shard->table.size, from = survey->used;

    if (disk_read(&survey->shard->disk, start_of(survey, segment) + from, survey->bytes + from, size - from)
        != ERR_NONE) {
        survey->skipping = 0;
        return false;
    }
    survey->walked = true;
    while (walk_one(survey, stamp, size)) {}
    return survey->used > from;
}

/* Heads of so many bytes are summed in vain: bytes that are made for it could keep us busy for hours. */
static bool
may_be_record(struct survey *survey, uint32_t at)
{
    const struct record_header *header = (const struct record_header *)(const void *)(survey->bytes + at);
    uint64_t head = RECORD_HEAD + (uint64_t)le32_get(header->key_len) + le32_get(header->meta_len);

    if (le32_get(header->magic) != RECORD_MAGIC || head > survey->skipping)
        return false;
    survey->skipping -= head;
    return true;
}

bool
survey_skip(struct survey *survey, const struct segment_stamp *stamp)
{
    uint32_t end = survey->shard->table.size, before = survey->used;

    for (uint64_t at = (uint64_t)before + RECORD_ALIGN; at + RECORD_HEAD <= end; at += RECORD_ALIGN) {
        survey->used = (uint32_t)at;
        if (!may_be_record(survey, (uint32_t)at) || !walk_one(survey, stamp, end))
            continue;
        while (walk_one(survey, stamp, end)) {}
        return true;
    }
    survey->used = before;
    return false;
}

/* Zeros: there was no boot id to be had, which proves nothing. */
static bool
is_this_boot(const struct shard *shard, const struct segment_header *header)
{
    static const unsigned char unknown[sizeof header->boot];
    return memcmp(header->boot, shard->boot, sizeof unknown) == 0
           && memcmp(header->boot, unknown, sizeof unknown) != 0;
}

/* A footer of an earlier life differs in more than one of these. */
static bool
is_almost_its(const struct footer_trailer *trailer, const struct segment_header *header)
{
    if (memcmp(&trailer->stamp, &header->stamp, sizeof trailer->stamp) == 0)
        return true;
    return le32_get(trailer->magic) == FOOTER_MAGIC
           && le64_get(trailer->stamp.seq) == le64_get(header->stamp.seq);
}

enum survey_result
survey_records(struct survey *survey, uint32_t segment, const struct segment_header *header)
{
    const struct shard   *shard = survey->shard;
    bool                  same_boot = is_this_boot(shard, header);
    struct footer_trailer trailer;

    survey->count = 0;
    survey->used = SEGMENT_HEAD;
    survey->skipping = 2 * (uint64_t)shard->table.size;
    survey->footer_damaged = true;
    survey->walked = false;
    if (disk_read(&shard->disk, trailer_of(survey, segment), &trailer, sizeof trailer) != ERR_NONE)
        return SURVEY_DAMAGED;
    bool present = le32_get(trailer.magic) == FOOTER_MAGIC
                   && memcmp(&trailer.stamp, &header->stamp, sizeof trailer.stamp) == 0;
    bool intact = present && read_footer(survey, segment, &trailer);
    survey->footer_damaged = !intact && (present || is_almost_its(&trailer, header));
    if (intact && (!same_boot || le32_get(trailer.flags) != FOOTER_OPEN))
        return SURVEY_FOOTER;
    if (!intact) {
        survey->count = 0;
        survey->used = SEGMENT_HEAD;
    }
    if (!same_boot)
        return present ? SURVEY_DAMAGED : SURVEY_LOST;
    bool more = walk(survey, segment, &header->stamp);
    return more ? SURVEY_WALKED : intact ? SURVEY_FOOTER : present ? SURVEY_DAMAGED : SURVEY_NONE;
}
