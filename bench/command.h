/* command.h: a sub-command of larder-bench: its name, its flags, and what runs it.
 *
 * main.c has the table of them; `--help` prints from the same rows that the parser uses.
 */
#ifndef BENCH_COMMAND_H
#define BENCH_COMMAND_H

#include "row.h"

struct command {
    const char      *name;
    const char      *operands; /* what follows the flags, for the usage line: "URL..."; "" for none */
    unsigned         operands_least, operands_most;
    const char      *summary; /* one line */
    const char      *help;    /* a few lines */
    struct row_table flags;
    size_t           settings_size;
    /* Returns the exit code. A fault means that nothing was done: main prints it, and the code is 1. */
    int (*run)(const void *settings, const struct texts *operands, struct fault *fault);
};

extern const struct command command_origin;
extern const struct command command_floor;
extern const struct command command_load;
extern const struct command command_herd;
extern const struct command command_micro;
extern const struct command command_recover;
extern const struct command command_replay;
extern const struct command command_report;
extern const struct command command_simulate;
extern const struct command command_store;

#endif
