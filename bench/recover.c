/* recover.c: `larder-bench recover`: how long a store takes to be warm again.
 *
 *      fork: fill ── kill -9 (or an orderly stop) ──▶ fork: open: returns ──▶ the last shard is ready ──┐
 *                                                      └──◀── the next round ──◀── kill -9 (or a stop) ─┘
 *
 * The store is filled through the same interface as the server's, in a process of its own, so that it can be
 * killed; each round is one too, so that every one finds the store as the first did. With --cold the files leave the page cache before they are opened again.
 */
#include "command.h"
#include "load_print.h"
#include "store_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <larder/base/check.h>
#include <larder/base/units.h>
#include <larder/storage/store.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct settings {
    int64_t records, size, shards, rounds;
    bool    clean, cold, filled;
};

#define FLAG(name, type, least, most, initial, value, help)                                                  \
    {                                                                                                        \
#name, ROW_##type, offsetof(struct settings, name), least, most, initial, value, help                \
    }

static const struct row flags[] = {
    FLAG(records, COUNT, 1, 100000000, 1000000, "N", "Records to be stored and found again."),
    FLAG(size, SIZE, 0, 1 << 20, 1024, "SIZE", "Bytes of each body."),
    FLAG(shards, COUNT, 1, 16, 2, "N", "Shards, if the store is large enough for them."),
    FLAG(rounds, COUNT, 1, STORE_BENCH_ROUNDS_MAX, 1, "N",
         "So often it is opened, and killed or stopped again."),
    FLAG(clean, SWITCH, 0, 0, 0, NULL, "Stop it in order, so that there is a snapshot; else it is killed."),
    FLAG(cold, SWITCH, 0, 0, 0, NULL, "Put the files out of the page cache before they are opened again."),
    FLAG(filled, SWITCH, 0, 0, 0, NULL, "An earlier run with the same flags has filled it."),
};

enum { KEY = 64, HEADROOM = 192, BATCH = 1000 };

/* ── the store ── */

static enum err
open_store(struct store **store, const char *directory, const struct settings *settings, struct fault *fault)
{
    uint64_t            each = (uint64_t)settings->size + HEADROOM + 32;
    uint64_t            size = (uint64_t)settings->records * each / 4 * 5 + ((uint64_t)64 << 20);
    struct store_config config = { .directory = directory,
                                   .size = size,
                                   .readers = (unsigned)settings->shards };
    return store_open(store, &config, fault);
}

/* ── filling, in the child ── */

/* One job writes what belongs to its shard of a range of numbers. */
struct batch {
    struct store_job job;
    struct store    *store;
    const char      *body;
    int64_t          from, to, size;
    unsigned         shard, shards;
    sem_t           *done;
};

static void
append(struct batch *batch, struct store_writer *writer, int64_t number)
{
    char                text[KEY];
    struct span         key = span_of(text, (size_t)snprintf(text, KEY, "http://bench/%" PRId64, number));
    struct digest       digest = hash_digest(store_seed(batch->store), key);
    struct iovec        piece = { (char *)(uintptr_t)batch->body, (size_t)batch->size };
    struct record_parts parts = { .key = { digest, key },
                                  .meta = SPAN("meta"),
                                  .body = &piece,
                                  .body_count = batch->size > 0,
                                  .created = clock_wall(),
                                  .expires = wall_add(clock_wall(), 24 * 3600 * NSEC_PER_SEC) };
    if (((unsigned)(digest.high >> 56) & (batch->shards - 1)) != batch->shard)
        return;
    enum err err = writer_append(writer, &parts);
    CHECK(err == ERR_NONE);
}

static void
run_batch(struct store_job *job, struct store_writer *writer)
{
    struct batch *batch = (struct batch *)(void *)job;
    for (int64_t i = batch->from; i < batch->to; i++)
        append(batch, writer, i);
    sem_post(batch->done);
}

static void
submit_to_all(struct store *store, struct batch *batch, sem_t *done)
{
    unsigned     shards = store_metrics_count(store);
    struct batch jobs[16];

    for (unsigned i = 0; i < shards; i++) {
        jobs[i] = *batch;
        jobs[i].job = (struct store_job){ .cost = 1, .run = run_batch };
        jobs[i].shard = i;
        jobs[i].shards = shards;
        jobs[i].done = done;
        enum err err = store_submit(store, (struct digest){ (uint64_t)i << 56, 0 }, &jobs[i].job);
        CHECK(err == ERR_NONE);
    }
    for (unsigned i = 0; i < shards; i++)
        while (sem_wait(done) != 0)
            CHECK(errno == EINTR);
}

