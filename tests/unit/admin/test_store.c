/* test_store.c: questions about the store, over the admin API: pages, their cursors, and what is refused. */
#include "fixture.h"

#include <larder/admin/store_json.h>
#include <larder/cache/object.h>
#include <larder/http/parse.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fixture fixture;

static void
set_up(void)
{
    fixture_open(&fixture);
}

static void
tear_down(void)
{
    fixture_close(&fixture);
}

TestSuite(admin_store, .init = set_up, .fini = tear_down);

static void
store_many(unsigned count)
{
    char url[64];

    for (unsigned i = 0; i < count; i++) {
        snprintf(url, sizeof url, "http://a/%u", i);
        store_url(&fixture, url);
    }
}

/* ── info ── */

Test(admin_store, info)
{
    json_t *json;

    store_many(3);
    cr_assert_eq(ask(&fixture, "GET", "/v1/store/info", "", &json), 200);
    cr_expect_eq(json_integer_value(json_object_get(json, "objects")), 3);
    cr_expect_eq(json_integer_value(json_object_get(json, "bytes_live")), 3 * 128);
    cr_expect_eq(json_integer_value(json_object_get(json, "shards")), 1);
    cr_expect_str_eq(json_string_value(json_object_get(json, "state")), "running");
    cr_expect_str_eq(json_string_value(json_object_get(json, "policy")), "sc");
    cr_expect_eq(strlen(json_string_value(json_object_get(json, "uuid"))), 36);
    json_int_t objects = 0;
    size_t     index;
    json_t    *log;
    json_array_foreach(json_object_get(json, "logs"), index, log)
    {
        objects += json_integer_value(json_object_get(log, "objects"));
    }
    cr_expect_eq(objects, 3, "the logs add up");
    json_decref(json);
}

/* ── objects ── */

/* One page at `*cursor` (NULL: the first), which becomes the next one's. How many objects. */
static size_t
take_page(char **cursor, bool seen[])
{
    char     path[256];
    json_t  *json, *object;
    size_t   index;
    unsigned number;

    snprintf(path, sizeof path, "/v1/store/objects?limit=7%s%s",
             *cursor == NULL ? "" : "&cursor=", *cursor == NULL ? "" : *cursor);
    cr_assert_eq(ask(&fixture, "GET", path, "", &json), 200);
    json_array_foreach(json_object_get(json, "objects"), index, object)
    {
        const char *key = json_string_value(json_object_get(object, "key"));
        cr_assert_eq(sscanf(key, "http://a/%u", &number), 1, "%s", key);
        cr_assert_not(seen[number], "%u twice", number);
        seen[number] = true;
        cr_expect_eq(json_integer_value(json_object_get(object, "size")), 128);
        cr_expect_eq(json_integer_value(json_object_get(object, "body")), 0);
        cr_expect_null(json_object_get(object, "status"), "this meta is no object");
        cr_expect_leq(json_integer_value(json_object_get(object, "remaining")), 3600);
    }
    free(*cursor);
    const char *next = json_string_value(json_object_get(json, "cursor"));
    *cursor = next == NULL ? NULL : strdup(next);
    size_t count = json_array_size(json_object_get(json, "objects"));
    json_decref(json);
    return count;
}

Test(admin_store, objects_come_in_pages)
{
    bool   seen[40] = { false };
    char  *cursor = NULL;
    size_t count = 0, pages = 0;

    store_many(40);
    do {
        size_t got = take_page(&cursor, seen);
        cr_assert_leq(got, 7);
        count += got;
        pages++;
    } while (cursor != NULL && pages < 100);
    cr_expect_eq(count, 40);
    cr_expect_geq(pages, 6);
}

Test(admin_store, a_purged_object_is_not_listed)
{
    bool  seen[3] = { false };
    char *cursor = NULL;

    store_many(3);
    cr_assert_eq(ask(&fixture, "POST", "/v1/purge", "{\"url\": \"http://a/1\"}", NULL), 200);
    do
        take_page(&cursor, seen);
    while (cursor != NULL);
    cr_expect(seen[0] && !seen[1] && seen[2]);
}

/* ── what is written of an object ── */

struct shown {
    struct store_job job;
    json_t          *page;
    sem_t            done;
    struct span      key, meta;
    wall_time        now;
};

static void
store_and_show(struct store_job *job, struct store_writer *writer)
{
    struct shown         *shown = CONTAINER_OF(job, struct shown, job);
    struct inspect_cursor cursor = { .shard = 0 };
    struct record_parts   parts = { .key = { .digest = { 0, 7 }, .text = shown->key },
                                    .meta = shown->meta,
                                    .created = wall_add(shown->now, -100 * NSEC_PER_SEC),
                                    .expires = wall_add(shown->now, -10 * NSEC_PER_SEC) };

    cr_assert_eq(writer_append(writer, &parts), ERR_NONE);
    cr_assert_eq(store_objects_json(writer, &cursor, 1, 10, shown->now, &shown->page), ERR_NONE);
    sem_post(&shown->done);
}

