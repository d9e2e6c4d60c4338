/* requests.c: see requests.h. */
#include "requests.h"

#include <larder/base/check.h>
#include <larder/http/parse.h>
#include <stdlib.h>

/* ── field lines ── */

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

void
requests_write_tail(struct text *text, struct span authority, const struct texts *fields)
{
    text_append(text, SPAN(" HTTP/1.1\r\n"));
    if (!given(fields, SPAN("Host:")))
        text_printf(text, "Host: %.*s\r\n", SPAN_ARG(authority));
    if (!given(fields, SPAN("User-Agent:")))
        text_append(text, SPAN("User-Agent: larder-bench\r\n"));
    for (unsigned i = 0; i < fields->count; i++)
        text_printf(text, "%.*s\r\n", SPAN_ARG(fields->at[i]));
    text_append(text, SPAN("\r\n"));
}

/* ── a URL ── */

/* The hole that `text` begins with, and how long it is as it is written. */
static enum hole
hole_at(struct span text, size_t *len)
{
    static const struct {
        struct span written;
        enum hole   hole;
    } holes[] = { { { "{}", 2 }, HOLE_NUMBER }, { { "{size}", 6 }, HOLE_SIZE } };
    for (size_t i = 0; i < sizeof holes / sizeof holes[0]; i++)
        if (span_starts(text, holes[i].written)) {
            *len = holes[i].written.len;
            return holes[i].hole;
        }
    return HOLE_NONE;
}

/* Cuts the form's text into pieces at the holes in its first `end` bytes. False: too many. */
static bool
cut_form(struct form *form, size_t end)
{
    struct span text = text_span(&form->text);
    size_t      from = 0, len;
    for (size_t at = 0; at < end; at++) {
        enum hole hole = hole_at(span_skip(span_head(text, end), at), &len);
        if (hole == HOLE_NONE)
            continue;
        if (form->count + 1 == REQUEST_PIECES)
            return false;
        form->pieces[form->count].bytes = span_skip(span_head(text, at), from);
        form->pieces[form->count++].then = hole;
        from = at + len;
        at = from - 1;
    }
    form->pieces[form->count].bytes = span_skip(text, from);
    form->pieces[form->count++].then = HOLE_NONE;
    return true;
}

static bool
has_hole(const struct form *form, enum hole hole)
{
    for (unsigned i = 0; i < form->count; i++)
        if (form->pieces[i].then == hole)
            return true;
    return false;
}

static enum err
check_holes(const struct form *form, const struct requests_plan *plan, struct span text, struct fault *fault)
{
    bool numbered = has_hole(form, HOLE_NUMBER);
    if (numbered && plan->objects == 0)
        return fault_set(fault, ERR_SYNTAX, "\"%.*s\": {} needs --objects N, which it counts to",
                         SPAN_ARG(text));
    if (!numbered && plan->objects > 0)
        return fault_set(fault, ERR_SYNTAX, "\"%.*s\": no {} in it, which would be the number of the object",
                         SPAN_ARG(text));
    if (has_hole(form, HOLE_SIZE) && plan->sizes == NULL)
        return fault_set(fault, ERR_SYNTAX, "\"%.*s\": {size} is for replay, which knows sizes",
                         SPAN_ARG(text));
    return ERR_NONE;
}

enum err
requests_locate(struct requests *requests, const struct url *url, bool first, struct span text,
                struct fault *fault)
{
    struct addr addr;
    enum err    err = url_resolve(url, &addr, fault);
    if (err != ERR_NONE)
        return err;
    if (!first && !addr_equal(&requests->addr, &addr))
        return fault_set(fault, ERR_UNSUPPORTED, "\"%.*s\": all URLs must name the same host and port",
                         SPAN_ARG(text));
    requests->addr = addr;
    return ERR_NONE;
}

