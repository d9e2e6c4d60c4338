/* parser.h: from tokens to statements (CONFIG.md's grammar), and the files that `include` names.
 *
 *      statement = name { word } ( end of line | ";" | "{" { statement } "}" )
 *
 * The parser knows no directive but include: what the statements mean is the schema's business.
 */
#ifndef CONFIG_PARSER_H
#define CONFIG_PARSER_H

#include "source.h"

enum { NESTING_MAX = 16, STATEMENT_WORDS_MAX = 4096 };

struct word {
    struct span  text;
    struct place place;
    bool         quoted;
    bool         broken; /* reported already: say no more about it */
    struct word *next;
};

struct statement {
    struct word       name;
    struct word      *words; /* what follows the name */
    size_t            count;
    bool              has_block;
    struct statement *block; /* the first in it */
    struct statement *next;
};

/* The statements of a source, with those of the files that it includes. What is malformed is in the report;
 * the rest is there all the same, so that its errors are found too. */
struct statement *parse_source(struct loading *loading, const struct source *source);

#endif
