/* test_framing.c: where bodies end, and which fields end at this hop. */
#include <criterion/criterion.h>
#include <larder/http/framing.h>

#include "given.h"

struct row {
    const char    *line, *fields;
    enum body_kind kind;
    uint64_t       length;
    bool           has_length, keep_alive;
};

struct refused {
    const char  *line, *fields;
    enum refusal refusal;
};

#define POST "POST / HTTP/1.1"
#define POST_1_0 "POST / HTTP/1.0"
#define OK "HTTP/1.1 200 OK"

static const struct row requests[] = {
    { POST, "", BODY_NONE, 0, false, true },
    { POST, "Content-Length: 0\r\n", BODY_NONE, 0, true, true },
    { POST, "Content-Length: 5\r\n", BODY_LENGTH, 5, true, true },
    { POST, "Content-Length: 0005\r\n", BODY_LENGTH, 5, true, true },
    { POST, "Content-Length: 4611686018427387904\r\n", BODY_LENGTH, UINT64_C(1) << 62, true, true },
    { POST, "Transfer-Encoding: chunked\r\n", BODY_CHUNKED, 0, false, true },
    { POST, "Transfer-Encoding:\tChunKed \r\n", BODY_CHUNKED, 0, false, true },
    { "GET / HTTP/1.1", "Content-Length: 5\r\n", BODY_LENGTH, 5, true, true },
    { POST_1_0, "Content-Length: 5\r\n", BODY_LENGTH, 5, true, false },
    { POST_1_0, "Connection: keep-alive\r\n", BODY_NONE, 0, false, true },
    { POST_1_0, "Connection: keep-alive, close\r\n", BODY_NONE, 0, false, false },
    { POST, "Connection: close\r\n", BODY_NONE, 0, false, false },
    { POST, "Connection: a\r\nConnection: b, CLOSE\r\n", BODY_NONE, 0, false, false },
    { POST, "Connection: closed\r\n", BODY_NONE, 0, false, true },
    { POST, "Proxy-Connection: close\r\n", BODY_NONE, 0, false, true },
};

static const struct refused bad[] = {
    { POST, "Content-Length: 5\r\nContent-Length: 5\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length: 5, 5\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length:\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length: +5\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length: -5\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length: 5 5\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length: 0x5\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length: 5.0\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length: \"5\"\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length: 5\xc2\xb9\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length: 4611686018427387905\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length: 18446744073709551621\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Content-Length: 99999999999999999999999999\r\n", REFUSAL_BAD_LENGTH },
    { POST, "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", REFUSAL_LENGTH_AND_ENCODING },
    { POST, "Content-Length: x\r\nTransfer-Encoding: x\r\n", REFUSAL_LENGTH_AND_ENCODING },
    { POST_1_0, "Transfer-Encoding: chunked\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding:\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: identity\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: gzip\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: xchunked\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: chunked, gzip\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: chunked, chunked\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: , chunked\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: chunked,\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: chunked;a=b\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: \"chunked\"\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: chun ked\r\n", REFUSAL_BAD_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: gzip, chunked\r\n", REFUSAL_UNKNOWN_TRANSFER_ENCODING },
    { POST, "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", REFUSAL_UNKNOWN_TRANSFER_ENCODING },
};

static void
check_framing(const struct row *row, const struct framing *framing)
{
    cr_assert_eq(framing->kind, row->kind, "%s, %s", row->line, row->fields);
    cr_assert_eq(framing->length, row->length, "%s, %s", row->line, row->fields);
    cr_assert_eq(framing->has_length, row->has_length, "%s, %s", row->line, row->fields);
    cr_assert_eq(framing->keep_alive, row->keep_alive, "%s, %s", row->line, row->fields);
}

Test(http_framing, requests)
{
    struct given given;

    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        enum refusal       refusal = REFUSAL_NONE;
        struct framing     framing;
        const struct head *head = given_request(&given, requests[i].line, requests[i].fields);
        cr_assert_eq(framing_of_request(head, &framing, &refusal), ERR_NONE, "%s: %s", requests[i].fields,
                     refusal_name(refusal));
        check_framing(&requests[i], &framing);
    }
}

Test(http_framing, what_two_parsers_could_read_differently_is_refused)
{
    struct given given;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum refusal       refusal = REFUSAL_NONE;
        struct framing     framing;
        const struct head *head = given_request(&given, bad[i].line, bad[i].fields);
        cr_assert_eq(framing_of_request(head, &framing, &refusal), ERR_SYNTAX, "%s", bad[i].fields);
        cr_assert_eq(refusal, bad[i].refusal, "%s: %s", bad[i].fields, refusal_name(refusal));
        /* And from an origin just so. */
        head = given_response(&given, head->minor == 0 ? "HTTP/1.0 200 OK" : OK, bad[i].fields);
        refusal = REFUSAL_NONE;
        cr_assert_eq(framing_of_response(head, METHOD_GET, &framing, &refusal), ERR_SYNTAX, "%s",
                     bad[i].fields);
        cr_assert_eq(refusal, bad[i].refusal);
        cr_assert_eq(framing_of_response(head, METHOD_HEAD, &framing, &refusal), ERR_SYNTAX, "%s",
                     bad[i].fields);
    }
}

