/* addr.c: socket addresses as text, in both directions.
 *
 *      "[::1]:8080" ──cut──▶ host "::1", in brackets, port "8080" ──▶ a literal, or a name to resolve
 *
 * Strict on purpose: what inet_aton and getaddrinfo would guess at ("127.1", "0177.0.0.1", "::1:80") is
 * refused, so that nobody connects to another place than was written. Scope ids ("fe80::1%eth0") are not
 * offered.
 *
 * Messages quote what the user wrote; bytes that a terminal would obey are shown as '?'.
 */
#include <larder/net/addr.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

enum { NAME_MAX_LEN = 253, LABEL_MAX_LEN = 63, QUOTE_SIZE = 72 }; /* lengths: RFC 1035 §2.3.4 */

#define LISTEN_FORMS                                                                                         \
    "expected ADDRESS:PORT, for example 127.0.0.1:8080, [::1]:8080 or :8080 for all interfaces"

/* ── text in pieces ── */

struct parts {
    struct span host, port;
    bool        bracketed, has_port;
};

static const char *
quote(struct span text, char out[static QUOTE_SIZE])
{
    size_t len = text.len < QUOTE_SIZE - 4 ? text.len : QUOTE_SIZE - 4;

    for (size_t i = 0; i < len; i++)
        out[i] = text.at[i] >= ' ' && text.at[i] <= '~' ? text.at[i] : '?';
    snprintf(out + len, QUOTE_SIZE - len, "%s", len < text.len ? "..." : "");
    return out;
}

static enum err
cut_brackets(struct span text, struct parts *parts, struct fault *fault)
{
    char    shown[QUOTE_SIZE];
    ssize_t end = span_find(text, ']');

    if (end < 0)
        return fault_set(fault, ERR_SYNTAX, "\"%s\": the bracket is not closed: expected [::1]:8080",
                         quote(text, shown));
    struct span rest = span_skip(text, (size_t)end + 1);
    parts->bracketed = true;
    parts->host = span_skip(span_head(text, (size_t)end), 1);
    parts->has_port = rest.len > 0;
    if (parts->has_port && rest.at[0] != ':')
        return fault_set(fault, ERR_SYNTAX,
                         "\"%s\": after the bracket only a port may follow: expected [::1]:8080",
                         quote(text, shown));
    parts->port = span_skip(rest, 1);
    return ERR_NONE;
}

static enum err
cut(struct span text, struct parts *parts, struct fault *fault)
{
    char shown[QUOTE_SIZE];

    *parts = (struct parts){ 0 };
    if (text.len > 0 && text.at[0] == '[')
        return cut_brackets(text, parts, fault);

    ssize_t colon = span_find(text, ':');
    parts->has_port = colon >= 0;
    parts->host = parts->has_port ? span_head(text, (size_t)colon) : text;
    parts->port = parts->has_port ? span_skip(text, (size_t)colon + 1) : SPAN_EMPTY;
    if (span_find(parts->port, ':') >= 0)
        return fault_set(fault, ERR_SYNTAX, "\"%s\": an IPv6 address stands in brackets: [::1]:8080",
                         quote(text, shown));
    return ERR_NONE;
}

static enum err
read_port(struct span text, uint64_t least, uint16_t *port, struct fault *fault)
{
    char     shown[QUOTE_SIZE];
    uint64_t number;

    if (text.len > 1 && text.at[0] == '0')
        return fault_set(fault, ERR_SYNTAX, "\"%s\" is no port: it begins with 0", quote(text, shown));
    if (!span_to_u64(text, UINT64_MAX, &number))
        return fault_set(fault, ERR_SYNTAX, "\"%s\" is no port: expected a number from %u to 65535",
                         quote(text, shown), (unsigned)least);
    if (number < least || number > UINT16_MAX)
        return fault_set(fault, ERR_RANGE, "port %s is out of range: expected a number from %u to 65535",
                         quote(text, shown), (unsigned)least);
    *port = (uint16_t)number;
    return ERR_NONE;
}

/* ── literals ── */

static void
set_ipv4(struct addr *addr, struct in_addr ip, uint16_t port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = ip };

    *addr = (struct addr){ .len = sizeof in };
    memcpy(&addr->storage, &in, sizeof in);
}

static void
set_ipv6(struct addr *addr, struct in6_addr ip, uint16_t port)
{
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = ip };

    *addr = (struct addr){ .len = sizeof in6 };
    memcpy(&addr->storage, &in6, sizeof in6);
}

