/* main.c: the program `larder`: the table of its commands.
 *
 *      larder run    ──▶ the server, in this process
 *      larder ...    ──▶ the command line: needs no server, or asks a running one over its admin socket
 *
 * The command line knows nothing of the server: here is the one place where both are seen.
 */
#include <larder/cli/command.h>
#include <larder/server/run.h>

static int
run(int argc, char *argv[], const struct cli_io *io)
{
    return run_server(argc, argv, io->err);
}

static const struct command command_run = {
    .name = "run",
    .usage = "-c FILE | --origin HOST:PORT [flags]",
    .summary = "Serves a site, or all that a configuration names.",
    .help = "Serves the sites of a configuration, or, without any file, one site for every host. Ends at "
            "SIGTERM or\n"
            "SIGINT when the answers under way are out; at a second signal at once.\n",
    .print_flags = run_print_flags,
    .run = run,
};

static const struct command *const commands[] = {
    &command_run,   &command_check,  &command_purge,   &command_stats,
    &command_store, &command_config, &command_version,
};

int
main(int argc, char *argv[])
{
    const struct command_table table = { commands, sizeof commands / sizeof commands[0] };
    const struct cli_io        io = { stdout, stderr };

    return cli_main(&table, argc, argv, &io);
}
