/* test_refresh.c: a 304 changes of a stored answer what it may, and nothing else. */
#include "object_test.h"

/* A stored answer, and what an update with these fields makes of it. */
static struct span
refresh(struct arena *arena, const struct object *stored, const char *status, const char *fields,
        struct verdict *after)
{
    struct test_head *update = arena_alloc(arena, sizeof *update),
                     *request = arena_alloc(arena, sizeof *request);
    struct span meta;

    cr_assert_eq(object_refresh(arena, stored, parse_head(update, arena, status, fields),
                                request_of(request, arena, ""), &settings, now, now, after, &meta),
                 ERR_NONE);
    return meta;
}

static struct object
refreshed(struct arena *arena, const char *stored_fields, const char *fields)
{
    struct object  stored = write_and_read(arena, stored_fields, "", 5), object;
    struct verdict after;

    cr_assert(object_read(refresh(arena, &stored, "HTTP/1.1 304 Not Modified", fields, &after), &object));
    return object;
}

#define NEW_DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define STORED_END "Via: 1.1 larder\r\nContent-Length: 5\r\n"

Test(cache_refresh, what_an_update_replaces_stays_in_its_place)
{
    static const struct {
        const char *stored, *update, *head;
    } cases[] = {
        /* one without a Date is of the time at which it came; its Date comes last */
        { "A: 1\r\n" STORED_DATE "B: 2\r\n", "",
          "A: 1\r\n"
          "B: 2\r\n" STORED_END NEW_DATE },
        { "A: 1\r\n" STORED_DATE "B: 2\r\n", "C: 4\r\nB: 3\r\n",
          "A: 1\r\n"
          "B: 3\r\n" STORED_END "C: 4\r\n" NEW_DATE },
        { STORED_DATE "A: 1\r\n", "Date: Sun, 06 Nov 1994 08:49:35 GMT\r\n",
          "Date: Sun, 06 Nov 1994 08:49:35 GMT\r\nA: 1\r\n" STORED_END },
        /* all lines of a name at once, where its first one stood */
        { STORED_DATE "A: 1\r\nB: 2\r\nA: 3\r\n", "a: 4\r\nA: 5\r\n",
          "a: 4\r\nA: 5\r\nB: 2\r\n" STORED_END NEW_DATE },
        { STORED_DATE "A: 1\r\n", "A:\r\n", "A: \r\n" STORED_END NEW_DATE },
        /* what the body depends on stays (RFC 9111 §3.2) */
        { STORED_DATE "Content-Encoding: br\r\n",
          "Content-Encoding: gzip\r\nContent-Length: 9\r\nContent-Range: bytes 0-1/2\r\n",
          "Content-Encoding: br\r\n" STORED_END NEW_DATE },
        { STORED_DATE, "Content-Encoding: gzip\r\nContent-Type: text/html\r\n", STORED_END NEW_DATE },
        { STORED_DATE "Content-Type: text/html\r\n", "Content-Type: TEXT/HTML ; charset=utf-8\r\n",
          "Content-Type: TEXT/HTML ; charset=utf-8\r\n" STORED_END NEW_DATE },
        { STORED_DATE "Content-Type: text/html\r\n", "Content-Type: text/htmlx\r\n",
          "Content-Type: text/html\r\n" STORED_END NEW_DATE },
        /* nor does what belongs to the connection, or to the way, get in */
        { STORED_DATE,
          "Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 1\r\nTransfer-Encoding: chunked\r\n"
          "Via: 1.1 other\r\nAge: 5\r\nProxy-Authentication-Info: x\r\n",
          STORED_END NEW_DATE },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct test_memory memory;
        char               head[512];

        memory_begin(&memory);
        struct object object = refreshed(&memory.arena, cases[i].stored, cases[i].update);
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\n%s", cases[i].head);
        cr_assert_span(object.head, head);
        memory_end(&memory);
    }
}

