/* test_proxy_header.c: headers of both versions, whole and cut at every byte; what is refused, and why. */
#include <larder/net/proxy_header.h>

#include <criterion/criterion.h>
#include <stdlib.h>

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define UNIX_PATHS_27 "012345678901234567890123456"
#define UNIX_PATHS UNIX_PATHS_27 UNIX_PATHS_27 UNIX_PATHS_27 UNIX_PATHS_27 /* of 108 bytes */

/* Every beginning of the bytes is parsed from memory of exactly its length: AGAIN, until all that is needed is there;
 * from then on the same verdict. */
static enum err
parse_cut(struct span bytes, struct proxy_header *header, size_t *size, const char **why)
{
    enum err err = ERR_AGAIN;

    for (size_t len = 0; len <= bytes.len; len++) {
        char    *copy = malloc(len + 1);
        enum err before = err;
        cr_assert_not_null(copy);
        memcpy(copy, bytes.at, len);
        err = proxy_header_parse(span_of(copy, len), header, size, why);
        free(copy);
        cr_assert(before == ERR_AGAIN || err == before, "at %zu bytes another verdict", len);
    }
    return err;
}

static void
expect_taken(struct span bytes, const char *source, const char *destination)
{
    struct proxy_header header;
    size_t              size;
    const char         *why;
    char                text[ADDR_TEXT_SIZE], more[PROXY_HEADER_MAX + 32];

    memcpy(more, bytes.at, bytes.len);
    memcpy(more + bytes.len, "GET /", 5);
    cr_assert_eq(parse_cut(span_of(more, bytes.len + 5), &header, &size, &why), ERR_NONE, "%s: %s", bytes.at,
                 why);
    cr_expect_eq(size, bytes.len, "what follows does not belong to it");
    cr_assert_eq(header.has_source, source != NULL, "%s", bytes.at);
    if (source == NULL)
        return;
    cr_expect_str_eq(addr_format(&header.source, text), source);
    cr_expect_str_eq(addr_format(&header.destination, text), destination);
}

static void
expect_refused(struct span bytes, const char *part)
{
    struct proxy_header header;
    size_t              size;
    const char         *why;

    cr_assert_eq(parse_cut(bytes, &header, &size, &why), ERR_SYNTAX, "%.*s", SPAN_ARG(bytes));
    cr_expect_not_null(strstr(why, part), "%.*s: %s", SPAN_ARG(bytes), why);
    cr_expect(!header.has_source);
}

