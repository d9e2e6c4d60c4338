/* option.h: settings as tables: one row is the parser, the range check, the help and the manual.
 *
 * Each layer owns its rows beside a plain struct of settings; `offset` says which member a row sets.
 * The members' types: TIME nsec · SIZE uint64_t · COUNT uint64_t · SWITCH bool.
 */
#ifndef LARDER_BASE_OPTION_H
#define LARDER_BASE_OPTION_H

#include <larder/base/err.h>
#include <larder/base/span.h>

enum option_type { OPTION_TIME, OPTION_SIZE, OPTION_COUNT, OPTION_SWITCH };

struct option_row {
    const char      *name; /* as in the configuration: "connect-timeout" */
    enum option_type type;
    size_t           offset;
    int64_t          least, most; /* in the member's unit; 0 and 1 for a switch */
    int64_t          initial;
    const char      *help; /* one sentence for the operator, with a full stop */
};

struct option_table {
    const struct option_row *rows;
    size_t                   count;
};

/* Sets every member to its row's initial value. */
void option_defaults(const struct option_table *table, void *settings);

/* The row of that name, or NULL. */
const struct option_row *option_find(const struct option_table *table, struct span name);

/* Parses `value` by the row, checks its bounds, stores it. On failure nothing changes and the fault
 * says what is expected, without naming the place: the caller knows it. */
MUST_CHECK enum err option_set(const struct option_row *row, void *settings, struct span value,
                               struct fault *fault);

#endif
