/* test_values.c: hashes, clocks, units, options, counters, histograms, errors. */
#include <criterion/criterion.h>
#include <errno.h>
#include <larder/base/clock.h>
#include <larder/base/err.h>
#include <larder/base/hash.h>
#include <larder/base/histogram.h>
#include <larder/base/metric.h>
#include <larder/base/option.h>
#include <larder/base/units.h>
#include <stdlib.h>

Test(base_hash, depends_on_the_seed_and_nothing_else)
{
    struct hash_seed one, two, same;

    hash_seed_random(&one);
    hash_seed_random(&two);
    memcpy(same.seed, one.seed, sizeof one.seed);
    hash_seed_expand(&same);
    cr_assert(digest_equal(hash_digest(&one, SPAN("key")), hash_digest(&same, SPAN("key"))));
    cr_assert_eq(hash_u64(&one, SPAN("key")), hash_u64(&same, SPAN("key")));
    cr_assert_not(digest_equal(hash_digest(&one, SPAN("key")), hash_digest(&two, SPAN("key"))));
    cr_assert_not(digest_equal(hash_digest(&one, SPAN("key")), hash_digest(&one, SPAN("kez"))));
}

Test(base_hash, a_stream_is_its_pieces_joined)
{
    struct hash_stream *stream = hash_stream_create();

    for (int round = 0; round < 2; round++) {
        hash_stream_begin(stream);
        hash_stream_add(stream, SPAN("hello "));
        hash_stream_add(stream, SPAN_EMPTY);
        hash_stream_add(stream, SPAN("world"));
        cr_assert_eq(hash_stream_end(stream), hash_checksum(SPAN("hello world")));
    }
    hash_stream_destroy(&stream);
    cr_assert_null(stream);
}

Test(base_clock, sums_saturate)
{
    cr_assert_eq(mono_add((mono_time){ INT64_MAX - 1 }, 5).ns, INT64_MAX);
    cr_assert_eq(wall_add((wall_time){ INT64_MIN + 1 }, -5).ns, INT64_MIN);
    cr_assert_eq(wall_from_seconds(INT64_MAX).ns, INT64_MAX);
    cr_assert_eq(wall_from_seconds(INT64_MIN).ns, INT64_MIN);
    mono_time before = clock_mono();
    cr_assert_geq(clock_mono().ns, before.ns);
    cr_assert_gt(wall_seconds(clock_wall()), 1700000000);
    cr_assert_geq(clock_thread_cpu(), 0);
}

Test(base_units, sizes)
{
    static const struct {
        const char *text;
        uint64_t    bytes;
    } good[] = { { "64k", 65536 }, { "64K", 65536 }, { "1M", 1 << 20 }, { "3G", UINT64_C(3) << 30 }, { "2T", UINT64_C(2) << 40 }, { "0", 0 } };
    struct fault fault;
    uint64_t     bytes;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert_eq(units_parse_size(span_of_text(good[i].text), &bytes, &fault), ERR_NONE);
        cr_assert_eq(bytes, good[i].bytes);
    }
    cr_assert_eq(units_parse_size(SPAN("10"), &bytes, &fault), ERR_SYNTAX);
    cr_assert_str_eq(fault.text, "\"10\" has no unit; write 10k, 10M or 10G");
    cr_assert_eq(units_parse_size(SPAN("9999999999T"), &bytes, &fault), ERR_RANGE);
    for (const char *const *bad = (const char *const[]){ "", "k", "-1k", "1.5G", "1 k", "1kb", "1KiB", NULL }; *bad; bad++)
        cr_assert_eq(units_parse_size(span_of_text(*bad), &bytes, &fault), ERR_SYNTAX, "%s", *bad);
}

