/* test_structured.c: structured fields at the edges of their grammar, and written ones read back. */
#include <criterion/criterion.h>
#include <larder/http/structured.h>

#include "given.h"

enum { OUT = 1024 };

static void put_member(const struct sf_member *member, char out[static OUT]);

static void
put(char out[static OUT], const char *format, ...)
{
    size_t  length = strlen(out);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(out + length, OUT - length, format, arguments);
    va_end(arguments);
}

/* A letter for the type, then the value. */
static void
put_value(const struct sf_value *value, char out[static OUT])
{
    struct span      rest = value->text;
    struct sf_member item;

    switch (value->type) {
    case SF_INTEGER:
        put(out, "i%lld", (long long)value->number);
        break;
    case SF_DECIMAL:
        put(out, "d%lld", (long long)value->number);
        break;
    case SF_STRING:
        put(out, value->escaped ? "S<%.*s>" : "s<%.*s>", SPAN_ARG(value->text));
        break;
    case SF_TOKEN:
        put(out, "t<%.*s>", SPAN_ARG(value->text));
        break;
    case SF_BYTES:
        put(out, "b<%.*s>", SPAN_ARG(value->text));
        break;
    case SF_BOOLEAN:
        put(out, value->boolean ? "yes" : "no");
        break;
    case SF_INNER_LIST:
        put(out, "(");
        while (sf_inner_next(&rest, &item)) {
            put_member(&item, out);
            put(out, ".");
        }
        cr_assert_eq(rest.len, 0);
        put(out, ")");
        break;
    }
}

static void
put_member(const struct sf_member *member, char out[static OUT])
{
    struct span     rest = member->params, key;
    struct sf_value value;

    if (member->key.len > 0)
        put(out, "%.*s:", SPAN_ARG(member->key));
    put_value(&member->value, out);
    while (sf_param_next(&rest, &key, &value)) {
        put(out, ";%.*s:", SPAN_ARG(key));
        put_value(&value, out);
    }
    cr_assert_eq(rest.len, 0);
}

typedef bool walk_next(struct sf_walk *walk, struct sf_member *member);

static const char *
walked(struct sf_walk *walk, walk_next *next, char out[static OUT])
{
    struct sf_member member;
    bool             any = false;

    out[0] = '\0';
    for (; next(walk, &member); any = true) {
        put(out, any ? " " : "");
        put_member(&member, out);
    }
    cr_assert_not(next(walk, &member)); /* the end stays the end */
    return walk->failed ? "failed" : out;
}

struct row {
    const char *value, *form;
};

static void
check_rows(const struct row *rows, size_t count, walk_next *next)
{
    char           out[OUT];
    struct sf_walk walk;

    for (size_t i = 0; i < count; i++) {
        sf_walk_value(&walk, span_of_text(rows[i].value));
        const char *form = walked(&walk, next, out);
        cr_assert_str_eq(form, rows[i].form, "%s: %s", rows[i].value, form);
    }
}

#define CHECK_ROWS(rows, next) check_rows(rows, sizeof(rows) / sizeof(rows)[0], next)

