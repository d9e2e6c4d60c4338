/* test_addr.c: addresses from text and back; what is refused, and that the message quotes it. */
#include <larder/net/addr.h>

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static struct addr
literal(const char *host, uint16_t port)
{
    struct addr addr;

    cr_assert(addr_from_literal(span_of_text(host), port, &addr), "%s", host);
    return addr;
}

static struct addr
unix_addr(const char *path, size_t len)
{
    struct addr        addr = { .len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len) };
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    memcpy(un.sun_path, path, len);
    memcpy(&addr.storage, &un, sizeof un);
    return addr;
}

static void
expect_parsed(const char *text, const char *written)
{
    struct addr  addr;
    struct fault fault;
    char         out[ADDR_TEXT_SIZE];

    cr_assert_eq(addr_parse(span_of_text(text), &addr, &fault), ERR_NONE, "%s", text);
    cr_expect_str_eq(addr_format(&addr, out), written);
}

static void
expect_refused(const char *text, enum err err, const char *part)
{
    struct addr  addr;
    struct fault fault;

    cr_expect_eq(addr_parse(span_of_text(text), &addr, &fault), err, "%s", text);
    cr_expect_eq(fault.code, err, "%s", text);
    cr_expect_not_null(strstr(fault.text, part), "%s: %s", text, fault.text);
}

Test(net_addr, parses_what_can_be_listened_on)
{
    expect_parsed("127.0.0.1:8080", "127.0.0.1:8080");
    expect_parsed("255.255.255.255:65535", "255.255.255.255:65535");
    expect_parsed("[::1]:8080", "[::1]:8080");
    expect_parsed("[2001:DB8::A]:0", "[2001:db8::a]:0");
    expect_parsed(":80", "[::]:80");
    expect_parsed("0.0.0.0:0", "0.0.0.0:0");
}

Test(net_addr, refuses_what_is_no_address)
{
    expect_refused("", ERR_SYNTAX, "no port");
    expect_refused("127.0.0.1", ERR_SYNTAX, "no port");
    expect_refused("[::1]", ERR_SYNTAX, "no port");
    expect_refused("127.1:80", ERR_SYNTAX, "no IP address");
    expect_refused("0177.0.0.1:80", ERR_SYNTAX, "no IP address");
    expect_refused("127.0.0.256:80", ERR_SYNTAX, "no IP address");
    expect_refused(" 127.0.0.1:80", ERR_SYNTAX, "no IP address");
    expect_refused("::1:80", ERR_SYNTAX, "in brackets");
    expect_refused("[::1:80", ERR_SYNTAX, "not closed");
    expect_refused("[::1]80", ERR_SYNTAX, "after the bracket");
    expect_refused("[]:80", ERR_SYNTAX, "no IP address");
    expect_refused("[127.0.0.1]:80", ERR_SYNTAX, "no IP address");
    expect_refused("[fe80::1%lo]:80", ERR_SYNTAX, "no IP address");
    expect_refused("*:80", ERR_SYNTAX, "\"*\"");
}

Test(net_addr, refuses_names_to_listen_on)
{
    expect_refused("localhost:80", ERR_SYNTAX, "\"localhost\" is a name");
    expect_refused("www.example.com:80", ERR_SYNTAX, "is a name");
}

Test(net_addr, refuses_bad_ports)
{
    expect_refused("127.0.0.1:", ERR_SYNTAX, "no port");
    expect_refused("127.0.0.1:x", ERR_SYNTAX, "no port");
    expect_refused("127.0.0.1:+1", ERR_SYNTAX, "no port");
    expect_refused("127.0.0.1:080", ERR_SYNTAX, "begins with 0");
    expect_refused("127.0.0.1:65536", ERR_RANGE, "out of range");
    expect_refused("127.0.0.1:99999999999999999999999", ERR_SYNTAX, "no port");
}

Test(net_addr, messages_hide_control_bytes_and_stay_short)
{
    struct addr  addr;
    struct fault fault;
    char         text[400];

    expect_refused("\033[31mx:80", ERR_SYNTAX, "?[31mx");
    memset(text, 'a', sizeof text);
    cr_expect_eq(addr_parse(span_of(text, sizeof text), &addr, &fault), ERR_SYNTAX);
    cr_expect_not_null(strstr(fault.text, "a...\""));
    cr_expect_lt(strlen(fault.text), 250);
}

