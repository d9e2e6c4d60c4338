/* check.c: `larder check` and `larder config`: what needs no server. */
#include "flags.h"

#include <larder/cli/command.h>
#include <larder/config/load.h>
#include <larder/config/reference.h>
#include <stdlib.h>

/* ── larder check ── */

struct check_flags {
    bool strict;
};

static const struct flag       check_rows[] = { { "strict", NULL, offsetof(struct check_flags, strict),
                                                  "Warnings are errors." } };
static const struct flag_table check_table = FLAG_TABLE(check_rows);

static void
print_check_flags(FILE *out)
{
    flags_print(&check_table, out);
}

static void
print_good(const struct report *report, const struct snapshot *snapshot, FILE *out)
{
    char counts[REPORT_COUNTS_SIZE];
    fprintf(out, "%s, %zu site%s: the configuration is good\n", report_counts(report, counts),
            snapshot->sites.count, snapshot->sites.count == 1 ? "" : "s");
}

static int
check_file(const char *path, bool strict, const struct cli_io *io)
{
    struct report    report;
    struct snapshot *snapshot;
    struct fault     fault;

    report_init(&report);
    enum err err = config_load_file(path, strict, &report, &snapshot, &fault);
    report_print(&report, io->err);
    if (err == ERR_NONE)
        print_good(&report, snapshot, io->out);
    else if (report.count > 0)
        fprintf(io->err, "%s\n", fault.text);
    else
        cli_complain(io, "check", fault.text);
    snapshot_release(&snapshot);
    report_fini(&report);
    return err == ERR_NONE ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
run_check(int argc, char *argv[], const struct cli_io *io)
{
    struct check_flags flags = { .strict = false };
    struct operands    operands;
    struct fault       fault;

    if (flags_parse(&check_table, argc, argv, &flags, &operands, &fault) != ERR_NONE)
        return cli_complain(io, "check", fault.text);
    return check_file(operands.count > 0 ? operands.at[0] : CONFIG_FILE_DEFAULT, flags.strict, io);
}

const struct command command_check = {
    .name = "check",
    .usage = "[FILE] [--strict]",
    .summary = "Says what is wrong with a configuration.",
    .help = "Reads a configuration (" CONFIG_FILE_DEFAULT
            " if no other is named) and reports everything that is\n"
            "wrong with it. The running server is not touched. The exit code is 1 if there are errors.\n",
    .print_flags = print_check_flags,
    .run = run_check,
};

/* ── larder config ── */

static int
print_reference(const char *name, const struct cli_io *io)
{
    struct fault fault;

    if (name == NULL)
        reference_print(io->out);
    else if (reference_print_one(span_of_text(name), io->out, &fault) != ERR_NONE)
        return cli_complain(io, "config reference", fault.text);
    return EXIT_SUCCESS;
}

static int
run_config(int argc, char *argv[], const struct cli_io *io)
{
    if (argc == 0 || strcmp(argv[0], "reference") != 0)
        return cli_complain(io, "config", "write larder config reference [NAME]");
    if (argc > 2)
        return cli_complain(io, "config reference", "one directive at a time");
    return print_reference(argc == 2 ? argv[1] : NULL, io);
}

const struct command command_config = {
    .name = "config",
    .usage = "reference [NAME]",
    .summary = "Prints the manual of the configuration.",
    .help = "Prints what every directive of a configuration means, or one of them.\n",
    .run = run_config,
};

/* ── larder version ── */

static int
run_version(int argc, char *argv[], const struct cli_io *io)
{
    (void)argv;
    if (argc > 0)
        return cli_complain(io, "version", "no arguments are expected");
    fputs("larder " LARDER_VERSION "\n", io->out);
    return EXIT_SUCCESS;
}

const struct command command_version = {
    .name = "version",
    .usage = "",
    .summary = "Prints the version.",
    .help = "Prints the version of larder.\n",
    .run = run_version,
};
