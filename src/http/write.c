/* write.c: heads in HTTP/1.1, from checked parts.
 *
 * Everything that is written passes the same classes as what is read: a CR, LF or NUL that came out of a
 * configuration, a store or HTTP/2 cannot begin a line of its own. A line is written whole or not at all;
 * after the first failure nothing more is written, so what there is never looks like a complete head.
 */
#include <larder/http/write.h>
#include <larder/http/scan.h>

#include "digits.h"

void
writer_init(struct writer *writer, char *at, size_t room)
{
    *writer = (struct writer){ .at = at, .room = room };
}

/* Writes the parts in a row, or none of them. */
static void
write_parts(struct writer *writer, const struct span *parts, size_t count)
{
    size_t before = writer->len;

    for (size_t i = 0; i < count; i++)
        write_raw(writer, parts[i]);
    if (writer->failed)
        writer->len = before;
}

static bool
is_token(struct span text)
{
    return text.len > 0 && scan_best()->token(text) == text.len;
}

static bool
is_value(struct span text)
{
    return scan_best()->value(text) == text.len;
}

static bool
is_target(struct span text)
{
    return scan_best()->target(text) == text.len;
}

void
write_request_line(struct writer *writer, struct span method, struct span path, struct span query)
{
    struct span mark = query.at == NULL ? SPAN_EMPTY : SPAN("?");
    struct span parts[] = { method, SPAN(" "), path, mark, query, SPAN(" HTTP/1.1\r\n") };

    if (!is_token(method) || path.len == 0 || !is_target(path) || !is_target(query))
        writer->failed = true;
    write_parts(writer, parts, sizeof parts / sizeof parts[0]);
}

void
write_status_line(struct writer *writer, unsigned status, struct span reason)
{
    char digits[3] = {
        (char)('0' + status / 100 % 10),
        (char)('0' + status / 10 % 10),
        (char)('0' + status % 10),
    };
    struct span words = reason.len > 0 ? reason : span_of_text(status_reason(status));
    struct span parts[] = { SPAN("HTTP/1.1 "), span_of(digits, 3), SPAN(" "), words, SPAN("\r\n") };

    if (status < 100 || status > 999 || !is_value(words))
        writer->failed = true;
    write_parts(writer, parts, sizeof parts / sizeof parts[0]);
}

/* Most of what is written: one look for room, and no loop. */
void
write_field(struct writer *writer, struct span name, struct span value)
{
    size_t len = name.len + value.len + 4;
    char  *at = writer->at + writer->len;

    if (writer->failed || !is_token(name) || !is_value(value) || len > writer->room - writer->len) {
        writer->failed = true;
        return;
    }
    memcpy(at, name.at, name.len);
    memcpy(at + name.len, ": ", 2);
    if (value.len > 0)
        memcpy(at + name.len + 2, value.at, value.len);
    memcpy(at + len - 2, "\r\n", 2);
    writer->len += len;
}

void
write_number(struct writer *writer, struct span label, uint64_t number)
{
    char        digits[DIGITS_MAX];
    struct span parts[] = { label, digits_format(number, digits), SPAN("\r\n") };

    write_parts(writer, parts, sizeof parts / sizeof parts[0]);
}

void
write_end(struct writer *writer)
{
    write_raw(writer, SPAN("\r\n"));
}
