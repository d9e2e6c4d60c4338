/* test_store.c: records come and go: find, append, replace, remove, collide, expire; jobs queue and are
 * refused.
 */
#include "fixture.h"

#include "record.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>

/* ── records ── */

Test(storage_store, what_was_appended_is_found)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);

    cr_assert_not(fixture_has(&fixture, 1, NULL));
    for (uint64_t i = 0; i < 100; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, i * 37), ERR_NONE);
    for (uint64_t i = 0; i < 100; i++)
        cr_assert(fixture_has(&fixture, i, NULL));
    cr_assert_not(fixture_has(&fixture, 100, NULL));
    cr_assert_eq(fixture_census(&fixture, 200), 100);
    cr_assert_eq(fixture_metric(&fixture, "appends"), 100);
    cr_assert_eq(fixture_metric(&fixture, "append_bytes"), fixture_metric(&fixture, "bytes_live"));
    cr_assert_eq(fixture_metric(&fixture, "removed"), 0);
    cr_assert_eq(fixture_metric(&fixture, "bytes_size"), 8 * MIB);
    cr_assert_eq(fixture_metric(&fixture, "segments"), 32);
    fixture_close(&fixture);
}

Test(storage_store, the_newest_of_a_key_is_found)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    uint64_t       version;

    for (uint64_t i = 0; i < 10; i++)
        cr_assert_eq(fixture_append(&fixture, 5, i, 100 + i), ERR_NONE);
    cr_assert(fixture_has(&fixture, 5, &version));
    cr_assert_eq(version, 9);
    cr_assert_eq(fixture_metric(&fixture, "removed"), 9);
    cr_assert_eq(fixture_census(&fixture, 10), 1);
    fixture_close(&fixture);
}

Test(storage_store, what_was_removed_is_gone_and_can_come_back)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);

    cr_assert_not(fixture_remove(&fixture, 3));
    cr_assert_eq(fixture_append(&fixture, 3, 0, 50), ERR_NONE);
    cr_assert(fixture_remove(&fixture, 3));
    cr_assert_not(fixture_has(&fixture, 3, NULL));
    cr_assert_not(fixture_remove(&fixture, 3));
    cr_assert_eq(fixture_metric(&fixture, "removed"), 1);
    cr_assert_eq(fixture_append(&fixture, 3, 1, 50), ERR_NONE);
    cr_assert(fixture_has(&fixture, 3, NULL));
    cr_assert_eq(fixture_census(&fixture, 10), 1);
    fixture_close(&fixture);
}

Test(storage_store, empty_and_largest_records)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    char           text[KEY_TEXT];
    size_t         key_len = fixture_key(&fixture, 1, text).text.len;
    size_t         largest = store_record_max(fixture.store) - key_len - sizeof(uint64_t);
    uint64_t       version;

    cr_assert_eq(fixture_append(&fixture, 0, 0, 0), ERR_NONE);
    cr_assert(fixture_has(&fixture, 0, NULL));
    cr_assert_eq(fixture_append(&fixture, 1, 7, largest), ERR_NONE);
    cr_assert(fixture_has(&fixture, 1, &version));
    cr_assert_eq(version, 7);
    /* One byte more: refused, and the older one is gone as well. */
    cr_assert_eq(fixture_append(&fixture, 1, 8, largest + 1), ERR_FULL);
    cr_assert_not(fixture_has(&fixture, 1, NULL));
    cr_assert_eq(fixture_metric(&fixture, "append_failed"), 1);
    cr_assert_eq(fixture_census(&fixture, 10), 1);
    fixture_close(&fixture);
}

