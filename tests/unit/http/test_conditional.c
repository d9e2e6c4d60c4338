/* test_conditional.c: entity tags, and the order of the preconditions. */
#include <criterion/criterion.h>
#include <larder/http/conditional.h>

#include "given.h"

#define NOW ((wall_time){ INT64_C(1717200000) * NSEC_PER_SEC })
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"
#define MODIFIED 784111777

struct row {
    const char       *etag; /* of what is stored; NULL: none */
    bool              dated;
    const char       *fields;
    enum precondition verdict;
};

#define NONE PRECONDITION_NONE
#define NOT_MODIFIED PRECONDITION_NOT_MODIFIED
#define FAILED PRECONDITION_FAILED

static const struct row rows[] = {
    { "\"a\"", true, "", NONE },
    /* If-None-Match: lists, weak comparison, `*` */
    { "\"a\"", true, "If-None-Match: \"a\"\r\n", NOT_MODIFIED },
    { "\"a\"", true, "If-None-Match: \"A\"\r\n", NONE },
    { "\"a\"", true, "If-None-Match: W/\"a\"\r\n", NOT_MODIFIED },
    { "W/\"a\"", true, "If-None-Match: \"a\"\r\n", NOT_MODIFIED },
    { "W/\"a\"", true, "If-None-Match: W/\"a\"\r\n", NOT_MODIFIED },
    { "\"a\"", true, "If-None-Match: \"b\", \"c\", \"a\"\r\n", NOT_MODIFIED },
    { "\"a\"", true, "If-None-Match: ,\t\"b\" ,W/\"a\",\r\n", NOT_MODIFIED },
    { "\"a\"", true, "If-None-Match: \"b\"\r\nIf-None-Match: \"a\"\r\n", NOT_MODIFIED },
    { "\"a,b\"", true, "If-None-Match: \"a,b\"\r\n", NOT_MODIFIED },
    { "\"a\"", true, "If-None-Match: \"b,\"a\"\r\n", NONE },
    { "\"a\\\"", true, "If-None-Match: \"a\\\", \"b\"\r\n", NOT_MODIFIED }, /* a backslash is itself */
    { "\"b\"", true, "If-None-Match: \"a\\\", \"b\"\r\n", NOT_MODIFIED },
    { "\"\"", true, "If-None-Match: \"\"\r\n", NOT_MODIFIED },
    { "\"\xc3\xa9\"", true, "If-None-Match: \"\xc3\xa9\"\r\n", NOT_MODIFIED },
    { "\"a\"", true, "If-None-Match: *\r\n", NOT_MODIFIED },
    { NULL, false, "If-None-Match: *\r\n", NOT_MODIFIED },
    { "\"a\"", true, "If-None-Match: *, \"b\"\r\n", NONE },
    { "\"a\"", true, "If-None-Match: *\r\nIf-None-Match: \"b\"\r\n", NONE },
    { "\"a\"", true, "If-None-Match: \"*\"\r\n", NONE },
    { "\"a\"", true, "If-None-Match: a\r\n", NONE },
    { "a", true, "If-None-Match: a\r\n", NONE },
    { "a", true, "If-None-Match: \"a\"\r\n", NONE },
    { "\"a\"", true, "If-None-Match: w/\"a\"\r\n", NONE },
    { "\"a\"", true, "If-None-Match: \"a\r\n", NONE },
    { "\"a\"", true, "If-None-Match:\r\n", NONE },
    { NULL, true, "If-None-Match: \"a\"\r\n", NONE },
    /* and then If-Modified-Since does not count */
    { "\"a\"", true, "If-None-Match: \"b\"\r\nIf-Modified-Since: " SAME "\r\n", NONE },
    { "\"a\"", true, "If-None-Match: \"a\"\r\nIf-Modified-Since: " BEFORE "\r\n", NOT_MODIFIED },
    /* If-Modified-Since */
    { "\"a\"", true, "If-Modified-Since: " BEFORE "\r\n", NONE },
    { "\"a\"", true, "If-Modified-Since: " SAME "\r\n", NOT_MODIFIED },
    { "\"a\"", true, "If-Modified-Since: " AFTER "\r\n", NOT_MODIFIED },
    { "\"a\"", true, "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n", NOT_MODIFIED },
    { "\"a\"", false, "If-Modified-Since: " SAME "\r\n", NONE },
    { "\"a\"", true, "If-Modified-Since: yesterday\r\n", NONE },
    { "\"a\"", true, "If-Modified-Since: " SAME "\r\nIf-Modified-Since: " SAME "\r\n", NONE },
    { "\"a\"", true, "If-Modified-Since: " SAME ", " SAME "\r\n", NONE },
    /* If-Match: strong comparison */
    { "\"a\"", true, "If-Match: \"a\"\r\n", NONE },
    { "\"a\"", true, "If-Match: \"b\", \"a\"\r\n", NONE },
    { "\"a\"", true, "If-Match: \"b\"\r\n", FAILED },
    { "\"a\"", true, "If-Match: W/\"a\"\r\n", FAILED },
    { "W/\"a\"", true, "If-Match: W/\"a\"\r\n", FAILED },
    { "W/\"a\"", true, "If-Match: \"a\"\r\n", FAILED },
    { "\"a\"", true, "If-Match: *\r\n", NONE },
    { NULL, true, "If-Match: \"a\"\r\n", FAILED },
    { NULL, true, "If-Match: *\r\n", NONE },
    /* If-Unmodified-Since */
    { "\"a\"", true, "If-Unmodified-Since: " BEFORE "\r\n", FAILED },
    { "\"a\"", true, "If-Unmodified-Since: " SAME "\r\n", NONE },
    { "\"a\"", true, "If-Unmodified-Since: " AFTER "\r\n", NONE },
    { "\"a\"", false, "If-Unmodified-Since: " BEFORE "\r\n", NONE },
    { "\"a\"", true, "If-Unmodified-Since: tomorrow\r\n", NONE },
    { "\"a\"", true, "If-Unmodified-Since: " BEFORE "\r\nIf-Unmodified-Since: " BEFORE "\r\n", NONE },
    { "\"a\"", true, "If-Match: \"a\"\r\nIf-Unmodified-Since: " BEFORE "\r\n", NONE },
    /* both pairs, in their order */
    { "\"a\"", true, "If-None-Match: \"a\"\r\nIf-Match: \"b\"\r\n", FAILED },
    { "\"a\"", true, "If-None-Match: \"a\"\r\nIf-Match: \"a\"\r\n", NOT_MODIFIED },
    { "\"a\"", true, "If-Modified-Since: " SAME "\r\nIf-Unmodified-Since: " BEFORE "\r\n", FAILED },
    { "\"a\"", true, "If-Modified-Since: " SAME "\r\nIf-Unmodified-Since: " SAME "\r\n", NOT_MODIFIED },
};

