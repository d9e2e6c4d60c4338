/* resolver.h: names to addresses, off the workers, following their time to live (c-ares).
 *
 * A watch on a name asks at once, and again when the answer's TTL has passed (1 s at least, 5 min at
 * most). Each answer is told in full. A failure is told once per change of state and asked again after 1,
 * 2, 4 ... 30 s; whoever watches keeps its last good answer. IP literals are answered at once and never
 * asked.
 *
 * Owner: one loop (the control thread's). Server list and search domains come from resolv.conf, which is
 * read again when it has changed; /etc/hosts counts.
 */
#ifndef LARDER_NET_RESOLVER_H
#define LARDER_NET_RESOLVER_H

#include <larder/net/addr.h>
#include <larder/net/loop.h>

struct resolver;
struct resolver_watch;

enum { RESOLVER_ADDRS_MAX = 64 };

/* `count` addresses, sorted so that equal sets compare equal; count 0: the name does not resolve now, `why`
 * says it. */
typedef void resolver_told(void *owner, const struct addr *addrs, size_t count, const char *why);

MUST_CHECK enum err resolver_create(struct resolver **resolver, struct loop *loop, struct fault *fault);

/* All watches must be gone. */
void resolver_destroy(struct resolver **resolver);

/* For tests: ask this DNS server ("127.0.0.1:5353") instead of resolv.conf's. */
MUST_CHECK enum err resolver_use_server(struct resolver *resolver, const char *server);

/* `told` is called from the loop, never from within this call. NULL when memory ends. */
struct resolver_watch *resolver_watch_name(struct resolver *resolver, struct span host, uint16_t port,
                                           resolver_told *told, void *owner);
void resolver_unwatch(struct resolver_watch **watch);

#endif
