/* flags.h: a command line against a table of rows.
 *
 *      --name value · --name=value · --switch · operands in between · "--": only operands follow
 */
#ifndef BENCH_FLAGS_H
#define BENCH_FLAGS_H

#include "command.h"

#include <stdio.h>

/* Fills `settings` (defaults first) and `operands`. The fault names the flag and what is wrong with it. */
MUST_CHECK enum err flags_parse(const struct command *command, int argc, char **argv, void *settings,
                                struct texts *operands, struct fault *fault);

/* Whether --help or -h stands somewhere before "--". */
bool flags_ask_help(int argc, char **argv);

/* The page that --help shows. */
void flags_print_help(const struct command *command, FILE *out);

#endif
