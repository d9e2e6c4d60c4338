/* test_vary.c: specs are sets of names, values are what a request selects. */
#include "cache_test.h"

#include <larder/cache/vary.h>

static struct span
values_of(struct arena *arena, const char *fields, const char *spec)
{
    struct test_head request;
    struct span      values;
    cr_assert_eq(vary_values(arena, request_of(&request, arena, fields), span_of_text(spec), &values), ERR_NONE);
    return values;
}

Test(cache_vary, a_spec_is_sorted_lower_case_and_without_repeats)
{
    struct test_memory memory;
    struct test_head   response;
    struct span        spec;
    bool               star;

    memory_begin(&memory);
    cr_assert_eq(vary_spec(&memory.arena,
                           response_of(&response, &memory.arena, "Vary: X-B, accept\r\nVary: ACCEPT,, X-a ,\r\n"), &spec, &star),
                 ERR_NONE);
    cr_assert_not(star);
    cr_assert_span(spec, "accept,x-a,x-b");
    cr_assert_eq(vary_spec(&memory.arena, response_of(&response, &memory.arena, ""), &spec, &star), ERR_NONE);
    cr_assert_eq(spec.len, 0);
    memory_end(&memory);
}

Test(cache_vary, a_star_anywhere_matches_nobody)
{
    static const char *const stars[] = { "Vary: *\r\n", "Vary: Accept, *\r\n", "Vary: Accept\r\nVary: *\r\n" };
    struct test_memory       memory;
    struct test_head         response;
    struct span              spec;

    memory_begin(&memory);
    for (size_t i = 0; i < 3; i++) {
        bool star = false;
        cr_assert_eq(vary_spec(&memory.arena, response_of(&response, &memory.arena, stars[i]), &spec, &star), ERR_NONE);
        cr_assert(star, "%s", stars[i]);
    }
    memory_end(&memory);
}

Test(cache_vary, what_is_no_name_or_too_much_is_refused)
{
    struct test_memory memory;
    struct test_head   response;
    struct span        spec;
    bool               star;
    char               many[512] = "Vary: a";

    memory_begin(&memory);
    cr_assert_eq(vary_spec(&memory.arena, response_of(&response, &memory.arena, "Vary: a b\r\n"), &spec, &star), ERR_SYNTAX);
    for (int i = 0; i < VARY_NAMES_MAX; i++)
        sprintf(many + strlen(many), ",n%d", i);
    strcat(many, "\r\n");
    cr_assert_eq(vary_spec(&memory.arena, response_of(&response, &memory.arena, many), &spec, &star), ERR_LIMIT);
    memory_end(&memory);
}

Test(cache_vary, a_union_has_both)
{
    struct test_memory memory;
    struct span        both;

    memory_begin(&memory);
    cr_assert_eq(vary_union(&memory.arena, SPAN("b,d"), SPAN("a,b,c"), &both), ERR_NONE);
    cr_assert_span(both, "a,b,c,d");
    cr_assert_eq(vary_union(&memory.arena, SPAN_EMPTY, SPAN_EMPTY, &both), ERR_NONE);
    cr_assert_eq(both.len, 0);
    cr_assert_eq(vary_union(&memory.arena, SPAN("a,b,c,d,e,f,g,h"), SPAN("i,j,k,l,m,n,o,p,q"), &both), ERR_LIMIT);
    memory_end(&memory);
}

Test(cache_vary, values_are_normalised)
{
    struct test_memory memory;
    memory_begin(&memory);
    cr_assert_span(values_of(&memory.arena, "Host: h\r\nX-A: 1 ,2\r\nX-a:3\r\n", "x-a,x-b"), "x-a: 1, 2, 3\nx-b\n");
    cr_assert_span(values_of(&memory.arena, "Accept-Encoding: gzip;q=0.5, br, what\r\n", "accept-encoding"),
                   "accept-encoding: br,gzip\n");
    cr_assert_span(values_of(&memory.arena, "", "accept-encoding"), "accept-encoding: identity\n");
    memory_end(&memory);
}

Test(cache_vary, missing_and_empty_are_two_things)
{
    struct test_memory memory;
    memory_begin(&memory);
    cr_assert_span(values_of(&memory.arena, "", "x-a"), "x-a\n");
    cr_assert_span(values_of(&memory.arena, "X-A:\r\n", "x-a"), "x-a: \n");
    memory_end(&memory);
}
