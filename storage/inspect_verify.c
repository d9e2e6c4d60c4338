/* inspect_verify.c: is all as it was written? See inspect.h.
 *
 *      CURSOR_FILES: superblocks (with shard 0), journal, snapshot ──▶ segments, one in each call
 *
 * In a running store the table of segments says what each holds, so whatever differs is damage. In a directory
 * only the bytes say it: a segment without a footer may be one that was open when larder was killed. There it
 * is what a start would make of it, but that a record farther on proves what lies before it damaged.
 */
#include "cursor.h"
#include "directory.h"
#include "footer.h"
#include "snapshot.h"
#include "survey.h"
#include "verify.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEY_SHOWN = 1024 };

/* Owner: one call. */
struct inspection {
    struct shard            *shard;
    struct inspect_verified *verified;
    inspect_reporter        *report;
    void                    *context;
};

/* ── reports ── */

static void
report_file(const struct inspection *inspection, const char *file, uint64_t offset, const char *what)
{
    struct inspect_damage damage = { .segment = -1, .offset = offset, .what = what };
    snprintf(damage.file, sizeof damage.file, "%s", file);
    inspection->report(&damage, inspection->context);
}

/* `within`: from the beginning of the segment. */
static void
report_segment(const struct inspection *inspection, uint32_t segment, uint64_t within, const char *what,
               struct span key)
{
    uint64_t              start = (uint64_t)segment * inspection->shard->table.size;
    struct inspect_damage damage = { .segment = segment, .offset = start + within, .what = what, .key = key };
    directory_shard_name(inspection->shard->number, damage.file);
    inspection->report(&damage, inspection->context);
}

/* ── superblocks, journal, snapshot ── */

static void
check_supers(const struct inspection *inspection)
{
    static const char *const what[] = { [SUPER_NONE] = "the superblock is not there, or cut off",
                                        [SUPER_FOREIGN] = "the superblock does not begin as one",
                                        [SUPER_DAMAGED] = "the superblock",
                                        [SUPER_OTHER] = "the superblock has another format" };
    struct super             super[SUPER_COPIES] = { { .run = le64_of(0) } };
    enum super_state         state[SUPER_COPIES];

    for (int i = 0; i < SUPER_COPIES; i++)
        state[i] = super_read(inspection->shard->directory, super_names[i], &super[i]);
    for (int i = 0; i < SUPER_COPIES; i++) {
        int other = !i;
        /* The first one that a store writes has no other beside it; a damaged one does not tell. */
        bool first = state[i] == SUPER_NONE && state[other] != SUPER_NONE
                     && (state[other] != SUPER_VALID || le64_get(super[other].generation) <= 1);
        if (state[i] != SUPER_VALID && !first)
            report_file(inspection, super_names[i], 0, what[state[i]]);
    }
}

static void
check_journal(const struct inspection *inspection)
{
    struct journal journal = inspection->shard->journal;
    struct fault   fault;
    uint64_t       at = 0;
    enum err       err = ERR_NONE;
    bool           open = journal.disk.fd >= 0;

    if (!open && !journal.read_only) {
        report_file(inspection, journal.name, 0, "the journal could not be written and is gone");
        return;
    }
    if (!open)
        err = journal_open(&journal, inspection->shard->path, &fault);
    if (err == ERR_NONE)
        err = journal_check(&journal, &at);
    if (err != ERR_NONE)
        report_file(inspection, journal.name, at,
                    at > 0 ? "a slot of the journal" : "the journal is not there, or not whole");
    if (!open)
        journal_close(&journal);
}

/* While larder runs, or when it was killed, nobody will read one. */
static void
check_snapshot(const struct inspection *inspection)
{
    char     name[DIRECTORY_NAME_SIZE];
    uint64_t at;

    if (!inspection->shard->read_only || !inspection->shard->was_clean
        || snapshot_check(inspection->shard, &at) != ERR_CORRUPT)
        return;
    directory_snapshot_name(inspection->shard->number, name);
    report_file(inspection, name, at, at > 0 ? "the body of the snapshot" : "the header of the snapshot");
}

static void
check_files(const struct inspection *inspection)
{
    if (!inspection->shard->disk.in_file)
        return;
    if (inspection->shard->number == 0)
        check_supers(inspection);
    check_journal(inspection);
    check_snapshot(inspection);
}

