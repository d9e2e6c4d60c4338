/* server.c: the order of things, forwards and backwards.
 *
 * Each step of `steps` makes one part and says what it could not have; the parts know how to end
 * themselves, also when they never began, so server_destroy is the same after a failed start and after a
 * long life.
 */
#include <larder/server/server.h>

#include "admin_socket.h"
#include "crew.h"
#include "identity.h"
#include "names.h"
#include "sandbox.h"
#include "signals.h"
#include "sockets.h"

#include <larder/admin/access_log.h>
#include <larder/admin/admin.h>
#include <larder/base/check.h>
#include <larder/base/units.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long the start waits for names; later answers are taken as they come. */
#define SETTLE_TIME (1 * NSEC_PER_SEC)

enum { WORKERS_MAX = 256 };

struct server {
    struct snapshot      *snapshot;
    struct log           *log;
    unsigned              workers;
    mono_time             started;
    struct loop          *loop;
    struct signals        signals;
    struct sockets        sockets;
    struct admin_socket   admin_socket;
    struct sandbox_report sandbox;
    struct access_log    *access; /* NULL: none is wanted */
    struct store         *store;
    struct cache         *cache;
    struct crowd         *crowd; /* NULL: connections have no bound */
    struct rates         *rates; /* NULL: no site has any */
    struct names          names;
    struct crew           crew;
    struct admin         *admin;
    unsigned              signals_caught;
    bool                  over; /* all workers have ended, or none was ever started */
};

/* ── what the control loop is told ── */

static void
stop_loop(struct crew *crew)
{
    struct server *server = CONTAINER_OF(crew, struct server, crew);

    server->over = true;
    loop_stop(server->loop);
}

/* Before the threads run (the start is still waiting for names) a signal to stop is kept for server_run. */
static void
stop_on_signal(struct server *server, const char *name)
{
    char time[UNITS_TEXT_SIZE];

    server->signals_caught++;
    if (server->signals_caught == 1)
        log_write(server->log, LOG_INFO, "%s: stopping; answers under way have %s", name,
                  units_format_time(server->snapshot->limits.stop_timeout, time));
    else if (server->signals_caught == 2)
        log_write(server->log, LOG_INFO, "%s again: stopping at once", name);
    crew_stop(&server->crew);
}

/* A file that is wrong changes nothing: what was denied before still is. */
static void
read_again(struct server *server, const char *name)
{
    struct blocklists *blocklists = server->snapshot->blocklists;
    struct fault       fault;

    if (blocklists == NULL)
        log_write(server->log, LOG_INFO, "%s: the configuration names no file of networks to be read again",
                  name);
    else if (blocklists_reload(blocklists, &fault) != ERR_NONE)
        log_write(server->log, LOG_WARN, "%s: %s; what is denied stays as it was", name, fault.text);
    else
        log_write(server->log, LOG_INFO, "%s: what is denied was read again: %llu networks", name,
                  (unsigned long long)metric_read(&blocklists_metrics(blocklists)->networks));
}

static void
hear_signal(struct signals *signals, int number, const char *name)
{
    struct server *server = CONTAINER_OF(signals, struct server, signals);

    if (number == SIGHUP)
        read_again(server, name);
    else if (number != SIGUSR1)
        stop_on_signal(server, name);
    else if (server->access != NULL)
        access_log_reopen(server->access);
    else
        log_write(server->log, LOG_INFO, "%s: there is no access log to open anew", name);
}

/* Each worker has the same number of blocks; those of the cache, of the admin API, of the access
 * log, of files of networks and of the store follow. */