struct answer {
    enum method method;
    struct row  row;
};

static const struct answer answers[] = {
    { METHOD_GET, { OK, "", BODY_CLOSE, 0, false, false } },
    { METHOD_GET, { OK, "Connection: keep-alive\r\n", BODY_CLOSE, 0, false, false } },
    { METHOD_GET, { OK, "Content-Length: 0\r\n", BODY_NONE, 0, true, true } },
    { METHOD_GET, { OK, "Content-Length: 7\r\n", BODY_LENGTH, 7, true, true } },
    { METHOD_GET, { OK, "Content-Length: 7\r\nConnection: close\r\n", BODY_LENGTH, 7, true, false } },
    { METHOD_GET, { OK, "Transfer-Encoding: chunked\r\n", BODY_CHUNKED, 0, false, true } },
    { METHOD_GET, { "HTTP/1.0 200 OK", "Content-Length: 7\r\n", BODY_LENGTH, 7, true, false } },
    { METHOD_GET,
      { "HTTP/1.0 200 OK", "Content-Length: 7\r\nConnection: keep-alive\r\n", BODY_LENGTH, 7, true, true } },
    { METHOD_HEAD, { OK, "Content-Length: 7\r\n", BODY_NONE, 7, true, true } },
    { METHOD_HEAD, { OK, "Transfer-Encoding: chunked\r\n", BODY_NONE, 0, false, true } },
    { METHOD_HEAD, { OK, "", BODY_NONE, 0, false, true } },
    { METHOD_GET, { "HTTP/1.1 304 Not Modified", "Content-Length: 7\r\n", BODY_NONE, 7, true, true } },
    { METHOD_GET, { "HTTP/1.1 304 Not Modified", "", BODY_NONE, 0, false, true } },
    { METHOD_GET, { "HTTP/1.1 204 No Content", "", BODY_NONE, 0, false, true } },
    { METHOD_GET, { "HTTP/1.1 204 No Content", "Content-Length: 0\r\n", BODY_NONE, 0, true, true } },
    { METHOD_GET, { "HTTP/1.1 100 Continue", "", BODY_NONE, 0, false, true } },
    { METHOD_GET, { "HTTP/1.1 103 Early Hints", "Link: <a>\r\n", BODY_NONE, 0, false, true } },
    { METHOD_GET, { "HTTP/1.1 101 Switching", "Upgrade: x\r\n", BODY_TUNNEL, 0, false, false } },
    { METHOD_CONNECT, { OK, "", BODY_TUNNEL, 0, false, false } },
    { METHOD_CONNECT, { "HTTP/1.1 404 Not Found", "Content-Length: 7\r\n", BODY_LENGTH, 7, true, true } },
    { METHOD_GET, { "HTTP/1.1 205 Reset", "Content-Length: 0\r\n", BODY_NONE, 0, true, true } },
};

Test(http_framing, responses)
{
    struct given given;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct row  *row = &answers[i].row;
        enum refusal       refusal = REFUSAL_NONE;
        struct framing     framing;
        const struct head *head = given_response(&given, row->line, row->fields);
        cr_assert_eq(framing_of_response(head, answers[i].method, &framing, &refusal), ERR_NONE, "%s, %s: %s",
                     row->line, row->fields, refusal_name(refusal));
        check_framing(row, &framing);
    }
}

Test(http_framing, answers_without_a_body_must_not_announce_one)
{
    static const char *const lines[] = { "HTTP/1.1 204 None", "HTTP/1.1 100 Go on", "HTTP/1.1 101 Switching",
                                         "HTTP/1.1 103 Hints" };
    struct given             given;
    struct framing           framing;
    enum refusal             refusal;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const struct head *head = given_response(&given, lines[i], "Content-Length: 1\r\n");
        cr_assert_eq(framing_of_response(head, METHOD_GET, &framing, &refusal), ERR_SYNTAX, "%s", lines[i]);
        cr_assert_eq(refusal, REFUSAL_BAD_LENGTH);
        head = given_response(&given, lines[i], "Transfer-Encoding: chunked\r\n");
        cr_assert_eq(framing_of_response(head, METHOD_GET, &framing, &refusal), ERR_SYNTAX, "%s", lines[i]);
        cr_assert_eq(refusal, REFUSAL_BAD_TRANSFER_ENCODING);
    }
}