Test(cache_refresh, an_update_brings_new_validators)
{
    struct test_memory memory;
    memory_begin(&memory);
    struct object object =
        refreshed(&memory.arena, STORED_DATE "ETag: \"1\"\r\n",
                  "ETag: \"22\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:35 GMT\r\n" NEW_DATE);
    cr_assert_span(object.validators.etag, "\"22\"");
    cr_assert(object.validators.has_modified);
    cr_assert_eq(object.validators.modified, 784111775);
    cr_assert(object.validators.has_date);
    memory_end(&memory);
}

Test(cache_refresh, an_old_answer_is_fresh_again)
{
    struct test_memory memory;
    struct verdict     after;

    memory_begin(&memory);
    struct object stored = write_and_read(
        &memory.arena, "Date: Sun, 06 Nov 1994 07:00:00 GMT\r\nCache-Control: max-age=60\r\n", "", 5);
    refresh(&memory.arena, &stored, "HTTP/1.1 304 Not Modified", "", &after);
    cr_assert(after.reusable);
    cr_assert_eq(wall_since(after.fresh_until, now), 60 * NSEC_PER_SEC);
    memory_end(&memory);
}

Test(cache_refresh, what_an_update_hides_is_not_kept)
{
    struct test_memory memory;
    memory_begin(&memory);
    /* Neither what it says, nor what was stored under that name: it is not for everybody any more. */
    struct object object = refreshed(
        &memory.arena, STORED_DATE "X-A: old\r\nX-B: 1\r\nX-C: old\r\n",
        "Cache-Control: max-age=60, private=\"X-A, x-n\", no-cache=\"x-c\"\r\nX-A: mine\r\nX-N: mine\r\n");
    cr_assert_span(object.head,
                   "HTTP/1.1 200 OK\r\nX-B: 1\r\n" STORED_END
                   "Cache-Control: max-age=60, private=\"X-A, x-n\", no-cache=\"x-c\"\r\n" NEW_DATE);
    object =
        refreshed(&memory.arena, STORED_DATE, "Cache-Control: max-age=60, private=\"content-length\"\r\n");
    cr_assert_not_null(memmem(object.head.at, object.head.len, "\r\nContent-Length: 5\r\n", 21));
    memory_end(&memory);
}

Test(cache_refresh, news_is_what_decides_about_reuse)
{
    static const struct {
        const char *update;
        bool        news;
    } cases[] = {
        { "", false },
        { "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", false },
        { "A: 1\r\n", false },
        { "Age: 9\r\nContent-Length: 9\r\n", false },
        { "A: 2\r\n", false }, /* it is sent, but decides about nothing */
        { "ETag: \"1\"\r\n", false },
        { "ETag: \"2\"\r\n", true },
        { "Cache-Control: max-age=60\r\n", true },
        { "Last-Modified: Sun, 06 Nov 1994 08:49:35 GMT\r\n", true },
        { "Expires: Sun, 06 Nov 1994 08:49:35 GMT\r\n", true },
        { "Content-Language: de\r\n", true },
    };
    struct test_memory memory;
    struct verdict     after;

    memory_begin(&memory);
    struct object stored = write_and_read(&memory.arena, "A: 1\r\n" STORED_DATE "ETag: \"1\"\r\n", "x-a", 5);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_eq(object_is_news(&stored, refresh(&memory.arena, &stored, "HTTP/1.1 304 Not Modified",
                                                     cases[i].update, &after)),
                     cases[i].news, "case %zu", i);
    cr_assert_not(object_is_news(&stored, SPAN("no meta")));
    memory_end(&memory);
}

Test(cache_refresh, a_refreshed_part_stays_that_part)
{
    struct test_memory memory;
    struct verdict     after;
    struct span        meta;
    struct object      object;

    memory_begin(&memory);
    struct object stored = write_part(&memory.arena, 10, 19, 30, &meta);
    cr_assert(object_read(
        refresh(&memory.arena, &stored, "HTTP/1.1 304 Not Modified", "Cache-Control: max-age=60\r\n", &after),
        &object));
    cr_assert(after.store);
    cr_assert_eq(object.flags & OBJECT_PARTIAL, OBJECT_PARTIAL);
    cr_assert_eq(object.first, 10);
    cr_assert_eq(object.complete, 30);
    memory_end(&memory);
}

