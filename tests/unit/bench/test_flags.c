/* Flags and rows: what the command line may say, and what is answered when it says something else. */
#include "flags.h"

#include <criterion/criterion.h>
#include <larder/base/clock.h>

struct settings {
    int64_t      count, time, size;
    bool         json;
    struct span  name;
    struct texts header;
};

#define ROW(name, type, least, most, initial, value)                                                         \
    {                                                                                                        \
#name, ROW_##type, offsetof(struct settings, name), least, most, initial, value, "Help."             \
    }

static const struct row rows[] = {
    ROW(count, COUNT, 1, 100, 7, "N"),         ROW(time, TIME, 0, 60 * NSEC_PER_SEC, ROW_ABSENT, "TIME"),
    ROW(size, SIZE, 0, 1 << 20, 1024, "SIZE"), ROW(json, SWITCH, 0, 0, 0, NULL),
    ROW(name, TEXT, 0, 0, 0, "NAME"),          ROW(header, TEXTS, 0, 0, 0, "FIELD"),
};

static const struct command command = { .name = "test",
                                        .operands = "URL",
                                        .operands_least = 1,
                                        .operands_most = 2,
                                        .help = "A test.",
                                        .flags = ROW_TABLE(rows) };

static enum err
parse(struct settings *settings, struct texts *operands, struct fault *fault, int argc, const char **argv)
{
    return flags_parse(&command, argc, (char **)argv, settings, operands, fault);
}

#define PARSE(...)                                                                                           \
    struct settings settings;                                                                                \
    struct texts    operands;                                                                                \
    struct fault    fault = { .text = "" };                                                                  \
    const char     *argv[] = { __VA_ARGS__ };                                                                \
    enum err        err = parse(&settings, &operands, &fault, sizeof argv / sizeof argv[0], argv)

Test(bench_flags, defaults)
{
    PARSE("u");
    cr_assert_eq(err, ERR_NONE);
    cr_assert_eq(settings.count, 7);
    cr_assert_eq(settings.time, ROW_ABSENT);
    cr_assert_eq(settings.size, 1024);
    cr_assert_not(settings.json);
    cr_assert_eq(settings.name.len, 0);
    cr_assert_eq(operands.count, 1);
}

Test(bench_flags, every_type_in_both_forms)
{
    PARSE("--count", "9", "u", "--time=300ms", "--size", "64k", "--json", "--header", "A: b", "--header=C: d",
          "--name=x");
    cr_assert_eq(err, ERR_NONE, "%s", fault.text);
    cr_assert_eq(settings.count, 9);
    cr_assert_eq(settings.time, 300 * NSEC_PER_MSEC);
    cr_assert_eq(settings.size, 65536);
    cr_assert(settings.json);
    cr_assert(span_equal(settings.name, SPAN("x")));
    cr_assert_eq(settings.header.count, 2);
    cr_assert(span_equal(settings.header.at[1], SPAN("C: d")));
}

Test(bench_flags, only_operands_after_two_dashes)
{
    PARSE("--", "--count", "-x");
    cr_assert_eq(err, ERR_NONE, "%s", fault.text);
    cr_assert_eq(operands.count, 2);
    cr_assert_eq(settings.count, 7);
}

#define REFUSES(name, part, ...)                                                                             \
    Test(bench_flags, name)                                                                                  \
    {                                                                                                        \
        PARSE(__VA_ARGS__);                                                                                  \
        cr_assert_neq(err, ERR_NONE);                                                                        \
        cr_assert_not_null(strstr(fault.text, part), "it says: %s", fault.text);                             \
        cr_assert_null(strchr(fault.text, '\n'));                                                            \
    }

REFUSES(an_unknown_flag_with_a_guess, "did you mean --count?", "u", "--cuont", "3")
REFUSES(an_unknown_flag_without_one, "unknown flag --zebra", "u", "--zebra")
REFUSES(a_short_flag, "unknown flag -c", "u", "-c")
REFUSES(a_flag_without_its_value, "--count needs a value: --count N", "u", "--count")
REFUSES(an_empty_text, "--name \"\"", "u", "--name=")
REFUSES(a_value_for_a_switch, "--json takes no value", "u", "--json=yes")
REFUSES(what_is_no_number, "--count \"many\": expected a whole number", "u", "--count", "many")
REFUSES(a_negative_number, "expected a whole number", "u", "--count", "-3")
REFUSES(a_number_below_the_bounds, "expected 1 to 100", "u", "--count", "0")
REFUSES(a_number_above_the_bounds, "expected 1 to 100", "u", "--count", "101")
REFUSES(a_number_beyond_64_bits, "expected", "u", "--count", "99999999999999999999")
REFUSES(a_time_without_a_unit, "--time \"300\"", "u", "--time", "300")
REFUSES(a_time_above_the_bounds, "expected 0 to 1m", "u", "--time", "2m")
REFUSES(a_size_above_the_bounds, "to 1M", "u", "--size", "2M")
REFUSES(no_operand, "URL is missing", "--count", "3")
REFUSES(too_many_operands, "unexpected argument \"c\"", "a", "b", "c")

Test(bench_flags, help_is_asked_for_before_two_dashes_only)
{
    char *asks[] = { "--count", "3", "--help" }, *asks_short[] = { "-h" }, *does_not[] = { "--", "--help" };
    cr_assert(flags_ask_help(3, asks));
    cr_assert(flags_ask_help(1, asks_short));
    cr_assert_not(flags_ask_help(2, does_not));
    cr_assert_not(flags_ask_help(0, NULL));
}

Test(bench_flags, help_shows_every_row_with_its_default)
{
    char  *text = NULL;
    size_t size;
    FILE  *out = open_memstream(&text, &size);
    flags_print_help(&command, out);
    fclose(out);
    for (size_t i = 0; i < command.flags.count; i++)
        cr_assert_not_null(strstr(text, command.flags.rows[i].name));
    cr_assert_not_null(strstr(text, "--count N"));
    cr_assert_not_null(strstr(text, "[7]"));
    cr_assert_not_null(strstr(text, "[1k]"));
    free(text);
}

Test(bench_flags, texts_are_bounded)
{
    struct settings settings;
    struct fault    fault;
    row_defaults(&command.flags, &settings);
    const struct row *row = row_find(&command.flags, SPAN("header"));
    for (int i = 0; i < ROW_TEXTS_MAX; i++)
        cr_assert_eq(row_set(row, &settings, SPAN("A: b"), &fault), ERR_NONE);
    cr_assert_eq(row_set(row, &settings, SPAN("A: b"), &fault), ERR_LIMIT);
    cr_assert_eq(settings.header.count, ROW_TEXTS_MAX);
}
