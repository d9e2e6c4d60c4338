/* fuzz.h: what the fuzz targets share: exact copies, small checks, the invariants of a parsed head.
 *
 *      bytes of the fuzzer ──▶ copy of exactly that size ──▶ parser ──▶ invariants, each a CHECK that aborts
 *
 * The copy is what makes a sanitizer see a byte read too many.
 */
#ifndef LARDER_TESTS_FUZZ_H
#define LARDER_TESTS_FUZZ_H

#include <larder/base/check.h>
#include <larder/http/parse.h>
#include <larder/http/scan.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* free() it. */
static inline char *
fuzz_copy(struct span bytes)
{
    char *copy = malloc(bytes.len == 0 ? 1 : bytes.len);
    CHECK(copy != NULL);
    if (bytes.len > 0)
        memcpy(copy, bytes.at, bytes.len);
    return copy;
}

/* An empty span may point nowhere. */
static inline bool
fuzz_is_inside(struct span part, struct span whole)
{
    return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static inline void
fuzz_check_scanners(struct span bytes)
{
    const struct scan *scalar = scan_by_name("scalar"), *best = scan_best(), *sse = scan_by_name("sse4.2");

    for (size_t from = 0; from < bytes.len; from += 1 + from / 16) {
        struct span rest = span_skip(bytes, from);
        CHECK(best->token(rest) == scalar->token(rest));
        CHECK(best->value(rest) == scalar->value(rest));
        CHECK(best->target(rest) == scalar->target(rest));
        CHECK(sse == NULL || sse->token(rest) == scalar->token(rest));
        CHECK(sse == NULL || sse->value(rest) == scalar->value(rest));
        CHECK(sse == NULL || sse->target(rest) == scalar->target(rest));
    }
}

static inline void
fuzz_check_field(const struct head *head, uint16_t index, struct span bytes)
{
    const struct field *field = &head->fields[index];

    CHECK(fuzz_is_inside(field->name, bytes) && fuzz_is_inside(field->value, bytes));
    CHECK(field->name.len > 0 && scan_best()->token(field->name) == field->name.len);
    CHECK(scan_best()->value(field->value) == field->value.len);
    CHECK(span_equal(span_trim(field->value), field->value));
    CHECK(field->id == field_lookup(field->name));
    CHECK(field->next == 0 || field->next > index + 1);
}

/* The chains name every line exactly once, in order. */
static inline void
fuzz_check_head(const struct head *head, struct span bytes)
{
    unsigned linked = 0, others = 0;

    CHECK(head->count <= head->room);
    for (uint16_t i = 0; i < head->count; i++) {
        fuzz_check_field(head, i, bytes);
        others += head->fields[i].id == FIELD_OTHER;
    }
    for (enum field_id id = FIELD_OTHER + 1; id < FIELD_ID_COUNT; id++)
        for (const struct field *field = head_find(head, id); field != NULL; field = head_next(head, field)) {
            CHECK(field->id == id);
            linked++;
        }
    CHECK(linked + others == head->count);
}

static inline bool
fuzz_same_heads(const struct head *a, const struct head *b)
{
    if (a->count != b->count || a->method != b->method || a->status != b->status
        || !span_equal(a->method_text, b->method_text) || !span_equal(a->target, b->target))
        return false;
    for (uint16_t i = 0; i < a->count; i++)
        if (!span_equal(a->fields[i].name, b->fields[i].name)
            || !span_equal(a->fields[i].value, b->fields[i].value) || a->fields[i].next != b->fields[i].next)
            return false;
    return true;
}

enum { FUZZ_FIELDS = 24 };
#define FUZZ_LIMITS (&(const struct parse_limits){ .head = 1024, .target = 256 })

typedef enum err fuzz_parse(struct head *head, struct span bytes, const struct parse_limits *limits,
                            size_t *size, enum refusal *refusal);

/* What every prefix says does not contradict what the whole says. */
static inline void
fuzz_check_prefixes(fuzz_parse *parse, struct span bytes, enum err err, enum refusal refusal, size_t size)
{
    struct field fields[FUZZ_FIELDS];
    struct head  head;

    head_init(&head, fields, FUZZ_FIELDS);
    for (size_t length = 0; length < bytes.len; length++) {
        size_t       part_size = 0;
        enum refusal part_refusal = REFUSAL_NONE;
        enum err     part = parse(&head, span_head(bytes, length), FUZZ_LIMITS, &part_size, &part_refusal);
        CHECK(part == ERR_AGAIN || part == err);
        CHECK(part != ERR_SYNTAX || part_refusal == refusal);
        CHECK(part != ERR_NONE || part_size == size);
        CHECK(err != ERR_NONE || (part == ERR_NONE) == (length >= size));
    }
}

#endif
