/* networks.c: a poptrie whose leaves are bits.
 *
 *      address  │ 6 bits │ 6 bits │ 6 bits │ ...            a node:  member  which slots are in the set
 *                   │        └──▶ slot of the next node               inner   which slots go on below
 *                   └──▶ slot of the root                             first   where their nodes begin, side by side
 *
 * It is built once from the sorted list: what lies in a wider network is dropped, so the networks of a slot stand side
 * by side, and each node is a stretch of the list. Not compressed: a chain of single nodes is walked, at most 22 of them.
 */
#include <larder/net/networks.h>

#include <larder/base/check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { STRIDE = 6, SLOTS = 1 << STRIDE };

struct node {
    uint64_t member, inner;
    uint32_t first;
};
_Static_assert(sizeof(struct node) == NETWORKS_NODE_SIZE, "what the header promises");

struct networks {
    struct node *nodes; /* [0]: the root of IPv4, [1]: of IPv6 */
    size_t       node_count, node_room;
    size_t       count;
};

/* ── addresses as bits ── */

static uint64_t
read_u64(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

static struct network
of_ipv4(uint32_t address)
{
    return (struct network){ .high = (uint64_t)address << 32, .bits = 32 };
}

/* RFC 4291 §2.5.5.2: IPv4-mapped. */
static struct network
of_ipv6(const unsigned char bytes[16])
{
    uint64_t high = read_u64(bytes), low = read_u64(bytes + 8);

    if (high == 0 && low >> 32 == 0xffff)
        return of_ipv4((uint32_t)low);
    return (struct network){ .high = high, .low = low, .bits = 128, .is_ipv6 = true };
}

struct network
network_of_addr(const struct addr *addr)
{
    struct sockaddr_in  in;
    struct sockaddr_in6 in6;

    switch (addr->storage.ss_family) {
    case AF_INET:
        memcpy(&in, &addr->storage, sizeof in);
        return of_ipv4(ntohl(in.sin_addr.s_addr));
    case AF_INET6:
        memcpy(&in6, &addr->storage, sizeof in6);
        return of_ipv6(in6.sin6_addr.s6_addr);
    default:
        return (struct network){ .bits = 0 };
    }
}

/* The upper `bits` of 64. */
static uint64_t
mask_of(unsigned bits)
{
    return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
}

struct network
network_widen(struct network host, uint8_t bits)
{
    if (bits >= host.bits)
        return host;
    host.high &= mask_of(bits);
    host.low &= bits > 64 ? mask_of(bits - 64U) : 0;
    host.bits = bits;
    return host;
}

enum err
network_parse(struct span text, struct network *network, struct fault *fault)
{
    struct span rest = text, host;
    struct addr addr;
    uint64_t    bits;

    bool has_bits = span_find(text, '/') >= 0;
    (void)span_split(&rest, '/', &host);
    if (!addr_from_literal(host, 0, &addr))
        return fault_set(fault, ERR_SYNTAX,
                         "\"%.*s\" is no network; expected 192.0.2.0/24, 2001:db8::/32 or one address",
                         SPAN_ARG(span_head(text, 64)));
    struct network whole = network_of_addr(&addr);
    /* a mapped address counts its bits as IPv6 does */
    unsigned mapped = addr.storage.ss_family == AF_INET6 && !whole.is_ipv6 ? 96 : 0;
    if (!has_bits) {
        *network = whole;
        return ERR_NONE;
    }
    bool padded = rest.len > 1 && rest.at[0] == '0';
    if (padded || !span_to_u64(rest, whole.bits + mapped, &bits) || bits < mapped)
        return fault_set(fault, ERR_RANGE,
                         "\"%.*s\" is no network: behind the / stands a number from %u to %u",
                         SPAN_ARG(span_head(text, 64)), mapped, whole.bits + mapped);
    *network = network_widen(whole, (uint8_t)(bits - mapped));
    if (network->high != whole.high || network->low != whole.low)
        return fault_set(
            fault, ERR_RANGE,
            "\"%.*s\" has bits behind its prefix; write the network's own address, or a longer prefix",
            SPAN_ARG(span_head(text, 64)));
    return ERR_NONE;
}

/* The six bits from `at` on; behind the last of 128 there are zeros. */
static unsigned
slot_at(const struct network *network, unsigned at)
{
    if (at + STRIDE <= 64)
        return network->high >> (64 - STRIDE - at) & (SLOTS - 1);
    if (at < 64)
        return (network->high << (at + STRIDE - 64) | network->low >> (128 - STRIDE - at)) & (SLOTS - 1);
    if (at + STRIDE <= 128)
        return network->low >> (128 - STRIDE - at) & (SLOTS - 1);
    return network->low << (at + STRIDE - 128) & (SLOTS - 1);
}

/* ── the list: sorted, and nothing in another ── */

static int
compare(const void *left, const void *right)
{
    const struct network *a = left, *b = right;

    if (a->is_ipv6 != b->is_ipv6)
        return a->is_ipv6 ? 1 : -1;
    if (a->high != b->high)
        return a->high < b->high ? -1 : 1;
    if (a->low != b->low)
        return a->low < b->low ? -1 : 1;
    return (int)a->bits - (int)b->bits; /* the wider one first */
}

static bool
covers(const struct network *wide, const struct network *narrow)
{
    struct network same = network_widen(*narrow, wide->bits);
    return wide->is_ipv6 == narrow->is_ipv6 && wide->bits <= narrow->bits && same.high == wide->high
           && same.low == wide->low;
}

static size_t
drop_covered(struct network *list, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !covers(&list[kept - 1], &list[i]))
            list[kept++] = list[i];
    return kept;
}