Test(http_structured, items)
{
    static const struct row rows[] = {
        { "0", "i0" },
        { "-0", "i0" },
        { "42", "i42" },
        { "0042", "i42" },
        { "-42", "i-42" },
        { "999999999999999", "i999999999999999" },
        { "-999999999999999", "i-999999999999999" },
        { "1000000000000000", "failed" },
        { "0000000000000001", "failed" },
        { "-", "failed" },
        { "--1", "failed" },
        { "+1", "failed" },
        { "1e3", "failed" },
        { "1.0", "d1000" },
        { "-1.25", "d-1250" },
        { "0.001", "d1" },
        { "-0.001", "d-1" },
        { "123456789012.123", "d123456789012123" },
        { "1234567890123.1", "failed" },
        { "1.1234", "failed" },
        { "1.", "failed" },
        { ".1", "failed" },
        { "1.2.3", "failed" },
        { "1.-2", "failed" },
        { "\"\"", "s<>" },
        { "\"a b\"", "s<a b>" },
        { "\"a\\\"\\\\b\"", "S<a\\\"\\\\b>" },
        { "\"a\\b\"", "failed" },
        { "\"a", "failed" },
        { "\"a\\", "failed" },
        { "\"a\\\"", "failed" },
        { "\"a\tb\"", "failed" },
        { "\"\x7f\"", "failed" },
        { "\"caf\xc3\xa9\"", "failed" },
        { "'a'", "failed" },
        { "a", "t<a>" },
        { "A:b/c!#$%&'*+-.^_`|~1", "t<A:b/c!#$%&'*+-.^_`|~1>" },
        { "*", "t<*>" },
        { "*/*", "t<*/*>" },
        { "a\"b\"", "failed" },
        { "a=b", "failed" },
        { "a(b)", "failed" },
        { "_a", "failed" },
        { "/a", "failed" },
        { "::", "b<>" },
        { ":aGVsbG8=:", "b<aGVsbG8=>" },
        { ":aGVsbG8:", "b<aGVsbG8>" }, /* padding made up for */
        { ":aGVsbA==:", "b<aGVsbA==>" },
        { ":+/A0:", "b<+/A0>" },
        { ":aGVsbA=:", "failed" },
        { ":aGVsb===:", "failed" },
        { ":aGVs====:", "failed" },
        { ":aGVsb:", "failed" },
        { ":=:", "failed" },
        { ":a=Vs:", "failed" },
        { ":aG Vs:", "failed" },
        { ":aG-_:", "failed" },
        { ":aGVs", "failed" },
        { ":", "failed" },
        { "?0", "no" },
        { "?1", "yes" },
        { "?", "failed" },
        { "?2", "failed" },
        { "?10", "failed" },
        { "?T", "failed" },
        { "@1659578233", "failed" }, /* RFC 9651 */
        { "%\"a\"", "failed" },
        { "a;b", "t<a>;b:yes" },
        { "a;b=1;c=?0;b=2", "t<a>;b:i1;c:no;b:i2" },
        { "a;  b=\";\";*c-d._1=:YQ==:", "t<a>;b:s<;>;*c-d._1:b<YQ==>" },
        { "a;", "failed" },
        { "a ;b", "failed" },
        { "a; ;b", "failed" },
        { "a;\tb", "failed" },
        { "a;B", "failed" },
        { "a;1", "failed" },
        { "a;b=", "failed" },
        { "a;b= 1", "failed" },
        { "a;b =1", "failed" },
        { "a;b=(1)", "failed" },
        { "1 2", "failed" },
        { "  a  ", "t<a>" },
        { "\ta", "failed" },
        { ")", "failed" },
    };

    CHECK_ROWS(rows, sf_list_next);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sf_member item;
        char             out[OUT] = "";
        bool             is_item = sf_item_parse(span_of_text(rows[i].value), &item);
        cr_assert_eq(is_item, strcmp(rows[i].form, "failed") != 0, "%s", rows[i].value);
        if (is_item)
            put_member(&item, out);
        cr_assert(!is_item || strcmp(out, rows[i].form) == 0, "%s: %s", rows[i].value, out);
    }
}

Test(http_structured, an_item_is_one_and_bare)
{
    static const char *const bad[] = { "", " ", "1, 2", "(1)", "a,", "a b" };
    struct sf_member         item;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(sf_item_parse(span_of_text(bad[i]), &item), "%s", bad[i]);
    cr_assert_not(sf_item_parse(SPAN_EMPTY, &item));
}

