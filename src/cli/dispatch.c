/* dispatch.c: from the first word of a command line to its command, or to help. */
#include <larder/cli/command.h>

#include <larder/base/span.h>
#include <stdlib.h>

int
cli_complain(const struct cli_io *io, const char *name, const char *text)
{
    fprintf(io->err, "larder %s: %s\n", name, text);
    return EXIT_FAILURE;
}

static const struct command *
find(const struct command_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(name, table->rows[i]->name) == 0)
            return table->rows[i];
    return NULL;
}

static const struct command *
guess(const struct command_table *table, const char *name)
{
    const struct command *best = NULL;
    unsigned              least = 3;

    for (size_t i = 0; i < table->count; i++) {
        unsigned distance = span_distance(span_of_text(name), span_of_text(table->rows[i]->name));
        if (distance < least) {
            least = distance;
            best = table->rows[i];
        }
    }
    return best;
}

static int
complain_unknown(const struct command_table *table, const char *name, const struct cli_io *io)
{
    const struct command *meant = guess(table, name);

    if (meant != NULL)
        fprintf(io->err, "larder: unknown command \"%.64s\"; did you mean \"%s\"?\n", name, meant->name);
    else
        fprintf(io->err, "larder: unknown command \"%.64s\" (see larder help)\n", name);
    return EXIT_FAILURE;
}

/* ── help ── */

static void
print_commands(const struct command_table *table, FILE *out)
{
    fputs("larder is a caching HTTP accelerator: it makes a slow site fast.\n\nusage: larder COMMAND ...\n\n",
          out);
    for (size_t i = 0; i < table->count; i++)
        fprintf(out, "  %-10s %s\n", table->rows[i]->name, table->rows[i]->summary);
    fputs("  help       Explains a command: larder help COMMAND.\n\n"
          "A first try: larder run --listen 127.0.0.1:8000 --origin HOST:PORT\n",
          out);
}

static void
print_command(const struct command *command, FILE *out)
{
    fprintf(out, "usage: larder %s%s%s\n\n%s", command->name, *command->usage == '\0' ? "" : " ",
            command->usage, command->help);
    if (command->print_flags != NULL)
        command->print_flags(out);
}

static int
help(const struct command_table *table, int argc, char *argv[], const struct cli_io *io)
{
    if (argc == 0) {
        print_commands(table, io->out);
        return EXIT_SUCCESS;
    }
    if (argc > 1)
        return cli_complain(io, "help", "one command at a time");
    const struct command *command = find(table, argv[0]);
    if (command == NULL)
        return complain_unknown(table, argv[0], io);
    print_command(command, io->out);
    return EXIT_SUCCESS;
}

static bool
is_help(const char *text)
{
    return strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0;
}

static bool
asks_help(int argc, char *argv[])
{
    for (int i = 0; i < argc; i++)
        if (is_help(argv[i]))
            return true;
    return false;
}

int
cli_main(const struct command_table *table, int argc, char *argv[], const struct cli_io *io)
{
    if (argc < 2) {
        fputs("larder: a command is missing (see larder help)\n", io->err);
        return EXIT_FAILURE;
    }
    const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    if (strcmp(name, "help") == 0 || is_help(name))
        return help(table, argc - 2, argv + 2, io);
    const struct command *command = find(table, name);
    if (command == NULL)
        return complain_unknown(table, name, io);
    if (asks_help(argc - 2, argv + 2)) {
        print_command(command, io->out);
        return EXIT_SUCCESS;
    }
    return command->run(argc - 2, argv + 2, io);
}
