/* origin.c: `larder-bench origin`: a fast stub origin.
 *
 *      main thread: bind ─▶ "listening on ..." ─▶ wait for SIGTERM or SIGINT ─▶ stop the workers
 *      worker × N:  loop ─▶ listener ─▶ connections (origin_conn.c) ─▶ answers (reply.c)
 */
#include "origin.h"
#include "command.h"
#include "descriptors.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define METRIC_TYPE_ struct origin_counts
METRIC_TABLE(origin_counts, "origin", ORIGIN_COUNTS);

struct settings {
    struct span listen;
    int64_t     delay, workers;
};

static const struct row flags[] = {
    { "listen", ROW_TEXT, offsetof(struct settings, listen), 0, 0, 0, "ADDR:PORT",
      "Where to listen; port 0 takes a free one." },
    { "delay", ROW_TIME, offsetof(struct settings, delay), 0, 3600 * NSEC_PER_SEC, 0, "TIME",
      "Wait so long before each answer." },
    { "workers", ROW_COUNT, offsetof(struct settings, workers), 1, 64, 1, "N", "Threads." },
};

struct origin {
    struct stub           stub;
    _Atomic uint64_t      number;
    struct origin_worker *workers;
    unsigned              count, listening, running;
};

/* ── what the connections ask for ── */

uint64_t
origin_next_number(struct origin *origin)
{
    return atomic_fetch_add_explicit(&origin->number, 1, memory_order_relaxed) + 1;
}

const char *
origin_counters(const struct origin *origin, char out[static ORIGIN_JSON_SIZE])
{
    size_t len = 0;
    for (size_t i = 0; i < origin_counts_table.count; i++) {
        const struct metric_row *row = &origin_counts_table.rows[i];
        uint64_t                 sum = 0;
        for (unsigned k = 0; k < origin->count; k++)
            sum += metric_read_row(&origin->workers[k].counts, row);
        len += (size_t)snprintf(out + len, ORIGIN_JSON_SIZE - len, "%s\"%s\":%" PRIu64, i == 0 ? "{" : ",",
                                row->name, sum);
    }
    snprintf(out + len, ORIGIN_JSON_SIZE - len, "}\n");
    return out;
}

struct span
origin_date(struct origin_worker *worker)
{
    int64_t now = wall_seconds(loop_wall(worker->loop));
    if (now != worker->date_second) {
        worker->date_second = now;
        date_format(now, worker->date);
    }
    return span_of(worker->date, sizeof worker->date);
}

/* ── life of a worker ── */

static void
accepted(struct listener *listener, int fd, const struct addr *peer)
{
    (void)peer;
    origin_accept(listener->owner, fd);
}

static void *
worker_main(void *argument)
{
    struct origin_worker *worker = argument;
    loop_run(worker->loop);
    listener_close(&worker->listener);
    origin_close_all(worker);
    return NULL;
}

static enum err
worker_init(struct origin_worker *worker, struct origin *origin, struct addr *addr, bool reuse,
            struct fault *fault)
{
    worker->origin = origin;
    worker->stub = &origin->stub;
    worker->date_second = INT64_MIN;
    list_init(&worker->connections);
    slab_init(&worker->slab, origin_connection_size(), 0);
    slab_init(&worker->buffers, ORIGIN_BUFFER, 0);
    enum err err = loop_create(&worker->loop, fault);
    if (err != ERR_NONE)
        return err;
    int fd;
    err = listener_bind(addr, reuse, &fd, addr, fault);
    if (err != ERR_NONE)
        return err;
    err = listener_open(&worker->listener, worker->loop, fd, accepted, worker);
    if (err != ERR_NONE)
        return fault_set(fault, err, "cannot watch the listening socket: %s", err_text(err));
    origin->listening++;
    return ERR_NONE;
}

