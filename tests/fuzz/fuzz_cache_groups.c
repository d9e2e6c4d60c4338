/* fuzz_cache_groups.c: any bytes as the lines of Cache-Groups, cut at LF, and as those of CDN-Loop and Age.
 *
 * Holds: names are within the bounds and different from each other; written as a list they are read again as
 * the same; a loop is counted once more when one more line says so; an Age is within its bounds.
 */
#include "fuzz.h"

#include <larder/http/age.h>
#include <larder/http/cache_control.h>
#include <larder/http/cache_groups.h>
#include <larder/http/cdn_loop.h>
#include <larder/http/structured.h>

enum { LINES = 16, CHUNK = 16384, WRITTEN = 1 << 16 };

struct lines {
    struct field fields[LINES];
    struct head  head;
};

static void
split_lines(struct lines *lines, enum field_id id, struct span bytes)
{
    struct span line;

    head_init(&lines->head, lines->fields, LINES);
    while (lines->head.count + 1 < LINES && span_split(&bytes, '\n', &line))
        CHECK(head_add(&lines->head, field_name(id), span_trim(line), id));
}

static void
check_names(const struct cache_groups *groups)
{
    CHECK(groups->count <= CACHE_GROUPS_MAX);
    for (unsigned i = 0; i < groups->count; i++) {
        CHECK(groups->name[i].at != NULL && groups->name[i].len <= CACHE_GROUP_MAX);
        for (unsigned j = 0; j < i; j++)
            CHECK(!span_equal(groups->name[i], groups->name[j]));
    }
}

static void
check_again(struct arena *arena, const struct cache_groups *groups)
{
    static char         bytes[WRITTEN];
    struct writer       writer;
    struct lines        lines;
    struct cache_groups again;

    writer_init(&writer, bytes, sizeof bytes);
    for (unsigned i = 0; i < groups->count; i++) {
        write_raw(&writer, i > 0 ? SPAN(", ") : SPAN(""));
        sf_write_string(&writer, groups->name[i]);
    }
    CHECK(!writer.failed);
    split_lines(&lines, FIELD_CACHE_GROUPS, writer_span(&writer));
    CHECK(cache_groups_parse(arena, &lines.head, FIELD_CACHE_GROUPS, &again) == ERR_NONE);
    CHECK(again.count == groups->count);
    for (unsigned i = 0; i < again.count; i++)
        CHECK(span_equal(again.name[i], groups->name[i]));
}

static void
check_groups(struct arena *arena, struct span bytes)
{
    struct lines        lines;
    struct cache_groups groups;

    split_lines(&lines, FIELD_CACHE_GROUPS, bytes);
    enum err err = cache_groups_parse(arena, &lines.head, FIELD_CACHE_GROUPS, &groups);
    CHECK(err == ERR_NONE || err == ERR_SYNTAX || err == ERR_LIMIT);
    CHECK(err != ERR_SYNTAX || groups.count == 0);
    check_names(&groups);
    check_again(arena, &groups);
}

static void
check_loop(struct span bytes)
{
    struct lines lines;

    split_lines(&lines, FIELD_CDN_LOOP, bytes);
    unsigned count = cdn_loop_count(&lines.head, SPAN("a"));
    CHECK(head_add(&lines.head, SPAN("CDN-Loop"), SPAN("A ;b=c"), FIELD_CDN_LOOP));
    CHECK(cdn_loop_count(&lines.head, SPAN("a")) == count + 1);
}

static void
check_age(struct span bytes)
{
    struct lines lines;
    int64_t      seconds = -1;

    split_lines(&lines, FIELD_AGE, bytes);
    if (age_parse(&lines.head, &seconds))
        CHECK(seconds >= 0 && seconds <= DELTA_MAX);
    else
        CHECK(seconds == -1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        *copy = fuzz_copy(span_of(data, size));
    struct span  bytes = span_of(copy, size);
    struct slab  slab;
    struct arena arena;

    slab_init(&slab, CHUNK, 16);
    arena_init(&arena, &slab, 1 << 18);
    check_groups(&arena, bytes);
    check_loop(bytes);
    check_age(bytes);
    arena_reset(&arena);
    slab_fini(&slab);
    free(copy);
    return 0;
}
