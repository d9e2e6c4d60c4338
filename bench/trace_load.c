/* trace_load.c: a trace from a file or from stdin: reads, and feeds what it read. See trace.h. */
#include "input.h"
#include "trace.h"

enum { BUFFER = 4 * TRACE_LINE_MAX };

static enum err
read_all(struct trace *trace, struct input *input, struct fault *fault)
{
    enum err err = ERR_NONE;
    while (err == ERR_NONE && !input->ended) {
        size_t used = 0;
        err = input_fill(input, fault);
        if (err == ERR_NONE)
            err = trace_feed(trace, input_held(input), input->ended, &used, fault);
        input_take(input, used);
    }
    return err == ERR_NONE ? trace_finish(trace, fault) : err;
}

enum err
trace_load(struct trace *trace, struct span path, bool timed, struct fault *fault)
{
    struct input input;
    struct fault why;

    trace_init(trace);
    trace->timed = timed;
    enum err err = input_open(&input, path, BUFFER, &why);
    if (err == ERR_NONE) {
        err = read_all(trace, &input, &why);
        input_close(&input);
    }
    if (err == ERR_NONE)
        return ERR_NONE;
    trace_fini(trace);
    return input_fault(path, err, &why, fault);
}
