/* layout.h: what lies in a segment besides records: a header page in front, a footer at the end. FORMAT.md
 * has the tables.
 *
 *      0 ─ header ─ 4096 ─ records ─▶ ... free ... ◀─ footer entries (32 each) ─┼─ trailer 64 ─┤ size
 *
 * The footer is written when the segment is sealed: it says what the segment holds without a walk over the
 * records, and it is the commit record: header and footer with the same stamp and true sums prove the
 * segment whole.
 */
#ifndef LARDER_STORAGE_LAYOUT_H
#define LARDER_STORAGE_LAYOUT_H

#include "record.h"

enum {
    LAYOUT_FORMAT = 2,
    SEGMENT_HEAD = 4096,
    SEGMENT_MAGIC = 0x4753444c, /* "LDSG" */
    FOOTER_MAGIC = 0x5446444c,  /* "LDFT" */
    FOOTER_OPEN = 1             /* a flag: written while the segment was open; records may follow `used` */
};

struct segment_header {
    le32                 magic;
    le32                 format;
    struct segment_stamp stamp;
    le32                 shard;
    le32                 segment; /* its number in the shard */
    le32                 log;
    le32                 size;
    le64                 opened; /* ms since 1970 */
    unsigned char        boot[16];
    le64                 sum; /* xxh3 of the bytes before */
};

struct footer_entry {
    le64 digest_high;
    le64 digest_low;
    le32 offset;  /* from the segment's start, in units of 64 bytes */
    le32 size;    /* in units of 64 bytes */
    le32 expires; /* s since 1970, rounded up; UINT32_MAX: then or later */
    le32 order;   /* as in the record */
};

struct footer_trailer {
    le32                 magic;
    le32                 count; /* entries before it */
    struct segment_stamp stamp;
    le32                 used; /* where the last record ends, in bytes */
    le32                 flags;
    unsigned char        reserved[16];
    le64                 sum; /* xxh3 of the entries and of this trailer up to here */
};

static_assert(sizeof(struct segment_header) == 80, "segment header");
static_assert(offsetof(struct segment_header, stamp) == 8, "segment header");
static_assert(offsetof(struct segment_header, opened) == 48, "segment header");
static_assert(offsetof(struct segment_header, sum) == 72, "segment header");
static_assert(sizeof(struct footer_entry) == 32, "footer entry");
static_assert(sizeof(struct footer_trailer) == 64, "footer trailer");
static_assert(offsetof(struct footer_trailer, used) == 32, "footer trailer");
static_assert(offsetof(struct footer_trailer, flags) == 36, "footer trailer");
static_assert(offsetof(struct footer_trailer, sum) == 56, "footer trailer");

static inline struct digest
footer_digest(const struct footer_entry *entry)
{
    return (struct digest){ le64_get(entry->digest_high), le64_get(entry->digest_low) };
}

/* The name of an eviction policy as the files have it: cut, or filled up with zeros. */
enum { POLICY_NAME = 16 };

static inline void
policy_name(char to[static POLICY_NAME], const char *name)
{
    size_t len = strlen(name);
    memset(to, 0, POLICY_NAME);
    memcpy(to, name, len < POLICY_NAME ? len : POLICY_NAME);
}

/* What the trailer's sum must be. `stream` is scratch. */
static inline uint64_t
footer_sum(const struct footer_trailer *trailer, const struct footer_entry *entries,
           struct hash_stream *stream)
{
    hash_stream_begin(stream);
    if (le32_get(trailer->count) > 0)
        hash_stream_add(stream, span_of(entries, le32_get(trailer->count) * sizeof entries[0]));
    hash_stream_add(stream, span_of(trailer, offsetof(struct footer_trailer, sum)));
    return hash_stream_end(stream);
}

/* s since 1970 of an entry; far away for what cannot be said. */
static inline int64_t
footer_expires(const struct footer_entry *entry)
{
    uint32_t expires = le32_get(entry->expires);
    return expires == UINT32_MAX ? INT64_MAX : (int64_t)expires;
}

/* Key, meta and body together that fit a segment of that size alone. */
static inline size_t
layout_record_max(uint32_t segment_size)
{
    size_t room = segment_size - SEGMENT_HEAD - sizeof(struct footer_trailer) - sizeof(struct footer_entry);
    return room / RECORD_ALIGN * RECORD_ALIGN - RECORD_HEAD;
}

#endif
