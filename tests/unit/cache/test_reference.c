/* test_reference.c: what Location and Content-Location name: the examples of RFC 3986 §5.4, and what is not ours. */
#include "cache_test.h"

#include <larder/cache/key.h>

static struct hash_seed seed;

static void
make_seed(void)
{
    hash_seed_random(&seed);
}

static struct store_key
key_of(struct arena *arena, const char *url)
{
    struct store_key key;
    struct fault     fault;
    cr_assert_eq(key_of_url(arena, &seed, span_of_text(url), &key, &fault), ERR_NONE, "%s", fault.text);
    return key;
}

struct reference_case {
    const char *reference, *url; /* NULL: none of ours */
};

static void
check_references(const char *base_url, const struct reference_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct test_memory memory;
        struct store_key   key;

        memory_begin(&memory);
        struct store_key base = key_of(&memory.arena, base_url);
        enum err err = key_of_reference(&memory.arena, &seed, &base, span_of_text(cases[i].reference), &key);
        if (cases[i].url == NULL) {
            cr_assert_eq(err, ERR_NOT_FOUND, "\"%s\": %d", cases[i].reference, (int)err);
        } else {
            cr_assert_eq(err, ERR_NONE, "\"%s\"", cases[i].reference);
            cr_assert_span(key.text, cases[i].url);
            cr_assert(digest_equal(key.digest, key_of(&memory.arena, cases[i].url).digest), "\"%s\"",
                      cases[i].reference);
        }
        memory_end(&memory);
    }
}
#define check(base, cases) check_references(base, cases, sizeof(cases) / sizeof(cases)[0])

Test(cache_reference, normal_examples, .init = make_seed)
{
    static const struct reference_case cases[] = {
        { "g:h", NULL },
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", NULL },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q" },
        { "g#s", "http://a/b/c/g" },
        { "g?y#s", "http://a/b/c/g?y" },
        { ";x", "http://a/b/c/;x" },
        { "g;x", "http://a/b/c/g;x" },
        { "g;x?y#s", "http://a/b/c/g;x?y" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../", "http://a/" },
        { "../../g", "http://a/g" },
    };
    check("http://a/b/c/d;p?q", cases);
}