Test(base_units, decimals)
{
    static const struct {
        const char *text;
        double      number;
    } good[] = { { "0", 0 }, { "1", 1 }, { "0.7", 0.7 }, { "12.25", 12.25 }, { "0.000001", 0.000001 }, { "007", 7 } };
    struct fault fault;
    double       number;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert_eq(units_parse_decimal(span_of_text(good[i].text), &number, &fault), ERR_NONE);
        cr_assert_float_eq(number, good[i].number, 1e-12);
    }
    for (const char *const *bad = (const char *const[]){ "", ".", ".5", "1.", "-1", "1e3", "0.0000001", "1.2.3", "1 ",
                                                         "99999999999", NULL };
         *bad; bad++)
        cr_assert_eq(units_parse_decimal(span_of_text(*bad), &number, &fault), ERR_SYNTAX, "%s", *bad);
    cr_assert_str_eq(fault.text, "\"99999999999\" is not a number like 1 or 0.7");
}

Test(base_units, rates)
{
    static const struct {
        const char *text;
        uint64_t    count;
        nsec        period;
    } good[] = { { "50/s", 50, NSEC_PER_SEC },
                 { "300/m", 300, 60 * NSEC_PER_SEC },
                 { "5k/h", 5000, 3600 * NSEC_PER_SEC },
                 { "1/d", 1, 86400 * NSEC_PER_SEC } };
    struct fault fault;
    uint64_t     count;
    nsec         period;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert_eq(units_parse_rate(span_of_text(good[i].text), &count, &period, &fault), ERR_NONE);
        cr_assert(count == good[i].count && period == good[i].period, "%s", good[i].text);
    }
    for (const char *const *bad = (const char *const[]){ "", "50", "/s", "k/s", "50/", "50/ms", "50/y",
                                                         "-1/s", "5K/s", "5M/s", "1/s/s", " 1/s", NULL };
         *bad; bad++)
        cr_assert_eq(units_parse_rate(span_of_text(*bad), &count, &period, &fault), ERR_SYNTAX, "%s", *bad);
    cr_assert_str_eq(fault.text, "\" 1/s\" is not a rate; a rate is a number in s, m, h, d or w, like 50/s");
    cr_assert_eq(units_parse_rate(SPAN("0/s"), &count, &period, &fault), ERR_RANGE);
    cr_assert_eq(units_parse_rate(SPAN("1000001k/s"), &count, &period, &fault), ERR_RANGE);
}

Test(base_units, times)
{
    static const struct {
        const char *text;
        nsec        time;
    } good[] = { { "300ms", 300 * NSEC_PER_MSEC }, { "2m", 120 * NSEC_PER_SEC }, { "1h", 3600 * NSEC_PER_SEC },
                 { "365d", 365 * 86400 * NSEC_PER_SEC }, { "1w", 7 * 86400 * NSEC_PER_SEC }, { "0", 0 }, { "0s", 0 } };
    struct fault fault;
    nsec         time;

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert_eq(units_parse_time(span_of_text(good[i].text), &time, &fault), ERR_NONE);
        cr_assert_eq(time, good[i].time);
    }
    cr_assert_eq(units_parse_time(SPAN("10"), &time, &fault), ERR_SYNTAX);
    cr_assert_str_eq(fault.text, "\"10\" has no unit; write 10s, 10m or 10h");
    cr_assert_eq(units_parse_time(SPAN("1M"), &time, &fault), ERR_SYNTAX, "a month is not a time");
    cr_assert_eq(units_parse_time(SPAN("999999999w"), &time, &fault), ERR_RANGE);
}

Test(base_units, written_and_rounded)
{
    char out[UNITS_TEXT_SIZE];

    cr_assert_str_eq(units_format_size(1536 * 1024, out), "1536k");
    cr_assert_str_eq(units_format_size(1 << 30, out), "1G");
    cr_assert_str_eq(units_format_size(1000, out), "1000");
    cr_assert_str_eq(units_format_time(90 * NSEC_PER_SEC, out), "90s");
    cr_assert_str_eq(units_format_time(7200 * NSEC_PER_SEC, out), "2h");
    cr_assert_str_eq(units_format_time(0, out), "0");
    cr_assert_str_eq(units_round_size(1530000, out), "1.46 MiB");
    cr_assert_str_eq(units_round_size(1023, out), "1023 B");
    cr_assert_str_eq(units_round_size(UINT64_MAX, out), "16.0 EiB");
    cr_assert_str_eq(units_round_time(12345678, out), "12.3 ms");
    cr_assert_str_eq(units_round_time(999, out), "999 ns");
    cr_assert_str_eq(units_round_time(90 * NSEC_PER_SEC, out), "90.0 s");
}

