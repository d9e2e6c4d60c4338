/* fuzz_language.c: a line of Content-Language, then any bytes as the lines of Accept-Language.
 *
 * Holds, but for quotes, which no language has: the form of a form is itself; what is as welcome as before
 * stays so when the wish is written in its form; letter case does not matter.
 */
#include "fuzz.h"

#include <larder/base/arena.h>
#include <larder/http/language.h>

#include <ctype.h>

enum { LINES = 16, CHUNK = 65536 };

struct lines {
    struct field fields[LINES];
    struct head  head;
};

static void
split_lines(struct lines *lines, struct span bytes)
{
    struct span line;

    head_init(&lines->head, lines->fields, LINES);
    while (span_split(&bytes, '\n', &line))
        if (!head_add(&lines->head, SPAN("Accept-Language"), span_trim(line), FIELD_ACCEPT_LANGUAGE))
            return;
}

static struct span
form_of(struct arena *arena, struct span bytes)
{
    struct lines lines;
    struct span  form;

    split_lines(&lines, bytes);
    CHECK(accept_language_normalise(arena, &lines.head, &form) == ERR_NONE);
    return form;
}

static unsigned
quality_of(struct span bytes, struct span content_language)
{
    struct lines lines;

    split_lines(&lines, bytes);
    return accept_language_quality(&lines.head, content_language);
}

static void
check_wish(struct arena *arena, struct span wish, struct span content_language)
{
    struct span form = form_of(arena, wish);
    unsigned    quality = quality_of(wish, content_language);
    char       *copy = fuzz_copy(wish);

    CHECK(quality <= 1000 && form.at != NULL);
    bool quoted = span_find(wish, '"') >= 0; /* one that is open at the end of a line closes there */
    CHECK(quoted || span_equal(form_of(arena, form), form));
    CHECK(quoted || quality_of(form, content_language) == quality);
    for (size_t i = 0; i < wish.len; i++)
        copy[i] = (char)(i % 2 == 0 ? toupper((unsigned char)copy[i]) : tolower((unsigned char)copy[i]));
    CHECK(span_equal(form_of(arena, span_of(copy, wish.len)), form));
    CHECK(quality_of(span_of(copy, wish.len), content_language) == quality);
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        *copy = fuzz_copy(span_of(data, size));
    struct span  wish = span_of(copy, size), content_language;
    struct slab  slab;
    struct arena arena;

    slab_init(&slab, CHUNK, 64);
    arena_init(&arena, &slab, 1 << 22);
    if (span_split(&wish, '\n', &content_language) && wish.at != NULL)
        check_wish(&arena, wish, content_language);
    arena_reset(&arena);
    slab_fini(&slab);
    free(copy);
    return 0;
}