Test(http_conditional, the_order_of_preconditions)
{
    struct given given;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct validators stored = { .modified = MODIFIED, .has_modified = rows[i].dated };
        if (rows[i].etag != NULL)
            stored.etag = span_of_text(rows[i].etag);
        const struct head *head = given_request(&given, "GET / HTTP/1.1", rows[i].fields);
        cr_assert_eq(conditional_evaluate(head, &stored, NOW), rows[i].verdict, "%s against %s",
                     rows[i].fields, rows[i].etag);
        cr_assert_eq(conditional_is(head), rows[i].fields[0] != '\0');
    }
}

Test(http_conditional, entity_tags)
{
    static const char *const bad[] = { "",          "\"",     "a",      "W/",       "W/\"",    "W/a",
                                       "w/\"a\"",   "\"a",    "a\"",    "\"a\"b\"", "\"a b\"", "W /\"a\"",
                                       "\"a\x7f\"", "\"\t\"", "\"a\" ", " \"a\"",   "'a'" };
    struct etag              etag;

    cr_assert(etag_parse(SPAN("\"a\\!#~\x80\xff\""), &etag));
    cr_assert_not(etag.weak);
    cr_assert_eq(etag.opaque.len, 9);
    cr_assert(etag_parse(SPAN("W/\"\""), &etag));
    cr_assert(etag.weak && given_is(etag.opaque, "\"\""));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(etag_parse(span_of_text(bad[i]), &etag), "%s", bad[i]);
    cr_assert_not(etag_parse(span_of("\"a\0\"", 4), &etag));
    cr_assert_not(etag_parse(SPAN_EMPTY, &etag));
}

/* The table of RFC 9110 §8.8.3.2. */
Test(http_conditional, comparison)
{
    static const struct {
        struct etag a, b;
        bool        strong, weak;
    } pairs[] = {
        { { { "\"1\"", 3 }, true }, { { "\"1\"", 3 }, true }, false, true },
        { { { "\"1\"", 3 }, true }, { { "\"2\"", 3 }, true }, false, false },
        { { { "\"1\"", 3 }, true }, { { "\"1\"", 3 }, false }, false, true },
        { { { "\"1\"", 3 }, false }, { { "\"1\"", 3 }, false }, true, true },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        cr_assert_eq(etag_match_strong(pairs[i].a, pairs[i].b), pairs[i].strong);
        cr_assert_eq(etag_match_weak(pairs[i].a, pairs[i].b), pairs[i].weak);
        cr_assert_eq(etag_match_strong(pairs[i].b, pairs[i].a), pairs[i].strong);
        cr_assert_eq(etag_match_weak(pairs[i].b, pairs[i].a), pairs[i].weak);
    }
}

