/* test_message.c: the chains of a head, its lists, and the small tables of methods and status codes. */
#include <criterion/criterion.h>
#include <larder/http/message.h>

#include "given.h"

Test(http_message, lines_of_one_name_are_found_in_their_order)
{
    struct given       given;
    const struct head *head =
        given_request(&given, "GET / HTTP/1.1", "Via: a\r\nX-A: 1\r\nvia: b\r\nHost: h\r\nVIA: c\r\n");
    const struct field *via = head_find(head, FIELD_VIA);

    cr_assert(given_is(via->value, "a"));
    via = head_next(head, via);
    cr_assert(given_is(via->value, "b"));
    via = head_next(head, via);
    cr_assert(given_is(via->value, "c"));
    cr_assert_null(head_next(head, via));
    cr_assert(head_has(head, FIELD_HOST));
    cr_assert_not(head_has(head, FIELD_COOKIE));
    cr_assert_null(head_find(head, FIELD_COOKIE));
    cr_assert_null(head_value(head, FIELD_COOKIE).at);
}

Test(http_message, names_that_are_not_in_the_table_are_found_too)
{
    struct given       given;
    const struct head *head =
        given_request(&given, "GET / HTTP/1.1", "X-A: 1\r\nX-B: 2\r\nx-a: 3\r\nAge: 4\r\nage: 5\r\n");
    const struct field *field = head_find_name(head, SPAN("x-A"));

    cr_assert(given_is(field->value, "1"));
    field = head_next_name(head, field);
    cr_assert(given_is(field->value, "3"));
    cr_assert_null(head_next_name(head, field));
    field = head_find_name(head, SPAN("AGE"));
    cr_assert(given_is(field->value, "4"));
    field = head_next_name(head, field);
    cr_assert(given_is(field->value, "5"));
    cr_assert_null(head_next_name(head, field));
    cr_assert_null(head_find_name(head, SPAN("X-C")));
    cr_assert_null(head_find_name(head, SPAN("Cookie")));
}

Test(http_message, a_full_head_takes_no_more)
{
    struct field fields[2];
    struct head  head;

    head_init(&head, fields, 2);
    cr_assert(head_add(&head, SPAN("Via"), SPAN("a"), FIELD_VIA));
    cr_assert(head_add(&head, SPAN("Via"), SPAN("b"), FIELD_VIA));
    cr_assert_not(head_add(&head, SPAN("Via"), SPAN("c"), FIELD_VIA));
    cr_assert_eq(head.count, 2);
    cr_assert_null(head_next(&head, head_next(&head, head_find(&head, FIELD_VIA))));
}

Test(http_message, the_greatest_head_can_be_walked_to_its_end)
{
    static struct field fields[UINT16_MAX];
    struct head         head;
    unsigned            lines = 0;

    head_init(&head, fields, UINT16_MAX);
    while (head_add(&head, SPAN("Via"), SPAN("a"), FIELD_VIA))
        ;
    for (const struct field *field = head_find(&head, FIELD_VIA); field != NULL;
         field = head_next(&head, field))
        lines++;
    cr_assert_eq(lines, UINT16_MAX);
}

Test(http_message, a_head_moves_with_its_bytes)
{
    struct given given;
    char         copy[sizeof given.bytes];

    given_request(&given, "PUT /x HTTP/1.1", "Host: h\r\nX-Empty:\r\n");
    memcpy(copy, given.bytes, sizeof copy);
    head_rebase(&given.head, given.bytes, copy);
    memset(given.bytes, '?', sizeof given.bytes);
    cr_assert(given_is(given.head.method_text, "PUT"));
    cr_assert(given_is(given.head.target, "/x"));
    cr_assert(given_is(head_value(&given.head, FIELD_HOST), "h"));
    cr_assert(given_is(given.head.fields[1].name, "X-Empty"));
    cr_assert_eq(given.head.fields[1].value.len, 0);
    cr_assert_null(given.head.reason.at);
}

