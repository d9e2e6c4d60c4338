/* test_stage.c: jobs that wait for their end: their records go to the disk together, are found by jobs at once and by
 * readers when done() says so, and are lost together when the write fails.
 *
 * A gate holds the store thread while a test queues its jobs, so that they are run in one go.
 */
#include "look.h"
#include "stage.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <larder/base/check.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { ITEMS_MAX = 4096 };

/* ── a disk that counts, and fails ── */

static atomic_uint writes, failing;

static ssize_t
counted_pwritev(int fd, const struct iovec *pieces, int count, off_t at)
{
    atomic_fetch_add(&writes, 1);
    if (atomic_load(&failing) > 0) {
        atomic_fetch_sub(&failing, 1);
        errno = EIO;
        return -1;
    }
    return pwritev(fd, pieces, count, at);
}

static const struct disk_calls counted = { .pwritev = counted_pwritev,
                                           .pread = pread,
                                           .fallocate = fallocate,
                                           .fdatasync = fdatasync,
                                           .mono = clock_mono };

/* ── jobs in one go ── */

struct item {
    struct store_job job;
    struct fixture  *fixture;
    uint64_t         number, version;
    size_t           size;
    fixture_work    *work; /* NULL: it appends a record of that number, version and size */
    enum err         err, done_err;
    unsigned         done; /* how often; 0: not yet */
};

static struct {
    sem_t       gate, over;
    struct item items[ITEMS_MAX];
    unsigned    count, dones;
} go;

/* Its memory is another one's as soon as it has been appended. */
static enum err
append_item(struct store_writer *writer, const struct item *item)
{
    char                text[KEY_TEXT], *body = malloc(item->size + 8);
    struct iovec        pieces[2] = { { body, item->size / 3 },
                                      { body + item->size / 3, item->size - item->size / 3 } };
    struct record_parts parts = { .key = fixture_key(item->fixture, item->number, text),
                                  .meta = span_of(&item->version, sizeof item->version),
                                  .body = pieces,
                                  .body_count = 2,
                                  .created = item->fixture->now,
                                  .expires = wall_add(item->fixture->now, HOUR * NSEC_PER_SEC) };
    fill_bytes(body, item->size, item->number * 1000003 + item->version);
    enum err err = writer_append(writer, &parts);
    memset(body, 'x', item->size);
    memset(text, 'x', sizeof text);
    free(body);
    return err;
}

static void
run_item(struct store_job *job, struct store_writer *writer)
{
    struct item *item = CONTAINER_OF(job, struct item, job);

    item->err = ERR_NONE;
    if (item->work != NULL)
        item->work(writer, item);
    else
        item->err = append_item(writer, item);
}

static void
item_done(struct store_job *job, enum err err)
{
    struct item *item = CONTAINER_OF(job, struct item, job);

    item->done_err = err;
    item->done++;
    go.dones++;
}

static void
hold(struct store_job *job, struct store_writer *writer)
{
    (void)job, (void)writer;
    while (sem_wait(&go.gate) != 0) {}
}

static void
tell(struct store_job *job, struct store_writer *writer)
{
    (void)job, (void)writer;
    sem_post(&go.over);
}

static void
submit(struct fixture *fixture, struct store_job *job)
{
    cr_assert_eq(store_submit(fixture->store, (struct digest){ 0, 0 }, job), ERR_NONE);
}

static struct item *
add(struct fixture *fixture, uint64_t number, uint64_t version, size_t size, fixture_work *work)
{
    struct item *item = &go.items[go.count++];

    cr_assert_leq(go.count, ITEMS_MAX);
    *item = (struct item){ .job = { .cost = 1, .run = run_item, .done = item_done },
                           .fixture = fixture,
                           .number = number,
                           .version = version,
                           .size = size,
                           .work = work };
    return item;
}

/* Each once. */
static void
expect_all_done(void)
{
    unsigned wanted = 0;

    for (unsigned i = 0; i < go.count; i++) {
        unsigned times = go.items[i].job.done != NULL;
        cr_assert_eq(go.items[i].done, times, "item %u was done %u times", i, go.items[i].done);
        wanted += times;
    }
    cr_assert_eq(go.dones, wanted);
    go.count = go.dones = 0;
}

