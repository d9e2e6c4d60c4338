/* finish.c: what can be checked only when all is read, and from drafts to the snapshot. */
#include "apply.h"

#include <larder/base/check.h>

#define LISTEN_DEFAULT SPAN(":8000")

static enum err
set_hosts(struct snapshot *snapshot, const struct site_draft *draft, struct site *site)
{
    site->hosts = snapshot_alloc(snapshot, draft->host_count * sizeof site->hosts[0]);
    site->name = snapshot_text(snapshot, draft->hosts[0].word->text);
    if (site->hosts == NULL || site->name == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < draft->host_count; i++)
        site->hosts[i] = draft->hosts[i].name;
    site->host_count = draft->host_count;
    return ERR_NONE;
}

static void
set_rates(const struct site_draft *draft, struct site *site)
{
    for (unsigned by = 0; by < RATE_BY_COUNT; by++) {
        site->rates[by] = draft->settings.rates[by];
        site->guarded |= site->rates[by].interval > 0;
    }
}

static enum err
set_site(struct build *build, const struct site_draft *draft, struct site *site)
{
    enum err err = set_hosts(build->snapshot, draft, site);
    if (err != ERR_NONE)
        return err;
    site->cache = draft->settings.cache;
    set_rates(draft, site);
    err = apply_denies(build, draft->settings.denies, site);
    if (err != ERR_NONE)
        return err;
    site->pool = pool_create(site->name, draft->origin_host, draft->origin_port, &draft->settings.pool);
    return site->pool == NULL ? ERR_NO_MEMORY : ERR_NONE;
}

static enum err
set_sites(struct build *build)
{
    struct snapshot *snapshot = build->snapshot;

    snapshot->sites.sites = snapshot_alloc(snapshot, build->site_count * sizeof snapshot->sites.sites[0]);
    if (snapshot->sites.sites == NULL)
        return ERR_NO_MEMORY;
    for (const struct site_draft *draft = build->sites; draft != NULL; draft = draft->next) {
        struct site *site = &snapshot->sites.sites[snapshot->sites.count++];
        enum err     err = set_site(build, draft, site);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

static const struct listen *
find_cover(const struct snapshot *snapshot, const struct addr *addr)
{
    for (size_t i = 0; i < snapshot->listen_count; i++)
        if (addr_covers(&snapshot->listens[i].addr, addr))
            return &snapshot->listens[i];
    return NULL;
}

/* No directive silently disables another: not the one that takes the connections of another address, either. */
static void
check_listens(struct build *build, const struct place *whole)
{
    const struct snapshot *snapshot = build->snapshot;

    if (build->proxy_listen != NULL && !build->trust_said)
        build_refuse(build, build->proxy_listen,
                     "proxy-protocol without trust: nobody could connect; write trust NETWORK");
    for (size_t i = 0; i < snapshot->listen_count; i++) {
        const struct listen *listen = &snapshot->listens[i], *cover = find_cover(snapshot, &listen->addr);
        if (cover != NULL && cover->proxy_protocol != listen->proxy_protocol)
            report_add(build->loading, SEVERITY_ERROR, whole, NULL,
                       "listen %s takes the connections of %s, and only one of them has proxy-protocol",
                       cover->text, listen->text);
    }
}

/* `:80` in one site and `127.0.0.1:80` in another: the kernel would refuse the second, and the first takes
 * its connections. */
static void
drop_covered_listens(struct snapshot *snapshot)
{
    size_t kept = 0;

    for (size_t i = 0; i < snapshot->listen_count; i++)
        if (find_cover(snapshot, &snapshot->listens[i].addr) == NULL)
            snapshot->listens[kept++] = snapshot->listens[i];
    snapshot->listen_count = kept;
}

static void
set_defaults(const struct schema *schema, struct snapshot *snapshot)
{
    struct fault fault;

    if (snapshot->settings.storage_size == 0)
        snapshot->settings.storage_size = (uint64_t)schema_find(schema, SPAN("ram"), IN_TOP)->row->initial;
    if (snapshot->listen_count > 0)
        return;
    enum err err = addr_parse(LISTEN_DEFAULT, &snapshot->listens[0].addr, &fault);
    CHECK(err == ERR_NONE);
    snapshot->listens[0].text = LISTEN_DEFAULT.at;
    snapshot->listen_count = 1;
}

enum err
build_finish(struct build *build, const struct source *source, struct snapshot **snapshot,
             struct fault *fault)
{
    struct report *report = build->loading->report;
    struct place   whole = { .source = source };
    char           counts[REPORT_COUNTS_SIZE];
    *snapshot = NULL;

    if (report->errors == 0 && build->site_count == 0)
        report_add(build->loading, SEVERITY_ERROR, &whole, NULL,
                   "there is no site; write site HOST { origin HOST:PORT }");
    check_listens(build, &whole);
    if (report->errors > 0)
        return fault_set(fault, ERR_SYNTAX, "%s: configuration not loaded", report_counts(report, counts));
    drop_covered_listens(build->snapshot);
    set_defaults(&build->schema, build->snapshot);
    if (build->loading->exhausted || set_sites(build) != ERR_NONE || apply_trusted(build) != ERR_NONE)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    *snapshot = build->snapshot;
    build->snapshot = NULL;
    return ERR_NONE;
}
