/* What clients ask, as bytes. */
#include "requests.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

static struct texts urls, fields;

static enum err
make(struct requests *requests, const char *url, const char *field, uint64_t objects, struct fault *fault)
{
    struct requests_plan plan = { .urls = &urls, .fields = &fields, .objects = objects };
    urls.count = fields.count = 0;
    urls.at[urls.count++] = span_of_text(url);
    if (field != NULL)
        fields.at[fields.count++] = span_of_text(field);
    return requests_init(requests, &plan, fault);
}

static const char *
bytes_of(const struct requests *requests, uint64_t number)
{
    static char  text[1024];
    struct iovec vectors[REQUEST_VECTORS];
    char         digits[REQUEST_DIGITS];
    size_t       size, len = 0;
    unsigned     count = requests_gather(requests, number, vectors, digits, &size);
    for (unsigned i = 0; i < count; i++) {
        memcpy(text + len, vectors[i].iov_base, vectors[i].iov_len);
        len += vectors[i].iov_len;
    }
    cr_assert_eq(len, size);
    text[len] = '\0';
    return text;
}

static void
expect_request(const char *url, const char *field, const char *text)
{
    struct requests requests;
    struct fault    fault = { .text = "" };
    cr_assert_eq(make(&requests, url, field, 0, &fault), ERR_NONE, "%s", fault.text);
    cr_assert_eq(requests.count, 1);
    cr_assert_str_eq(bytes_of(&requests, 0), text);
    cr_assert_str_eq(text_cstr(&requests.forms[0].text), text);
    requests_fini(&requests);
}

#define OURS "User-Agent: larder-bench\r\n"

