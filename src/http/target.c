/* target.c: which host, path and query a request means (RFC 9112 §3.2).
 *
 *      GET /path?query            origin-form: the host comes from Host
 *      GET http://host/path?query absolute-form: from the target, and Host must name the same
 *      OPTIONS *                  asterisk-form
 *      CONNECT host:port          authority-form: refused, as CONNECT is
 *
 * Two servers that disagree about the host of one request serve each other's pages. So there is exactly one
 * Host, it follows its grammar to the letter, and both places agree.
 */
#include <larder/http/parse.h>
#include <larder/http/scan.h>

#include "bytes.h"

#include <arpa/inet.h>

enum {
    HOST_MAX = 255, /* RFC 3986 §3.2.2 */
    PORT_MAX = 65535,
    PORT_DIGITS = 5
};

/* "[...]" with an IPv6 address inside; neither a zone nor a future version. */
static bool
is_ip_literal(struct span text)
{
    char            address[INET6_ADDRSTRLEN];
    struct in6_addr binary;

    if (text.len < 4 || text.len - 2 >= sizeof address || text.at[text.len - 1] != ']')
        return false;
    memcpy(address, text.at + 1, text.len - 2);
    address[text.len - 2] = '\0';
    return strlen(address) == text.len - 2 && inet_pton(AF_INET6, address, &binary) == 1;
}

/* RFC 3986 §3.2.2, without the comma: "a,b" is what two Host lines become when somebody joins them. */
static bool
is_reg_name(struct span text)
{
    if (text.len == 0 || text.len > HOST_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (byte_is(text.at[i], BYTE_HOST))
            continue;
        if (text.at[i] != '%' || text.len - i < 3 || !byte_is(text.at[i + 1], BYTE_HEX)
            || !byte_is(text.at[i + 2], BYTE_HEX))
            return false;
        i += 2;
    }
    return true;
}

static bool
is_port(struct span text)
{
    uint64_t number;
    return text.len <= PORT_DIGITS && span_to_u64(text, PORT_MAX, &number) && number > 0;
}

/* Where the host ends: at the colon before the port, which an IPv6 literal hides in brackets. */
static size_t
host_length(struct span text)
{
    ssize_t at = text.len > 0 && text.at[0] == '[' ? span_find(text, ']') : span_find(text, ':');

    if (at < 0)
        return text.len;
    return text.at[0] == '[' ? (size_t)at + 1 : (size_t)at;
}

bool
parse_authority(struct span text, struct span *host, struct span *port)
{
    size_t      length = host_length(text);
    struct span name = span_head(text, length), rest = span_skip(text, length);

    if (name.len > 0 && name.at[0] == '[' ? !is_ip_literal(name) : !is_reg_name(name))
        return false;
    if (rest.len > 0 && rest.at[0] != ':')
        return false;
    rest = span_skip(rest, 1);
    if (rest.len > 0 && !is_port(rest)) /* RFC 3986 §3.2.3: "host:" has the default port */
        return false;
    *host = name;
    *port = rest.len > 0 ? rest : SPAN_EMPTY;
    return true;
}

static enum err
refuse(enum refusal *refusal, enum refusal why)
{
    *refusal = why;
    return ERR_SYNTAX;
}

/* RFC 9112 §3.2: exactly one Host, which HTTP/1.0 may leave out. */
static enum err
find_host(const struct head *head, struct target *target, enum refusal *refusal)
{
    const struct field *field = head_find(head, FIELD_HOST);

    if (field == NULL)
        return head->minor == 0 ? ERR_NONE : refuse(refusal, REFUSAL_NO_HOST);
    if (head_next(head, field) != NULL || !parse_authority(field->value, &target->host, &target->port))
        return refuse(refusal, REFUSAL_BAD_HOST);
    return ERR_NONE;
}

static void
split_query(struct span text, struct target *target)
{
    ssize_t at = span_find(text, '?');

    target->path = at < 0 ? text : span_head(text, (size_t)at);
    target->query = at < 0 ? SPAN_EMPTY : (struct span){ text.at + at + 1, text.len - (size_t)at - 1 };
}

static uint64_t
port_number(struct span port, uint64_t standard)
{
    uint64_t number = standard;
    return span_to_u64(port, PORT_MAX, &number) ? number : standard;
}

/* A port that is left out is the scheme's own (RFC 9110 §4.2.3). */
static bool
same_authority(const struct target *a, const struct target *b, uint64_t standard_port)
{
    return span_equal_nocase(a->host, b->host)
           && port_number(a->port, standard_port) == port_number(b->port, standard_port);
}

/* The first of "/", "?" or the end. */
static size_t
authority_length(struct span text)
{
    size_t n = 0;
    while (n < text.len && text.at[n] != '/' && text.at[n] != '?')
        n++;
    return n;
}

/* RFC 9112 §3.2.2; an empty path is "/", and of OPTIONS without a query "*" (§3.2.4). */
static enum err
take_absolute(const struct head *head, struct span text, uint64_t standard_port, struct target *target,
              enum refusal *refusal)
{
    size_t        length = authority_length(text);
    struct target named;

    if (!parse_authority(span_head(text, length), &named.host, &named.port))
        return refuse(refusal, REFUSAL_BAD_TARGET);
    if (head_has(head, FIELD_HOST) && !same_authority(&named, target, standard_port))
        return refuse(refusal, REFUSAL_HOST_MISMATCH);
    target->host = named.host;
    target->port = named.port;
    split_query(span_skip(text, length), target);
    if (target->path.len == 0)
        target->path = head->method == METHOD_OPTIONS && target->query.at == NULL ? SPAN("*") : SPAN("/");
    return ERR_NONE;
}

static enum err
take_form(const struct head *head, struct target *target, enum refusal *refusal)
{
    static const struct span http = { "http://", 7 }, https = { "https://", 8 };
    struct span              text = head->target;

    if (text.len > 0 && text.at[0] == '/') {
        split_query(text, target);
        return ERR_NONE;
    }
    if (span_equal(text, SPAN("*")) && head->method == METHOD_OPTIONS) {
        target->path = text;
        return ERR_NONE;
    }
    if (span_starts_nocase(text, http))
        return take_absolute(head, span_skip(text, http.len), 80, target, refusal);
    if (span_starts_nocase(text, https))
        return take_absolute(head, span_skip(text, https.len), 443, target, refusal);
    return refuse(refusal, REFUSAL_BAD_TARGET);
}

enum err
parse_target(const struct head *head, struct target *target, enum refusal *refusal)
{
    *target = (struct target){ 0 };
    if (head->method == METHOD_CONNECT || head->method == METHOD_TRACE)
        return refuse(refusal, REFUSAL_METHOD_REFUSED);
    if (scan_best()->target(head->target) != head->target.len)
        return refuse(refusal, REFUSAL_BAD_TARGET);
    enum err err = find_host(head, target, refusal);
    return err == ERR_NONE ? take_form(head, target, refusal) : err;
}
