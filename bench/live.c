/* live.c: see live.h. */
#include "live.h"
#include "load_print.h"

#include <errno.h>
#include <larder/base/check.h>
#include <larder/base/units.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Goes to the start of the line and clears it; a terminal that is narrower than the line cuts it. */
#define CLEAR "\r\033[K"
#define NO_WRAP "\033[?7l"
#define WRAP "\033[?7h"

struct live {
    pthread_mutex_t lock; /* innermost. Guard: `seen` and `running` */
    pthread_cond_t  news;
    unsigned        workers, running;
    struct tally   *seen; /* by worker: its last word */

    struct tally now, before; /* Owner: who watches */
};

struct live *
live_create(unsigned workers)
{
    struct live *live = calloc(1, sizeof *live);
    if (live == NULL)
        return NULL;
    live->seen = malloc(workers * sizeof live->seen[0]);
    if (live->seen == NULL) {
        free(live);
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&live->lock, NULL);
    pthread_cond_init(&live->news, &attributes);
    pthread_condattr_destroy(&attributes);
    live->workers = live->running = workers;
    for (unsigned i = 0; i < workers; i++)
        tally_init(&live->seen[i]);
    tally_init(&live->before);
    return live;
}

void
live_destroy(struct live **live)
{
    if (*live == NULL)
        return;
    pthread_cond_destroy(&(*live)->news);
    pthread_mutex_destroy(&(*live)->lock);
    free((*live)->seen);
    free(*live);
    *live = NULL;
}

/* ── workers ── */

void
live_tell(struct live *live, unsigned worker, const struct tally *tally, mono_time now)
{
    CHECK(worker < live->workers);
    pthread_mutex_lock(&live->lock);
    live->seen[worker] = *tally;
    live->seen[worker].end = now;
    pthread_mutex_unlock(&live->lock);
}

void
live_leave(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    CHECK(live->running > 0);
    if (--live->running == 0)
        pthread_cond_signal(&live->news);
    pthread_mutex_unlock(&live->lock);
}

/* ── who watches ── */

bool
live_is_wanted(FILE *out)
{
    const char *terminal = getenv("TERM");
    return isatty(fileno(out)) && (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static void
format_percentile(const struct histogram *second, double percentile, char out[static UNITS_TEXT_SIZE])
{
    if (second->total == 0)
        snprintf(out, UNITS_TEXT_SIZE, "-");
    else
        units_round_time((nsec)histogram_percentile(second, percentile), out);
}

static void
format_second(const struct tally *now, const struct tally *before, double seconds, char *out)
{
    struct summary   all, past;
    struct histogram second = now->service;
    char             rate[GROUPED_SIZE], errors[GROUPED_SIZE], p50[UNITS_TEXT_SIZE], p99[UNITS_TEXT_SIZE];
    char             hits[32] = "";
    summary_count(&all, now);
    summary_count(&past, before);
    histogram_subtract(&second, &before->service);
    format_percentile(&second, 50, p50);
    format_percentile(&second, 99, p99);
    uint64_t told = all.hits + all.misses - past.hits - past.misses;
    if (told > 0)
        snprintf(hits, sizeof hits, "   hits %5.1f%%", 100 * (double)(all.hits - past.hits) / (double)told);
    mono_time since = before->answers == 0 ? now->begin : before->end;
    double    passed = (double)mono_since(now->end, since) / (double)NSEC_PER_SEC;
    snprintf(out, LIVE_LINE_SIZE, "%4.0f s %12s/s   p50 %*s   p99 %*s%s   errors %s", seconds,
             format_grouped(passed > 0 ? (uint64_t)((double)second.total / passed) : 0, rate),
             format_width(p50, 7), p50, format_width(p99, 7), p99, hits,
             format_grouped(all.errors + all.bad, errors));
}

const char *
live_line(const struct tally *now, const struct tally *before, char out[static LIVE_LINE_SIZE])
{
    if (now->begin.ns >= now->end.ns) /* or not yet begun */
        snprintf(out, LIVE_LINE_SIZE, "connecting");
    else
        format_second(now, before, (double)mono_since(now->end, now->begin) / (double)NSEC_PER_SEC, out);
    return out;
}

/* What all have seen, into `now`. */
static void
look(struct live *live)
{
    tally_init(&live->now);
    for (unsigned i = 0; i < live->workers; i++)
        tally_merge(&live->now, &live->seen[i]);
}

static void
draw(struct live *live, FILE *out)
{
    char line[LIVE_LINE_SIZE];
    fprintf(out, CLEAR NO_WRAP "%s" WRAP, live_line(&live->now, &live->before, line));
    fflush(out);
    live->before = live->now;
}

/* Until `due`, or until all have left. */
static void
wait_until(struct live *live, const struct timespec *due)
{
    int result = 0;
    while (live->running > 0 && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&live->news, &live->lock, due);
}

void
live_watch(struct live *live, FILE *out)
{
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    pthread_mutex_lock(&live->lock);
    while (live->running > 0) {
        due.tv_sec++;
        wait_until(live, &due);
        if (live->running == 0)
            break;
        look(live);
        pthread_mutex_unlock(&live->lock); /* a terminal may be slow */
        draw(live, out);
        pthread_mutex_lock(&live->lock);
    }
    pthread_mutex_unlock(&live->lock);
    fputs(CLEAR, out);
    fflush(out);
}