static void
fill(struct store *store, const struct settings *settings)
{
    sem_t done;
    char *body = calloc(1, (size_t)settings->size + 1);

    CHECK(body != NULL && sem_init(&done, 0, 0) == 0);
    for (int64_t i = 0; i < settings->records; i += BATCH) {
        struct batch batch = {
            .store = store, .body = body, .from = i, .to = i + BATCH, .size = settings->size
        };
        if (batch.to > settings->records)
            batch.to = settings->records;
        submit_to_all(store, &batch, &done);
    }
    free(body);
}

/* Does not return. */
static void
be_the_first_run(const char *directory, const struct settings *settings)
{
    struct store *store;
    struct fault  fault;

    if (open_store(&store, directory, settings, &fault) != ERR_NONE) {
        fprintf(stderr, "larder-bench recover: %s\n", fault.text);
        _exit(EXIT_FAILURE);
    }
    fill(store, settings);
    if (settings->clean)
        store_close(&store);
    kill(getpid(), SIGKILL);
}

static enum err
run_first(const char *directory, const struct settings *settings, struct fault *fault)
{
    int   status;
    pid_t pid = fork();

    if (pid < 0)
        return fault_set_errno(fault, errno, "cannot fork");
    if (pid == 0)
        be_the_first_run(directory, settings);
    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return ERR_NONE;
    return fault_set(fault, ERR_SYSTEM, "the store in %s could not be filled", directory);
}

static void
make_cold(const char *directory)
{
    static const char *const patterns[] = { "shard", "journal", "index" }, *const ends[] = { "dat", "log",
                                                                                             "snap" };
    char path[512];

    for (int i = 0; i < 3 * 16; i++) {
        snprintf(path, sizeof path, "%s/%s-%02d.%s", directory, patterns[i % 3], i / 3, ends[i % 3]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        fsync(fd); /* what is dirty would stay */
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        close(fd);
    }
}

/* ── opening again ── */

static uint64_t
sum(const struct store *store, size_t offset)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < store_metrics_count(store); i++)
        total += metric_read(
            (const metric_cell *)(const void *)((const char *)store_metrics_of(store, i) + offset));
    return total;
}

/* What a round tells, through a pipe. */
struct round {
    uint64_t found, bytes;
    unsigned shards;
    nsec     opened, ready, cpu;
};

static enum err
measure(struct store **store, const char *directory, const struct settings *settings, struct round *round,
        struct fault *fault)
{
    sem_t        done;
    struct batch nothing = { .from = 0, .to = 0 };
    mono_time    begin = clock_mono();
    nsec         cpu = clock_process_cpu();
    enum err     err = open_store(store, directory, settings, fault);

    if (err != ERR_NONE)
        return err;
    round->opened = mono_since(clock_mono(), begin);
    CHECK(sem_init(&done, 0, 0) == 0);
    submit_to_all(*store, &nothing, &done); /* a job runs when its shard is recovered */
    round->ready = mono_since(clock_mono(), begin);
    round->cpu = clock_process_cpu() - cpu;
    round->shards = store_metrics_count(*store);
    round->found = sum(*store, offsetof(struct store_metrics, objects));
    round->bytes = sum(*store, offsetof(struct store_metrics, bytes_live));
    return ERR_NONE;
}

/* Does not return. It ends as the first run did, so that the next round finds the same. */
static void
be_a_round(const char *directory, const struct settings *settings, int pipe_end)
{
    struct store *store;
    struct fault  fault;
    struct round  round = { 0 };

    if (measure(&store, directory, settings, &round, &fault) != ERR_NONE) {
        fprintf(stderr, "larder-bench recover: %s\n", fault.text);
        _exit(EXIT_FAILURE);
    }
    if (write(pipe_end, &round, sizeof round) != sizeof round)
        _exit(EXIT_FAILURE);
    if (settings->clean)
        store_close(&store);
    kill(getpid(), SIGKILL);
}

