/* survey.h: what a segment of an earlier run holds, as far as its bytes prove it.
 *
 *      header: ours? ─▶ footer: of the same life, true sum? ──────────────▶ its entries
 *                            └─ none, or written while it was open ─ this boot? ─▶ records, one by one,
 *                                                                    else none      as far as they are true
 *
 * Within one boot only the process died: what it wrote is in the page cache, footer or not. After a power
 * failure only a footer proves that the data was synced. Bodies are not read here.
 *
 * Bytes of the files are hostile: what is handed out lies within the segment, in order, and does not
 * overlap. All is read with pread: a bad place of the disk is an error and no signal.
 */
#ifndef LARDER_STORAGE_SURVEY_H
#define LARDER_STORAGE_SURVEY_H

#include "shard.h"

enum survey_result {
    SURVEY_NONE,    /* nothing of this store */
    SURVEY_FUTURE,  /* from a time that has not come */
    SURVEY_LOST,    /* without a footer, of another boot */
    SURVEY_DAMAGED, /* it cannot be read, or contradicts itself */
    SURVEY_FOOTER,  /* `entries` are its footer's */
    SURVEY_WALKED   /* `entries` are not, or not all, in its footer */
};

/* Owner: the recovery. */
struct survey {
    struct shard        *shard;
    wall_time            now;
    char                *bytes;   /* room for a segment */
    struct footer_entry *entries; /* room for as many as a segment can hold */
    uint32_t             count;
    uint32_t             used;
    bool                 footer_damaged; /* by survey_records: it has one, which is not true */
    bool                 walked;         /* ... : records were read one by one */
    uint64_t             skipping;       /* bytes that survey_skip may still sum */
};

MUST_CHECK enum err survey_init(struct survey *survey, struct shard *shard, wall_time now);
void                survey_fini(struct survey *survey);

/* Records and headers may be so far ahead of the clock; what is further was written under a clock that was
 * wrong. */
#define SURVEY_AHEAD (60 * NSEC_PER_SEC)

/* That segment's header and trailer will be read soon; so many entries of its footer. */
void survey_expect(const struct survey *survey, uint32_t segment);
void survey_expect_entries(const struct survey *survey, uint32_t segment, uint32_t count);

/* SURVEY_FOOTER stands for a true header here. */
enum survey_result survey_header(const struct survey *survey, uint32_t segment,
                                 struct segment_header *header);
/* How many records the footer of that segment claims, at most what it has room for; nothing is proved by that. 0: it has
 * none. */
uint32_t survey_claim(const struct survey *survey, uint32_t segment, const struct segment_header *header);
enum survey_result survey_records(struct survey *survey, uint32_t segment,
                                  const struct segment_header *header);

/* After a walk: goes on behind what ended it. True: a record farther on is
 * true, so what lies between its old `used` and the record's offset was damaged; `entries` has it and those that
 * follow it. A start stops at the first that is not true. The work is bounded. */
bool survey_skip(struct survey *survey, const struct segment_stamp *stamp);

#endif