Test(cache_refresh, a_304_replaces_fields_but_not_those_of_the_body)
{
    struct test_memory memory;
    struct test_head   not_modified, request;
    struct verdict     after;
    struct span        meta;
    struct object      refreshed;

    memory_begin(&memory);
    struct object stored = write_and_read(
        &memory.arena, "X-A: old\r\nX-B: kept\r\nX-A: old too\r\nContent-Type: text/plain\r\nETag: \"1\"\r\n",
        "x-v", 5);
    parse_head(&not_modified, &memory.arena, "HTTP/1.1 304 Not Modified",
               "X-A: new\r\nContent-Type: other/type\r\nContent-Length: 0\r\nContent-Encoding: "
               "gzip\r\nConnection: close\r\n"
               "Cache-Control: max-age=60\r\nAge: 20\r\n");
    cr_assert_eq(object_refresh(&memory.arena, &stored, &not_modified.head,
                                request_of(&request, &memory.arena, ""), &settings, now, now, &after, &meta),
                 ERR_NONE);
    cr_assert(object_read(meta, &refreshed));
    cr_assert_span(refreshed.head,
                   "HTTP/1.1 200 OK\r\nX-A: new\r\nX-B: kept\r\nContent-Type: "
                   "text/plain\r\nETag: \"1\"\r\n" STORED_END "Cache-Control: max-age=60\r\n" NEW_DATE);
    cr_assert(after.store);
    cr_assert_eq(wall_since(refreshed.fresh_until, now) / NSEC_PER_SEC, 40);
    cr_assert_span(refreshed.vary, "x-v");
    memory_end(&memory);
}

Test(cache_refresh, a_304_may_forbid_keeping_it)
{
    struct test_memory memory;
    struct test_head   not_modified, request;
    struct verdict     after;
    struct span        meta;

    memory_begin(&memory);
    struct object stored = write_and_read(&memory.arena, "ETag: \"1\"\r\n", "", 5);
    parse_head(&not_modified, &memory.arena, "HTTP/1.1 304 Not Modified", "Cache-Control: no-store\r\n");
    cr_assert_eq(object_refresh(&memory.arena, &stored, &not_modified.head,
                                request_of(&request, &memory.arena, ""), &settings, now, now, &after, &meta),
                 ERR_NONE);
    cr_assert_not(after.store);
    cr_assert_eq(after.reason, REASON_NO_STORE);
    memory_end(&memory);
}

Test(cache_refresh, what_cannot_be_joined_is_an_error)
{
    struct test_memory memory, none;
    struct test_head   update, request;
    struct verdict     after;
    struct span        meta;
    size_t             size = OBJECT_HEAD_MAX;

    memory_begin(&memory);
    memory_begin_empty(&none);
    struct object stored = write_and_read(&memory.arena, "ETag: \"1\"\r\n", "", 5);
    parse_head(&update, &memory.arena, "HTTP/1.1 304 Not Modified", "");
    request_of(&request, &memory.arena, "");
    cr_assert_eq(
        object_refresh(&none.arena, &stored, &update.head, &request.head, &settings, now, now, &after, &meta),
        ERR_NO_MEMORY);
    char *value = arena_alloc(&memory.arena, size);
    memset(value, 'x', size);
    cr_assert(head_add(&update.head, SPAN("X-Long"), span_of(value, size), FIELD_OTHER));
    cr_assert_eq(object_refresh(&memory.arena, &stored, &update.head, &request.head, &settings, now, now,
                                &after, &meta),
                 ERR_LIMIT);
    memory_end(&none);
    memory_end(&memory);
}
