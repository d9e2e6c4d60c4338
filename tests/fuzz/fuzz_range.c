/* fuzz_range.c: a length, then any bytes as a Range, and as a Content-Range.
 *
 * Holds: ranges are inside of the length, apart from each other, and never more than were asked for; a byte
 * is sent when and only when a member of the list names it; a Content-Range that is read and written is read
 * as the same; sizes of multipart frames are what is written.
 */
#include "fuzz.h"

#include <larder/http/range.h>

enum { FRAME = 1024 };

/* Whether a member names the byte at `position`, straight from RFC 9110 §14.1.2. */
static bool
is_asked_for(const struct range_set *set, int64_t length, int64_t position)
{
    for (unsigned i = 0; i < set->count; i++) {
        const struct range_spec *spec = &set->spec[i];
        if (spec->first == RANGE_OPEN) {
            if (length - position <= spec->last)
                return true;
        } else if (position >= spec->first && (spec->last == RANGE_OPEN || position <= spec->last))
            return true;
    }
    return false;
}

static bool
is_sent(const struct byte_range *ranges, unsigned count, int64_t position)
{
    for (unsigned i = 0; i < count; i++)
        if (position >= ranges[i].first && position <= ranges[i].last)
            return true;
    return false;
}

static void
check_position(const struct range_set *set, int64_t length, const struct byte_range *ranges, unsigned count,
               int64_t position)
{
    if (position >= 0 && position < length)
        CHECK(is_sent(ranges, count, position) == is_asked_for(set, length, position));
}

static void
check_ranges(const struct range_set *set, int64_t length, const struct byte_range *ranges, unsigned count)
{
    CHECK(count > 0 && count <= set->count);
    for (unsigned i = 0; i < count; i++) {
        CHECK(ranges[i].first >= 0 && ranges[i].first <= ranges[i].last && ranges[i].last < length);
        for (unsigned j = 0; j < i; j++)
            CHECK(ranges[i].last + 1 < ranges[j].first || ranges[j].last + 1 < ranges[i].first);
        check_position(set, length, ranges, count, ranges[i].first);
        check_position(set, length, ranges, count, ranges[i].first - 1);
        check_position(set, length, ranges, count, ranges[i].last);
        check_position(set, length, ranges, count, ranges[i].last + 1);
    }
    for (unsigned i = 0; i < set->count; i++) {
        check_position(set, length, ranges, count, set->spec[i].first);
        check_position(set, length, ranges, count, set->spec[i].last);
        check_position(set, length, ranges, count, length - 1 - set->spec[i].last);
    }
}

static void
check_frame(const struct byte_range *ranges, unsigned count, int64_t length)
{
    struct multipart multipart = { SPAN("boundary"), SPAN("a/b"), length };

    for (unsigned i = 0; i < count; i++) {
        char          bytes[FRAME];
        struct writer writer;
        writer_init(&writer, bytes, sizeof bytes);
        multipart_write_part(&writer, &multipart, ranges[i], i == 0);
        CHECK(!writer.failed && writer.len == multipart_part_size(&multipart, ranges[i], i == 0));
    }
    CHECK(multipart_size(&multipart, ranges, count) > 0);
}

static void
check_range(struct span value, int64_t length)
{
    struct range_set  set;
    struct byte_range ranges[RANGES_MAX];
    unsigned          count;

    if (range_parse(value, &set) != ERR_NONE) {
        CHECK(set.count == 0);
        return;
    }
    if (range_resolve(&set, length, ranges, &count) != ERR_NONE) {
        CHECK(count == 0);
        return;
    }
    check_ranges(&set, length, ranges, count);
    check_frame(ranges, count, length);
}

static void
check_content_range(struct span value)
{
    struct content_range range, again;
    char                 text[CONTENT_RANGE_SIZE];

    if (content_range_parse(value, &range) != ERR_NONE)
        return;
    CHECK(range.first <= range.last && (range.complete == RANGE_OPEN || range.last < range.complete));
    CHECK(range.first != RANGE_OPEN || (range.last == RANGE_OPEN && range.complete != RANGE_OPEN));
    CHECK(content_range_parse(content_range_format(&range, text), &again) == ERR_NONE);
    CHECK(again.first == range.first && again.last == range.last && again.complete == range.complete);
}

/* The first byte picks a length, small ones above all. */
static int64_t
length_of(uint8_t byte)
{
    return byte < 250 ? byte : byte < 253 ? INT64_MAX >> (byte - 250) : (int64_t)byte << 20;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char       *copy = fuzz_copy(span_of(data + 1, size - 1));
    struct span value = span_of(copy, size - 1);

    check_range(value, length_of(data[0]));
    check_content_range(value);
    free(copy);
    return 0;
}
