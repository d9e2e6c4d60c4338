/* input.h: a file, or stdin for "-", that is read in pieces by whoever takes whole records or lines off it.
 *
 *      input_open ─▶ (input_fill ─▶ look at input_held ─▶ input_take) until it has ended ─▶ input_close
 *
 * Owner: who reads.
 */
#ifndef BENCH_INPUT_H
#define BENCH_INPUT_H

#include <larder/base/err.h>
#include <larder/base/span.h>

struct input {
    int    fd;
    char  *buffer;
    size_t held, room; /* what was read and not taken yet is at the front */
    bool   ended;
};

/* `room`: more than the longest record that is to be had in one piece. On failure there is nothing to close.
 * Faults do not name the file: input_fault does. */
MUST_CHECK enum err input_open(struct input *input, struct span path, size_t room, struct fault *fault);
void                input_close(struct input *input);

/* Reads on; `ended` says that there is no more. There must be room: something was taken since it was full. */
MUST_CHECK enum err input_fill(struct input *input, struct fault *fault);
void                input_take(struct input *input, size_t used);

static inline struct span
input_held(const struct input *input)
{
    return span_of(input->buffer, input->held);
}

/* `why`, with the name of the file before it; returns `err`. */
enum err input_fault(struct span path, enum err err, const struct fault *why, struct fault *fault);

#endif
