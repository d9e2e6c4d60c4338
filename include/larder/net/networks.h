/* networks.h: sets of networks ("10.0.0.0/8"), and whether an address is in one.
 *
 *      rows, a file ──▶ struct network ──networks_create──▶ struct networks ──networks_have──▶ yes, no
 *
 * A set is a trie of nodes with 64 slots each, which are found by counting bits: Asai and Ohara, "Poptrie: a compressed
 * trie with population count for fast and scalable software IP routing table lookup", SIGCOMM 2015. As nobody asks which
 * network it was, a leaf is one bit. A lookup takes at most 6 steps for IPv4 and 22 for IPv6, however many networks there are.
 *
 * IPv4 and IPv6 are apart: "::/0" is all of IPv6 and nothing of IPv4. IPv4 written as IPv6 (::ffff:192.0.2.1) is IPv4,
 * in a network as in an address.
 *
 * Frozen after networks_create; any number of threads may ask.
 */
#ifndef LARDER_NET_NETWORKS_H
#define LARDER_NET_NETWORKS_H

#include <larder/net/addr.h>

/* An address and how many of its bits count, from the highest on; those behind are 0. IPv4 has its 32 in the upper half of
 * `high`. A host is a network of all its bits. */
struct network {
    uint64_t high, low;
    uint8_t  bits; /* to 32, or to 128 */
    bool     is_ipv6;
};

enum { NETWORKS_MAX = 1000000, NETWORKS_FILE_MAX = 64 << 20 };

/* "192.0.2.0/24", "2001:db8::/32"; an address alone is a host. Bits behind the prefix are refused, since somebody
 * meant something else. */
MUST_CHECK enum err network_parse(struct span text, struct network *network, struct fault *fault);

/* The host of an address. A Unix socket has none: `bits` is 0 and `is_ipv6` false, and no set has it. */
struct network network_of_addr(const struct addr *addr);

/* A host's network of so many bits. */
struct network network_widen(struct network host, uint8_t bits);

struct networks;

/* A set of `count` networks, in any order, twice or inside each other; the array is the caller's, and is sorted by it.
 * ERR_LIMIT: more than NETWORKS_MAX. */
MUST_CHECK enum err networks_create(struct networks **networks, struct network *list, size_t count);
void                networks_destroy(struct networks **networks);

/* Whether one of them has the host (all of its bits count). NULL is the empty set. */
bool networks_have(const struct networks *networks, const struct network *host);

/* How many there are, without those that lie in others; and the bytes that the set takes: at most NETWORKS_NODE_SIZE for each
 * step of each network (to 144 bytes for one of IPv4, 528 of IPv6), and much less where they share beginnings. */
enum { NETWORKS_NODE_SIZE = 24 };
size_t networks_count(const struct networks *networks);
size_t networks_memory(const struct networks *networks);

/* ── networks_file.c ── */

/* A set from text, a network in a line; what follows a # is a comment, empty lines are fine. `name` is that of the
 * file, for the fault: "NAME:LINE: ...". */
MUST_CHECK enum err networks_read(struct networks **networks, struct span text, const char *name,
                                  struct fault *fault);

/* The same from a file of at most NETWORKS_FILE_MAX bytes. Blocks: not for workers. */
MUST_CHECK enum err networks_read_file(struct networks **networks, const char *path, struct fault *fault);

#endif