Test(cache_reference, abnormal_examples, .init = make_seed)
{
    static const struct reference_case cases[] = {
        { "../../../g", "http://a/g" },
        { "../../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { ".g", "http://a/b/c/.g" },
        { "g..", "http://a/b/c/g.." },
        { "..g", "http://a/b/c/..g" },
        { "./../g", "http://a/b/g" },
        { "./g/.", "http://a/b/c/g/" },
        { "g/./h", "http://a/b/c/g/h" },
        { "g/../h", "http://a/b/c/h" },
        { "g;x=1/./y", "http://a/b/c/g;x=1/y" },
        { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/./x", "http://a/b/c/g?y/./x" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
        { "g#s/./x", "http://a/b/c/g" },
        { "g#s/../x", "http://a/b/c/g" },
        { "http:g", NULL }, /* as strict parsers read it: no host */
    };
    check("http://a/b/c/d;p?q", cases);
}

Test(cache_reference, a_reference_with_a_host, .init = make_seed)
{
    static const struct reference_case cases[] = {
        { "http://host/x?y", "http://host/x?y" },
        { "HTTP://HOST/x", "http://host/x" },
        { "//host/x", "http://host/x" },
        { "http://host", "http://host/" },
        { "http://host?y", "http://host/?y" },
        { "http://host#s", "http://host/" },
        { "http://host/a/../b/./c", "http://host/b/c" },
        { "http://host:80/x", "http://host/x" },
        { "http://host:/x", "http://host/x" },
        { "//host//x", "http://host//x" },
        { "http://host:8080/x", NULL },
        { "http://other/x", NULL },
        { "http://host.evil/x", NULL },
        { "http://hos/x", NULL },
        { "http://user@host/x", NULL },
        { "http://host:x/x", NULL },
        { "http://", NULL },
        { "http:///x", NULL },
        { "//", NULL },
        { "//other", NULL },
        { "ftp://host/x", NULL },
        { "mailto:x@host", NULL },
        { "javascript:x", NULL },
        { "urn:x:y", NULL },
        { "/x:y", "http://host/x:y" },
        { "./x:y", "http://host/p/x:y" },
        { "?x:y", "http://host/p/q?x:y" },
    };
    check("http://host/p/q?r", cases);
}

Test(cache_reference, a_port_is_part_of_the_host, .init = make_seed)
{
    static const struct reference_case cases[] = {
        { "http://host:8080/x", "http://host:8080/x" },
        { "//host:8080", "http://host:8080/" },
        { "x", "http://host:8080/x" },
        { "http://host/x", NULL },
        { "http://host:80/x", NULL },
        { "http://host:80800/x", NULL },
    };
    check("http://host:8080/", cases);
}

Test(cache_reference, the_base_stays_as_it_was_sent, .init = make_seed)
{
    static const struct reference_case cases[] = {
        { "", "http://h/a/../b?q" }, /* RFC 3986 §5.2.2: only a path that was given loses its dots */
        { "?y", "http://h/a/../b?y" },
        { "x", "http://h/x" },
        { "?", "http://h/a/../b?" },
    };
    check("http://h/a/../b?q", cases);
}

Test(cache_reference, hostile_bytes_are_no_reference, .init = make_seed)
{
    static const char *const bad[] = { "a b", "/\x01", "/\x7f", "/\xc3\xa9", "?a b", "http://host/\t" };
    struct test_memory       memory;
    struct store_key         key;

    memory_begin(&memory);
    struct store_key base = key_of(&memory.arena, "http://host/p");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(key_of_reference(&memory.arena, &seed, &base, span_of_text(bad[i]), &key), ERR_SYNTAX,
                     "case %zu", i);
    cr_assert_eq(key_of_reference(&memory.arena, &seed, &base, SPAN("/\0x"), &key), ERR_SYNTAX);
    cr_assert_eq(key_of_reference(&memory.arena, &seed, &base, SPAN_EMPTY, &key), ERR_NONE);
    cr_assert_span(key.text, "http://host/p");
    memory_end(&memory);
}

/* Whatever the bytes are, what is written stays inside, and is on the host. The sanitizers look on. */
Test(cache_reference, any_bytes_stay_inside, .init = make_seed)
{
    static const char alphabet[] = "/.?#:@a[]%";
    unsigned          random = 1;

    for (unsigned round = 0; round < 20000; round++) {
        struct test_memory memory;
        struct store_key   key;
        char               reference[12];
        size_t             len = round % sizeof reference;

        memory_begin(&memory);
        for (size_t i = 0; i < len; i++) {
            random = random * 1103515245 + 12345;
            reference[i] = alphabet[(random >> 16) % (sizeof alphabet - 1)];
        }
        struct store_key base = key_of(&memory.arena, "http://a/b/../c?d");
        if (key_of_reference(&memory.arena, &seed, &base, span_of(reference, len), &key) == ERR_NONE)
            cr_assert(span_starts(key.text, SPAN("http://a/")), "%.*s", SPAN_ARG(key.text));
        memory_end(&memory);
    }
}

Test(cache_reference, without_memory_there_is_no_key, .init = make_seed)
{
    struct test_memory memory, none;
    struct store_key   key;

    memory_begin(&memory);
    memory_begin_empty(&none);
    struct store_key base = key_of(&memory.arena, "http://host/p");
    cr_assert_eq(key_of_reference(&none.arena, &seed, &base, SPAN("x"), &key), ERR_NO_MEMORY);
    cr_assert_eq(key_of_reference(&none.arena, &seed, &base, SPAN("http://other/"), &key), ERR_NOT_FOUND);
    memory_end(&none);
    memory_end(&memory);
}
