/* URLs. */
#include "url.h"

#include <criterion/criterion.h>

static struct url
parse(const char *text)
{
    struct url   url;
    struct fault fault = { .text = "" };
    cr_assert_eq(url_parse(span_of_text(text), &url, &fault), ERR_NONE, "%s: %s", text, fault.text);
    return url;
}

static void
refuse(const char *text, const char *part)
{
    struct url   url;
    struct fault fault = { .text = "" };
    cr_assert_neq(url_parse(span_of_text(text), &url, &fault), ERR_NONE, "%s", text);
    cr_assert_not_null(strstr(fault.text, part), "%s: %s", text, fault.text);
}

#define EXPECT(text, host_, port_, authority_, target_)                                                      \
    do {                                                                                                     \
        struct url url = parse(text);                                                                        \
        cr_assert(span_equal(url.host, SPAN(host_)));                                                        \
        cr_assert_eq(url.port, port_);                                                                       \
        cr_assert(span_equal(url.authority, SPAN(authority_)));                                              \
        cr_assert(span_equal(url.target, SPAN(target_)));                                                    \
    } while (0)

Test(bench_url, parts)
{
    EXPECT("http://127.0.0.1:8000/a/b?c=d", "127.0.0.1", 8000, "127.0.0.1:8000", "/a/b?c=d");
    EXPECT("http://example.com", "example.com", 80, "example.com", "/");
    EXPECT("HTTP://example.com/x", "example.com", 80, "example.com", "/x");
    EXPECT("localhost:81", "localhost", 81, "localhost:81", "/");
    EXPECT("http://[::1]:8000/", "::1", 8000, "[::1]:8000", "/");
    EXPECT("http://a/b#c", "a", 80, "a", "/b");
    EXPECT("http://a?b=c", "a", 80, "a", "?b=c");
}

Test(bench_url, mistakes)
{
    refuse("https://a/", "only http://");
    refuse("http://", "\"http://\"");
    refuse("http://a:b/", "http://a:b/");
    refuse("http://a:70000/", "http://a:70000/");
    refuse("http://me:secret@a/", "user names");
    refuse("http://a/b c", "a byte that no path has");
    refuse("http://a/b\r\nX: y", "a byte that no path has");
}
