/* test_content_range.c: Content-Range to the byte, and the frame of multipart/byteranges. */
#include <criterion/criterion.h>
#include <larder/http/range.h>

#include "given.h"

Test(http_content_range, what_is_one)
{
    static const struct {
        const char          *value;
        struct content_range range;
    } rows[] = {
        { "bytes 0-0/1", { 0, 0, 1 } },
        { "bytes 0-499/1234", { 0, 499, 1234 } },
        { "bytes 734-1233/1234", { 734, 1233, 1234 } },
        { "bytes 42-1233/*", { 42, 1233, RANGE_OPEN } },
        { "bytes */1234", { RANGE_OPEN, RANGE_OPEN, 1234 } },
        { "bytes */0", { RANGE_OPEN, RANGE_OPEN, 0 } },
        { "bytes 9223372036854775804-9223372036854775805/9223372036854775806",
          { INT64_MAX - 3, INT64_MAX - 2, INT64_MAX - 1 } },
    };
    char out[CONTENT_RANGE_SIZE];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct content_range range;
        cr_assert_eq(content_range_parse(span_of_text(rows[i].value), &range), ERR_NONE, "%s", rows[i].value);
        cr_assert_eq(range.first, rows[i].range.first);
        cr_assert_eq(range.last, rows[i].range.last);
        cr_assert_eq(range.complete, rows[i].range.complete);
        cr_assert(given_is(content_range_format(&range, out), rows[i].value), "%s", rows[i].value);
    }
    struct content_range range;
    cr_assert_eq(content_range_parse(SPAN("Bytes 00-01/002"), &range), ERR_NONE);
    cr_assert(range.first == 0 && range.last == 1 && range.complete == 2);
}

Test(http_content_range, anything_else_is_none)
{
    static const char *const bad[] = {
        "",
        "bytes",
        "bytes ",
        "bytes 0-1",
        "bytes 0-1/",
        "bytes 0-1/1",
        "bytes 0-2/2",
        "bytes 2-1/5",
        "bytes 0-/5",
        "bytes -1/5",
        "bytes 0/5",
        "bytes */*",
        "bytes */",
        "bytes *",
        "bytes *-1/5",
        "bytes=0-1/5",
        "bytes  0-1/5",
        "bytes\t0-1/5",
        "bytes 0 -1/5",
        "bytes 0-1 /5",
        "bytes 0-1/ 5",
        "bytes 0-1/5 ",
        "bytes 0-1/5, 0-1/5",
        "bytes 0-1/5x",
        "bytes 0-1/**",
        "bytes 0-1/-5",
        "bytes +0-1/5",
        " bytes 0-1/5",
        "bytes 0-9223372036854775807/*",
        "bytes 0-1/9223372036854775807",
        "bytes 0-1/18446744073709551621",
        "bytes 18446744073709551616-18446744073709551617/*",
        "bytes 0-1/99999999999999999999999999999999999999",
    };
    struct content_range range = { 7, 7, 7 };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(content_range_parse(span_of_text(bad[i]), &range), ERR_SYNTAX, "%s", bad[i]);
    cr_assert_eq(content_range_parse(SPAN("lines 0-1/5"), &range), ERR_UNSUPPORTED);
    cr_assert(range.first == 7 && range.last == 7 && range.complete == 7);
}

Test(http_multipart, the_frame_byte_by_byte)
{
    struct multipart multipart = { SPAN("B0"), SPAN("text/plain"), 10 };
    char             bytes[512], type[MULTIPART_TYPE_SIZE];
    struct writer    writer;

    writer_init(&writer, bytes, sizeof bytes);
    multipart_write_part(&writer, &multipart, (struct byte_range){ 0, 1 }, true);
    write_raw(&writer, SPAN("ab"));
    multipart.content_type = SPAN_EMPTY;
    multipart.complete = RANGE_OPEN;
    multipart_write_part(&writer, &multipart, (struct byte_range){ 9, 9 }, false);
    write_raw(&writer, SPAN("j"));
    multipart_write_end(&writer, &multipart);
    cr_assert_not(writer.failed);
    cr_assert(given_is(writer_span(&writer),
                       "--B0\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n"
                       "\r\nab\r\n--B0\r\nContent-Range: bytes 9-9/*\r\n\r\nj\r\n--B0--\r\n"),
              "%.*s", SPAN_ARG(writer_span(&writer)));
    cr_assert(given_is(multipart_type_format(&multipart, type), "multipart/byteranges; boundary=B0"));
}

Test(http_multipart, sizes_are_known_before)
{
    static const struct byte_range ranges[] = { { 0, 0 }, { 5, 99 }, { 100, 1000 }, { 99999, 100000 } };
    static const struct span       types[] = { { NULL, 0 }, { "a/b", 3 } };
    static char                    bytes[4096];
    char                           boundary[MULTIPART_BOUNDARY_MAX];

    memset(boundary, 'b', sizeof boundary);
    for (size_t b = 1; b <= sizeof boundary; b++)
        for (size_t t = 0; t < 2; t++) {
            struct multipart multipart = { span_of(boundary, b), types[t], 1000000 };
            struct writer    writer;
            int64_t          bodies = 0;
            writer_init(&writer, bytes, sizeof bytes);
            for (unsigned i = 0; i < 4; i++) {
                size_t before = writer.len;
                multipart_write_part(&writer, &multipart, ranges[i], i == 0);
                cr_assert_eq(writer.len - before, multipart_part_size(&multipart, ranges[i], i == 0));
                bodies += ranges[i].last - ranges[i].first + 1;
            }
            multipart_write_end(&writer, &multipart);
            cr_assert_not(writer.failed);
            cr_assert_eq(multipart_size(&multipart, ranges, 4), (int64_t)writer.len + bodies);
        }
}

Test(http_multipart, sizes_stay_at_the_largest)
{
    struct multipart  multipart = { SPAN("b"), SPAN_EMPTY, RANGE_OPEN };
    struct byte_range ranges[] = { { 0, INT64_MAX - 2 }, { 0, INT64_MAX - 2 } };

    cr_assert_eq(multipart_size(&multipart, ranges, 1), INT64_MAX);
    cr_assert_eq(multipart_size(&multipart, ranges, 2), INT64_MAX);
}

Test(http_multipart, a_type_that_would_begin_a_line_fails)
{
    struct multipart multipart = { SPAN("b"), SPAN("a/b\r\nX: y"), 10 };
    char             bytes[256];
    struct writer    writer;

    writer_init(&writer, bytes, sizeof bytes);
    multipart_write_part(&writer, &multipart, (struct byte_range){ 0, 1 }, true);
    cr_assert(writer.failed);
    multipart.content_type = SPAN("a/b");
    writer_init(&writer, bytes, multipart_part_size(&multipart, (struct byte_range){ 0, 1 }, true) - 1);
    multipart_write_part(&writer, &multipart, (struct byte_range){ 0, 1 }, true);
    cr_assert(writer.failed);
}
