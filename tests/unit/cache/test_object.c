/* test_object.c: what is written is read back, and what is damaged is not an object. */
#include "object_test.h"

Test(cache_object, the_head_is_ready_to_be_sent)
{
    struct test_memory memory;
    memory_begin(&memory);
    struct object object = write_and_read(
        &memory.arena,
        "X-A: 1\r\nConnection: X-Hop\r\nX-Hop: 2\r\nAge: 7\r\nContent-Length: 3\r\nETag: W/\"e\"\r\n"
        "Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\nKeep-Alive: x\r\n",
        "accept", 3);
    cr_assert_span(
        object.head,
        "HTTP/1.1 200 OK\r\nX-A: 1\r\nETag: W/\"e\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\n"
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nVia: 1.1 larder\r\nContent-Length: 3\r\n");
    cr_assert_eq(object.status, 200);
    cr_assert_eq(object.flags, OBJECT_IMPLICIT);
    cr_assert_eq(object.born.ns, 1000);
    cr_assert_eq(object.fresh_until.ns, 2000);
    cr_assert_eq(object.expires.ns, 3000);
    cr_assert_span(object.vary, "accept");
    cr_assert_span(object.validators.etag, "W/\"e\"");
    cr_assert(object.validators.has_modified);
    cr_assert_eq(object.validators.modified, 784111776);
    memory_end(&memory);
}

Test(cache_object, validators_that_are_none_are_not_kept)
{
    struct test_memory memory;
    memory_begin(&memory);
    struct object object =
        write_and_read(&memory.arena, "ETag: unquoted\r\nLast-Modified: never\r\n", "", -1);
    cr_assert_eq(object.validators.etag.len, 0);
    cr_assert_not(object.validators.has_modified);
    memory_end(&memory);
}

Test(cache_object, a_length_can_come_later)
{
    struct test_memory memory;
    struct test_head   response;
    struct span        meta, with;
    struct object      object;

    memory_begin(&memory);
    cr_assert_eq(object_write(&memory.arena, response_of(&response, &memory.arena, "ETag: \"1\"\r\n"),
                              &verdict, SPAN("x-a"), -1, NULL, now, &meta),
                 ERR_NONE);
    cr_assert_eq(object_set_length(&memory.arena, meta, 12345, &with), ERR_NONE);
    cr_assert(object_read(with, &object));
    cr_assert(span_ends(object.head, SPAN("\r\nContent-Length: 12345\r\n")));
    cr_assert_span(object.vary, "x-a");
    cr_assert_span(object.validators.etag, "\"1\"");
    memory_end(&memory);
}

Test(cache_object, markers_name_their_variants)
{
    struct test_memory memory;
    struct digest      digests[3] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
    struct span        meta;
    struct object      object;

    memory_begin(&memory);
    cr_assert_eq(object_write_marker(&memory.arena, 7, SPAN("accept,x-a"), digests, 3, now, &meta), ERR_NONE);
    cr_assert(object_read(meta, &object));
    cr_assert_eq(object.flags, OBJECT_MARKER);
    cr_assert_span(object.vary, "accept,x-a");
    cr_assert_eq(object.variant_count, 3);
    for (size_t i = 0; i < 3; i++)
        cr_assert(digest_equal(object_variant(&object, i), digests[i]));
    memory_end(&memory);
}

Test(cache_object, damage_is_noticed_or_harmless)
{
    struct test_memory memory;
    struct test_head   response;
    struct span        meta;
    struct object      object;

    memory_begin(&memory);
    cr_assert_eq(object_write(&memory.arena, response_of(&response, &memory.arena, "ETag: \"1\"\r\n"),
                              &verdict, SPAN("a"), 5, NULL, now, &meta),
                 ERR_NONE);
    for (size_t len = 0; len < meta.len; len++)
        cr_assert_not(object_read(span_head(meta, len), &object), "cut to %zu", len);
    for (size_t at = 0; at < meta.len; at++)
        for (int bit = 0; bit < 8; bit++) {
            char *byte = (char *)(uintptr_t)meta.at + at;
            *byte = (char)(*byte ^ (1 << bit));
            if (object_read(meta, &object)) { /* whatever it says now lies inside */
                cr_assert(object.head.at + object.head.len <= meta.at + meta.len);
                cr_assert(object.validators.etag.len == 0
                          || object.validators.etag.at + object.validators.etag.len
                                 <= object.head.at + object.head.len);
            }
            *byte = (char)(*byte ^ (1 << bit));
        }
    memory_end(&memory);
}

Test(cache_object, a_head_that_is_too_long_is_refused)
{
    struct test_memory memory;
    struct test_head   response;
    struct span        meta;
    size_t             size = OBJECT_HEAD_MAX;

    memory_begin(&memory);
    char *value = arena_alloc(&memory.arena, size);
    memset(value, 'x', size);
    parse_head(&response, &memory.arena, "HTTP/1.1 200 OK", "");
    cr_assert(head_add(&response.head, SPAN("X-Long"), span_of(value, size), FIELD_OTHER));
    cr_assert_eq(object_write(&memory.arena, &response.head, &verdict, SPAN_EMPTY, 0, NULL, now, &meta),
                 ERR_LIMIT);
    memory_end(&memory);
}

Test(cache_object, an_answer_without_what_it_hides)
{
    struct test_memory memory;
    struct verdict     hiding = verdict;
    struct test_head   response;
    struct span        meta;
    struct object      object;

    memory_begin(&memory);
    hiding.hidden[0] = SPAN("Set-Cookie, x-a");
    hiding.hidden[1] = SPAN("X-B");
    response_of(&response, &memory.arena,
                STORED_DATE "Set-Cookie: a\r\nX-A: 1\r\nSet-Cookie: b\r\nX-B: 2\r\nX-C: 3\r\n");
    cr_assert_eq(object_write(&memory.arena, &response.head, &hiding, SPAN_EMPTY, -1, NULL, now, &meta),
                 ERR_NONE);
    cr_assert(object_read(meta, &object));
    cr_assert_span(object.head, "HTTP/1.1 200 OK\r\n" STORED_DATE "X-C: 3\r\nVia: 1.1 larder\r\n");
    memory_end(&memory);
}

/* ── parts ── */

Test(cache_object, a_part_is_kept_as_a_part_of_the_whole)
{
    struct test_memory memory;
    struct span        meta, moved, whole;
    struct object      object;

    memory_begin(&memory);
    object = write_part(&memory.arena, 10, 19, 30, &meta);
    cr_assert(object_is_partial(meta));
    cr_assert_eq(object.status, 200);
    cr_assert_eq(object.first, 10);
    cr_assert_eq(object.complete, 30);
    cr_assert_span(object.head, "HTTP/1.1 200 OK\r\n" STORED_DATE "ETag: \"1\"\r\nVia: 1.1 larder\r\n");

    cr_assert_eq(object_set_first(&memory.arena, meta, 5, &moved), ERR_NONE);
    cr_assert(object_read(moved, &object));
    cr_assert_eq(object.first, 5);
    cr_assert_eq(object.complete, 30);
    cr_assert(object_is_partial(moved));
    cr_assert(object_read(meta, &object));
    cr_assert_eq(object.first, 10, "the other one is as it was");

    cr_assert_eq(object_make_whole(&memory.arena, moved, &whole), ERR_NONE);
    cr_assert(object_read(whole, &object));
    cr_assert_not(object_is_partial(whole));
    cr_assert_eq(object.first, 0);
    cr_assert_eq(object.complete, 0);
    cr_assert_span(object.head, "HTTP/1.1 200 OK\r\n" STORED_DATE
                                "ETag: \"1\"\r\nVia: 1.1 larder\r\nContent-Length: 30\r\n");
    cr_assert_span(object.vary, "x-v");
    cr_assert_span(object.validators.etag, "\"1\"");
    cr_assert_not(object_is_partial(SPAN("no meta")));
    cr_assert_eq(object_make_whole(&memory.arena, SPAN("no meta"), &whole), ERR_CORRUPT);
    cr_assert_eq(object_set_length(&memory.arena, SPAN("no meta"), 1, &whole), ERR_CORRUPT);
    memory_end(&memory);
}

Test(cache_object, a_part_that_cannot_be_one_is_no_object)
{
    static const int64_t places[][2] = { { -1, 30 }, { 30, 30 }, { 31, 30 },
                                         { 0, 0 },   { 10, -1 }, { INT64_MIN, INT64_MAX } };
    struct test_memory   memory;
    struct span          meta;
    struct object        object;

    memory_begin(&memory);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct content_range part = { places[i][0], places[i][0], places[i][1] };
        struct test_head     response;
        cr_assert_eq(object_write(&memory.arena, response_of(&response, &memory.arena, ""), &verdict,
                                  SPAN_EMPTY, -1, &part, now, &meta),
                     ERR_NONE);
        cr_assert_not(object_read(meta, &object), "case %zu", i);
    }
    memory_end(&memory);
}