/* RFC 9110 §13.1.5. The stored answer was last modified at MODIFIED. */
Test(http_conditional, if_range)
{
    static const struct {
        const char *etag;
        int64_t     date; /* after MODIFIED; -1: none */
        const char *fields;
        bool        holds;
    } cases[] = {
        { "\"a\"", 60, "", true },
        { NULL, -1, "Range: bytes=0-1\r\n", true },
        { "\"a\"", 60, "If-Range: \"a\"\r\n", true },
        { "\"a\"", -1, "If-Range: \"a\"\r\n", true },
        { "\"a\"", 60, "If-Range: \"b\"\r\n", false },
        { "\"a\"", 60, "If-Range: \"A\"\r\n", false },
        { "\"a\"", 60, "If-Range: W/\"a\"\r\n", false },
        { "W/\"a\"", 60, "If-Range: W/\"a\"\r\n", false },
        { "W/\"a\"", 60, "If-Range: \"a\"\r\n", false },
        { "\"a\"", 60, "If-Range: \"a\", \"b\"\r\n", false },
        { "\"a\"", 60, "If-Range: *\r\n", false },
        { "\"a\"", 60, "If-Range: a\r\n", false },
        { "\"a\"", 60, "If-Range:\r\n", false },
        { "\"a\"", 60, "If-Range: \"a\"\r\nIf-Range: \"a\"\r\n", false },
        { NULL, 60, "If-Range: \"a\"\r\n", false },
        { "\"a\"", 60, "If-Range: " SAME "\r\n", true },
        { NULL, 1, "If-Range: " SAME "\r\n", true },
        { NULL, 0, "If-Range: " SAME "\r\n", false }, /* it could have changed twice in that second */
        { NULL, -1, "If-Range: " SAME "\r\n", false },
        { NULL, 60, "If-Range: " BEFORE "\r\n", false },
        { NULL, 60, "If-Range: " AFTER "\r\n", false },
        { NULL, 60, "If-Range: yesterday\r\n", false },
        { NULL, 60, "If-Range: " SAME "\r\nIf-Range: " SAME "\r\n", false },
    };
    struct given given;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct validators stored = { .modified = MODIFIED,
                                     .has_modified = true,
                                     .date = MODIFIED + cases[i].date,
                                     .has_date = cases[i].date >= 0 };
        if (cases[i].etag != NULL)
            stored.etag = span_of_text(cases[i].etag);
        const struct head *head = given_request(&given, "GET / HTTP/1.1", cases[i].fields);
        cr_assert_eq(conditional_if_range_holds(head, &stored, NOW), cases[i].holds, "%s against %s, %lld",
                     cases[i].fields, cases[i].etag, (long long)cases[i].date);
        stored.has_modified = false;
        if (strstr(cases[i].fields, SAME) != NULL)
            cr_assert_not(conditional_if_range_holds(head, &stored, NOW));
    }
}

Test(http_conditional, a_strong_validator_in_common)
{
    static const struct validators
        tagged = { .etag = { "\"a\"", 3 }, .modified = 5, .has_modified = true },
        other = { .etag = { "\"b\"", 3 }, .modified = 5, .has_modified = true },
        weak = { .etag = { "W/\"a\"", 5 }, .modified = 5, .has_modified = true },
        broken = { .etag = { "a", 1 } },
        dated = { .modified = 5, .has_modified = true, .date = 6, .has_date = true },
        later = { .modified = 6, .has_modified = true, .date = 9, .has_date = true },
        same_second = { .modified = 5, .has_modified = true, .date = 5, .has_date = true },
        undated = { .modified = 5, .has_modified = true }, nothing = { 0 };
    static const struct validators *const all[] = { &tagged, &other,       &weak,    &broken, &dated,
                                                    &later,  &same_second, &undated, &nothing };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        for (size_t j = 0; j < sizeof all / sizeof all[0]; j++)
            cr_assert_eq(
                validators_share_strong(all[i], all[j]),
                i == j && (all[i] == &tagged || all[i] == &other || all[i] == &dated || all[i] == &later),
                "%zu and %zu", i, j);
}
