/* resolver.c: watches on names: when to ask, and what to tell.
 *
 *      watch ─▶ ask ─┬─ addresses ─▶ tell them, ask again when the TTL has passed ──────────┐
 *                ▲   └─ none ──────▶ tell it if the last answer was good, wait 1, 2, 4 .. s │
 *                └──────────────────────────────────────────────────────────────────────────┘
 *
 * Telling is a task of the loop, never done from inside of c-ares: the owner may do anything there, also
 * drop the watch or end the resolver. An answer that comes before the last one was told replaces it.
 *
 * Not here: keeping the last good addresses (the owner does), how a question is asked (dns.h).
 */
#include "resolver_impl.h"

#include "dns.h"

#include <larder/base/check.h>

#include <stdlib.h>

struct resolver {
    struct loop          *loop;
    struct dns           *dns;
    struct resolver_times times;
    size_t                watches;
};

struct resolver_watch {
    struct resolver  *resolver;
    resolver_told    *told;
    void             *owner;
    struct timer      ask;
    struct task       tell;
    struct dns_query *query; /* while one is under way */
    nsec              retry; /* the last wait after a failure; 0 when the last answer was good */
    uint16_t          port;
    struct dns_answer answer;
    char              host[]; /* ends with NUL */
};

/* ── the resolver ── */

enum err
resolver_create_with(struct resolver **resolver, struct loop *loop, const struct resolver_times *times,
                     struct fault *fault)
{
    struct resolver *new = calloc(1, sizeof *new);

    if (new == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "cannot resolve names: %s", err_text(ERR_NO_MEMORY));
    new->loop = loop;
    new->times = *times;
    const struct dns_settings settings = {
        .timeout = times->timeout,
        .resolv_conf = times->resolv_conf == NULL ? "/etc/resolv.conf" : times->resolv_conf,
        .port = times->port,
    };
    enum err err = dns_open(&new->dns, loop, &settings, fault);
    if (err != ERR_NONE) {
        free(new);
        return err;
    }
    *resolver = new;
    return ERR_NONE;
}

enum err
resolver_create(struct resolver **resolver, struct loop *loop, struct fault *fault)
{
    static const struct resolver_times times = {
        .ttl_least = 1 * NSEC_PER_SEC,
        .ttl_most = 300 * NSEC_PER_SEC,
        .local = 60 * NSEC_PER_SEC,
        .retry_least = 1 * NSEC_PER_SEC,
        .retry_most = 30 * NSEC_PER_SEC,
        .timeout = 2 * NSEC_PER_SEC,
    };

    return resolver_create_with(resolver, loop, &times, fault);
}

void
resolver_destroy(struct resolver **resolver)
{
    struct resolver *old = *resolver;

    if (old == NULL)
        return;
    CHECK(old->watches == 0);
    dns_close(&old->dns);
    free(old);
    *resolver = NULL;
}

enum err
resolver_use_server(struct resolver *resolver, const char *server)
{
    return dns_use_server(resolver->dns, server);
}

/* ── asking and telling ── */

static nsec
clamp(nsec time, nsec least, nsec most)
{
    return time < least ? least : time > most ? most : time;
}

/* The wait until the next question, and whether this answer is news. */
static nsec
take_answer(struct resolver_watch *watch, bool *news)
{
    const struct resolver_times *times = &watch->resolver->times;

    if (watch->answer.count > 0) {
        watch->retry = 0;
        *news = true;
        return watch->answer.local ? times->local
                                   : clamp(watch->answer.ttl, times->ttl_least, times->ttl_most);
    }
    *news = watch->retry == 0;
    watch->retry = clamp(watch->retry * 2, times->retry_least, times->retry_most);
    return watch->retry;
}

static void
handle_answer(struct dns_answer *answer)
{
    struct resolver_watch *watch = CONTAINER_OF(answer, struct resolver_watch, answer);
    struct loop           *loop = watch->resolver->loop;
    bool                   news;
    nsec                   wait = take_answer(watch, &news);

    timer_set(loop, &watch->ask, mono_add(loop_now(loop), wait));
    if (news)
        task_defer(loop, &watch->tell);
}

static void
ask(struct timer *timer)
{
    struct resolver_watch *watch = CONTAINER_OF(timer, struct resolver_watch, ask);

    dns_refresh(watch->resolver->dns);
    dns_ask(watch->resolver->dns, watch->host, watch->port, &watch->query, &watch->answer, handle_answer);
}

/* The last thing that touches the watch: its owner may drop it. */
static void
tell(struct task *task)
{
    struct resolver_watch *watch = CONTAINER_OF(task, struct resolver_watch, tell);

    watch->told(watch->owner, watch->answer.addrs, watch->answer.count, watch->answer.why);
}

/* ── watches ── */

static struct resolver_watch *
create_watch(struct resolver *resolver, struct span host)
{
    struct resolver_watch *watch = calloc(1, sizeof *watch + host.len + 1);

    if (watch == NULL)
        return NULL;
    memcpy(watch->host, host.at, host.len);
    watch->resolver = resolver;
    timer_init(&watch->ask, ask);
    task_init(&watch->tell, tell);
    resolver->watches++;
    return watch;
}

struct resolver_watch *
resolver_watch_name(struct resolver *resolver, struct span host, uint16_t port, resolver_told *told,
                    void *owner)
{
    CHECK(host.len > 0 && memchr(host.at, '\0', host.len) == NULL);
    struct resolver_watch *watch = create_watch(resolver, host);
    if (watch == NULL)
        return NULL;
    watch->told = told;
    watch->owner = owner;
    watch->port = port;
    if (addr_from_literal(host, port, &watch->answer.addrs[0])) {
        watch->answer.why = "";
        watch->answer.count = 1;
        task_defer(resolver->loop, &watch->tell);
    } else {
        timer_set(resolver->loop, &watch->ask, loop_now(resolver->loop));
    }
    return watch;
}

void
resolver_unwatch(struct resolver_watch **watch)
{
    struct resolver_watch *old = *watch;

    if (old == NULL)
        return;
    timer_cancel(old->resolver->loop, &old->ask);
    task_cancel(old->resolver->loop, &old->tell);
    dns_forget(&old->query);
    old->resolver->watches--;
    free(old);
    *watch = NULL;
}
