/* access_log.c: see access_log.h.
 *
 * The thread gathers for a while, takes what is in the rings, and writes it in large pieces. Where it shares a core with a worker that has
 * time to spare the while is short, since requests wait as long as the thread works; where the core is busy, which shows as waking late, it
 * is longer, since each turn costs two switches. When it finds nothing it sleeps until a worker wakes it. A worker may push just when the
 * thread falls asleep, and not see that: so the sleep has an end too. What the disk refuses stays in the buffer and is tried again; meanwhile
 * the rings fill.
 */
#include "access_line.h"

#include <errno.h>
#include <fcntl.h>
#include <larder/admin/access_log.h>
#include <larder/base/check.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    RING_SIZE = 1024 * 1024,
    BUFFER_SIZE = 512 * 1024, /* and a line never finds less than ACCESS_LINE_MAX */
    GATHER_MS = 2,
    GATHER_BUSY_MS = 10,
    LATE_US = 500, /* waking so late means that the core is busy */
    SLEEP_MS = 1000,
    RETRY_MS = 1000, /* after a write that failed */
    MODE = 0640
};

#define METRIC_TYPE_ struct access_log_metrics
METRIC_TABLE(access_log_metrics, "log", ACCESS_LOG_METRICS);

/* The buffer, the file and the dates are the thread's. */
struct access_log {
    struct access_log_config  config;
    struct access_reader      reader;
    struct access_ring       *rings;
    unsigned                  ring_count;
    pthread_t                 thread;
    bool                      started;
    _Atomic bool              closing, reopens;
    int                       fd;
    struct writer             buffer;
    size_t                    written; /* of the buffer, to the file */
    bool                      busy;    /* the core */
    bool                      failing; /* and the log of the process knows it */
    struct access_dates       dates;
    struct access_log_metrics metrics;
};

/* ── the file ── */

static int
open_file(const struct access_log *log)
{
    return open(log->config.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, MODE);
}

/* Says once that it fails, and once that it goes on. */
static void
note_failure(struct access_log *log, const char *what, int error)
{
    metric_add(&log->metrics.errors, 1);
    if (!log->failing)
        log_write(log->config.log, LOG_ERROR, "access log: cannot %s %s: %s; requests that find no room meanwhile are not logged",
                  what, log->config.path, strerror(error));
    log->failing = true;
}

static void
note_success(struct access_log *log)
{
    if (log->failing)
        log_write(log->config.log, LOG_INFO, "access log: %s is written again", log->config.path);
    log->failing = false;
}

static void
reopen(struct access_log *log)
{
    int fd = open_file(log);

    if (fd < 0) {
        note_failure(log, "open", errno);
        return;
    }
    close(log->fd);
    log->fd = fd;
    metric_add(&log->metrics.reopened, 1);
}

/* True: the buffer is empty. */
static bool
flush(struct access_log *log)
{
    while (log->written < log->buffer.len) {
        ssize_t put = write(log->fd, log->buffer.at + log->written, log->buffer.len - log->written);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            note_failure(log, "write", put < 0 ? errno : ENOSPC);
            return false;
        }
        log->written += (size_t)put;
        metric_add(&log->metrics.bytes, (uint64_t)put);
    }
    if (log->buffer.len > 0)
        note_success(log);
    log->buffer.len = log->written = 0;
    return true;
}

/* ── lines ── */

static bool
has_room(const struct access_log *log)
{
    return log->buffer.room - log->buffer.len >= ACCESS_LINE_MAX;
}

/* Whether there was any. False, too, when the file takes no more. */
static bool
take_ring(struct access_log *log, struct ring *ring)
{
    struct span record;
    bool        any = false;

    while ((has_room(log) || flush(log)) && (record = ring_front(ring)).at != NULL) {
        access_line_write(&log->buffer, log->config.format, &log->dates,
                          (const struct access_record *)(const void *)record.at);
        ring_pop(ring);
        metric_add(&log->metrics.lines, 1);
        any = true;
    }
    return any;
}

static bool
take_all(struct access_log *log)
{
    bool any = false;

    for (unsigned i = 0; i < log->ring_count; i++)
        any |= take_ring(log, &log->rings[i].ring);
    return any;
}

/* ── the thread ── */

static void
wait_for(const struct access_log *log, int milliseconds)
{
    struct pollfd wake = { .fd = log->reader.wake, .events = POLLIN };
    uint64_t      count;

    if (poll(&wake, 1, milliseconds) > 0)
        (void)!read(log->reader.wake, &count, sizeof count);
}

