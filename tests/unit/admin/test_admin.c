/* test_admin.c: the admin API as its clients see it. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fixture fixture;

static void
set_up(void)
{
    fixture_open(&fixture);
}

static void
tear_down(void)
{
    fixture_close(&fixture);
}

TestSuite(admin, .init = set_up, .fini = tear_down);

/* ── paths and methods ── */

static void
expect_error(const char *method, const char *path, const char *body, int status, const char *sentence)
{
    json_t *json;

    cr_expect_eq(ask(&fixture, method, path, body, &json), status, "%s %s %s", method, path, body);
    cr_expect_str_eq(json_string_value(json_object_get(json, "error")), sentence);
    cr_expect_eq(json_object_size(json), 1);
    json_decref(json);
}

Test(admin, what_there_is_not)
{
    static const char nothing[] = "There is nothing at this path; there are /v1/stats, /v1/purge, "
                                  "/v1/store/info, /v1/store/objects and /v1/store/verify.";

    expect_error("GET", "/", "", 404, nothing);
    expect_error("GET", "/v1/nothing", "", 404, nothing);
    expect_error("GET", "/v1/stats/", "", 404, nothing);
    expect_error("DELETE", "/v1/stats", "", 405, "/v1/stats takes only the method GET, HEAD.");
    expect_error("GET", "/v1/purge", "", 405, "/v1/purge takes only the method POST.");
    expect_error("CONNECT", "x:1", "", 405, "This method is not offered.");
}

