/* record.h: a record as it lies in a segment: 64 bytes of header, key text, meta, body, zeros up to 64.
 *
 *      ├─ header 64 ─┼─ key ─┼─ meta ─┼─ body ─┼─ 0 ─┤       begins and ends at a multiple of 64
 *
 * Two sums: one over header, key and meta, bound to the segment it was written for (an old record that
 * shows below the end of a reused segment does not pass), one over the body alone, which stays the same
 * when a record is copied. Bytes from a file are hostile: record_parse bounds everything by the room that
 * is given.
 */
#ifndef LARDER_STORAGE_RECORD_H
#define LARDER_STORAGE_RECORD_H

#include "le.h"

#include <assert.h>
#include <larder/storage/store.h>

enum { RECORD_ALIGN = 64, RECORD_HEAD = 64, RECORD_MAGIC = 0x4452444c /* "LDRD" */ };

struct record_header {
    le32 magic;
    le32 order; /* among the writes since its segment was opened; see segment_stamp */
    le64 digest_high;
    le64 digest_low;
    le64 created;  /* ms since 1970 */
    le32 lifetime; /* s from `created` */
    le32 key_len;
    le32 meta_len;
    le32 body_len;
    le64 body_sum; /* xxh3 of the body */
    le64 head_sum; /* xxh3 of the stamp of the segment, the header up to here, key and meta */
};

static_assert(sizeof(struct record_header) == RECORD_HEAD, "record header");
static_assert(offsetof(struct record_header, digest_high) == 8, "record header");
static_assert(offsetof(struct record_header, created) == 24, "record header");
static_assert(offsetof(struct record_header, key_len) == 36, "record header");
static_assert(offsetof(struct record_header, body_sum) == 48, "record header");
static_assert(offsetof(struct record_header, head_sum) == 56, "record header");

/* Which store, and which life of the segment: 24 bytes, in segment headers and footers, and in the sum
 * of each record. A shard counts the segments it opens and the records it writes in one row: seq of the
 * segment plus order of the record is the record's place in it. Several segments are open at once, so
 * only that tells which of two records of one key is the newer. */
struct segment_stamp {
    unsigned char store[16];
    le64          seq; /* the shard's count of writes when it was opened */
};

static_assert(sizeof(struct segment_stamp) == 24, "segment stamp");

/* Bytes in the segment for so many bytes of key, meta and body. */
static inline uint64_t
record_size(uint64_t content)
{
    return (RECORD_HEAD + content + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

static inline uint64_t
record_content(const struct record *record)
{
    return (uint64_t)record->key.len + record->meta.len + record->body.len;
}

/* Fills the header. Lengths must fit (the caller has checked them against store_record_max). `stream` is
 * scratch. */
void record_fill(struct record_header *header, const struct record_parts *parts,
                 const struct segment_stamp *stamp, uint32_t order, struct hash_stream *stream);

/* The header of a copy of `record` in another segment; the body sum stays. */
void record_refill(struct record_header *header, const struct record *record,
                   const struct segment_stamp *stamp, uint32_t order, struct hash_stream *stream);

wall_time record_created(const struct record_header *header);
wall_time record_expires(const struct record_header *header);

/* The record that lies at the front of `room`; false when the bytes are none, or would end beyond it.
 * Sums are not looked at. */
bool record_parse(struct span room, struct record *record, struct digest *digest);

/* Do header, key and meta of a parsed record match the sum, for a segment of that stamp? */
bool record_head_intact(const struct record *record, const struct segment_stamp *stamp,
                        struct hash_stream *stream);

/* Does the body match its sum? */
bool record_body_intact(const struct record *record);

#endif
