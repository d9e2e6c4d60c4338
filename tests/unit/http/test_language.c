/* test_language.c: equal wishes for languages have one form, and fit an answer or do not. */
#include <criterion/criterion.h>
#include <larder/http/language.h>

#include "given.h"

static struct span
form_of(struct arena *arena, const char *fields)
{
    struct given given;
    struct span  form;

    cr_assert_eq(accept_language_normalise(arena, given_request(&given, "GET / HTTP/1.1", fields), &form),
                 ERR_NONE);
    return form;
}

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

Test(http_language, equal_wishes_have_one_form)
{
    static const struct {
        const char *fields, *form;
    } rows[] = {
        { "Accept-Language:\r\n", "" },
        { "Accept-Language: ,;q=0.5\r\n", "" },
        { "Accept-Language: en\r\n", "en" },
        { "Accept-Language: DE , en\r\n", "de,en" },
        { "Accept-Language: en,\tde\r\n", "de,en" },
        { "Accept-Language: en\r\nAccept-Language: de\r\n", "de,en" },
        { "Accept-Language: EN;q=0.7, da,en-GB;q=0.80\r\n", "da,en-gb;q=0.8,en;q=0.7" },
        { "Accept-Language: en ; q=0.123, de;Q=1.0, fr;q=0.05, it;q=0.10, *;q=0\r\n",
          "de,en;q=0.123,it;q=0.1,fr;q=0.05,*;q=0" },
        { "Accept-Language: a;q=0.001, b;q=0.909, c;q=0.99, d;q=x\r\n", "d,c;q=0.99,b;q=0.909,a;q=0.001" },
        { "Accept-Language: en;q=0.5, EN, en;q=0.9\r\n", "en;q=0.5" },
        { "Accept-Language: en, en-US, e\r\n", "e,en,en-us" },
        /* not all of it is a list of ranges */
        { "Accept-Language: en, Da dk ,, a\r\nAccept-Language: \"B\r\n", "en,da dk,a,\"b" },
        { "Accept-Language: en;x=\"a,b\", da\r\n", "en;x=\"a,b\",da" },
        { "Accept-Language: en, caf\xc3\x89\r\n", "en,caf\xc3\x89" },
    };
    struct memory memory;

    memory_init(&memory, 1 << 16);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span form = form_of(&memory.arena, rows[i].fields);
        cr_assert(given_is(form, rows[i].form), "%s: %.*s", rows[i].fields, SPAN_ARG(form));
        cr_assert_not_null(form.at);
    }
    cr_assert_null(form_of(&memory.arena, "").at);
    memory_fini(&memory);
}

Test(http_language, more_than_can_be_sorted_stay_as_sent)
{
    char          fields[1024] = "Accept-Language: ZZ;q=0.5", expected[1024] = "";
    struct memory memory;

    memory_init(&memory, 1 << 16);
    for (unsigned i = 1; i < LANGUAGES_MAX; i++)
        snprintf(fields + strlen(fields), sizeof fields - strlen(fields), ", a%02u", i);
    strcat(fields, "\r\n");
    cr_assert(span_ends(form_of(&memory.arena, fields), SPAN("a31,zz;q=0.5")));
    strcat(fields, "Accept-Language:  aa\r\n");
    snprintf(expected, sizeof expected, "zz;q=0.5");
    for (unsigned i = 1; i < LANGUAGES_MAX; i++)
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), ",a%02u", i);
    strcat(expected, ",aa");
    cr_assert(given_is(form_of(&memory.arena, fields), expected));
    memory_fini(&memory);
}

Test(http_language, memory_may_end)
{
    struct given  given;
    struct memory memory;
    struct span   form;
    char          fields[4096] = "Accept-Language: ";

    memory_init(&memory, 64);
    const char *small = "Accept-Language: a, b, c, d, e, f, g, h, i, j\r\n";
    cr_assert_eq(
        accept_language_normalise(&memory.arena, given_request(&given, "GET / HTTP/1.1", small), &form),
        ERR_NO_MEMORY);
    for (unsigned i = 0; i < 100; i++)
        snprintf(fields + strlen(fields), sizeof fields - strlen(fields), "a%02u,", i);
    strcat(fields, "\r\n");
    cr_assert_eq(
        accept_language_normalise(&memory.arena, given_request(&given, "GET / HTTP/1.1", fields), &form),
        ERR_NO_MEMORY);
    memory_fini(&memory);
}

Test(http_language, how_welcome_an_answer_is)
{
    static const struct {
        const char *fields, *language;
        unsigned    quality;
    } rows[] = {
        { "", "de", 1000 },
        { "Accept-Language:\r\n", "de", 1000 },
        { "Accept-Language: en\r\n", "", 1000 },
        { "Accept-Language: en\r\n", ",", 1000 },
        { "Accept-Language: en\r\n", "en", 1000 },
        { "Accept-Language: en\r\n", "EN-gb", 1000 },
        { "Accept-Language: en\r\n", "eng", 0 },
        { "Accept-Language: en\r\n", "e", 0 },
        { "Accept-Language: en-gb\r\n", "en", 0 },
        { "Accept-Language: en-gb\r\n", "en-GB-oxendict", 1000 },
        { "Accept-Language: en\r\n", "de", 0 },
        { "Accept-Language: en;q=0.5\r\nAccept-Language: de;q=0.7\r\n", "de", 700 },
        { "Accept-Language: en;q=0.5, de;q=0.7\r\n", "en", 500 },
        { "Accept-Language: en;q=0.5, de;q=0.7\r\n", "en, de", 700 },
        { "Accept-Language: en;q=0.5, de;q=0.7\r\n", "fr, en", 500 },
        { "Accept-Language: en, en-gb;q=0.3\r\n", "en-gb", 300 },
        { "Accept-Language: en-gb;q=0.3, en\r\n", "en-gb", 300 },
        { "Accept-Language: en-gb;q=0, en\r\n", "en-gb", 0 },
        { "Accept-Language: en-gb;q=0, en\r\n", "en-us", 1000 },
        { "Accept-Language: *;q=0.1\r\n", "de", 100 },
        { "Accept-Language: *, de;q=0.2\r\n", "de", 200 },
        { "Accept-Language: de;q=0.2, *\r\n", "de", 200 },
        { "Accept-Language: *;q=0, de\r\n", "en", 0 },
        { "Accept-Language: de;q=0.2, de\r\n", "de", 200 },
        { "Accept-Language: en-*\r\n", "en-gb", 0 },
    };
    struct given given;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct head *head = given_request(&given, "GET / HTTP/1.1", rows[i].fields);
        unsigned           quality = accept_language_quality(head, span_of_text(rows[i].language));
        cr_assert_eq(quality, rows[i].quality, "%s for %s: %u", rows[i].language, rows[i].fields, quality);
    }
}
