/* fuzz_structured.c: any bytes as a structured field: the lines of a list and of a dictionary, cut at LF, and
 * one item.
 *
 * Holds: all views lie inside of the bytes; what hangs on a member can be walked to its end; members written
 * again, joined on one line or each on its own, are read as the same members; an item is a list of one.
 */
#include "fuzz.h"

#include <larder/http/structured.h>

#include <stdio.h>

enum { LINES = 16, WRITTEN = 1 << 16 };

typedef bool walk_next(struct sf_walk *walk, struct sf_member *member);

struct lines {
    struct field fields[LINES];
    struct head  head;
};

static void
split_lines(struct lines *lines, struct span bytes)
{
    struct span line;

    head_init(&lines->head, lines->fields, LINES);
    while (span_split(&bytes, '\n', &line))
        if (!head_add(&lines->head, SPAN("Cache-Status"), line, FIELD_CACHE_STATUS))
            return;
}

/* ── a member written again ── */

static void
write_value(struct writer *writer, const struct sf_value *value)
{
    char digits[8];

    switch (value->type) {
    case SF_INTEGER:
        sf_write_integer(writer, value->number);
        break;
    case SF_DECIMAL: {
        int64_t number = value->number < 0 ? -value->number : value->number;
        write_raw(writer, value->number < 0 ? SPAN("-") : SPAN(""));
        sf_write_integer(writer, number / 1000);
        snprintf(digits, sizeof digits, ".%03u", (unsigned)(number % 1000));
        write_raw(writer, span_of_text(digits));
        break;
    }
    case SF_STRING: {
        char  *copy = fuzz_copy(value->text);
        size_t length = sf_string_copy(value, copy, value->text.len);
        CHECK(sf_string_is(value, span_of(copy, length)) && (length < value->text.len) == value->escaped);
        sf_write_string(writer, span_of(copy, length));
        free(copy);
        break;
    }
    case SF_TOKEN:
        sf_write_token(writer, value->text);
        break;
    case SF_BYTES:
        write_raw(writer, SPAN(":"));
        write_raw(writer, value->text);
        write_raw(writer, SPAN(":"));
        break;
    case SF_BOOLEAN:
        sf_write_boolean(writer, value->boolean);
        break;
    case SF_INNER_LIST:
        break;
    }
}

static void
write_params(struct writer *writer, struct span params, struct span bytes)
{
    struct span     key;
    struct sf_value value;

    CHECK(fuzz_is_inside(params, bytes));
    while (sf_param_next(&params, &key, &value)) {
        CHECK(fuzz_is_inside(key, bytes) && fuzz_is_inside(value.text, bytes));
        sf_write_param_flag(writer, key);
        write_raw(writer, SPAN("="));
        write_value(writer, &value);
    }
    CHECK(params.len == 0);
}

static void
write_member(struct writer *writer, const struct sf_member *member, struct span bytes)
{
    struct span      rest = member->value.text;
    struct sf_member item;

    CHECK(fuzz_is_inside(member->key, bytes) && fuzz_is_inside(member->value.text, bytes));
    if (member->key.len > 0) {
        write_raw(writer, member->key);
        write_raw(writer, SPAN("="));
    }
    if (member->value.type == SF_INNER_LIST) {
        write_raw(writer, SPAN("("));
        while (sf_inner_next(&rest, &item)) {
            write_member(writer, &item, bytes);
            write_raw(writer, SPAN(" "));
        }
        CHECK(rest.len == 0);
        write_raw(writer, SPAN(")"));
    }
    write_value(writer, &member->value);
    write_params(writer, member->params, bytes);
}

/* All members, with `between` between them; false when the field is none. */
static bool
write_members(struct writer *writer, struct sf_walk *walk, walk_next *next, struct span between,
              struct span bytes, unsigned *count)
{
    struct sf_member member;

    for (*count = 0; next(walk, &member); ++*count) {
        write_raw(writer, *count > 0 ? between : SPAN(""));
        write_member(writer, &member, bytes);
    }
    CHECK(!next(walk, &member));
    return !walk->failed;
}

/* What was written, read and written again, is the same. */
static void
check_again(struct span written, bool on_lines, walk_next *next, unsigned count)
{
    static char    bytes[WRITTEN];
    struct writer  again;
    struct lines   lines;
    struct sf_walk walk;
    unsigned       members;

    writer_init(&again, bytes, sizeof bytes);
    sf_walk_value(&walk, written);
    if (on_lines) {
        split_lines(&lines, written);
        sf_walk_head(&walk, &lines.head, FIELD_CACHE_STATUS);
    }
    CHECK(write_members(&again, &walk, next, on_lines ? SPAN("\n") : SPAN(", "), written, &members));
    CHECK(members == count && !again.failed && span_equal(writer_span(&again), written));
}

static void
check_field(const struct lines *lines, walk_next *next, struct span bytes)
{
    static char    joined_bytes[WRITTEN], cut_bytes[WRITTEN];
    struct writer  joined, cut;
    struct sf_walk walk;
    unsigned       count;

    writer_init(&joined, joined_bytes, sizeof joined_bytes);
    writer_init(&cut, cut_bytes, sizeof cut_bytes);
    sf_walk_head(&walk, &lines->head, FIELD_CACHE_STATUS);
    if (!write_members(&joined, &walk, next, SPAN(", "), bytes, &count) || joined.failed)
        return;
    check_again(writer_span(&joined), false, next, count);
    sf_walk_head(&walk, &lines->head, FIELD_CACHE_STATUS);
    CHECK(write_members(&cut, &walk, next, SPAN("\n"), bytes, &count));
    if (count <= LINES)
        check_again(writer_span(&cut), true, next, count);
}

static void
check_item(struct span bytes)
{
    struct sf_member item, member;
    struct sf_walk   walk;

    sf_walk_value(&walk, bytes);
    bool is_item = sf_item_parse(bytes, &item);
    bool is_list = sf_list_next(&walk, &member) && member.value.type != SF_INNER_LIST;
    if (is_item) {
        CHECK(is_list && member.value.type == item.value.type && member.value.number == item.value.number);
        CHECK(span_equal(member.value.text, item.value.text) && span_equal(member.params, item.params));
        CHECK(!sf_list_next(&walk, &member) && !walk.failed);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        *copy = fuzz_copy(span_of(data, size));
    struct span  bytes = span_of(copy, size);
    struct lines lines;

    split_lines(&lines, bytes);
    check_field(&lines, sf_list_next, bytes);
    check_field(&lines, sf_dictionary_next, bytes);
    check_item(bytes);
    free(copy);
    return 0;
}
