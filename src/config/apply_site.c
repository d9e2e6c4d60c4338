/* apply_site.c: the directives of a site: its hosts, its origin, how long the origin may take. */
#include "apply.h"

/* ── hosts ── */

static bool
is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* What is wrong with a host's name, or NULL. The name is in lower case. */
static const char *
host_complaint(struct span name)
{
    if (span_equal(name, SPAN("*")))
        return NULL;
    struct span rest = span_starts(name, SPAN("*.")) ? span_skip(name, 2) : name;
    if (rest.len == 0 || rest.len > 253)
        return "the name of a host is expected here";
    if (span_find(rest, '*') >= 0)
        return "a * may only stand alone, or for the first part of a name: *.example.com";
    if (span_find(rest, ':') >= 0)
        return "a site's host has no port; the port belongs to listen";
    if (span_find(rest, '/') >= 0)
        return "a site's host has no scheme and no path";
    for (size_t i = 0; i < rest.len; i++)
        if (!is_host_byte(rest.at[i]))
            return "names of hosts have letters, digits, hyphens and dots (others are written in Punycode, "
                   "xn--...)";
    if (rest.at[0] == '.' || rest.at[rest.len - 1] == '.')
        return "a host's name neither begins nor ends with a dot";
    return NULL;
}

static bool
names_host(const struct site_draft *site, struct span name, const struct host **found)
{
    for (size_t i = 0; i < site->host_count; i++)
        if (span_equal(site->hosts[i].name, name)) {
            *found = &site->hosts[i];
            return true;
        }
    return false;
}

static bool
check_host_is_new(struct build *build, const struct site_draft *site, const struct word *word,
                  struct span name)
{
    const struct host *first;
    bool               taken = names_host(site, name, &first);

    for (const struct site_draft *other = build->sites; other != NULL && !taken; other = other->next)
        taken = names_host(other, name, &first);
    if (taken && first->word->place.source == word->place.source)
        build_refuse(build, word, "the host \"%.*s\" has a site already, in line %u", SPAN_ARG(name),
                     first->word->place.line);
    else if (taken)
        build_refuse(build, word, "the host \"%.*s\" has a site already, in %s:%u", SPAN_ARG(name),
                     first->word->place.source->name, first->word->place.line);
    return !taken;
}

static void
add_host(struct build *build, struct site_draft *site, const struct word *word)
{
    char *name = snapshot_text(build->snapshot, word->text);

    if (name == NULL)
        return;
    for (size_t i = 0; i < word->text.len; i++)
        name[i] = ascii_lower(name[i]);
    struct span lower = span_of(name, word->text.len);
    const char *complaint = host_complaint(lower);
    if (complaint != NULL)
        build_refuse(build, word, "%s", complaint);
    else if (check_host_is_new(build, site, word, lower))
        site->hosts[site->host_count++] = (struct host){ lower, word };
}

/* ── the block ── */

static void
check_origin_given(struct build *build, const struct scope *scope)
{
    const struct directive *origin = schema_find(&build->schema, SPAN("origin"), IN_SITE);
    char                    place[SCOPE_TEXT_SIZE];

    if (scope->given[origin - build->schema.rows] != NULL)
        return;
    report_add(build->loading, SEVERITY_ERROR, &scope->statement->name.place, NULL,
               "no origin %s; write origin HOST:PORT", build_scope_text(scope, place));
}

APPLY(site)
{
    struct site_draft *site = loading_alloc(build->loading, sizeof *site);
    struct scope       inner = {
              .context = directive->opens, .outer = scope, .statement = statement, .site = site
    };

    if (site == NULL)
        return;
    site->statement = statement;
    site->settings = build->defaults;
    site->hosts = loading_alloc(build->loading, statement->count * sizeof site->hosts[0]);
    if (site->hosts == NULL)
        return;
    for (const struct word *word = statement->words; word != NULL; word = word->next)
        if (!word->broken)
            add_host(build, site, word);
    inner.settings = &site->settings;
    build_apply_block(build, &inner, statement->block);
    check_origin_given(build, &inner);
    *build->sites_tail = site;
    build->sites_tail = &site->next;
    build->site_count++;
}

/* ── the origin ── */

APPLY(origin)
{
    const struct word *word = statement->words;
    struct span        text = word->text;
    struct fault       fault;
    uint16_t           default_port = 0;

    (void)directive;
    if (span_starts_nocase(text, SPAN("https://"))) {
        build_refuse(build, word, "https:// to an origin is not offered yet by this version of larder");
        return;
    }
    if (span_starts_nocase(text, SPAN("http://"))) {
        text = span_skip(text, 7);
        default_port = 80;
    }
    if (span_find(text, '/') >= 0) {
        build_refuse(build, word, "an origin is HOST:PORT or http://HOST, without a path");
        return;
    }
    struct span host;
    if (addr_split(text, default_port, &host, &scope->site->origin_port, &fault) != ERR_NONE)
        build_refuse(build, word, "%s", fault.text);
    else
        scope->site->origin_host = host;
}

/* ── timeouts ── */

static const struct option_row *
find_timeout(struct span word, size_t *index)
{
    for (*index = 0; *index < pool_options.count && *index < TIMEOUT_WORDS_MAX; (*index)++) {
        struct span name = schema_timeout_word(&pool_options.rows[*index]);
        if (name.len > 0 && span_equal(word, name))
            return &pool_options.rows[*index];
    }
    return NULL;
}

static void
refuse_timeout_word(struct build *build, const struct word *word)
{
    char   names[160] = "";
    size_t len = 0;

    for (size_t i = 0; i < pool_options.count && len < sizeof names - 1; i++) {
        struct span name = schema_timeout_word(&pool_options.rows[i]);
        if (name.len > 0)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%.*s", len == 0 ? "" : ", ",
                                    SPAN_ARG(name));
    }
    build_refuse(build, word, "\"%.*s\" is no timeout of an origin; there are: %s",
                 SPAN_ARG(span_head(word->text, 64)), names);
}

static void
set_timeout(struct build *build, struct scope *scope, const struct word *name, const struct word *value)
{
    struct fault             fault;
    size_t                   index;
    const struct option_row *row = find_timeout(name->text, &index);

    if (row == NULL)
        refuse_timeout_word(build, name);
    else if (scope->timeouts[index] != NULL)
        build_refuse(build, name, "the timeout \"%.*s\" is given twice", SPAN_ARG(name->text));
    else if (option_set(row, &scope->settings->pool, value->text, &fault) != ERR_NONE)
        build_refuse(build, value, "%s", fault.text);
    else
        scope->timeouts[index] = name;
}

APPLY(timeout)
{
    const struct word *word = statement->words;

    if (statement->count % 2 != 0) {
        build_refuse(build, &statement->name, "\"timeout\" takes pairs: write %s %s", directive->name,
                     directive->syntax);
        return;
    }
    for (; word != NULL; word = word->next->next)
        set_timeout(build, scope, word, word->next);
}
