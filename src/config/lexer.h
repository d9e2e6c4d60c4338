/* lexer.h: from bytes to tokens, each with its place.
 *
 *      ttl  ${TTL:-2m} ;  # comment          WORD "ttl" · WORD "2m" · END · ... · END at the end of the line
 *
 * Words come out with quotes taken off and ${NAME} replaced; what the environment gives is never looked at
 * again, so a value with a brace or a space in it stays one word. What is malformed is reported here, and
 * the lexer goes on behind it.
 */
#ifndef CONFIG_LEXER_H
#define CONFIG_LEXER_H

#include "source.h"

#include <larder/base/text.h>

enum token_kind {
    TOKEN_WORD,
    TOKEN_OPEN,  /* { */
    TOKEN_CLOSE, /* } */
    TOKEN_END,   /* the end of a line, or ; */
    TOKEN_EOF
};

struct token {
    enum token_kind kind;
    bool            quoted;
    bool            broken; /* a finding about this word was reported already */
    struct span     text;   /* of a word */
    struct place    place;
};

struct lexer {
    struct loading      *loading;
    const struct source *source;
    size_t               at;
    unsigned             line, column;
    struct text          word; /* the word that is being read */
};

enum { WORD_SIZE_MAX = 64 * 1024 };

void lexer_init(struct lexer *lexer, struct loading *loading, const struct source *source);
void lexer_fini(struct lexer *lexer);

struct token lexer_next(struct lexer *lexer);

#endif