/* More pieces than one call of pwritev takes, an empty one among them. */
Test(storage_store, many_small_pieces_make_one_body)
{
    enum { PIECES = 1000, EACH = 3 };
    struct fixture      fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    static char         body[PIECES * EACH];
    struct iovec        pieces[PIECES + 1];
    char                text[KEY_TEXT];
    struct lease        lease;
    struct record_parts parts = { .key = fixture_key(&fixture, 1, text),
                                  .body = pieces,
                                  .body_count = PIECES + 1,
                                  .created = fixture.now,
                                  .expires = wall_add(fixture.now, 100 * NSEC_PER_SEC) };

    fill_bytes(body, sizeof body, 4711);
    for (int i = 0; i < PIECES; i++)
        pieces[i < 500 ? i : i + 1] = (struct iovec){ body + EACH * i, EACH };
    pieces[500] = (struct iovec){ NULL, 0 };
    cr_assert_eq(fixture_append_parts(&fixture, &parts), ERR_NONE);
    cr_assert(store_find(fixture.store, 0, &parts.key, fixture.now, &lease));
    cr_assert_eq(lease.record.meta.len, 0);
    cr_assert_eq(lease.record.body.len, sizeof body);
    cr_assert(bytes_are(lease.record.body, 4711));
    cr_assert(record_body_intact(&lease.record));
    lease_release(&lease);
    lease_release(&lease); /* idempotent */
    fixture_close(&fixture);
}

/* ── collisions ── */

static enum err
append_as(struct fixture *fixture, struct digest digest, struct span text, struct span meta)
{
    struct record_parts parts = { .key = { digest, text },
                                  .meta = meta,
                                  .created = fixture->now,
                                  .expires = wall_add(fixture->now, 100 * NSEC_PER_SEC) };
    return fixture_append_parts(fixture, &parts);
}

static bool
finds(struct fixture *fixture, struct digest digest, struct span text)
{
    struct store_key key = { digest, text };
    struct lease     lease;
    bool             found = store_find(fixture->store, 0, &key, fixture->now, &lease);
    lease_release(&lease);
    return found;
}

Test(storage_store, same_digest_and_other_text_is_a_miss)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    struct digest  digest = { 11, 22 };

    cr_assert_eq(append_as(&fixture, digest, SPAN("one"), SPAN("1")), ERR_NONE);
    cr_assert(finds(&fixture, digest, SPAN("one")));
    cr_assert_not(finds(&fixture, digest, SPAN("two")));
    cr_assert_not(finds(&fixture, digest, SPAN("on")));
    cr_assert_not(finds(&fixture, digest, SPAN("")));

    cr_assert_eq(append_as(&fixture, digest, SPAN("two"), SPAN("2")), ERR_NONE);
    cr_assert(finds(&fixture, digest, SPAN("two")));
    cr_assert_not(finds(&fixture, digest, SPAN("one")));
    cr_assert_eq(fixture_metric(&fixture, "objects"), 1);
    cr_assert_eq(fixture_metric(&fixture, "removed"), 1);
    fixture_close(&fixture);
}

/* The index takes its bits from digest.low: these two are one hash to it, and only the records tell them
 * apart. */
Test(storage_store, same_tag_and_other_digest_live_side_by_side)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);

    for (uint64_t i = 0; i < 10; i++)
        cr_assert_eq(append_as(&fixture, (struct digest){ i, 99 }, span_of_text(&"abcdefghij"[i]), SPAN("")),
                     ERR_NONE);
    for (uint64_t i = 0; i < 10; i++)
        cr_assert(finds(&fixture, (struct digest){ i, 99 }, span_of_text(&"abcdefghij"[i])));
    /* An eleventh has no slot: one of them is dropped, and counted. */
    cr_assert_eq(append_as(&fixture, (struct digest){ 10, 99 }, SPAN("x"), SPAN("")), ERR_NONE);
    cr_assert(finds(&fixture, (struct digest){ 10, 99 }, SPAN("x")));
    cr_assert_eq(fixture_metric(&fixture, "objects"), 10);
    cr_assert_eq(fixture_metric(&fixture, "evicted"), 1);
    cr_assert_eq(fixture_metric(&fixture, "bytes_live"), 9 * 128 + 128);
    fixture_close(&fixture);
}

/* ── jobs look, and remove ── */

struct look {
    struct fixture *fixture;
    int             checked;
};

