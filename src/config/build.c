/* build.c: each statement finds its directive, is checked for form, and is applied. */
#include "build.h"

#include <larder/base/check.h>
#include <stdarg.h>

enum { FILE_WORD_MAX = 64 * 1024 };

enum err
build_init(struct build *build, struct loading *loading, struct fault *fault)
{
    *build = (struct build){ .loading = loading };
    schema_init(&build->schema);
    build->sites_tail = &build->sites;
    option_defaults(&cache_options, &build->defaults.cache);
    option_defaults(&pool_options, &build->defaults.pool);
    build->snapshot = snapshot_create();
    return build->snapshot == NULL ? fault_set(fault, ERR_NO_MEMORY, "out of memory") : ERR_NONE;
}

void
build_fini(struct build *build)
{
    snapshot_release(&build->snapshot);
}

/* ── messages ── */

void
build_refuse(struct build *build, const struct word *word, const char *format, ...)
{
    char    message[512];
    va_list arguments;

    if (word->broken)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    report_add(build->loading, SEVERITY_ERROR, &word->place, NULL, "%s", message);
}

const char *
build_scope_text(const struct scope *scope, char out[static SCOPE_TEXT_SIZE])
{
    const struct word *host = scope->context == IN_SITE ? scope->statement->words : NULL;
    if (host == NULL)
        snprintf(out, SCOPE_TEXT_SIZE, "%s", schema_place(scope->context));
    else
        snprintf(out, SCOPE_TEXT_SIZE, "in site \"%.*s\"", SPAN_ARG(span_head(host->text, 80)));
    return out;
}

/* ── names ── */

enum { PLACES_SIZE = 128, HINT_SIZE = 256 };

/* "at the top level or in a site". Returns out. */
static const char *
places_text(const struct directive *directive, char out[static PLACES_SIZE])
{
    size_t      len = 0;
    const char *between = "";

    for (unsigned context = IN_TOP; context <= IN_SITE; context <<= 1)
        if (directive->contexts & context) {
            len += (size_t)snprintf(out + len, PLACES_SIZE - len, "%s%s", between, schema_place(context));
            between = " or ";
        }
    return out;
}

static void
refuse_place(struct build *build, const struct scope *scope, const struct statement *statement,
             const struct directive *directive)
{
    char place[SCOPE_TEXT_SIZE], right[PLACES_SIZE];

    build_refuse(build, &statement->name, "\"%s\" does not belong %s; it stands %s", directive->name,
                 build_scope_text(scope, place), places_text(directive, right));
}

/* What was perhaps meant: here, or elsewhere, or in a later version. NULL: no idea. */
static const char *
guess_hint(const struct build *build, const struct scope *scope, struct span name, char out[static HINT_SIZE])
{
    const struct directive *here = schema_guess(&build->schema, name, scope->context);
    const struct directive *elsewhere = schema_guess(&build->schema, name, ~0U);
    struct span             later;
    char                    places[PLACES_SIZE];

    if (here != NULL)
        snprintf(out, HINT_SIZE, "did you mean \"%s\"?", here->name);
    else if (elsewhere != NULL)
        snprintf(out, HINT_SIZE, "did you mean \"%s\"? It stands %s", elsewhere->name,
                 places_text(elsewhere, places));
    else if (schema_guess_later(name, &later))
        snprintf(out, HINT_SIZE, "did you mean \"%.*s\"? It is not offered yet", SPAN_ARG(later));
    else
        return NULL;
    return out;
}

static void
refuse_unknown(struct build *build, const struct scope *scope, const struct statement *statement)
{
    struct span name = span_head(statement->name.text, 64);
    char        place[SCOPE_TEXT_SIZE], hint[HINT_SIZE];

    report_add(build->loading, SEVERITY_ERROR, &statement->name.place, guess_hint(build, scope, name, hint),
               "unknown directive \"%.*s\" %s", SPAN_ARG(name), build_scope_text(scope, place));
}

static void
refuse_name(struct build *build, const struct scope *scope, const struct statement *statement)
{
    const struct directive *elsewhere = schema_find(&build->schema, statement->name.text, ~0U);

    if (statement->name.broken)
        return;
    if (elsewhere != NULL)
        refuse_place(build, scope, statement, elsewhere);
    else if (schema_is_later(statement->name.text))
        build_refuse(build, &statement->name, "\"%.*s\" is not offered yet by this version of larder",
                     SPAN_ARG(statement->name.text));
    else
        refuse_unknown(build, scope, statement);
}

/* ── form ── */

static bool
has_broken_word(const struct statement *statement)
{
    for (const struct word *word = statement->words; word != NULL; word = word->next)
        if (word->broken)
            return true;
    return false;
}

static const struct word *
word_at(const struct statement *statement, size_t index)
{
    const struct word *word = statement->words;
    while (index-- > 0)
        word = word->next;
    return word;
}

static void
refuse_extra(struct build *build, const struct directive *directive, const struct word *extra)
{
    struct span rest = extra->text, name;
    (void)span_split(&rest, '=', &name);
    if (schema_is_later(name))
        build_refuse(build, extra, "\"%.*s\" is not offered yet by this version of larder", SPAN_ARG(name));
    else
        build_refuse(build, extra, "\"%.*s\" is too much: write %s%s%s%s",
                     SPAN_ARG(span_head(extra->text, 64)), directive->name,
                     *directive->syntax == '\0' ? "" : " ", directive->syntax,
                     directive->opens == 0 ? "" : " { ... }");
}

