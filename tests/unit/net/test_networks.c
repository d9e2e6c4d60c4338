/* test_networks.c: sets of networks: their text, whether an address is in one, held against a plain list; what they cost. */
#include <larder/net/networks.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct network
parsed(const char *text)
{
    struct network network;
    struct fault   fault;

    cr_assert_eq(network_parse(span_of_text(text), &network, &fault), ERR_NONE, "%s", text);
    return network;
}

static struct networks *
read_text(const char *text)
{
    struct networks *networks;
    struct fault     fault;

    cr_assert_eq(networks_read(&networks, span_of_text(text), "list", &fault), ERR_NONE, "%s", fault.text);
    return networks;
}

static bool
has(const struct networks *networks, const char *host)
{
    struct network network = parsed(host);
    return networks_have(networks, &network);
}

static void
expect_refused(const char *text, enum err err, const char *part)
{
    struct network network;
    struct fault   fault;

    cr_expect_eq(network_parse(span_of_text(text), &network, &fault), err, "%s", text);
    cr_expect_not_null(strstr(fault.text, part), "%s: %s", text, fault.text);
}

Test(net_networks, refuses_what_is_no_network)
{
    expect_refused("", ERR_SYNTAX, "is no network");
    expect_refused("10.0.0/8", ERR_SYNTAX, "\"10.0.0/8\" is no network");
    expect_refused("example.com", ERR_SYNTAX, "is no network");
    expect_refused("10.0.0.0/", ERR_RANGE, "0 to 32");
    expect_refused("10.0.0.0/33", ERR_RANGE, "0 to 32");
    expect_refused("10.0.0.0/08", ERR_RANGE, "0 to 32");
    expect_refused("10.0.0.0/8/8", ERR_RANGE, "0 to 32");
    expect_refused("10.0.0.0/+8", ERR_RANGE, "0 to 32");
    expect_refused("::/129", ERR_RANGE, "0 to 128");
    expect_refused("::ffff:10.0.0.0/95", ERR_RANGE, "96 to 128");
    expect_refused("10.0.0.1/8", ERR_RANGE, "bits behind its prefix");
    expect_refused("2001:db8::1/64", ERR_RANGE, "bits behind its prefix");
}

Test(net_networks, knows_first_and_last_of_each)
{
    struct networks *networks =
        read_text("10.0.0.0/8\n192.0.2.128/25 # half\n\n# none\n198.51.100.7\r\n2001:db8::/33\n"
                  "2001:db8:8000::1\n::ffff:203.0.113.0/120\n");

    cr_expect_eq(networks_count(networks), 6);
    cr_expect(has(networks, "10.0.0.0") && has(networks, "10.255.255.255"));
    cr_expect(!has(networks, "9.255.255.255") && !has(networks, "11.0.0.0"));
    cr_expect(has(networks, "192.0.2.128") && has(networks, "192.0.2.255"));
    cr_expect(!has(networks, "192.0.2.127") && !has(networks, "192.0.3.0"));
    cr_expect(has(networks, "198.51.100.7") && !has(networks, "198.51.100.6")
              && !has(networks, "198.51.100.8"));
    cr_expect(has(networks, "::ffff:10.1.2.3"), "IPv4 in IPv6 is IPv4");
    cr_expect(has(networks, "203.0.113.9") && !has(networks, "203.0.114.0"));
    cr_expect(has(networks, "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"));
    cr_expect(has(networks, "2001:db8:8000::1") && !has(networks, "2001:db8:8000::")
              && !has(networks, "2001:db8:8000::2"));
    networks_destroy(&networks);
    cr_expect_null(networks);
}

Test(net_networks, keeps_ipv4_and_ipv6_apart)
{
    struct networks *six = read_text("::/0"), *four = read_text("0.0.0.0/0"), *none = read_text("");

    cr_expect(has(six, "::1") && has(six, "ffff::") && !has(six, "10.0.0.1"));
    cr_expect(has(four, "0.0.0.0") && has(four, "255.255.255.255") && !has(four, "a00::"));
    cr_expect(!has(none, "10.0.0.1") && !has(none, "::1") && !has(NULL, "::1"));
    networks_destroy(&six);
    networks_destroy(&four);
    networks_destroy(&none);
}

Test(net_networks, has_no_unix_socket)
{
    struct networks *all = read_text("0.0.0.0/0\n::/0");
    struct addr      addr = { .len = sizeof(sa_family_t) };
    addr.storage.ss_family = AF_UNIX;
    struct network host = network_of_addr(&addr);

    cr_expect(!networks_have(all, &host));
    networks_destroy(&all);
}