static void
look_around(struct store_writer *writer, void *argument)
{
    struct look     *look = argument;
    char             text[KEY_TEXT];
    struct record    record;
    struct store_key key = fixture_key(look->fixture, 1, text);
    struct store_key digest_alone = { key.digest, SPAN_EMPTY };
    struct store_key other = { key.digest, SPAN("something else") };

    cr_assert(writer_find(writer, &key, &record));
    cr_assert_eq(check_record(&record, 1), 3);
    cr_assert(writer_find(writer, &digest_alone, &record));
    cr_assert(span_equal(record.key, key.text));
    cr_assert_not(writer_find(writer, &other, &record));
    cr_assert_not(writer_remove(writer, &other));
    cr_assert(writer_remove(writer, &digest_alone));
    cr_assert_not(writer_find(writer, &key, &record));
    look->checked++;
}

Test(storage_store, a_job_finds_by_digest_alone_and_also_what_expired)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    struct look    look = { .fixture = &fixture };
    char           text[KEY_TEXT];

    fixture.lifetime = 0;
    cr_assert_eq(fixture_append(&fixture, 1, 3, 500), ERR_NONE);
    cr_assert_not(fixture_has(&fixture, 1, NULL));
    fixture_run(&fixture, fixture_key(&fixture, 1, text).digest, look_around, &look);
    cr_assert_eq(look.checked, 1);
    cr_assert_eq(fixture_census(&fixture, 10), 0);
    fixture_close(&fixture);
}

/* What a job found is its to read until it returns, whatever it appends meanwhile: also as the body of a
 * new record. */
static void
churn_beside_a_record(struct store_writer *writer, void *argument)
{
    struct look     *look = argument;
    char             text[KEY_TEXT];
    struct record    record;
    struct store_key key = fixture_key(look->fixture, 1, text);

    cr_assert(writer_find(writer, &key, &record));
    for (uint64_t i = 0; i < 100; i++) {
        char                other[KEY_TEXT];
        struct iovec        body = { (char *)(uintptr_t)record.body.at, record.body.len };
        struct record_parts parts = { .key = fixture_key(look->fixture, 1000 + i, other),
                                      .body = &body,
                                      .body_count = 1,
                                      .created = look->fixture->now,
                                      .expires = wall_add(look->fixture->now, 100 * NSEC_PER_SEC) };
        cr_assert_eq(writer_append(writer, &parts), ERR_NONE);
        check_record(&record, 1);
        look->checked++;
    }
    cr_assert_not(writer_find(writer, &key, &record)); /* 100 × 100 KiB went over it */
}

Test(storage_store, what_a_job_found_stays_until_it_returns)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, &eviction_fifo, NULL);
    struct look    look = { .fixture = &fixture };
    char           text[KEY_TEXT];

    cr_assert_eq(fixture_append(&fixture, 1, 3, 100 * 1024), ERR_NONE);
    fixture_run(&fixture, fixture_key(&fixture, 1, text).digest, churn_beside_a_record, &look);
    cr_assert_eq(look.checked, 100);
    cr_assert_eq(fixture_append(&fixture, 2, 0, 100), ERR_NONE); /* by now the segment is nobody's */
    fixture_close(&fixture);
}

/* ── time ── */

Test(storage_store, found_until_the_second_it_expires)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    wall_time      begin = fixture.now = wall_from_seconds(wall_seconds(fixture.now));

    for (int64_t lifetime = 0; lifetime < 40; lifetime++) {
        fixture.lifetime = lifetime;
        cr_assert_eq(fixture_append(&fixture, (uint64_t)lifetime, 0, 10), ERR_NONE);
    }
    for (int64_t second = 0; second < 41; second++) {
        for (int64_t lifetime = 0; lifetime < 40; lifetime++) {
            fixture.now = wall_add(begin, second * NSEC_PER_SEC);
            cr_assert_eq(fixture_has(&fixture, (uint64_t)lifetime, NULL), second < lifetime);
        }
    }
    fixture_close(&fixture);
}

/* The index counts from when the store was opened, in 22 bits of 8 seconds; the record itself knows
 * better. */
