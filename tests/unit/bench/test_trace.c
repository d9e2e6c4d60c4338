/* Traces: records and lines, whole and in pieces, and what is none. */
#include "access_log.h"
#include "trace.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* ── lines ── */

#define COMBINED(request, rest)                                                                              \
    "1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"" request "\" " rest " \"-\" \"agent\""

static bool
parse(const char *line, struct access *access)
{
    return access_log_parse(span_of_text(line), access);
}

Test(bench_trace, a_line_of_each_server)
{
    struct access access;

    cr_assert(parse(COMBINED("GET /a.png HTTP/1.1", "200 203023"), &access));
    cr_assert(span_equal(access.method, SPAN("GET")));
    cr_assert(span_equal(access.url, SPAN("/a.png")));
    cr_assert_eq(access.status, 200);
    cr_assert_eq(access.bytes, 203023);
    cr_assert_eq(access.host.len, 0);
    /* Varnish writes the whole URL, Apache's vhost_combined the host in front, and "-" for no bytes. */
    cr_assert(parse(COMBINED("GET http://h.example/a HTTP/1.1", "304 -"), &access));
    cr_assert(span_equal(access.url, SPAN("http://h.example/a")));
    cr_assert_eq(access.bytes, 0);
    cr_assert(parse("h.example:443 " COMBINED("HEAD / HTTP/2.0", "200 0"), &access));
    cr_assert(span_equal(access.host, SPAN("h.example:443")));
    cr_assert(parse("1.2.3.4 - J. Doe [now] \"GET / HTTP/1.0\" 200 5", &access)); /* a name of two words */
    cr_assert_eq(access.host.len, 0);
    cr_assert(parse("::1 - - [now] \"GET /a\\\"b HTTP/1.0\" 200 5", &access));
    cr_assert(span_equal(access.url, SPAN("/a\\\"b")));
    cr_assert(parse("::1 - - [now] \"GET /\" 200 5", &access)); /* HTTP/0.9 */
}

Test(bench_trace, what_is_no_line)
{
    static const char *const bad[] = { "",
                                       "-",
                                       "[",
                                       "a b c [",
                                       "a b c []",
                                       "a b c [] \"GET / HTTP/1.1\" 200 5",
                                       "b c [now] \"GET / HTTP/1.1\" 200 5",
                                       "a b c [now] GET / 200 5",
                                       "a b c [now] \"GET / HTTP/1.1 200 5",
                                       "a b c [now] \"GET / HTTP/1.1\\\" 200 5",
                                       "a b c [now] \"\" 400 5",
                                       "a b c [now] \"GET\" 400 5",
                                       "a b c [now] \"GET  \" 400 5",
                                       "a b c [now] \"GET / HTTP/1.1\"",
                                       "a b c [now] \"GET / HTTP/1.1\" ",
                                       "a b c [now] \"GET / HTTP/1.1\" 200",
                                       "a b c [now] \"GET / HTTP/1.1\" 20 5",
                                       "a b c [now] \"GET / HTTP/1.1\" 2000 5",
                                       "a b c [now] \"GET / HTTP/1.1\" -20 5",
                                       "a b c [now] \"GET / HTTP/1.1\" 200 5k",
                                       "a b c [now] \"GET / HTTP/1.1\" 200 -5",
                                       "a b c [now] \"GET / HTTP/1.1\" 200 99999999999999",
                                       "a b c [now] \"\\" };
    struct access            access;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(parse(bad[i], &access), "%s", bad[i]);
}

Test(bench_trace, dates)
{
    static const char *const bad[] = { "",
                                       "now",
                                       "17/May/2015:10:05:03",
                                       "17/May/2015:10:05:03 0000",
                                       "17/Mai/2015:10:05:03 +0000",
                                       "31/Feb/2015:10:05:03 +0000",
                                       "17/May/2015:25:05:03 +0000",
                                       "17/May/1915:10:05:03 +0000",
                                       "17/May/2515:10:05:03 +0000",
                                       "17-May-2015:10:05:03 +0000",
                                       "17/May/2015:10:05:03 +9999" };
    cr_assert_eq(access_log_time(SPAN("17/May/2015:10:05:03 +0000")), 1431857103);
    cr_assert_eq(access_log_time(SPAN("17/May/2015:12:35:03 +0230")), 1431857103);
    cr_assert_eq(access_log_time(SPAN("17/May/2015:02:05:03 -0800")), 1431857103);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(access_log_time(span_of_text(bad[i])), 0, "%s", bad[i]);
    cr_assert_eq(access_log_time(SPAN("17/May/2\0\0\0:10:05:03 +0000")), 0);
}

/* ── feeding ── */