Test(http_structured, lists)
{
    static const struct row rows[] = {
        { "", "" },
        { "   ", "" },
        { "a, 1,\"x, y\"", "t<a> i1 s<x, y>" },
        { "a ,\t b", "t<a> t<b>" },
        { "a\t,b", "t<a> t<b>" },
        { "a;x=1, b;y", "t<a>;x:i1 t<b>;y:yes" },
        { "()", "()" },
        { "(  )", "()" },
        { "( a  1;x \"b\" );y, c", "(t<a>.i1;x:yes.s<b>.);y:yes t<c>" },
        { "(a), (b c)", "(t<a>.) (t<b>.t<c>.)" },
        { "(\")\" :YQ==:)", "(s<)>.b<YQ==>.)" },
        { "(a", "failed" },
        { "(a ", "failed" },
        { "(", "failed" },
        { "(a\tb)", "failed" },
        { "(a,b)", "failed" },
        { "((a))", "failed" },
        { "(\"a\"\"b\")", "failed" },
        { "(a) b", "failed" },
        { "(a)b", "failed" },
        { "a,", "failed" },
        { "a, ", "failed" },
        { ",a", "failed" },
        { ",", "failed" },
        { "a,,b", "failed" },
        { "a b", "failed" },
        { "a;b, c d", "failed" },
    };

    CHECK_ROWS(rows, sf_list_next);
}

Test(http_structured, dictionaries)
{
    static const struct row rows[] = {
        { "", "" },
        { "a", "a:yes" },
        { "a=?0, b, *c=1, d-e_f.g*=x", "a:no b:yes *c:i1 d-e_f.g*:t<x>" },
        { "a;x=1;y, b=2;z", "a:yes;x:i1;y:yes b:i2;z:yes" },
        { "a=(1 2);x", "a:(i1.i2.);x:yes" },
        { "a=1, a=2", "a:i1 a:i2" },
        { "a=1 , b=2", "a:i1 b:i2" },
        { "a=", "failed" },
        { "a= 1", "failed" },
        { "a =1", "failed" },
        { "A=1", "failed" },
        { "aA=1", "failed" },
        { "1=1", "failed" },
        { "=1", "failed" },
        { "-a=1", "failed" },
        { "a==1", "failed" },
        { "\"a\"=1", "failed" },
        { "a=1,", "failed" },
        { "a=1;", "failed" },
        { "max-age=10000, &&&&&", "failed" },
    };

    CHECK_ROWS(rows, sf_dictionary_next);
}

/* The lines of a field, against what the joined text would be. */
Test(http_structured, lines_are_one_list)
{
    static const struct row rows[] = {
        { "", "" },
        { "CDN-Cache-Control:\r\n", "" },
        { "CDN-Cache-Control: a\r\nX: y\r\ncdn-cache-control: b;c, d\r\n", "t<a> t<b>;c:yes t<d>" },
        { "CDN-Cache-Control: a\r\nCDN-Cache-Control:\r\n", "failed" },
        { "CDN-Cache-Control:\r\nCDN-Cache-Control: a\r\n", "failed" },
        { "CDN-Cache-Control:\r\nCDN-Cache-Control:\r\n", "failed" },
        { "CDN-Cache-Control: a,\r\nCDN-Cache-Control: b\r\n", "failed" },
        { "CDN-Cache-Control: a\r\nCDN-Cache-Control: ,b\r\n", "failed" },
        { "CDN-Cache-Control: \"a\r\nCDN-Cache-Control: b\"\r\n", "failed" },
        { "CDN-Cache-Control: (a\r\nCDN-Cache-Control: b)\r\n", "failed" },
    };
    struct given   given;
    struct sf_walk walk;
    char           out[OUT];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct head *head = given_response(&given, "HTTP/1.1 200 OK", rows[i].value);
        sf_walk_head(&walk, head, FIELD_CDN_CACHE_CONTROL);
        const char *form = walked(&walk, sf_list_next, out);
        cr_assert_str_eq(form, rows[i].form, "%s: %s", rows[i].value, form);
    }
}

Test(http_structured, of_two_parameters_the_last_counts)
{
    struct sf_value value = { 0 };

    cr_assert(sf_param_find(SPAN(";a=1;b=2;a=3"), SPAN("a"), &value));
    cr_assert_eq(value.number, 3);
    cr_assert(sf_param_find(SPAN(";a=1;b"), SPAN("b"), &value));
    cr_assert(value.type == SF_BOOLEAN && value.boolean);
    cr_assert_not(sf_param_find(SPAN(";a=1;b"), SPAN("c"), &value));
    cr_assert_not(sf_param_find(SPAN(""), SPAN("a"), &value));
}

