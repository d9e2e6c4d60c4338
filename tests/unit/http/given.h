/* given.h: heads for tests, parsed from lines of text.
 *
 * The bytes live in the struct, so a test may keep the head as long as it keeps the struct in place.
 */
#ifndef LARDER_TESTS_HTTP_GIVEN_H
#define LARDER_TESTS_HTTP_GIVEN_H

#include <criterion/criterion.h>
#include <larder/http/parse.h>

#include <stdio.h>

struct given {
    struct head  head;
    struct field fields[128];
    char         bytes[16384];
};

#define GIVEN_LIMITS (&(const struct parse_limits){ .head = 16384, .target = 1024 })

/* A request with this first line and these field lines, each ended by "\r\n". */
static inline const struct head *
given_request(struct given *given, const char *line, const char *fields)
{
    enum refusal refusal = REFUSAL_NONE;
    size_t       size = 0;
    int          length = snprintf(given->bytes, sizeof given->bytes, "%s\r\n%s\r\n", line, fields);

    cr_assert(length > 0 && (size_t)length < sizeof given->bytes);
    head_init(&given->head, given->fields, 128);
    enum err err =
        parse_request(&given->head, span_of(given->bytes, (size_t)length), GIVEN_LIMITS, &size, &refusal);
    cr_assert(err == ERR_NONE && size == (size_t)length, "%s: %s", err_name(err), refusal_name(refusal));
    return &given->head;
}

static inline const struct head *
given_response(struct given *given, const char *line, const char *fields)
{
    enum refusal refusal = REFUSAL_NONE;
    size_t       size = 0;
    int          length = snprintf(given->bytes, sizeof given->bytes, "%s\r\n%s\r\n", line, fields);

    cr_assert(length > 0 && (size_t)length < sizeof given->bytes);
    head_init(&given->head, given->fields, 128);
    enum err err =
        parse_response(&given->head, span_of(given->bytes, (size_t)length), GIVEN_LIMITS, &size, &refusal);
    cr_assert(err == ERR_NONE && size == (size_t)length, "%s: %s", err_name(err), refusal_name(refusal));
    return &given->head;
}

static inline bool
given_is(struct span span, const char *text)
{
    return span_equal(span, span_of_text(text));
}

/* Numbers that look random and are the same in every run (xorshift). */
static inline uint32_t
given_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#endif