struct settings {
    nsec     time;
    uint64_t size, count;
    bool     on;
};

static const struct option_row rows[] = {
    { "time", OPTION_TIME, offsetof(struct settings, time), NSEC_PER_SEC, 60 * NSEC_PER_SEC, 5 * NSEC_PER_SEC, "A time." },
    { "size", OPTION_SIZE, offsetof(struct settings, size), 0, 1 << 20, 4096, "A size." },
    { "count", OPTION_COUNT, offsetof(struct settings, count), 1, 9, 3, "A count." },
    { "on", OPTION_SWITCH, offsetof(struct settings, on), 0, 1, 1, "A switch." },
};
static const struct option_table table = { rows, 4 };

Test(base_option, a_row_parses_checks_and_stores)
{
    struct settings settings;
    struct fault    fault;

    option_defaults(&table, &settings);
    cr_assert(settings.time == 5 * NSEC_PER_SEC && settings.size == 4096 && settings.count == 3 && settings.on);
    cr_assert_eq(option_set(option_find(&table, SPAN("time")), &settings, SPAN("10s"), &fault), ERR_NONE);
    cr_assert_eq(option_set(option_find(&table, SPAN("size")), &settings, SPAN("64k"), &fault), ERR_NONE);
    cr_assert_eq(option_set(option_find(&table, SPAN("count")), &settings, SPAN("9"), &fault), ERR_NONE);
    cr_assert_eq(option_set(option_find(&table, SPAN("on")), &settings, SPAN("off"), &fault), ERR_NONE);
    cr_assert(settings.time == 10 * NSEC_PER_SEC && settings.size == 65536 && settings.count == 9 && !settings.on);
    cr_assert_null(option_find(&table, SPAN("Time")));
}

Test(base_option, what_is_out_of_bounds_changes_nothing)
{
    static const struct {
        const char *name, *value;
        enum err    err;
        const char *says;
    } bad[] = {
        { "time", "100ms", ERR_RANGE, "\"100ms\" is too small: at least 1s" },
        { "time", "2m", ERR_RANGE, "\"2m\" is too large: at most 1m" },
        { "size", "2M", ERR_RANGE, "\"2M\" is too large: at most 1M" },
        { "count", "0", ERR_RANGE, "\"0\" is too small: at least 1" },
        { "count", "x", ERR_SYNTAX, "\"x\" is not a number" },
        { "on", "yes", ERR_SYNTAX, "\"yes\" is neither on nor off" },
    };
    struct settings settings, before;
    struct fault    fault;

    option_defaults(&table, &settings);
    before = settings;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(option_set(option_find(&table, span_of_text(bad[i].name)), &settings, span_of_text(bad[i].value), &fault), bad[i].err);
        cr_assert_str_eq(fault.text, bad[i].says);
    }
    cr_assert(settings.time == before.time && settings.size == before.size && settings.count == before.count && settings.on == before.on);
}

#define TEST_METRICS(X)                             \
    X(hits, COUNTER, "requests", "Hits there were.") \
    X(open, GAUGE, "connections", "Connections open now.")
METRIC_STRUCT(test_metrics, TEST_METRICS);
#define METRIC_TYPE_ struct test_metrics
METRIC_TABLE(test_metrics, "test", TEST_METRICS);

Test(base_metric, a_row_reads_its_cell)
{
    struct test_metrics metrics = { 0 };

    metric_add(&metrics.hits, 3);
    metric_add(&metrics.open, 2);
    metric_sub(&metrics.open, 1);
    cr_assert_eq(test_metrics_table.count, 2);
    cr_assert_str_eq(test_metrics_table.rows[1].name, "open");
    cr_assert_eq(test_metrics_table.rows[1].kind, METRIC_GAUGE);
    cr_assert_eq(metric_read_row(&metrics, &test_metrics_table.rows[0]), 3);
    cr_assert_eq(metric_read_row(&metrics, &test_metrics_table.rows[1]), 1);
    metric_set(&metrics.open, 9);
    cr_assert_eq(metric_read(&metrics.open), 9);
}

