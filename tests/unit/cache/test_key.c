/* test_key.c: equal requests have equal keys, and no others. */
#include "cache_test.h"

#include <larder/cache/key.h>

static struct hash_seed seed;

static void
make_seed(void)
{
    hash_seed_random(&seed);
}

static struct store_key
primary(struct arena *arena, const char *host, const char *port, const char *path, const char *query)
{
    struct target    sent = { span_of_text(host), span_of_text(port), span_of_text(path),
                              query == NULL ? SPAN_EMPTY : span_of_text(query) },
                  normal;
    struct store_key key;

    cr_assert_eq(key_normalise(arena, &sent, &normal), ERR_NONE);
    cr_assert_eq(key_primary(arena, &seed, SPAN("http"), &normal, SPAN("fallback"), &key), ERR_NONE);
    return key;
}

Test(cache_key, the_text_is_the_url, .init = make_seed)
{
    struct test_memory memory;
    memory_begin(&memory);
    cr_assert_span(primary(&memory.arena, "Example.COM", "80", "/A/b", "x=Y").text, "http://example.com/A/b?x=Y");
    cr_assert_span(primary(&memory.arena, "example.com", "8080", "/", NULL).text, "http://example.com:8080/");
    cr_assert_span(primary(&memory.arena, "", "", "/", NULL).text, "http://fallback/");
    cr_assert_span(primary(&memory.arena, "h", "", "/", "").text, "http://h/?");
    memory_end(&memory);
}

Test(cache_key, trackers_are_dropped_and_nothing_else, .init = make_seed)
{
    static const struct {
        const char *sent, *kept;
    } cases[] = {
        { "a=1&utm_source=x&b=2", "http://h/?a=1&b=2" },
        { "gclid=1&a=1", "http://h/?a=1" },
        { "a=1&fbclid", "http://h/?a=1" },
        { "utm_source=x", "http://h/" },
        { "xutm_source=x&b&&a", "http://h/?xutm_source=x&b&&a" },
        { "b=2&a=1", "http://h/?b=2&a=1" },
    };
    struct test_memory memory;
    memory_begin(&memory);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert_span(primary(&memory.arena, "h", "", "/", cases[i].sent).text, cases[i].kept);
    memory_end(&memory);
}

Test(cache_key, variants_live_in_the_shard_of_their_url, .init = make_seed)
{
    struct test_memory memory;
    memory_begin(&memory);
    struct store_key base = primary(&memory.arena, "h", "", "/", NULL), one, two;
    cr_assert_eq(key_variant(&memory.arena, &seed, &base, 7, SPAN("accept: a\n"), &one), ERR_NONE);
    cr_assert_eq(key_variant(&memory.arena, &seed, &base, 7, SPAN("accept: b\n"), &two), ERR_NONE);
    cr_assert_span(one.text, "http://h/\n0000000000000007\naccept: a\n");
    cr_assert_not(digest_equal(one.digest, two.digest));
    cr_assert_not(digest_equal(one.digest, base.digest));
    cr_assert_eq(one.digest.high >> 56, base.digest.high >> 56);
    cr_assert_eq(two.digest.high >> 56, base.digest.high >> 56);
    memory_end(&memory);
}

Test(cache_key, a_typed_url_is_the_requests_key, .init = make_seed)
{
    static const char *const same[] = { "http://h/a?x", "HTTP://H/a?x", "http://h:80/a?x", "http://h/a?x&utm_id=1" };
    struct test_memory       memory;
    struct store_key         key;
    struct fault             fault;

    memory_begin(&memory);
    struct store_key asked = primary(&memory.arena, "h", "", "/a", "x");
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        cr_assert_eq(key_of_url(&memory.arena, &seed, span_of_text(same[i]), &key, &fault), ERR_NONE);
        cr_assert(digest_equal(key.digest, asked.digest), "%s", same[i]);
    }
    cr_assert_eq(key_of_url(&memory.arena, &seed, SPAN("http://h"), &key, &fault), ERR_NONE);
    cr_assert_span(key.text, "http://h/");
    cr_assert_eq(key_of_url(&memory.arena, &seed, SPAN("https://h:443/"), &key, &fault), ERR_NONE);
    cr_assert_span(key.text, "https://h/");
    memory_end(&memory);
}

Test(cache_key, what_is_no_url_is_refused_with_a_sentence, .init = make_seed)
{
    static const char *const bad[]
        = { "", "/a", "ftp://h/", "http://", "http:///a", "http://h/a b", "http://h/#x", "http://h\n/", "http://h:x/" };
    struct test_memory memory;
    struct store_key   key;
    struct fault       fault;

    memory_begin(&memory);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(key_of_url(&memory.arena, &seed, span_of_text(bad[i]), &key, &fault), ERR_SYNTAX, "%s", bad[i]);
        cr_assert_not_null(strstr(fault.text, "is not a URL"));
    }
    memory_end(&memory);
}

Test(cache_key, without_memory_there_is_no_key, .init = make_seed)
{
    struct slab      slab;
    struct arena     arena;
    struct target    target = { SPAN("h"), SPAN_EMPTY, SPAN("/"), SPAN("a&utm_id=1") }, normal;
    struct store_key key;

    slab_init(&slab, 1024, 0);
    arena_init(&arena, &slab, 0);
    cr_assert_eq(key_normalise(&arena, &target, &normal), ERR_NO_MEMORY);
    cr_assert_eq(key_primary(&arena, &seed, SPAN("http"), &target, SPAN("h"), &key), ERR_NO_MEMORY);
    arena_reset(&arena);
    slab_fini(&slab);
}
