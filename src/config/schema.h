/* schema.h: the table of directives: what may be said, where, how often, and what it means.
 *
 *      a row of `directives` ──────────────┐
 *      an option row of a layer below ─────┴─▶ struct directive ─▶ checks · suggestions · flags · reference
 *
 * Settings that are one number come from the option tables of the layers that use them, and are directives
 * of the same name; only what has a form of its own is written out in schema.c. Nothing else knows a
 * directive's name.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <larder/base/option.h>
#include <larder/base/span.h>

struct build;
struct scope;
struct statement;

enum context { IN_TOP = 1, IN_LIMITS = 2, IN_DEFAULTS = 4, IN_SITE = 8 };

enum merge {
    MERGE_ONCE,   /* once in a block; a site's value stands in place of that of defaults */
    MERGE_REPEAT, /* as often as wanted: each is one more */
};

/* Whose struct an option row's offset counts in. */
enum settings { SETTINGS_NONE, SETTINGS_GENERAL, SETTINGS_LIMITS, SETTINGS_CACHE, SETTINGS_POOL };

struct directive {
    const char              *name;
    const char              *syntax; /* what follows the name: "DIR SIZE"; "" for nothing */
    unsigned                 contexts;
    unsigned                 least, most;    /* words that follow */
    bool                     flag_takes_one; /* as a flag, the first of them only: spaces belong to it */
    bool                     keeps_at;       /* a word @PATH is not the content of that file; `apply` reads it */
    enum merge               merge;
    enum context             opens; /* the context of its block; 0: it has none */
    const struct option_row *row;   /* type, bounds and default of its value; NULL: `apply` checks */
    enum settings            settings;
    void (*apply)(struct build *build, struct scope *scope, const struct directive *directive,
                  const struct statement *statement);
    const char *initial; /* what holds when it is absent, where no row says so; NULL: nothing */
    const char *help;    /* one sentence or two, with full stops */
};

enum { SCHEMA_MAX = 96, ANY_NUMBER = 4096 };

/* All directives, those of the option tables included. */
struct schema {
    struct directive rows[SCHEMA_MAX];
    size_t           count;
};

void schema_init(struct schema *schema);

/* The directive of that name that may stand in one of `contexts`, or NULL. */
const struct directive *schema_find(const struct schema *schema, struct span name, unsigned contexts);

/* The name nearest to a misspelt one that may stand in one of `contexts`; NULL when none is near. */
const struct directive *schema_guess(const struct schema *schema, struct span name, unsigned contexts);

/* The same among the words that are not offered yet. False: none is near. */
bool schema_guess_later(struct span name, struct span *guess);

/* Whether the configuration language has this word, but this version of larder has not. */
bool schema_is_later(struct span name);

/* "at the top level", "in limits", ...: for one context. */
const char *schema_place(enum context context);

/* "TIME", "SIZE", "NUMBER", "on|off". */
const char *schema_type(const struct option_row *row);

/* The word of `timeout` that sets a row of pool_options: its name, if it is a time. Empty: it is set
 * otherwise. */
struct span schema_timeout_word(const struct option_row *row);

#endif