Test(net_proxy_header, takes_lines)
{
    expect_taken(SPAN("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"), "192.0.2.1:56324",
                 "198.51.100.1:443");
    expect_taken(SPAN("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255:65535",
                 "255.255.255.255:65535");
    expect_taken(SPAN("PROXY TCP6 2001:db8::1 ::1 0 1\r\n"), "[2001:db8::1]:0", "[::1]:1");
    expect_taken(SPAN("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
                 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
                 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
    expect_taken(SPAN("PROXY UNKNOWN\r\n"), NULL, NULL);
    expect_taken(SPAN("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
                 NULL, NULL); /* 107 bytes, the longest */
}

Test(net_proxy_header, refuses_other_lines)
{
    expect_refused(SPAN("GET / HTTP/1.1\r\n"), "does not begin");
    expect_refused(SPAN("PROXZ"), "does not begin");
    expect_refused(SPAN("proxy TCP4"), "does not begin");
    expect_refused(SPAN("PROXY\tTCP4"), "does not begin");
    expect_refused(SPAN(" PROXY TCP4"), "does not begin");
    expect_refused(SPAN("PROXY \r\n"), "neither TCP4");
    expect_refused(SPAN("PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n"), "neither TCP4");
    expect_refused(SPAN("PROXY UNKNOWNX\r\n"), "neither TCP4");
    expect_refused(SPAN("PROXY  TCP4 192.0.2.1 198.51.100.1 1 2\r\n"), "neither TCP4");
    expect_refused(SPAN("PROXY TCP4\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP4 192.0.2.1 198.51.100.1 1 2 \r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP4 192.0.2.1  198.51.100.1 1 2\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP4 192.0.2.01 198.51.100.1 1 2\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP4 192.0.2.1 198.51.100.1 01 2\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP4 192.0.2.1 198.51.100.1 1 65536\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP4 192.0.2.1 198.51.100.1 -1 2\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP4 ::1 ::1 1 2\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP6 192.0.2.1 ::1 1 2\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP6 [::1] ::1 1 2\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"), "break the grammar");
    expect_refused(SPAN("PROXY TCP4 192.0.2.1 198.51.100.1 1 2\n"), "does not belong");
    expect_refused(SPAN("PROXY UNKNOWN \0\r\n"), "does not belong");
    expect_refused(SPAN("PROXY UNKNOWN \xff\r\n"), "does not belong");
    expect_refused(SPAN("PROXY UNKNOWN\rX"), "CR without");
    expect_refused(SPAN("PROXY UNKNOWN  ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
                   "longer than 107");
}

Test(net_proxy_header, takes_binary_ones)
{
    expect_taken(SPAN(V2 "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\x04\1\xbb"), "192.0.2.1:56324",
                 "198.51.100.1:443");
    expect_taken(
        SPAN(V2
             "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\0\2"),
        "[2001:db8::1]:1", "[::1]:2");
    /* two TLVs: one of no bytes, one of three */
    expect_taken(SPAN(V2 "\x21\x11\0\x15\xc0\0\2\1\xc6\x33\x64\1\0\1\0\2\x04\0\0\xea\0\3abc"), "192.0.2.1:1",
                 "198.51.100.1:2");
    expect_taken(SPAN(V2 "\x21\x31\0\xd8" UNIX_PATHS UNIX_PATHS), NULL, NULL);
    expect_taken(SPAN(V2 "\x21\0\0\0"), NULL, NULL);
    expect_taken(SPAN(V2 "\x21\0\0\4abcd"), NULL, NULL);
    expect_taken(SPAN(V2 "\x20\0\0\0"), NULL, NULL);
    expect_taken(SPAN(V2 "\x20\xff\0\2ab"), NULL, NULL);
    expect_taken(SPAN(V2 "\x20\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\x04\1\xbb"), NULL, NULL);
}

Test(net_proxy_header, refuses_other_binary_ones)
{
    expect_refused(SPAN("\r\n\r\n\0\r\nQUIX"), "does not begin");
    expect_refused(SPAN("\r\nGET / HTTP/1.1"), "does not begin");
    expect_refused(SPAN(V2 "\x11"), "another version");
    expect_refused(SPAN(V2 "\x22"), "unknown command");
    expect_refused(SPAN(V2 "\x21\x12"), "family or transport");
    expect_refused(SPAN(V2 "\x21\x10"), "family or transport");
    expect_refused(SPAN(V2 "\x21\x41"), "family or transport");
    expect_refused(SPAN(V2 "\x21\x11\0\x0b"), "too short");
    expect_refused(SPAN(V2 "\x21\x21\0\x0c"), "too short");
    expect_refused(SPAN(V2 "\x21\x31\0\xd7"), "too short");
    expect_refused(SPAN(V2 "\x21\x11\x0f\xf1"), "longer than 4096");
    expect_refused(SPAN(V2 "\x20\0\xff\xff"), "longer than 4096");
    expect_refused(SPAN(V2 "\x21\x11\0\x0e\xc0\0\2\1\xc6\x33\x64\1\0\1\0\2\x04\0"), "TLV");
    expect_refused(SPAN(V2 "\x21\x11\0\x10\xc0\0\2\1\xc6\x33\x64\1\0\1\0\2\x04\0\2a"), "TLV");
}

/* The longest that is taken: TLVs up to 4096 bytes. */
Test(net_proxy_header, takes_long_ones)
{
    char        bytes[PROXY_HEADER_MAX] = V2 "\x21\x11\x0f\xf0\xc0\0\2\1\xc6\x33\x64\1\0\1\0\2\xea\x0f\xe1";
    struct span whole = span_of(bytes, sizeof bytes);

    expect_taken(whole, "192.0.2.1:1", "198.51.100.1:2");
}
