/* test_access_log.c: records as lines, whatever clients write into them; and the file that they come to.
 */
#include "access_line.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <larder/admin/access_log.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ── lines ── */

struct sample {
    _Alignas(struct access_record) char bytes[sizeof(struct access_record) + 16384];
    char line[ACCESS_LINE_MAX];
};

static struct access_record *
record_of(struct sample *sample)
{
    return (struct access_record *)(void *)sample->bytes;
}

/* 2026-11-26 15:41:15.123 UTC */
#define RECEIVED INT64_C(1795707675123456789)

static struct access_record *
make(struct sample *sample, const struct span texts[static ACCESS_TEXT_COUNT])
{
    struct access_record *record = record_of(sample);
    char                 *at = record->texts;

    *record = (struct access_record){ .received = { RECEIVED },
                                      .duration = 1234567,
                                      .sent = 4096,
                                      .status = 200,
                                      .minor = 1 };
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++) {
        record->lens[i] = (uint16_t)texts[i].len;
        memcpy(at, texts[i].at == NULL ? "" : texts[i].at, texts[i].len);
        at += texts[i].len;
    }
    return record;
}

static struct span
line_of(struct sample *sample, enum access_format format)
{
    struct writer       writer;
    struct access_dates dates = { .second = INT64_MIN };

    writer_init(&writer, sample->line, sizeof sample->line);
    access_line_write(&writer, format, &dates, record_of(sample));
    cr_assert_eq(writer.at[writer.len - 1], '\n');
    cr_assert_null(memchr(writer.at, '\n', writer.len - 1)); /* one line, whatever was in it */
    return span_of(writer.at, writer.len - 1);
}

static void
expect_line(struct sample *sample, enum access_format format, const char *expected)
{
    struct span line = line_of(sample, format);
    cr_assert(span_equal(line, span_of_text(expected)), "%.*s\n%s", SPAN_ARG(line), expected);
}

static bool
has(struct span line, struct span part)
{
    return memmem(line.at, line.len, part.at, part.len) != NULL;
}

static const struct span usual[ACCESS_TEXT_COUNT] = {
    [ACCESS_CLIENT] = SPAN("192.0.2.7"),   [ACCESS_METHOD] = SPAN("GET"),
    [ACCESS_TARGET] = SPAN("/a?b=c"),      [ACCESS_HOST] = SPAN("www.example.com"),
    [ACCESS_REFERER] = SPAN("http://r/x"), [ACCESS_AGENT] = SPAN("agent/1.0"),
    [ACCESS_CACHE] = SPAN("hit"),
};

static struct sample sample;

Test(admin_access, a_hit)
{
    make(&sample, usual);
    expect_line(&sample, ACCESS_JSON,
                "{\"time\":\"2026-11-26T15:41:15.123Z\",\"client\":\"192.0.2.7\",\"method\":\"GET\","
                "\"host\":\"www.example.com\",\"target\":\"/a?b=c\",\"protocol\":\"HTTP/1.1\",\"status\":200,"
                "\"bytes\":4096,\"seconds\":0.001234,\"cache\":\"hit\",\"referer\":\"http://r/x\","
                "\"agent\":\"agent/1.0\"}");
    expect_line(&sample, ACCESS_COMBINED,
                "192.0.2.7 - - [26/Nov/2026:15:41:15 +0000] \"GET /a?b=c HTTP/1.1\" 200 4096 \"http://r/x\" "
                "\"agent/1.0\"");
}

Test(admin_access, a_refused_head_has_no_texts)
{
    struct span texts[ACCESS_TEXT_COUNT] = { [ACCESS_CLIENT] = SPAN("::1"),
                                             [ACCESS_CACHE] = SPAN("none"),
                                             [ACCESS_DETAIL] = SPAN("bad-header") };

    make(&sample, texts)->status = 400;
    expect_line(&sample, ACCESS_COMBINED, "::1 - - [26/Nov/2026:15:41:15 +0000] \"-\" 400 4096 \"-\" \"-\"");
    struct span line = line_of(&sample, ACCESS_JSON);
    cr_assert(has(line, SPAN("\"cache\":\"none\",\"detail\":\"bad-header\",\"referer\":\"\"")));
}