static enum err
add_form(struct requests *requests, struct span text, const struct requests_plan *plan, struct fault *fault)
{
    struct url url;
    enum err   err = url_parse(text, &url, fault);
    if (err == ERR_NONE)
        err = requests_locate(requests, &url, requests->form_count == 0, text, fault);
    if (err != ERR_NONE)
        return err;
    struct form *form = &requests->forms[requests->form_count++];
    bool         slash = url.target.at[0] != '/'; /* "http://host?query" */
    text_init(&form->text, REQUEST_LIMIT);
    form->count = 0;
    text_printf(&form->text, "GET %s%.*s", slash ? "/" : "", SPAN_ARG(url.target));
    size_t end = form->text.len;
    requests_write_tail(&form->text, url.authority, plan->fields);
    if (form->text.failed)
        return fault_set(fault, ERR_LIMIT, "\"%.*s\": the request is longer than 64k",
                         SPAN_ARG(span_head(text, 60)));
    if (!cut_form(form, end))
        return fault_set(fault, ERR_LIMIT, "\"%.*s\": at most %d holes", SPAN_ARG(span_head(text, 60)),
                         REQUEST_PIECES - 1);
    return check_holes(form, plan, text, fault);
}

/* ── all of them ── */

static enum err
add_forms(struct requests *requests, const struct requests_plan *plan, struct fault *fault)
{
    enum err err = ERR_NONE;
    for (unsigned i = 0; i < plan->urls->count && err == ERR_NONE; i++)
        err = add_form(requests, plan->urls->at[i], plan, fault);
    requests->count = requests->form_count * (plan->objects == 0 ? 1 : plan->objects);
    return err;
}

enum err
requests_init(struct requests *requests, const struct requests_plan *plan, struct fault *fault)
{
    enum err err = ERR_NONE;
    *requests = (struct requests){ .sizes = plan->sizes };
    for (unsigned i = 0; i < plan->fields->count && err == ERR_NONE; i++)
        err = check_field(plan->fields->at[i], fault);
    if (err == ERR_NONE)
        err =
            plan->list.len > 0 ? requests_read_list(requests, plan, fault) : add_forms(requests, plan, fault);
    if (err != ERR_NONE)
        requests_fini(requests);
    return err;
}

void
requests_fini(struct requests *requests)
{
    while (requests->form_count > 0)
        text_fini(&requests->forms[--requests->form_count].text);
    text_fini(&requests->list.lines);
    text_fini(&requests->list.tail);
    free(requests->list.ends);
    requests->list = (struct request_list){ .count = 0 };
}

/* ── as bytes ── */

/* Where requests lie that are being gathered. */
struct gather {
    struct iovec *vectors;
    unsigned      count;
    char         *digits;
    size_t        size;
};

static void
gather_span(struct gather *gather, struct span bytes)
{
    gather->vectors[gather->count++] = (struct iovec){ (void *)(uintptr_t)bytes.at, bytes.len };
    gather->size += bytes.len;
}

static void
gather_number(struct gather *gather, uint64_t number)
{
    char *end = gather->digits + REQUEST_DIGITS / REQUEST_PIECES, *at = end;
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    gather->digits = end;
    gather_span(gather, span_of(at, (size_t)(end - at)));
}

static void
gather_form(struct gather *gather, const struct requests *requests, uint64_t number)
{
    const struct form *form = &requests->forms[number % requests->form_count];
    uint64_t           object = number / requests->form_count;
    for (unsigned i = 0; i < form->count; i++) {
        gather_span(gather, form->pieces[i].bytes);
        if (form->pieces[i].then == HOLE_NUMBER)
            gather_number(gather, object);
        else if (form->pieces[i].then == HOLE_SIZE)
            gather_number(gather, requests->sizes[object]);
    }
}

static void
gather_line(struct gather *gather, const struct request_list *list, uint64_t number)
{
    size_t from = number == 0 ? 0 : list->ends[number - 1];
    gather_span(gather, span_of(list->lines.at + from, list->ends[number] - from));
    gather_span(gather, text_span(&list->tail));
}

unsigned
requests_gather(const struct requests *requests, uint64_t number,
                struct iovec vectors[static REQUEST_VECTORS], char digits[static REQUEST_DIGITS],
                size_t *size)
{
    struct gather gather = { .vectors = vectors, .digits = digits };
    CHECK(number < requests->count);
    if (requests->list.count > 0)
        gather_line(&gather, &requests->list, number);
    else
        gather_form(&gather, requests, number);
    *size = gather.size;
    return gather.count;
}
