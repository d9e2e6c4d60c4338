/* parser.c: recursive descent over one source.
 *
 * After an error it goes on with the next statement. `include` is replaced by what it names, at any depth of
 * blocks; nesting of blocks and of files is bounded, so the stack is too.
 */
#include "lexer.h"
#include "parser.h"

#include <glob.h>

struct parser {
    struct lexer lexer;
    struct token token; /* the one ahead */
    unsigned     nesting;
};

static void parse_list(struct parser *parser, struct statement ***tail);

static void
step(struct parser *parser)
{
    parser->token = lexer_next(&parser->lexer);
}

static void
refuse(struct parser *parser, const struct place *place, const char *message)
{
    report_add(parser->lexer.loading, SEVERITY_ERROR, place, NULL, "%s", message);
}

/* ── include ── */

static void
parse_file(struct loading *loading, const struct word *word, const char *path, unsigned depth,
           struct statement ***tail)
{
    struct source *source;
    struct fault   fault;

    if (source_read(loading, path, depth, &source, &fault) != ERR_NONE) {
        report_add(loading, SEVERITY_ERROR, &word->place, NULL, "%s", fault.text);
        return;
    }
    struct statement *list = parse_source(loading, source);
    **tail = list;
    while (**tail != NULL)
        *tail = &(**tail)->next;
}

static bool
is_glob(const char *path)
{
    return strpbrk(path, "*?[") != NULL;
}

static void
include_glob(struct loading *loading, const struct word *word, const char *pattern, unsigned depth,
             struct statement ***tail)
{
    glob_t found;
    int    code = glob(pattern, GLOB_ERR, NULL, &found); /* sorted */

    if (code == GLOB_NOMATCH)
        return;
    if (code != 0) {
        report_add(loading, SEVERITY_ERROR, &word->place, NULL, "cannot read the folder of \"%s\"", pattern);
        return;
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        parse_file(loading, word, found.gl_pathv[i], depth, tail);
    globfree(&found);
}

static void
include(struct loading *loading, const struct source *source, const struct statement *statement,
        struct statement ***tail)
{
    if (statement->count != 1 || statement->has_block) {
        report_add(loading, SEVERITY_ERROR, &statement->name.place, NULL, "\"include\" takes one path");
        return;
    }
    if (statement->words->broken)
        return;
    if (source->depth == INCLUDE_DEPTH_MAX) {
        report_add(loading, SEVERITY_ERROR, &statement->name.place, NULL,
                   "files are included more than %d deep; does one include itself?", INCLUDE_DEPTH_MAX);
        return;
    }
    const char *path = source_resolve(loading, source, statement->words->text);
    if (path == NULL)
        return;
    if (is_glob(path))
        include_glob(loading, statement->words, path, source->depth + 1, tail);
    else
        parse_file(loading, statement->words, path, source->depth + 1, tail);
}

/* ── statements ── */

static struct word
word_of(const struct token *token)
{
    return (struct word){
        .text = token->text, .place = token->place, .quoted = token->quoted, .broken = token->broken
    };
}

static void
parse_words(struct parser *parser, struct statement *statement)
{
    struct word **tail = &statement->words;

    for (; parser->token.kind == TOKEN_WORD; step(parser)) {
        struct word *word = loading_alloc(parser->lexer.loading, sizeof *word);
        if (word == NULL)
            return;
        if (statement->count == STATEMENT_WORDS_MAX) {
            refuse(parser, &parser->token.place, "too many words for one statement");
            return;
        }
        *word = word_of(&parser->token);
        *tail = word;
        tail = &word->next;
        statement->count++;
    }
}

/* At "{". */
static void
parse_block(struct parser *parser, struct statement *statement)
{
    struct statement **tail = &statement->block;
    struct place       open = parser->token.place;

    statement->has_block = true;
    parser->nesting++;
    step(parser);
    parse_list(parser, &tail);
    parser->nesting--;
    if (parser->token.kind == TOKEN_CLOSE)
        step(parser);
    else
        refuse(parser, &open, "this \"{\" is never closed");
}

/* Skips a block that is nested too deep, without recursion. */
static void
skip_block(struct parser *parser)
{
    unsigned depth = 0;

    refuse(parser, &parser->token.place, "blocks are nested too deep");
    do {
        depth += parser->token.kind == TOKEN_OPEN;
        depth -= parser->token.kind == TOKEN_CLOSE;
        step(parser);
    } while (depth > 0 && parser->token.kind != TOKEN_EOF);
}

static void
parse_rest(struct parser *parser, struct statement *statement)
{
    parse_words(parser, statement);
    if (parser->token.kind == TOKEN_OPEN && parser->nesting == NESTING_MAX)
        skip_block(parser);
    else if (parser->token.kind == TOKEN_OPEN)
        parse_block(parser, statement);
    else
        while (parser->token.kind == TOKEN_WORD) /* words that were too many */
            step(parser);
}

static void
parse_statement(struct parser *parser, struct statement ***tail)
{
    struct loading   *loading = parser->lexer.loading;
    struct statement *statement = loading_alloc(loading, sizeof *statement);

    if (statement == NULL)
        return;
    statement->name = word_of(&parser->token);
    step(parser);
    parse_rest(parser, statement);
    if (!statement->name.quoted && span_equal(statement->name.text, SPAN("include"))) {
        include(loading, parser->lexer.source, statement, tail);
        return;
    }
    **tail = statement;
    *tail = &statement->next;
}

/* Up to a "}" (which stays ahead) or the end. */
static void
parse_list(struct parser *parser, struct statement ***tail)
{
    while (!parser->lexer.loading->exhausted) {
        switch (parser->token.kind) {
        case TOKEN_WORD:
            parse_statement(parser, tail);
            break;
        case TOKEN_END:
            step(parser);
            break;
        case TOKEN_OPEN:
            refuse(parser, &parser->token.place, "a block needs a name before its \"{\"");
            parse_rest(parser, &(struct statement){ 0 });
            break;
        case TOKEN_CLOSE:
        case TOKEN_EOF:
            return;
        }
    }
}

struct statement *
parse_source(struct loading *loading, const struct source *source)
{
    struct parser      parser = { .nesting = 0 };
    struct statement  *list = NULL;
    struct statement **tail = &list;

    lexer_init(&parser.lexer, loading, source);
    step(&parser);
    parse_list(&parser, &tail);
    while (parser.token.kind == TOKEN_CLOSE && !loading->exhausted) {
        refuse(&parser, &parser.token.place, "this \"}\" closes nothing");
        step(&parser);
        parse_list(&parser, &tail);
    }
    lexer_fini(&parser.lexer);
    return list;
}