Test(http_structured, backslashes_are_undone)
{
    struct sf_member item;
    char             out[8];

    cr_assert(sf_item_parse(SPAN("\"a\\\"\\\\b\""), &item));
    cr_assert_eq(sf_string_copy(&item.value, out, sizeof out), 4);
    cr_assert(memcmp(out, "a\"\\b", 4) == 0);
    cr_assert_eq(sf_string_copy(&item.value, out, 2), 2);
    cr_assert(sf_string_is(&item.value, SPAN("a\"\\b")));
    cr_assert_not(sf_string_is(&item.value, SPAN("a\"\\")));
    cr_assert_not(sf_string_is(&item.value, SPAN("a\"\\bc")));
    cr_assert_not(sf_string_is(&item.value, SPAN("a\"\\c")));
    cr_assert(sf_item_parse(SPAN("a"), &item));
    cr_assert_not(sf_string_is(&item.value, SPAN("a")));
}

Test(http_structured, what_is_written)
{
    char          bytes[256];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    sf_write_text(&writer, SPAN("larder"));
    sf_write_param_flag(&writer, SPAN("hit"));
    sf_write_param_integer(&writer, SPAN("ttl"), -30);
    sf_write_param_text(&writer, SPAN("fwd"), SPAN("uri-miss"));
    sf_write_param_text(&writer, SPAN("detail"), SPAN("a \"b\"\\"));
    sf_write_param_text(&writer, SPAN("key"), SPAN(""));
    sf_write_param_text(&writer, SPAN("n"), SPAN("1a"));
    write_raw(&writer, SPAN(", "));
    sf_write_token(&writer, SPAN("*/x:y"));
    write_raw(&writer, SPAN(", "));
    sf_write_boolean(&writer, false);
    write_raw(&writer, SPAN(", "));
    sf_write_integer(&writer, 999999999999999);
    write_raw(&writer, SPAN(", "));
    sf_write_integer(&writer, 0);
    cr_assert_not(writer.failed);
    cr_assert(given_is(writer_span(&writer),
                       "larder;hit;ttl=-30;fwd=uri-miss;detail=\"a \\\"b\\\"\\\\\";key=\"\";"
                       "n=\"1a\", */x:y, ?0, 999999999999999, 0"),
              "%.*s", SPAN_ARG(writer_span(&writer)));
}

static bool
fails(void (*write)(struct writer *writer, struct span text), struct span text)
{
    char          bytes[64];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    write(&writer, text);
    return writer.failed;
}

Test(http_structured, what_cannot_be_written)
{
    char          bytes[64];
    struct writer writer;

    cr_assert(fails(sf_write_string, SPAN("a\r\nb")));
    cr_assert(fails(sf_write_string, SPAN("\t")));
    cr_assert(fails(sf_write_string, SPAN("\x7f")));
    cr_assert(fails(sf_write_text, SPAN("caf\xc3\xa9")));
    cr_assert(fails(sf_write_text, span_of("a\0", 2)));
    cr_assert(fails(sf_write_token, SPAN("")));
    cr_assert(fails(sf_write_token, SPAN("1a")));
    cr_assert(fails(sf_write_token, SPAN("a b")));
    cr_assert(fails(sf_write_param_flag, SPAN("")));
    cr_assert(fails(sf_write_param_flag, SPAN("A")));
    cr_assert(fails(sf_write_param_flag, SPAN("1")));
    cr_assert(fails(sf_write_param_flag, SPAN("a=b")));
    cr_assert_not(fails(sf_write_param_flag, SPAN("*a1_-.*")));
    writer_init(&writer, bytes, sizeof bytes);
    sf_write_integer(&writer, INT64_C(1000000000000000));
    cr_assert(writer.failed);
    writer_init(&writer, bytes, sizeof bytes);
    sf_write_integer(&writer, INT64_MIN);
    cr_assert(writer.failed);
}
