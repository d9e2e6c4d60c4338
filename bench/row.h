/* row.h: settings as rows of a table, for flags on the command line and for knobs in a path.
 *
 *      "--delay 300ms" ─┐
 *                       ├─▶ row_set ─▶ a member of a plain struct
 *      "/delay/300ms" ──┘
 *
 * One row is the parser, the range check and the help. (base/option.h does this for the server; here there
 * are also texts, lists of texts, and numbers that may be absent.)
 *
 * The members' types: TIME, SIZE and COUNT int64_t · SWITCH bool · TEXT struct span · TEXTS struct texts.
 */
#ifndef BENCH_ROW_H
#define BENCH_ROW_H

#include <larder/base/err.h>
#include <larder/base/span.h>

enum row_type { ROW_TIME, ROW_SIZE, ROW_COUNT, ROW_SWITCH, ROW_TEXT, ROW_TEXTS };

enum { ROW_TEXTS_MAX = 32 };
#define ROW_ABSENT INT64_C(-1)

/* The texts belong to whoever gave them (argv, a request). */
struct texts {
    struct span at[ROW_TEXTS_MAX];
    unsigned    count;
};

struct row {
    const char   *name;
    enum row_type type;
    size_t        offset;
    int64_t       least, most; /* of TIME (nanoseconds), SIZE (bytes), COUNT */
    int64_t       initial;     /* the same, or ROW_ABSENT */
    const char   *value;       /* what its value is called in the help: "TIME"; NULL for a switch */
    const char   *help;        /* one sentence, with a full stop */
};

struct row_table {
    const struct row *rows;
    size_t            count;
};

#define ROW_TABLE(array)                                                                                     \
    {                                                                                                        \
        (array), sizeof(array) / sizeof((array)[0])                                                          \
    }

/* Numbers to their initial values, everything else to empty. */
void row_defaults(const struct row_table *table, void *settings);

const struct row *row_find(const struct row_table *table, struct span name);

/* The row whose name is nearest to a misspelt one; NULL when none is near. */
const struct row *row_guess(const struct row_table *table, struct span name);

/* Parses `value`, checks its bounds, stores it; a switch takes no value. On failure nothing changes and the
 * fault says what is expected, without naming the place. */
MUST_CHECK enum err row_set(const struct row *row, void *settings, struct span value, struct fault *fault);

#endif
