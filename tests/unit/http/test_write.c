/* test_write.c: heads come out as written, and nothing that the parser would refuse comes out at all. */
#include <criterion/criterion.h>
#include <larder/http/write.h>

#include "given.h"

static char memory[512];

static struct writer
fresh(size_t room)
{
    struct writer writer;

    memset(memory, '?', sizeof memory);
    writer_init(&writer, memory, room);
    return writer;
}

Test(http_write, a_request)
{
    struct writer writer = fresh(sizeof memory);

    write_request_line(&writer, SPAN("GET"), SPAN("/a"), SPAN_EMPTY);
    write_field(&writer, SPAN("Host"), SPAN("b"));
    write_field(&writer, SPAN("X-Empty"), SPAN_EMPTY);
    write_number(&writer, SPAN("Content-Length: "), UINT64_MAX);
    write_number(&writer, SPAN("Age: "), 0);
    write_raw(&writer, SPAN("A: b\r\n"));
    write_end(&writer);
    cr_assert_not(writer.failed);
    cr_assert(given_is(writer_span(&writer),
                       "GET /a HTTP/1.1\r\nHost: b\r\nX-Empty: \r\n"
                       "Content-Length: 18446744073709551615\r\nAge: 0\r\nA: b\r\n\r\n"));
}

Test(http_write, a_query_may_be_empty_or_missing)
{
    struct writer writer = fresh(sizeof memory);

    write_request_line(&writer, SPAN("GET"), SPAN("/"), SPAN(""));
    write_request_line(&writer, SPAN("GET"), SPAN("/"), SPAN("a?b"));
    cr_assert_not(writer.failed);
    cr_assert(given_is(writer_span(&writer), "GET /? HTTP/1.1\r\nGET /?a?b HTTP/1.1\r\n"));
}

Test(http_write, status_lines)
{
    struct writer writer = fresh(sizeof memory);

    write_status_line(&writer, 200, SPAN_EMPTY);
    write_status_line(&writer, 404, SPAN("Gone fishing"));
    write_status_line(&writer, 599, SPAN_EMPTY);
    cr_assert_not(writer.failed);
    cr_assert(
        given_is(writer_span(&writer), "HTTP/1.1 200 OK\r\nHTTP/1.1 404 Gone fishing\r\nHTTP/1.1 599 \r\n"));
}

Test(http_write, too_little_room_is_remembered_and_no_line_is_torn)
{
    struct span line = SPAN("Name: value\r\n");

    for (size_t room = 0; room < 2 * line.len; room++) {
        struct writer writer = fresh(room);
        write_field(&writer, SPAN("Name"), SPAN("value"));
        cr_assert_eq(writer.failed, room < line.len);
        write_field(&writer, SPAN("Name"), SPAN("value"));
        cr_assert(writer.failed);
        cr_assert_eq(writer.len, room < line.len ? 0 : line.len);
        write_end(&writer);
        write_raw(&writer, SPAN(""));
        cr_assert(writer.failed);
        cr_assert_eq(writer.len, room < line.len ? 0 : line.len, "nothing follows a failure");
        cr_assert_eq(memory[room], '?');
    }
}

Test(http_write, values_that_would_begin_a_line_fail)
{
    static const struct span bad[] = {
        { "a\r\nX: y", 7 }, { "a\n", 2 }, { "\r", 1 }, { "a\0b", 3 }, { "\x01", 1 }, { "\x7f", 1 },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct writer writer = fresh(sizeof memory);
        write_field(&writer, SPAN("Name"), bad[i]);
        cr_assert(writer.failed && writer.len == 0);
        writer = fresh(sizeof memory);
        write_field(&writer, bad[i], SPAN("value"));
        cr_assert(writer.failed && writer.len == 0);
        writer = fresh(sizeof memory);
        write_status_line(&writer, 200, bad[i]);
        cr_assert(writer.failed && writer.len == 0);
        writer = fresh(sizeof memory);
        write_request_line(&writer, SPAN("GET"), bad[i], SPAN_EMPTY);
        cr_assert(writer.failed && writer.len == 0);
        writer = fresh(sizeof memory);
        write_request_line(&writer, SPAN("GET"), SPAN("/"), bad[i]);
        cr_assert(writer.failed && writer.len == 0);
        writer = fresh(sizeof memory);
        write_request_line(&writer, bad[i], SPAN("/"), SPAN_EMPTY);
        cr_assert(writer.failed && writer.len == 0);
    }
}

Test(http_write, what_is_no_head_fails)
{
    struct writer writer = fresh(sizeof memory);

    write_field(&writer, SPAN(""), SPAN("value"));
    cr_assert(writer.failed);
    writer = fresh(sizeof memory);
    write_field(&writer, SPAN("A B"), SPAN("value"));
    cr_assert(writer.failed);
    writer = fresh(sizeof memory);
    write_request_line(&writer, SPAN("GET"), SPAN(""), SPAN_EMPTY);
    cr_assert(writer.failed);
    writer = fresh(sizeof memory);
    write_request_line(&writer, SPAN("GET"), SPAN("/a b"), SPAN_EMPTY);
    cr_assert(writer.failed);
    writer = fresh(sizeof memory);
    write_status_line(&writer, 99, SPAN_EMPTY);
    cr_assert(writer.failed);
    writer = fresh(sizeof memory);
    write_status_line(&writer, 1000, SPAN_EMPTY);
    cr_assert(writer.failed && writer.len == 0);
}

/* What is written can be read again, whatever bytes the values have. */
Test(http_write, the_parser_takes_what_the_writer_writes)
{
    struct field fields[4];
    struct head  head;
    size_t       size;
    enum refusal refusal;

    for (int byte = 0; byte < 256; byte++) {
        char          value[3] = { 'a', (char)byte, 'b' };
        struct writer writer = fresh(sizeof memory);
        write_status_line(&writer, 200, span_of(value, 3));
        write_field(&writer, SPAN("Name"), span_of(value, 3));
        write_end(&writer);
        head_init(&head, fields, 4);
        enum err err = parse_response(&head, writer_span(&writer), GIVEN_LIMITS, &size, &refusal);
        cr_assert_eq(err, writer.failed ? ERR_AGAIN : ERR_NONE, "byte %d", byte);
        if (err == ERR_NONE)
            cr_assert(span_equal(head.fields[0].value, span_of(value, 3)));
    }
}
