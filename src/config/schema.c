/* schema.c: the table, and the words that are not in it yet. */
#include "schema.h"

#include "apply.h"

#include <larder/base/check.h>
#include <larder/cache/settings.h>
#include <larder/origin/pool.h>
#include <larder/proxy/worker.h>
#include <larder/storage/eviction.h>
#include <larder/storage/store.h>

/* ── settings of the whole server ── */

#define GENERAL(name, type, member, least, most, initial, help)                                              \
    {                                                                                                        \
        name, OPTION_##type, offsetof(struct snapshot_settings, member), least, most, initial, help          \
    }

enum { WORKERS_MAX = 256 };

static const struct option_row workers_row =
    GENERAL("workers", COUNT, workers, 1, WORKERS_MAX, 0, "Threads that serve, each with a loop of its own.");

static const struct option_row size_row =
    GENERAL("ram", SIZE, storage_size, STORE_SIZE_MIN, INT64_MAX, INT64_C(256) << 20,
            "Stores objects in memory, of this size; they are gone with the process.");

/* ── the table ── */

/* A directive with a form of its own, or (`rows`) one for each row of an option table. */
struct entry {
    struct directive           directive;
    const struct option_table *rows;
};

#define ONE(...)                                                                                             \
    {                                                                                                        \
        .directive = { __VA_ARGS__ }                                                                         \
    }
#define ROWS_OF(table, where, whose)                                                                         \
    {                                                                                                        \
        .directive = { .contexts = where, .settings = whose }, .rows = &table                                \
    }

