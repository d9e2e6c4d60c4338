/* flags.h: the flags of a command against a table of rows.
 *
 *      --name value · --name=value · --switch · operands in between · "--": only operands follow
 */
#ifndef CLI_FLAGS_H
#define CLI_FLAGS_H

#include <larder/base/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct flag {
    const char *name;
    const char *value;  /* what its value is called in the help; NULL: a switch */
    size_t      offset; /* of a `const char *`, or of a `bool` for a switch */
    const char *help;
};

struct flag_table {
    const struct flag *rows;
    size_t             count;
};

enum { OPERANDS_MAX = 1 };

struct operands {
    const char *at[OPERANDS_MAX];
    unsigned    count;
};

#define FLAG_TABLE(array)                                                                                    \
    {                                                                                                        \
        (array), sizeof(array) / sizeof((array)[0])                                                          \
    }

/* `settings` is zeroed by the caller; a value is where argv has it. */
MUST_CHECK enum err flags_parse(const struct flag_table *table, int argc, char *argv[], void *settings,
                                struct operands *operands, struct fault *fault);

void flags_print(const struct flag_table *table, FILE *out);

#endif