/* Runs all that was added, in that order. */
static void
run_all(struct fixture *fixture)
{
    struct store_job gate = { .cost = 1, .run = hold }, last = { .cost = 1, .run = tell };

    sem_init(&go.gate, 0, 0);
    sem_init(&go.over, 0, 0);
    submit(fixture, &gate);
    for (unsigned i = 0; i < go.count; i++)
        submit(fixture, &go.items[i].job);
    submit(fixture, &last);
    sem_post(&go.gate);
    while (sem_wait(&go.over) != 0) {}
    expect_all_done();
}

static void
expect_version(struct fixture *fixture, uint64_t number, uint64_t version)
{
    uint64_t is;
    cr_assert(fixture_has(fixture, number, &is), "%llu", (unsigned long long)number);
    cr_assert_eq(is, version);
}

/* ── tests ── */

Test(storage_stage, many_records_are_a_few_writes)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, &counted);

    for (uint64_t i = 0; i < 200; i++)
        add(&fixture, i, i, 500 + i, NULL);
    unsigned before = atomic_load(&writes);
    run_all(&fixture);
    cr_assert_leq(atomic_load(&writes) - before, 6); /* 150 kB in pieces of 64, and the segment's header */
    for (uint64_t i = 0; i < 200; i++)
        expect_version(&fixture, i, i);
    cr_assert_eq(fixture_metric(&fixture, "appends"), 200);
    cr_assert_eq(fixture_census(&fixture, 300), 200);
    fixture_close(&fixture);
}

/* By readers it may not be; the same thread looks for both here. */
static void
look_for_first(struct store_writer *writer, void *argument)
{
    struct item     *item = argument;
    char             text[KEY_TEXT];
    struct store_key key = fixture_key(item->fixture, 0, text);
    struct record    record;

    cr_assert_eq(go.items[0].done, 0);
    cr_assert_not(fixture_has(item->fixture, 0, NULL));
    cr_assert(writer_find(writer, &key, &record));
    cr_assert_eq(check_record(&record, 0), 7);
    cr_assert_eq(go.items[0].done, 1);
    cr_assert(fixture_has(item->fixture, 0, NULL));
}

Test(storage_stage, jobs_find_what_readers_do_not_find_yet)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);

    add(&fixture, 0, 7, 1000, NULL);
    add(&fixture, 1, 7, 1000, NULL);
    add(&fixture, 0, 0, 0, look_for_first);
    run_all(&fixture);
    expect_version(&fixture, 1, 7);
    fixture_close(&fixture);
}

Test(storage_stage, the_newest_of_a_key_stays)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);

    for (uint64_t version = 0; version < 10; version++)
        for (uint64_t i = 0; i < 5; i++)
            add(&fixture, i, version, 100 * version, NULL);
    run_all(&fixture);
    for (uint64_t i = 0; i < 5; i++)
        expect_version(&fixture, i, 9);
    cr_assert_eq(fixture_census(&fixture, 10), 5);
    cr_assert_eq(fixture_metric(&fixture, "removed"), 45);
    fixture_close(&fixture);
}

static void
remove_its_key(struct store_writer *writer, void *argument)
{
    struct item     *item = argument;
    char             text[KEY_TEXT];
    struct store_key key = fixture_key(item->fixture, item->number, text);
    cr_assert(writer_remove(writer, &key));
}

static void
remove_all(struct store_writer *writer, void *argument)
{
    (void)argument;
    cr_assert_eq(writer_remove_all(writer), 4);
}

Test(storage_stage, what_is_removed_does_not_come_with_the_next_write)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);

    for (uint64_t i = 0; i < 5; i++)
        add(&fixture, i, 0, 1000, NULL);
    add(&fixture, 3, 0, 0, remove_its_key);
    run_all(&fixture);
    for (uint64_t i = 0; i < 5; i++)
        cr_assert_eq(fixture_has(&fixture, i, NULL), i != 3);
    add(&fixture, 0, 1, 1000, NULL);
    add(&fixture, 0, 0, 0, remove_all);
    run_all(&fixture);
    cr_assert_eq(fixture_census(&fixture, 10), 0);
    fixture_close(&fixture);
}

/* More jobs than a stage has room for, of which most leave nothing there. */
static void
do_nothing(struct store_writer *writer, void *argument)
{
    (void)writer, (void)argument;
}

Test(storage_stage, who_leaves_nothing_waits_for_nobody)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, &counted);

    for (uint64_t i = 0; i < 3; i++) {
        add(&fixture, i, 0, 1000, NULL);
        for (int more = 0; more < 5 * STAGE_RECORDS; more++)
            add(&fixture, 0, 0, 0, do_nothing);
    }
    unsigned before = atomic_load(&writes);
    run_all(&fixture);
    cr_assert_leq(atomic_load(&writes) - before, 2);
    cr_assert_eq(fixture_census(&fixture, 10), 3);
    fixture_close(&fixture);
}