/* ── records ── */

/* Something of a key is better than nothing. */
static struct span
read_key(const struct shard *shard, uint64_t at, uint64_t size, const struct record_header *header,
         char room[static KEY_SHOWN])
{
    uint64_t len = le32_get(header->key_len);

    if (le32_get(header->magic) != RECORD_MAGIC || len > size - RECORD_HEAD)
        return SPAN_EMPTY;
    size_t shown = len < KEY_SHOWN ? (size_t)len : KEY_SHOWN;
    if (disk_read(&shard->disk, at + RECORD_HEAD, room, shown) != ERR_NONE)
        return SPAN_EMPTY;
    return span_of(room, shown);
}

static bool
digest_is(const struct record_header *header, const struct footer_entry *entry)
{
    return le64_get(header->digest_high) == le64_get(entry->digest_high)
           && le64_get(header->digest_low) == le64_get(entry->digest_low);
}

static void
check_record(const struct inspection *inspection, struct verify *verify, uint32_t segment,
             const struct segment_stamp *stamp, const struct footer_entry *entry)
{
    static const char *const what[] = { [VERIFY_UNREADABLE] = "a record cannot be read",
                                        [VERIFY_HEAD] = "the header, key or meta of a record",
                                        [VERIFY_BODY] = "the body of a record" };
    const struct shard      *shard = inspection->shard;
    uint64_t                 within = (uint64_t)le32_get(entry->offset) * RECORD_ALIGN;
    uint64_t                 size = (uint64_t)le32_get(entry->size) * RECORD_ALIGN;
    uint64_t                 at = (uint64_t)segment * shard->table.size + within;
    struct record_header     header = { .magic = le32_of(0) };
    char                     key[KEY_SHOWN];

    enum verify_result result = verify_sums(verify, stamp, at, size, &header);
    if (result == VERIFY_TRUE && !digest_is(&header, entry))
        result = VERIFY_HEAD;
    inspection->verified->records++;
    inspection->verified->bytes += size;
    if (result != VERIFY_TRUE)
        report_segment(inspection, segment, within, what[result], read_key(shard, at, size, &header, key));
}

static enum err
check_records(const struct inspection *inspection, uint32_t segment, const struct segment_stamp *stamp,
              const struct footer_entry *entries, uint32_t count)
{
    struct verify verify;
    enum err      err = verify_begin(&verify, &inspection->shard->disk);

    if (err != ERR_NONE)
        return err;
    for (uint32_t i = 0; i < count; i++)
        check_record(inspection, &verify, segment, stamp, &entries[i]);
    verify_end(&verify);
    return ERR_NONE;
}

/* ── a segment of a running store ── */

static void
check_header(const struct inspection *inspection, const struct segment *segment)
{
    const struct shard   *shard = inspection->shard;
    uint32_t              number = segment_number(&shard->table, segment);
    struct segment_stamp  stamp = shard_stamp(shard, segment);
    struct segment_header header;

    if (disk_read(&shard->disk, (uint64_t)number * shard->table.size, &header, sizeof header) != ERR_NONE
        || le32_get(header.magic) != SEGMENT_MAGIC || memcmp(&header.stamp, &stamp, sizeof stamp) != 0
        || le64_get(header.sum) != hash_checksum(span_of(&header, offsetof(struct segment_header, sum))))
        report_segment(inspection, number, 0, "the header of a segment", SPAN_EMPTY);
}

static enum err
check_running(const struct inspection *inspection, const struct segment *segment)
{
    struct shard              *shard = inspection->shard;
    uint32_t                   number = segment_number(&shard->table, segment);
    struct segment_stamp       stamp = shard_stamp(shard, segment);
    struct footer_entry       *read = segment->entries == NULL ? footer_read(shard, segment) : NULL;
    const struct footer_entry *entries = read != NULL ? read : segment->entries;
    enum err                   err = ERR_NONE;

    check_header(inspection, segment);
    if (entries != NULL)
        err = check_records(inspection, number, &stamp, entries, segment->count);
    else if (segment->count > 0)
        report_segment(inspection, number, shard->table.size - sizeof(struct footer_trailer),
                       "the footer of a segment", SPAN_EMPTY);
    inspection->verified->segments++;
    free(read);
    return err;
}

