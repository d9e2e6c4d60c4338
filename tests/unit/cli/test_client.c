/* test_client.c: the commands that ask a running server, against one that says what the test wants. */
#include "fake_server.h"
#include "run.h"

#include <criterion/criterion.h>
#include <larder/base/span.h>
#include <stdlib.h>
#include <unistd.h>

/* Runs the command against an answer; returns what was asked. free() it. */
static char *
expect_answered(const char *answer, char *command, char *operand, int code, const char *out, const char *err)
{
    struct fake_server server;

    fake_server_open(&server, answer);
    expect_run(ARGS(command, "--admin", server.path, operand), code, out, err);
    fake_server_close(&server);
    return server.asked.at;
}

static void
expect_purge(const char *status, const char *body, int code, const char *out, const char *err)
{
    char *answer = fake_answer(status, body);

    char *asked = expect_answered(answer, "purge", "http://a/x", code, out, err);
    cr_expect_str_eq(asked,
                     "POST /v1/purge HTTP/1.1\r\nHost: larder\r\nConnection: close\r\n"
                     "Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"url\":\"http://a/x\"}");
    free(asked);
    free(answer);
}

Test(cli_purge, says_how_many)
{
    expect_purge("200 OK", "{\"objects\":3}\n", 0, "purged 3 objects of http://a/x\n", "");
    expect_purge("200 OK", "{\"objects\":1}\n", 0, "purged 1 object of http://a/x\n", "");
    expect_purge("200 OK", "{\"objects\":0}\n", 0,
                 "purged 0 objects of http://a/x: nothing of it was stored\n", "");
}

Test(cli_purge, failures_are_one_line)
{
    expect_purge("400 Bad Request", "{\"error\":\"This is no URL.\"}\n", 1, "",
                 "larder purge: This is no URL.\n");
    expect_purge("503 Service Unavailable", "{}", 1, "",
                 "larder purge: larder refused, and did not say why\n");
    expect_purge("200 OK", "{\"things\":0}\n", 1, "",
                 "larder purge: larder did not say how many objects were removed\n");
}

Test(cli_purge, bytes_that_are_no_text)
{
    expect_run(ARGS("purge", "http://a/\xff"), 1, "",
               "larder purge: this is not a URL: its bytes are no text\n");
}

/* ── who answers ── */

static void
expect_strange(const char *answer, const char *what)
{
    struct fake_server server;
    char               line[256];

    fake_server_open(&server, answer);
    snprintf(line, sizeof line, "larder stats: %s %s%s\n",
             strstr(what, "JSON") == NULL ? "what answers at" : "the answer of larder at", server.path, what);
    expect_run(ARGS("stats", "--admin", server.path), 1, "", line);
    fake_server_close(&server);
    text_fini(&server.asked);
}

Test(cli_client, what_is_not_larder)
{
    static const char strange[] = " is not larder, or it broke off";

    expect_strange("", strange);
    expect_strange("220 mail.example.com ESMTP\r\n", strange);
    expect_strange("HTTP/1.1 200 OK\r\n\r\n{}", strange); /* until close: it could have been cut */
    expect_strange("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", strange);
    expect_strange("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}", strange);
    expect_strange("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{", " is no JSON");
}

Test(cli_client, nobody_there)
{
    expect_run(ARGS("stats", "--admin", "/no/such/socket"), 1, "",
               "larder stats: no larder answers at /no/such/socket (No such file or directory): is it "
               "running? If its "
               "socket is elsewhere, give --admin PATH\n");
    expect_run(ARGS("purge", "http://a/", "--admin", ""), 1, "",
               "larder purge: the path of the admin socket is empty\n");
}

Test(cli_client, an_endless_answer)
{
    size_t size = (16 << 20) + 100;
    char  *answer = malloc(size + 1), line[256];

    memset(answer, 'x', size);
    answer[size] = '\0';
    struct fake_server server;
    fake_server_open(&server, answer);
    snprintf(line, sizeof line, "larder stats: the answer of larder at %s is too long\n", server.path);
    expect_run(ARGS("stats", "--admin", server.path), 1, "", line);
    fake_server_close(&server);
    text_fini(&server.asked);
    free(answer);
}

/* ── stats ── */

#define METRIC(name, value, unit, help)                                                                      \
    "{\"name\":\"" name "\",\"value\":" value ",\"kind\":\"counter\",\"unit\":\"" unit "\",\"help\":\"" help \
    "\"}"

static void
expect_stats(const char *body, const char *out)
{
    char *answer = fake_answer("200 OK", body);
    char *asked = expect_answered(answer, "stats", NULL, 0, out, "");

    cr_expect_str_eq(asked, "GET /v1/stats HTTP/1.1\r\nHost: larder\r\nConnection: close\r\n\r\n");
    free(asked);
    free(answer);
}

Test(cli_stats, for_people)
{
    expect_stats(
        "{\"version\":\"1.2.3\",\"uptime\":11525,\"workers\":2,\"metrics\":[" METRIC(
            "proxy.requests", "1234567", "requests",
            "Requests received.") "," METRIC("proxy.hits", "1200000", "requests",
                                             "Requests answered from the store.") "," METRIC("store.bytes_"
                                                                                             "live",
                                                                                             "1572864",
                                                                                             "bytes",
                                                                                             "Bytes.") "]}\n",
        "larder 1.2.3, up 3h 12m, 2 workers\n"
        "97.2 % of 1,234,567 requests were hits\n"
        "\n"
        "proxy\n"
        "  requests                     1,234,567  Requests received.\n"
        "  hits                         1,200,000  Requests answered from the store.\n"
        "\n"
        "store\n"
        "  bytes_live                    1.50 MiB  Bytes.\n");
}

Test(cli_stats, times_and_plurals)
{
    expect_stats("{\"version\":\"1\",\"uptime\":59,\"workers\":1,\"metrics\":[]}",
                 "larder 1, up 59s, 1 worker\nno requests yet\n");
    expect_stats("{\"version\":\"1\",\"uptime\":725,\"workers\":1,\"metrics\":[]}",
                 "larder 1, up 12m 5s, 1 worker\nno requests yet\n");
    expect_stats("{\"version\":\"1\",\"uptime\":273600,\"workers\":1,\"metrics\":[" METRIC(
                     "proxy.requests", "1", "requests", "R.") "]}",
                 "larder 1, up 3d 4h, 1 worker\n0.0 % of 1 request were hits\n\nproxy\n"
                 "  requests                             1  R.\n");
}

/* Whatever an answer lacks, or has in another type, does no harm. */
Test(cli_stats, an_answer_of_another_shape)
{
    expect_stats("{}", "larder , up 0s, 0 workers\nno requests yet\n");
    expect_stats("[]", "larder , up 0s, 0 workers\nno requests yet\n");
    expect_stats("{\"metrics\":[1,{\"name\":2,\"value\":-5}],\"uptime\":\"x\"}",
                 "larder , up 0s, 0 workers\nno requests yet\n"
                 "                                       0  \n"
                 "                                       0  \n");
}

Test(cli_stats, for_programs)
{
    char *answer = fake_answer("200 OK", "{\"metrics\":  []}");

    char *asked = expect_answered(answer, "stats", "--json", 0, "{\"metrics\":  []}\n", "");
    free(asked);
    free(answer);
}
