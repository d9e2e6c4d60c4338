/* stats.c: `larder stats`: the counters of a running server, for reading or (--json) for programs.
 *
 *      larder 0.1.0, up 3h 12m, 2 workers
 *      97.3 % of 1,234,567 requests were hits
 *
 *      proxy
 *        hits                      1,201,233  Requests answered from the store.
 */
#include "client.h"
#include "flags.h"

#include <inttypes.h>
#include <larder/base/units.h>
#include <larder/cli/command.h>
#include <stdlib.h>

struct stats_flags {
    const char *admin;
    bool        json;
};

static const struct flag stats_rows[] = {
    { "admin", "PATH", offsetof(struct stats_flags, admin), "The admin socket of the server." },
    { "json", NULL, offsetof(struct stats_flags, json), "The answer of the server as it is, for programs." }
};
static const struct flag_table stats_table = FLAG_TABLE(stats_rows);

static void
print_stats_flags(FILE *out)
{
    flags_print(&stats_table, out);
}

/* ── numbers ── */

/* "1,234,567". */
static const char *
format_count(uint64_t value, char out[static UNITS_TEXT_SIZE])
{
    char   digits[UNITS_TEXT_SIZE];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value), put = 0;

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[put++] = ',';
        out[put++] = digits[i];
    }
    out[put] = '\0';
    return out;
}

/* "3d 4h", "3h 12m", "12m 5s", "5s". */
static const char *
format_uptime(uint64_t seconds, char out[static UNITS_TEXT_SIZE])
{
    if (seconds >= 86400)
        snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "d %" PRIu64 "h", seconds / 86400, seconds / 3600 % 24);
    else if (seconds >= 3600)
        snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "h %" PRIu64 "m", seconds / 3600, seconds / 60 % 60);
    else if (seconds >= 60)
        snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "m %" PRIu64 "s", seconds / 60, seconds % 60);
    else
        snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "s", seconds);
    return out;
}

static uint64_t
number_of(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));
    return value < 0 ? 0 : (uint64_t)value;
}

static const char *
text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static uint64_t
metric_value(const json_t *metrics, const char *name)
{
    size_t  index;
    json_t *metric;

    json_array_foreach(metrics, index, metric) if (strcmp(text_of(metric, "name"), name)
                                                   == 0) return number_of(metric, "value");
    return 0;
}

/* ── lines ── */

static void
print_head(const json_t *stats, const json_t *metrics, FILE *out)
{
    char     text[UNITS_TEXT_SIZE];
    uint64_t workers = number_of(stats, "workers"), requests = metric_value(metrics, "proxy.requests");

    fprintf(out, "larder %s, up %s, ", text_of(stats, "version"),
            format_uptime(number_of(stats, "uptime"), text));
    fprintf(out, "%" PRIu64 " worker%s\n", workers, workers == 1 ? "" : "s");
    if (requests == 0)
        fputs("no requests yet\n", out);
    else
        fprintf(out, "%.1f %% of %s request%s were hits\n",
                100.0 * (double)metric_value(metrics, "proxy.hits") / (double)requests,
                format_count(requests, text), requests == 1 ? "" : "s");
}

static void
print_metric(const json_t *metric, struct span name, FILE *out)
{
    char     text[UNITS_TEXT_SIZE];
    uint64_t value = number_of(metric, "value");

    if (strcmp(text_of(metric, "unit"), "bytes") == 0)
        units_round_size(value, text);
    else
        format_count(value, text);
    fprintf(out, "  %-21.*s %16s  %s\n", SPAN_ARG(name), text, text_of(metric, "help"));
}

/* Metrics come by group: "proxy.hits" is `hits` of the group `proxy`. */
static void
print_metrics(const json_t *metrics, FILE *out)
{
    struct span last = SPAN_EMPTY;
    size_t      index;
    json_t     *metric;

    json_array_foreach(metrics, index, metric)
    {
        struct span rest = span_of_text(text_of(metric, "name")), group;
        (void)span_split(&rest, '.', &group);
        if (!span_equal(group, last))
            fprintf(out, "\n%.*s\n", SPAN_ARG(group));
        last = group;
        print_metric(metric, rest, out);
    }
}

static void
print_raw(struct span body, FILE *out)
{
    fwrite(body.at, 1, body.len, out);
    if (!span_ends(body, SPAN("\n")))
        fputc('\n', out);
}

static enum err
stats(const struct stats_flags *flags, FILE *out, struct fault *fault)
{
    struct client_answer answer;

    enum err err = client_ask(flags->admin, "GET", "/v1/stats", NULL, &answer, fault);
    if (err != ERR_NONE)
        return err;
    const json_t *metrics = json_object_get(answer.json, "metrics");
    if (flags->json) {
        print_raw(answer.body, out);
    } else {
        print_head(answer.json, metrics, out);
        print_metrics(metrics, out);
    }
    client_answer_fini(&answer);
    return ERR_NONE;
}

static int
run_stats(int argc, char *argv[], const struct cli_io *io)
{
    struct stats_flags flags = { .admin = NULL };
    struct operands    operands;
    struct fault       fault;

    enum err err = flags_parse(&stats_table, argc, argv, &flags, &operands, &fault);
    if (err == ERR_NONE && operands.count > 0)
        err = fault_set(&fault, ERR_SYNTAX, "unexpected argument \"%.64s\"", operands.at[0]);
    if (err == ERR_NONE)
        err = stats(&flags, io->out, &fault);
    return err == ERR_NONE ? EXIT_SUCCESS : cli_complain(io, "stats", fault.text);
}

const struct command command_stats = {
    .name = "stats",
    .usage = "[--json] [--admin PATH]",
    .summary = "Shows the counters of the running server.",
    .help = "Shows what the running server has counted, and what each counter means.\n",
    .print_flags = print_stats_flags,
    .run = run_stats,
};