struct verifying {
    struct inspect_cursor cursor;
    struct looked         looked;
};

static void
verify(struct store_writer *writer, void *argument)
{
    struct verifying *verifying = argument;
    cr_assert_eq(inspect_verify(writer, &verifying->cursor, &verifying->looked.verified, look_note_damage,
                                &verifying->looked),
                 ERR_NONE);
}

/* No segment tells of what was not written. */
static void
expect_nothing_damaged(struct fixture *fixture)
{
    struct verifying verifying = { .looked = { .damaged = 0 } };

    while (verifying.cursor.shard == 0)
        fixture_run(fixture, (struct digest){ 0, 0 }, verify, &verifying);
    cr_assert_eq(verifying.looked.damaged, 0, "%s", verifying.looked.last.what);
}

Test(storage_stage, a_failed_write_loses_what_it_was_for_and_what_that_replaced)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, &counted);

    for (uint64_t i = 0; i < 20; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 1000), ERR_NONE);
    for (uint64_t i = 10; i < 30; i++)
        add(&fixture, i, 1, 1000, NULL);
    atomic_store(&failing, 1);
    run_all(&fixture);
    for (unsigned i = 0; i < 20; i++) {
        cr_assert_eq(go.items[i].err, ERR_NONE);
        cr_assert_eq(go.items[i].done_err, ERR_IO);
    }
    for (uint64_t i = 0; i < 30; i++)
        cr_assert_eq(fixture_has(&fixture, i, NULL), i < 10);
    cr_assert_eq(fixture_metric(&fixture, "write_errors"), 1);
    cr_assert_eq(fixture_metric(&fixture, "append_failed"), 20);
    expect_nothing_damaged(&fixture);
    for (uint64_t i = 10; i < 30; i++)
        add(&fixture, i, 2, 1000, NULL);
    run_all(&fixture);
    cr_assert_eq(go.items[0].done_err, ERR_NONE);
    cr_assert_eq(fixture_census(&fixture, 40), 30);
    fixture_close(&fixture);
}

/* A job that is told of the record that was lost while it ran, though what it appended last was written. */
static void
append_look_append(struct store_writer *writer, void *argument)
{
    struct item     *item = argument;
    struct item      second = *item;
    char             text[KEY_TEXT];
    struct store_key key = fixture_key(item->fixture, item->number, text);
    struct record    record;

    cr_assert_eq(append_item(writer, item), ERR_NONE);
    atomic_store(&failing, 1);
    cr_assert_not(writer_find(writer, &key, &record));
    second.number++;
    cr_assert_eq(append_item(writer, &second), ERR_NONE);
}

Test(storage_stage, a_job_hears_of_what_it_lost_on_the_way)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, &counted);

    struct item *item = add(&fixture, 1, 0, 1000, append_look_append);
    run_all(&fixture);
    cr_assert_eq(item->done_err, ERR_IO);
    cr_assert_not(fixture_has(&fixture, 1, NULL));
    cr_assert(fixture_has(&fixture, 2, NULL));
    cr_assert_eq(fixture_census(&fixture, 10), 1);
    fixture_close(&fixture);
}

/* ── two shards of one thread ── */

static struct {
    struct fixture  *fixture;
    struct store_job job;
    struct digest    digest;
    unsigned         turns;
} busy;

static void
come_again(struct store_job *job, struct store_writer *writer)
{
    (void)writer;
    if (go.items[0].done > 0 || ++busy.turns > 10000)
        sem_post(&go.over);
    else
        cr_assert_eq(store_submit(busy.fixture->store, busy.digest, job), ERR_NONE);
}

Test(storage_stage, a_busy_shard_does_not_hold_up_its_neighbour)
{
    struct fixture fixture = fixture_open(256 * MIB, 4, NULL, NULL);
    char           text[KEY_TEXT];
    uint64_t       number = 0;

    cr_assert_eq(store_metrics_count(fixture.store), 4);
    while ((fixture_key(&fixture, number, text).digest.high >> 56 & 3) != 0)
        number++;
    busy.fixture = &fixture;
    busy.job = (struct store_job){ .cost = 1, .run = come_again };
    busy.digest = (struct digest){ UINT64_C(1) << 56, 0 };
    sem_init(&go.over, 0, 0);
    struct item *item = add(&fixture, number, 0, 1000, NULL); /* before the job that looks at it */
    cr_assert_eq(store_submit(fixture.store, busy.digest, &busy.job), ERR_NONE);
    submit(&fixture, &item->job);
    while (sem_wait(&go.over) != 0) {}
    cr_assert_leq(busy.turns, 10000);
    cr_assert(fixture_has(&fixture, number, NULL));
    fixture_close(&fixture);
}

