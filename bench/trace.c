/* trace.c: see trace.h. */
#include "trace.h"
#include "access_log.h"

#include <inttypes.h>
#include <larder/base/hash.h>
#include <stdlib.h>

enum { ROOM_FIRST = 1024, OBJECTS_MOST = 1 << 30 };

const char *
trace_format_name(enum trace_format format)
{
    static const char *const names[] = {
        [TRACE_UNKNOWN] = "unknown", [TRACE_ORACLE] = "oracleGeneral", [TRACE_LOG] = "combined"
    };
    return names[format];
}

void
trace_init(struct trace *trace)
{
    struct hash_seed random;
    hash_seed_random(&random);
    *trace = (struct trace){ .format = TRACE_UNKNOWN };
    memcpy(&trace->salt, random.seed, sizeof trace->salt);
}

void
trace_fini(struct trace *trace)
{
    free(trace->requests);
    free(trace->times);
    free(trace->ids);
    free(trace->sizes);
    free(trace->slots);
    trace_init(trace);
}

static enum err
no_memory(const struct trace *trace, struct fault *fault)
{
    return fault_set(fault, ERR_NO_MEMORY, "no memory for more than %zu requests and %" PRIu32 " objects",
                     trace->request_count, trace->object_count);
}

/* ── ids to numbers ── */

static uint64_t
mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9); /* splitmix64's end */
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* The slot that has the id, or the empty one where it belongs. */
static uint32_t *
slot_of(const struct trace *trace, uint64_t id)
{
    uint64_t at = mix(id ^ trace->salt) & (trace->slot_count - 1);
    while (trace->slots[at] != 0 && trace->ids[trace->slots[at] - 1] != id)
        at = (at + 1) & (trace->slot_count - 1);
    return &trace->slots[at];
}

/* Twice the room; slots are twice as many as objects at least. */
static bool
grow_objects(struct trace *trace)
{
    uint32_t room = trace->object_room == 0 ? ROOM_FIRST : 2 * trace->object_room;
    if (room > OBJECTS_MOST)
        return false;
    uint64_t *ids = realloc(trace->ids, room * sizeof ids[0]);
    if (ids != NULL)
        trace->ids = ids;
    uint64_t *sizes = realloc(trace->sizes, room * sizeof sizes[0]);
    if (sizes != NULL)
        trace->sizes = sizes;
    uint32_t *slots = calloc(2 * (uint64_t)room, sizeof slots[0]);
    if (ids == NULL || sizes == NULL || slots == NULL) {
        free(slots);
        return false;
    }
    free(trace->slots);
    trace->slots = slots;
    trace->slot_count = 2 * (uint64_t)room;
    trace->object_room = room;
    for (uint32_t i = 0; i < trace->object_count; i++)
        *slot_of(trace, trace->ids[i]) = i + 1;
    return true;
}

static bool
number_of(struct trace *trace, uint64_t id, uint32_t *number)
{
    if (trace->object_count == trace->object_room && !grow_objects(trace))
        return false;
    uint32_t *slot = slot_of(trace, id);
    if (*slot == 0) {
        trace->ids[trace->object_count] = id;
        trace->sizes[trace->object_count] = 1;
        *slot = ++trace->object_count;
    }
    *number = *slot - 1;
    return true;
}

static bool
reserve_request(struct trace *trace)
{
    if (trace->request_count < trace->request_room)
        return true;
    size_t    room = trace->request_room == 0 ? ROOM_FIRST : 2 * trace->request_room;
    uint32_t *requests = realloc(trace->requests, room * sizeof requests[0]);
    if (requests == NULL)
        return false;
    trace->requests = requests;
    if (trace->timed) {
        uint32_t *times = realloc(trace->times, room * sizeof times[0]);
        if (times == NULL)
            return false;
        trace->times = times;
    }
    trace->request_room = room;
    return true;
}

static void
keep_time(struct trace *trace, uint32_t time)
{
    size_t   at = trace->request_count;
    uint32_t last = at == 0 ? 0 : trace->times[at - 1];
    trace->times[at] = time > last ? time : last;
}

static enum err
add_request(struct trace *trace, uint64_t id, uint64_t size, uint32_t time, struct fault *fault)
{
    uint32_t number;
    if (!reserve_request(trace) || !number_of(trace, id, &number))
        return no_memory(trace, fault);
    if (trace->timed)
        keep_time(trace, time);
    trace->requests[trace->request_count++] = number;
    if (size > trace->sizes[number])
        trace->sizes[number] = size;
    return ERR_NONE;
}

/* ── records ── */

static uint64_t
read_le(const char *at, unsigned bytes)
{
    uint64_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | (unsigned char)at[bytes];
    return value;
}

/* The next request comes later, never (-1, or the largest number), or is not known (-2). Whatever else is in
 * a file, this soon tells that it is no trace. */
static enum err
feed_record(struct trace *trace, const char *at, struct fault *fault)
{
    int64_t next = (int64_t)read_le(at + 16, 8);

    if (next < -2 || (next >= 0 && (uint64_t)next <= trace->lines))
        return fault_set(fault, ERR_SYNTAX,
                         "record %" PRIu64 " is not one of an oracleGeneral trace (next request: %" PRId64
                         ")",
                         trace->lines + 1, next);
    trace->lines++;
    return add_request(trace, read_le(at + 4, 8), read_le(at + 12, 4), (uint32_t)read_le(at, 4), fault);
}

