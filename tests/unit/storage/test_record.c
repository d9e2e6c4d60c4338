/* test_record.c: records as bytes: what is filled comes back, what is damaged is seen, what is hostile is
 * bounded.
 */
#include "layout.h"

#include <criterion/criterion.h>

static const struct segment_stamp stamp = { .store = "0123456789abcde", .seq = { 7 } };

/* A record in a buffer, as it would lie in a segment. */
struct specimen {
    _Alignas(64) char   bytes[512];
    size_t              len;
    struct hash_stream *stream;
};

static void
make(struct specimen *specimen, struct span key, struct span meta, struct span body, nsec lifetime)
{
    char                *at_body = (char *)(uintptr_t)body.at;
    size_t               half = body.len / 2;
    struct iovec         pieces[2] = { { at_body, half }, { at_body + half, body.len - half } };
    struct record_parts  parts = { .key = { { 1, 2 }, key },
                                   .meta = meta,
                                   .body = pieces,
                                   .body_count = 2,
                                   .created = { 1000 * NSEC_PER_SEC + 5 * NSEC_PER_MSEC + 3 },
                                   .expires = { 1000 * NSEC_PER_SEC + lifetime } };
    struct record_header header;

    specimen->stream = hash_stream_create();
    record_fill(&header, &parts, &stamp, 3, specimen->stream);
    memcpy(specimen->bytes, &header, sizeof header);
    char *at = specimen->bytes + sizeof header;
    memcpy(at, key.at, key.len);
    memcpy(at + key.len, meta.at, meta.len);
    memcpy(at + key.len + meta.len, body.at, body.len);
    specimen->len = sizeof header + key.len + meta.len + body.len;
}

static bool
parse(const struct specimen *specimen, size_t room, struct record *record)
{
    struct digest digest;
    bool          parsed = record_parse(span_of(specimen->bytes, room), record, &digest);
    if (parsed)
        cr_assert(digest_equal(digest, (struct digest){ 1, 2 }));
    return parsed;
}

Test(storage_record, comes_back_as_it_was)
{
    struct specimen specimen;
    struct record   record;

    make(&specimen, SPAN("the key"), SPAN("meta"), SPAN("and a body"), 60 * NSEC_PER_SEC);
    cr_assert(parse(&specimen, sizeof specimen.bytes, &record));
    cr_assert(span_equal(record.key, SPAN("the key")));
    cr_assert(span_equal(record.meta, SPAN("meta")));
    cr_assert(span_equal(record.body, SPAN("and a body")));
    cr_assert_eq(record.created.ns, 1000 * NSEC_PER_SEC + 5 * NSEC_PER_MSEC); /* to the millisecond */
    cr_assert_eq(record.expires.ns, record.created.ns + 59 * NSEC_PER_SEC);   /* never later than was said */
    cr_assert(record_head_intact(&record, &stamp, specimen.stream));
    cr_assert(record_body_intact(&record));
    hash_stream_destroy(&specimen.stream);
}

Test(storage_record, empty_parts_and_ends_of_time)
{
    struct specimen specimen;
    struct record   record;

    make(&specimen, SPAN(""), SPAN(""), SPAN(""), -NSEC_PER_SEC);
    cr_assert(parse(&specimen, RECORD_HEAD, &record));
    cr_assert_eq(record_content(&record), 0);
    cr_assert_eq(record.expires.ns, record.created.ns); /* expired before it was made: no lifetime */
    cr_assert(record_head_intact(&record, &stamp, specimen.stream));
    cr_assert(record_body_intact(&record));
    hash_stream_destroy(&specimen.stream);

    make(&specimen, SPAN(""), SPAN(""), SPAN(""), INT64_MAX - 1001 * NSEC_PER_SEC);
    cr_assert(parse(&specimen, RECORD_HEAD, &record));
    cr_assert_eq((record.expires.ns - record.created.ns) / NSEC_PER_SEC, UINT32_MAX);
    hash_stream_destroy(&specimen.stream);
}

Test(storage_record, sizes_are_rounded_up_to_64)
{
    cr_assert_eq(record_size(0), 64);
    cr_assert_eq(record_size(1), 128);
    cr_assert_eq(record_size(64), 128);
    cr_assert_eq(record_size(65), 192);
    cr_assert_eq(layout_record_max(512 * 1024) % 64, 0);
    cr_assert_leq(record_size(layout_record_max(512 * 1024)) + SEGMENT_HEAD + 32 + 64, 512 * 1024);
    cr_assert_gt(record_size(layout_record_max(512 * 1024) + 1) + SEGMENT_HEAD + 32 + 64, 512 * 1024);
}

/* Every single bit: a flip in header, key or meta breaks one sum, in the body the other; only the
 * padding is free. */
Test(storage_record, every_flipped_bit_is_seen)
{
    struct specimen specimen;

    make(&specimen, SPAN("the key"), SPAN("meta"), SPAN("and a body"), 60 * NSEC_PER_SEC);
    for (size_t bit = 0; bit < specimen.len * 8; bit++) {
        struct record record;
        struct digest digest;
        specimen.bytes[bit / 8] = (char)(specimen.bytes[bit / 8] ^ 1 << bit % 8);
        bool whole = record_parse(span_of(specimen.bytes, sizeof specimen.bytes), &record, &digest)
                     && record_head_intact(&record, &stamp, specimen.stream) && record_body_intact(&record);
        cr_assert_not(whole, "bit %zu", bit);
        specimen.bytes[bit / 8] = (char)(specimen.bytes[bit / 8] ^ 1 << bit % 8);
    }
    hash_stream_destroy(&specimen.stream);
}

Test(storage_record, another_life_of_the_segment_is_seen)
{
    struct specimen      specimen;
    struct record        record;
    struct segment_stamp later = stamp;

    make(&specimen, SPAN("the key"), SPAN("meta"), SPAN("and a body"), 60 * NSEC_PER_SEC);
    cr_assert(parse(&specimen, sizeof specimen.bytes, &record));
    later.seq = le64_of(8);
    cr_assert_not(record_head_intact(&record, &later, specimen.stream));

    struct record_header copied;
    record_refill(&copied, &record, &later, 9, specimen.stream);
    cr_assert_eq(le32_get(copied.order), 9);
    memcpy(specimen.bytes, &copied, sizeof copied);
    cr_assert(record_head_intact(&record, &later, specimen.stream));
    cr_assert(record_body_intact(&record));
    hash_stream_destroy(&specimen.stream);
}

Test(storage_record, lengths_are_bounded_by_the_room)
{
    struct specimen specimen;
    struct record   record;

    make(&specimen, SPAN("the key"), SPAN("meta"), SPAN("and a body"), 60 * NSEC_PER_SEC);
    cr_assert(parse(&specimen, specimen.len, &record));
    for (size_t room = 0; room < specimen.len; room++)
        cr_assert_not(parse(&specimen, room, &record));

    struct record_header header;
    memcpy(&header, specimen.bytes, sizeof header);
    header.key_len = header.meta_len = header.body_len = le32_of(UINT32_MAX); /* their sum must not wrap */
    memcpy(specimen.bytes, &header, sizeof header);
    cr_assert_not(parse(&specimen, sizeof specimen.bytes, &record));
    hash_stream_destroy(&specimen.stream);
}
