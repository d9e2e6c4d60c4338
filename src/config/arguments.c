/* arguments.c: the flags of `larder run`, as statements.
 *
 *      --ram 64M --origin a:80 --ttl 2m      ram 64M          the same statements that a file would have,
 *                                      ──▶   site * {         so the same checks and the same messages
 *                                                origin a:80
 *                                                ttl 2m
 *                                            }
 *
 * Beside a file, flags may only replace what the file says once at its top level or in its limits.
 */
#include "load_impl.h"

enum { FLAGS_MAX = 256 };

struct flags {
    struct loading      *loading;
    const struct schema *schema;
    char *const         *argv;
    int                  argc, at;
    const char          *file; /* of -c; NULL: none */
    /* lists of statements, by where they belong */
    struct statement *top, **top_tail;
    struct statement *limits, **limits_tail;
    struct statement *site, **site_tail;
};

/* ── one flag ── */

static const struct directive *
find_flag(const struct schema *schema, struct span name)
{
    const struct directive *directive = schema_find(schema, name, IN_TOP | IN_LIMITS | IN_SITE);
    return directive != NULL && directive->opens == 0 ? directive : NULL;
}

static enum err
unknown_flag(const struct flags *flags, struct span name, struct fault *fault)
{
    const struct directive *guess =
        schema_guess(flags->schema, span_head(name, 64), IN_TOP | IN_LIMITS | IN_SITE);

    if (schema_is_later(name))
        return fault_set(fault, ERR_UNSUPPORTED, "--%.*s is not offered yet by this version of larder",
                         SPAN_ARG(name));
    if (guess != NULL && guess->opens == 0)
        return fault_set(fault, ERR_NOT_FOUND, "unknown flag --%.*s; did you mean --%s?",
                         SPAN_ARG(span_head(name, 64)), guess->name);
    return fault_set(fault, ERR_NOT_FOUND, "unknown flag --%.*s", SPAN_ARG(span_head(name, 64)));
}

/* A flag is a source without text: its place is its name. */
static struct place
place_of(struct loading *loading, struct span name)
{
    struct source *source = loading_alloc(loading, sizeof *source);
    char          *shown = loading_alloc(loading, name.len + 3);

    if (source == NULL || shown == NULL)
        return (struct place){ .source = NULL };
    memcpy(shown, "--", 2);
    memcpy(shown + 2, name.at, name.len);
    source->name = shown;
    return (struct place){ .source = source };
}

static enum err
add_word(struct flags *flags, struct statement *statement, struct span text)
{
    struct word **tail = &statement->words;
    struct word  *word = loading_alloc(flags->loading, sizeof *word);

    if (word == NULL)
        return ERR_NO_MEMORY;
    while (*tail != NULL)
        tail = &(*tail)->next;
    *word = (struct word){ .text = text, .place = statement->name.place };
    *tail = word;
    statement->count++;
    return ERR_NONE;
}

/* "connect 2s first-byte 15s": a directive of any number of words takes them all from one argument. */
static enum err
add_words(struct flags *flags, struct statement *statement, struct span text)
{
    struct span rest = text, word;

    while (span_split(&rest, ' ', &word)) {
        if (word.len > 0 && add_word(flags, statement, word) != ERR_NONE)
            return ERR_NO_MEMORY;
    }
    return ERR_NONE;
}

/* The words behind a flag: one, or as many as the directive takes. `first` has a NULL pointer unless it
 * came after "=". */
static enum err
take_words(struct flags *flags, const struct directive *directive, struct statement *statement,
           struct span first, struct fault *fault)
{
    bool     many = directive->least != directive->most && !directive->flag_takes_one;
    unsigned wanted = many ? 1 : directive->least;

    for (unsigned i = 0; i < wanted; i++) {
        struct span text = first;
        if (i > 0 || first.at == NULL) {
            if (flags->at == flags->argc)
                return fault_set(fault, ERR_SYNTAX, "--%s is not complete: write --%s %s", directive->name,
                                 directive->name, directive->syntax);
            text = span_of_text(flags->argv[flags->at++]);
        }
        if ((many ? add_words(flags, statement, text) : add_word(flags, statement, text)) != ERR_NONE)
            return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    }
    return ERR_NONE;
}

static struct statement ***
tail_for(struct flags *flags, const struct directive *directive)
{
    if (directive->contexts & IN_TOP)
        return &flags->top_tail;
    return directive->contexts & IN_LIMITS ? &flags->limits_tail : &flags->site_tail;
}

