/* input.c: see input.h. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <larder/base/check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum err
open_path(struct span path, int *fd, struct fault *fault)
{
    char name[PATH_MAX];

    *fd = STDIN_FILENO;
    if (span_equal(path, SPAN("-")))
        return ERR_NONE;
    if (path.len >= sizeof name)
        return fault_set(fault, ERR_LIMIT, "the name is too long");
    snprintf(name, sizeof name, "%.*s", SPAN_ARG(path));
    *fd = open(name, O_RDONLY | O_CLOEXEC);
    return *fd < 0 ? fault_set_errno(fault, errno, "cannot be opened") : ERR_NONE;
}

enum err
input_open(struct input *input, struct span path, size_t room, struct fault *fault)
{
    *input = (struct input){ .fd = -1, .buffer = malloc(room), .room = room };
    if (input->buffer == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    enum err err = open_path(path, &input->fd, fault);
    if (err != ERR_NONE)
        input_close(input);
    return err;
}

void
input_close(struct input *input)
{
    if (input->fd > STDIN_FILENO)
        close(input->fd);
    free(input->buffer);
    *input = (struct input){ .fd = -1 };
}

enum err
input_fill(struct input *input, struct fault *fault)
{
    ssize_t got;
    CHECK(input->held < input->room);
    do
        got = read(input->fd, input->buffer + input->held, input->room - input->held);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fault_set_errno(fault, errno, "cannot be read");
    input->held += (size_t)got;
    input->ended = got == 0;
    return ERR_NONE;
}

void
input_take(struct input *input, size_t used)
{
    CHECK(used <= input->held);
    input->held -= used;
    memmove(input->buffer, input->buffer + used, input->held);
}

enum err
input_fault(struct span path, enum err err, const struct fault *why, struct fault *fault)
{
    bool is_stdin = span_equal(path, SPAN("-"));
    return fault_set(fault, err, "%.*s: %s", SPAN_ARG(is_stdin ? SPAN("stdin") : span_head(path, 200)),
                     why->text);
}
