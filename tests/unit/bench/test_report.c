/* The page: whose JSON it knows, and that no JSON breaks it. */
#include "report.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static enum report_kind
kind(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    cr_assert_not_null(json, "%s", text);
    enum report_kind found = report_kind_of(json);
    json_decref(json);
    return found;
}

Test(bench_report, knows_whose_json_it_is)
{
    cr_assert_eq(kind("{\"urls\":[],\"latency_us\":{}}"), REPORT_LOAD);
    cr_assert_eq(kind("{\"trace\":\"a\",\"latency_us\":{}}"), REPORT_REPLAY);
    cr_assert_eq(kind("{\"trace\":\"a\",\"results\":[]}"), REPORT_SIMULATE);
    cr_assert_eq(kind("{\"sizes\":{}}"), REPORT_COST);
    cr_assert_eq(kind("{\"versions\":{},\"idle\":{}}"), REPORT_COST);
    cr_assert_eq(kind("{}"), REPORT_UNKNOWN);
    cr_assert_eq(kind("[1]"), REPORT_UNKNOWN);
    cr_assert_eq(kind("{\"latency_us\":1,\"results\":2,\"sizes\":3}"), REPORT_UNKNOWN);
}

static void
expect_name(const char *path, const char *wanted)
{
    char name[CHART_TEXT];
    report_name(span_of_text(path), name);
    cr_assert_str_eq(name, wanted);
}

Test(bench_report, names_files_without_folder_and_ending)
{
    expect_name("a/b/hit-1k.json", "hit-1k");
    expect_name("hit", "hit");
    expect_name("a/", "");
    expect_name("0123456789012345678901.json", "0123456789012345678901");
    expect_name("01234567890123456789012.json", "0123456789012345678901…");
    expect_name("012345678901234567890µm.json", "012345678901234567890…"); /* not half of the µ */
}

/* The page of one file with this in it; to be freed. */
static char *
page(const char *json)
{
    struct report report = { .count = 1 };
    char         *text;
    size_t        size;
    FILE         *out = open_memstream(&text, &size);
    report.sources[0].json = json_loads(json, 0, NULL);
    cr_assert_not_null(report.sources[0].json, "%s", json);
    report.sources[0].kind = report_kind_of(report.sources[0].json);
    snprintf(report.sources[0].name, CHART_TEXT, "<file>");
    report_page(&report, out);
    fclose(out);
    json_decref(report.sources[0].json);
    cr_assert_not_null(strstr(text, "</html>"));
    cr_assert_null(strstr(text, "<file>"));
    return text;
}

Test(bench_report, costs)
{
    char *text =
        page("{\"rounds\":5,\"seconds\":3,\"connections\":64,\"sizes\":{\"1k\":{"
             "\"floor\":{\"cpu\":8,\"user\":0.5,\"system\":7.5,\"least\":7,\"most\":9,\"ratio\":1.0},"
             "\"larder\":{\"cpu\":10.6,\"user\":2,\"system\":8.6,\"least\":9,\"most\":12,\"ratio\":1.32},"
             "\"<b>\":{\"cpu\":33,\"user\":8,\"system\":25,\"least\":27,\"most\":42,\"ratio\":4.1}}}}");
    cr_assert_not_null(strstr(text, "Medians of 5 interleaved rounds of 3 s, 64 connections"));
    cr_assert_not_null(strstr(text, "Bodies of 1k; × is to floor"));
    cr_assert_not_null(strstr(text, "10.6 µs, 1.32 ×"));
    cr_assert_not_null(strstr(text, "<g class=\"hero\">"));
    cr_assert_not_null(strstr(text, "&#60;b&#62;"));
    free(text);
}

Test(bench_report, costs_of_a_mix_and_of_misses)
{
    char *text =
        page("{\"versions\":{},\"zipf\":{\"larder\":{\"cpu\":7,\"user\":1,\"system\":6,\"ratio\":1.0},"
             "\"nginx\":{\"cpu\":14,\"user\":4,\"system\":10,\"ratio\":2.5}},"
             "\"misses\":{\"larder\":{\"cpu\":23,\"user\":4,\"system\":19,\"ratio\":1.0,\"kept\":1}}}");
    cr_assert_not_null(strstr(text, "drawn by Zipf; × is to larder"));
    cr_assert_not_null(strstr(text, "14.0 µs, 2.50 ×"));
    cr_assert_not_null(strstr(text, "Cold misses of 1 KB; × is to larder"));
    cr_assert_null(strstr(text, "Latency"));
    cr_assert_null(strstr(text, "Memory"));
    free(text);
}

Test(bench_report, latency_at_half_load)
{
    char *text = page(
        "{\"versions\":{},\"latency\":{\"own\":{\"larder\":{\"due\":40000,\"p50\":50,\"p90\":90,\"p99\":1500,"
        "\"p99.9\":2000000,\"least\":400,\"most\":2000}},\"same\":{}}}");
    cr_assert_not_null(
        strstr(text, "<td>40,000</td><td>50 µs</td><td>90 µs</td><td>1.5 ms</td><td>2 s</td>"));
    cr_assert_not_null(strstr(text, "larder p99: 1.5 ms"));
    cr_assert_null(strstr(text, "All at half"));
    cr_assert_null(strstr(text, "Processor time"));
    free(text);
}