static json_t *
show(struct span key, struct span meta)
{
    struct shown shown = { .job = { .run = store_and_show }, .key = key, .meta = meta, .now = clock_wall() };

    sem_init(&shown.done, 0, 0);
    cr_assert_eq(store_submit(fixture.store, (struct digest){ 0, 7 }, &shown.job), ERR_NONE);
    sem_wait(&shown.done);
    sem_destroy(&shown.done);
    json_t *row = json_incref(json_array_get(json_object_get(shown.page, "objects"), 0));
    json_decref(shown.page);
    cr_assert_not_null(row);
    return row;
}

static struct span
meta_of(struct arena *arena, wall_time now)
{
    static const struct parse_limits limits = { .head = 4096, .target = 4096 };
    struct field                     fields[8];
    struct head                      head;
    enum refusal                     refusal;
    size_t                           size;
    struct span                      meta;
    struct verdict                   verdict = { .store = true,
                                                 .born = now,
                                                 .fresh_until = wall_add(now, 50 * NSEC_PER_SEC),
                                                 .expires = wall_add(now, 60 * NSEC_PER_SEC) };

    head_init(&head, fields, 8);
    cr_assert_eq(parse_response(&head, SPAN("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), &limits,
                                &size, &refusal),
                 ERR_NONE);
    cr_assert_eq(object_write(arena, &head, &verdict, SPAN_EMPTY, 0, NULL, now, &meta), ERR_NONE);
    return meta;
}

Test(admin_store, an_expired_variant_is_shown_with_its_status)
{
    struct slab  slab;
    struct arena arena;

    slab_init(&slab, 4096, 0);
    arena_init(&arena, &slab, 1 << 20);
    json_t *row = show(SPAN("http://a/x\n0123456789abcdef\naccept: y\naccept-language: \xe4\x1b\n"),
                       meta_of(&arena, clock_wall()));
    cr_expect_str_eq(json_string_value(json_object_get(row, "key")), "http://a/x");
    cr_expect_str_eq(json_string_value(json_object_get(row, "variant")),
                     "accept: y; accept-language: %E4%1B");
    cr_expect_eq(json_integer_value(json_object_get(row, "status")), 404);
    cr_expect_str_eq(json_string_value(json_object_get(row, "kind")), "object");
    cr_expect_eq(json_integer_value(json_object_get(row, "age")), 100);
    cr_expect_eq(json_integer_value(json_object_get(row, "remaining")), -10);
    json_decref(row);
    arena_reset(&arena);
    slab_fini(&slab);
}

Test(admin_store, bytes_that_are_no_text_are_shown_all_the_same)
{
    json_t *row = show(SPAN("\xff\x00\x1b[2Jhttp"), SPAN("\xff\xff"));
    cr_expect_str_eq(json_string_value(json_object_get(row, "key")), "%FF%00%1B[2Jhttp");
    cr_expect_null(json_object_get(row, "status"));
    json_decref(row);
}

/* ── verify ── */

Test(admin_store, verify_goes_through_all_of_it)
{
    json_t    *json;
    char       path[256] = "/v1/store/verify";
    json_int_t records = 0;

    store_many(20);
    for (int pages = 0; path[0] != '\0'; pages++) {
        cr_assert_lt(pages, 100);
        cr_assert_eq(ask(&fixture, "GET", path, "", &json), 200);
        cr_expect_eq(json_array_size(json_object_get(json, "damage")), 0);
        records += json_integer_value(json_object_get(json_object_get(json, "checked"), "records"));
        const char *cursor = json_string_value(json_object_get(json, "cursor"));
        path[0] = '\0';
        if (cursor != NULL)
            snprintf(path, sizeof path, "/v1/store/verify?cursor=%s", cursor);
        json_decref(json);
    }
    cr_expect_eq(records, 20);
}

/* ── what is refused, and who leaves ── */

Test(admin_store, parameters_that_are_none)
{
    static const char *const wrong[] = {
        "cursor",  "cursor=",   "cursor=x", "cursor=1.0.0.0.0" /* one shard only */,
        "limit=0", "limit=257", "limit=-1", "limit",
        "what=1",  "limit=1&",  "&limit=1"
    };
    char path[128];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(path, sizeof path, "/v1/store/objects?%s", wrong[i]);
        cr_expect_eq(ask(&fixture, "GET", path, "", NULL), 400, "%s", path);
    }
    cr_expect_eq(ask(&fixture, "GET", "/v1/store/info?x=1", "", NULL), 400);
    cr_expect_eq(ask(&fixture, "POST", "/v1/store/verify", "", NULL), 405);
}

Test(admin_store, clients_that_leave_while_the_store_is_asked)
{
    static const char *const paths[] = { "info", "objects", "verify" };
    char                     request[128];

    store_many(3);
    hold_store(&fixture);
    for (int i = 0; i < 3; i++) {
        int fd = client_open(&fixture);
        snprintf(request, sizeof request, "GET /v1/store/%s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
        client_send(&fixture, fd, request);
        close(fd);
        loop_turn(fixture.loop, 0);
    }
    sem_post(&fixture.gate);
    cr_expect_eq(ask(&fixture, "GET", "/v1/store/info", "", NULL), 200);
}