Test(cache_object, an_alias_names_the_variant_it_leads_to)
{
    struct test_memory memory;
    struct span        meta;
    struct object      object;

    memory_begin(&memory);
    cr_assert_eq(object_write_alias(&memory.arena, SPAN("accept-language: de,en;q=0.5\n"), now, &meta),
                 ERR_NONE);
    cr_assert(object_read(meta, &object));
    cr_assert_eq(object.flags, OBJECT_ALIAS);
    cr_assert_span(object.vary, "accept-language: de,en;q=0.5\n");
    cr_assert_eq(object.variant_count, 0);
    cr_assert_eq(object.head.len, 0);
    cr_assert_eq(object.expires.ns, now.ns);
    memory_end(&memory);
}

/* ── damage ── */

static bool
is_inside(struct span piece, struct span whole)
{
    return piece.len == 0 || (piece.at >= whole.at && piece.at + piece.len <= whole.at + whole.len);
}

/* Every byte with every value, in a copy that ends where the sanitizer looks on. */
static void
check_damage(struct span meta)
{
    char *copy = malloc(meta.len);

    memcpy(copy, meta.at, meta.len);
    struct span copied = span_of(copy, meta.len);
    for (size_t at = 0; at < meta.len; at++)
        for (unsigned value = 0; value < 256; value++) {
            struct object object;
            copy[at] = (char)value;
            if (!object_read(copied, &object))
                continue;
            cr_assert(is_inside(object.head, copied) && is_inside(object.vary, copied)
                      && is_inside(object.variants, copied));
            cr_assert(is_inside(object.validators.etag, object.head));
            for (size_t i = 0; i < object.variant_count; i++)
                (void)object_variant(&object, i);
            cr_assert(!(object.flags & OBJECT_PARTIAL)
                      || (object.first >= 0 && object.first < object.complete));
        }
    for (size_t at = 0; at < meta.len; at++)
        copy[at] = (char)0xff;
    struct object object;
    cr_assert_not(object_read(copied, &object));
    free(copy);
}

