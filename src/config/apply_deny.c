/* apply_deny.c: the directive `deny`: each word becomes a draft, and the drafts of a site become its rules in the end. */
#include "apply.h"

#include <larder/base/check.h>

static void
add(struct build *build, struct scope *scope, const struct deny_draft *draft)
{
    struct deny_draft *own = loading_alloc(build->loading, sizeof *own);

    if (own == NULL)
        return;
    *own = *draft;
    own->next = scope->settings->denies;
    scope->settings->denies = own;
}

/* ── from ── */

static void
add_file(struct build *build, struct scope *scope, const struct word *word)
{
    struct deny_draft draft = { .kind = DENY_FILE };
    struct snapshot  *snapshot = build->snapshot;
    struct fault      fault;
    const char       *path = source_resolve(build->loading, word->place.source, span_skip(word->text, 1));

    if (path == NULL)
        return;
    if (snapshot->blocklists == NULL && blocklists_create(&snapshot->blocklists) != ERR_NONE) {
        build->loading->exhausted = true;
        return;
    }
    if (blocklists_add(snapshot->blocklists, path, &draft.file, &fault) == ERR_NONE)
        add(build, scope, &draft);
    else
        build_refuse(build, word, "%s", fault.text);
}

static void
add_network(struct build *build, struct scope *scope, const struct word *word)
{
    struct deny_draft draft = { .kind = DENY_NETWORK };
    struct fault      fault;

    if (!word->quoted && word->text.len > 1 && word->text.at[0] == '@')
        add_file(build, scope, word);
    else if (network_parse(word->text, &draft.network, &fault) == ERR_NONE)
        add(build, scope, &draft);
    else
        build_refuse(build, word, "%s", fault.text);
}

/* ── path, method, header ── */

static void
add_path(struct build *build, struct scope *scope, const struct word *word)
{
    const struct deny_draft draft = { .kind = DENY_PATH, .text = word->text };

    if (word->text.len > 0 && word->text.len <= DENY_PATTERN_MAX && strchr("/*?", word->text.at[0]) != NULL)
        add(build, scope, &draft);
    else
        build_refuse(build, word,
                     "a pattern for a path begins with / or *, for example /.git/* or *.php~, and has at "
                     "most %d bytes",
                     DENY_PATTERN_MAX);
}

static bool
is_token(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~' || strchr("\"(),/:;<=>?@[\\]{}", text.at[i]) != NULL)
            return false;
    return text.len > 0; /* RFC 9110 §5.6.2 */
}

static void
add_method(struct build *build, struct scope *scope, const struct word *word)
{
    const struct deny_draft draft = { .kind = DENY_METHOD, .text = word->text };

    if (is_token(word->text))
        add(build, scope, &draft);
    else
        build_refuse(build, word, "\"%.*s\" can be no method", SPAN_ARG(span_head(word->text, 64)));
}

static void
add_field(struct build *build, struct scope *scope, const struct word *word)
{
    struct deny_draft draft = { .kind = DENY_FIELD, .pattern = word->text };

    (void)span_split(&draft.pattern, '=', &draft.text);
    if (draft.pattern.at == NULL)
        draft.pattern = SPAN("*");
    if (is_token(draft.text) && draft.pattern.len <= DENY_PATTERN_MAX)
        add(build, scope, &draft);
    else
        build_refuse(build, word,
                     "write NAME, or NAME=PATTERN of at most %d bytes, for example User-Agent=*bot*",
                     DENY_PATTERN_MAX);
}

/* ── the directive ── */

static const struct {
    struct span name;
    void (*add)(struct build *build, struct scope *scope, const struct word *word);
} kinds[] = { { SPAN("from"), add_network },
              { SPAN("path"), add_path },
              { SPAN("method"), add_method },
              { SPAN("header"), add_field } };

APPLY(deny)
{
    const struct word *kind = statement->words;

    (void)directive;
    if (span_equal(kind->text, SPAN("!clear")) && kind->next == NULL) {
        scope->settings->denies = NULL;
        return;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!span_equal(kind->text, kinds[i].name))
            continue;
        if (kind->next == NULL)
            build_refuse(build, kind, "\"deny %.*s\" is not complete: of what?", SPAN_ARG(kind->text));
        for (const struct word *word = kind->next; word != NULL; word = word->next)
            kinds[i].add(build, scope, word);
        return;
    }
    build_refuse(build, kind, "\"%.*s\" is not known here: write from, path, method, header, or !clear alone",
                 SPAN_ARG(span_head(kind->text, 64)));
}

/* ── in the end ── */

static struct span
keep(struct build *build, struct span text)
{
    const char *copy = snapshot_text(build->snapshot, text);

    if (copy == NULL)
        build->loading->exhausted = true;
    return span_of(copy, copy == NULL ? 0 : text.len);
}

/* Rooms for so many of each kind. */
static bool
make_room(struct build *build, const size_t count[DENY_KINDS], struct deny *deny)
{
    struct snapshot *snapshot = build->snapshot;

    deny->files = snapshot_alloc(snapshot, count[DENY_FILE] * sizeof deny->files[0]);
    deny->paths = snapshot_alloc(snapshot, count[DENY_PATH] * sizeof deny->paths[0]);
    deny->methods = snapshot_alloc(snapshot, count[DENY_METHOD] * sizeof deny->methods[0]);
    deny->fields = snapshot_alloc(snapshot, count[DENY_FIELD] * sizeof deny->fields[0]);
    return deny->files != NULL && deny->paths != NULL && deny->methods != NULL && deny->fields != NULL;
}

static void
put(struct build *build, const struct deny_draft *draft, struct deny *deny)
{
    switch (draft->kind) {
    case DENY_FILE:
        deny->files[deny->file_count++] = draft->file;
        return;
    case DENY_PATH:
        deny->paths[deny->path_count++] = keep(build, draft->text);
        return;
    case DENY_METHOD:
        deny->methods[deny->method_count++] = keep(build, draft->text);
        return;
    case DENY_FIELD:
        deny->fields[deny->field_count++] =
            (struct deny_field){ keep(build, draft->text), keep(build, draft->pattern) };
        return;
    case DENY_NETWORK:
        return; /* they are put together */
    case DENY_KINDS:
        break;
    }
    UNREACHABLE();
}

enum err
apply_denies(struct build *build, const struct deny_draft *drafts, struct site *site)
{
    size_t count[DENY_KINDS] = { 0 }, networks = 0;

    if (drafts == NULL)
        return ERR_NONE;
    for (const struct deny_draft *draft = drafts; draft != NULL; draft = draft->next)
        count[draft->kind]++;
    struct deny    *deny = snapshot_alloc(build->snapshot, sizeof *deny);
    struct network *from = loading_alloc(build->loading, count[DENY_NETWORK] * sizeof from[0]);
    if (deny == NULL || from == NULL || !make_room(build, count, deny))
        return ERR_NO_MEMORY;
    for (const struct deny_draft *draft = drafts; draft != NULL; draft = draft->next) {
        if (draft->kind == DENY_NETWORK)
            from[networks++] = draft->network;
        put(build, draft, deny);
    }
    site->deny = deny;
    site->guarded = true;
    if (build->loading->exhausted)
        return ERR_NO_MEMORY;
    return networks == 0 ? ERR_NONE : networks_create(&deny->from, from, networks);
}
