/* addr.h: socket addresses, parsed from and written as text.
 *
 * Forms: "127.0.0.1:8080", "[::1]:8080", ":8080" (all interfaces, IPv6 dual stack), and for an origin also
 * "name:8080", which only the resolver turns into addresses. A port is never guessed here.
 */
#ifndef LARDER_NET_ADDR_H
#define LARDER_NET_ADDR_H

#include <larder/base/err.h>
#include <larder/base/span.h>
#include <sys/socket.h>

struct addr {
    struct sockaddr_storage storage;
    socklen_t               len;
};

/* An address to listen on. A name is refused: listening must not depend on DNS. */
MUST_CHECK enum err addr_parse(struct span text, struct addr *addr, struct fault *fault);

/* Splits "host:port" of an origin; brackets are taken off an IPv6 host. `default_port` 0: a port is
 * required. ERR_SYNTAX with a fault when the host is empty or has bytes that no name has. */
MUST_CHECK enum err addr_split(struct span text, uint16_t default_port, struct span *host, uint16_t *port,
                               struct fault *fault);

/* An IP literal (no brackets) as an address; false when it is none. */
bool addr_from_literal(struct span host, uint16_t port, struct addr *addr);

bool     addr_equal(const struct addr *a, const struct addr *b);
uint16_t addr_port(const struct addr *addr);
/* Whether who listens on `wide` takes what comes for `narrow`, too: the same port, and ":80" (all of IPv6 and
 * IPv4) or "0.0.0.0:80" for another address. False for equal ones, and for port 0. */
bool addr_covers(const struct addr *wide, const struct addr *narrow);
bool addr_is_loopback(const struct addr *addr); /* 127/8, ::1, ::ffff:127/104, and Unix sockets */

/* "127.0.0.1:80" / "[::1]:80"; and the host alone without brackets ("127.0.0.1"; a mapped IPv4 address as
 * IPv4). NUL-terminated, return out. */
enum { ADDR_TEXT_SIZE = 64 };
const char *addr_format(const struct addr *addr, char out[static ADDR_TEXT_SIZE]);
const char *addr_format_host(const struct addr *addr, char out[static ADDR_TEXT_SIZE]);

#endif
