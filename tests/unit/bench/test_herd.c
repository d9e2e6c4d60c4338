/* What the clients of a herd got, as a few numbers; and small printing. */
#include "herd.h"
#include "load_print.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct client
got(unsigned status, uint64_t digest, nsec first_byte)
{
    return (struct client){ .done = true,
                            .whole = true,
                            .answer = { .status = status, .body = 10 },
                            .digest = digest,
                            .timed = true,
                            .first_byte = first_byte };
}

Test(bench_herd, equal_bodies_and_times)
{
    struct client        clients[] = { got(200, 5, 300), got(200, 5, 100), got(200, 5, 700) };
    struct herd_summary *summary = malloc(sizeof *summary);
    cr_assert_eq(herd_summarise(summary, clients, 3), ERR_NONE);
    cr_assert_eq(summary->whole, 3);
    cr_assert_eq(summary->bodies, 1);
    cr_assert_eq(summary->digest, 5);
    cr_assert_eq(summary->statuses[200], 3);
    cr_assert_eq(summary->first, 100);
    cr_assert_eq(summary->last, 700);
    cr_assert_eq(summary->spread, 600);
    free(summary);
}

Test(bench_herd, different_bodies_and_failures)
{
    struct client        clients[] = { got(200, 5, 1),
                                       got(503, 6, 2),
                                       got(200, 5, 3),
                                       { .error = LOAD_TIMEOUT, .timed = true, .first_byte = 9 },
                                       { .error = LOAD_CONNECT } };
    struct herd_summary *summary = malloc(sizeof *summary);
    cr_assert_eq(herd_summarise(summary, clients, 5), ERR_NONE);
    cr_assert_eq(summary->whole, 3);
    cr_assert_eq(summary->bodies, 2);
    cr_assert_eq(summary->statuses[503], 1);
    cr_assert_eq(summary->errors[LOAD_TIMEOUT], 1);
    cr_assert_eq(summary->errors[LOAD_CONNECT], 1);
    cr_assert_eq(summary->last, 9);
    free(summary);
}

Test(bench_herd, nobody_got_anything)
{
    struct client        clients[] = { { .done = true, .error = LOAD_RESET } };
    struct herd_summary *summary = malloc(sizeof *summary);
    cr_assert_eq(herd_summarise(summary, clients, 1), ERR_NONE);
    cr_assert_eq(summary->whole, 0);
    cr_assert_eq(summary->bodies, 0);
    cr_assert_lt(summary->first, 0);
    free(summary);
}

Test(bench_herd, numbers_in_groups)
{
    char out[GROUPED_SIZE];
    cr_assert_str_eq(format_grouped(0, out), "0");
    cr_assert_str_eq(format_grouped(999, out), "999");
    cr_assert_str_eq(format_grouped(1000, out), "1,000");
    cr_assert_str_eq(format_grouped(1234567, out), "1,234,567");
    cr_assert_str_eq(format_grouped(UINT64_MAX, out), "18,446,744,073,709,551,615");
}

Test(bench_herd, json_strings_are_escaped)
{
    char  *text = NULL;
    size_t size;
    FILE  *out = open_memstream(&text, &size);
    print_json_string(SPAN("a\"\\\n\xff"), out);
    fclose(out);
    cr_assert_str_eq(text, "\"a\\\"\\\\\\u000a\\u00ff\"");
    free(text);
}

Test(bench_herd, a_column_is_a_character_not_a_byte)
{
    char  *text = NULL;
    size_t size;
    FILE  *out = open_memstream(&text, &size);
    print_right("1 \xc2\xb5s", 6, out);
    print_right("12 ms", 6, out);
    print_right("long enough", 6, out);
    fclose(out);
    cr_assert_str_eq(text, "  1 \xc2\xb5s 12 mslong enough");
    free(text);
}