static const struct entry directives[] = {
    ONE(.name = "cache", .syntax = "DIR SIZE", .contexts = IN_TOP, .least = 2, .most = 2, .row = &size_row,
        .settings = SETTINGS_GENERAL, .apply = apply_cache,
        .help = "Stores objects in files in this folder, allocated in full at the start. The folder is made "
                "if it is missing."),
    ONE(.name = "ram", .syntax = "SIZE", .contexts = IN_TOP, .least = 1, .most = 1, .row = &size_row,
        .settings = SETTINGS_GENERAL, .apply = apply_ram, .initial = "256M, without cache",
        .help = "Stores objects in memory, of this size; they are gone with the process."),
    ONE(.name = "eviction", .syntax = EVICTION_NAMES " [alpha NUMBER]", .contexts = IN_TOP, .least = 1,
        .most = 3, .apply = apply_eviction, .initial = "sc alpha 0.7",
        .help =
            "Which objects leave when the store is full: sc (by use, size and age), s3fifo, lru (least "
            "recently used), or fifo (the oldest). alpha, for sc: 1 saves requests to the origin, 0 saves "
            "bytes, and between them lies what one wants."),
    ONE(.name = "workers", .syntax = "NUMBER", .contexts = IN_TOP, .least = 1, .most = 1, .row = &workers_row,
        .settings = SETTINGS_GENERAL, .apply = apply_option, .initial = "one for each core",
        .help = "Threads that serve, each with a loop of its own."),
    ONE(.name = "admin", .syntax = "PATH [group=NAME]", .contexts = IN_TOP, .least = 1, .most = 2,
        .flag_takes_one = true, .apply = apply_admin,
        .initial = "/run/larder/admin.sock for root, else $XDG_RUNTIME_DIR/larder.sock, else "
                   "/tmp/larder-UID/admin.sock",
        .help = "The Unix socket of the admin API, which root, larder's own user and those of the group may "
                "use."),
    ONE(.name = "log", .syntax = "FILE [json|combined]", .contexts = IN_TOP, .least = 1, .most = 2,
        .flag_takes_one = true, .apply = apply_log,
        .help = "The access log: a line for each request, as a JSON object, or in the combined format of other "
                "servers. SIGUSR1 opens the file anew, after it was moved away."),
    ONE(.name = "user", .syntax = "NAME[:GROUP]", .contexts = IN_TOP, .least = 1, .most = 1,
        .apply = apply_user,
        .help =
            "Whom root becomes when sockets are bound and the folder of the cache is there. larder never is "
            "root again until it ends."),
    ONE(.name = "sandbox", .syntax = "off|on|strict", .contexts = IN_TOP, .least = 1, .most = 1,
        .apply = apply_sandbox, .initial = "on",
        .help = "What the process takes from itself before it serves: system calls that it does not need, "
                "files that "
                "the configuration does not name, new privileges, cores. on: as far as the kernel can; "
                "strict: all, or "
                "it does not start; off: nothing, for debuggers and profilers."),
    ONE(.name = "listen", .syntax = "ADDRESS... [proxy-protocol]", .contexts = IN_TOP | IN_SITE, .least = 1,
        .most = SNAPSHOT_LISTENS_MAX + 1, .merge = MERGE_REPEAT, .apply = apply_listen, .initial = ":8000",
        .help = "Addresses to accept connections on: 127.0.0.1:8000, [::1]:8000, or :8000 for all "
                "interfaces. For now every address serves every site, also one that stands in a site. "
                "proxy-protocol: who connects sends a header of the PROXY protocol first, version 1 or 2, "
                "and must be trusted."),
    ONE(.name = "trust", .syntax = "NETWORK...", .contexts = IN_TOP, .least = 1, .most = ANY_NUMBER,
        .merge = MERGE_REPEAT, .apply = apply_trust,
        .help = "Load balancers and proxies in front of larder: whose PROXY protocol and X-Forwarded-* say "
                "who the client is. Such fields of all others are dropped."),
    ONE(.name = "limits", .syntax = "", .contexts = IN_TOP, .opens = IN_LIMITS, .apply = apply_limits,
        .help = "What clients may do; several settings may share a line."),
    ONE(.name = "defaults", .syntax = "", .contexts = IN_TOP, .opens = IN_DEFAULTS, .apply = apply_defaults,
        .help = "Settings of every site, where the site does not say otherwise."),
    ONE(.name = "site", .syntax = "HOST...", .contexts = IN_TOP, .least = 1, .most = ANY_NUMBER,
        .merge = MERGE_REPEAT, .opens = IN_SITE, .apply = apply_site,
        .help = "What is served under these hosts: www.example.com, *.example.com for all names below, * for "
                "every other host."),
    ONE(.name = "origin", .syntax = "[http://]HOST:PORT", .contexts = IN_SITE, .least = 1, .most = 1,
        .apply = apply_origin,
        .help = "The server that the site is fetched from. A name is resolved again when its time to live is "
                "over; with http:// the port may be left out."),
    ONE(.name = "timeout", .syntax = "WORD TIME...", .contexts = IN_DEFAULTS | IN_SITE, .least = 2,
        .most = 16, .merge = MERGE_REPEAT, .settings = SETTINGS_POOL, .apply = apply_timeout,
        .help = "How long the origin may take, for each of these words:"),
    ONE(.name = "deny", .syntax = "from|path|method|header VALUE...", .contexts = IN_DEFAULTS | IN_SITE,
        .least = 1, .most = ANY_NUMBER, .keeps_at = true, .merge = MERGE_REPEAT, .apply = apply_deny,
        .help = "What is answered with 403. from: networks (192.0.2.0/24) or @FILE, which has one in a line "
                "and is read again on SIGHUP; path: patterns with * and ?; method: names; header: NAME, or "
                "NAME=PATTERN for its value. A site adds to what defaults denies; \"deny !clear\" empties "
                "that first."),
    ONE(.name = "rate", .syntax = "NUMBER/TIME|off per client|key [burst NUMBER]",
        .contexts = IN_DEFAULTS | IN_SITE, .least = 3, .most = 5, .merge = MERGE_REPEAT, .apply = apply_rate,
        .help = "How often a client, or all together for one key, may ask for something of the site: 50/s, "
                "300/m, 5k/h. What is more gets 429. burst: so many may come at once; without it, as many as "
                "the number says. A client is an address; of IPv6, the first 64 bits of one."),
    ROWS_OF(proxy_options, IN_LIMITS, SETTINGS_LIMITS),
    ROWS_OF(cache_options, IN_DEFAULTS | IN_SITE, SETTINGS_CACHE),
    ROWS_OF(pool_options, IN_DEFAULTS | IN_SITE, SETTINGS_POOL),
};

/* CONFIG.md's other words, so that who reads of them is not told of a spelling mistake. */
static const char later[] =
    "metrics pool cert key preset vary purge rule quota "
    "compress tags header methods normalise request-header debug balance check "
    "limit retry pass strip-query browser coalesce redirect-https tls h2 "
    "weight h2-streams h2-resets "
    "stale-while-revalidate wait";