Test(storage_store, any_time_is_served)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    int64_t        begins[] = { 1000, 1900000000, 3000000000, 9000000000 };

    for (uint64_t i = 0; i < 4; i++) {
        fixture.now = wall_from_seconds(begins[i]);
        fixture.lifetime = i % 2 == 0 ? 100 : 2 * 365 * 24 * HOUR;
        cr_assert_eq(fixture_append(&fixture, i, 0, 10), ERR_NONE);
        cr_assert(fixture_has(&fixture, i, NULL));
        fixture.now = wall_from_seconds(begins[i] + fixture.lifetime - 1);
        cr_assert(fixture_has(&fixture, i, NULL));
        fixture.now = wall_from_seconds(begins[i] + fixture.lifetime);
        cr_assert_not(fixture_has(&fixture, i, NULL));
    }
    fixture_close(&fixture);
}

/* ── the queue ── */

/* A job that holds the store thread until the test lets it go. */
struct gate {
    struct store_job job;
    sem_t            entered, leave;
};

static void
wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0) {}
}

static void
stand_in_the_gate(struct store_job *job, struct store_writer *writer)
{
    struct gate *gate = (struct gate *)(void *)job;
    (void)writer;
    sem_post(&gate->entered);
    wait_for(&gate->leave);
}

static void
gate_close(struct fixture *fixture, struct gate *gate)
{
    *gate = (struct gate){ .job = { .cost = 1, .run = stand_in_the_gate } };
    sem_init(&gate->entered, 0, 0);
    sem_init(&gate->leave, 0, 0);
    cr_assert_eq(store_submit(fixture->store, (struct digest){ 0, 0 }, &gate->job), ERR_NONE);
    wait_for(&gate->entered);
}

struct numbered {
    struct store_job job;
    int              number;
    int             *seen, *order;
};

static void
note_number(struct store_job *job, struct store_writer *writer)
{
    struct numbered *numbered = (struct numbered *)(void *)job;
    (void)writer;
    numbered->order[(*numbered->seen)++] = numbered->number;
}

Test(storage_store, too_many_bytes_waiting_are_refused)
{
    struct fixture  fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    struct gate     gate;
    int             seen = 0, order[4];
    struct numbered jobs[4];

    for (int i = 0; i < 4; i++)
        jobs[i] = (struct numbered){ { .cost = 15 * MIB, .run = note_number }, i, &seen, order };
    gate_close(&fixture, &gate);
    cr_assert_eq(store_submit(fixture.store, (struct digest){ 0, 0 }, &jobs[0].job), ERR_NONE);
    cr_assert_eq(store_submit(fixture.store, (struct digest){ 0, 0 }, &jobs[1].job), ERR_NONE);
    cr_assert_eq(store_submit(fixture.store, (struct digest){ 0, 0 }, &jobs[2].job), ERR_FULL);
    cr_assert_eq(fixture_metric(&fixture, "rejected"), 1);
    sem_post(&gate.leave);
    fixture_census(&fixture, 0); /* a job behind them: they have run */
    cr_assert_eq(seen, 2);
    cr_assert_eq(store_submit(fixture.store, (struct digest){ 0, 0 }, &jobs[3].job), ERR_NONE);
    fixture_census(&fixture, 0);
    cr_assert_eq(seen, 3);
    cr_assert_eq(order[2], 3);
    fixture_close(&fixture);
}

/* A job larger than the bound is taken when nothing waits: else it never could be. */
Test(storage_store, one_job_of_any_size_is_taken)
{
    struct fixture  fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    int             seen = 0, order[1];
    struct numbered job = { { .cost = 500 * MIB, .run = note_number }, 1, &seen, order };

    cr_assert_eq(store_submit(fixture.store, (struct digest){ 0, 0 }, &job.job), ERR_NONE);
    store_close(&fixture.store);
    cr_assert_eq(seen, 1);
}

Test(storage_store, closing_runs_what_is_queued_in_order)
{
    enum { JOBS = 50 };
    struct fixture  fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    struct gate     gate;
    int             seen = 0, order[JOBS];
    struct numbered jobs[JOBS];

    gate_close(&fixture, &gate);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct numbered){ { .cost = 1, .run = note_number }, i, &seen, order };
        cr_assert_eq(store_submit(fixture.store, (struct digest){ 0, 0 }, &jobs[i].job), ERR_NONE);
    }
    sem_post(&gate.leave);
    store_close(&fixture.store);
    cr_assert_eq(seen, JOBS);
    for (int i = 0; i < JOBS; i++)
        cr_assert_eq(order[i], i);
    store_close(&fixture.store); /* nothing is there any more */
}

