/* content_range.c: Content-Range (RFC 9110 §14.4), read to the byte and written.
 *
 *      "bytes" SP ( first "-" last | asterisk ) "/" ( length | asterisk ), never two asterisks
 *
 * A part that is misread is put into the wrong place of somebody's file, so nothing is guessed here.
 */
#include <larder/http/range.h>

#include <larder/base/check.h>
#include <larder/http/scan.h>

#include "digits.h"

static bool
take_byte(struct span *rest, char byte)
{
    if (rest->len == 0 || rest->at[0] != byte)
        return false;
    *rest = span_skip(*rest, 1);
    return true;
}

/* A number that we can hold. */
static bool
take_number(struct span *rest, int64_t *number)
{
    return digits_take(rest, INT64_MAX, number) && *number < INT64_MAX;
}

/* incl-range: first-last, in order. */
static bool
take_positions(struct span *rest, struct content_range *range)
{
    return take_number(rest, &range->first) && take_byte(rest, '-') && take_number(rest, &range->last)
           && range->first <= range->last;
}

/* What follows the slash; an asterisk is an unknown length, which only a range that was sent may have. */
static bool
take_complete(struct span *rest, struct content_range *range)
{
    if (range->first != RANGE_OPEN && take_byte(rest, '*'))
        return true;
    return take_number(rest, &range->complete) && range->last < range->complete;
}

enum err
content_range_parse(struct span value, struct content_range *range)
{
    size_t               unit = scan_best()->token(value);
    struct span          rest = span_skip(value, unit);
    struct content_range read = { RANGE_OPEN, RANGE_OPEN, RANGE_OPEN };

    if (unit == 0 || !take_byte(&rest, ' '))
        return ERR_SYNTAX;
    if (!span_equal_nocase(span_head(value, unit), SPAN("bytes")))
        return ERR_UNSUPPORTED;
    if (!take_byte(&rest, '*') && !take_positions(&rest, &read))
        return ERR_SYNTAX;
    if (!take_byte(&rest, '/') || !take_complete(&rest, &read) || rest.len > 0)
        return ERR_SYNTAX;
    *range = read;
    return ERR_NONE;
}

static void
write_position(struct writer *writer, int64_t number)
{
    char digits[DIGITS_MAX];
    write_raw(writer, number == RANGE_OPEN ? SPAN("*") : digits_format((uint64_t)number, digits));
}

struct span
content_range_format(const struct content_range *range, char out[static CONTENT_RANGE_SIZE])
{
    struct writer writer;

    writer_init(&writer, out, CONTENT_RANGE_SIZE);
    write_raw(&writer, SPAN("bytes "));
    write_position(&writer, range->first);
    if (range->first != RANGE_OPEN) {
        write_raw(&writer, SPAN("-"));
        write_position(&writer, range->last);
    }
    write_raw(&writer, SPAN("/"));
    write_position(&writer, range->complete);
    CHECK(!writer.failed);
    return writer_span(&writer);
}
