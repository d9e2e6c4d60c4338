/* main.c: larder-bench, the tools that larder is measured with.
 *
 *      larder-bench origin ──▶ a stub origin with knobs in the path, and the demo site
 *      larder-bench floor  ──▶ the least that an answer can cost
 *      larder-bench load   ──▶ many requests, and what they took
 *      larder-bench herd   ──▶ one request from a thousand clients at the same moment
 *      larder-bench recover ─▶ a store filled, killed and opened again
 *      larder-bench store ───▶ the store by itself: memory, times, misses of a trace
 *      larder-bench micro ───▶ larder's own parts: time and instructions of one operation
 *      larder-bench replay ──▶ a trace against a server that runs
 *      larder-bench simulate ▶ what a cache of some size would have missed of a trace
 *      larder-bench report ──▶ a page with charts, from the JSON of these
 *
 * The table of sub-commands is here; each has its own file. bench/README.md is the manual.
 */
#include "command.h"
#include "flags.h"

#include <stdlib.h>

static const struct command *const commands[] = { &command_origin, &command_floor,    &command_load,
                                                  &command_herd,   &command_recover,  &command_store,
                                                  &command_micro,  &command_simulate, &command_replay,
                                                  &command_report };

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void
print_commands(FILE *out)
{
    fputs("usage: larder-bench COMMAND [flags]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\nlarder-bench COMMAND --help shows the flags of a command.\n", out);
}

static const struct command *
find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i]->name) == 0)
            return commands[i];
    return NULL;
}

static int
complain(const struct command *command, const struct fault *fault)
{
    fprintf(stderr, "larder-bench %s: %s (see larder-bench %s --help)\n", command->name, fault->text,
            command->name);
    return EXIT_FAILURE;
}

static int
run_command(const struct command *command, int argc, char **argv)
{
    if (flags_ask_help(argc, argv)) {
        flags_print_help(command, stdout);
        return EXIT_SUCCESS;
    }
    struct fault fault = { .code = ERR_NONE };
    struct texts operands;
    void        *settings = calloc(1, command->settings_size);
    if (settings == NULL)
        fault_set(&fault, ERR_NO_MEMORY, "out of memory");
    int code = EXIT_FAILURE;
    if (settings != NULL && flags_parse(command, argc, argv, settings, &operands, &fault) == ERR_NONE)
        code = command->run(settings, &operands, &fault);
    free(settings);
    return fault.code == ERR_NONE ? code : complain(command, &fault);
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        print_commands(stderr);
        return EXIT_FAILURE;
    }
    const struct command *command = find_command(argv[1]);
    if (command != NULL)
        return run_command(command, argc - 2, argv + 2);
    if (flags_ask_help(1, argv + 1)) {
        print_commands(stdout);
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "larder-bench: unknown command \"%s\" (see larder-bench --help)\n", argv[1]);
    return EXIT_FAILURE;
}