/* All of `bytes`, `step` more of them at a time. */
static enum err
feed(struct trace *trace, struct span bytes, size_t step, struct fault *fault)
{
    size_t   from = 0, to = 0;
    enum err err = ERR_NONE;
    bool     last = false;

    trace_init(trace);
    trace->timed = true;
    while (err == ERR_NONE && !last) {
        size_t used;
        to = to + step < bytes.len ? to + step : bytes.len;
        last = to == bytes.len;
        err = trace_feed(trace, span_of(bytes.at + from, to - from), last, &used, fault);
        cr_assert_leq(used, to - from);
        from += used;
    }
    cr_assert(err != ERR_NONE || from == bytes.len);
    return err == ERR_NONE ? trace_finish(trace, fault) : err;
}

static void
put_record_at(char *at, uint32_t time, uint64_t id, uint32_t size, int64_t next)
{
    memcpy(at, &time, 4);
    memcpy(at + 4, &id, 8); /* the tests run where the format's byte order is the machine's */
    memcpy(at + 12, &size, 4);
    memcpy(at + 16, &next, 8);
}

static void
put_record(char *at, uint64_t id, uint32_t size, int64_t next)
{
    put_record_at(at, 0, id, size, next);
}

static void
assert_requests(const struct trace *trace, const uint32_t *wanted, size_t count)
{
    cr_assert_eq(trace->request_count, count);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(trace->requests[i], wanted[i]);
}

Test(bench_trace, records)
{
    static const uint32_t wanted[] = { 0, 1, 0, 2 };
    char                  bytes[4 * TRACE_RECORD];
    struct trace          trace;
    struct fault          fault;

    put_record(bytes, 77, 100, 2);
    put_record(bytes + 24, 5, 0, -1);
    put_record(bytes + 48, 77, 120, -1);
    put_record(bytes + 72, UINT64_MAX, UINT32_MAX, INT64_MAX);
    for (size_t step = 1; step < 100; step += 7) {
        cr_assert_eq(feed(&trace, span_of(bytes, sizeof bytes), step, &fault), ERR_NONE);
        cr_assert_eq(trace.format, TRACE_ORACLE);
        assert_requests(&trace, wanted, 4);
        cr_assert_eq(trace.sizes[0], 120); /* the largest */
        cr_assert_eq(trace.sizes[1], 1);   /* at least 1 */
        cr_assert_eq(trace.footprint, 121 + UINT64_C(4294967295));
        cr_assert_eq(trace.bytes, 241 + UINT64_C(4294967295));
        trace_fini(&trace);
    }
}

Test(bench_trace, what_is_no_record)
{
    char         bytes[2 * TRACE_RECORD];
    struct trace trace;
    struct fault fault;

    put_record(bytes, 1, 1, 1);
    put_record(bytes + 24, 1, 1, 1); /* the next one cannot be this one */
    cr_assert_eq(feed(&trace, span_of(bytes, 48), 48, &fault), ERR_SYNTAX);
    cr_assert_str_eq(fault.text, "record 2 is not one of an oracleGeneral trace (next request: 1)");
    trace_fini(&trace);
    put_record(bytes, 1, 1, -3);
    cr_assert_eq(feed(&trace, span_of(bytes, 24), 24, &fault), ERR_SYNTAX);
    trace_fini(&trace);
    put_record(bytes, 1, 1, -2);
    cr_assert_eq(feed(&trace, span_of(bytes, 47), 47, &fault), ERR_SYNTAX);
    cr_assert_str_eq(fault.text, "it ends in the middle of record 2 (of 24 bytes each)");
    trace_fini(&trace);
}

static void
assert_times(const struct trace *trace, const uint32_t *wanted, size_t count)
{
    cr_assert_eq(trace->request_count, count);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(trace->times[i], wanted[i]);
}

Test(bench_trace, times_of_records_never_go_back)
{
    static const uint32_t wanted[] = { 7, 7, 4000000000, 4000000000 };
    char                  bytes[4 * TRACE_RECORD];
    struct trace          trace;
    struct fault          fault;

    put_record_at(bytes, 7, 1, 1, -1);
    put_record_at(bytes + 24, 6, 2, 1, -1);
    put_record_at(bytes + 48, 4000000000, 3, 1, -1);
    put_record_at(bytes + 72, 0, 4, 1, -1);
    cr_assert_eq(feed(&trace, span_of(bytes, sizeof bytes), 50, &fault), ERR_NONE);
    assert_times(&trace, wanted, 4);
    trace_fini(&trace);
}

Test(bench_trace, times_of_lines)
{
    static const uint32_t wanted[] = { 1431857103, 1431857103, 1431857103, 1431857104 };
    struct trace          trace;
    struct fault          fault;

    cr_assert_eq(feed(&trace,
                      SPAN("- - - [-] \"GET /b\" 200 5\n"
                           "- - - [17/May/2015:10:05:03 +0000] \"GET /a\" 200 5\n"
                           "- - - [some day] \"GET /a\" 200 5\n"
                           "- - - [17/May/2015:12:05:04 +0200] \"GET /a\" 200 5\n"),
                      50, &fault),
                 ERR_NONE);
    assert_times(&trace, wanted, 4);
    trace_fini(&trace);
}

