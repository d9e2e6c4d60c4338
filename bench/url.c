/* url.c: see url.h. */
#include "url.h"

#include <larder/http/scan.h>
#include <netdb.h>
#include <stdio.h>

enum { HTTP_PORT = 80 };

static struct span
cut_fragment(struct span text)
{
    ssize_t hash = span_find(text, '#');
    return hash < 0 ? text : span_head(text, (size_t)hash);
}

static enum err
split_authority(struct span text, struct span rest, struct url *url, struct fault *fault)
{
    struct fault why;
    size_t       end = 0;
    while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?')
        end++;
    url->authority = span_head(rest, end);
    url->target = span_skip(rest, end);
    if (span_find(url->authority, '@') >= 0)
        return fault_set(fault, ERR_UNSUPPORTED, "\"%.*s\": user names in a URL are not sent",
                         SPAN_ARG(text));
    enum err err = addr_split(url->authority, HTTP_PORT, &url->host, &url->port, &why);
    if (err != ERR_NONE)
        return fault_set(fault, err, "\"%.*s\": %s", SPAN_ARG(text), why.text);
    return ERR_NONE;
}

enum err
url_parse(struct span text, struct url *url, struct fault *fault)
{
    struct span rest = cut_fragment(text);
    if (span_starts_nocase(rest, SPAN("https://")))
        return fault_set(fault, ERR_UNSUPPORTED, "\"%.*s\": only http:// for now", SPAN_ARG(text));
    if (span_starts_nocase(rest, SPAN("http://")))
        rest = span_skip(rest, strlen("http://"));
    enum err err = split_authority(text, rest, url, fault);
    if (err != ERR_NONE)
        return err;
    if (scan_best()->target(url->target) != url->target.len)
        return fault_set(fault, ERR_SYNTAX, "\"%.*s\": a byte that no path has", SPAN_ARG(text));
    if (url->target.len == 0)
        url->target = SPAN("/");
    return ERR_NONE;
}

enum err
url_resolve(const struct url *url, struct addr *addr, struct fault *fault)
{
    if (addr_from_literal(url->host, url->port, addr))
        return ERR_NONE;
    char host[NI_MAXHOST], port[8];
    snprintf(host, sizeof host, "%.*s", SPAN_ARG(url->host));
    snprintf(port, sizeof port, "%u", (unsigned)url->port);
    struct addrinfo wanted = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *found;
    int             error = getaddrinfo(host, port, &wanted, &found);
    if (error != 0)
        return fault_set(fault, ERR_NOT_FOUND, "\"%s\": %s", host, gai_strerror(error));
    memcpy(&addr->storage, found->ai_addr, found->ai_addrlen);
    addr->len = found->ai_addrlen;
    freeaddrinfo(found);
    return ERR_NONE;
}