static void
expect_split(const char *text, uint16_t default_port, const char *host, uint16_t port)
{
    struct span  got_host;
    uint16_t     got_port;
    struct fault fault;
    enum err     err = addr_split(span_of_text(text), default_port, &got_host, &got_port, &fault);

    cr_assert_eq(err, ERR_NONE, "%s: %s", text, err == ERR_NONE ? "" : fault.text);
    cr_expect(span_equal(got_host, span_of_text(host)), "%s", text);
    cr_expect_eq(got_port, port, "%s", text);
}

static void
expect_unsplit(const char *text, uint16_t default_port, enum err err)
{
    struct span  host = SPAN("untouched");
    uint16_t     port = 7;
    struct fault fault = { .code = ERR_NONE };

    cr_expect_eq(addr_split(span_of_text(text), default_port, &host, &port, &fault), err, "%s", text);
    cr_expect_eq(fault.code, err, "%s", text);
    cr_expect(port == 7 && span_equal(host, SPAN("untouched")), "%s", text);
}

Test(net_addr, splits_origins)
{
    expect_split("example.com:8080", 0, "example.com", 8080);
    expect_split("example.com", 80, "example.com", 80);
    expect_split("example.com.:1", 80, "example.com.", 1);
    expect_split("[::1]:8080", 0, "::1", 8080);
    expect_split("[::1]", 443, "::1", 443);
    expect_split("10.0.0.1", 80, "10.0.0.1", 80);
    expect_split("my_service-1:65535", 0, "my_service-1", 65535);
    expect_split("3com.com", 80, "3com.com", 80);
}

Test(net_addr, refuses_origins_that_are_none)
{
    expect_unsplit("", 80, ERR_SYNTAX);
    expect_unsplit(":80", 80, ERR_SYNTAX);
    expect_unsplit(".", 80, ERR_SYNTAX);
    expect_unsplit("a..b", 80, ERR_SYNTAX);
    expect_unsplit(".a", 80, ERR_SYNTAX);
    expect_unsplit("a b", 80, ERR_SYNTAX);
    expect_unsplit("a/b", 80, ERR_SYNTAX);
    expect_unsplit("user@host", 80, ERR_SYNTAX);
    expect_unsplit("h\xc3\xa4st", 80, ERR_SYNTAX);
    expect_unsplit("1.2.3", 80, ERR_SYNTAX);
    expect_unsplit("1.2.3.4.5", 80, ERR_SYNTAX);
    expect_unsplit("::1", 80, ERR_SYNTAX);
    expect_unsplit("[host]", 80, ERR_SYNTAX);
    expect_unsplit("[127.0.0.1]:80", 80, ERR_SYNTAX);
    expect_unsplit("host", 0, ERR_SYNTAX);
    expect_unsplit("host:", 80, ERR_SYNTAX);
    expect_unsplit("host:0", 80, ERR_RANGE);
    expect_unsplit("host:65536", 80, ERR_RANGE);
}

Test(net_addr, names_have_the_lengths_of_dns)
{
    char text[300];

    memset(text, 'a', sizeof text);
    text[63] = '\0';
    expect_split(text, 80, text, 80);
    text[63] = 'a';
    text[64] = '\0';
    expect_unsplit(text, 80, ERR_SYNTAX);

    memset(text, 'a', sizeof text);
    for (size_t i = 50; i < 253; i += 50)
        text[i] = '.';
    text[253] = '\0';
    expect_split(text, 80, text, 80);
    text[253] = 'a';
    text[254] = '\0';
    expect_unsplit(text, 80, ERR_SYNTAX);
}

Test(net_addr, a_byte_of_zero_ends_no_literal)
{
    struct addr addr;

    cr_expect_not(addr_from_literal(span_of("127.0.0.1\0", 10), 80, &addr));
    cr_expect_not(addr_from_literal(SPAN_EMPTY, 80, &addr));
    cr_expect_not(addr_from_literal(SPAN("[::1]"), 80, &addr));
    cr_expect_not(addr_from_literal(SPAN("1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"), 80, &addr));
}

