/* requests_list.c: many URLs from a file: one a line, whole or without the host. See requests.h.
 *
 *      http://127.0.0.1:8000/a          the first whole one, or the URL on the command line, names the host
 *      /b?c                             a path of that host
 *      # a remark, as are empty lines
 */
#include "input.h"
#include "requests.h"

#include <inttypes.h>
#include <larder/http/scan.h>
#include <stdlib.h>

enum { LINE_LONGEST = REQUEST_LIMIT / 2 };

/* Owner: requests_read_list. */
struct reading {
    struct requests            *requests;
    const struct requests_plan *plan;
    struct text                 authority; /* as first written; empty: not known yet */
    uint64_t                    line;
};

/* The host is looked up once; later lines must write it alike. */
static enum err
meet_host(struct reading *reading, struct span text, struct url *url, struct fault *fault)
{
    enum err err = url_parse(text, url, fault);
    if (err != ERR_NONE)
        return err;
    if (reading->authority.len > 0 && span_equal_nocase(url->authority, text_span(&reading->authority)))
        return ERR_NONE;
    err = requests_locate(reading->requests, url, reading->authority.len == 0, text, fault);
    if (err == ERR_NONE && reading->authority.len == 0)
        text_append(&reading->authority, url->authority);
    return err;
}

static enum err
target_of(struct reading *reading, struct span line, struct span *target, struct fault *fault)
{
    struct url url;
    *target = line;
    if (line.at[0] != '/') {
        enum err err = meet_host(reading, line, &url, fault);
        *target = url.target;
        return err;
    }
    if (reading->authority.len == 0)
        return fault_set(fault, ERR_SYNTAX, "a path, and no URL before it that names the host");
    if (scan_best()->target(line) != line.len)
        return fault_set(fault, ERR_SYNTAX, "\"%.*s\": a byte that no path has",
                         SPAN_ARG(span_head(line, 200)));
    return ERR_NONE;
}

static bool
keep_line(struct request_list *list, struct span target)
{
    if (list->count == list->room) {
        size_t  room = list->room == 0 ? 1024 : 2 * list->room;
        size_t *ends = realloc(list->ends, room * sizeof ends[0]);
        if (ends == NULL)
            return false;
        list->ends = ends;
        list->room = room;
    }
    text_append(&list->lines, SPAN("GET "));
    if (target.at[0] != '/') /* "http://host?query" */
        text_append_byte(&list->lines, '/');
    text_append(&list->lines, target);
    list->ends[list->count++] = list->lines.len;
    return !list->lines.failed;
}

static enum err
take_line(struct reading *reading, struct span line, struct fault *fault)
{
    struct span  target;
    struct fault why;
    reading->line++;
    if (span_ends(line, SPAN("\r")))
        line.len--;
    line = span_trim(line);
    if (line.len == 0 || line.at[0] == '#')
        return ERR_NONE;
    enum err err = target_of(reading, line, &target, &why);
    if (err != ERR_NONE)
        return fault_set(fault, err, "line %" PRIu64 ": %s", reading->line, why.text);
    if (!keep_line(&reading->requests->list, target))
        return fault_set(fault, ERR_NO_MEMORY, "no memory for more than %zu lines",
                         reading->requests->list.count);
    return ERR_NONE;
}

/* All whole lines that were read; at the end also one without its newline. */
static enum err
take_lines(struct reading *reading, struct input *input, struct fault *fault)
{
    struct span rest = input_held(input);
    enum err    err = ERR_NONE;
    while (rest.len > 0 && err == ERR_NONE) {
        ssize_t end = span_find(rest, '\n');
        if (end < 0 && !input->ended)
            break;
        err = take_line(reading, end < 0 ? rest : span_head(rest, (size_t)end), fault);
        rest = span_skip(rest, end < 0 ? rest.len : (size_t)end + 1);
    }
    if (err == ERR_NONE && rest.len > LINE_LONGEST)
        return fault_set(fault, ERR_LIMIT, "line %" PRIu64 " is longer than 32k", reading->line + 1);
    input_take(input, input->held - rest.len);
    return err;
}

static enum err
read_lines(struct reading *reading, struct fault *fault)
{
    struct input input;
    enum err     err = input_open(&input, reading->plan->list, 8 * LINE_LONGEST, fault);
    if (err != ERR_NONE)
        return err;
    while (err == ERR_NONE && !input.ended) {
        err = input_fill(&input, fault);
        if (err == ERR_NONE)
            err = take_lines(reading, &input, fault);
    }
    input_close(&input);
    if (err == ERR_NONE && reading->requests->list.count == 0)
        return fault_set(fault, ERR_NOT_FOUND, "no URL in it");
    return err;
}

static enum err
finish(struct reading *reading, struct fault *fault)
{
    struct requests *requests = reading->requests;
    requests->count = requests->list.count;
    requests_write_tail(&requests->list.tail, text_span(&reading->authority), reading->plan->fields);
    if (requests->list.tail.failed)
        return fault_set(fault, ERR_LIMIT, "the further field lines are longer than 32k");
    return ERR_NONE;
}

enum err
requests_read_list(struct requests *requests, const struct requests_plan *plan, struct fault *fault)
{
    struct reading reading = { .requests = requests, .plan = plan };
    struct fault   why;
    struct url     url;
    enum err       err = ERR_NONE;
    text_init(&requests->list.lines, SIZE_MAX / 4);
    text_init(&requests->list.tail, REQUEST_LIMIT / 2);
    text_init(&reading.authority, REQUEST_LIMIT);
    if (plan->urls->count > 0)
        err = meet_host(&reading, plan->urls->at[0], &url, fault);
    if (err == ERR_NONE) {
        err = read_lines(&reading, &why);
        if (err != ERR_NONE)
            err = input_fault(plan->list, err, &why, fault);
    }
    if (err == ERR_NONE)
        err = finish(&reading, fault);
    text_fini(&reading.authority);
    return err;
}
