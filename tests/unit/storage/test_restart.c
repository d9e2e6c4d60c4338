/* test_restart.c: shards come back side by side, while the store is in use.
 */
#include "crash.h"

#include "writer.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(storage_restart, .init = crash_make_root, .fini = crash_remove_root);

enum { SHARDS = 2, MANY = 100, SIZE = 128 * MIB };

/* ── a disk of which one file does not answer ── */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held by the test: reads of the first shard wait */

static bool
is_held(int fd)
{
    char    name[64], path[256];
    ssize_t len;

    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    len = readlink(name, path, sizeof path - 1);
    if (len < 0)
        return false;
    path[len] = '\0';
    return strstr(path, "shard-00.dat") != NULL;
}

static ssize_t
held_pread(int fd, void *bytes, size_t len, off_t at)
{
    if (is_held(fd)) {
        pthread_mutex_lock(&gate);
        pthread_mutex_unlock(&gate);
    }
    return pread(fd, bytes, len, at);
}

static struct fixture
open_held(struct disk_calls *calls)
{
    struct store_config config = { .directory = crash_root, .size = SIZE, .readers = 4 };
    struct fixture      fixture = { .now = clock_wall(), .lifetime = HOUR };
    struct fault        fault;

    *calls = crash_calls;
    calls->pread = held_pread;
    cr_assert_eq(store_open_with(&fixture.store, &config, calls, &fault), ERR_NONE, "%s", fault.text);
    cr_assert_eq(store_metrics_count(fixture.store), SHARDS);
    return fixture;
}

/* ── tests ── */

static unsigned
shard_of(struct fixture *fixture, uint64_t number)
{
    char text[KEY_TEXT];
    return shard_of_digest(fixture_key(fixture, number, text).digest, SHARDS);
}

static void
append_many(struct fixture *fixture)
{
    for (uint64_t i = 0; i < MANY; i++)
        cr_assert_eq(fixture_append(fixture, i, 1, 1000), ERR_NONE);
}

static void
do_nothing(struct store_writer *writer, void *argument)
{
    (void)writer, (void)argument;
}

/* Those of the second shard can be found, stored and removed while the first has not had an answer from its disk. */
static void
use_second(struct fixture *fixture)
{
    for (int job = 0; job < 2; job++) /* behind the second one readers may look */
        fixture_run(fixture, (struct digest){ UINT64_C(1) << 56, 0 }, do_nothing, NULL);
    for (uint64_t i = 0; i < MANY; i++)
        cr_assert_eq(fixture_has(fixture, i, NULL), shard_of(fixture, i) == 1, "%d", (int)i);
    for (uint64_t i = 0; i < MANY; i++)
        if (shard_of(fixture, i) == 1 && i % 2 == 0)
            cr_assert(fixture_remove(fixture, i));
}

Test(storage_restart, a_shard_that_waits_for_its_disk_holds_up_no_other, .timeout = 120)
{
    struct disk_calls calls;

    crash_run_as(SIZE, NULL, append_many);
    pthread_mutex_lock(&gate);
    struct fixture fixture = open_held(&calls);
    use_second(&fixture);
    pthread_mutex_unlock(&gate);
    fixture_wait_ready(&fixture);
    for (uint64_t i = 0; i < MANY; i++)
        cr_assert_eq(fixture_has(&fixture, i, NULL), shard_of(&fixture, i) == 0 || i % 2 == 1);
    cr_assert_eq(fixture_metric(&fixture, "recovered"), MANY);
    fixture_close(&fixture);
}

static void *
close_it(void *argument)
{
    fixture_close(argument);
    return NULL;
}

/* A stop in the middle of it waits for the end: a snapshot of half of what there is would lose the other half. */
Test(storage_restart, a_stop_waits_for_the_recovery, .timeout = 120)
{
    struct disk_calls calls;
    pthread_t         closer;

    crash_run_as(SIZE, NULL, append_many);
    pthread_mutex_lock(&gate);
    struct fixture held = open_held(&calls);
    cr_assert_eq(pthread_create(&closer, NULL, close_it, &held), 0);
    pthread_mutex_unlock(&gate);
    cr_assert_eq(pthread_join(closer, NULL), 0);
    struct fixture fixture = crash_open_as(SIZE, NULL, NULL);
    for (uint64_t i = 0; i < MANY; i++)
        cr_assert(fixture_has(&fixture, i, NULL));
    fixture_close(&fixture);
}