Test(bench_report, memory)
{
    char *text = page("{\"versions\":{},\"body\":\"1G\",\"idle\":{\"1000\":{\"larder\":{\"bytes\":256,"
                      "\"least\":250,\"most\":260}},"
                      "\"10000\":{\"nginx\":{\"bytes\":18477}}},"
                      "\"stream\":{\"larder\":{\"peak\":10485760,\"before\":4194304},\"varnish\":null}}");
    cr_assert_not_null(strstr(text, "Bytes for an idle connection, of 1000"));
    cr_assert_not_null(strstr(text, ">18,477<"));
    cr_assert_not_null(strstr(text, "a body went through, of 1G"));
    cr_assert_not_null(strstr(text, "10.0 MiB"));
    cr_assert_not_null(strstr(text, "the body did not come whole"));
    free(text);
}

Test(bench_report, a_load)
{
    char *text =
        page("{\"loop\":\"closed\",\"connections\":64,\"answers\":1234567,\"requests_per_second\":20576,"
             "\"errors\":{\"reset\":2,\"timeout\":1},\"status_errors\":4,\"hits\":3,\"misses\":1,"
             "\"hit_ratio\":0.75,\"byte_hit_ratio\":0.5,"
             "\"latency_us\":{\"response\":{\"p50\":1500,\"p99\":2000000},\"service\":{}}}");
    cr_assert_not_null(strstr(text, "<td>1,234,567</td>"));
    cr_assert_not_null(strstr(text, "<td>7</td>")); /* errors of all kinds */
    cr_assert_not_null(strstr(text, "<td>75.0 %</td><td>50.0 %</td>"));
    cr_assert_not_null(strstr(text, "<td>1.5 ms</td><td>2 s</td>"));
    cr_assert_null(strstr(text, "Replays"));
    free(text);
}

Test(bench_report, a_replay)
{
    char *text =
        page("{\"trace\":\"t\",\"latency_us\":{},\"planned\":1000,\"objects\":10,\"object_miss_ratio\":0.4,"
             "\"least_object_miss_ratio\":0.1,\"byte_miss_ratio\":0.5,\"least_byte_miss_ratio\":0.2,"
             "\"origin\":{\"requests\":4000,\"requests_per_answer\":0.4,\"bytes_sent\":1048576}}");
    cr_assert_not_null(strstr(text, "60.0 of 90.0 %"));
    cr_assert_not_null(strstr(text, "50.0 of 80.0 %"));
    cr_assert_not_null(strstr(text, "asked 4,000 times, 40.0 for each 100 answers"));
    free(text);
    text = page("{\"trace\":\"t\",\"latency_us\":{},\"object_miss_ratio\":null,\"origin\":null}");
    cr_assert_not_null(strstr(text, "neither Cache-Status nor Age"));
    free(text);
}

Test(bench_report, a_simulation_whose_sizes_come_in_any_order)
{
    char *text = page(
        "{\"trace\":\"t\",\"requests\":100,\"least_object_miss_ratio\":0.1,\"results\":["
        "{\"policy\":\"sc\",\"cache_bytes\":2097152,\"object_miss_ratio\":0.2,\"byte_miss_ratio\":0.3},"
        "{\"policy\":\"lru\",\"cache_bytes\":2097152,\"object_miss_ratio\":0.4,\"byte_miss_ratio\":0.5},"
        "{\"policy\":\"sc\",\"cache_bytes\":1048576,\"object_miss_ratio\":0.6,\"byte_miss_ratio\":0.7},"
        "{\"policy\":\"lru\",\"cache_bytes\":1048576,\"object_miss_ratio\":0.8,\"byte_miss_ratio\":0.9}]}");
    const char *first =
        strstr(text, "<td>1.00 MiB</td><td class=\"hero\">60.0 / 70.0</td><td>80.0 / 90.0</td>");
    const char *second =
        strstr(text, "<td>2.00 MiB</td><td class=\"hero\">20.0 / 30.0</td><td>40.0 / 50.0</td>");
    cr_assert(first != NULL && second != NULL && first < second);
    cr_assert_not_null(strstr(text, "sc, 1.00 MiB: 60.0 % missed"));
    free(text);
}

/* Members of another type, missing, and numbers beyond all bounds. */
Test(bench_report, no_json_breaks_it)
{
    static const char *const odd[] = {
        "{\"sizes\":{}}",
        "{\"sizes\":{\"a\":1,\"b\":[],\"c\":{\"d\":[]},\"1k\":{\"larder\":{\"cpu\":1e308,\"user\":1e308,"
        "\"system\":-1e308,"
        "\"least\":\"x\",\"ratio\":-1}}}}",
        "{\"versions\":{},\"zipf\":[],\"misses\":{\"a\":0},\"idle\":{\"a\":{\"b\":1},\"c\":{},\"d\":{\"e\":{"
        "\"bytes\":-1e308,"
        "\"most\":1e308}}},"
        "\"latency\":{\"own\":{\"a\":1,\"b\":{\"p50\":1e308,\"p99.9\":-1}},\"same\":7},\"stream\":{\"a\":{"
        "\"peak\":-1e308,"
        "\"before\":1e308},\"b\":\"c\"},\"body\":3}",
        "{\"latency_us\":{}}",
        "{\"latency_us\":{\"response\":{\"p50\":1e308,\"max\":-1}},\"answers\":1e300,\"errors\":[],\"hits\":"
        "1e300}",
        "{\"trace\":\"\",\"latency_us\":[]  ,\"results\":[]}",
        "{\"trace\":\"\",\"results\":[1,null,{},{\"policy\":3,\"cache_bytes\":-5,\"object_miss_ratio\":1e300}"
        "]}",
        "{\"trace\":\"\",\"results\":[{\"policy\":\"<i>\",\"cache_bytes\":1e308,\"object_miss_ratio\":1e17}]"
        "}",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        char *text = page(odd[i]);
        cr_assert_null(strstr(text, "nan"), "%s", odd[i]);
        cr_assert_null(strstr(text, "\"inf"), "%s", odd[i]);
        free(text);
    }
}