static bool
metrics_at(void *owner, unsigned index, const struct metric_table **table, const void **cells)
{
    const struct server *server = owner;
    unsigned             each = 0;

    while (worker_metrics(server->crew.hands[0].worker, each, table, cells))
        each++;
    if (index < each * server->crew.count)
        return worker_metrics(server->crew.hands[index / each].worker, index % each, table, cells);
    index -= each * server->crew.count;
    if (index == 0) {
        *table = &cache_metrics_table;
        *cells = cache_metrics_of(server->cache);
        return true;
    }
    if (--index == 0) {
        *table = &admin_metrics_table;
        *cells = admin_metrics_of(server->admin);
        return true;
    }
    if (server->access != NULL && --index == 0) {
        *table = &access_log_metrics_table;
        *cells = access_log_metrics_of(server->access);
        return true;
    }
    if (server->snapshot->blocklists != NULL && --index == 0) {
        *table = &blocklist_metrics_table;
        *cells = blocklists_metrics(server->snapshot->blocklists);
        return true;
    }
    if (--index >= store_metrics_count(server->store))
        return false;
    *table = &store_metrics_table;
    *cells = store_metrics_of(server->store, index);
    return true;
}

/* ── the steps ── */

/* Each connection is a descriptor, and the usual limit of 1024 is for programs that use select(2). */
static void
raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* The cores that this process may use, not those of the machine. */
static unsigned
count_cores(void)
{
    cpu_set_t cores;

    if (sched_getaffinity(0, sizeof cores, &cores) != 0)
        return 1;
    int count = CPU_COUNT(&cores);
    return count < 1 ? 1 : count > WORKERS_MAX ? WORKERS_MAX : (unsigned)count;
}

/* What is about to fail for want of rights should not fail for a stranger reason first. */
static enum err
check_user(struct server *server, struct fault *fault)
{
    return identity_check(&server->snapshot->settings.user, fault);
}

static enum err
make_loop(struct server *server, struct fault *fault)
{
    raise_descriptor_limit();
    enum err err = loop_create(&server->loop, fault);
    if (err == ERR_NONE)
        err = signals_open(&server->signals, server->loop, hear_signal, fault);
    return err;
}

static enum err
make_sockets(struct server *server, struct fault *fault)
{
    uint64_t wanted = server->snapshot->settings.workers;

    server->workers = wanted == 0 ? count_cores() : (unsigned)wanted;
    return sockets_open(&server->sockets, server->snapshot, server->workers, fault);
}

static enum err
make_admin_socket(struct server *server, struct fault *fault)
{
    const struct snapshot_settings *settings = &server->snapshot->settings;

    enum err err = admin_socket_open(&server->admin_socket, settings->admin_path, fault);
    return err != ERR_NONE
               ? err
               : admin_socket_give(&server->admin_socket, &settings->user, settings->admin_group, fault);
}

/* What the access log needs of the file system: its folder, since the file may be moved away and made anew; of a device
 * or a pipe, itself. */
static const char *
access_place(const char *path, char out[static PATH_MAX])
{
    struct stat status;

    if (path == NULL || (stat(path, &status) == 0 && !S_ISREG(status.st_mode)))
        return path;
    const char *slash = strrchr(path, '/');
    size_t      len = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    snprintf(out, PATH_MAX, "%.*s", len == 0 ? 1 : (int)len, len == 0 ? "." : path);
    return out;
}

/* Each file where it is now, and its folder, in which another one may take its place. */
static size_t
grant_blocklists(const struct blocklists *blocklists, struct landlock_grant *grants)
{
    size_t count = 0;

    if (blocklists == NULL)
        return 0;
    for (unsigned i = 0; blocklists_path(blocklists, i) != NULL; i++) {
        grants[count++] = (struct landlock_grant){ blocklists_path(blocklists, i), LANDLOCK_READ };
        grants[count++] = (struct landlock_grant){ blocklists_folder(blocklists, i), LANDLOCK_READ };
    }
    return count;
}

