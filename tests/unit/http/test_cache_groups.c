/* test_cache_groups.c: groups of answers, and what is no list of them. */
#include <criterion/criterion.h>
#include <larder/http/cache_groups.h>

#include "given.h"

struct memory {
    struct slab  slab;
    struct arena arena;
};

static void
memory_init(struct memory *memory, size_t limit)
{
    slab_init(&memory->slab, 4096, 16);
    arena_init(&memory->arena, &memory->slab, limit);
}

static void
memory_fini(struct memory *memory)
{
    arena_reset(&memory->arena);
    slab_fini(&memory->slab);
}

/* The names joined by "|", or the error's name before them. */
static const char *
groups_of(struct arena *arena, const char *fields, char out[static 512])
{
    struct given        given;
    struct cache_groups groups;
    const struct head  *head = given_response(&given, "HTTP/1.1 200 OK", fields);
    enum err            err = cache_groups_parse(arena, head, FIELD_CACHE_GROUPS, &groups);

    snprintf(out, 512, "%s", err == ERR_NONE ? "" : err_name(err));
    for (unsigned i = 0; i < groups.count; i++)
        snprintf(out + strlen(out), 512 - strlen(out), "|%.*s", SPAN_ARG(groups.name[i]));
    return out;
}

Test(http_cache_groups, lists_of_strings)
{
    static const struct {
        const char *fields, *groups;
    } rows[] = {
        { "", "" },
        { "Cache-Groups:\r\n", "" },
        { "Cache-Groups: \"a\"\r\n", "|a" },
        { "Cache-Groups: \"a b\", \"A B\";x=1\r\ncache-groups: \"a,c\", \"a b\"\r\n", "|a b|A B|a,c" },
        { "Cache-Groups: \"\"\r\n", "|" },
        { "Cache-Groups: \"a\\\"\\\\\", \"a\\\"\\\\\"\r\n", "|a\"\\" },
        { "Cache-Groups: a\r\n", "syntax" },
        { "Cache-Groups: \"a\", b\r\n", "syntax" },
        { "Cache-Groups: \"a\", 1\r\n", "syntax" },
        { "Cache-Groups: (\"a\" \"b\")\r\n", "syntax" },
        { "Cache-Groups: \"a\",\r\n", "syntax" },
        { "Cache-Groups: \"a\", \"b\r\n", "syntax" },
        { "Cache-Group-Invalidation: \"a\"\r\n", "" },
    };
    struct memory memory;
    char          out[512];

    memory_init(&memory, 1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_str_eq(groups_of(&memory.arena, rows[i].fields, out), rows[i].groups, "%s: %s",
                         rows[i].fields, out);
    memory_fini(&memory);
}

Test(http_cache_groups, invalidation_is_a_field_of_its_own)
{
    struct memory       memory;
    struct given        given;
    struct cache_groups groups;
    const struct head  *head = given_response(&given, "HTTP/1.1 200 OK",
                                              "Cache-Groups: \"a\"\r\nCache-Group-Invalidation: \"b\"\r\n");

    memory_init(&memory, 1 << 16);
    cr_assert_eq(cache_groups_parse(&memory.arena, head, FIELD_CACHE_GROUP_INVALIDATION, &groups), ERR_NONE);
    cr_assert(groups.count == 1 && given_is(groups.name[0], "b"));
    memory_fini(&memory);
}

Test(http_cache_groups, more_and_longer_than_the_bounds)
{
    struct memory       memory;
    struct given        given;
    struct cache_groups groups;
    static char         fields[8192], name[2 * CACHE_GROUP_MAX + 3];

    memory_init(&memory, 1 << 16);
    memset(name, 'x', CACHE_GROUP_MAX);
    snprintf(fields, sizeof fields, "Cache-Groups: \"%s\"", name);
    for (unsigned i = 1; i < CACHE_GROUPS_MAX; i++)
        snprintf(fields + strlen(fields), sizeof fields - strlen(fields), ", \"g%u\"", i);
    strcat(fields, ", \"g1\"\r\n");
    cr_assert_eq(cache_groups_parse(&memory.arena, given_response(&given, "HTTP/1.1 200 OK", fields),
                                    FIELD_CACHE_GROUPS, &groups),
                 ERR_NONE);
    cr_assert(groups.count == CACHE_GROUPS_MAX && groups.name[0].len == CACHE_GROUP_MAX);
    strcat(fields, "Cache-Groups: \"one more\"\r\n");
    cr_assert_eq(cache_groups_parse(&memory.arena, given_response(&given, "HTTP/1.1 200 OK", fields),
                                    FIELD_CACHE_GROUPS, &groups),
                 ERR_LIMIT);
    cr_assert_eq(groups.count, CACHE_GROUPS_MAX);
    strcat(fields, "Cache-Groups: none\r\n");
    cr_assert_eq(cache_groups_parse(&memory.arena, given_response(&given, "HTTP/1.1 200 OK", fields),
                                    FIELD_CACHE_GROUPS, &groups),
                 ERR_SYNTAX);
    cr_assert_eq(groups.count, 0);
    for (size_t length = CACHE_GROUP_MAX + 1; length <= 2 * CACHE_GROUP_MAX + 1; length += CACHE_GROUP_MAX) {
        memset(name, 'x', length);
        snprintf(fields, sizeof fields, "Cache-Groups: \"%s\", \"a\"\r\n", name);
        cr_assert_eq(cache_groups_parse(&memory.arena, given_response(&given, "HTTP/1.1 200 OK", fields),
                                        FIELD_CACHE_GROUPS, &groups),
                     ERR_LIMIT);
        cr_assert(groups.count == 1 && given_is(groups.name[0], "a"));
    }
    memory_fini(&memory);
}

Test(http_cache_groups, memory_may_end)
{
    struct memory memory;
    char          out[512];

    memory_init(&memory, 1);
    cr_assert_str_eq(groups_of(&memory.arena, "Cache-Groups: \"a\\\\bcdefghijklmnopqrst\"\r\n", out),
                     "no-memory");
    cr_assert_str_eq(groups_of(&memory.arena, "Cache-Groups: \"a\"\r\n", out), "|a");
    memory_fini(&memory);
}