static bool
check_form(struct build *build, const struct directive *directive, const struct statement *statement)
{
    size_t errors = build->loading->report->errors;

    if (has_broken_word(statement)) /* it may stand for several words, or for none */
        return directive->opens == 0 || statement->has_block;
    if (statement->count < directive->least)
        build_refuse(build, &statement->name, "\"%s\" is not complete: write %s %s%s", directive->name,
                     directive->name, directive->syntax, directive->opens == 0 ? "" : " { ... }");
    else if (statement->count > directive->most)
        refuse_extra(build, directive, word_at(statement, directive->most));
    else if (directive->opens != 0 && !statement->has_block)
        build_refuse(build, &statement->name, "\"%s\" needs a block: write %s%s%s { ... }", directive->name,
                     directive->name, *directive->syntax == '\0' ? "" : " ", directive->syntax);
    else if (directive->opens == 0 && statement->has_block)
        build_refuse(build, &statement->name, "\"%s\" takes no block", directive->name);
    return build->loading->report->errors == errors;
}

static bool
check_once(struct build *build, struct scope *scope, const struct directive *directive,
           const struct statement *statement)
{
    const struct statement **given = &scope->given[directive - build->schema.rows];
    char                     place[SCOPE_TEXT_SIZE];

    if (*given == NULL) {
        *given = statement;
        return true;
    }
    if (directive->merge == MERGE_REPEAT)
        return true;
    if ((*given)->name.place.source != statement->name.place.source || statement->name.place.line == 0)
        build_refuse(build, &statement->name, "\"%s\" is given twice %s", directive->name,
                     build_scope_text(scope, place));
    else
        build_refuse(build, &statement->name, "\"%s\" is given twice %s; the first is in line %u",
                     directive->name, build_scope_text(scope, place), (*given)->name.place.line);
    return false;
}

/* ── words that stand for the content of a file ── */

static void
read_file_word(struct build *build, struct word *word)
{
    struct fault fault;
    struct span  bytes = SPAN_EMPTY;
    const char  *path = source_resolve(build->loading, word->place.source, span_skip(word->text, 1));

    if (path == NULL)
        return;
    if (source_read_bytes(build->loading, path, FILE_WORD_MAX, &bytes, &fault) != ERR_NONE) {
        build_refuse(build, word, "%s", fault.text);
        word->broken = true;
        return;
    }
    while (bytes.len > 0 && strchr("\r\n", bytes.at[bytes.len - 1]) != NULL)
        bytes.len--;
    word->text = bytes;
}

static void
read_file_words(struct build *build, const struct statement *statement)
{
    for (struct word *word = statement->words; word != NULL; word = word->next)
        if (!word->quoted && !word->broken && word->text.len > 1 && word->text.at[0] == '@')
            read_file_word(build, word);
}

/* ── statements ── */

static void
apply_statement(struct build *build, struct scope *scope, const struct statement *statement)
{
    const struct directive *directive = schema_find(&build->schema, statement->name.text, scope->context);

    if (directive == NULL || statement->name.broken) {
        refuse_name(build, scope, statement);
        return;
    }
    bool once = check_once(build, scope, directive, statement);
    if (!check_form(build, directive, statement) || !once)
        return;
    if (!directive->keeps_at)
        read_file_words(build, statement);
    if (directive->opens != 0 || !has_broken_word(statement))
        directive->apply(build, scope, directive, statement);
}

/* Limits may share a line, as pairs: `head-size 16k  head-fields 100`. */
static bool
is_pairs(const struct scope *scope, const struct statement *statement)
{
    return scope->context == IN_LIMITS && !statement->has_block && statement->count > 1
           && statement->count % 2 == 1;
}

static void
apply_pairs(struct build *build, struct scope *scope, const struct statement *statement)
{
    const struct word *name = &statement->name, *value = statement->words;

    while (value != NULL) {
        struct statement *pair = loading_alloc(build->loading, sizeof *pair);
        struct word      *alone = loading_alloc(build->loading, sizeof *alone);
        if (pair == NULL || alone == NULL)
            return;
        *alone = *value;
        alone->next = NULL;
        *pair = (struct statement){ .name = *name, .words = alone, .count = 1 };
        apply_statement(build, scope, pair);
        name = value->next;
        value = name == NULL ? NULL : name->next;
    }
}

void
build_apply_block(struct build *build, struct scope *scope, const struct statement *block)
{
    for (const struct statement *statement = block; statement != NULL; statement = statement->next) {
        if (is_pairs(scope, statement))
            apply_pairs(build, scope, statement);
        else
            apply_statement(build, scope, statement);
    }
}

static bool
is_site(const struct statement *statement)
{
    return span_equal(statement->name.text, SPAN("site"));
}

/* Sites last: they inherit what defaults say, wherever those stand. */
void
build_apply(struct build *build, struct statement *statements)
{
    struct scope      top = { .context = IN_TOP };
    struct statement *sites = NULL, *others = NULL, **sites_tail = &sites, **others_tail = &others;

    for (struct statement *statement = statements, *next; statement != NULL; statement = next) {
        struct statement ***tail = is_site(statement) ? &sites_tail : &others_tail;
        next = statement->next;
        statement->next = NULL;
        **tail = statement;
        *tail = &statement->next;
    }
    build_apply_block(build, &top, others);
    build_apply_block(build, &top, sites);
}