Test(admin_access, a_miss_says_what_became_of_it)
{
    struct access_record *record = make(&sample, usual);

    record->origin_status = 200;
    record->stored = record->collapsed = true;
    record->end = ACCESS_CUT;
    record->duration = 12345678901;
    record->minor = 0;
    struct span line = line_of(&sample, ACCESS_JSON);
    cr_assert(has(line, SPAN("\"seconds\":12.345678,")));
    cr_assert(has(line, SPAN("\"protocol\":\"HTTP/1.0\"")));
    cr_assert(has(line, SPAN("\"origin_status\":200,\"stored\":true,\"collapsed\":true,\"end\":\"cut\",")));
    record->end = ACCESS_GONE;
    cr_assert(has(line_of(&sample, ACCESS_JSON), SPAN(",\"end\":\"gone\",")));
}

Test(admin_access, nobody_forges_a_line)
{
    struct span texts[ACCESS_TEXT_COUNT];

    memcpy(texts, usual, sizeof texts);
    texts[ACCESS_AGENT] = SPAN("a\"b\\c\x01\x7f\td");
    make(&sample, texts);
    struct span json = line_of(&sample, ACCESS_JSON);
    cr_assert(span_ends(json, SPAN("\"agent\":\"a\\\"b\\\\c\\u0001\\u007f\\u0009d\"}")), "%.*s", SPAN_ARG(json));
    struct span combined = line_of(&sample, ACCESS_COMBINED);
    cr_assert(span_ends(combined, SPAN("\"a\\x22b\\x5Cc\\x01\\x7F\\x09d\"")), "%.*s", SPAN_ARG(combined));
}

Test(admin_access, what_was_cut_says_so)
{
    make(&sample, usual)->cut = 1u << ACCESS_TARGET;
    cr_assert(has(line_of(&sample, ACCESS_JSON), SPAN("\"target\":\"/a?b=c...\"")));
    cr_assert(has(line_of(&sample, ACCESS_COMBINED), SPAN("\"GET /a?b=c... HTTP/1.1\"")));
}

/* Every byte at every place of texts of every length up to three words, beside one byte after the other. */
Test(admin_access, an_escape_does_not_depend_on_its_place)
{
    struct span texts[ACCESS_TEXT_COUNT];
    char        text[24], expected[sizeof text * 4 + 2];

    memcpy(texts, usual, sizeof texts);
    memset(text, 'a', sizeof text);
    for (size_t len = 1; len <= sizeof text; len++)
        for (size_t place = 0; place < len; place++)
            for (unsigned byte = 0; byte < 256; byte++) {
                bool plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
                text[place] = (char)byte;
                texts[ACCESS_AGENT] = span_of(text, len);
                make(&sample, texts);
                int size = snprintf(expected, sizeof expected, plain ? "%.*s%c%.*s\"" : "%.*s\\x%02X%.*s\"", (int)place,
                                    text, byte, (int)(len - place - 1), text + place + 1);
                cr_assert(span_ends(line_of(&sample, ACCESS_COMBINED), span_of(expected, (size_t)size)),
                          "byte %u at %zu of %zu", byte, place, len);
                text[place] = 'a';
            }
}

/* Any bytes at all, checked by a parser of JSON that takes nothing but UTF-8. */
Test(admin_access, every_line_is_json)
{
    static char  bytes[2048];
    struct span  texts[ACCESS_TEXT_COUNT];
    uint64_t     random = 88172645463325252;

    memcpy(texts, usual, sizeof texts);
    for (int round = 0; round < 2000; round++) {
        size_t len = (size_t)round % sizeof bytes;
        for (size_t i = 0; i < len; i++) {
            random ^= random << 13, random ^= random >> 7, random ^= random << 17;
            bytes[i] = (char)(round % 3 == 0 ? random : 0x80 | (random & 0x7f)); /* much that is nearly UTF-8 */
        }
        texts[ACCESS_TARGET] = span_of(bytes, len);
        make(&sample, texts);
        struct span line = line_of(&sample, ACCESS_JSON);
        json_t     *json = json_loadb(line.at, line.len, JSON_ALLOW_NUL, NULL);
        cr_assert_not_null(json, "%.*s", SPAN_ARG(line));
        json_decref(json);
        line_of(&sample, ACCESS_COMBINED);
    }
}

Test(admin_access, utf8_stays_as_it_is)
{
    struct span texts[ACCESS_TEXT_COUNT];

    memcpy(texts, usual, sizeof texts);
    texts[ACCESS_AGENT] = SPAN("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
    make(&sample, texts);
    cr_assert(has(line_of(&sample, ACCESS_JSON), texts[ACCESS_AGENT]));
    texts[ACCESS_AGENT] = SPAN("\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80\xe2\x82"); /* overlong, surrogate, too large, cut */
    make(&sample, texts);
    cr_assert(has(line_of(&sample, ACCESS_JSON),
                                 SPAN("\\u00c0\\u00af\\u00ed\\u00a0\\u0080\\u00f4\\u0090\\u0080\\u0080\\u00e2\\u0082")));
}

/* ── the file ── */

static char folder[64], path[96];

static void
make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/larder-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/access.log", folder);
}