Test(admin, a_refused_method_names_the_right_one)
{
    int fd = client_open(&fixture);
    client_send(&fixture, fd, "PUT /v1/purge HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    char *answer = client_rest(&fixture, fd);
    cr_expect_not_null(strstr(answer, "HTTP/1.1 405 Method Not Allowed\r\n"), "%s", answer);
    cr_expect_not_null(strstr(answer, "\r\nAllow: POST\r\n"));
    cr_expect_not_null(strstr(answer, "\r\nConnection: close\r\n"));
    free(answer);
    close(fd);
}

/* ── statistics ── */

static void
expect_metric(const json_t *metrics, size_t index, const char *name, json_int_t value, const char *kind,
              const char *unit, const char *help)
{
    const json_t *metric = json_array_get(metrics, index);

    cr_expect_str_eq(json_string_value(json_object_get(metric, "name")), name);
    cr_expect_eq(json_integer_value(json_object_get(metric, "value")), value, "%s", name);
    cr_expect_str_eq(json_string_value(json_object_get(metric, "kind")), kind);
    cr_expect_str_eq(json_string_value(json_object_get(metric, "unit")), unit);
    cr_expect_str_eq(json_string_value(json_object_get(metric, "help")), help);
    cr_expect_eq(json_object_size(metric), 5);
}

Test(admin, stats_add_up_the_blocks_of_a_table)
{
    json_t *json;

    metric_add(&fixture.fakes[0].ups, 1);
    metric_add(&fixture.fakes[1].ups, 20);
    metric_add(&fixture.fakes[2].ups, 300);
    metric_add(&fixture.fakes[1].level, 7);
    metric_sub(&fixture.fakes[2].level, 2); /* a gauge may go down elsewhere than it went up */
    metric_add(&fixture.other.single, 5);
    cr_expect_eq(ask(&fixture, "GET", "/v1/stats", "", &json), 200);
    cr_expect_str_eq(json_string_value(json_object_get(json, "version")), "9.8.7");
    cr_expect_eq(json_integer_value(json_object_get(json, "workers")), 3);
    cr_expect(json_is_integer(json_object_get(json, "uptime")));
    const json_t *metrics = json_object_get(json, "metrics");
    cr_assert_eq(json_array_size(metrics), 3);
    expect_metric(metrics, 0, "fake.ups", 321, "counter", "things", "Things that went up.");
    expect_metric(metrics, 1, "fake.level", 5, "gauge", "bytes", "How high it is now.");
    expect_metric(metrics, 2, "other.single", 5, "counter", "turns", "Told once.");
    cr_expect_eq(json_object_size(json), 4);
    json_decref(json);
}

Test(admin, head_has_the_length_and_no_body)
{
    int fd = client_open(&fixture);
    client_send(&fixture, fd, "HEAD /v1/stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    char *answer = client_rest(&fixture, fd);
    cr_expect(span_ends(span_of_text(answer), SPAN("\r\n\r\n")), "%s", answer);
    cr_expect_not_null(strstr(answer, "Content-Type: application/json\r\n"));
    cr_expect_null(strstr(answer, "Content-Length: 0\r\n"));
    free(answer);
    close(fd);
}

/* ── purging ── */

static json_int_t
purge(const char *url)
{
    char    body[512];
    json_t *json;

    snprintf(body, sizeof body, "{\"url\": \"%s\"}", url);
    cr_expect_eq(ask(&fixture, "POST", "/v1/purge", body, &json), 200);
    json_int_t objects = json_integer_value(json_object_get(json, "objects"));
    json_decref(json);
    return objects;
}

Test(admin, purge_removes_and_counts)
{
    store_url(&fixture, "http://a/x");
    store_url(&fixture, "http://a/y");
    cr_expect(is_stored(&fixture, "http://a/x"));
    cr_expect_eq(purge("HTTP://A:80/x"), 1);
    cr_expect_not(is_stored(&fixture, "http://a/x"));
    cr_expect(is_stored(&fixture, "http://a/y"));
    cr_expect_eq(purge("http://a/x"), 0);
}

Test(admin, purge_refuses_what_is_no_url)
{
    static const char form[] =
        "The body must be an object with the URL alone: {\"url\": \"http://host/path\"}.";
    static const char no_json[] = "The body is no JSON; write {\"url\": \"http://host/path\"}.";

    expect_error("POST", "/v1/purge", "", 400, no_json);
    expect_error("POST", "/v1/purge", "{", 400, no_json);
    expect_error("POST", "/v1/purge", "{\"url\":\"http://a/\",\"url\":\"http://b/\"}", 400, no_json);
    expect_error("POST", "/v1/purge", "[]", 400, form);
    expect_error("POST", "/v1/purge", "{}", 400, form);
    expect_error("POST", "/v1/purge", "{\"url\": 1}", 400, form);
    expect_error("POST", "/v1/purge", "{\"url\": \"http://a/\", \"hard\": true}", 400, form);
    expect_error("POST", "/v1/purge", "{\"url\": \"x\"}", 400,
                 "\"x\" is not a URL: it must begin with http:// or https://");
    expect_error("POST", "/v1/purge", "{\"url\": \"http:///x\"}", 400,
                 "\"http:///x\" is not a URL: its host is missing or malformed");
}

Test(admin, an_error_that_quotes_anything_is_json)
{
    char    body[2048] = "{\"url\": \"http://\xc3\xa4";
    json_t *json;

    for (size_t i = strlen(body); i < 1001; i += 2)
        memcpy(body + i, "\xc3\xa4", 3);
    strcat(body, "\"}");
    cr_expect_eq(ask(&fixture, "POST", "/v1/purge", body, &json), 400);
    cr_expect(json_is_string(json_object_get(json, "error")));
    json_decref(json);
}

#define PURGE "POST /v1/purge HTTP/1.1\r\nHost: x\r\nContent-Length: 21\r\n\r\n{\"url\": \"http://a/x\"}"

Test(admin, a_purge_waits_for_the_store)
{
    json_t *json;
    int     fd = client_open(&fixture);

    store_url(&fixture, "http://a/x");
    hold_store(&fixture);
    client_send(&fixture, fd,
                PURGE "GET /v1/stats HTTP/1.1\r\nHost: x\r\n\r\n"); /* pipelined: it waits too */
    loop_turn(fixture.loop, 0);
    cr_expect_eq(recv(fd, (char[1]){ 0 }, 1, 0), -1);
    sem_post(&fixture.gate);
    cr_expect_eq(client_answer(&fixture, fd, &json), 200);
    cr_expect_eq(json_integer_value(json_object_get(json, "objects")), 1);
    json_decref(json);
    cr_expect_eq(client_answer(&fixture, fd, NULL), 200);
    close(fd);
}

Test(admin, a_client_that_ended_its_side_still_gets_its_answer)
{
    int fd = client_open(&fixture);

    hold_store(&fixture);
    client_send(&fixture, fd, PURGE);
    shutdown(fd, SHUT_WR);
    loop_turn(fixture.loop, 0);
    sem_post(&fixture.gate);
    cr_expect_eq(client_answer(&fixture, fd, NULL), 200);
    char *rest = client_rest(&fixture, fd);
    cr_expect_str_eq(rest, "");
    free(rest);
    close(fd);
}

Test(admin, clients_that_leave_during_a_purge)
{
    int gone = client_open(&fixture), stays = client_open(&fixture);

    hold_store(&fixture);
    client_send(&fixture, gone, PURGE);
    client_send(&fixture, stays, PURGE);
    close(gone);
    loop_turn(fixture.loop, 0);
    sem_post(&fixture.gate);
    cr_expect_eq(client_answer(&fixture, stays, NULL), 200);
    close(stays);
}

Test(admin, the_end_during_a_purge)
{
    int fd = client_open(&fixture);

    hold_store(&fixture);
    client_send(&fixture, fd, PURGE);
    admin_destroy(&fixture.admin);
    sem_post(&fixture.gate); /* fixture_close delivers its mail */
    close(fd);
}

/* ── the connection ── */

Test(admin, keep_alive_and_pipelining)
{
    int fd = client_open(&fixture);

    client_send(&fixture, fd,
                "GET /v1/stats HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" PURGE
                "GET /v1/stats HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n");
    cr_expect_eq(client_answer(&fixture, fd, NULL), 200);
    cr_expect_eq(client_answer(&fixture, fd, NULL), 404);
    cr_expect_eq(client_answer(&fixture, fd, NULL), 200);
    cr_expect_eq(client_answer(&fixture, fd, NULL), 200);
    char *rest = client_rest(&fixture, fd);
    cr_expect_str_eq(rest, "");
    free(rest);
    close(fd);
}

Test(admin, requests_in_pieces)
{
    static const char request[] = PURGE;
    int               fd = client_open(&fixture);

    for (size_t i = 0; i + 1 < sizeof request; i++)
        client_send(&fixture, fd, (char[2]){ request[i], '\0' });
    cr_expect_eq(client_answer(&fixture, fd, NULL), 200);
    close(fd);
}

Test(admin, expect_continue)
{
    int fd = client_open(&fixture);

    client_send(&fixture, fd,
                "POST /v1/purge HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 21\r\n\r\n");
    cr_expect_eq(client_answer(&fixture, fd, NULL), 100);
    client_send(&fixture, fd, "{\"url\": \"ht");
    client_send(&fixture, fd, "tp://a/x\"}");
    cr_expect_eq(client_answer(&fixture, fd, NULL), 200);
    close(fd);
}

static void
expect_refused(const char *bytes, const char *status)
{
    int fd = client_open(&fixture);

    client_send(&fixture, fd, bytes);
    char *answer = client_rest(&fixture, fd);
    cr_expect(span_starts(span_of_text(answer), span_of_text(status)), "%s and not %s", answer, status);
    cr_expect_not_null(strstr(answer, "{\"error\":\""));
    cr_expect_not_null(strstr(answer, "\r\nConnection: close\r\n"));
    free(answer);
    close(fd);
}

Test(admin, what_is_refused_ends_the_connection)
{
    expect_refused("nonsense\r\n\r\n", "HTTP/1.1 400 ");
    expect_refused("GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 505 ");
    expect_refused("POST /v1/purge HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", "HTTP/1.1 413 ");
    expect_refused("POST /v1/purge HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 400 ");
    expect_refused("POST /v1/purge HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   "HTTP/1.1 411 ");
}

Test(admin, a_head_that_never_ends)
{
    char *long_field = malloc(20000);

    memset(long_field, 'x', 20000);
    memcpy(long_field, "GET / HTTP/1.1\r\nA: ", 19);
    long_field[19999] = '\0';
    expect_refused(long_field, "HTTP/1.1 431 ");
    free(long_field);
}

Test(admin, the_longest_body)
{
    char *request = malloc(70000);
    int len = snprintf(request, 70000, "POST /v1/purge HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n");
    int fd = client_open(&fixture);

    memset(request + len, ' ', 65536);
    request[len + 65536] = '\0';
    for (char *at = request; *at != '\0';) {
        ssize_t put = send(fd, at, strlen(at), MSG_NOSIGNAL);
        at += put > 0 ? put : 0;
        loop_turn(fixture.loop, 0);
    }
    cr_expect_eq(client_answer(&fixture, fd, NULL), 400); /* no JSON, but taken */
    client_send(&fixture, fd, "GET /v1/stats HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_expect_eq(client_answer(&fixture, fd, NULL), 200);
    close(fd);
    free(request);
}

Test(admin, at_most_64_connections)
{
    int fds[65];

    for (int i = 0; i < 65; i++)
        fds[i] = client_open(&fixture);
    char *answer = client_rest(&fixture, fds[64]);
    cr_expect(span_starts(span_of_text(answer), SPAN("HTTP/1.1 503 ")), "%s", answer);
    cr_expect(span_ends(span_of_text(answer), SPAN("\"}\n")), "%s", answer);
    free(answer);
    close(fds[0]);
    loop_turn(fixture.loop, 0);
    int next = client_open(&fixture);
    client_send(&fixture, next, "GET /v1/stats HTTP/1.1\r\nHost: x\r\n\r\n");
    cr_expect_eq(client_answer(&fixture, next, NULL), 200);
    close(next);
    for (int i = 1; i < 65; i++)
        close(fds[i]);
}

/* ── time ── */

static void
expect_closed_silently(const char *bytes)
{
    int fd = client_open(&fixture);

    client_send(&fixture, fd, bytes);
    char *rest = client_rest(&fixture, fd);
    cr_expect_str_eq(rest, "");
    free(rest);
    close(fd);
}

Test(admin, idle_clients_go)
{
    fixture.config.idle_time = NSEC_PER_MSEC;
    fixture_restart(&fixture);
    expect_closed_silently("");
}

Test(admin, half_a_request_goes)
{
    fixture.config.request_time = NSEC_PER_MSEC;
    fixture_restart(&fixture);
    expect_closed_silently("GET /v1/st");
}

/* Requests without end: when our side takes no more, the server holds an answer that it cannot send. It
 * must not hold it for ever: then our side breaks. */
Test(admin, who_reads_nothing_goes)
{
    static const char request[] = "GET /v1/stats HTTP/1.1\r\nHost: x\r\n\r\n";
    int               fd, broken = 0;

    fixture.config.send_time = NSEC_PER_MSEC;
    fixture_restart(&fixture);
    fd = client_open(&fixture);
    for (int i = 0; i < 100000 && broken == 0; i++) {
        if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
            broken = errno;
        loop_turn(fixture.loop, NSEC_PER_MSEC);
    }
    cr_expect(broken == EPIPE || broken == ECONNRESET, "%d", broken);
    close(fd);
}

Test(admin, a_descriptor_is_taken_over_also_on_failure)
{
    struct fault  fault;
    struct admin *admin;
    int           fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* no socket: epoll refuses it */

    cr_assert_geq(fd, 0);
    cr_expect_neq(admin_create(&admin, fd, &fixture.config, &fault), ERR_NONE);
    cr_expect_null(admin);
    cr_expect_eq(fcntl(fd, F_GETFD), -1);
}
