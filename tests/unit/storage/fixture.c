/* fixture.c: see fixture.h.
 */
#include "fixture.h"

#include "record.h"

#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

struct fixture
fixture_open(uint64_t size, unsigned readers, const struct eviction *eviction, const struct disk_calls *calls)
{
    struct store_config config = {
        .size = size, .readers = readers, .eviction = eviction, .alpha = EVICTION_ALPHA
    };
    struct fixture fixture = { .now = clock_wall(), .lifetime = HOUR };
    struct fault   fault;

    enum err err = store_open_with(&fixture.store, &config, calls != NULL ? calls : &disk_calls_real, &fault);
    cr_assert_eq(err, ERR_NONE, "%s", fault.text);
    return fixture;
}

void
fixture_close(struct fixture *fixture)
{
    store_close(&fixture->store);
    cr_assert_null(fixture->store);
}

/* ── jobs ── */

struct task {
    struct store_job job;
    fixture_work    *work;
    void            *argument;
    sem_t            done;
};

static void
run_task(struct store_job *job, struct store_writer *writer)
{
    struct task *task = (struct task *)(void *)job;
    task->work(writer, task->argument);
    sem_post(&task->done);
}

void
fixture_run(struct fixture *fixture, struct digest digest, fixture_work *work, void *argument)
{
    struct task task = { .job = { .cost = 1, .run = run_task }, .work = work, .argument = argument };

    sem_init(&task.done, 0, 0);
    cr_assert_eq(store_submit(fixture->store, digest, &task.job), ERR_NONE);
    while (sem_wait(&task.done) != 0) {}
    sem_destroy(&task.done);
}

static void
do_nothing(struct store_writer *writer, void *argument)
{
    (void)writer, (void)argument;
}

/* A job runs when its shard is recovered; the one behind it, when readers may look too. */
void
fixture_wait_ready(struct fixture *fixture)
{
    for (int job = 0; job < 2; job++)
        for (uint64_t i = 0; i < store_metrics_count(fixture->store); i++)
            fixture_run(fixture, (struct digest){ i << 56, 0 }, do_nothing, NULL);
}

/* A store thread looks at the clock between two jobs; but where it was about to sleep it runs one more
 * before. */
void
fixture_settle(struct fixture *fixture)
{
    for (int i = 0; i < 3; i++)
        fixture_wait_ready(fixture);
}

/* ── bytes ── */

uint64_t
next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void
fill_bytes(char *at, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = next_random(&seed);
        memcpy(at + i, &word, len - i < 8 ? len - i : 8);
    }
}

bool
bytes_are(struct span bytes, uint64_t seed)
{
    for (size_t i = 0; i < bytes.len; i += 8) {
        uint64_t word = next_random(&seed);
        if (memcmp(bytes.at + i, &word, bytes.len - i < 8 ? bytes.len - i : 8) != 0)
            return false;
    }
    return true;
}

static uint64_t
seed_of(uint64_t number, uint64_t version)
{
    return number * 1000003 + version;
}

/* ── records ── */

struct store_key
fixture_key(struct fixture *fixture, uint64_t number, char text[static KEY_TEXT])
{
    int         len = snprintf(text, KEY_TEXT, "http://test.example/%llu", (unsigned long long)number);
    struct span span = span_of(text, (size_t)len);
    return (struct store_key){ hash_digest(store_seed(fixture->store), span), span };
}

struct appending {
    const struct record_parts *parts;
    enum err                   err;
};

static void
append(struct store_writer *writer, void *argument)
{
    struct appending *appending = argument;
    appending->err = writer_append(writer, appending->parts);
}

enum err
fixture_append_parts(struct fixture *fixture, const struct record_parts *parts)
{
    struct appending appending = { .parts = parts };
    fixture_run(fixture, parts->key.digest, append, &appending);
    return appending.err;
}