/* Root, and the way to what we do not need, are gone from here on; and no thread has started yet. */
static enum err
make_confined(struct server *server, struct fault *fault)
{
    const struct snapshot_settings *settings = &server->snapshot->settings;
    const char                     *cache = settings->storage_directory;
    char                            folder[ADMIN_PATH_SIZE], access[PATH_MAX];

    umask(S_IWGRP | S_IRWXO);
    enum err err = identity_make_folder(&settings->user, cache, fault);
    if (err == ERR_NONE)
        err = identity_take(&settings->user, fault);
    if (err == ERR_NONE)
        err = identity_check_folder(&settings->user, cache, fault);
    if (err != ERR_NONE)
        return err;
    struct landlock_grant own[3 + 2 * BLOCKLIST_FILES_MAX] = {
        { cache, LANDLOCK_KEEP },
        { access_place(settings->access_path, access), LANDLOCK_KEEP },
        { admin_socket_folder(&server->admin_socket, folder), LANDLOCK_REMOVE }, /* its file, in the end */
    };
    size_t count = 3 + grant_blocklists(server->snapshot->blocklists, own + 3);
    return sandbox_enter(settings->sandbox, own, count, &server->sandbox, fault);
}

static enum err
make_log_thread(struct server *server, struct fault *fault)
{
    enum err err = log_start(server->log);
    return err == ERR_NONE ? ERR_NONE : fault_set(fault, err, "cannot start the thread of the log");
}

static enum err
make_access_log(struct server *server, struct fault *fault)
{
    const struct access_log_config config = {
        .path = server->snapshot->settings.access_path,
        .format = server->snapshot->settings.access_format,
        .workers = server->workers,
        .log = server->log,
    };
    if (config.path == NULL)
        return ERR_NONE;
    enum err err = access_log_open(&server->access, &config, fault);
    if (err == ERR_NONE && access_log_start(server->access) != ERR_NONE)
        err = fault_set(fault, ERR_SYSTEM, "cannot start the thread of the access log");
    return err;
}

static enum err
make_store(struct server *server, struct fault *fault)
{
    const struct store_config config = {
        .directory = server->snapshot->settings.storage_directory,
        .size = server->snapshot->settings.storage_size,
        .readers = server->workers,
        .eviction = server->snapshot->settings.eviction,
        .alpha = server->snapshot->settings.eviction_alpha,
        .log = server->log,
    };
    return store_open(&server->store, &config, fault);
}

static enum err
make_cache(struct server *server, struct fault *fault)
{
    const struct cache_config config = { .store = server->store, .workers = server->workers };

    enum err err = cache_create(&server->cache, &config);
    return err == ERR_NONE ? ERR_NONE : fault_set(fault, err, "no memory for the cache");
}

static enum err
make_rates(struct server *server, struct fault *fault)
{
    const struct site_table *sites = &server->snapshot->sites;
    bool                     wanted = false;

    for (size_t i = 0; i < sites->count; i++)
        for (unsigned by = 0; by < RATE_BY_COUNT; by++)
            wanted |= sites->sites[i].rates[by].interval > 0;
    if (wanted && rates_create(&server->rates, RATES_BUCKETS) != ERR_NONE)
        return fault_set(fault, ERR_NO_MEMORY, "no memory for the clients' rates");
    return ERR_NONE;
}

static enum err
make_crowd(struct server *server, struct fault *fault)
{
    const struct proxy_settings *limits = &server->snapshot->limits;

    if (limits->connections == 0 && limits->connections_each == 0)
        return ERR_NONE;
    enum err err = crowd_create(&server->crowd, limits->connections, limits->connections_each);
    return err == ERR_NONE ? ERR_NONE : fault_set(fault, err, "no memory to count connections");
}

static enum err
make_crew(struct server *server, struct fault *fault)
{
    const struct worker_config config = {
        .cache = server->cache,
        .sites = &server->snapshot->sites,
        .settings = &server->snapshot->limits,
        .trust = server->snapshot->trust,
        .blocklists = server->snapshot->blocklists,
        .crowd = server->crowd,
        .rates = server->rates,
        .name = "larder",
        .log = server->log,
    };
    return crew_create(&server->crew, server->loop, &config, server->access, &server->sockets, stop_loop,
                       fault);
}

