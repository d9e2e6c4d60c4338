/* store_memory.c: `larder-bench store memory`: what a record costs in memory, beside its bytes.
 *
 *      fill ──▶ full: index, segment table ──▶ as many again, so that as many are evicted: + ghost list
 *
 * The bytes of the records are in memfds, which the kernel counts as shared memory. So what grows in RssAnon
 * is all that the store keeps about them: index, ghost list, segment table, pins, jobs, stacks. It is looked at
 * often while the records come, for an index that grows holds two tables for a moment.
 */
#include "feed.h"
#include "load_print.h"
#include "store_bench.h"

#include <fcntl.h>
#include <larder/base/units.h>
#include <unistd.h>

enum { SLOTS = 64, LOOK_EACH = 20000, STATUS_SIZE = 8192 };

/* ── what the kernel says ── */

bool
store_bench_parse_status(struct span text, struct span name, uint64_t *bytes)
{
    struct span line;
    while (span_split(&text, '\n', &line)) {
        if (!span_starts(line, name) || line.len <= name.len || line.at[name.len] != ':')
            continue;
        struct span value = span_trim(span_skip(line, name.len + 1));
        if (!span_ends(value, SPAN(" kB"))
            || !span_to_u64(span_head(value, value.len - 3), UINT64_MAX / 1024, bytes))
            return false;
        *bytes *= 1024;
        return true;
    }
    return false;
}

/* 0 where the kernel does not tell. */
static uint64_t
anonymous_memory(void)
{
    char     text[STATUS_SIZE];
    uint64_t bytes = 0;
    int      fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got = read(fd, text, sizeof text);
    close(fd);
    if (got <= 0 || !store_bench_parse_status(span_of(text, (size_t)got), SPAN("RssAnon"), &bytes))
        return 0;
    return bytes;
}

/* ── the run ── */

struct look {
    uint64_t objects, evicted, index, all; /* the last two in bytes */
};

struct memory_run {
    struct store *store;
    struct feed  *feed;
    uint64_t      before, next, size;
    struct look   most; /* when a record cost most, from half full on */
};

static struct look
look(const struct memory_run *run)
{
    uint64_t now = anonymous_memory();
    return (struct look){ .objects = store_bench_sum(run->store, objects),
                          .evicted = store_bench_sum(run->store, evicted),
                          .index = store_bench_sum(run->store, bytes_index),
                          .all = now > run->before ? now - run->before : 0 };
}

static double
each(uint64_t bytes, const struct look *look)
{
    return look->objects == 0 ? 0 : (double)bytes / (double)look->objects;
}

static void
append_some(struct memory_run *run, uint64_t half)
{
    for (unsigned i = 0; i < LOOK_EACH; i++)
        feed_append(run->feed, run->next++, 0, run->size);
    struct look now = look(run);
    if (now.objects >= half && each(now.all, &now) > each(run->most.all, &run->most))
        run->most = now;
}

static void
print_look(const char *when, const struct look *look)
{
    char objects[GROUPED_SIZE], evicted[GROUPED_SIZE];
    printf("%-28s %12s %12s %10.1f %10.1f\n", when, format_grouped(look->objects, objects),
           format_grouped(look->evicted, evicted), each(look->index, look), each(look->all, look));
}

static void
measure(struct memory_run *run, uint64_t records)
{
    printf("%-28s %12s %12s %10s %10s\n", "bytes for each record", "records", "evicted", "index", "all");
    while (!store_bench_is_full(run->store))
        append_some(run, records / 2);
    feed_drain(run->feed);
    struct look full = look(run);
    print_look("full", &full);
    while (store_bench_sum(run->store, evicted) < records)
        append_some(run, records / 2);
    feed_drain(run->feed);
    struct look turned = look(run);
    print_look("and as many evicted", &turned);
    print_look("most at any moment", &run->most);
}

enum err
store_bench_memory(const struct store_bench *bench, struct fault *fault)
{
    struct memory_run run = { .before = anonymous_memory(), .size = (uint64_t)bench->size };
    uint64_t          records = (uint64_t)bench->records;
    enum err          err = store_bench_open(&run.store, records, run.size, 2, fault);

    if (err != ERR_NONE)
        return err;
    run.feed = feed_create(run.store, SLOTS, run.size);
    if (run.feed == NULL)
        err = fault_set(fault, ERR_NO_MEMORY, "out of memory");
    else
        measure(&run, records);
    feed_destroy(&run.feed);
    store_close(&run.store);
    return err;
}