Test(base_histogram, is_right_to_a_64th)
{
    struct histogram *histogram = malloc(sizeof *histogram);

    for (uint64_t value = 1; value < INT64_MAX / 3; value = value * 3 + 1) {
        histogram_init(histogram);
        histogram_add(histogram, value);
        histogram_add(histogram, value * 2);
        uint64_t seen = histogram_percentile(histogram, 50);
        cr_assert_geq(seen, value);
        cr_assert_leq(seen - value, value / 64 + 1);
    }
    histogram_init(histogram);
    cr_assert_eq(histogram_percentile(histogram, 99), 0);
    for (uint64_t i = 1; i <= 1000; i++)
        histogram_add(histogram, i);
    cr_assert_eq(histogram_percentile(histogram, 100), 1000);
    cr_assert_eq(histogram_percentile(histogram, 0), 1);
    cr_assert_eq(histogram->least, 1);
    cr_assert_float_eq(histogram_mean(histogram), 500.5, 0.01);
    histogram_add(histogram, UINT64_MAX);
    cr_assert_eq(histogram->most, INT64_MAX);
    free(histogram);
}

Test(base_histogram, corrects_and_adds)
{
    struct histogram *one = malloc(sizeof *one), *two = malloc(sizeof *two);

    histogram_init(one);
    histogram_init(two);
    histogram_add_corrected(one, 100, 10); /* stands for 100, 90, ... 10 */
    cr_assert_eq(one->total, 10);
    cr_assert_eq(one->least, 10);
    histogram_add_corrected(two, 5, 10);
    histogram_add_corrected(two, 100, 0);
    cr_assert_eq(two->total, 2);
    histogram_merge(one, two);
    cr_assert_eq(one->total, 12);
    cr_assert_eq(one->least, 5);
    cr_assert_eq(one->most, 100);
    free(one);
    free(two);
}

Test(base_histogram, subtracts_what_was_there_earlier)
{
    struct histogram *all = malloc(sizeof *all), *earlier = malloc(sizeof *earlier);

    histogram_init(all);
    histogram_add(all, 1000);
    histogram_add(all, 3);
    *earlier = *all;
    histogram_add(all, 7);
    histogram_add(all, 9);
    histogram_subtract(all, earlier);
    cr_assert_eq(all->total, 2);
    cr_assert_eq(histogram_percentile(all, 50), 7);
    cr_assert_eq(histogram_percentile(all, 100), 9);
    cr_assert_float_eq(histogram_mean(all), 8, 1e-9);
    cr_assert_eq(all->most, 1000);
    free(all);
    free(earlier);
}

Test(base_err, names_texts_and_lines)
{
    struct fault fault;

    for (int i = 0; i < ERR_COUNT; i++) {
        cr_assert_gt(strlen(err_name((enum err)i)), 0);
        cr_assert_gt(strlen(err_text((enum err)i)), 5);
    }
    cr_assert_str_eq(err_name(ERR_NOT_FOUND), "not-found");
    cr_assert_str_eq(err_name(ERR_SYSTEM), "system");
    cr_assert_eq(err_from_errno(ENOSPC), ERR_FULL);
    cr_assert_eq(err_from_errno(ECONNRESET), ERR_RESET);
    cr_assert_eq(err_from_errno(12345), ERR_SYSTEM);
    cr_assert_eq(fault_set(&fault, ERR_RANGE, "%s:%d", "here", 7), ERR_RANGE);
    cr_assert_str_eq(fault.text, "here:7");
    cr_assert_eq(fault_set_errno(&fault, ENOENT, "/a"), ERR_NOT_FOUND);
    cr_assert_str_eq(fault.text, "/a: No such file or directory");
}
