/* cache_test.h: what the tests of the cache share: an arena, and heads written as text. */
#ifndef CACHE_TEST_H
#define CACHE_TEST_H

#include <criterion/criterion.h>
#include <larder/base/arena.h>
#include <larder/http/parse.h>
#include <stdio.h>

enum { TEST_FIELDS = 64 };

struct test_head {
    struct head  head;
    struct field fields[TEST_FIELDS];
};

struct test_memory {
    struct slab  slab;
    struct arena arena;
};

static inline void
memory_begin(struct test_memory *memory)
{
    slab_init(&memory->slab, 4096, 0);
    arena_init(&memory->arena, &memory->slab, 1 << 20);
}

static inline void
memory_end(struct test_memory *memory)
{
    arena_reset(&memory->arena);
    slab_fini(&memory->slab);
}

/* One that has nothing to give. */
static inline void
memory_begin_empty(struct test_memory *memory)
{
    slab_init(&memory->slab, 1024, 0);
    arena_init(&memory->arena, &memory->slab, 0);
}

/* Field lines are given as in a message, each ended by \r\n. The text must outlive the head. */
static inline const struct head *
parse_head(struct test_head *into, struct arena *arena, const char *start, const char *fields)
{
    size_t              room = strlen(start) + strlen(fields) + 5, size = 0;
    char               *text = arena_alloc(arena, room);
    struct parse_limits limits = { 65536, 8192 };
    enum refusal        refusal = REFUSAL_NONE;

    int len = snprintf(text, room, "%s\r\n%s\r\n", start, fields);
    head_init(&into->head, into->fields, TEST_FIELDS);
    enum err err = strncmp(start, "HTTP/", 5) == 0
                       ? parse_response(&into->head, span_of(text, (size_t)len), &limits, &size, &refusal)
                       : parse_request(&into->head, span_of(text, (size_t)len), &limits, &size, &refusal);
    cr_assert_eq(err, ERR_NONE, "%s: %s", text, refusal_name(refusal));
    return &into->head;
}

static inline const struct head *
request_of(struct test_head *into, struct arena *arena, const char *fields)
{
    return parse_head(into, arena, "GET / HTTP/1.1", fields);
}

static inline const struct head *
response_of(struct test_head *into, struct arena *arena, const char *fields)
{
    return parse_head(into, arena, "HTTP/1.1 200 OK", fields);
}

#define cr_assert_span(span, text)                                                                         \
    cr_assert(span_equal((span), span_of_text(text)), "\"%.*s\" is not \"%s\"", SPAN_ARG(span), (text))

#endif