static void
remove_folder(void)
{
    char old[128];
    snprintf(old, sizeof old, "%s.1", path);
    unlink(old);
    unlink(path);
    rmdir(folder);
}

static struct access_log *
open_log(unsigned workers)
{
    struct access_log_config config = { .path = path, .format = ACCESS_COMBINED, .workers = workers };
    struct access_log       *log;
    struct fault             fault;

    cr_assert_eq(access_log_open(&log, &config, &fault), ERR_NONE, "%s", fault.text);
    return log;
}

/* As a worker does it. */
static bool
push(struct access_log *log, unsigned worker)
{
    struct ring *ring = &access_log_ring(log, worker)->ring;
    size_t       size = sizeof(struct access_record);

    make(&sample, usual);
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++)
        size += usual[i].len;
    void *at = ring_reserve(ring, size);
    if (at == NULL)
        return false;
    memcpy(at, sample.bytes, size);
    ring_push(ring);
    return true;
}

static unsigned
count_lines(const char *name)
{
    FILE    *file = fopen(name, "r");
    char     line[4096];
    unsigned count = 0;

    cr_assert_not_null(file);
    for (; fgets(line, sizeof line, file) != NULL; count++)
        cr_assert_eq(strncmp(line, "192.0.2.7 - - [26/Nov/2026", 26), 0, "%s", line);
    fclose(file);
    return count;
}

TestSuite(admin_access_file, .init = make_folder, .fini = remove_folder);

Test(admin_access_file, all_that_was_pushed_is_there_in_the_end)
{
    struct access_log *log = open_log(3);

    cr_assert_eq(access_log_start(log), ERR_NONE);
    for (unsigned i = 0; i < 6000; i++)
        while (!push(log, i % 3))
            usleep(100);
    access_log_close(&log);
    cr_assert_eq(count_lines(path), 6000);
    access_log_close(&log);
}

Test(admin_access_file, without_a_thread_nothing_hangs)
{
    struct access_log *log = open_log(1);
    cr_assert(push(log, 0));
    access_log_close(&log);
    cr_assert_eq(count_lines(path), 0);
}

Test(admin_access_file, a_file_that_cannot_be_had_is_a_fault)
{
    struct access_log_config config = { .path = "/nonexistent/folder/access.log", .workers = 1 };
    struct access_log       *log;
    struct fault             fault;

    cr_assert_neq(access_log_open(&log, &config, &fault), ERR_NONE);
    cr_assert_null(log);
    cr_assert_not_null(strstr(fault.text, "/nonexistent/folder/access.log"), "%s", fault.text);
}

static void
wait_until(const metric_cell *cell, uint64_t least)
{
    for (unsigned i = 0; metric_read(cell) < least; i++) {
        cr_assert_lt(i, 60000);
        usleep(1000);
    }
}

Test(admin_access_file, it_is_opened_anew_after_it_was_moved)
{
    struct access_log *log = open_log(1);
    char               old[128];

    snprintf(old, sizeof old, "%s.1", path);
    cr_assert_eq(access_log_start(log), ERR_NONE);
    cr_assert(push(log, 0));
    wait_until(&access_log_metrics_of(log)->bytes, 1);
    cr_assert_eq(rename(path, old), 0);
    access_log_reopen(log);
    wait_until(&access_log_metrics_of(log)->reopened, 1);
    cr_assert(push(log, 0));
    cr_assert(push(log, 0));
    access_log_close(&log);
    cr_assert_eq(count_lines(old), 1);
    cr_assert_eq(count_lines(path), 2);
}

/* A limit on the size of files stands for a full disk: a write ends in the middle of a line, and goes on there later. */
Test(admin_access_file, what_the_disk_refuses_is_written_later)
{
    struct access_log *log = open_log(1);
    struct rlimit      before, small = { 1000, RLIM_INFINITY };

    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    cr_assert_eq(access_log_start(log), ERR_NONE);
    for (int i = 0; i < 50; i++)
        cr_assert(push(log, 0));
    wait_until(&access_log_metrics_of(log)->errors, 1);
    cr_assert_eq(metric_read(&access_log_metrics_of(log)->bytes), 1000);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    access_log_close(&log);
    cr_assert_eq(count_lines(path), 50);
}
