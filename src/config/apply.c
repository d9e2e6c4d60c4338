/* apply.c: the directives of the whole server, and the blocks. */
#include "apply.h"

#include <larder/base/check.h>
#include <larder/base/units.h>
#include <larder/storage/eviction.h>

/* ── one value ── */

static void *
settings_base(struct build *build, struct scope *scope, enum settings settings)
{
    switch (settings) {
    case SETTINGS_GENERAL:
        return &build->snapshot->settings;
    case SETTINGS_LIMITS:
        return &build->snapshot->limits;
    case SETTINGS_CACHE:
        return &scope->settings->cache;
    case SETTINGS_POOL:
        return &scope->settings->pool;
    case SETTINGS_NONE:
        break;
    }
    UNREACHABLE();
}

static bool
set_option(struct build *build, struct scope *scope, const struct directive *directive,
           const struct word *word)
{
    struct fault fault;
    void        *base = settings_base(build, scope, directive->settings);

    if (option_set(directive->row, base, word->text, &fault) == ERR_NONE)
        return true;
    build_refuse(build, word, "%s", fault.text);
    return false;
}

/* A lifetime of years is a unit mistaken, more often than not. */
static void
warn_of_long_ttl(struct build *build, const struct scope *scope, const struct directive *directive,
                 const struct word *word)
{
    const nsec year = 365 * 24 * 3600 * NSEC_PER_SEC;

    if (directive->settings != SETTINGS_CACHE
        || directive->row->offset != offsetof(struct cache_settings, ttl)
        || scope->settings->cache.ttl <= year)
        return;
    report_add(build->loading, SEVERITY_WARNING, &word->place, NULL, "a %s of more than a year",
               directive->name);
}

APPLY(option)
{
    if (set_option(build, scope, directive, statement->words))
        warn_of_long_ttl(build, scope, directive, statement->words);
}

/* ── where to store ── */

/* No directive silently disables another. */
static bool
check_other_store(struct build *build, const struct scope *scope, const struct statement *statement,
                  struct span other)
{
    const struct directive *directive = schema_find(&build->schema, other, IN_TOP);
    if (scope->given[directive - build->schema.rows] == NULL)
        return true;
    build_refuse(build, &statement->name,
                 "\"ram\" and \"cache\" exclude each other: objects are stored in memory or in files");
    return false;
}

APPLY(ram)
{
    if (!check_other_store(build, scope, statement, SPAN("cache")))
        return;
    if (set_option(build, scope, directive, statement->words))
        build->snapshot->settings.storage_directory = NULL;
}

APPLY(cache)
{
    const struct word *folder = statement->words;

    if (!check_other_store(build, scope, statement, SPAN("ram")))
        return;
    if (folder->text.len == 0 || span_find(folder->text, '\0') >= 0)
        build_refuse(build, folder, "the name of a folder is expected here");
    else if (set_option(build, scope, directive, folder->next))
        build->snapshot->settings.storage_directory = snapshot_text(build->snapshot, folder->text);
}

/* ── who leaves it ── */

/* The words `alpha NUMBER`. */
static void
set_alpha(struct build *build, const struct eviction *policy, const struct word *word)
{
    struct fault fault;
    double       alpha;

    if (!span_equal(word->text, SPAN("alpha")))
        build_refuse(build, word, "\"%.*s\" is not known here: write eviction sc alpha 0.7",
                     SPAN_ARG(span_head(word->text, 64)));
    else if (policy != &eviction_sc)
        build_refuse(build, word, "%s has no alpha: it is a setting of sc", policy->name);
    else if (word->next == NULL)
        build_refuse(build, word, "alpha needs a number from 0 to 1: write alpha 0.7");
    else if (units_parse_decimal(word->next->text, &alpha, &fault) != ERR_NONE)
        build_refuse(build, word->next, "%s", fault.text);
    else if (alpha > 1)
        build_refuse(build, word->next, "\"%.*s\" is too large: at most 1", SPAN_ARG(word->next->text));
    else
        build->snapshot->settings.eviction_alpha = alpha;
}

APPLY(eviction)
{
    const struct word     *name = statement->words;
    const struct eviction *policy = eviction_by_name(name->text);

    (void)scope;
    (void)directive;
    if (policy == NULL) {
        build_refuse(build, name, "\"%.*s\" is no policy; there are " EVICTION_NAMES,
                     SPAN_ARG(span_head(name->text, 64)));
        return;
    }
    build->snapshot->settings.eviction = policy;
    if (name->next != NULL)
        set_alpha(build, policy, name->next);
}

/* ── where to listen ── */

static const struct listen *
find_listen(const struct snapshot *snapshot, const struct addr *addr)
{
    for (size_t i = 0; i < snapshot->listen_count; i++)
        if (addr_equal(&snapshot->listens[i].addr, addr))
            return &snapshot->listens[i];
    return NULL;
}

/* Two sites may name one address, and must agree about it. */
static void
check_agreement(struct build *build, const struct word *word, const struct listen *listen,
                bool proxy_protocol)
{
    if (listen->proxy_protocol != proxy_protocol)
        build_refuse(build, word, "\"%.*s\" is listened on already, %s proxy-protocol", SPAN_ARG(word->text),
                     listen->proxy_protocol ? "with" : "without");
}

static void
add_listen(struct build *build, const struct word *word, bool proxy_protocol)
{
    struct snapshot *snapshot = build->snapshot;
    struct fault     fault;
    struct addr      addr;

    if (schema_is_later(word->text)) {
        build_refuse(build, word, "\"%.*s\" is not offered yet by this version of larder",
                     SPAN_ARG(word->text));
        return;
    }
    if (addr_parse(word->text, &addr, &fault) != ERR_NONE) {
        build_refuse(build, word, "%s", fault.text);
        return;
    }
    const struct listen *same = find_listen(snapshot, &addr);
    if (same != NULL) {
        check_agreement(build, word, same, proxy_protocol);
        return;
    }
    if (snapshot->listen_count == SNAPSHOT_LISTENS_MAX) {
        build_refuse(build, word, "at most %d addresses to listen on", SNAPSHOT_LISTENS_MAX);
        return;
    }
    snapshot->listens[snapshot->listen_count++] =
        (struct listen){ addr, snapshot_text(snapshot, word->text), proxy_protocol };
}

static bool
is_proxy_protocol(const struct word *word)
{
    return span_equal(word->text, SPAN("proxy-protocol"));
}

APPLY(listen)
{
    bool proxy_protocol = false;

    (void)scope;
    (void)directive;
    if (is_proxy_protocol(statement->words)) {
        build_refuse(build, statement->words,
                     "proxy-protocol stands behind the address: listen :8000 proxy-protocol");
        return;
    }
    for (const struct word *word = statement->words; word != NULL; word = word->next)
        proxy_protocol |= is_proxy_protocol(word);
    if (proxy_protocol && build->proxy_listen == NULL)
        build->proxy_listen = &statement->name;
    for (const struct word *word = statement->words; word != NULL; word = word->next)
        if (!is_proxy_protocol(word))
            add_listen(build, word, proxy_protocol);
}

/* ── blocks ── */

APPLY(limits)
{
    struct scope inner = { .context = directive->opens, .outer = scope, .statement = statement };
    build_apply_block(build, &inner, statement->block);
}

APPLY(defaults)
{
    struct scope inner = {
        .context = directive->opens, .outer = scope, .statement = statement, .settings = &build->defaults
    };
    build_apply_block(build, &inner, statement->block);
}
