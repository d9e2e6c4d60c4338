/* url.c: see url.h. */
#include "url.h"

#include <larder/http/parse.h>
#include <larder/http/scan.h>
#include <netdb.h>
#include <stdio.h>

enum { HTTP_PORT = 80, REQUEST_LIMIT = 64 * 1024 };

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

/* ── requests ── */

/* Held against the same strict parser that the server uses. */
static enum err
check_field(struct span line, struct fault *fault)
{
    enum { LONGEST = 8192 };
    static const struct parse_limits limits = { .head = LONGEST + 4, .target = 1 };
    char                             room[LONGEST + 4];
    struct field                     field[1];
    struct head                      head;
    enum refusal                     refusal = REFUSAL_HEAD_TOO_LONG;
    size_t                           size;
    if (line.len > 0 && line.len <= LONGEST) {
        memcpy(room, line.at, line.len);
        memcpy(room + line.len, "\r\n\r\n", 4);
        head_init(&head, field, 1);
        if (parse_fields(&head, span_of(room, line.len + 4), &limits, &size, &refusal) == ERR_NONE
            && head.count == 1 && size == line.len + 4)
            return ERR_NONE;
    }
    return fault_set(fault, ERR_SYNTAX, "--header \"%.*s\": expected \"Name: value\"", SPAN_ARG(line));
}

/* A field that the user gives in place of one of ours. */
static bool
given(const struct texts *fields, struct span name)
{
    for (unsigned i = 0; i < fields->count; i++)
        if (span_starts_nocase(fields->at[i], name))
            return true;
    return false;
}

static void
write_request(struct text *text, const struct url *url, const struct texts *fields)
{
    bool slash = url->target.at[0] != '/'; /* "http://host?query" */
    text_printf(text, "GET %s%.*s HTTP/1.1\r\n", slash ? "/" : "", SPAN_ARG(url->target));
    if (!given(fields, SPAN("Host:")))
        text_printf(text, "Host: %.*s\r\n", SPAN_ARG(url->authority));
    if (!given(fields, SPAN("User-Agent:")))
        text_append(text, SPAN("User-Agent: larder-bench\r\n"));
    for (unsigned i = 0; i < fields->count; i++)
        text_printf(text, "%.*s\r\n", SPAN_ARG(fields->at[i]));
    text_append(text, SPAN("\r\n"));
}

static enum err
add_request(struct requests *requests, struct span text, const struct texts *fields, struct fault *fault)
{
    struct url  url;
    struct addr addr;
    enum err    err = url_parse(text, &url, fault);
    if (err == ERR_NONE)
        err = url_resolve(&url, &addr, fault);
    if (err != ERR_NONE)
        return err;
    if (requests->count > 0 && !addr_equal(&requests->addr, &addr))
        return fault_set(fault, ERR_UNSUPPORTED, "\"%.*s\": all URLs must name the same host and port",
                         SPAN_ARG(text));
    requests->addr = addr;
    struct text *request = &requests->texts[requests->count++];
    text_init(request, REQUEST_LIMIT);
    write_request(request, &url, fields);
    if (request->failed)
        return fault_set(fault, ERR_LIMIT, "\"%.*s\": the request is longer than 64k",
                         SPAN_ARG(span_head(text, 60)));
    return ERR_NONE;
}

enum err
requests_init(struct requests *requests, const struct texts *urls, const struct texts *fields,
              struct fault *fault)
{
    enum err err = ERR_NONE;
    requests->count = 0;
    for (unsigned i = 0; i < fields->count && err == ERR_NONE; i++)
        err = check_field(fields->at[i], fault);
    for (unsigned i = 0; i < urls->count && err == ERR_NONE; i++)
        err = add_request(requests, urls->at[i], fields, fault);
    if (err != ERR_NONE)
        requests_fini(requests);
    return err;
}

void
requests_fini(struct requests *requests)
{
    while (requests->count > 0)
        text_fini(&requests->texts[--requests->count]);
}