struct stubborn {
    struct store_job job;
    struct store    *store;
    enum err         last;
    int              seen, order[1];
};

/* Submits until it is told that the store is closing; each refused or taken job is its own again. */
static void
submit_until_stopping(struct store_job *job, struct store_writer *writer)
{
    struct stubborn *stubborn = (struct stubborn *)(void *)job;
    struct numbered  probe = {
         { .cost = 500 * MIB, .run = note_number }, 1, &stubborn->seen, stubborn->order
    };

    (void)writer;
    do {
        stubborn->last = store_submit(stubborn->store, (struct digest){ 0, 0 }, &probe.job);
        sched_yield();
    } while (stubborn->last == ERR_FULL);
}

Test(storage_store, a_closing_store_takes_no_jobs)
{
    struct fixture  fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    struct stubborn stubborn = { .job = { .cost = 1, .run = submit_until_stopping }, .store = fixture.store };

    cr_assert_eq(store_submit(fixture.store, (struct digest){ 0, 0 }, &stubborn.job), ERR_NONE);
    store_close(&fixture.store);
    cr_assert_eq(stubborn.last, ERR_STOPPING);
    cr_assert_eq(stubborn.seen, 0);
}

/* ── many shards, many threads ── */

Test(storage_store, shards_share_the_keys)
{
    struct fixture fixture = fixture_open(256 * (uint64_t)MIB, 4, NULL, NULL);

    cr_assert_eq(store_metrics_count(fixture.store), 4);
    for (uint64_t i = 0; i < 400; i++)
        cr_assert_eq(fixture_append(&fixture, i, 1, 100), ERR_NONE);
    for (uint64_t i = 0; i < 400; i++)
        cr_assert(fixture_has(&fixture, i, NULL));
    cr_assert_eq(fixture_metric(&fixture, "objects"), 400);
    for (unsigned i = 0; i < 4; i++)
        cr_assert_gt(metric_read(&store_metrics_of(fixture.store, i)->objects), 50);
    fixture_close(&fixture);
}

enum { SUBMITTERS = 3, EACH = 300 };

struct submitter {
    struct fixture *fixture;
    pthread_t       thread;
    uint64_t        from;
};

static void *
submit_many(void *argument)
{
    struct submitter *submitter = argument;
    for (uint64_t i = 0; i < EACH; i++)
        cr_assert_eq(fixture_append(submitter->fixture, submitter->from + i, 1, 64), ERR_NONE);
    return NULL;
}

Test(storage_store, jobs_from_many_threads)
{
    struct fixture   fixture = fixture_open(256 * (uint64_t)MIB, 4, NULL, NULL);
    struct submitter submitters[SUBMITTERS];

    for (uint64_t i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (struct submitter){ .fixture = &fixture, .from = i * EACH };
        cr_assert_eq(pthread_create(&submitters[i].thread, NULL, submit_many, &submitters[i]), 0);
    }
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(submitters[i].thread, NULL);
    for (uint64_t i = 0; i < SUBMITTERS * EACH; i++)
        cr_assert(fixture_has(&fixture, i, NULL));
    fixture_close(&fixture);
}

/* The memory of the index grows with the records, by what index.h promises. */
Test(storage_store, the_memory_of_the_index_is_told)
{
    enum { RECORDS = 20000 };
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, NULL);
    uint64_t       before = fixture_metric(&fixture, "bytes_index");

    cr_assert_gt(before, 0);
    for (uint64_t i = 0; i < RECORDS; i++)
        cr_assert_eq(fixture_append(&fixture, i, 1, 10), ERR_NONE);
    double each = (double)(fixture_metric(&fixture, "bytes_index") - before) / RECORDS;
    cr_assert(each > 15 && each < 21, "%.1f bytes", each);
    fixture_close(&fixture);
}