Test(bench_requests, as_bytes)
{
    expect_request("http://127.0.0.1:81/a", NULL, "GET /a HTTP/1.1\r\nHost: 127.0.0.1:81\r\n" OURS "\r\n");
    expect_request("127.0.0.1?q", NULL, "GET /?q HTTP/1.1\r\nHost: 127.0.0.1\r\n" OURS "\r\n");
    expect_request("127.0.0.1", "Accept: a/b",
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" OURS "Accept: a/b\r\n\r\n");
    expect_request("127.0.0.1", "hOST: x", "GET / HTTP/1.1\r\n" OURS "hOST: x\r\n\r\n");
    expect_request("127.0.0.1", "User-Agent: x",
                   "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: x\r\n\r\n");
}

Test(bench_requests, several_urls_of_one_address)
{
    struct requests      requests;
    struct requests_plan plan = { .urls = &urls, .fields = &fields };
    struct fault         fault = { .text = "" };
    urls = (struct texts){ .at = { SPAN("127.0.0.1:81/a"), SPAN("http://127.0.0.1:81/b") }, .count = 2 };
    cr_assert_eq(requests_init(&requests, &plan, &fault), ERR_NONE);
    cr_assert_eq(requests.count, 2);
    cr_assert_eq(addr_port(&requests.addr), 81);
    cr_assert(strncmp(bytes_of(&requests, 0), "GET /a ", 7) == 0);
    cr_assert(strncmp(bytes_of(&requests, 1), "GET /b ", 7) == 0);
    requests_fini(&requests);
    urls.at[1] = SPAN("127.0.0.1:82/b");
    cr_assert_neq(requests_init(&requests, &plan, &fault), ERR_NONE);
    cr_assert_not_null(strstr(fault.text, "same host and port"));
    cr_assert_eq(requests.form_count, 0);
}

Test(bench_requests, fields_are_held_against_the_parser)
{
    const char     *wrong[] = { "",       "novalue",      "a b: c",
                                ": c",    "a: b\r\nc: d", "a: b\r\n\r\nGET / HTTP/1.1",
                                "a: \x01" };
    struct requests requests;
    struct fault    fault;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_neq(make(&requests, "127.0.0.1", wrong[i], 0, &fault), ERR_NONE, "%s", wrong[i]);
}

/* ── many objects ── */

Test(bench_requests, a_hole_is_the_number_of_the_object)
{
    struct requests requests;
    struct fault    fault = { .text = "" };
    uint64_t        most = UINT64_C(1000000000000);
    cr_assert_eq(make(&requests, "127.0.0.1/a/{}/b?{}", "Accept: {}", most, &fault), ERR_NONE, "%s",
                 fault.text);
    cr_assert_eq(requests.count, most);
    cr_assert_str_eq(bytes_of(&requests, 0),
                     "GET /a/0/b?0 HTTP/1.1\r\nHost: 127.0.0.1\r\n" OURS "Accept: {}\r\n\r\n");
    cr_assert_str_eq(bytes_of(&requests, most - 1), "GET /a/999999999999/b?999999999999 HTTP/1.1\r\n"
                                                    "Host: 127.0.0.1\r\n" OURS "Accept: {}\r\n\r\n");
    requests_fini(&requests);
}

Test(bench_requests, holes_side_by_side_and_at_the_end)
{
    struct requests requests;
    struct fault    fault = { .text = "" };
    cr_assert_eq(make(&requests, "127.0.0.1/{}{}{}", NULL, 12, &fault), ERR_NONE);
    cr_assert(strncmp(bytes_of(&requests, 11), "GET /111111 HTTP/1.1\r\n", 22) == 0);
    requests_fini(&requests);
}

Test(bench_requests, the_urls_of_an_object_come_one_after_the_other)
{
    struct requests      requests;
    struct requests_plan plan = { .urls = &urls, .fields = &fields, .objects = 3 };
    struct fault         fault = { .text = "" };
    const char *expected[] = { "GET /a/0 ", "GET /b/0 ", "GET /a/1 ", "GET /b/1 ", "GET /a/2 ", "GET /b/2 " };
    urls = (struct texts){ .at = { SPAN("127.0.0.1/a/{}"), SPAN("127.0.0.1/b/{}") }, .count = 2 };
    cr_assert_eq(requests_init(&requests, &plan, &fault), ERR_NONE, "%s", fault.text);
    cr_assert_eq(requests.count, 6);
    for (unsigned i = 0; i < 6; i++)
        cr_assert(strncmp(bytes_of(&requests, i), expected[i], 9) == 0, "%s", bytes_of(&requests, i));
    requests_fini(&requests);
}

Test(bench_requests, sizes_fill_their_hole)
{
    uint64_t             sizes[] = { 5, UINT64_MAX };
    struct requests      requests;
    struct requests_plan plan = { .urls = &urls, .fields = &fields, .objects = 2, .sizes = sizes };
    struct fault         fault = { .text = "" };
    urls = (struct texts){ .at = { SPAN("127.0.0.1/size/{size}/object/{}") }, .count = 1 };
    cr_assert_eq(requests_init(&requests, &plan, &fault), ERR_NONE, "%s", fault.text);
    cr_assert(strncmp(bytes_of(&requests, 1), "GET /size/18446744073709551615/object/1 ", 40) == 0);
    requests_fini(&requests);
}

static void
refuse(const char *url, uint64_t objects, const char *part)
{
    struct requests requests;
    struct fault    fault = { .text = "" };
    cr_assert_neq(make(&requests, url, NULL, objects, &fault), ERR_NONE, "%s", url);
    cr_assert_not_null(strstr(fault.text, part), "%s: %s", url, fault.text);
    cr_assert_eq(requests.form_count, 0);
}

Test(bench_requests, holes_that_cannot_be_filled_are_refused)
{
    refuse("127.0.0.1/{}", 0, "needs --objects");
    refuse("127.0.0.1/a", 5, "no {} in it");
    refuse("127.0.0.1/{}/{size}", 5, "{size} is for replay");
    refuse("127.0.0.1/{}/{}/{}/{}/{}", 5, "at most 4 holes");
}

/* ── lists ── */

static enum err
list(struct requests *requests, const char *url, const char *lines, struct fault *fault)
{
    char                 name[] = "/tmp/larder-test-XXXXXX";
    int                  fd = mkstemp(name);
    struct requests_plan plan = { .urls = &urls, .fields = &fields, .list = span_of_text(name) };
    FILE                *file = fdopen(fd, "w");
    cr_assert_not_null(file);
    fputs(lines, file);
    fclose(file);
    urls.count = 0;
    if (url != NULL)
        urls.at[urls.count++] = span_of_text(url);
    enum err err = requests_init(requests, &plan, fault);
    unlink(name);
    return err;
}

Test(bench_requests, a_list_of_paths)
{
    struct requests requests;
    struct fault    fault = { .text = "" };
    cr_assert_eq(list(&requests, "http://127.0.0.1:81/not-asked", "/a\n# remark\n\n/b?{}\r\n/c", &fault),
                 ERR_NONE, "%s", fault.text);
    cr_assert_eq(requests.count, 3);
    cr_assert_eq(addr_port(&requests.addr), 81);
    cr_assert_str_eq(bytes_of(&requests, 0), "GET /a HTTP/1.1\r\nHost: 127.0.0.1:81\r\n" OURS "\r\n");
    cr_assert_str_eq(bytes_of(&requests, 1), "GET /b?{} HTTP/1.1\r\nHost: 127.0.0.1:81\r\n" OURS "\r\n");
    cr_assert_str_eq(bytes_of(&requests, 2), "GET /c HTTP/1.1\r\nHost: 127.0.0.1:81\r\n" OURS "\r\n");
    requests_fini(&requests);
}

Test(bench_requests, a_list_of_urls_names_the_host_itself)
{
    struct requests requests;
    struct fault    fault = { .text = "" };
    cr_assert_eq(list(&requests, NULL, "http://127.0.0.1:81/a#x\n/b\n127.0.0.1:81?c\n", &fault), ERR_NONE,
                 "%s", fault.text);
    cr_assert_eq(requests.count, 3);
    cr_assert(strncmp(bytes_of(&requests, 0), "GET /a HTTP", 11) == 0);
    cr_assert_str_eq(bytes_of(&requests, 2), "GET /?c HTTP/1.1\r\nHost: 127.0.0.1:81\r\n" OURS "\r\n");
    requests_fini(&requests);
}

static void
refuse_list(const char *url, const char *lines, const char *part)
{
    struct requests requests;
    struct fault    fault = { .text = "" };
    cr_assert_neq(list(&requests, url, lines, &fault), ERR_NONE);
    cr_assert_not_null(strstr(fault.text, part), "%s", fault.text);
}

Test(bench_requests, mistakes_in_a_list_name_the_line)
{
    refuse_list(NULL, "", "no URL in it");
    refuse_list("127.0.0.1", "# nothing\n", "no URL in it");
    refuse_list(NULL, "\n/a\n", "line 2: a path, and no URL before it");
    refuse_list("127.0.0.1", "/a\n/b c\n", "line 2: \"/b c\": a byte that no path has");
    refuse_list("127.0.0.1", "/a\nhttp://127.0.0.1:82/b\n", "line 2: \"http://127.0.0.1:82/b\": all URLs");
    refuse_list(NULL, "https://127.0.0.1/\n", "line 1: \"https://127.0.0.1/\": only http://");
}

Test(bench_requests, a_line_may_be_long_but_not_too_long)
{
    enum { LONG = 33 * 1024 };
    static char     line[LONG + 2];
    struct requests requests;
    struct fault    fault = { .text = "" };
    memset(line, 'a', LONG);
    line[0] = '/';
    refuse_list("127.0.0.1", line, "line 1 is longer than 32k");
    line[32 * 1024] = '\n';
    line[32 * 1024 + 1] = '/';
    cr_assert_eq(list(&requests, "127.0.0.1", line, &fault), ERR_NONE, "%s", fault.text);
    cr_assert_eq(requests.count, 2);
    requests_fini(&requests);
}

/* More lines than the buffer that they are read through holds. */
Test(bench_requests, a_long_list_is_read_whole)
{
    enum { LINES = 100000 };
    static char     text[LINES * 12];
    struct requests requests;
    struct fault    fault = { .text = "" };
    size_t          len = 0;
    for (int i = 0; i < LINES; i++)
        len += (size_t)sprintf(text + len, "/%08d\n", i);
    cr_assert_eq(list(&requests, "127.0.0.1", text, &fault), ERR_NONE, "%s", fault.text);
    cr_assert_eq(requests.count, LINES);
    for (int i = 0; i < LINES; i += 777) {
        char expected[32];
        snprintf(expected, sizeof expected, "GET /%08d HTTP", i);
        cr_assert(strncmp(bytes_of(&requests, (uint64_t)i), expected, strlen(expected)) == 0);
    }
    requests_fini(&requests);
}