bool
addr_from_literal(struct span host, uint16_t port, struct addr *addr)
{
    char            text[INET6_ADDRSTRLEN];
    struct in_addr  ip;
    struct in6_addr ip6;

    if (host.len == 0 || host.len >= sizeof text || memchr(host.at, '\0', host.len) != NULL)
        return false;
    memcpy(text, host.at, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &ip) == 1)
        set_ipv4(addr, ip, port);
    else if (inet_pton(AF_INET6, text, &ip6) == 1)
        set_ipv6(addr, ip6, port);
    else
        return false;
    return true;
}

/* Brackets stand around IPv6, and only there. */
static bool
literal_matches(const struct parts *parts, uint16_t port, struct addr *addr)
{
    return addr_from_literal(parts->host, port, addr)
           && parts->bracketed == (addr->storage.ss_family == AF_INET6);
}

/* ── names ── */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* '_' is in no host name of RFC 1123, but in many that containers and service discovery make up. */
static bool
is_label(struct span label)
{
    if (label.len == 0 || label.len > LABEL_MAX_LEN)
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = ascii_lower(label.at[i]);
        if (!is_digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* A name whose last label is a number is a mistyped IPv4 address: no top-level domain is a number (RFC 3696
 * §2). */
static bool
is_name(struct span host)
{
    struct span label = SPAN_EMPTY, rest = host;
    bool        number = true;

    if (span_ends(host, SPAN(".")))
        rest.len--; /* the root's dot */
    if (rest.len == 0 || rest.len > NAME_MAX_LEN)
        return false;
    while (span_split(&rest, '.', &label))
        if (!is_label(label))
            return false;
    for (size_t i = 0; i < label.len; i++)
        number = number && is_digit(label.at[i]);
    return !number;
}

/* ── the two grammars ── */

enum err
addr_parse(struct span text, struct addr *addr, struct fault *fault)
{
    struct parts parts;
    char         shown[QUOTE_SIZE];
    uint16_t     port;
    enum err     err = cut(text, &parts, fault);

    if (err != ERR_NONE)
        return err;
    if (!parts.has_port)
        return fault_set(fault, ERR_SYNTAX, "\"%s\" has no port: " LISTEN_FORMS, quote(text, shown));
    err = read_port(parts.port, 0, &port, fault);
    if (err != ERR_NONE)
        return err;
    if (parts.host.len == 0 && !parts.bracketed) {
        set_ipv6(addr, in6addr_any, port);
        return ERR_NONE;
    }
    if (literal_matches(&parts, port, addr))
        return ERR_NONE;
    if (!parts.bracketed && is_name(parts.host))
        return fault_set(fault, ERR_SYNTAX,
                         "\"%s\" is a name, and listening must not depend on names: " LISTEN_FORMS,
                         quote(parts.host, shown));
    return fault_set(fault, ERR_SYNTAX, "\"%s\" is no IP address: " LISTEN_FORMS, quote(parts.host, shown));
}

static enum err
check_host(const struct parts *parts, struct span text, struct fault *fault)
{
    struct addr addr;
    char        shown[QUOTE_SIZE];

    if (parts->host.len == 0)
        return fault_set(fault, ERR_SYNTAX, "\"%s\" has no host: expected HOST:PORT", quote(text, shown));
    if (literal_matches(parts, 0, &addr) || (!parts->bracketed && is_name(parts->host)))
        return ERR_NONE;
    return fault_set(fault, ERR_SYNTAX, "\"%s\" is neither a host name nor an IP address%s",
                     quote(parts->host, shown), parts->bracketed ? " of version 6" : "");
}

enum err
addr_split(struct span text, uint16_t default_port, struct span *host, uint16_t *port, struct fault *fault)
{
    struct parts parts;
    char         shown[QUOTE_SIZE];
    uint16_t     number = default_port;
    enum err     err = cut(text, &parts, fault);

    if (err == ERR_NONE)
        err = check_host(&parts, text, fault);
    if (err == ERR_NONE && !parts.has_port && default_port == 0)
        err = fault_set(fault, ERR_SYNTAX, "\"%s\" has no port: expected HOST:PORT", quote(text, shown));
    if (err == ERR_NONE && parts.has_port)
        err = read_port(parts.port, 1, &number, fault);
    if (err != ERR_NONE)
        return err;
    *host = parts.host;
    *port = number;
    return ERR_NONE;
}

/* ── reading addresses ── */

static struct sockaddr_in
as_ipv4(const struct addr *addr)
{
    struct sockaddr_in in;

    memcpy(&in, &addr->storage, sizeof in);
    return in;
}

static struct sockaddr_in6
as_ipv6(const struct addr *addr)
{
    struct sockaddr_in6 in6;

    memcpy(&in6, &addr->storage, sizeof in6);
    return in6;
}

/* The IPv4 address, also where a dual-stack socket shows it as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2). */
static bool
get_ipv4(const struct addr *addr, struct in_addr *ip)
{
    if (addr->storage.ss_family == AF_INET) {
        *ip = as_ipv4(addr).sin_addr;
        return true;
    }
    if (addr->storage.ss_family != AF_INET6)
        return false;
    struct in6_addr ip6 = as_ipv6(addr).sin6_addr;
    if (!IN6_IS_ADDR_V4MAPPED(&ip6))
        return false;
    memcpy(ip, &ip6.s6_addr[12], sizeof *ip);
    return true;
}

uint16_t
addr_port(const struct addr *addr)
{
    switch (addr->storage.ss_family) {
    case AF_INET:
        return ntohs(as_ipv4(addr).sin_port);
    case AF_INET6:
        return ntohs(as_ipv6(addr).sin6_port);
    default:
        return 0;
    }
}

bool
addr_equal(const struct addr *a, const struct addr *b)
{
    if (a->storage.ss_family != b->storage.ss_family || addr_port(a) != addr_port(b))
        return false;
    if (a->storage.ss_family == AF_INET)
        return as_ipv4(a).sin_addr.s_addr == as_ipv4(b).sin_addr.s_addr;
    if (a->storage.ss_family == AF_INET6) {
        struct sockaddr_in6 a6 = as_ipv6(a), b6 = as_ipv6(b);
        return memcmp(&a6.sin6_addr, &b6.sin6_addr, sizeof a6.sin6_addr) == 0
               && a6.sin6_scope_id == b6.sin6_scope_id;
    }
    return a->len == b->len && memcmp(&a->storage, &b->storage, a->len) == 0;
}

bool
addr_covers(const struct addr *wide, const struct addr *narrow)
{
    struct in_addr ip;

    if (addr_port(wide) == 0 || addr_port(wide) != addr_port(narrow) || addr_equal(wide, narrow))
        return false;
    if (wide->storage.ss_family == AF_INET)
        return as_ipv4(wide).sin_addr.s_addr == htonl(INADDR_ANY) && get_ipv4(narrow, &ip);
    struct in6_addr ip6 = as_ipv6(wide).sin6_addr;
    return IN6_IS_ADDR_UNSPECIFIED(&ip6);
}

bool
addr_is_loopback(const struct addr *addr)
{
    struct in_addr ip;

    if (get_ipv4(addr, &ip))
        return ntohl(ip.s_addr) >> 24 == IN_LOOPBACKNET;
    if (addr->storage.ss_family == AF_INET6) {
        struct in6_addr ip6 = as_ipv6(addr).sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(&ip6);
    }
    return addr->storage.ss_family == AF_UNIX;
}

/* ── writing addresses ── */

static const char *
format_unix(const struct addr *addr, char out[static ADDR_TEXT_SIZE])
{
    struct sockaddr_un un;
    size_t             head = offsetof(struct sockaddr_un, sun_path);

    memcpy(&un, &addr->storage, sizeof un);
    size_t len = addr->len > head ? strnlen(un.sun_path, addr->len - head) : 0;
    if (len == 0) /* the end that connected has no name */
        snprintf(out, ADDR_TEXT_SIZE, "unix");
    else
        snprintf(out, ADDR_TEXT_SIZE, "unix:%.*s", (int)len, un.sun_path);
    return out;
}

const char *
addr_format_host(const struct addr *addr, char out[static ADDR_TEXT_SIZE])
{
    struct in_addr ip;

    out[0] = '\0';
    if (get_ipv4(addr, &ip)) {
        inet_ntop(AF_INET, &ip, out, ADDR_TEXT_SIZE);
    } else if (addr->storage.ss_family == AF_INET6) {
        struct in6_addr ip6 = as_ipv6(addr).sin6_addr;
        inet_ntop(AF_INET6, &ip6, out, ADDR_TEXT_SIZE);
    } else if (addr->storage.ss_family == AF_UNIX) {
        format_unix(addr, out);
    }
    return out;
}

const char *
addr_format(const struct addr *addr, char out[static ADDR_TEXT_SIZE])
{
    char           host[ADDR_TEXT_SIZE];
    struct in_addr ip;

    addr_format_host(addr, host);
    if (addr->storage.ss_family != AF_INET && addr->storage.ss_family != AF_INET6)
        return strcpy(out, host);
    if (get_ipv4(addr, &ip))
        snprintf(out, ADDR_TEXT_SIZE, "%.46s:%u", host, addr_port(addr));
    else
        snprintf(out, ADDR_TEXT_SIZE, "[%.46s]:%u", host, addr_port(addr));
    return out;
}
