/* resolver_impl.h: the times of a resolver, so that tests need not wait for them, and where it reads. */
#ifndef LARDER_NET_RESOLVER_IMPL_H
#define LARDER_NET_RESOLVER_IMPL_H

#include <larder/net/resolver.h>

struct resolver_times {
    nsec ttl_least, ttl_most;     /* an answer is asked again within these */
    nsec local;                   /* what the hosts file says is read again after this */
    nsec retry_least, retry_most; /* after a failure: the first wait, which doubles, up to the second */
    nsec timeout;                 /* of the first try; it doubles with each of three */

    const char *resolv_conf; /* NULL: the system's */
    uint16_t    port;        /* of the servers that it names; 0: the usual one */
};

MUST_CHECK enum err resolver_create_with(struct resolver **resolver, struct loop *loop,
                                         const struct resolver_times *times, struct fault *fault);

#endif
