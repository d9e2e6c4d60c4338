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
#include "show.h"

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

static uint64_t
metric_value(const json_t *metrics, const char *name)
{
    size_t  index;
    json_t *metric;

    json_array_foreach(metrics, index, metric) if (strcmp(show_text(metric, "name"), name)
                                                   == 0) return show_number(metric, "value");
    return 0;
}

/* ── lines ── */

static void
print_head(const json_t *stats, const json_t *metrics, FILE *out)
{
    char     text[UNITS_TEXT_SIZE];
    uint64_t workers = show_number(stats, "workers"), requests = metric_value(metrics, "proxy.requests");

    fprintf(out, "larder %s, up %s, ", show_text(stats, "version"),
            show_time(show_number(stats, "uptime"), text));
    fprintf(out, "%" PRIu64 " worker%s\n", workers, workers == 1 ? "" : "s");
    if (requests == 0)
        fputs("no requests yet\n", out);
    else
        fprintf(out, "%.1f %% of %s request%s were hits\n",
                100.0 * (double)metric_value(metrics, "proxy.hits") / (double)requests,
                show_count(requests, text), requests == 1 ? "" : "s");
}

static void
print_metric(const json_t *metric, struct span name, FILE *out)
{
    char     text[UNITS_TEXT_SIZE];
    uint64_t value = show_number(metric, "value");

    if (strcmp(show_text(metric, "unit"), "bytes") == 0)
        units_round_size(value, text);
    else
        show_count(value, text);
    fprintf(out, "  %-21.*s %16s  %s\n", SPAN_ARG(name), text, show_text(metric, "help"));
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
        struct span rest = span_of_text(show_text(metric, "name")), group;
        (void)span_split(&rest, '.', &group);
        if (!span_equal(group, last))
            fprintf(out, "\n%.*s\n", SPAN_ARG(group));
        last = group;
        print_metric(metric, rest, out);
    }
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
        show_raw(answer.body, out);
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
