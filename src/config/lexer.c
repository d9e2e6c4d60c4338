/* lexer.c: see lexer.h.
 *
 * `#` begins a comment only where a word could begin, so that a#b is a word; `\` before the end of a line
 * joins it with the next; everywhere else a backslash is a backslash, but for \" and \\ inside quotes.
 */
#include "lexer.h"

#include <stdlib.h>

void
lexer_init(struct lexer *lexer, struct loading *loading, const struct source *source)
{
    *lexer = (struct lexer){ .loading = loading, .source = source, .line = 1, .column = 1 };
    text_init(&lexer->word, WORD_SIZE_MAX);
}

void
lexer_fini(struct lexer *lexer)
{
    text_fini(&lexer->word);
}

/* ── the bytes ahead ── */

static struct span
ahead(const struct lexer *lexer)
{
    return span_skip(lexer->source->text, lexer->at);
}

static bool
is_ahead(const struct lexer *lexer, struct span bytes)
{
    return span_starts(ahead(lexer), bytes);
}

static char
byte_ahead(const struct lexer *lexer)
{
    return lexer->at < lexer->source->text.len ? lexer->source->text.at[lexer->at] : '\0';
}

static bool
is_at_end(const struct lexer *lexer)
{
    return lexer->at == lexer->source->text.len;
}

/* A column is a character; the later bytes of one do not count. */
static void
advance(struct lexer *lexer, size_t bytes)
{
    for (; bytes > 0; bytes--) {
        char c = lexer->source->text.at[lexer->at++];
        if (c == '\n') {
            lexer->line++;
            lexer->column = 1;
        } else if ((c & 0xc0) != 0x80) {
            lexer->column++;
        }
    }
}

static struct place
place_here(const struct lexer *lexer, size_t length)
{
    return (struct place){ lexer->source, lexer->at, length, lexer->line, lexer->column };
}

/* The length of a line end at the front: "\n" or "\r\n". */
static size_t
line_end_length(struct span text)
{
    return span_starts(text, SPAN("\n")) ? 1 : span_starts(text, SPAN("\r\n")) ? 2 : 0;
}

static bool
is_continuation(const struct lexer *lexer)
{
    return byte_ahead(lexer) == '\\' && line_end_length(span_skip(ahead(lexer), 1)) > 0;
}

static void
skip_comment(struct lexer *lexer)
{
    while (!is_at_end(lexer) && line_end_length(ahead(lexer)) == 0)
        advance(lexer, 1);
}

static void
skip_space(struct lexer *lexer)
{
    for (;;) {
        char c = byte_ahead(lexer);
        if (c == ' ' || c == '\t')
            advance(lexer, 1);
        else if (is_continuation(lexer))
            advance(lexer, 1 + line_end_length(span_skip(ahead(lexer), 1)));
        else if (c == '#')
            skip_comment(lexer);
        else
            return;
    }
}

/* ── ${NAME} and ${NAME:-default} ── */

static bool
is_variable_byte(char c, bool first)
{
    return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (!first && c >= '0' && c <= '9');
}

static bool
is_variable_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_variable_byte(name.at[i], i == 0))
            return false;
    return name.len > 0;
}

/* What stands between "${" and "}", taken apart. `fallback` has a NULL pointer when there is none. */
static void
split_variable(struct span inside, struct span *name, struct span *fallback)
{
    *name = inside;
    *fallback = SPAN_EMPTY;
    for (size_t i = 0; i + 1 < inside.len; i++)
        if (inside.at[i] == ':' && inside.at[i + 1] == '-') {
            *name = span_head(inside, i);
            *fallback = span_of(inside.at + i + 2, inside.len - i - 2);
            return;
        }
}

/* True: `value` is what the variable stands for. */
static bool
look_up(struct lexer *lexer, struct span inside, size_t whole, struct span *value)
{
    struct place place = place_here(lexer, whole);
    struct span  name, fallback;
    char         text[256];

    split_variable(inside, &name, &fallback);
    if (!is_variable_name(name) || name.len >= sizeof text) {
        report_add(lexer->loading, SEVERITY_ERROR, &place, "write ${NAME} or ${NAME:-default}",
                   "this does not name a variable of the environment");
        return false;
    }
    memcpy(text, name.at, name.len);
    text[name.len] = '\0';
    const char *set = getenv(text);
    if (set == NULL && fallback.at == NULL) {
        report_add(lexer->loading, SEVERITY_ERROR, &place, NULL,
                   "the environment has no \"%s\"; write ${%s:-default} to give a default", text, text);
        return false;
    }
    *value = set == NULL ? fallback : span_of_text(set);
    return true;
}