/* ── building ── */

static enum err
add_nodes(struct networks *networks, size_t count, uint32_t *first)
{
    if (networks->node_count + count > networks->node_room) {
        size_t       room = networks->node_room + networks->node_room / 2 + count;
        struct node *nodes = realloc(networks->nodes, room * sizeof *nodes);
        if (nodes == NULL)
            return ERR_NO_MEMORY;
        networks->nodes = nodes;
        networks->node_room = room;
    }
    *first = (uint32_t)networks->node_count; /* NETWORKS_MAX of 22 fit */
    memset(networks->nodes + networks->node_count, 0, count * sizeof(struct node));
    networks->node_count += count;
    return ERR_NONE;
}

/* The slots that a network fills which ends in this node. */
static uint64_t
slots_of(const struct network *network, unsigned at)
{
    unsigned first = slot_at(network, at), count = 1U << (at + STRIDE - network->bits);
    uint64_t ones = count == SLOTS ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    return ones << first;
}

/* A node of the networks [list, list + count), which agree in their first `at` bits. At most 22 deep. */
static enum err
build(struct networks *networks, uint32_t place, const struct network *list, size_t count, unsigned at)
{
    struct node node = { 0 };

    for (size_t i = 0; i < count; i++) {
        if (list[i].bits <= at + STRIDE)
            node.member |= slots_of(&list[i], at);
        else
            node.inner |= UINT64_C(1) << slot_at(&list[i], at);
    }
    enum err err = add_nodes(networks, (size_t)__builtin_popcountll(node.inner), &node.first);
    if (err != ERR_NONE)
        return err;
    networks->nodes[place] = node;
    for (size_t from = 0, to, child = node.first; from < count && err == ERR_NONE; from = to) {
        to = from + 1;
        if (list[from].bits <= at + STRIDE)
            continue;
        while (to < count && slot_at(&list[to], at) == slot_at(&list[from], at))
            to++;
        err = build(networks, (uint32_t)child++, list + from, to - from, at + STRIDE);
    }
    return err;
}

static void
shrink(struct networks *networks)
{
    struct node *nodes = realloc(networks->nodes, networks->node_count * sizeof *nodes);

    if (nodes == NULL)
        return;
    networks->nodes = nodes;
    networks->node_room = networks->node_count;
}

enum err
networks_create(struct networks **out, struct network *list, size_t count)
{
    struct networks *networks;
    uint32_t         roots;

    *out = NULL;
    if (count > NETWORKS_MAX)
        return ERR_LIMIT;
    networks = calloc(1, sizeof *networks);
    if (networks == NULL)
        return ERR_NO_MEMORY;
    if (count > 0)
        qsort(list, count, sizeof list[0], compare);
    networks->count = drop_covered(list, count);
    size_t   ipv4 = 0;
    enum err err = add_nodes(networks, 2, &roots);
    while (ipv4 < networks->count && !list[ipv4].is_ipv6)
        ipv4++;
    if (err == ERR_NONE)
        err = build(networks, roots, list, ipv4, 0);
    if (err == ERR_NONE)
        err = build(networks, roots + 1, ipv4 == 0 ? list : list + ipv4, networks->count - ipv4, 0);
    if (err != ERR_NONE)
        networks_destroy(&networks);
    else
        shrink(networks);
    *out = networks;
    return err;
}

void
networks_destroy(struct networks **pointer)
{
    struct networks *networks = *pointer;

    *pointer = NULL;
    if (networks == NULL)
        return;
    free(networks->nodes);
    free(networks);
}

/* ── asking ── */

bool
networks_have(const struct networks *networks, const struct network *host)
{
    if (networks == NULL || host->bits == 0)
        return false;
    const struct node *node = &networks->nodes[host->is_ipv6];
    for (unsigned at = 0;; at += STRIDE) {
        CHECK(at < 128 + STRIDE);
        uint64_t bit = UINT64_C(1) << slot_at(host, at);
        if (node->member & bit)
            return true;
        if (!(node->inner & bit))
            return false;
        node = &networks->nodes[node->first + (uint32_t)__builtin_popcountll(node->inner & (bit - 1))];
    }
}

size_t
networks_count(const struct networks *networks)
{
    return networks == NULL ? 0 : networks->count;
}

size_t
networks_memory(const struct networks *networks)
{
    return networks == NULL ? 0 : sizeof *networks + networks->node_room * sizeof(struct node);
}