static enum err
verify_running(const struct inspection *inspection, struct inspect_cursor *cursor)
{
    const struct segment *segment = cursor_segment(inspection->shard, cursor);

    if (segment == NULL) {
        cursor_next_shard(cursor);
        return ERR_NONE;
    }
    /* Of one in which nothing is found any more the header may be gone: a sync that failed took it. */
    enum err err = segment->live == 0 ? ERR_NONE : check_running(inspection, segment);
    if (err == ERR_NONE)
        cursor_pass(cursor);
    return err;
}

/* ── a segment of a directory ── */

/* Never used, emptied, or of a store that was here before: its header is not ours, and says so. */
static bool
is_nobodys(const struct shard *shard, const struct segment_header *header)
{
    bool ours = memcmp(header->stamp.store, shard->store, sizeof header->stamp.store) == 0;
    bool marked = le32_get(header->magic) == SEGMENT_MAGIC;
    bool is_true =
        le64_get(header->sum) == hash_checksum(span_of(header, offsetof(struct segment_header, sum)));
    return !ours && (!marked || is_true);
}

/* What a walk did not get over; see survey_skip. */
static enum err
check_behind(const struct inspection *inspection, struct survey *survey, uint32_t segment,
             const struct segment_stamp *stamp)
{
    enum err err = ERR_NONE;

    for (;;) {
        uint32_t used = survey->used, count = survey->count;
        if (err != ERR_NONE || !survey_skip(survey, stamp))
            return err;
        report_segment(inspection, segment, used, "the header, key or meta of a record", SPAN_EMPTY);
        err = check_records(inspection, segment, stamp, survey->entries + count, survey->count - count);
    }
}

static enum err
check_content(const struct inspection *inspection, struct survey *survey, uint32_t segment,
              const struct segment_header *header)
{
    const struct shard *shard = inspection->shard;
    enum survey_result  result = survey_records(survey, segment, header);
    bool                sealed = result == SURVEY_FOOTER;

    if (survey->footer_damaged || (shard->was_clean && !sealed))
        report_segment(inspection, segment, shard->table.size - sizeof(struct footer_trailer),
                       "the footer of a segment", SPAN_EMPTY);
    else
        inspection->verified->unsealed += !sealed;
    inspection->verified->segments++;
    enum err err = check_records(inspection, segment, &header->stamp, survey->entries, survey->count);
    if (err == ERR_NONE && survey->walked)
        err = check_behind(inspection, survey, segment, &header->stamp);
    return err;
}

static enum err
check_stored(const struct inspection *inspection, uint32_t segment)
{
    struct shard         *shard = inspection->shard;
    struct segment_header header = { .magic = le32_of(0) };
    struct survey         survey = { .shard = shard, .now = shard->now }; /* no room yet: a header needs none */
    enum survey_result    result = survey_header(&survey, segment, &header);

    if (result != SURVEY_FOOTER && result != SURVEY_FUTURE) {
        if (result == SURVEY_DAMAGED || !is_nobodys(shard, &header))
            report_segment(inspection, segment, 0, "the header of a segment", SPAN_EMPTY);
        return ERR_NONE;
    }
    enum err err = survey_init(&survey, shard, shard->now);
    if (err != ERR_NONE)
        return err;
    err = check_content(inspection, &survey, segment, &header);
    survey_fini(&survey);
    return err;
}

static enum err
verify_stored(const struct inspection *inspection, struct inspect_cursor *cursor)
{
    enum err err = check_stored(inspection, cursor->at);

    if (err == ERR_NONE && ++cursor->at >= inspection->shard->table.count)
        cursor_next_shard(cursor);
    return err;
}

enum err
inspect_verify(struct store_writer *writer, struct inspect_cursor *cursor, struct inspect_verified *verified,
               inspect_reporter *report, void *context)
{
    struct inspection inspection = {
        .shard = writer->shard, .verified = verified, .report = report, .context = context
    };

    if (cursor->stage != CURSOR_FILES)
        return writer->shard->read_only ? verify_stored(&inspection, cursor)
                                        : verify_running(&inspection, cursor);
    check_files(&inspection);
    *cursor = (struct inspect_cursor){ .shard = cursor->shard, .stage = CURSOR_SEALED };
    return ERR_NONE;
}