static enum err
run_round(const char *directory, const struct settings *settings, struct round *round, struct fault *fault)
{
    int ends[2];

    if (settings->cold)
        make_cold(directory);
    if (pipe(ends) != 0)
        return fault_set_errno(fault, errno, "cannot make a pipe");
    pid_t pid = fork();
    if (pid == 0)
        be_a_round(directory, settings, ends[1]);
    close(ends[1]);
    bool told = pid > 0 && read(ends[0], round, sizeof *round) == sizeof *round;
    close(ends[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0)
        CHECK(errno == EINTR);
    return told ? ERR_NONE : fault_set(fault, ERR_SYSTEM, "the store in %s could not be opened", directory);
}

/* ── telling ── */

struct rounds {
    unsigned     count;
    bool         all_found; /* every record, each time */
    struct round last;
    double       opened[STORE_BENCH_ROUNDS_MAX], ready[STORE_BENCH_ROUNDS_MAX], cpu[STORE_BENCH_ROUNDS_MAX];
};

static const char *
time_text(double ns, char text[UNITS_TEXT_SIZE])
{
    return units_round_time((nsec)ns, text);
}

static void
tell_row(const char *what, double *times, unsigned count, double records)
{
    char   middle[UNITS_TEXT_SIZE], least[UNITS_TEXT_SIZE], most[UNITS_TEXT_SIZE];
    double median = store_bench_median(times, count);

    printf("%-10s %12s %12s %12s %12.0f\n", what, time_text(median, middle), time_text(times[0], least),
           time_text(times[count - 1], most), median / records);
}

static void
tell(struct rounds *rounds)
{
    char   bytes[UNITS_TEXT_SIZE];
    double records = rounds->last.found == 0 ? 1 : (double)rounds->last.found;

    printf("%" PRIu64 " records, %s, %u shards, opened %u times\n", rounds->last.found,
           units_round_size(rounds->last.bytes, bytes), rounds->last.shards, rounds->count);
    printf("%-10s %12s %12s %12s %12s\n", "", "median", "least", "most", "ns a record");
    tell_row("opened", rounds->opened, rounds->count, records);
    tell_row("ready", rounds->ready, rounds->count, records);
    tell_row("processor", rounds->cpu, rounds->count, records);
}

static enum err
run_rounds(const char *directory, const struct settings *settings, struct rounds *rounds, struct fault *fault)
{
    enum err err = ERR_NONE;

    rounds->all_found = true;
    while (err == ERR_NONE && rounds->count < settings->rounds) {
        err = run_round(directory, settings, &rounds->last, fault);
        rounds->all_found = rounds->all_found && rounds->last.found == (uint64_t)settings->records;
        rounds->opened[rounds->count] = (double)rounds->last.opened;
        rounds->ready[rounds->count] = (double)rounds->last.ready;
        rounds->cpu[rounds->count++] = (double)rounds->last.cpu;
    }
    return err;
}

static int
run(const void *given, const struct texts *operands, struct fault *fault)
{
    const struct settings *settings = given;
    struct rounds          rounds = { 0 };
    char                   directory[256];

    if (operands->at[0].len >= sizeof directory) {
        fault_set(fault, ERR_RANGE, "the name of the directory is too long");
        return EXIT_FAILURE;
    }
    snprintf(directory, sizeof directory, "%.*s", SPAN_ARG(operands->at[0]));
    if ((!settings->filled && run_first(directory, settings, fault) != ERR_NONE)
        || run_rounds(directory, settings, &rounds, fault) != ERR_NONE)
        return EXIT_FAILURE;
    tell(&rounds);
    return rounds.all_found ? EXIT_SUCCESS : EXIT_FAILURE;
}

const struct command command_recover = {
    .name = "recover",
    .operands = "DIRECTORY",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "how long a store takes to be warm again after kill -9",
    .help =
        "Fills a store in DIRECTORY, kills the process that did so, and opens it again. The times: until\n"
        "requests are answered (opened), until all that was stored can be found (ready), and what all\n"
        "threads took meanwhile (processor). Fails when not every record is back. The directory stays; it\n"
        "must be empty, or a store that may be lost.\n",
    .flags = ROW_TABLE(flags),
    .settings_size = sizeof(struct settings),
    .run = run,
};