/* ── files ── */

TestSuite(storage_stage_files, .init = crash_make_root, .fini = crash_remove_root);

Test(storage_stage_files, what_is_queued_when_it_closes_is_there_again)
{
    struct fixture fixture = crash_open();

    for (uint64_t i = 0; i < 300; i++)
        submit(&fixture, &add(&fixture, i, i, 900, NULL)->job);
    fixture_close(&fixture);
    expect_all_done();
    fixture = crash_open();
    for (uint64_t i = 0; i < 300; i++)
        expect_version(&fixture, i, i);
    fixture_close(&fixture);
}

/* A short record waits, a long one has come behind it: what readers have seen of that is there after a kill. */
static void
look_and_die(struct store_writer *writer, void *argument)
{
    struct item *item = argument;
    (void)writer;
    expect_version(item->fixture, 5, 2);
    kill(getpid(), SIGKILL);
}

static void
be_killed(struct fixture *fixture)
{
    cr_assert_eq(fixture_append(fixture, 5, 1, 20000), ERR_NONE);
    add(fixture, 1, 0, 1000, NULL);
    add(fixture, 5, 2, 20000, NULL);
    add(fixture, 0, 0, 0, look_and_die);
    run_all(fixture);
}

Test(storage_stage_files, nothing_lies_behind_a_hole)
{
    crash_run_as(8 * MIB, &eviction_fifo, be_killed);
    struct fixture fixture = crash_open_as(8 * MIB, &eviction_fifo, NULL);
    expect_version(&fixture, 5, 2);
    fixture_close(&fixture);
}

/* ── all at once ── */

enum { NUMBERS = 3000 };

/* What is found is the newest that was written; what was lost is not found, nor what it would have replaced. */
static void
hold_against(struct fixture *fixture, const uint64_t *newest)
{
    for (uint64_t i = 0; i < NUMBERS; i++) {
        uint64_t is;
        if (fixture_has(fixture, i, &is))
            cr_assert_eq(is, newest[i], "%llu", (unsigned long long)i);
    }
}

/* Long records go by themselves, short ones together; some jobs do not wait; segments are sealed and cleaned while some do;
 * writes fail. */
static void
churn(const struct eviction *eviction, unsigned rounds, unsigned failures)
{
    static uint64_t newest[NUMBERS]; /* version; 0: none */
    struct fixture  fixture = fixture_open(8 * MIB, 1, eviction, &counted);
    uint64_t        random = 5 + failures, version = 0;

    for (unsigned round = 0; round < rounds; round++) {
        unsigned count = 1 + (unsigned)(next_random(&random) % 200);
        for (unsigned i = 0; i < count; i++) {
            uint64_t     kind = next_random(&random) % 20;
            size_t       size = next_random(&random) % (kind == 0 ? 100000 : kind < 6 ? 20000 : 2000);
            struct item *item = add(&fixture, next_random(&random) % NUMBERS, ++version, size, NULL);
            if (next_random(&random) % 40 == 0)
                item->job.done = NULL;
        }
        atomic_store(&failing, (unsigned)(next_random(&random) % (failures + 1)));
        run_all(&fixture);
        atomic_store(&failing, 0);
        for (unsigned i = 0; i < count; i++) {
            const struct item *item = &go.items[i];
            newest[item->number] = item->err == ERR_NONE && item->done_err == ERR_NONE ? item->version : 0;
        }
        if (round % 20 == 0)
            hold_against(&fixture, newest);
    }
    hold_against(&fixture, newest);
    uint64_t here = fixture_census(&fixture, NUMBERS);
    cr_assert_gt(here, 300);
    cr_assert_gt(fixture_metric(&fixture, "evicted"), 100);
    fixture_close(&fixture);
}

Test(storage_stage, churn)
{
    churn(NULL, 200, 0);
}

Test(storage_stage, churn_by_lru_on_a_failing_disk)
{
    churn(&eviction_lru, 200, 3);
    cr_assert_gt(atomic_load(&writes), 200);
}