static void
worker_fini(struct origin_worker *worker, bool listening)
{
    if (listening)
        listener_close(&worker->listener);
    if (worker->loop != NULL)
        loop_destroy(&worker->loop);
    slab_fini(&worker->slab);
    slab_fini(&worker->buffers);
}

/* ── life of the origin ── */

static enum err
origin_init(struct origin *origin, const struct settings *settings, struct addr *addr, struct fault *fault)
{
    noise_fill(&origin->stub.noise);
    origin->stub.delay = settings->delay;
    origin->stub.site = site_create(settings->delay);
    origin->workers = calloc((size_t)settings->workers, sizeof *origin->workers);
    if (origin->stub.site == NULL || origin->workers == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    while (origin->count < (unsigned)settings->workers) {
        enum err err =
            worker_init(&origin->workers[origin->count++], origin, addr, settings->workers > 1, fault);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

static void
origin_fini(struct origin *origin)
{
    for (unsigned i = 0; i < origin->count; i++)
        worker_fini(&origin->workers[i], i < origin->listening);
    free(origin->workers);
    site_destroy(&origin->stub.site);
}

static enum err
start_workers(struct origin *origin, struct fault *fault)
{
    while (origin->running < origin->count) {
        struct origin_worker *worker = &origin->workers[origin->running];
        int                   error = pthread_create(&worker->thread, NULL, worker_main, worker);
        if (error != 0)
            return fault_set_errno(fault, error, "cannot start a thread");
        origin->running++;
    }
    return ERR_NONE;
}

static void
stop_workers(struct origin *origin)
{
    for (unsigned i = 0; i < origin->running; i++)
        loop_stop(origin->workers[i].loop);
    for (unsigned i = 0; i < origin->running; i++)
        pthread_join(origin->workers[i].thread, NULL);
}

/* Blocks the signals that end us, before any thread is there, so that only sigwait takes them. */
static void
block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    pthread_sigmask(SIG_BLOCK, set, NULL);
}

static int
serve(struct origin *origin, const struct addr *bound, const sigset_t *signals, struct fault *fault)
{
    if (start_workers(origin, fault) == ERR_NONE) {
        char text[ADDR_TEXT_SIZE];
        printf("listening on %s\n", addr_format(bound, text));
        fflush(stdout);
        int number;
        sigwait(signals, &number);
    }
    stop_workers(origin);
    return EXIT_SUCCESS;
}

static int
run(const void *given, const struct texts *operands, struct fault *fault)
{
    (void)operands;
    const struct settings *settings = given;
    struct addr            addr;
    struct fault           why;
    if (settings->listen.len == 0)
        return (int)fault_set(fault, ERR_SYNTAX, "--listen ADDR:PORT is missing");
    if (addr_parse(settings->listen, &addr, &why) != ERR_NONE)
        return (int)fault_set(fault, why.code, "--listen: %s", why.text);
    if (descriptors_raise(0, fault) != ERR_NONE)
        return EXIT_FAILURE;

    sigset_t       signals;
    struct origin *origin = calloc(1, sizeof *origin);
    if (origin == NULL)
        return (int)fault_set(fault, ERR_NO_MEMORY, "out of memory");
    block_signals(&signals);
    int code = EXIT_FAILURE;
    if (origin_init(origin, settings, &addr, fault) == ERR_NONE)
        code = serve(origin, &addr, &signals, fault);
    origin_fini(origin);
    free(origin);
    return code;
}

const struct command command_origin = {
    .name = "origin",
    .operands = "",
    .summary = "A fast stub origin with knobs in the path, and a small demo site.",
    .help =
        "Answers requests until SIGTERM or SIGINT. The first line on stdout is \"listening on ADDR:PORT\".\n"
        "  /                         the demo site\n"
        "  /size/64k/max-age/60/...  any answer you like: /knobs lists the knobs\n"
        "  /-/requests               the counters, as JSON",
    .flags = ROW_TABLE(flags),
    .settings_size = sizeof(struct settings),
    .run = run,
};