static enum err
read_directive(struct flags *flags, struct span argument, struct fault *fault)
{
    struct span rest = span_skip(argument, 2), name;
    (void)span_split(&rest, '=', &name);
    const struct directive *directive = find_flag(flags->schema, name);
    struct statement       *statement = loading_alloc(flags->loading, sizeof *statement);

    if (directive == NULL)
        return unknown_flag(flags, name, fault);
    if (statement == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    statement->name = (struct word){ .text = name, .place = place_of(flags->loading, name) };
    struct statement ***tail = tail_for(flags, directive);
    **tail = statement;
    *tail = &statement->next;
    return take_words(flags, directive, statement, rest, fault);
}

static enum err
read_file_name(struct flags *flags, struct fault *fault)
{
    if (flags->file != NULL)
        return fault_set(fault, ERR_SYNTAX, "-c is given twice");
    if (flags->at == flags->argc)
        return fault_set(fault, ERR_SYNTAX, "-c is not complete: write -c FILE");
    flags->file = flags->argv[flags->at++];
    return ERR_NONE;
}

static enum err
read_flags(struct flags *flags, struct fault *fault)
{
    enum err err = ERR_NONE;

    if (flags->argc > FLAGS_MAX)
        return fault_set(fault, ERR_LIMIT, "more than %d arguments", FLAGS_MAX);
    while (err == ERR_NONE && flags->at < flags->argc) {
        struct span argument = span_of_text(flags->argv[flags->at++]);
        if (span_equal(argument, SPAN("-c")) || span_equal(argument, SPAN("--config")))
            err = read_file_name(flags, fault);
        else if (span_starts(argument, SPAN("--")) && argument.len > 2)
            err = read_directive(flags, argument, fault);
        else if (span_starts(argument, SPAN("-")))
            err = fault_set(fault, ERR_NOT_FOUND, "unknown flag %.*s", SPAN_ARG(span_head(argument, 64)));
        else
            err = fault_set(fault, ERR_SYNTAX, "unexpected argument \"%.*s\"",
                            SPAN_ARG(span_head(argument, 64)));
    }
    if (err == ERR_NONE && flags->loading->exhausted)
        err = fault_set(fault, ERR_NO_MEMORY, "out of memory");
    return err;
}

/* ── without a file: one site for every host ── */

static bool
has_statement(const struct statement *list, struct span name)
{
    for (; list != NULL; list = list->next)
        if (span_equal(list->name.text, name))
            return true;
    return false;
}

static struct statement *
make_block(struct flags *flags, struct span name, struct span word, struct statement *block)
{
    struct statement *statement = loading_alloc(flags->loading, sizeof *statement);

    if (statement == NULL)
        return NULL;
    *statement = (struct statement){ .name = { .text = name, .place = place_of(flags->loading, name) },
                                     .has_block = true,
                                     .block = block };
    return word.len > 0 && add_word(flags, statement, word) != ERR_NONE ? NULL : statement;
}

static enum err
apply_alone(struct build *build, struct flags *flags, struct fault *fault)
{
    if (!has_statement(flags->site, SPAN("origin")))
        return fault_set(fault, ERR_SYNTAX,
                         "nothing to serve: give --origin HOST:PORT, or a configuration with -c FILE");
    struct statement *limits = make_block(flags, SPAN("limits"), SPAN_EMPTY, flags->limits);
    struct statement *site = make_block(flags, SPAN("site"), SPAN("*"), flags->site);
    if (limits == NULL || site == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    *flags->top_tail = limits;
    limits->next = site;
    build_apply(build, flags->top);
    return ERR_NONE;
}

/* ── beside a file ── */

/* What the file says more than once, or in a site, no flag can replace. */
static enum err
check_beside_file(const struct flags *flags, struct fault *fault)
{
    const struct statement *refused = flags->site;

    for (const struct statement *top = flags->top; top != NULL && refused == NULL; top = top->next)
        if (find_flag(flags->schema, top->name.text)->merge == MERGE_REPEAT)
            refused = top;
    if (refused == NULL)
        return ERR_NONE;
    return fault_set(fault, ERR_SYNTAX, "%s cannot stand beside -c: say it in %s",
                     refused->name.place.source->name, flags->file);
}

static enum err
apply_beside(struct build *build, struct flags *flags, struct source **source, struct fault *fault)
{
    struct scope limits = { .context = IN_LIMITS };

    enum err err = check_beside_file(flags, fault);
    if (err == ERR_NONE)
        err = load_source(build, flags->file, source, fault);
    if (err != ERR_NONE)
        return err;
    build_apply(build, flags->top);
    build_apply_block(build, &limits, flags->limits);
    return ERR_NONE;
}

/* ── both ── */

/* Findings about flags are not part of a report on files: the first one is the fault. */
static enum err
take_flag_finding(struct report *report, struct fault *fault)
{
    for (size_t i = 0; i < report->count; i++)
        if (report->findings[i].file == 0 && !report->findings[i].is_warning) {
            fault_set(fault, ERR_SYNTAX, "%s", report->findings[i].text);
            report_fini(report);
            return ERR_SYNTAX;
        }
    return ERR_NONE;
}

static enum err
load(struct flags *flags, struct build *build, struct snapshot **snapshot, struct fault *fault)
{
    struct source *source = NULL;

    enum err err = read_flags(flags, fault);
    if (err != ERR_NONE)
        return err;
    err = flags->file == NULL ? apply_alone(build, flags, fault) : apply_beside(build, flags, &source, fault);
    if (err == ERR_NONE)
        err = take_flag_finding(flags->loading->report, fault);
    if (err == ERR_NONE)
        err = build_finish(build, source, snapshot, fault);
    return err;
}

enum err
config_load_arguments(int argc, char *const argv[], struct report *report, struct snapshot **snapshot,
                      struct fault *fault)
{
    struct loading loading;
    struct build   build;
    struct flags   flags = { .loading = &loading, .schema = &build.schema, .argv = argv, .argc = argc };

    *snapshot = NULL;
    flags.top_tail = &flags.top;
    flags.limits_tail = &flags.limits;
    flags.site_tail = &flags.site;
    loading_init(&loading, report, false);
    enum err err = build_init(&build, &loading, fault);
    if (err == ERR_NONE)
        err = load(&flags, &build, snapshot, fault);
    build_fini(&build);
    loading_fini(&loading);
    return err;
}
