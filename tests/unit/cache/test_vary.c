/* test_vary.c: specs are sets of names, values are what a request selects. */
#include "cache_test.h"

#include <larder/cache/vary.h>

static struct span
values_of(struct arena *arena, const char *fields, const char *spec)
{
    struct test_head request;
    struct span      values;
    cr_assert_eq(vary_values(arena, request_of(&request, arena, fields), span_of_text(spec), &values),
                 ERR_NONE);
    return values;
}

Test(cache_vary, a_spec_is_sorted_lower_case_and_without_repeats)
{
    struct test_memory memory;
    struct test_head   response;
    struct span        spec;
    bool               star;

    memory_begin(&memory);
    cr_assert_eq(
        vary_spec(&memory.arena,
                  response_of(&response, &memory.arena, "Vary: X-B, accept\r\nVary: ACCEPT,, X-a ,\r\n"),
                  &spec, &star),
        ERR_NONE);
    cr_assert_not(star);
    cr_assert_span(spec, "accept,x-a,x-b");
    cr_assert_eq(vary_spec(&memory.arena, response_of(&response, &memory.arena, ""), &spec, &star), ERR_NONE);
    cr_assert_eq(spec.len, 0);
    memory_end(&memory);
}

Test(cache_vary, a_star_anywhere_matches_nobody)
{
    static const char *const stars[] = { "Vary: *\r\n", "Vary: Accept, *\r\n",
                                         "Vary: Accept\r\nVary: *\r\n" };
    struct test_memory       memory;
    struct test_head         response;
    struct span              spec;

    memory_begin(&memory);
    for (size_t i = 0; i < 3; i++) {
        bool star = false;
        cr_assert_eq(vary_spec(&memory.arena, response_of(&response, &memory.arena, stars[i]), &spec, &star),
                     ERR_NONE);
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
    cr_assert_eq(
        vary_spec(&memory.arena, response_of(&response, &memory.arena, "Vary: a b\r\n"), &spec, &star),
        ERR_SYNTAX);
    for (int i = 0; i < VARY_NAMES_MAX; i++)
        sprintf(many + strlen(many), ",n%d", i);
    strcat(many, "\r\n");
    cr_assert_eq(vary_spec(&memory.arena, response_of(&response, &memory.arena, many), &spec, &star),
                 ERR_LIMIT);
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
    cr_assert_eq(vary_union(&memory.arena, SPAN("a,b,c,d,e,f,g,h"), SPAN("i,j,k,l,m,n,o,p,q"), &both),
                 ERR_LIMIT);
    memory_end(&memory);
}

Test(cache_vary, values_are_normalised)
{
    struct test_memory memory;
    memory_begin(&memory);
    cr_assert_span(values_of(&memory.arena, "Host: h\r\nX-A: 1 ,2\r\nX-a:3\r\n", "x-a,x-b"),
                   "x-a: 1, 2, 3\nx-b\n");
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

Test(cache_vary, white_space_counts_inside_of_quotes)
{
    struct test_memory memory;
    memory_begin(&memory);
    cr_assert_span(values_of(&memory.arena, "X-A: \"b , c\" ,d\r\n", "x-a"), "x-a: \"b , c\", d\n");
    cr_assert_span(values_of(&memory.arena, "X-A: \"b,c\",d\r\n", "x-a"), "x-a: \"b,c\", d\n");
    cr_assert_span(values_of(&memory.arena, "X-A: \"b\\\" , c\" ,d\r\n", "x-a"), "x-a: \"b\\\" , c\", d\n");
    cr_assert_span(values_of(&memory.arena, "X-A: \"open ,d\r\n", "x-a"), "x-a: \"open ,d\n");
    cr_assert_span(values_of(&memory.arena, "X-A: a,,b\r\n", "x-a"), "x-a: a, , b\n");
    memory_end(&memory);
}

Test(cache_vary, what_differs_gives_different_values)
{
    static const char *const fields[] = { "",
                                          "X-A:\r\n",
                                          "X-A: b\r\n",
                                          "X-A: B\r\n",
                                          "X-A: b, b\r\n",
                                          "X-A: b b\r\n",
                                          "X-A: x-b\r\n",
                                          "X-B: b\r\n",
                                          "X-A: b\r\nX-B: b\r\n" };
    struct test_memory       memory;
    struct span              values[sizeof fields / sizeof fields[0]];

    memory_begin(&memory);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        values[i] = values_of(&memory.arena, fields[i], "x-a,x-b");
        for (size_t j = 0; j < i; j++)
            cr_assert_not(span_equal(values[i], values[j]), "%s and %s", fields[i], fields[j]);
    }
    memory_end(&memory);
}

Test(cache_vary, languages_in_one_form)
{
    static const struct {
        const char *fields, *values;
    } cases[] = {
        { "", "accept-language\n" },
        { "Accept-Language:\r\n", "accept-language: \n" },
        { "Accept-Language: de\r\n", "accept-language: de\n" },
        { "Accept-Language: EN;q=0.7, da ,en-GB;q=0.80\r\n", "accept-language: da,en-gb;q=0.8,en;q=0.7\n" },
        { "Accept-Language: en;q=0.7\r\nAccept-Language: da\r\n", "accept-language: da,en;q=0.7\n" },
        { "Accept-Language: fr, de\r\n", "accept-language: de,fr\n" },
        { "Accept-Language: de;q=1.000, *;q=0\r\n", "accept-language: de,*;q=0\n" },
        { "Accept-Language: fr;q=0.1, no_tag, DE\r\n",
          "accept-language: fr;q=0.1,no_tag,de\n" }, /* as it was sent */
    };
    struct test_memory memory;

    memory_begin(&memory);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_span(values_of(&memory.arena, cases[i].fields, "accept-language"), cases[i].values);
    memory_end(&memory);
}

/* The values by wish, or "" when there is none. */
static struct span
wish_of(struct arena *arena, const char *fields, const char *spec)
{
    struct test_head request;
    struct span      values = values_of(arena, fields, spec), by_wish = SPAN_EMPTY;
    enum err         err = vary_values_by_wish(arena, request_of(&request, arena, fields), values, &by_wish);

    cr_assert(err == ERR_NONE || err == ERR_NOT_FOUND);
    return err == ERR_NONE ? by_wish : SPAN("");
}

Test(cache_vary, the_language_that_is_wanted_before_any_other)
{
    static const struct {
        const char *fields, *wish;
    } cases[] = {
        { "Accept-Language: de\r\n", "de" },
        { "Accept-Language: DE-at;q=0.3\r\n", "de-at" },
        { "Accept-Language: en;q=0.7, de;q=0.8\r\n", "de" },
        { "Accept-Language: en;q=0.7, de;q=0.70\r\n", NULL }, /* a tie */
        { "Accept-Language: de, en\r\n", NULL },
        { "Accept-Language: de, *\r\n", NULL },
        { "Accept-Language: de, *;q=0.9\r\n", NULL },
        { "Accept-Language: *\r\n", NULL },
        { "Accept-Language: *, de;q=0.9\r\n", NULL },
        { "Accept-Language: de;q=0\r\n", NULL }, /* refused (RFC 9110 §12.4.2) */
        { "Accept-Language: de;q=0, *\r\n", NULL },
        { "Accept-Language: de;q=0, en;q=0\r\n", NULL },
        { "Accept-Language:\r\n", NULL },
        { "Accept-Language: ,\r\n", NULL },
        { "", NULL },
        /* with something else in the list, nobody knows */
        { "Accept-Language: fr;q=0.1, de, no_tag;q=0.5\r\n", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct test_memory memory;
        char               values[64] = "";

        memory_begin(&memory);
        if (cases[i].wish != NULL)
            snprintf(values, sizeof values, "accept-language=%s\n", cases[i].wish);
        cr_assert_span(wish_of(&memory.arena, cases[i].fields, "accept-language"), values);
        memory_end(&memory);
    }
}

Test(cache_vary, other_selecting_fields_stay_beside_the_language)
{
    struct test_memory memory;
    struct span        by_language;

    memory_begin(&memory);
    cr_assert_span(
        wish_of(&memory.arena, "Accept-Language: de, en;q=0.5\r\nX-A: 1\r\n", "accept,accept-language,x-a"),
        "accept\naccept-language=de\nx-a: 1\n");
    cr_assert_span(wish_of(&memory.arena, "Accept-Language: de\r\nX-A: 1\r\n", "x-a"), "");
    /* An answer to a request without Accept-Language is found by those who want its language all the same. */
    cr_assert_eq(vary_values_by_language(&memory.arena, SPAN("accept\naccept-language\nx-a: 1\n"), SPAN("DE"),
                                         &by_language),
                 ERR_NONE);
    cr_assert_span(by_language, "accept\naccept-language=de\nx-a: 1\n");
    cr_assert_eq(
        vary_values_by_language(&memory.arena, SPAN("accept-language: en\n"), SPAN(" de , "), &by_language),
        ERR_NONE);
    cr_assert_span(by_language, "accept-language=de\n");
    cr_assert_eq(
        vary_values_by_language(&memory.arena, SPAN("accept-language: en\n"), SPAN("de, en"), &by_language),
        ERR_NOT_FOUND);
    cr_assert_eq(
        vary_values_by_language(&memory.arena, SPAN("accept-language: en\n"), SPAN(""), &by_language),
        ERR_NOT_FOUND);
    cr_assert_eq(vary_values_by_language(&memory.arena, SPAN("x-a: 1\n"), SPAN("de"), &by_language),
                 ERR_NOT_FOUND);
    cr_assert_eq(
        vary_values_by_language(&memory.arena, SPAN("accept-language-x: 1\n"), SPAN("de"), &by_language),
        ERR_NOT_FOUND);
    memory_end(&memory);
}

Test(cache_vary, no_request_can_say_what_an_alias_says)
{
    struct test_memory memory;
    memory_begin(&memory);
    struct span alias = wish_of(&memory.arena, "Accept-Language: de\r\n", "accept-language");
    cr_assert_not(span_equal(values_of(&memory.arena, "Accept-Language: =de\r\n", "accept-language"), alias));
    memory_end(&memory);
}

Test(cache_vary, encodings_are_reduced_to_those_that_are_known)
{
    static const struct {
        const char *fields, *values;
    } cases[] = {
        { "Accept-Encoding: br, gzip\r\n", "accept-encoding: br,gzip\n" },
        { "Accept-Encoding: GZIP;q=0.1\r\nAccept-Encoding: br\r\n", "accept-encoding: br,gzip\n" },
        { "Accept-Encoding: gzip;q=0, br\r\n", "accept-encoding: br\n" },
        { "Accept-Encoding: unheard-of\r\n", "accept-encoding: identity\n" },
        { "Accept-Encoding:\r\n", "accept-encoding: identity\n" },
        { "Accept-Encoding: x-gzip\r\n", "accept-encoding: gzip\n" },
    };
    struct test_memory memory;

    memory_begin(&memory);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_span(values_of(&memory.arena, cases[i].fields, "accept-encoding"), cases[i].values);
    memory_end(&memory);
}

Test(cache_vary, without_memory_nothing_is_selected)
{
    struct test_memory memory, none;
    struct test_head   request, response;
    struct span        span;
    bool               star;

    memory_begin(&memory);
    memory_begin_empty(&none);
    request_of(&request, &memory.arena, "Accept-Language: de\r\nX-A: 1\r\n");
    response_of(&response, &memory.arena, "Vary: Accept-Language\r\n");
    cr_assert_eq(vary_spec(&none.arena, &response.head, &span, &star), ERR_NO_MEMORY);
    cr_assert_eq(vary_union(&none.arena, SPAN("a"), SPAN("b"), &span), ERR_NO_MEMORY);
    cr_assert_eq(vary_values(&none.arena, &request.head, SPAN("x-a"), &span), ERR_NO_MEMORY);
    cr_assert_eq(vary_values(&none.arena, &request.head, SPAN("accept-language"), &span), ERR_NO_MEMORY);
    cr_assert_eq(vary_values_by_wish(&none.arena, &request.head, SPAN("accept-language: de\n"), &span),
                 ERR_NO_MEMORY);
    cr_assert_eq(vary_values_by_language(&none.arena, SPAN("accept-language: de\n"), SPAN("de"), &span),
                 ERR_NO_MEMORY);
    memory_end(&none);
    memory_end(&memory);
}