Test(net_addr, compares_family_host_and_port)
{
    struct addr a = literal("10.0.0.1", 80), b = literal("10.0.0.1", 80), c = literal("10.0.0.1", 81);
    struct addr d = literal("10.0.0.2", 80), e = literal("::1", 80), f = literal("::2", 80);
    struct addr u = unix_addr("/a", 3), v = unix_addr("/a", 3), w = unix_addr("/b", 3);

    cr_expect(addr_equal(&a, &b));
    cr_expect_not(addr_equal(&a, &c));
    cr_expect_not(addr_equal(&a, &d));
    cr_expect_not(addr_equal(&a, &e));
    cr_expect_not(addr_equal(&e, &f));
    cr_expect(addr_equal(&u, &v));
    cr_expect_not(addr_equal(&u, &w));
    cr_expect_eq(addr_port(&c), 81);
    cr_expect_eq(addr_port(&e), 80);
    cr_expect_eq(addr_port(&u), 0);
}

Test(net_addr, knows_which_listener_takes_all)
{
    static const struct {
        const char *wide, *narrow;
        bool        covers;
    } rows[] = {
        { "::", "127.0.0.1", true },
        { "::", "::1", true },
        { "::", "0.0.0.0", true },
        { "0.0.0.0", "127.0.0.1", true },
        { "0.0.0.0", "::1", false },
        { "0.0.0.0", "::", false },
        { "::", "::", false },
        { "127.0.0.1", "::", false },
        { "127.0.0.1", "127.0.0.2", false },
        { "0.0.0.0", "::ffff:1.2.3.4", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct addr wide = literal(rows[i].wide, 80), narrow = literal(rows[i].narrow, 80);
        cr_expect_eq(addr_covers(&wide, &narrow), rows[i].covers, "%s %s", rows[i].wide, rows[i].narrow);
        narrow = literal(rows[i].narrow, 81);
        cr_expect_not(addr_covers(&wide, &narrow));
    }
    struct addr any = literal("::", 0), one = literal("::1", 0), un = unix_addr("/x", 2);
    cr_expect_not(addr_covers(&any, &one), "each gets a port of its own");
    cr_expect_not(addr_covers(&un, &one));
}

Test(net_addr, knows_the_loopback)
{
    static const struct {
        const char *host;
        bool        is;
    } rows[] = { { "127.0.0.1", true },
                 { "127.255.1.2", true },
                 { "128.0.0.1", false },
                 { "::1", true },
                 { "::2", false },
                 { "::", false },
                 { "::ffff:127.0.0.9", true },
                 { "0.0.0.0", false },
                 { "::ffff:126.0.0.1", false } };
    struct addr no_name = unix_addr("", 0);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct addr addr = literal(rows[i].host, 1);
        cr_expect_eq(addr_is_loopback(&addr), rows[i].is, "%s", rows[i].host);
    }
    cr_expect(addr_is_loopback(&no_name));
}

static void
expect_formats(struct addr addr, const char *whole, const char *host)
{
    char out[ADDR_TEXT_SIZE];

    cr_expect_str_eq(addr_format(&addr, out), whole);
    cr_expect_str_eq(addr_format_host(&addr, out), host);
}

Test(net_addr, formats)
{
    char long_path[100], shown[ADDR_TEXT_SIZE];

    expect_formats(literal("192.0.2.1", 80), "192.0.2.1:80", "192.0.2.1");
    expect_formats(literal("::1", 65535), "[::1]:65535", "::1");
    expect_formats(literal("::ffff:192.0.2.1", 80), "192.0.2.1:80", "192.0.2.1");
    expect_formats(literal("1111:2222:3333:4444:5555:6666:7777:8888", 65535),
                   "[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
                   "1111:2222:3333:4444:5555:6666:7777:8888");
    expect_formats(unix_addr("/run/x", 7), "unix:/run/x", "unix:/run/x");
    expect_formats(unix_addr("", 0), "unix", "unix");
    expect_formats((struct addr){ 0 }, "", "");

    memset(long_path, 'p', sizeof long_path);
    snprintf(shown, sizeof shown, "unix:%.*s", (int)sizeof shown - 6, long_path);
    expect_formats(unix_addr(long_path, sizeof long_path), shown, shown);
}
