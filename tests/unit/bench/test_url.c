/* URLs, and the requests that are made of them. */
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

static enum err
make(struct requests *requests, struct fault *fault, const char *url, const char *other, const char *field)
{
    struct texts urls = { .count = 1 }, fields = { .count = 0 };
    urls.at[0] = span_of_text(url);
    if (other != NULL)
        urls.at[urls.count++] = span_of_text(other);
    if (field != NULL)
        fields.at[fields.count++] = span_of_text(field);
    return requests_init(requests, &urls, &fields, fault);
}

static void
expect_request(const char *url, const char *field, const char *text)
{
    struct requests requests;
    struct fault    fault = { .text = "" };
    cr_assert_eq(make(&requests, &fault, url, NULL, field), ERR_NONE, "%s", fault.text);
    cr_assert_str_eq(text_cstr(&requests.texts[0]), text);
    requests_fini(&requests);
}

Test(bench_url, requests_as_bytes)
{
    expect_request("http://127.0.0.1:81/a", NULL,
                   "GET /a HTTP/1.1\r\nHost: 127.0.0.1:81\r\nUser-Agent: larder-bench\r\n\r\n");
    expect_request("127.0.0.1?q", NULL,
                   "GET /?q HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: larder-bench\r\n\r\n");
    expect_request("127.0.0.1", "Accept: a/b",
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: larder-bench\r\nAccept: a/b\r\n\r\n");
    expect_request("127.0.0.1", "hOST: x", "GET / HTTP/1.1\r\nUser-Agent: larder-bench\r\nhOST: x\r\n\r\n");
    expect_request("127.0.0.1", "User-Agent: x",
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: x\r\n\r\n");
}

Test(bench_url, several_urls_of_one_address)
{
    struct requests requests;
    struct fault    fault = { .text = "" };
    cr_assert_eq(make(&requests, &fault, "127.0.0.1:81/a", "http://127.0.0.1:81/b", NULL), ERR_NONE);
    cr_assert_eq(requests.count, 2);
    cr_assert_eq(addr_port(&requests.addr), 81);
    requests_fini(&requests);
    cr_assert_neq(make(&requests, &fault, "127.0.0.1:81/a", "127.0.0.1:82/b", NULL), ERR_NONE);
    cr_assert_not_null(strstr(fault.text, "same host and port"));
    cr_assert_eq(requests.count, 0);
}

Test(bench_url, fields_are_held_against_the_parser)
{
    const char     *wrong[] = { "",       "novalue",      "a b: c",
                                ": c",    "a: b\r\nc: d", "a: b\r\n\r\nGET / HTTP/1.1",
                                "a: \x01" };
    struct requests requests;
    struct fault    fault;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_neq(make(&requests, &fault, "127.0.0.1", NULL, wrong[i]), ERR_NONE, "%s", wrong[i]);
}
