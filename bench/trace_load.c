/* trace_load.c: a trace from a file or from stdin: reads, and feeds what it read. See trace.h. */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BUFFER = 4 * TRACE_LINE_MAX };

/* Read bytes that were not taken yet are at the front. */
struct input {
    int    fd;
    char  *buffer;
    size_t held;
    bool   ended;
};

static enum err
fill(struct input *input, struct fault *fault)
{
    ssize_t got;
    do
        got = read(input->fd, input->buffer + input->held, BUFFER - input->held);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fault_set_errno(fault, errno, "cannot be read");
    input->held += (size_t)got;
    input->ended = got == 0;
    return ERR_NONE;
}

static enum err
read_all(struct trace *trace, struct input *input, struct fault *fault)
{
    enum err err = ERR_NONE;
    while (err == ERR_NONE && !input->ended) {
        size_t used = 0;
        err = fill(input, fault);
        if (err == ERR_NONE)
            err = trace_feed(trace, span_of(input->buffer, input->held), input->ended, &used, fault);
        input->held -= used;
        memmove(input->buffer, input->buffer + used, input->held);
    }
    return err == ERR_NONE ? trace_finish(trace, fault) : err;
}

static enum err
open_input(struct input *input, struct span path, struct fault *fault)
{
    char name[PATH_MAX];

    if (span_equal(path, SPAN("-"))) {
        input->fd = STDIN_FILENO;
        return ERR_NONE;
    }
    if (path.len >= sizeof name)
        return fault_set(fault, ERR_LIMIT, "the name is too long");
    snprintf(name, sizeof name, "%.*s", SPAN_ARG(path));
    input->fd = open(name, O_RDONLY | O_CLOEXEC);
    return input->fd < 0 ? fault_set_errno(fault, errno, "cannot be opened") : ERR_NONE;
}

enum err
trace_load(struct trace *trace, struct span path, struct fault *fault)
{
    struct input input = { .fd = -1, .buffer = malloc(BUFFER) };
    struct fault why;

    trace_init(trace);
    enum err err = input.buffer == NULL ? fault_set(&why, ERR_NO_MEMORY, "out of memory")
                                        : open_input(&input, path, &why);
    if (err == ERR_NONE)
        err = read_all(trace, &input, &why);
    if (input.fd > STDIN_FILENO)
        close(input.fd);
    free(input.buffer);
    if (err == ERR_NONE)
        return ERR_NONE;
    trace_fini(trace);
    bool is_stdin = span_equal(path, SPAN("-"));
    return fault_set(fault, err, "%.*s: %s", SPAN_ARG(is_stdin ? SPAN("stdin") : span_head(path, 200)),
                     why.text);
}
