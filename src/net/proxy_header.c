/* proxy_header.c: see proxy_header.h. The first byte tells the versions apart: P, or CR. */
#include <larder/net/proxy_header.h>

#include <arpa/inet.h>
#include <netinet/in.h>

static enum err
refuse(const char **why, const char *text)
{
    *why = text;
    return ERR_SYNTAX;
}

/* Whether the bytes begin with all of `what`. ERR_AGAIN: as far as they go. */
static enum err
begins(struct span bytes, struct span what)
{
    size_t len = bytes.len < what.len ? bytes.len : what.len;

    if (len > 0 && memcmp(bytes.at, what.at, len) != 0)
        return ERR_SYNTAX;
    return len < what.len ? ERR_AGAIN : ERR_NONE;
}

/* ── version 1: a line ── */

#define V1_BEGIN SPAN("PROXY ")

/* The line without its CRLF; from left to right, so that the first wrong byte decides however the bytes are cut. */
static enum err
take_line(struct span bytes, struct span *line, size_t *size, const char **why)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (i >= PROXY_LINE_MAX)
            return refuse(why, "the line is longer than 107 bytes");
        if (i > 0 && bytes.at[i - 1] == '\r') {
            if (bytes.at[i] != '\n')
                return refuse(why, "a CR without its LF");
            *line = span_head(bytes, i - 1);
            *size = i + 1;
            return ERR_NONE;
        }
        if (bytes.at[i] != '\r' && (bytes.at[i] < ' ' || bytes.at[i] > '~'))
            return refuse(why, "a byte that does not belong in the line");
    }
    return ERR_AGAIN;
}

static bool
read_port(struct span text, uint16_t *port)
{
    uint64_t number;

    if ((text.len > 1 && text.at[0] == '0') || !span_to_u64(text, UINT16_MAX, &number))
        return false;
    *port = (uint16_t)number;
    return true;
}

/* "ADDRESS ADDRESS PORT PORT", with one space between them. */
static bool
read_addresses(struct span rest, sa_family_t family, struct proxy_header *header)
{
    struct span parts[4];
    uint16_t    ports[2];

    for (unsigned i = 0; i < 4; i++)
        if (!span_split(&rest, ' ', &parts[i]))
            return false;
    if (rest.at != NULL || !read_port(parts[2], &ports[0]) || !read_port(parts[3], &ports[1]))
        return false;
    return addr_from_literal(parts[0], ports[0], &header->source)
           && addr_from_literal(parts[1], ports[1], &header->destination)
           && header->source.storage.ss_family == family && header->destination.storage.ss_family == family;
}

static enum err
parse_v1(struct span bytes, struct proxy_header *header, size_t *size, const char **why)
{
    struct span line = SPAN_EMPTY, family;

    enum err err = begins(bytes, V1_BEGIN);
    if (err != ERR_NONE)
        return err == ERR_AGAIN ? err : refuse(why, "it does not begin as a PROXY header does");
    err = take_line(bytes, &line, size, why);
    if (err != ERR_NONE)
        return err;
    struct span rest = span_skip(line, V1_BEGIN.len);
    (void)span_split(&rest, ' ', &family);
    if (span_equal(family, SPAN("UNKNOWN"))) /* what follows is to be ignored (§2.1) */
        return ERR_NONE;
    bool four = span_equal(family, SPAN("TCP4"));
    if (!four && !span_equal(family, SPAN("TCP6")))
        return refuse(why, "neither TCP4 nor TCP6 nor UNKNOWN");
    header->has_source = rest.at != NULL && read_addresses(rest, four ? AF_INET : AF_INET6, header);
    return header->has_source ? ERR_NONE : refuse(why, "addresses or ports that break the grammar");
}

/* ── version 2: binary ── */

#define V2_BEGIN SPAN("\r\n\r\n\0\r\nQUIT\n")
enum {
    V2_HEAD = 16,
    V2_LOCAL = 0x20,
    V2_PROXY = 0x21,
    V2_IPV4 = 12,
    V2_IPV6 = 36,
    V2_UNIX = 216,
    TLV_HEAD = 3
};

static unsigned
u8_at(struct span bytes, size_t at)
{
    return (unsigned char)bytes.at[at];
}

