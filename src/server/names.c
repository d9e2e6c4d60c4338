/* names.c: see names.h. */
#include "names.h"

#include <larder/base/check.h>
#include <stdlib.h>

struct name {
    struct names          *names;
    struct pool           *pool;
    struct resolver_watch *watch;
    bool                   told;
};

static void
note(struct name *name, size_t count, const char *why)
{
    struct log *log = name->names->log;
    struct span host = pool_host(name->pool);

    if (count == 0)
        log_write(log, LOG_WARN, "origin %.*s does not resolve: %s", SPAN_ARG(host), why);
    else if (name->told && pool_addresses(name->pool, NULL) == 0)
        log_write(log, LOG_INFO, "origin %.*s resolves now", SPAN_ARG(host));
}

static void
told(void *owner, const struct addr *addrs, size_t count, const char *why)
{
    struct name *name = owner;

    note(name, count, why);
    pool_set_addresses(name->pool, addrs, count, why);
    if (!name->told)
        name->names->untold--;
    name->told = true;
}

static enum err
watch_pool(struct names *names, struct pool *pool, struct fault *fault)
{
    struct name *name = &names->names[names->count];

    *name = (struct name){ .names = names, .pool = pool };
    name->watch = resolver_watch_name(names->resolver, pool_host(pool), pool_port(pool), told, name);
    if (name->watch == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    names->count++;
    names->untold++;
    return ERR_NONE;
}

enum err
names_open(struct names *names, struct loop *loop, const struct site_table *sites, struct log *log,
           struct fault *fault)
{
    *names = (struct names){ .loop = loop, .log = log };
    names->names = calloc(sites->count, sizeof names->names[0]);
    if (names->names == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    enum err err = resolver_create(&names->resolver, loop, fault);
    for (size_t i = 0; i < sites->count && err == ERR_NONE; i++)
        err = watch_pool(names, sites->sites[i].pool, fault);
    if (err != ERR_NONE)
        names_close(names);
    return err;
}

void
names_settle(struct names *names, nsec most)
{
    mono_time start = clock_mono(), now = start;

    while (names->untold > 0 && mono_since(now, start) < most) {
        loop_turn(names->loop, most - mono_since(now, start));
        now = clock_mono();
    }
}

void
names_close(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        resolver_unwatch(&names->names[i].watch);
    if (names->resolver != NULL)
        resolver_destroy(&names->resolver);
    free(names->names);
    *names = (struct names){ .loop = NULL };
}