/* At "${". False: it was reported. */
static bool
read_variable(struct lexer *lexer)
{
    struct span inside = span_skip(ahead(lexer), 2), value = SPAN_EMPTY;
    size_t      length = 0;

    while (length < inside.len && inside.at[length] != '}' && inside.at[length] != '\n'
           && inside.at[length] != '\r')
        length++;
    if (length == inside.len || inside.at[length] != '}') {
        struct place place = place_here(lexer, 2);
        report_add(lexer->loading, SEVERITY_ERROR, &place, NULL, "\"${\" without its \"}\"");
        advance(lexer, length + 2);
        return false;
    }
    bool good = look_up(lexer, span_head(inside, length), length + 3, &value);
    text_append(&lexer->word, value);
    advance(lexer, length + 3);
    return good;
}

/* ── words ── */

/* Bytes that end a bare word. */
static bool
ends_word(const struct lexer *lexer)
{
    char c = byte_ahead(lexer);
    return is_at_end(lexer) || c == ' ' || c == '\t' || c == '{' || c == '}' || c == ';' || c == '"'
           || line_end_length(ahead(lexer)) > 0 || is_continuation(lexer);
}

static void
take_bytes(struct lexer *lexer, size_t length)
{
    text_append(&lexer->word, span_head(ahead(lexer), length));
    advance(lexer, length);
}

/* False: it was reported. */
static bool
read_bare(struct lexer *lexer)
{
    bool good = true;

    while (!ends_word(lexer) || is_ahead(lexer, SPAN("${"))) {
        if (is_ahead(lexer, SPAN("${")))
            good &= read_variable(lexer);
        else
            take_bytes(lexer, 1);
    }
    return good;
}

static void
read_quoted_byte(struct lexer *lexer)
{
    if (is_ahead(lexer, SPAN("\\\"")) || is_ahead(lexer, SPAN("\\\\")))
        advance(lexer, 1);
    take_bytes(lexer, 1);
}

/* At the opening quote. */
static bool
read_quoted(struct lexer *lexer)
{
    struct place open = place_here(lexer, 1);
    bool         good = true;

    advance(lexer, 1);
    while (byte_ahead(lexer) != '"') {
        if (is_at_end(lexer) || line_end_length(ahead(lexer)) > 0) {
            report_add(lexer->loading, SEVERITY_ERROR, &open, NULL, "this quote is not closed on its line");
            return false;
        }
        if (is_ahead(lexer, SPAN("${")))
            good &= read_variable(lexer);
        else
            read_quoted_byte(lexer);
    }
    advance(lexer, 1);
    return good;
}

/* Words must be apart: `a"b"` could be read in two ways. */
static bool
check_gap(struct lexer *lexer, bool quoted)
{
    if (byte_ahead(lexer) != '"' && (!quoted || ends_word(lexer)))
        return true;
    struct place place = place_here(lexer, 1);
    report_add(lexer->loading, SEVERITY_ERROR, &place, NULL,
               "a space is missing here: quotes go around a whole word");
    return false;
}

static struct token
read_word(struct lexer *lexer)
{
    struct token token = { .kind = TOKEN_WORD,
                           .place = place_here(lexer, 0),
                           .quoted = byte_ahead(lexer) == '"' };

    text_clear(&lexer->word);
    bool good = token.quoted ? read_quoted(lexer) : read_bare(lexer);
    token.place.length = lexer->at - token.place.offset;
    good = good && check_gap(lexer, token.quoted);
    if (lexer->word.failed) {
        report_add(lexer->loading, SEVERITY_ERROR, &token.place, NULL, "this word is longer than %d bytes",
                   WORD_SIZE_MAX);
        good = false;
    }
    token.text = arena_copy(&lexer->loading->arena, text_span(&lexer->word));
    if (token.text.at == NULL && lexer->word.len > 0)
        lexer->loading->exhausted = true;
    token.broken = !good;
    return token;
}

static struct token
read_mark(struct lexer *lexer, enum token_kind kind, size_t length)
{
    struct token token = { .kind = kind, .place = place_here(lexer, length) };
    advance(lexer, length);
    return token;
}

struct token
lexer_next(struct lexer *lexer)
{
    skip_space(lexer);
    if (is_at_end(lexer) || lexer->loading->exhausted)
        return (struct token){ .kind = TOKEN_EOF, .place = place_here(lexer, 0) };
    size_t line_end = line_end_length(ahead(lexer));
    if (line_end > 0)
        return read_mark(lexer, TOKEN_END, line_end);
    switch (byte_ahead(lexer)) {
    case ';':
        return read_mark(lexer, TOKEN_END, 1);
    case '{':
        return read_mark(lexer, TOKEN_OPEN, 1);
    case '}':
        return read_mark(lexer, TOKEN_CLOSE, 1);
    default:
        return read_word(lexer);
    }
}