static enum err
feed_records(struct trace *trace, struct span bytes, bool last, size_t *used, struct fault *fault)
{
    for (; bytes.len - *used >= TRACE_RECORD; *used += TRACE_RECORD) {
        enum err err = feed_record(trace, bytes.at + *used, fault);
        if (err != ERR_NONE)
            return err;
    }
    if (last && *used < bytes.len)
        return fault_set(fault, ERR_SYNTAX, "it ends in the middle of record %" PRIu64 " (of %d bytes each)",
                         trace->lines + 1, TRACE_RECORD);
    return ERR_NONE;
}

/* ── lines ── */

static uint64_t
id_of(const struct access *access)
{
    const struct span parts[] = { access->method, access->host, access->url };
    uint64_t          id = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        id = mix(id + UINT64_C(0x9e3779b97f4a7c15)) ^ hash_checksum(parts[i]);
    return id;
}

static bool
counts(const struct access *access)
{
    return (access->status == 200 || access->status == 304)
           && (span_equal(access->method, SPAN("GET")) || span_equal(access->method, SPAN("HEAD")));
}

static enum err
feed_line(struct trace *trace, struct span line, struct fault *fault)
{
    struct access access;

    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    if (line.len == 0)
        return ERR_NONE;
    trace->lines++;
    if (!access_log_parse(line, &access)) {
        trace->unread++;
        return ERR_NONE;
    }
    if (!counts(&access)) {
        trace->ignored++;
        return ERR_NONE;
    }
    uint32_t time = trace->timed ? access_log_time(access.date) : 0;
    return add_request(trace, id_of(&access), access.bytes, time, fault);
}

/* A line that is too long is taken in pieces that are no lines of the format. */
static enum err
feed_lines(struct trace *trace, struct span bytes, bool last, size_t *used, struct fault *fault)
{
    enum err err = ERR_NONE;
    while (err == ERR_NONE && *used < bytes.len) {
        struct span rest = span_skip(bytes, *used);
        ssize_t     end = span_find(rest, '\n');
        if (end < 0 && !last && rest.len < TRACE_LINE_MAX)
            return ERR_NONE;
        size_t len = end < 0 ? rest.len : (size_t)end;
        err = feed_line(trace, len < TRACE_LINE_MAX ? span_head(rest, len) : SPAN("too long"), fault);
        *used += end < 0 ? len : len + 1;
    }
    return err;
}

/* ── both ── */

static enum err
refuse_packed(const char *with, const char *how, struct fault *fault)
{
    return fault_set(fault, ERR_UNSUPPORTED,
                     "it is packed with %s: unpack it first: %s FILE | larder-bench ... -", with, how);
}

static enum err
find_format(struct trace *trace, struct span bytes, struct fault *fault)
{
    if (span_starts(bytes, SPAN("\x28\xb5\x2f\xfd")))
        return refuse_packed("zstd", "zstd -dc", fault);
    if (span_starts(bytes, SPAN("\x1f\x8b")))
        return refuse_packed("gzip", "gzip -dc", fault);
    trace->format = span_find(span_head(bytes, TRACE_PEEK), '\0') >= 0 ? TRACE_ORACLE : TRACE_LOG;
    return ERR_NONE;
}

enum err
trace_feed(struct trace *trace, struct span bytes, bool last, size_t *used, struct fault *fault)
{
    *used = 0;
    if (trace->format == TRACE_UNKNOWN && bytes.len < TRACE_PEEK && !last)
        return ERR_NONE;
    if (trace->format == TRACE_UNKNOWN) {
        enum err err = find_format(trace, bytes, fault);
        if (err != ERR_NONE)
            return err;
    }
    return trace->format == TRACE_ORACLE ? feed_records(trace, bytes, last, used, fault)
                                         : feed_lines(trace, bytes, last, used, fault);
}

/* Lines before the first with a date are as old as that. */
static void
date_beginning(struct trace *trace)
{
    size_t dated = 0;
    if (trace->times == NULL || trace->format != TRACE_LOG)
        return;
    while (dated < trace->request_count && trace->times[dated] == 0)
        dated++;
    for (size_t i = 0; i < dated && dated < trace->request_count; i++)
        trace->times[i] = trace->times[dated];
}

enum err
trace_finish(struct trace *trace, struct fault *fault)
{
    if (trace->request_count == 0 && trace->lines == 0)
        return fault_set(fault, ERR_NOT_FOUND, "it is empty");
    if (trace->request_count == 0)
        return fault_set(fault, ERR_NOT_FOUND,
                         "no request in it: of %" PRIu64 " lines %" PRIu64
                         " are not of the combined log format, %" PRIu64 " have another method or status",
                         trace->lines, trace->unread, trace->ignored);
    date_beginning(trace);
    for (size_t i = 0; i < trace->request_count; i++)
        trace->bytes += trace->sizes[trace->requests[i]];
    for (uint32_t i = 0; i < trace->object_count; i++)
        trace->footprint += trace->sizes[i];
    return ERR_NONE;
}
