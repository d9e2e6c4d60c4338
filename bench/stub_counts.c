/* stub_counts.c: see stub_counts.h. */
#include "stub_counts.h"
#include "answer.h"
#include "url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAGE_MAX = 64 * 1024, PATIENCE_S = 10 };

/* ── the page ── */

/* The number behind `"name":`. */
static bool
read_member(struct span json, const char *name, uint64_t *number)
{
    char quoted[64];
    int  len = snprintf(quoted, sizeof quoted, "\"%s\":", name);
    for (size_t at = 0; at < json.len; at++) {
        struct span rest = span_skip(json, at);
        if (!span_starts(rest, span_of(quoted, (size_t)len)))
            continue;
        size_t digits = 0;
        rest = span_skip(rest, (size_t)len);
        while (digits < rest.len && rest.at[digits] >= '0' && rest.at[digits] <= '9')
            digits++;
        return span_to_u64(span_head(rest, digits), UINT64_MAX, number);
    }
    return false;
}

bool
stub_counts_read(struct span json, struct stub_counts *counts)
{
    return read_member(json, "total", &counts->requests)
           && read_member(json, "not_modified", &counts->not_modified)
           && read_member(json, "bytes_sent", &counts->bytes_sent);
}

struct stub_counts
stub_counts_since(const struct stub_counts *now, const struct stub_counts *before)
{
    return (struct stub_counts){ .requests = now->requests - before->requests,
                                 .not_modified = now->not_modified - before->not_modified,
                                 .bytes_sent = now->bytes_sent - before->bytes_sent - before->page };
}

/* ── asking for it ── */

static enum err
send_request(int fd, const struct url *url)
{
    char request[512];
    int  len = snprintf(request, sizeof request,
                        "GET /-/requests HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n\r\n",
                        SPAN_ARG(span_head(url->authority, 300)));
    /* So few bytes are sent at once or not at all. */
    return send(fd, request, (size_t)len, MSG_NOSIGNAL) == len ? ERR_NONE : err_from_errno(errno);
}

/* What was read, as an answer: ERR_NONE when it is whole, with its body in `counts`. */
static enum err
read_page(struct span in, struct stub_counts *counts)
{
    struct answer answer;
    struct span   payload, body = SPAN_EMPTY;
    enum err      err;
    answer_begin(&answer);
    while ((err = answer_feed(&answer, &in, &payload)) == ERR_NONE)
        body = body.len == 0 ? payload : span_of(body.at, body.len + payload.len);
    if (err != ERR_CLOSED)
        return err;
    return answer.status == 200 && stub_counts_read(body, counts) ? ERR_NONE : ERR_SYNTAX;
}

static enum err
receive_page(int fd, struct stub_counts *counts)
{
    char     page[PAGE_MAX];
    size_t   held = 0;
    enum err err = ERR_AGAIN;
    while (err == ERR_AGAIN && held < sizeof page) {
        ssize_t got = recv(fd, page + held, sizeof page - held, 0);
        if (got < 0)
            return errno == EAGAIN ? ERR_TIMEOUT : err_from_errno(errno);
        if (got == 0)
            return ERR_RESET;
        held += (size_t)got;
        err = read_page(span_of(page, held), counts);
    }
    counts->page = held;
    return err == ERR_AGAIN ? ERR_SYNTAX : err;
}

static enum err
converse(const struct url *url, const struct addr *addr, struct stub_counts *counts)
{
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int            fd = socket(addr->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_from_errno(errno);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    enum err err = ERR_NONE;
    if (connect(fd, (const struct sockaddr *)&addr->storage, addr->len) != 0)
        err = err_from_errno(errno);
    if (err == ERR_NONE)
        err = send_request(fd, url);
    if (err == ERR_NONE)
        err = receive_page(fd, counts);
    close(fd);
    return err;
}

enum err
stub_counts_ask(struct span where, struct stub_counts *counts, struct fault *fault)
{
    struct url  url;
    struct addr addr;
    enum err    err = url_parse(where, &url, fault);
    if (err == ERR_NONE)
        err = url_resolve(&url, &addr, fault);
    if (err != ERR_NONE)
        return err;
    err = converse(&url, &addr, counts);
    if (err == ERR_SYNTAX)
        return fault_set(fault, err, "\"%.*s\": its /-/requests is not that of a larder-bench origin",
                         SPAN_ARG(where));
    if (err != ERR_NONE)
        return fault_set(fault, err, "\"%.*s\": cannot be asked for /-/requests: %s", SPAN_ARG(where),
                         err_text(err));
    return ERR_NONE;
}
