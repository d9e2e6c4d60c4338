/* test_object.c: what is written is read back, what is damaged is not an object, and a 304 changes what it may. */
#include "cache_test.h"

#include <larder/cache/object.h>

static const struct cache_settings settings = { .ttl = 120 * NSEC_PER_SEC, .keep = 60 * NSEC_PER_SEC };
static const struct verdict        verdict
    = { .store = true, .implicit = true, .born = { 1000 }, .fresh_until = { 2000 }, .expires = { 3000 } };
static const wall_time now = { 784111777 * NSEC_PER_SEC }; /* Sun, 06 Nov 1994 08:49:37 GMT */

static struct object
write_and_read(struct arena *arena, const char *fields, const char *vary, int64_t length)
{
    struct test_head response;
    struct span      meta;
    struct object    object;

    cr_assert_eq(object_write(arena, response_of(&response, arena, fields), &verdict, span_of_text(vary), length, NULL, now, &meta),
                 ERR_NONE);
    cr_assert(object_read(meta, &object));
    return object;
}

Test(cache_object, the_head_is_ready_to_be_sent)
{
    struct test_memory memory;
    memory_begin(&memory);
    struct object object = write_and_read(&memory.arena,
                                          "X-A: 1\r\nConnection: X-Hop\r\nX-Hop: 2\r\nAge: 7\r\nContent-Length: 3\r\nETag: W/\"e\"\r\n"
                                          "Last-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\nKeep-Alive: x\r\n",
                                          "accept", 3);
    cr_assert_span(object.head, "HTTP/1.1 200 OK\r\nX-A: 1\r\nETag: W/\"e\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\n"
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
    struct object object = write_and_read(&memory.arena, "ETag: unquoted\r\nLast-Modified: never\r\n", "", -1);
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
    cr_assert_eq(object_write(&memory.arena, response_of(&response, &memory.arena, "ETag: \"1\"\r\n"), &verdict, SPAN("x-a"), -1, NULL,
                              now, &meta),
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
    cr_assert_eq(object_write(&memory.arena, response_of(&response, &memory.arena, "ETag: \"1\"\r\n"), &verdict, SPAN("a"), 5, NULL, now,
                              &meta),
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
                          || object.validators.etag.at + object.validators.etag.len <= object.head.at + object.head.len);
            }
            *byte = (char)(*byte ^ (1 << bit));
        }
    memory_end(&memory);
}

Test(cache_object, a_304_replaces_fields_but_not_those_of_the_body)
{
    struct test_memory memory;
    struct test_head   not_modified, request;
    struct verdict     after;
    struct span        meta;
    struct object      refreshed;

    memory_begin(&memory);
    struct object stored = write_and_read(&memory.arena, "X-A: old\r\nX-B: kept\r\nX-A: old too\r\nContent-Type: text/plain\r\nETag: \"1\"\r\n",
                                          "x-v", 5);
    parse_head(&not_modified, &memory.arena, "HTTP/1.1 304 Not Modified",
               "X-A: new\r\nContent-Type: other/type\r\nContent-Length: 0\r\nContent-Encoding: gzip\r\nConnection: close\r\n"
               "Cache-Control: max-age=60\r\nAge: 20\r\n");
    cr_assert_eq(object_refresh(&memory.arena, &stored, &not_modified.head, request_of(&request, &memory.arena, ""), &settings, now,
                                now, &after, &meta),
                 ERR_NONE);
    cr_assert(object_read(meta, &refreshed));
    cr_assert_span(refreshed.head,
                   "HTTP/1.1 200 OK\r\nX-A: new\r\nX-B: kept\r\nContent-Type: text/plain\r\nETag: \"1\"\r\nVia: 1.1 larder\r\n"
                   "Content-Length: 5\r\nCache-Control: max-age=60\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    cr_assert(after.store);
    cr_assert_eq(wall_since(refreshed.fresh_until, now) / NSEC_PER_SEC, 40);
    cr_assert_span(refreshed.vary, "x-v");
    memory_end(&memory);
}

Test(cache_object, a_304_may_forbid_keeping_it)
{
    struct test_memory memory;
    struct test_head   not_modified, request;
    struct verdict     after;
    struct span        meta;

    memory_begin(&memory);
    struct object stored = write_and_read(&memory.arena, "ETag: \"1\"\r\n", "", 5);
    parse_head(&not_modified, &memory.arena, "HTTP/1.1 304 Not Modified", "Cache-Control: no-store\r\n");
    cr_assert_eq(object_refresh(&memory.arena, &stored, &not_modified.head, request_of(&request, &memory.arena, ""), &settings, now,
                                now, &after, &meta),
                 ERR_NONE);
    cr_assert_not(after.store);
    cr_assert_eq(after.reason, REASON_NO_STORE);
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
    cr_assert_eq(object_write(&memory.arena, &response.head, &verdict, SPAN_EMPTY, 0, NULL, now, &meta), ERR_LIMIT);
    memory_end(&memory);
}