static void
gather(struct access_log *log)
{
    int       milliseconds = log->busy ? GATHER_BUSY_MS : GATHER_MS;
    mono_time due = mono_add(clock_mono(), milliseconds * NSEC_PER_MSEC);

    wait_for(log, milliseconds);
    log->busy = mono_since(clock_mono(), due) > LATE_US * NSEC_PER_USEC;
}

static void
wake(struct access_log *log)
{
    uint64_t one = 1;
    (void)!write(log->reader.wake, &one, sizeof one);
}

static void
pause_for(struct access_log *log, bool any, bool written)
{
    if (!written)
        wait_for(log, RETRY_MS);
    else if (any)
        gather(log);
    else
        wait_for(log, SLEEP_MS);
}

/* A wake-up takes the core away from no worker (sched(7), SCHED_BATCH). Refused: then as before. */
static void
run_behind(void)
{
    const struct sched_param none = { .sched_priority = 0 };
    (void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
}

static void *
run(void *argument)
{
    struct access_log *log = argument;

    run_behind();

    while (!atomic_load(&log->closing)) {
        if (atomic_exchange(&log->reopens, false) && flush(log))
            reopen(log);
        bool any = take_all(log);
        bool written = flush(log);
        atomic_store_explicit(&log->reader.sleeps, !any && written, memory_order_relaxed);
        pause_for(log, any, written);
    }
    while (take_all(log))
        ;
    (void)flush(log);
    return NULL;
}

/* ── life ── */

static void
destroy(struct access_log *log)
{
    for (unsigned i = 0; i < log->ring_count; i++)
        ring_fini(&log->rings[i].ring);
    free(log->rings);
    free(log->buffer.at);
    if (log->reader.wake >= 0)
        close(log->reader.wake);
    if (log->fd >= 0)
        close(log->fd);
    free(log);
}

static enum err
make_rings(struct access_log *log)
{
    char *memory = malloc(BUFFER_SIZE);

    log->rings = aligned_alloc(RING_LINE, log->config.workers * sizeof log->rings[0]);
    writer_init(&log->buffer, memory, memory == NULL ? 0 : BUFFER_SIZE);
    if (log->rings == NULL || memory == NULL)
        return ERR_NO_MEMORY;
    for (; log->ring_count < log->config.workers; log->ring_count++) {
        struct access_ring *ring = &log->rings[log->ring_count];
        ring->reader = &log->reader;
        if (ring_init(&ring->ring, RING_SIZE) != ERR_NONE)
            return ERR_NO_MEMORY;
    }
    return ERR_NONE;
}

enum err
access_log_open(struct access_log **out, const struct access_log_config *config, struct fault *fault)
{
    struct access_log *log = aligned_alloc(RING_LINE, sizeof *log);

    *out = NULL;
    if (log == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "no memory for the access log");
    memset(log, 0, sizeof *log);
    log->config = *config;
    log->dates.second = INT64_MIN;
    log->fd = open_file(log);
    int error = errno;
    log->reader.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum err err = log->fd < 0 || log->reader.wake < 0 ? ERR_SYSTEM : make_rings(log);
    if (err == ERR_NONE) {
        *out = log;
        return ERR_NONE;
    }
    if (log->fd < 0)
        err = fault_set_errno(fault, error, "cannot write the access log %s", config->path);
    else
        err = fault_set(fault, err, "no memory for the access log");
    destroy(log);
    return err;
}

/* The thread takes no signals: they are for whoever asked for them. */
enum err
access_log_start(struct access_log *log)
{
    sigset_t all, before;

    CHECK(!log->started);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    log->started = pthread_create(&log->thread, NULL, run, log) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return log->started ? ERR_NONE : ERR_SYSTEM;
}

struct access_ring *
access_log_ring(struct access_log *log, unsigned worker)
{
    CHECK(worker < log->ring_count);
    return &log->rings[worker];
}

void
access_log_reopen(struct access_log *log)
{
    atomic_store(&log->reopens, true);
    wake(log);
}

void
access_log_close(struct access_log **pointer)
{
    struct access_log *log = *pointer;

    *pointer = NULL;
    if (log == NULL)
        return;
    atomic_store(&log->closing, true);
    wake(log);
    if (log->started)
        pthread_join(log->thread, NULL);
    destroy(log);
}

const struct access_log_metrics *
access_log_metrics_of(const struct access_log *log)
{
    return &log->metrics;
}
