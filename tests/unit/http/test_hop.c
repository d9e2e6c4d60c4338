/* test_hop.c: which fields end at this hop. */
#include <criterion/criterion.h>
#include <larder/http/framing.h>

#include "given.h"

/* The names of the fields that go on, joined by spaces. */
static const char *
names_that_stay(struct given *given, const char *fields, char *out, size_t room)
{
    const struct head *head = given_request(given, "GET / HTTP/1.1", fields);
    enum refusal       refusal = REFUSAL_NONE;
    struct hop_set     hop;
    size_t             length = 0;

    cr_assert_eq(framing_mark_hop(head, &hop, &refusal), ERR_NONE, "%s", refusal_name(refusal));
    out[0] = '\0';
    for (uint16_t i = 0; i < head->count; i++)
        if (!framing_is_hop(&hop, &head->fields[i]))
            length += (size_t)snprintf(out + length, room - length, "%s%.*s", length > 0 ? " " : "",
                                       SPAN_ARG(head->fields[i].name));
    return out;
}

Test(http_hop, connection_specific_fields_end_here)
{
    struct given given;
    char         out[512];

    cr_assert_str_eq(
        names_that_stay(&given,
                        "Host: a\r\nConnection: close\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: gzip\r\n"
                        "Trailer: A\r\nTransfer-Encoding: chunked\r\nUpgrade: x\r\n"
                        "Proxy-Authenticate: x\r\nProxy-Authorization: x\r\nAge: 1\r\nX-A: 1\r\n",
                        out, sizeof out),
        "Host Age X-A");
}

Test(http_hop, what_connection_names_ends_here)
{
    struct given given;
    char         out[512];

    cr_assert_str_eq(names_that_stay(&given,
                                     "Connection: x-a, Via, ,x-c\r\nX-A: 1\r\nVia: 1\r\nX-B: 1\r\nX-C: 1\r\n"
                                     "connection: REFERER, x-a\r\nx-A: 2\r\nReferer: x\r\nX-AA: 1\r\n",
                                     out, sizeof out),
                     "X-B X-AA");
}

Test(http_hop, connection_cannot_name_what_decides_about_the_answer)
{
    static const char *const names[] = {
        "Host",
        "Content-Length",
        "Cache-Control",
        "Authorization",
        "Cookie",
        "Vary",
        "Content-Type",
        "Content-Encoding",
        "Content-Range",
        "Content-Whatever",
        "If-Match",
        "If-None-Match",
        "If-Modified-Since",
        "If-Range",
        "If-Anything",
        "Range",
        "Date",
        "Age",
        "Expires",
        "ETag",
        "Last-Modified",
        "CDN-Loop",
    };
    struct given given;
    char         fields[256], out[256];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(fields, sizeof fields, "Connection: %s, x-other\r\n%s: x\r\nX-Other: y\r\n", names[i],
                 names[i]);
        cr_assert_str_eq(names_that_stay(&given, fields, out, sizeof out), names[i]);
    }
}

Test(http_hop, sixteen_unknown_names_are_the_most)
{
    struct given   given;
    struct hop_set hop;
    enum refusal   refusal;
    char fields[512] = "Connection: x0, X0, x1, x2, x3, x4, x5, x6, x7, x8, x9, xa, xb, xc, xd, xe, xf";

    strcat(fields, "\r\nxF: 1\r\n");
    cr_assert_eq(framing_mark_hop(given_request(&given, "GET / HTTP/1.1", fields), &hop, &refusal), ERR_NONE);
    cr_assert_eq(hop.others, 16);
    cr_assert(framing_is_hop(&hop, &given.head.fields[1]));
    strcat(fields, "Connection: xg\r\n");
    cr_assert_eq(framing_mark_hop(given_request(&given, "GET / HTTP/1.1", fields), &hop, &refusal),
                 ERR_SYNTAX);
    cr_assert_eq(refusal, REFUSAL_TOO_MANY_FIELDS);
}

Test(http_hop, an_option_is_a_token)
{
    static const char *const bad[] = { "\"close\"", "a b", "close;x", "a=b", "caf\xc3\xa9" };
    struct given             given;
    struct hop_set           hop;
    enum refusal             refusal;
    char                     fields[64];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(fields, sizeof fields, "Connection: %s\r\n", bad[i]);
        cr_assert_eq(framing_mark_hop(given_request(&given, "GET / HTTP/1.1", fields), &hop, &refusal),
                     ERR_SYNTAX);
        cr_assert_eq(refusal, REFUSAL_BAD_FIELD_VALUE);
    }
}
