/* test_target.c: which host, path and query a request means, and what is refused rather than guessed. */
#include <criterion/criterion.h>
#include <larder/http/parse.h>

#include "given.h"

struct meant {
    const char *line, *fields;
    const char *host, *port, *path, *query; /* query NULL: none */
};

struct refused {
    const char  *line, *fields;
    enum refusal refusal;
};

static const struct meant good[] = {
    { "GET / HTTP/1.1", "Host: a\r\n", "a", "", "/", NULL },
    { "GET /x/y?z=1?2 HTTP/1.1", "Host: A.example:8080\r\n", "A.example", "8080", "/x/y", "z=1?2" },
    { "GET /? HTTP/1.1", "Host: a\r\n", "a", "", "/", "" },
    { "GET //b/c HTTP/1.1", "Host: a\r\n", "a", "", "//b/c", NULL },
    { "GET /http://b/ HTTP/1.1", "Host: a\r\n", "a", "", "/http://b/", NULL },
    { "GET / HTTP/1.1", "Host: a:\r\n", "a", "", "/", NULL },
    { "GET / HTTP/1.1", "Host: 127.0.0.1:65535\r\n", "127.0.0.1", "65535", "/", NULL },
    { "GET / HTTP/1.1", "Host: [::1]:80\r\n", "[::1]", "80", "/", NULL },
    { "GET / HTTP/1.1", "Host: [2001:db8::192.0.2.1]\r\n", "[2001:db8::192.0.2.1]", "", "/", NULL },
    { "GET / HTTP/1.1", "Host: a_b.c-d~e!$&'()*+;=%41\r\n", "a_b.c-d~e!$&'()*+;=%41", "", "/", NULL },
    { "GET / HTTP/1.0", "", "", "", "/", NULL },
    { "GET / HTTP/1.0", "Host: a\r\n", "a", "", "/", NULL },
    { "OPTIONS * HTTP/1.1", "Host: a\r\n", "a", "", "*", NULL },
    { "OPTIONS /x HTTP/1.1", "Host: a\r\n", "a", "", "/x", NULL },
    /* absolute-form */
    { "GET http://a/x?y HTTP/1.1", "Host: a\r\n", "a", "", "/x", "y" },
    { "GET HTTP://A:81/ HTTP/1.1", "Host: a:81\r\n", "A", "81", "/", NULL },
    { "GET https://a/ HTTP/1.1", "Host: a\r\n", "a", "", "/", NULL },
    { "GET http://a HTTP/1.1", "Host: a\r\n", "a", "", "/", NULL },
    { "GET http://a?y HTTP/1.1", "Host: a\r\n", "a", "", "/", "y" },
    { "GET http://a:80/ HTTP/1.1", "Host: a\r\n", "a", "80", "/", NULL },
    { "GET https://a/ HTTP/1.1", "Host: a:443\r\n", "a", "", "/", NULL },
    { "GET http://[::1]:8/x HTTP/1.1", "Host: [::1]:8\r\n", "[::1]", "8", "/x", NULL },
    { "GET http://a/ HTTP/1.0", "", "a", "", "/", NULL },
    { "OPTIONS http://a HTTP/1.1", "Host: a\r\n", "a", "", "*", NULL },
    { "OPTIONS http://a? HTTP/1.1", "Host: a\r\n", "a", "", "/", "" },
    { "OPTIONS http://a/ HTTP/1.1", "Host: a\r\n", "a", "", "/", NULL },
};

