/* log.c: a buffer under a lock, and a thread that writes it out.
 *
 *      log_write ──▶ [ buffer ] ──swap──▶ [ other ] ──▶ write(2)
 *
 * Writers hold the lock only to copy a finished line. The thread takes the whole buffer in exchange for an empty one and writes it
 * without the lock; meanwhile lines that find no room are counted, and the count is written as a line of its own.
 */
#include <larder/base/log.h>

#include <larder/base/check.h>
#include <larder/base/clock.h>
#include <larder/base/lock.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_SIZE = 2048, BUFFER_SIZE = 256 * 1024, STAMP_SIZE = 40 };

struct half {
    char   bytes[BUFFER_SIZE];
    size_t len;
};

struct log {
    int            fd;
    enum log_level level;
    pthread_t      thread;
    bool           started;
    pthread_cond_t wake;

    struct lock  lock; /* guards the rest */
    struct half *filling, *writing;
    uint64_t     dropped, told;
    bool         closing;
};

/* ── the thread ── */

/* Waits out a descriptor that is not ready, and gives up on one that is broken. */
static void
write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);
        if (put > 0) {
            bytes += put;
            len -= (size_t)put;
        } else if (put < 0 && errno == EAGAIN) {
            struct pollfd ready = { .fd = fd, .events = POLLOUT };
            poll(&ready, 1, -1);
        } else if (put < 0 && errno != EINTR) {
            return;
        }
    }
}

static void
write_dropped(const struct log *log, uint64_t count)
{
    char line[128];
    int  len =
        snprintf(line, sizeof line,
                 "(%" PRIu64 " lines of the log were lost: it could not be written fast enough)\n", count);
    write_all(log->fd, line, (size_t)len);
}

/* One round: waits for lines, takes them, writes them. False: the log closes and all is written. */
static bool
drain(struct log *log)
{
    lock_acquire(&log->lock);
    while (log->filling->len == 0 && log->dropped == log->told && !log->closing) {
        /* The condition gives the mutex back while it waits; for the lock's books we hold it all the time. */
        pthread_cond_wait(&log->wake, &log->lock.mutex);
#ifndef NDEBUG
        log->lock.holder = pthread_self();
        log->lock.held = true;
#endif
    }
    struct half *full = log->filling;
    uint64_t     lost = log->dropped - log->told;
    bool         more = !log->closing || full->len > 0;
    log->filling = log->writing;
    log->filling->len = 0;
    log->writing = full;
    log->told = log->dropped;
    lock_release(&log->lock);

    write_all(log->fd, full->bytes, full->len);
    if (lost > 0)
        write_dropped(log, lost);
    return more;
}

static void *
run(void *argument)
{
    struct log *log = argument;
    while (drain(log))
        ;
    return NULL;
}

/* ── life ── */

static void
free_log(struct log *log)
{
    free(log->filling);
    free(log->writing);
    lock_fini(&log->lock);
    pthread_cond_destroy(&log->wake);
    free(log);
}

enum err
log_open(struct log **out, int fd, enum log_level level)
{
    struct log *log = calloc(1, sizeof *log);
    *out = NULL;
    if (log == NULL)
        return ERR_NO_MEMORY;
    log->fd = fd;
    log->level = level;
    lock_init(&log->lock, LOCK_RANK_LOG, "log");
    pthread_cond_init(&log->wake, NULL);
    log->filling = calloc(1, sizeof *log->filling);
    log->writing = calloc(1, sizeof *log->writing);
    if (log->filling == NULL || log->writing == NULL) {
        free_log(log);
        return ERR_NO_MEMORY;
    }
    *out = log;
    return ERR_NONE;
}

/* The thread takes no signals: they are for whoever asked for them. */
enum err
log_start(struct log *log)
{
    sigset_t all, before;

    if (log == NULL)
        return ERR_NONE;
    CHECK(!log->started);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    log->started = pthread_create(&log->thread, NULL, run, log) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return log->started ? ERR_NONE : ERR_SYSTEM;
}

void
log_close(struct log **pointer)
{
    struct log *log = *pointer;
    *pointer = NULL;
    if (log == NULL)
        return;
    lock_acquire(&log->lock);
    log->closing = true;
    pthread_cond_signal(&log->wake);
    lock_release(&log->lock);
    if (log->started)
        pthread_join(log->thread, NULL);
    else
        while (drain(log))
            ;
    free_log(log);
}

/* ── lines ── */

static size_t
put_stamp(char *out, size_t size, enum log_level level)
{
    static const char *const names[] = {
        [LOG_ERROR] = "error", [LOG_WARN] = "warn ", [LOG_INFO] = "info ", [LOG_DEBUG] = "debug"
    };
    wall_time now = clock_wall();
    time_t    second = (time_t)wall_seconds(now);
    struct tm utc;
    char      date[24];

    gmtime_r(&second, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    int len = snprintf(out, size, "%s.%03dZ %s  ", date, (int)(now.ns % NSEC_PER_SEC / NSEC_PER_MSEC),
                       names[level]);
    return len < 0 ? 0 : (size_t)len;
}

/* Copies text so that it stays one line, whatever a peer put into it. */
static size_t
put_escaped(char *out, size_t room, const char *text)
{
    size_t len = 0;
    for (; *text != '\0' && len + 5 < room; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            len += (size_t)snprintf(out + len, room - len, "\\x%02x", c);
        else
            out[len++] = (char)c;
    }
    return len;
}

void
log_write(struct log *log, enum log_level level, const char *format, ...)
{
    char    text[LINE_MAX_SIZE], line[LINE_MAX_SIZE + STAMP_SIZE];
    va_list arguments;

    if (log == NULL || level > log->level)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t len = put_stamp(line, sizeof line, level);
    len += put_escaped(line + len, sizeof line - len - 1, text);
    line[len++] = '\n';

    lock_acquire(&log->lock);
    struct half *half = log->filling;
    if (len > BUFFER_SIZE - half->len) {
        log->dropped++;
    } else {
        memcpy(half->bytes + half->len, line, len);
        half->len += len;
    }
    pthread_cond_signal(&log->wake);
    lock_release(&log->lock);
}

uint64_t
log_dropped(const struct log *log)
{
    struct log *mutable = (struct log *)(uintptr_t)log;
    lock_acquire(&mutable->lock);
    uint64_t dropped = log->dropped;
    lock_release(&mutable->lock);
    return dropped;
}