enum err
fixture_append(struct fixture *fixture, uint64_t number, uint64_t version, size_t size)
{
    char                text[KEY_TEXT];
    char               *body = malloc(size + 1);
    struct iovec        pieces[2] = { { body, size / 3 }, { body + size / 3, size - size / 3 } };
    struct record_parts parts = { .key = fixture_key(fixture, number, text),
                                  .meta = span_of(&version, sizeof version),
                                  .body = pieces,
                                  .body_count = size == 0 ? 0 : 2,
                                  .created = fixture->now,
                                  .expires = wall_add(fixture->now, fixture->lifetime * NSEC_PER_SEC) };
    fill_bytes(body, size, seed_of(number, version));
    enum err err = fixture_append_parts(fixture, &parts);
    free(body);
    return err;
}

struct removing {
    struct store_key key;
    bool             removed;
};

static void
remove_key(struct store_writer *writer, void *argument)
{
    struct removing *removing = argument;
    removing->removed = writer_remove(writer, &removing->key);
}

bool
fixture_remove(struct fixture *fixture, uint64_t number)
{
    char            text[KEY_TEXT];
    struct removing removing = { .key = fixture_key(fixture, number, text) };
    fixture_run(fixture, removing.key.digest, remove_key, &removing);
    return removing.removed;
}

uint64_t
check_record(const struct record *record, uint64_t number)
{
    uint64_t version;
    cr_assert_eq(record->meta.len, sizeof version);
    memcpy(&version, record->meta.at, sizeof version);
    cr_assert(bytes_are(record->body, seed_of(number, version)), "record %llu has a wrong byte",
              (unsigned long long)number);
    return version;
}

bool
fixture_has(struct fixture *fixture, uint64_t number, uint64_t *version)
{
    char             text[KEY_TEXT];
    struct lease     lease;
    struct store_key key = fixture_key(fixture, number, text);

    if (!store_find(fixture->store, 0, &key, fixture->now, &lease))
        return false;
    cr_assert(span_equal(lease.record.key, key.text));
    uint64_t is = check_record(&lease.record, number);
    if (version != NULL)
        *version = is;
    lease_release(&lease);
    return true;
}

/* ── numbers ── */

uint64_t
fixture_metric(struct fixture *fixture, const char *name)
{
    uint64_t sum = 0;
    for (size_t row = 0; row < store_metrics_table.count; row++) {
        if (strcmp(store_metrics_table.rows[row].name, name) != 0)
            continue;
        for (unsigned i = 0; i < store_metrics_count(fixture->store); i++)
            sum += metric_read_row(store_metrics_of(fixture->store, i), &store_metrics_table.rows[row]);
        return sum;
    }
    cr_assert_fail("no metric of the name %s", name);
    return 0;
}

struct census {
    struct fixture *fixture;
    uint64_t        numbers;
    uint64_t        found, bytes;
    uint64_t        objects, bytes_live;
};

static void
count_all(struct store_writer *writer, void *argument)
{
    struct census *census = argument;

    for (uint64_t i = 0; i < census->numbers; i++) {
        char             text[KEY_TEXT];
        struct record    record;
        struct store_key key = fixture_key(census->fixture, i, text);
        bool             found = writer_find(writer, &key, &record);
        cr_assert_eq(found, fixture_has(census->fixture, i, NULL));
        if (found) {
            cr_assert(record_body_intact(&record));
            census->found++;
            census->bytes += record_size(record_content(&record));
        }
    }
    census->objects = fixture_metric(census->fixture, "objects");
    census->bytes_live = fixture_metric(census->fixture, "bytes_live");
}

uint64_t
fixture_census(struct fixture *fixture, uint64_t numbers)
{
    struct census census = { .fixture = fixture, .numbers = numbers };

    cr_assert_eq(store_metrics_count(fixture->store), 1);
    fixture_run(fixture, (struct digest){ 0, 0 }, count_all, &census);
    cr_assert_eq(census.found, census.objects, "%llu found, the gauge says %llu",
                 (unsigned long long)census.found, (unsigned long long)census.objects);
    cr_assert_eq(census.bytes, census.bytes_live);
    return census.found;
}