static const struct refused bad[] = {
    { "GET / HTTP/1.1", "", REFUSAL_NO_HOST },
    { "GET http://a/ HTTP/1.1", "", REFUSAL_NO_HOST },
    { "GET / HTTP/1.1", "Host: a\r\nHost: a\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.0", "Host: a\r\nhost: b\r\n", REFUSAL_BAD_HOST },
    { "GET http://a/ HTTP/1.1", "Host: a\r\nHost: a\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host:\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.0", "Host:\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a b\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a, b\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a,b\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a/b\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: u@a\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a?\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a#b\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a\\b\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: http://a\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: :80\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a:b\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a:80:80\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a:-1\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a: 80\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a:0\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a:65536\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a:000080\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a:18446744073709551697\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: caf\xc3\xa9\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a%4\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: a%zz\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: [::1\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: [::1]80\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: [::1]x\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: [::1%25eth0]\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: [v1.a]\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: [1.2.3.4]\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: []\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: [\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: ::1\r\n", REFUSAL_BAD_HOST },
    { "GET / HTTP/1.1", "Host: [0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1]\r\n", REFUSAL_BAD_HOST },
    { "GET http://a/ HTTP/1.1", "Host: b\r\n", REFUSAL_HOST_MISMATCH },
    { "GET http://a/ HTTP/1.1", "Host: a:81\r\n", REFUSAL_HOST_MISMATCH },
    { "GET http://a:81/ HTTP/1.1", "Host: a\r\n", REFUSAL_HOST_MISMATCH },
    { "GET https://a/ HTTP/1.1", "Host: a:80\r\n", REFUSAL_HOST_MISMATCH },
    { "GET http://a/ HTTP/1.0", "Host: b\r\n", REFUSAL_HOST_MISMATCH },
    { "GET http:/// HTTP/1.1", "Host: a\r\n", REFUSAL_BAD_TARGET },
    { "GET http://u@a/ HTTP/1.1", "Host: a\r\n", REFUSAL_BAD_TARGET },
    { "GET http://a:x/ HTTP/1.1", "Host: a\r\n", REFUSAL_BAD_TARGET },
    { "GET http:/a HTTP/1.1", "Host: a\r\n", REFUSAL_BAD_TARGET },
    { "GET http: HTTP/1.1", "Host: a\r\n", REFUSAL_BAD_TARGET },
    { "GET ftp://a/ HTTP/1.1", "Host: a\r\n", REFUSAL_BAD_TARGET },
    { "GET a HTTP/1.1", "Host: a\r\n", REFUSAL_BAD_TARGET },
    { "GET ?a HTTP/1.1", "Host: a\r\n", REFUSAL_BAD_TARGET },
    { "GET * HTTP/1.1", "Host: a\r\n", REFUSAL_BAD_TARGET },
    { "OPTIONS ** HTTP/1.1", "Host: a\r\n", REFUSAL_BAD_TARGET },
    { "GET a:80 HTTP/1.1", "Host: a:80\r\n", REFUSAL_BAD_TARGET },
    { "CONNECT a:80 HTTP/1.1", "Host: a:80\r\n", REFUSAL_METHOD_REFUSED },
    { "TRACE / HTTP/1.1", "Host: a\r\n", REFUSAL_METHOD_REFUSED },
};

Test(http_target, forms_that_are_taken)
{
    struct given given;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const struct meant *row = &good[i];
        enum refusal        refusal = REFUSAL_NONE;
        struct target       target;
        enum err err = parse_target(given_request(&given, row->line, row->fields), &target, &refusal);
        cr_assert_eq(err, ERR_NONE, "%s, %s: %s", row->line, row->fields, refusal_name(refusal));
        cr_assert(given_is(target.host, row->host), "%s: host %.*s", row->line, SPAN_ARG(target.host));
        cr_assert(given_is(target.port, row->port), "%s: port %.*s", row->line, SPAN_ARG(target.port));
        cr_assert(given_is(target.path, row->path), "%s: path %.*s", row->line, SPAN_ARG(target.path));
        cr_assert_eq(target.query.at == NULL, row->query == NULL, "%s", row->line);
        cr_assert(row->query == NULL || given_is(target.query, row->query), "%s", row->line);
    }
}

Test(http_target, forms_that_are_refused)
{
    struct given given;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct refused *row = &bad[i];
        enum refusal          refusal = REFUSAL_NONE;
        struct target         target;
        enum err err = parse_target(given_request(&given, row->line, row->fields), &target, &refusal);
        cr_assert_eq(err, ERR_SYNTAX, "%s, %s", row->line, row->fields);
        cr_assert_eq(refusal, row->refusal, "%s, %s: %s", row->line, row->fields, refusal_name(refusal));
    }
}

/* HTTP/2 brings targets that the HTTP/1 parser has not seen. */
Test(http_target, bytes_are_checked_again)
{
    static const char *const targets[] = { "/a b", "/a#b", "/\x7f", "/caf\xc3\xa9", "/a\r\nX: y" };
    struct given             given;
    struct target            target;
    enum refusal             refusal;

    given_request(&given, "GET / HTTP/1.1", "Host: a\r\n");
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        given.head.target = span_of_text(targets[i]);
        cr_assert_eq(parse_target(&given.head, &target, &refusal), ERR_SYNTAX);
        cr_assert_eq(refusal, REFUSAL_BAD_TARGET);
    }
}

Test(http_target, a_host_of_255_bytes_is_the_longest)
{
    char        name[300];
    struct span host, port;

    memset(name, 'a', sizeof name);
    cr_assert(parse_authority(span_of(name, 255), &host, &port));
    cr_assert_eq(host.len, 255);
    cr_assert_not(parse_authority(span_of(name, 256), &host, &port));
    cr_assert_not(parse_authority(SPAN_EMPTY, &host, &port));
    cr_assert_not(parse_authority(span_of("[::1\0]", 6), &host, &port));
}
