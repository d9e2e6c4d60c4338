/* test_slice_cold.c: slices that must be read before they are used: nobody who finds or claims one waits for the disk.
 *
 * What an earlier run has stored is such, whether it is in memory or not: its sums were not looked at yet.
 */
#include "cache_world.h"

#include <dirent.h>
#include <larder/cache/slice.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/larder-slice-XXXXXX";

static void
remove_folder(void)
{
    DIR *open = opendir(folder);
    cr_assert_not_null(open);
    for (struct dirent *entry; (entry = readdir(open)) != NULL;)
        unlinkat(dirfd(open), entry->d_name, 0);
    closedir(open);
    cr_assert_eq(rmdir(folder), 0);
}

static struct slice_view
view_of(struct world *world, struct store_key *primary, const struct cold_set *reads)
{
    *primary = key_for(world, "/a");
    return (struct slice_view){ .cache = world->cache,
                                .arena = &world->memory.arena,
                                .primary = *primary,
                                .generation = 5,
                                .bits = slice_bits(world->store),
                                .reads = reads };
}

/* Appends a record as if by a flight that landed. */
struct appending {
    struct store_job job;
    struct store_key key;
    wall_time        now;
    enum err         err;
};

static void
append(struct store_job *job, struct store_writer *writer)
{
    struct appending   *appending = CONTAINER_OF(job, struct appending, job);
    struct iovec        body = { (char *)(uintptr_t) "seven", 5 };
    struct record_parts parts = { .key = appending->key,
                                  .meta = SPAN("meta"),
                                  .body = &body,
                                  .body_count = 1,
                                  .created = appending->now,
                                  .expires = wall_add(appending->now, 3600 * NSEC_PER_SEC) };
    appending->err = writer_append(writer, &parts);
}

/* Stores slice 7, or with `text` something else under its hash, and starts anew. */
static void
begin_cold(struct world *world, const char *text)
{
    struct store_key primary;

    cr_assert_not_null(mkdtemp(folder));
    begin_in(world, folder);
    primary = key_for(world, "/a");
    struct appending appending = { .job = { .cost = 1, .run = append }, .now = world->now };
    cr_assert_eq(key_slice(&world->memory.arena, store_seed(world->store), &primary, 5, 7, &appending.key),
                 ERR_NONE);
    struct digest digest = appending.key.digest;
    if (text != NULL)
        appending.key.text = span_of_text(text);
    cr_assert_eq(store_submit(world->store, digest, &appending.job), ERR_NONE);
    wait_for_store(world, &appending.key);
    cr_assert_eq(appending.err, ERR_NONE);
    close_store(world);
    open_in(world, folder);
    for (int i = 0; i < 2; i++) /* what was stored can be found */
        wait_for_store(world, &appending.key);
}

static void
end_cold(struct world *world)
{
    end(world);
    remove_folder();
}

static void
post(void *semaphore)
{
    sem_post(semaphore);
}

/* Cold: the reference, read. */
static void
find_cold(struct world *world, const struct slice_view *view, struct cold_set *reads)
{
    struct lease   lease;
    struct flight *flight;
    struct cold   *cold;
    sem_t          done;

    cr_assert_eq(slice_find(view, 7, world->now, &lease, &cold, &flight), SLICE_COLD);
    cr_assert_null(lease.shard);
    cr_assert_null(flight);
    sem_init(&done, 0, 0);
    cold_begin(cold, post, &done);
    while (sem_wait(&done) != 0) {}
    cold_end(cold);
    sem_destroy(&done);
    reads->reads[reads->count++] = cold;
}

static uint64_t
cold_reads(struct world *world)
{
    uint64_t reads = 0;
    for (unsigned i = 0; i < store_metrics_count(world->store); i++)
        reads += metric_read(&store_metrics_of(world->store, i)->cold_reads);
    return reads;
}

Test(cache_slice_cold, a_cold_slice_is_read_and_found)
{
    struct world     world;
    struct store_key primary;
    struct cold_set  reads = { .count = 0 };
    struct lease     lease;
    struct flight   *flight;
    struct cold     *cold;

    begin_cold(&world, NULL);
    struct slice_view view = view_of(&world, &primary, &reads);
    cr_assert(slice_is_known(&view, 7, world.now));
    cr_assert_not(slice_is_known(&view, 8, world.now));
    cr_assert_eq(cold_reads(&world), 0);
    find_cold(&world, &view, &reads);
    cr_assert_eq(slice_find(&view, 7, world.now, &lease, &cold, &flight), SLICE_STORED);
    cr_assert_not_null(lease.buffer);
    cr_assert_span(lease.record.body, "seven");
    cr_assert_eq(cold_reads(&world), 1);
    lease_release(&lease);
    cold_set_clear(&reads);
    end_cold(&world);
}

/* Nor is it read for that. */
Test(cache_slice_cold, what_may_be_a_cold_slice_is_not_claimed)
{
    struct world     world;
    struct store_key primary;
    struct flight   *flight;

    begin_cold(&world, NULL);
    struct slice_view view = view_of(&world, &primary, NULL);
    struct slice_run *run = slice_run_create(NULL);
    cr_assert_eq(slice_claim(&view, 7, world.now, run, &flight), ERR_EXISTS);
    cr_assert_null(flight);
    cr_assert_eq(cold_reads(&world), 0);
    slice_run_release(&run);
    end_cold(&world);
}

Test(cache_slice_cold, what_only_has_its_hash_is_no_slice_once_it_was_read)
{
    struct world     world;
    struct store_key primary;
    struct cold_set  reads = { .count = 0 };
    struct lease     lease;
    struct flight   *flight;
    struct cold     *cold;

    begin_cold(&world, "something else");
    struct slice_view view = view_of(&world, &primary, &reads);
    struct slice_run *run = slice_run_create(NULL);
    cr_assert_eq(slice_claim(&view, 7, world.now, run, &flight), ERR_EXISTS);
    find_cold(&world, &view, &reads);
    cr_assert_eq(slice_find(&view, 7, world.now, &lease, &cold, &flight), SLICE_MISSING);
    cr_assert_eq(slice_claim(&view, 7, world.now, run, &flight), ERR_NONE);
    flight_fail(flight, 1, "");
    flight_release(&flight);
    cold_set_clear(&reads);
    slice_run_release(&run);
    end_cold(&world);
}

/* It need not be asked about what the store has: a coincidence of hashes does not end a body that cannot be fetched in pieces. */
Test(cache_slice_cold, who_writes_a_generation_alone_claims_each_of_its_slices)
{
    struct world     world;
    struct store_key primary;
    struct flight   *flight, *second;

    begin_cold(&world, "something else");
    struct slice_view view = view_of(&world, &primary, NULL);
    struct slice_run *run = slice_run_create(NULL);
    view.alone = true;
    cr_assert_eq(slice_claim(&view, 7, world.now, run, &flight), ERR_NONE);
    cr_assert_eq(slice_claim(&view, 7, world.now, run, &second), ERR_EXISTS);
    flight_fail(flight, 1, "");
    flight_release(&flight);
    slice_run_release(&run);
    end_cold(&world);
}