/* The members of the list, joined by "|". */
static const char *
joined(const struct head *head, enum field_id id, char *out, size_t room)
{
    struct list_walk walk = { 0 };
    struct span      member;
    size_t           length = 0;

    out[0] = '\0';
    while (head_walk(head, id, &walk, &member))
        length +=
            (size_t)snprintf(out + length, room - length, "%s%.*s", length > 0 ? "|" : "", SPAN_ARG(member));
    cr_assert_not(head_walk(head, id, &walk, &member), "the end stays the end");
    return out;
}

Test(http_message, lists_go_over_all_lines)
{
    struct given       given;
    char               out[256];
    const struct head *head =
        given_request(&given, "GET / HTTP/1.1",
                      "Vary: a, \tb ,,\r\nVary:\r\nVary: ,\r\nVary: \"x, y\\\", z\", c\r\n"
                      "Via: \"open, to the end\r\nVia: next\r\n");

    cr_assert_str_eq(joined(head, FIELD_VARY, out, sizeof out), "a|b|\"x, y\\\", z\"|c");
    cr_assert_str_eq(joined(head, FIELD_VIA, out, sizeof out), "\"open, to the end|next");
    cr_assert_str_eq(joined(head, FIELD_COOKIE, out, sizeof out), "");
    cr_assert(head_lists_token(head, FIELD_VARY, SPAN("B")));
    cr_assert_not(head_lists_token(head, FIELD_VARY, SPAN("y")));
    cr_assert_not(head_lists_token(head, FIELD_COOKIE, SPAN("a")));
}

Test(http_message, a_list_of_nothing_has_no_members)
{
    static const char *const nothing[] = { "", ",", " , ,\t, ", "   " };
    struct span              member;

    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        struct span rest = span_of_text(nothing[i]);
        cr_assert_not(list_next(&rest, &member), "'%s'", nothing[i]);
    }
}

Test(http_message, a_backslash_at_the_end_of_a_list_stays_inside)
{
    struct span rest = SPAN("\"a\\"), member;

    cr_assert(list_next(&rest, &member));
    cr_assert(given_is(member, "\"a\\"));
    cr_assert_not(list_next(&rest, &member));
}

Test(http_message, methods_are_case_sensitive)
{
    cr_assert_eq(method_lookup(SPAN("GET")), METHOD_GET);
    cr_assert_eq(method_lookup(SPAN("OPTIONS")), METHOD_OPTIONS);
    cr_assert_eq(method_lookup(SPAN("TRACE")), METHOD_TRACE);
    cr_assert_eq(method_lookup(SPAN("get")), METHOD_OTHER);
    cr_assert_eq(method_lookup(SPAN("GETS")), METHOD_OTHER);
    cr_assert_eq(method_lookup(SPAN("")), METHOD_OTHER);
    cr_assert_eq(method_lookup(SPAN("PURGE")), METHOD_OTHER);
}

Test(http_message, what_a_method_promises)
{
    static const struct {
        enum method method;
        bool        safe, idempotent;
    } rows[] = {
        { METHOD_GET, true, true },     { METHOD_HEAD, true, true },    { METHOD_OPTIONS, true, true },
        { METHOD_TRACE, true, true },   { METHOD_PUT, false, true },    { METHOD_DELETE, false, true },
        { METHOD_POST, false, false },  { METHOD_PATCH, false, false }, { METHOD_CONNECT, false, false },
        { METHOD_OTHER, false, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert_eq(method_is_safe(rows[i].method), rows[i].safe);
        cr_assert_eq(method_is_idempotent(rows[i].method), rows[i].idempotent);
    }
}

Test(http_message, registered_reason_phrases)
{
    cr_assert_str_eq(status_reason(100), "Continue");
    cr_assert_str_eq(status_reason(200), "OK");
    cr_assert_str_eq(status_reason(304), "Not Modified");
    cr_assert_str_eq(status_reason(431), "Request Header Fields Too Large");
    cr_assert_str_eq(status_reason(511), "Network Authentication Required");
    cr_assert_str_eq(status_reason(299), "");
    cr_assert_str_eq(status_reason(0), "");
    cr_assert_str_eq(status_reason(999), "");
}