static enum err
make_admin(struct server *server, struct fault *fault)
{
    const struct admin_config config = {
        .loop = server->loop,
        .cache = server->cache,
        .version = LARDER_VERSION,
        .workers = server->workers,
        .group = server->snapshot->settings.admin_group,
        .log = server->log,
        .started = server->started,
        .metrics = metrics_at,
        .owner = server,
    };
    return admin_create(&server->admin, admin_socket_take(&server->admin_socket), &config, fault);
}

static enum err
make_names(struct server *server, struct fault *fault)
{
    enum err err = names_open(&server->names, server->loop, &server->snapshot->sites, server->log, fault);
    if (err == ERR_NONE)
        names_settle(&server->names, SETTLE_TIME);
    return err;
}

static enum err
make_threads(struct server *server, struct fault *fault)
{
    enum err err = crew_go(&server->crew, fault);
    for (unsigned i = 0; i < server->signals_caught && err == ERR_NONE; i++)
        crew_stop(&server->crew);
    return err;
}

static enum err (*const steps[])(struct server *server, struct fault *fault) = {
    check_user, make_loop,  make_sockets, make_admin_socket, make_confined, make_log_thread, make_access_log,
    make_store, make_cache, make_rates, make_crowd,   make_crew,         make_admin,    make_names,      make_threads,
};

/* ── start and stop ── */

static void
announce(const struct server *server)
{
    const struct snapshot_settings *settings = &server->snapshot->settings;
    char                            text[ADDR_TEXT_SIZE];

    log_write(server->log, LOG_INFO, "larder " LARDER_VERSION ": %u worker%s, %s in %s, admin socket %s",
              server->workers, server->workers == 1 ? "" : "s",
              units_format_size(settings->storage_size, text),
              settings->storage_directory == NULL ? "memory" : settings->storage_directory,
              server->admin_socket.path);
    log_write(server->log, server->sandbox.is_whole ? LOG_INFO : LOG_WARN, "sandbox: %s",
              server->sandbox.text);
    if (geteuid() == 0 && settings->user.name == NULL && settings->sandbox != SANDBOX_OFF)
        log_write(server->log, LOG_WARN,
                  "this runs as root, and need not: say user NAME in the configuration");
    for (size_t i = 0; i < server->sockets.count; i++)
        log_write(server->log, LOG_INFO, "listening on %s", addr_format(&server->sockets.bound[i], text));
}

enum err
server_start(struct server **out, struct snapshot *snapshot, struct log *log, struct fault *fault)
{
    struct server *server = calloc(1, sizeof *server);
    enum err       err = ERR_NONE;

    *out = NULL;
    if (server == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    server->snapshot = snapshot_acquire(snapshot);
    server->log = log;
    server->started = clock_mono();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && err == ERR_NONE; i++)
        err = steps[i](server, fault);
    if (err != ERR_NONE) {
        server_destroy(&server);
        return err;
    }
    announce(server);
    *out = server;
    return ERR_NONE;
}

void
server_run(struct server *server)
{
    loop_run(server->loop);
    CHECK(server->over);
}

/* Workers first, so that nobody asks any more; then the store, whose last jobs write to the workers' loops
 * and to ours; then what they wrote to. */
void
server_destroy(struct server **pointer)
{
    struct server *server = *pointer;

    *pointer = NULL;
    if (server == NULL)
        return;
    for (unsigned i = 0; i < 2 && !server->over; i++)
        crew_stop(&server->crew);
    crew_join(&server->crew);
    access_log_close(&server->access);
    admin_destroy(&server->admin);
    admin_socket_close(&server->admin_socket);
    names_close(&server->names);
    signals_close(&server->signals);
    if (server->store != NULL)
        store_close(&server->store);
    crew_destroy(&server->crew);
    cache_destroy(&server->cache);
    rates_destroy(&server->rates);
    crowd_destroy(&server->crowd);
    sockets_close(&server->sockets);
    if (server->loop != NULL)
        loop_destroy(&server->loop);
    snapshot_release(&server->snapshot);
    free(server);
}

const struct addr *
server_address(const struct server *server, size_t index)
{
    return index < server->sockets.count ? &server->sockets.bound[index] : NULL;
}