Test(cache_object, whatever_a_damaged_meta_says_lies_inside)
{
    struct test_memory memory;
    struct digest      digests[2] = { { 1, 2 }, { 3, 4 } };
    struct span        meta;

    memory_begin(&memory);
    write_part(&memory.arena, 10, 19, 30, &meta);
    check_damage(meta);
    cr_assert_eq(object_write_marker(&memory.arena, 7, SPAN("accept"), digests, 2, now, &meta), ERR_NONE);
    check_damage(meta);
    cr_assert_eq(object_write_alias(&memory.arena, SPAN("accept: x\n"), now, &meta), ERR_NONE);
    check_damage(meta);
    memory_end(&memory);
}

Test(cache_object, without_memory_there_is_no_meta)
{
    struct test_memory memory, none;
    struct digest      digest = { 1, 2 };
    struct test_head   response;
    struct span        meta, other;

    memory_begin(&memory);
    memory_begin_empty(&none);
    write_part(&memory.arena, 10, 19, 30, &meta);
    response_of(&response, &memory.arena, "ETag: \"1\"\r\n");
    cr_assert_eq(object_write(&none.arena, &response.head, &verdict, SPAN_EMPTY, -1, NULL, now, &other),
                 ERR_NO_MEMORY);
    cr_assert_eq(object_set_length(&none.arena, meta, 1, &other), ERR_NO_MEMORY);
    cr_assert_eq(object_set_first(&none.arena, meta, 1, &other), ERR_NO_MEMORY);
    cr_assert_eq(object_make_whole(&none.arena, meta, &other), ERR_NO_MEMORY);
    cr_assert_eq(object_write_marker(&none.arena, 7, SPAN("a"), &digest, 1, now, &other), ERR_NO_MEMORY);
    cr_assert_eq(object_write_alias(&none.arena, SPAN("a\n"), now, &other), ERR_NO_MEMORY);
    memory_end(&none);
    memory_end(&memory);
}