static unsigned
u16_at(struct span bytes, size_t at)
{
    return u8_at(bytes, at) << 8 | u8_at(bytes, at + 1);
}

static struct addr
ipv4_at(struct span block, size_t at, size_t port_at)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)u16_at(block, port_at)) };
    struct addr        addr = { .len = sizeof in };

    memcpy(&in.sin_addr, block.at + at, sizeof in.sin_addr);
    memcpy(&addr.storage, &in, sizeof in);
    return addr;
}

static struct addr
ipv6_at(struct span block, size_t at, size_t port_at)
{
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
                                .sin6_port = htons((uint16_t)u16_at(block, port_at)) };
    struct addr         addr = { .len = sizeof in6 };

    memcpy(&in6.sin6_addr, block.at + at, sizeof in6.sin6_addr);
    memcpy(&addr.storage, &in6, sizeof in6);
    return addr;
}

/* How long the addresses of a family are; *known false: it is none of a stream. */
static size_t
addresses_length(unsigned family, bool *known)
{
    *known = true;
    switch (family) {
    case 0x00: /* unspecified: there are none, and all is to be ignored */
        return 0;
    case 0x11:
        return V2_IPV4;
    case 0x21:
        return V2_IPV6;
    case 0x31:
        return V2_UNIX;
    default:
        *known = false;
        return 0;
    }
}

static bool
are_tlvs_whole(struct span rest)
{
    while (rest.len >= TLV_HEAD) {
        size_t whole = TLV_HEAD + u16_at(rest, 1);
        if (whole > rest.len)
            return false;
        rest = span_skip(rest, whole);
    }
    return rest.len == 0;
}

/* What stands behind the sixteen bytes of every header. */
static enum err
read_block(struct span block, unsigned family, size_t length, struct proxy_header *header, const char **why)
{
    if (family == 0x00)
        return ERR_NONE;
    if (!are_tlvs_whole(span_skip(block, length)))
        return refuse(why, "a TLV that is longer than the header");
    if (family == 0x11) {
        header->source = ipv4_at(block, 0, 8);
        header->destination = ipv4_at(block, 4, 10);
    } else if (family == 0x21) {
        header->source = ipv6_at(block, 0, 32);
        header->destination = ipv6_at(block, 16, 34);
    }
    header->has_source = family != 0x31;
    return ERR_NONE;
}

static enum err
parse_v2(struct span bytes, struct proxy_header *header, size_t *size, const char **why)
{
    bool known;

    enum err err = begins(bytes, V2_BEGIN);
    if (err != ERR_NONE)
        return err == ERR_AGAIN ? err : refuse(why, "it does not begin as a PROXY header does");
    if (bytes.len <= 12)
        return ERR_AGAIN;
    unsigned command = u8_at(bytes, 12);
    if (command != V2_LOCAL && command != V2_PROXY)
        return refuse(why, "another version than 2, or an unknown command");
    if (bytes.len <= 13)
        return ERR_AGAIN;
    unsigned family = u8_at(bytes, 13);
    size_t   length = addresses_length(family, &known);
    if (command == V2_PROXY && !known)
        return refuse(why, "a family or transport that a listener of streams does not have");
    if (bytes.len < V2_HEAD)
        return ERR_AGAIN;
    size_t whole = V2_HEAD + (size_t)u16_at(bytes, 14);
    if (whole > PROXY_HEADER_MAX)
        return refuse(why, "the header is longer than 4096 bytes");
    if (command == V2_PROXY && whole < V2_HEAD + length)
        return refuse(why, "the header is too short for its addresses");
    if (bytes.len < whole)
        return ERR_AGAIN;
    *size = whole;
    if (command == V2_LOCAL) /* a health check: the rest is to be ignored (§2.2) */
        return ERR_NONE;
    return read_block(span_skip(span_head(bytes, whole), V2_HEAD), family, length, header, why);
}

enum err
proxy_header_parse(struct span bytes, struct proxy_header *header, size_t *size, const char **why)
{
    *header = (struct proxy_header){ .has_source = false };
    *size = 0;
    *why = "";
    if (bytes.len == 0)
        return ERR_AGAIN;
    return bytes.at[0] == '\r' ? parse_v2(bytes, header, size, why) : parse_v1(bytes, header, size, why);
}
