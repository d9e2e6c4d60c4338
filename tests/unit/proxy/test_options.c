/* test_options.c: the table of the limits: what holds without a word of the operator, and how far each may go.
 */
#include <criterion/criterion.h>
#include <larder/http/chunked.h>
#include <larder/http/range.h>
#include <larder/proxy/worker.h>

static enum err
set(struct proxy_settings *settings, const char *name, const char *value)
{
    const struct option_row *row = option_find(&proxy_options, span_of_text(name));
    struct fault             fault;

    cr_assert_not_null(row, "%s", name);
    return option_set(row, settings, span_of_text(value), &fault);
}

Test(proxy_options, every_row_begins_within_its_bounds)
{
    for (size_t i = 0; i < proxy_options.count; i++) {
        const struct option_row *row = &proxy_options.rows[i];
        cr_expect(row->least <= row->initial && row->initial <= row->most, "%s", row->name);
        cr_expect_eq(row->help[strlen(row->help) - 1], '.', "%s", row->name);
    }
}

/* Who decodes without a configuration decodes the same. */
Test(proxy_options, chunks_are_bounded_as_the_decoder_has_it)
{
    struct proxy_settings settings;

    option_defaults(&proxy_options, &settings);
    cr_expect_eq(settings.extension_size, chunk_limits_initial.extensions);
    cr_expect_eq(settings.trailer_size, chunk_limits_initial.trailer);
    cr_expect_eq(set(&settings, "extension-size", "0"), ERR_NONE);
    cr_expect_eq(settings.extension_size, 0);
    cr_expect_eq(set(&settings, "extension-size", "1M"), ERR_NONE);
    cr_expect_neq(set(&settings, "extension-size", "2M"), ERR_NONE);
    cr_expect_neq(set(&settings, "extension-size", "8G"), ERR_NONE); /* beyond 32 bits */
    cr_expect_neq(set(&settings, "trailer-size", "0"), ERR_NONE);
    cr_expect_neq(set(&settings, "trailer-size", "2M"), ERR_NONE);
    cr_expect_eq(settings.trailer_size, chunk_limits_initial.trailer);
}

Test(proxy_options, ranges_have_room)
{
    struct proxy_settings settings;

    option_defaults(&proxy_options, &settings);
    cr_expect_eq(settings.ranges, RANGES_MAX);
    cr_expect_eq(set(&settings, "ranges", "1"), ERR_NONE);
    cr_expect_eq(settings.ranges, 1);
    cr_expect_neq(set(&settings, "ranges", "0"), ERR_NONE);
    cr_expect_neq(set(&settings, "ranges", "17"), ERR_NONE);
}

Test(proxy_options, a_turn_takes_somebody_further)
{
    struct proxy_settings settings;

    option_defaults(&proxy_options, &settings);
    cr_expect_eq(settings.pipeline_turn, 32);
    cr_expect_neq(set(&settings, "pipelined-requests", "0"), ERR_NONE);
}

Test(proxy_options, no_exchange_is_ended_unasked)
{
    struct proxy_settings settings;

    option_defaults(&proxy_options, &settings);
    cr_expect_eq(settings.exchange_timeout, 0);
    cr_expect_eq(set(&settings, "exchange-timeout", "24h"), ERR_NONE);
    cr_expect_neq(set(&settings, "exchange-timeout", "25h"), ERR_NONE);
    cr_expect_eq(set(&settings, "exchange-timeout", "0"), ERR_NONE);
}