Test(net_networks, drops_what_lies_in_another)
{
    struct networks *networks = read_text("10.1.0.0/16\n10.0.0.0/8\n10.0.0.0/8\n10.0.0.0/30\n::1\n::/64\n");

    cr_expect_eq(networks_count(networks), 2);
    cr_expect(has(networks, "10.200.0.1") && has(networks, "::2"));
    networks_destroy(&networks);
}

Test(net_networks, names_the_line_that_is_wrong)
{
    struct networks *networks;
    struct fault     fault;

    cr_expect_eq(networks_read(&networks, SPAN("# a list\n10.0.0.0/8\n10.0.0.0/99\n"), "/etc/deny", &fault),
                 ERR_RANGE);
    cr_expect_null(networks);
    cr_expect(span_starts(span_of_text(fault.text), SPAN("/etc/deny:3: \"10.0.0.0/99\"")), "%s", fault.text);
    cr_expect_eq(networks_read_file(&networks, "/nowhere/deny", &fault), ERR_NOT_FOUND);
    cr_expect_not_null(strstr(fault.text, "/nowhere/deny"));
    cr_expect_eq(networks_read_file(&networks, "/", &fault), ERR_UNSUPPORTED);
}

/* ── against a plain list ── */

static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Few distinct bits, so that networks and hosts meet often. */
static struct network
random_host(uint64_t *state)
{
    bool     is_ipv6 = next_random(state) % 2 == 0;
    uint64_t mask = is_ipv6 ? UINT64_C(0xc00300000300c003) : UINT64_C(0xc003030000000000);
    uint64_t high = next_random(state) & mask,
             low = is_ipv6 ? next_random(state) & UINT64_C(0xc000000003000003) : 0;
    return (struct network){ .high = high, .low = low, .bits = is_ipv6 ? 128 : 32, .is_ipv6 = is_ipv6 };
}

static bool
naive_have(const struct network *list, size_t count, const struct network *host)
{
    for (size_t i = 0; i < count; i++) {
        struct network same = network_widen(*host, list[i].bits);
        if (same.is_ipv6 == list[i].is_ipv6 && same.high == list[i].high && same.low == list[i].low)
            return true;
    }
    return false;
}

Test(net_networks, says_what_a_plain_list_says)
{
    enum { ROUNDS = 300, LIST = 40, HOSTS = 100 };
    uint64_t       state = 88172645463325252U;
    struct network list[LIST], kept[LIST];
    unsigned       found = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct networks *networks;
        size_t           count = next_random(&state) % (LIST + 1);
        for (size_t i = 0; i < count; i++) {
            struct network host = random_host(&state);
            /* mostly long ones: a short one hides all others */
            unsigned shorter =
                (unsigned)(next_random(&state) % (i % 8 == 0 ? host.bits + 1U : host.bits / 2U));
            list[i] = network_widen(host, (uint8_t)(host.bits - shorter));
        }
        memcpy(kept, list, sizeof list);
        cr_assert_eq(networks_create(&networks, list, count), ERR_NONE);
        for (unsigned i = 0; i < HOSTS; i++) {
            struct network host = random_host(&state);
            bool           wanted = naive_have(kept, count, &host);
            found += wanted;
            cr_assert_eq(networks_have(networks, &host), wanted, "round %u, host %u", round, i);
        }
        networks_destroy(&networks);
    }
    cr_expect(found > 1000 && found < ROUNDS * HOSTS - 1000, "%u", found);
}

/* ── many ── */

Test(net_networks, takes_100_000_and_stays_small)
{
    enum { MANY = 100000 };
    struct network  *list = calloc(MANY, sizeof list[0]), host;
    struct networks *networks;
    uint64_t         state = 4101842887655102017U;

    cr_assert_not_null(list);
    for (size_t i = 0; i < MANY; i++) { /* spread evenly, which shares the least */
        bool is_ipv6 = i % 2 == 0;
        host = (struct network){
            .high = next_random(&state), .low = next_random(&state), .bits = 128, .is_ipv6 = is_ipv6
        };
        if (!is_ipv6)
            host = (struct network){ .high = host.high & ~UINT64_C(0xffffffff), .bits = 32 };
        list[i] = network_widen(host, is_ipv6 ? 64 : 32);
    }
    cr_assert_eq(networks_create(&networks, list, MANY), ERR_NONE);
    size_t count = networks_count(networks); /* random ones may be the same */
    cr_expect(count > MANY - 10 && count <= MANY);
    for (size_t i = 0; i < count; i++) {
        host = list[i];
        host.bits = host.is_ipv6 ? 128 : 32;
        cr_assert(networks_have(networks, &host));
    }
    cr_expect(networks_memory(networks) < (size_t)MANY * 11 * NETWORKS_NODE_SIZE);
    cr_expect(networks_memory(networks) < 24U << 20);
    networks_destroy(&networks);
    free(list);
}