/* More objects than the tables begin with, each found again. */
Test(bench_trace, many_objects)
{
    enum { COUNT = 5000 };
    char        *bytes = malloc(2 * COUNT * TRACE_RECORD);
    struct trace trace;
    struct fault fault;

    for (uint32_t i = 0; i < 2 * COUNT; i++)
        put_record(bytes + i * TRACE_RECORD, UINT64_C(1) << 40 | (i % COUNT) << 8, i, -1);
    cr_assert_eq(feed(&trace, span_of(bytes, 2 * COUNT * TRACE_RECORD), 1 << 16, &fault), ERR_NONE);
    cr_assert_eq(trace.object_count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        cr_assert_eq(trace.requests[i], i);
        cr_assert_eq(trace.requests[COUNT + i], i);
        cr_assert_eq(trace.sizes[i], COUNT + i);
    }
    trace_fini(&trace);
    free(bytes);
}

Test(bench_trace, lines)
{
    static const uint32_t wanted[] = { 0, 1, 0, 2, 3, 0 };
    const struct span     log =
        SPAN(COMBINED("GET /a HTTP/1.1", "200 100") "\n" /* 0 */
             COMBINED("GET /b HTTP/1.1", "200 7") "\r\n" /* 1 */
             COMBINED("GET /a HTTP/1.1",
                      "304 0") "\n" /* 0 */
                               "\n"
                               "not a line\n" COMBINED("POST /a HTTP/1.1", "200 5") "\n" COMBINED(
                                   "GET /a HTTP/1.1",
                                   "404 5") "\n" COMBINED("HEAD /a HTTP/1.1",
                                                          "200 0") "\n" /* 2 */
                                                                   "h:80 " COMBINED("GET /a HTTP/1.1",
                                                                                    "200 9") "\n" /* 3 */
             COMBINED("GET /a HTTP/1.1", "200 50")); /* 0: cut; no newline */
    struct trace trace;
    struct fault fault;

    for (size_t step = 1; step < 2000; step += 97) {
        cr_assert_eq(feed(&trace, log, step, &fault), ERR_NONE);
        cr_assert_eq(trace.format, TRACE_LOG);
        assert_requests(&trace, wanted, 6);
        cr_assert_eq(trace.sizes[0], 100);
        cr_assert_eq(trace.footprint, 100 + 7 + 1 + 9);
        cr_assert_eq(trace.lines, 9);
        cr_assert_eq(trace.unread, 1);
        cr_assert_eq(trace.ignored, 2);
        trace_fini(&trace);
    }
}

/* A line without an end is given up in pieces, and what follows is read. */
Test(bench_trace, a_line_too_long)
{
    const char  *good = "\n" COMBINED("GET /a HTTP/1.1", "200 100") "\n";
    size_t       len = 3 * TRACE_LINE_MAX;
    char        *bytes = malloc(len + strlen(good) + 1);
    struct trace trace;
    struct fault fault;

    memset(bytes, 'x', len);
    strcpy(bytes + len, good);
    cr_assert_eq(feed(&trace, span_of_text(bytes), 1000, &fault), ERR_NONE);
    cr_assert_eq(trace.request_count, 1);
    cr_assert_gt(trace.unread, 1);
    trace_fini(&trace);
    free(bytes);
}

Test(bench_trace, nothing_in_it)
{
    struct trace trace;
    struct fault fault;

    cr_assert_eq(feed(&trace, SPAN_EMPTY, 1, &fault), ERR_NOT_FOUND);
    cr_assert_str_eq(fault.text, "it is empty");
    trace_fini(&trace);
    cr_assert_eq(feed(&trace, SPAN("hello\n" COMBINED("PUT / HTTP/1.1", "200 1") "\n"), 9, &fault),
                 ERR_NOT_FOUND);
    cr_assert_str_eq(fault.text, "no request in it: of 2 lines 1 are not of the combined log format, 1 have "
                                 "another method or status");
    trace_fini(&trace);
    cr_assert_eq(feed(&trace, SPAN("\x28\xb5\x2f\xfd rest"), 100, &fault), ERR_UNSUPPORTED);
    cr_assert_str_eq(fault.text,
                     "it is packed with zstd: unpack it first: zstd -dc FILE | larder-bench ... -");
    trace_fini(&trace);
    cr_assert_eq(feed(&trace, SPAN("\x1f\x8b rest"), 100, &fault), ERR_UNSUPPORTED);
    trace_fini(&trace);
}

Test(bench_trace, a_file_that_is_not_there)
{
    struct trace trace;
    struct fault fault;

    cr_assert_eq(trace_load(&trace, SPAN("/nonexistent/trace"), false, &fault), ERR_NOT_FOUND);
    cr_assert(strncmp(fault.text, "/nonexistent/trace: cannot be opened", 36) == 0, "%s", fault.text);
    cr_assert_neq(trace_load(&trace, SPAN("/"), false, &fault), ERR_NONE);
    cr_assert_eq(trace_load(&trace, SPAN("/dev/null"), false, &fault), ERR_NOT_FOUND);
    cr_assert_str_eq(fault.text, "/dev/null: it is empty");
}