/* Words by which CONFIG.md, or another server, calls what we have under another name. */
static const struct {
    const char *name, *ours;
} aliases[] = { { "header-size", "head-size" },    { "header-count", "head-fields" },
                { "header-time", "head-timeout" }, { "url", "target-size" },
                { "body", "body-size" },           { "idle", "idle-timeout" },
                { "server_name", "site" },         { "server", "site" },
                { "proxy_pass", "origin" },        { "backend", "origin" },
                { "access_log", "log" },
                { "worker_processes", "workers" }, { "proxy_cache_path", "cache" } };

/* ── from the table to directives ── */

struct span
schema_timeout_word(const struct option_row *row)
{
    return row->type == OPTION_TIME ? span_of_text(row->name) : SPAN_EMPTY;
}

const char *
schema_type(const struct option_row *row)
{
    switch (row->type) {
    case OPTION_TIME:
        return "TIME";
    case OPTION_SIZE:
        return "SIZE";
    case OPTION_COUNT:
        return "NUMBER";
    case OPTION_SWITCH:
        return "on|off";
    }
    UNREACHABLE();
}

static void
add(struct schema *schema, const struct directive *directive)
{
    CHECK(schema->count < SCHEMA_MAX);
    schema->rows[schema->count++] = *directive;
}

/* The time limits of a pool are said by `timeout`, and are no directives of their own. */
static void
add_rows(struct schema *schema, const struct entry *entry)
{
    for (size_t i = 0; i < entry->rows->count; i++) {
        const struct option_row *row = &entry->rows->rows[i];
        if (entry->directive.settings == SETTINGS_POOL && schema_timeout_word(row).len > 0)
            continue;
        struct directive directive = entry->directive;
        directive.name = row->name;
        directive.syntax = schema_type(row);
        directive.least = directive.most = 1;
        directive.row = row;
        directive.apply = apply_option;
        directive.help = row->help;
        add(schema, &directive);
    }
}

void
schema_init(struct schema *schema)
{
    schema->count = 0;
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
        if (directives[i].rows == NULL)
            add(schema, &directives[i].directive);
        else
            add_rows(schema, &directives[i]);
    }
}

const struct directive *
schema_find(const struct schema *schema, struct span name, unsigned contexts)
{
    for (size_t i = 0; i < schema->count; i++)
        if ((schema->rows[i].contexts & contexts) && span_equal(name, span_of_text(schema->rows[i].name)))
            return &schema->rows[i];
    return NULL;
}

static const struct directive *
find_alias(const struct schema *schema, struct span name, unsigned contexts)
{
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (span_equal(name, span_of_text(aliases[i].name)))
            return schema_find(schema, span_of_text(aliases[i].ours), contexts);
    return NULL;
}

/* A third of the letters may be wrong, and one in the shortest names: this is the first distance that is
 * too far. */
static unsigned
too_far(struct span name)
{
    return (unsigned)(name.len < 3 ? 2 : name.len / 3 + 1);
}

bool
schema_guess_later(struct span name, struct span *guess)
{
    struct span rest = span_of_text(later), word;
    unsigned    least = too_far(name);
    bool        found = false;

    while (span_split(&rest, ' ', &word)) {
        unsigned distance = span_distance(name, word);
        if (distance >= least)
            continue;
        least = distance;
        *guess = word;
        found = true;
    }
    return found;
}

const struct directive *
schema_guess(const struct schema *schema, struct span name, unsigned contexts)
{
    const struct directive *best = find_alias(schema, name, contexts);
    unsigned                least = best != NULL ? 0 : too_far(name);

    for (size_t i = 0; i < schema->count; i++) {
        if (!(schema->rows[i].contexts & contexts))
            continue;
        unsigned distance = span_distance(name, span_of_text(schema->rows[i].name));
        if (distance < least) {
            least = distance;
            best = &schema->rows[i];
        }
    }
    return best;
}

bool
schema_is_later(struct span name)
{
    struct span rest = span_of_text(later), word;

    while (span_split(&rest, ' ', &word))
        if (span_equal(name, word))
            return true;
    return false;
}

const char *
schema_place(enum context context)
{
    switch (context) {
    case IN_TOP:
        return "at the top level";
    case IN_LIMITS:
        return "in limits";
    case IN_DEFAULTS:
        return "in defaults";
    case IN_SITE:
        return "in a site";
    }
    UNREACHABLE();
}
