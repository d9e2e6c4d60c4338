/* fuzz_trace.c: any bytes as a trace: records or lines.
 *
 * Holds: in pieces the same comes out as at once; every request names an object; times do not go back; the
 * sums are those of the requests; a line's parts lie inside of it.
 */
#include "access_log.h"
#include "trace.h"

#include <larder/base/check.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_inside(struct span part, struct span whole)
{
    return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

/* Of exactly that size: so a sanitizer sees a byte read too many. */
static char *
copy_of(const uint8_t *data, size_t size)
{
    char *copy = malloc(size == 0 ? 1 : size);
    CHECK(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

/* All of `bytes`, `step` more of them at a time. */
static enum err
feed(struct trace *trace, struct span bytes, size_t step)
{
    size_t       from = 0, to = 0;
    enum err     err = ERR_NONE;
    bool         last = false;
    struct fault fault;

    trace_init(trace);
    trace->timed = true;
    while (err == ERR_NONE && !last) {
        size_t used = 0;
        to = to + step < bytes.len ? to + step : bytes.len;
        last = to == bytes.len;
        err = trace_feed(trace, span_of(bytes.at + from, to - from), last, &used, &fault);
        CHECK(used <= to - from);
        from += used;
    }
    CHECK(err != ERR_NONE || from == bytes.len);
    return err == ERR_NONE ? trace_finish(trace, &fault) : err;
}

static void
check_sums(const struct trace *trace)
{
    uint64_t bytes = 0, footprint = 0;

    for (size_t i = 0; i < trace->request_count; i++) {
        CHECK(trace->requests[i] < trace->object_count);
        CHECK(i == 0 || trace->times[i - 1] <= trace->times[i]);
        bytes += trace->sizes[trace->requests[i]];
    }
    for (uint32_t i = 0; i < trace->object_count; i++) {
        CHECK(trace->sizes[i] > 0);
        footprint += trace->sizes[i];
    }
    CHECK(bytes == trace->bytes && footprint == trace->footprint);
}

static void
check_line(struct span line)
{
    struct access access;
    if (!access_log_parse(line, &access))
        return;
    CHECK(is_inside(access.date, line) && is_inside(access.host, line) && is_inside(access.method, line));
    CHECK(is_inside(access.url, line) && access.url.len > 0 && access.status <= 999);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        *copy = copy_of(data, size);
    struct span  bytes = span_of(copy, size);
    struct trace whole, parts;

    check_line(bytes);
    enum err err = feed(&whole, bytes, size == 0 ? 1 : size);
    CHECK(feed(&parts, bytes, 1 + size / 7) == err);
    if (err == ERR_NONE) {
        check_sums(&whole);
        CHECK(whole.request_count == parts.request_count && whole.lines == parts.lines);
        for (size_t i = 0; i < whole.request_count; i++)
            CHECK(whole.requests[i] == parts.requests[i] && whole.times[i] == parts.times[i]);
    }
    trace_fini(&whole);
    trace_fini(&parts);
    free(copy);
    return 0;
}
