/* build.h: from statements to a snapshot, by the schema.
 *
 *      statements ──▶ scope (top level, limits, defaults, a site) ──▶ apply_* ──▶ drafts ──finish──▶ snapshot
 *
 * Limits and defaults are read before any site, wherever they stand. A draft becomes part of the snapshot
 * only when nothing at all was wrong.
 */
#ifndef CONFIG_BUILD_H
#define CONFIG_BUILD_H

#include "parser.h"
#include "schema.h"
#include "snapshot_impl.h"

#include <larder/proxy/rate.h>

/* A thing that is denied. Lists share their ends: that of a site goes on in that of defaults. */
enum deny_kind { DENY_NETWORK, DENY_FILE, DENY_PATH, DENY_METHOD, DENY_FIELD, DENY_KINDS };
struct deny_draft {
    enum deny_kind           kind;
    struct span              text; /* a glob, a name */
    struct span              pattern;
    struct network           network;
    unsigned                 file;
    const struct deny_draft *next;
};

/* What a site can inherit. */
struct site_settings {
    struct cache_settings cache;
    struct pool_settings  pool;
    struct rate              rates[RATE_BY_COUNT];
    const struct deny_draft *denies;
};

struct host {
    struct span        name; /* lower case, in the snapshot's memory */
    const struct word *word;
};

struct site_draft {
    const struct statement *statement;
    struct host            *hosts;
    size_t                  host_count;
    struct site_settings    settings;
    struct span             origin_host; /* empty: none given */
    uint16_t                origin_port;
    struct site_draft      *next;
};

enum { TIMEOUT_WORDS_MAX = 16 };

/* A block while its statements are applied. */
struct scope {
    enum context            context;
    struct scope           *outer;     /* NULL at the top level */
    const struct statement *statement; /* whose block it is */
    struct site_settings   *settings;  /* in defaults and in a site */
    struct site_draft      *site;
    const struct statement *given[SCHEMA_MAX]; /* by the directive's index: the first one */
    const struct word      *timeouts[TIMEOUT_WORDS_MAX];
    const struct word      *rates[RATE_BY_COUNT];
};

struct build {
    struct loading      *loading;
    struct schema        schema;
    struct snapshot     *snapshot; /* until it is finished, ours */
    struct site_settings defaults;
    struct site_draft   *sites, **sites_tail;
    size_t               site_count;
    const struct deny_draft *trusted;      /* networks only */
    bool                     trust_said;   /* also if no word of it was a network */
    const struct word       *proxy_listen; /* the first address for the PROXY protocol; NULL: none */
};

MUST_CHECK enum err build_init(struct build *build, struct loading *loading, struct fault *fault);
void                build_fini(struct build *build);

/* The statements of the top level. */
void build_apply(struct build *build, struct statement *statements);

/* The statements of one block. */
void build_apply_block(struct build *build, struct scope *scope, const struct statement *block);

/* Checks what can be checked only at the end, and hands over the snapshot; `source` is where findings
 * without a line belong. On failure *snapshot is NULL, and the fault is the closing line of the report. */
MUST_CHECK enum err build_finish(struct build *build, const struct source *source, struct snapshot **snapshot,
                                 struct fault *fault);

/* A finding at the word; silent about words that were reported before. */
void build_refuse(struct build *build, const struct word *word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Where a scope is, for a message: "in site \"shop.example.com\"". Returns out. */
enum { SCOPE_TEXT_SIZE = 128 };
const char *build_scope_text(const struct scope *scope, char out[static SCOPE_TEXT_SIZE]);

#endif
