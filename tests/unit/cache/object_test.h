/* object_test.h: stored answers to try things on. */
#ifndef OBJECT_TEST_H
#define OBJECT_TEST_H

#include "cache_test.h"

#include <larder/cache/object.h>

#define STORED_DATE "Date: Sun, 06 Nov 1994 08:49:36 GMT\r\n"

static const struct cache_settings settings = { .ttl = 120 * NSEC_PER_SEC, .keep = 60 * NSEC_PER_SEC };
static const struct verdict        verdict = {
           .store = true, .implicit = true, .born = { 1000 }, .fresh_until = { 2000 }, .expires = { 3000 }
};
static const wall_time now = { 784111777 * NSEC_PER_SEC }; /* Sun, 06 Nov 1994 08:49:37 GMT */

static inline struct object
write_and_read(struct arena *arena, const char *fields, const char *vary, int64_t length)
{
    struct test_head response;
    struct span      meta;
    struct object    object;

    cr_assert_eq(object_write(arena, response_of(&response, arena, fields), &verdict, span_of_text(vary),
                              length, NULL, now, &meta),
                 ERR_NONE);
    cr_assert(object_read(meta, &object));
    return object;
}

static inline struct object
write_part(struct arena *arena, int64_t first, int64_t last, int64_t complete, struct span *meta)
{
    struct content_range part = { first, last, complete };
    struct test_head     response;
    struct object        object;

    parse_head(&response, arena, "HTTP/1.1 206 Partial Content",
               STORED_DATE "Content-Range: bytes 10-19/30\r\nContent-Length: 10\r\nETag: \"1\"\r\n");
    cr_assert_eq(object_write(arena, &response.head, &verdict, SPAN("x-v"), -1, &part, now, meta), ERR_NONE);
    cr_assert(object_read(*meta, &object));
    return object;
}

#endif
