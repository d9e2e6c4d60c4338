/* multipart.c: the frame of multipart/byteranges (RFC 9110 §14.6) around parts that are sent from elsewhere.
 *
 *      --BOUNDARY CRLF
 *      Content-Type: … CRLF
 *      Content-Range: bytes 0-1/10 CRLF
 *      CRLF
 *      (2 bytes)
 *      CRLF --BOUNDARY CRLF …          the CRLF before it belongs to the boundary (RFC 2046 §5.1.1)
 *      CRLF --BOUNDARY-- CRLF
 *
 * Each writing function has a twin that only counts; the unit test holds them against each other.
 */
#include <larder/http/range.h>

#include <larder/base/check.h>

static struct span
format_range(const struct multipart *multipart, struct byte_range range, char out[static CONTENT_RANGE_SIZE])
{
    return content_range_format(&(struct content_range){ range.first, range.last, multipart->complete }, out);
}

static void
check_boundary(const struct multipart *multipart)
{
    CHECK(multipart->boundary.len > 0 && multipart->boundary.len <= MULTIPART_BOUNDARY_MAX);
}

struct span
multipart_type_format(const struct multipart *multipart, char out[static MULTIPART_TYPE_SIZE])
{
    struct writer writer;

    check_boundary(multipart);
    writer_init(&writer, out, MULTIPART_TYPE_SIZE);
    write_raw(&writer, SPAN("multipart/byteranges; boundary="));
    write_raw(&writer, multipart->boundary);
    CHECK(!writer.failed);
    return writer_span(&writer);
}

void
multipart_write_part(struct writer *writer, const struct multipart *multipart, struct byte_range range,
                     bool first)
{
    char text[CONTENT_RANGE_SIZE];

    check_boundary(multipart);
    write_raw(writer, first ? SPAN("--") : SPAN("\r\n--"));
    write_raw(writer, multipart->boundary);
    write_end(writer);
    if (multipart->content_type.len > 0)
        write_field(writer, SPAN("Content-Type"), multipart->content_type);
    write_field(writer, SPAN("Content-Range"), format_range(multipart, range, text));
    write_end(writer);
}

size_t
multipart_part_size(const struct multipart *multipart, struct byte_range range, bool first)
{
    char   text[CONTENT_RANGE_SIZE];
    size_t size = (first ? strlen("--\r\n") : strlen("\r\n--\r\n")) + multipart->boundary.len;

    if (multipart->content_type.len > 0)
        size += strlen("Content-Type: \r\n") + multipart->content_type.len;
    return size + strlen("Content-Range: \r\n\r\n") + format_range(multipart, range, text).len;
}

void
multipart_write_end(struct writer *writer, const struct multipart *multipart)
{
    check_boundary(multipart);
    write_raw(writer, SPAN("\r\n--"));
    write_raw(writer, multipart->boundary);
    write_raw(writer, SPAN("--\r\n"));
}

size_t
multipart_end_size(const struct multipart *multipart)
{
    return strlen("\r\n----\r\n") + multipart->boundary.len;
}

int64_t
multipart_size(const struct multipart *multipart, const struct byte_range *ranges, unsigned count)
{
    int64_t sum = (int64_t)multipart_end_size(multipart);

    for (unsigned i = 0; i < count; i++) {
        int64_t size = (int64_t)multipart_part_size(multipart, ranges[i], i == 0);
        if (__builtin_add_overflow(sum, size, &sum)
            || __builtin_add_overflow(sum, ranges[i].last - ranges[i].first + 1, &sum))
            return INT64_MAX;
    }
    return sum;
}
