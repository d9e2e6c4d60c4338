/* dns.h: c-ares on a loop: one question, one answer, told once.
 *
 *      dns_ask ──▶ c-ares ── wants sockets watched, a timer set ──▶ loop
 *         done ◀── c-ares ◀─────────── ares_process_fd ──────────────┘
 *
 * Nothing of c-ares shows outside of dns.c. What to do with an answer, and when to ask again, is
 * resolver.c's. Owner: one loop.
 */
#ifndef LARDER_NET_DNS_H
#define LARDER_NET_DNS_H

#include <larder/net/resolver.h>

struct dns;
struct dns_query;

struct dns_answer {
    const char *why;   /* "" with addresses; else why there are none, a text that stays */
    bool        local; /* from the hosts file: it has no time to live */
    nsec        ttl;   /* the least of all records, names' too */
    size_t      count;
    struct addr addrs[RESOLVER_ADDRS_MAX]; /* sorted, none twice; the least ones when there are more */
};

struct dns_settings {
    nsec        timeout;     /* of the first try; it doubles with each */
    const char *resolv_conf; /* where the name servers are read from; a text that stays */
    uint16_t    port;        /* of the name servers that it names; 0: the usual one */
};

/* Called at boot: c-ares' own set-up is not thread-safe. */
MUST_CHECK enum err dns_open(struct dns **dns, struct loop *loop, const struct dns_settings *settings,
                             struct fault *fault);

/* Reads resolv.conf again if it has changed and nothing is under way: a machine may get its name servers
 * after we were started, or others. When memory ends, all stays as it is. */
void dns_refresh(struct dns *dns);

/* Ends what is under way, without telling. No query may have an owner any more (dns_forget). */
void dns_close(struct dns **dns);

/* From now on this server, whatever resolv.conf says. */
MUST_CHECK enum err dns_use_server(struct dns *dns, const char *server);

/* Asks for IPv4 and IPv6. `*query` is set while it is under way; `done` may be called before dns_ask
 * returns, and must neither ask nor close. `answer` is filled by then. */
void dns_ask(struct dns *dns, const char *host, uint16_t port, struct dns_query **query,
             struct dns_answer *answer, void (*done)(struct dns_answer *answer));

/* Its owner does not want the answer any more; `*query` is cleared, nothing is touched later. */
void dns_forget(struct dns_query **query);

#endif
