/* snapshot.h: one generation of the configuration, checked and whole.
 *
 * It holds all that serving needs: sites with their settings, pools (still without addresses: the resolver
 * finds those), addresses to listen on, limits, and where to store. Whoever uses it holds a reference; the
 * last release frees it.
 *
 * Frozen after it was loaded; only the reference count, the pools' addresses and the blocklists change.
 */
#ifndef LARDER_CONFIG_SNAPSHOT_H
#define LARDER_CONFIG_SNAPSHOT_H

#include <larder/net/addr.h>
#include <larder/proxy/site.h>
#include <larder/proxy/worker.h>
#include <larder/storage/eviction.h>
#include <sys/types.h>

enum { SNAPSHOT_LISTENS_MAX = 32 };

/* For now every address serves every site: a request finds its site by its host. */
struct listen {
    struct addr addr;
    const char *text; /* as written */
    bool        proxy_protocol;
};

/* What the process takes from itself before it serves. ON: all that the kernel has; STRICT: all, or no start. */
enum sandbox { SANDBOX_ON, SANDBOX_OFF, SANDBOX_STRICT };

/* Whom root becomes. */
struct user {
    const char *name; /* NULL: nobody else */
    uid_t       uid;
    gid_t       gid;
};

struct snapshot_settings {
    uint64_t    workers;           /* 0: one for each core that this process may use */
    uint64_t    storage_size;      /* bytes */
    const char *storage_directory; /* NULL: in memory */
    const char *admin_path;        /* NULL: admin_path_default() */
    const char *access_path;       /* of the access log; NULL: there is none */
    enum access_format access_format;
    gid_t       admin_group;       /* may use the admin API too; (gid_t)-1: no group may */

    struct user  user;
    enum sandbox sandbox;

    const struct eviction *eviction; /* never NULL */
    double                 eviction_alpha;
};

struct snapshot {
    struct snapshot_settings settings;
    struct proxy_settings    limits;
    struct site_table        sites; /* each has a pool of its own */
    struct networks         *trust; /* whose words about clients count; NULL: nobody's */
    struct blocklists       *blocklists; /* NULL: no file of networks is named; can be read again */
    struct listen            listens[SNAPSHOT_LISTENS_MAX];
    size_t                   listen_count; /* at least 1 */
    struct snapshot_memory  *memory;       /* private */
};

/* Any thread. */
struct snapshot *snapshot_acquire(struct snapshot *snapshot);
void             snapshot_release(struct snapshot **snapshot);

#endif
