/* command.h: the commands of `larder`, as rows of a table that the program puts together.
 *
 *      main.c:  { run (server), check, purge, stats, store, config, version (here) } ──▶ cli_main ──▶ command->run
 *
 * So the command line knows nothing of the server, and help lists whatever is in the table.
 */
#ifndef LARDER_CLI_COMMAND_H
#define LARDER_CLI_COMMAND_H

#include <stddef.h>
#include <stdio.h>

/* Where a command writes: standard output and error, or a test's memory. */
struct cli_io {
    FILE *out, *err;
};

struct command {
    const char *name;
    const char *usage;              /* what follows the name: "URL [--admin PATH]" */
    const char *summary;            /* one line */
    const char *help;               /* some lines, each ended by a newline */
    void (*print_flags)(FILE *out); /* NULL: it has none */
    /* `argv` is what follows the name. Returns the exit code; a failure has written its one line to
     * io->err. */
    int (*run)(int argc, char *argv[], const struct cli_io *io);
};

struct command_table {
    const struct command *const *rows;
    size_t                       count;
};

/* argv[0] is the program. Also answers help, --help, --version, and what is unknown. Returns the exit
 * code. */
int cli_main(const struct command_table *table, int argc, char *argv[], const struct cli_io *io);

/* "larder NAME: text", and the exit code for it. */
int cli_complain(const struct cli_io *io, const char *name, const char *text);

extern const struct command command_check;
extern const struct command command_purge;
extern const struct command command_stats;
extern const struct command command_store;
extern const struct command command_config;
extern const struct command command_version;

#endif
