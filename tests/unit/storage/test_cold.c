/* test_cold.c: finding without waiting for the disk: what is believed to be in memory, what is read by threads,
 * what that memory costs, and leases that move to private memory.
 *
 * The probe is ours: what is cold is what the test says.
 */
#include "cold.h"
#include "fixture.h"
#include "probe.h"
#include "warm.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Each test is a process of its own, so this is the test's alone. */
static struct {
    atomic_bool cold;
    atomic_int  probes;
    atomic_int  errors; /* so many of the next reads fail */
    atomic_int  reads;
} disk;

static bool
probe(int fd, const char *map, uint64_t at, size_t len)
{
    (void)fd, (void)map, (void)at;
    cr_assert_gt(len, 0);
    atomic_fetch_add(&disk.probes, 1);
    return !atomic_load(&disk.cold);
}

static ssize_t
failing_pread(int fd, void *bytes, size_t len, off_t at)
{
    atomic_fetch_add(&disk.reads, 1);
    if (atomic_load(&disk.errors) > 0) {
        atomic_fetch_sub(&disk.errors, 1);
        errno = EIO;
        return -1;
    }
    return pread(fd, bytes, len, at);
}

static const struct disk_calls calls = { .pwritev = pwritev,
                                         .pread = failing_pread,
                                         .fallocate = fallocate,
                                         .fdatasync = fdatasync,
                                         .mono = clock_mono,
                                         .probe = probe };

struct on_disk {
    struct fixture fixture;
    char           path[64];
};

static void
open_store(struct on_disk *on_disk, uint64_t kept)
{
    struct fault        fault;
    struct store_config config = { .directory = on_disk->path,
                                   .size = 8 * MIB,
                                   .readers = 2,
                                   .eviction = &eviction_fifo,
                                   .cold_kept = kept };
    on_disk->fixture = (struct fixture){ .now = clock_wall(), .lifetime = 30L * 24 * HOUR };
    cr_assert_eq(store_open_with(&on_disk->fixture.store, &config, &calls, &fault), ERR_NONE, "%s",
                 fault.text);
    fixture_wait_ready(&on_disk->fixture);
}

static void
begin(struct on_disk *on_disk, uint64_t kept)
{
    snprintf(on_disk->path, sizeof on_disk->path, "/tmp/larder-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(on_disk->path));
    open_store(on_disk, kept);
}

static void
end(struct on_disk *on_disk)
{
    const char *names[] = { "shard-00.dat", "journal-00.log", "index-00.snap", "super.A", "super.B", "lock" };
    char        name[128];

    fixture_close(&on_disk->fixture);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(name, sizeof name, "%s/%s", on_disk->path, names[i]);
        unlink(name);
    }
    cr_assert_eq(rmdir(on_disk->path), 0);
}

static enum find
look(struct on_disk *on_disk, uint64_t number, const struct cold_set *reads, struct lease *lease,
     struct cold **cold)
{
    char             text[KEY_TEXT];
    struct store_key key = fixture_key(&on_disk->fixture, number, text);
    return store_look(on_disk->fixture.store, 0, &key, on_disk->fixture.now, reads, lease, cold);
}

static void
post(void *semaphore)
{
    sem_post(semaphore);
}

/* Begins it, waits, and ends it; the reference stays. */
static void
read_now(struct cold *cold)
{
    sem_t done;

    sem_init(&done, 0, 0);
    cr_assert_null(cold_context(cold));
    cold_begin(cold, post, &done);
    cr_assert_eq(cold_context(cold), &done);
    while (sem_wait(&done) != 0) {}
    cold_end(cold);
    sem_destroy(&done);
}

/* Cold, read, and looked for again. */
static enum find
find_cold(struct on_disk *on_disk, uint64_t number, struct lease *lease)
{
    struct cold_set reads = { .count = 1 };
    struct cold    *cold;

    cr_assert_eq(look(on_disk, number, NULL, lease, &reads.reads[0]), FIND_COLD);
    cr_assert_null(lease->shard);
    read_now(reads.reads[0]);
    enum find found = look(on_disk, number, &reads, lease, &cold);
    cr_assert_null(cold);
    cold_set_clear(&reads);
    return found;
}

static void
expect_warm(struct on_disk *on_disk, uint64_t number)
{
    struct lease lease;
    struct cold *cold;

    cr_assert_eq(look(on_disk, number, NULL, &lease, &cold), FIND_FOUND);
    cr_assert_null(lease.buffer);
    check_record(&lease.record, number);
    lease_release(&lease);
}

Test(storage_cold, what_was_used_a_moment_ago_is_not_asked_for)
{
    struct on_disk on_disk;

    begin(&on_disk, 0);
    cr_assert_eq(fixture_append(&on_disk.fixture, 1, 0, 5000), ERR_NONE);
    expect_warm(&on_disk, 1);
    cr_assert_eq(atomic_load(&disk.probes), 1);
    for (int i = 1; i < WARM_SAMPLE; i++) {
        on_disk.fixture.now = wall_add(on_disk.fixture.now, WARM_SECONDS * NSEC_PER_SEC);
        expect_warm(&on_disk, 1); /* each use counts anew */
    }
    cr_assert_eq(atomic_load(&disk.probes), 1);
    on_disk.fixture.now = wall_add(on_disk.fixture.now, (WARM_SECONDS + 1) * NSEC_PER_SEC);
    expect_warm(&on_disk, 1);
    cr_assert_eq(atomic_load(&disk.probes), 2);
    on_disk.fixture.now = wall_add(on_disk.fixture.now, -2 * NSEC_PER_SEC); /* the clock was set back */
    expect_warm(&on_disk, 1);
    cr_assert_eq(atomic_load(&disk.probes), 3);
    cr_assert_eq(fixture_metric(&on_disk.fixture, "cold_reads"), 0);
    end(&on_disk);
}

Test(storage_cold, what_is_cold_is_read_and_sent_from_private_memory)
{
    struct on_disk on_disk;
    struct lease   lease, copy;

    begin(&on_disk, 0);
    cr_assert_eq(fixture_append(&on_disk.fixture, 1, 7, 100000), ERR_NONE);
    atomic_store(&disk.cold, true);
    cr_assert_eq(find_cold(&on_disk, 1, &lease), FIND_FOUND);
    cr_assert_not_null(lease.buffer);
    cr_assert_eq(check_record(&lease.record, 1), 7);
    lease_copy(&lease, &copy);
    lease_release(&lease);
    cr_assert_eq(check_record(&copy.record, 1), 7);
    lease_release(&copy);
    cr_assert_eq(fixture_metric(&on_disk.fixture, "cold_reads"), 1);
    cr_assert_geq(fixture_metric(&on_disk.fixture, "cold_bytes"), 100000);
    cr_assert_eq(look(&on_disk, 2, NULL, &lease, &(struct cold *){ 0 }), FIND_MISSING);
    end(&on_disk);
}

/* A record in private memory pins nothing: its segment is used again while it is read. */
Test(storage_cold, private_memory_outlives_the_segment)
{
    struct on_disk on_disk;
    struct lease   lease;

    begin(&on_disk, 0);
    cr_assert_eq(fixture_append(&on_disk.fixture, 1, 7, 100000), ERR_NONE);
    atomic_store(&disk.cold, true);
    cr_assert_eq(find_cold(&on_disk, 1, &lease), FIND_FOUND);
    atomic_store(&disk.cold, false);
    for (uint64_t i = 100; i < 400; i++)
        cr_assert_eq(fixture_append(&on_disk.fixture, i, 0, 100000), ERR_NONE);
    cr_assert_eq(fixture_metric(&on_disk.fixture, "segments_pinned"), 0);
    cr_assert_not(fixture_has(&on_disk.fixture, 1, NULL));
    cr_assert_eq(check_record(&lease.record, 1), 7);
    lease_release(&lease);
    end(&on_disk);
}

Test(storage_cold, where_nothing_more_may_be_kept_the_map_is_used)
{
    struct on_disk on_disk;
    struct lease   first, second;

    begin(&on_disk, 150000);
    for (uint64_t i = 1; i <= 2; i++)
        cr_assert_eq(fixture_append(&on_disk.fixture, i, 0, 100000), ERR_NONE);
    atomic_store(&disk.cold, true);
    cr_assert_eq(find_cold(&on_disk, 1, &first), FIND_FOUND);
    cr_assert_not_null(first.buffer);
    cr_assert_eq(find_cold(&on_disk, 2, &second),
                 FIND_FOUND); /* at once, however cold the probe says it is */
    cr_assert_null(second.buffer);
    check_record(&second.record, 2);
    lease_release(&first);
    lease_release(&second);
    end(&on_disk);
}

Test(storage_cold, lookers_of_one_reader_share_a_read_and_one_may_leave)
{
    struct on_disk  on_disk;
    struct lease    lease;
    struct cold_set reads = { .count = 2 };
    sem_t           done;

    begin(&on_disk, 0);
    cr_assert_eq(fixture_append(&on_disk.fixture, 1, 0, 1000), ERR_NONE);
    atomic_store(&disk.cold, true);
    sem_init(&done, 0, 0);
    cr_assert_eq(look(&on_disk, 1, NULL, &lease, &reads.reads[0]), FIND_COLD);
    cold_begin(reads.reads[0], post, &done);
    cr_assert_eq(look(&on_disk, 1, NULL, &lease, &reads.reads[1]), FIND_COLD);
    cr_assert_eq(reads.reads[0], reads.reads[1]);
    cr_assert_eq(cold_context(reads.reads[1]), &done);
    struct cold *read = reads.reads[0];
    cold_set_clear(&reads); /* both leave: it goes on */
    while (sem_wait(&done) != 0) {}
    cold_end(read);
    cr_assert_eq(fixture_metric(&on_disk.fixture, "cold_reads"), 1);
    /* one that is never begun is only given back */
    cr_assert_eq(look(&on_disk, 1, NULL, &lease, &read), FIND_COLD);
    cold_release(&read);
    sem_destroy(&done);
    end(&on_disk);
}

/* More than may be on the move at once: they wait in line, and all come. */
Test(storage_cold, a_long_line_comes_to_its_end)
{
    enum { READS = 60 };
    struct on_disk on_disk;
    struct cold   *reads[READS];
    struct lease   lease;
    sem_t          done[READS];

    begin(&on_disk, 0);
    for (uint64_t i = 0; i < READS; i++)
        cr_assert_eq(fixture_append(&on_disk.fixture, i, 0, 50000), ERR_NONE);
    atomic_store(&disk.cold, true);
    for (uint64_t i = 0; i < READS; i++) {
        sem_init(&done[i], 0, 0);
        cr_assert_eq(look(&on_disk, i, NULL, &lease, &reads[i]), FIND_COLD);
        pthread_mutex_lock(&reads[i]->pool->lock);
        reads[i]->pool->moving_max = 120000; /* two of them */
        pthread_mutex_unlock(&reads[i]->pool->lock);
    }
    for (uint64_t i = 0; i < READS; i++)
        cold_begin(reads[i], post, &done[i]);
    for (uint64_t i = 0; i < READS; i++) {
        while (sem_wait(&done[i]) != 0) {}
        pthread_mutex_lock(&reads[i]->pool->lock);
        cr_assert_leq(reads[i]->pool->moving, 120000);
        pthread_mutex_unlock(&reads[i]->pool->lock);
        cold_end(reads[i]);
        cold_release(&reads[i]);
    }
    cr_assert_eq(fixture_metric(&on_disk.fixture, "cold_reads"), READS);
    cr_assert_gt(fixture_metric(&on_disk.fixture, "cold_waits"), 0);
    end(&on_disk);
}

Test(storage_cold, what_cannot_be_read_is_a_miss_and_forgotten)
{
    struct on_disk on_disk;
    struct lease   lease;

    begin(&on_disk, 0);
    cr_assert_eq(fixture_append(&on_disk.fixture, 1, 0, 1000), ERR_NONE);
    atomic_store(&disk.cold, true);
    atomic_store(&disk.errors, 1);
    cr_assert_eq(find_cold(&on_disk, 1, &lease), FIND_MISSING);
    atomic_store(&disk.cold, false);
    fixture_settle(&on_disk.fixture);
    cr_assert_not(fixture_has(&on_disk.fixture, 1, NULL));
    cr_assert_eq(fixture_metric(&on_disk.fixture, "damaged"), 1);
    end(&on_disk);
}

/* A byte that went bad on the disk after the record was written by this very run. */
Test(storage_cold, what_went_bad_is_found_out_when_it_is_read)
{
    struct on_disk on_disk;
    struct lease   lease;
    char           name[128];

    begin(&on_disk, 0);
    cr_assert_eq(fixture_append(&on_disk.fixture, 1, 0, 1000), ERR_NONE);
    expect_warm(&on_disk, 1);
    cr_assert_eq(look(&on_disk, 1, NULL, &lease, &(struct cold *){ 0 }), FIND_FOUND);
    const struct shard *shard = lease.shard;
    off_t               at = lease.record.body.at - shard->disk.map + 500;
    char                was = lease.record.body.at[500], is = (char)~was;
    lease_release(&lease);
    snprintf(name, sizeof name, "%s/shard-00.dat", on_disk.path);
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    cr_assert_eq(pwrite(fd, &is, 1, at), 1);
    close(fd);
    on_disk.fixture.now = wall_add(on_disk.fixture.now, 60 * NSEC_PER_SEC);
    atomic_store(&disk.cold, true);
    cr_assert_eq(find_cold(&on_disk, 1, &lease), FIND_MISSING);
    end(&on_disk);
}

/* What an earlier run wrote is looked at by a thread, even where it is in memory. */
Test(storage_cold, sums_after_a_start_are_not_the_worker_s_work)
{
    struct on_disk on_disk;
    struct lease   lease;

    begin(&on_disk, 0);
    cr_assert_eq(fixture_append(&on_disk.fixture, 1, 9, 1000), ERR_NONE);
    fixture_close(&on_disk.fixture);
    open_store(&on_disk, 0);
    int before = atomic_load(&disk.reads);
    cr_assert_eq(find_cold(&on_disk, 1, &lease), FIND_FOUND);
    cr_assert_eq(check_record(&lease.record, 1), 9);
    lease_release(&lease);
    cr_assert_eq(atomic_load(&disk.reads), before + 1);
    expect_warm(&on_disk, 1); /* now it is known */
    end(&on_disk);
}

static bool
knows(struct on_disk *on_disk, uint64_t number)
{
    char             text[KEY_TEXT];
    struct store_key key = fixture_key(&on_disk->fixture, number, text);
    return store_knows(on_disk->fixture.store, &key, on_disk->fixture.now);
}

/* Neither the kernel nor the disk is asked. */
Test(storage_cold, the_index_alone_tells_what_is_there)
{
    struct on_disk on_disk;

    begin(&on_disk, 0);
    for (uint64_t i = 1; i <= 2; i++)
        cr_assert_eq(fixture_append(&on_disk.fixture, i, 0, 5000), ERR_NONE);
    atomic_store(&disk.cold, true);
    cr_assert(knows(&on_disk, 1));
    cr_assert(knows(&on_disk, 2));
    cr_assert_not(knows(&on_disk, 3));
    cr_assert_eq(atomic_load(&disk.probes), 0);
    cr_assert_eq(atomic_load(&disk.reads), 0);
    cr_assert(fixture_remove(&on_disk.fixture, 1));
    cr_assert_not(knows(&on_disk, 1));
    on_disk.fixture.now = wall_add(on_disk.fixture.now, 31L * 24 * HOUR * NSEC_PER_SEC);
    cr_assert_not(knows(&on_disk, 2));
    end(&on_disk);
}

Test(storage_cold, memory_is_never_cold)
{
    struct fixture   fixture = fixture_open(8 * MIB, 1, NULL, &calls);
    struct lease     lease;
    struct cold     *cold;
    char             text[KEY_TEXT];
    struct store_key key = fixture_key(&fixture, 1, text);

    atomic_store(&disk.cold, true);
    cr_assert_eq(fixture_append(&fixture, 1, 0, 1000), ERR_NONE);
    cr_assert_eq(store_look(fixture.store, 0, &key, fixture.now, NULL, &lease, &cold), FIND_FOUND);
    cr_assert(lease_is_warm(&lease, 10, wall_add(fixture.now, HOUR * NSEC_PER_SEC)));
    cr_assert_eq(atomic_load(&disk.probes), 0);
    lease_release(&lease);
    fixture_close(&fixture);
}

/* ── leases of slow readers ── */

/* A lease is held; all segments are written over and over. */
static void
churn(struct fixture *fixture, uint64_t from)
{
    for (uint64_t i = from; i < from + 200; i++)
        cr_assert_eq(fixture_append(fixture, i, 0, 100000), ERR_NONE);
}

Test(storage_cold, a_lease_moves_and_frees_its_segment)
{
    enum { LEASES = 8 };
    struct fixture fixture = fixture_open(8 * MIB, 1, &eviction_fifo, &calls);
    struct lease   leases[LEASES];

    for (uint64_t i = 0; i < LEASES; i++) {
        char             text[KEY_TEXT];
        struct store_key key = fixture_key(&fixture, i, text);
        cr_assert_eq(fixture_append(&fixture, i, i, 100000), ERR_NONE);
        cr_assert(store_find(fixture.store, 0, &key, fixture.now, &leases[i]));
        cr_assert_not(lease_is_wanted(&leases[i]));
    }
    cr_assert_not(store_wants_leases(fixture.store));
    churn(&fixture, 1000);
    cr_assert_gt(fixture_metric(&fixture, "segments_pinned"), 0);
    cr_assert(store_wants_leases(fixture.store));
    unsigned wanted = 0;
    for (uint64_t i = 0; i < LEASES; i++) {
        wanted += lease_is_wanted(&leases[i]);
        struct cold *cold = lease_read(&leases[i], fixture.now);
        cr_assert_not_null(cold);
        read_now(cold);
        cr_assert(lease_move(&leases[i], cold));
        cr_assert_not(lease_move(&leases[i], cold)); /* it has */
        cold_release(&cold);
        cr_assert_eq(check_record(&leases[i].record, i), i);
        cr_assert_null(lease_read(&leases[i], fixture.now)); /* it pins nothing */
    }
    cr_assert_gt(wanted, 0);
    churn(&fixture, 2000);
    cr_assert_eq(fixture_metric(&fixture, "segments_pinned"), 0);
    cr_assert_eq(fixture_metric(&fixture, "leases_moved"), LEASES);
    cr_assert_not(store_wants_leases(fixture.store));
    for (uint64_t i = 0; i < LEASES; i++) {
        cr_assert_eq(check_record(&leases[i].record, i), i);
        lease_release(&leases[i]);
    }
    fixture_close(&fixture);
}

Test(storage_cold, leases_move_as_far_as_there_is_memory)
{
    struct on_disk on_disk;
    struct lease   first, second;
    struct cold   *cold;

    begin(&on_disk, 150000);
    for (uint64_t i = 1; i <= 2; i++)
        cr_assert_eq(fixture_append(&on_disk.fixture, i, 0, 100000), ERR_NONE);
    cr_assert_eq(look(&on_disk, 1, NULL, &first, &cold), FIND_FOUND);
    cr_assert_eq(look(&on_disk, 2, NULL, &second, &cold), FIND_FOUND);
    cold = lease_read(&first, on_disk.fixture.now);
    read_now(cold);
    cr_assert(lease_move(&first, cold));
    cold_release(&cold);
    cr_assert_null(lease_read(&second, on_disk.fixture.now));
    lease_release(&first);
    cold = lease_read(&second, on_disk.fixture.now);
    cr_assert_not_null(cold);
    cold_release(&cold); /* thought better of it */
    lease_release(&second);
    end(&on_disk);
}

/* As long as another one, and not that one. */
Test(storage_cold, a_lease_that_moves_to_another_record_is_a_panic, .signal = SIGABRT)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, &calls);
    struct lease   leases[2];

    for (uint64_t i = 0; i < 2; i++) {
        char             text[KEY_TEXT];
        struct store_key key = fixture_key(&fixture, i, text);
        cr_assert_eq(fixture_append(&fixture, i, 0, 100000), ERR_NONE);
        cr_assert(store_find(fixture.store, 0, &key, fixture.now, &leases[i]));
    }
    struct cold *cold = lease_read(&leases[0], fixture.now);
    read_now(cold);
    (void)lease_move(&leases[1], cold);
}

Test(storage_cold, a_lease_asks_whether_what_is_left_is_in_memory)
{
    struct on_disk on_disk;
    struct lease   lease;
    struct cold   *cold;

    begin(&on_disk, 0);
    cr_assert_eq(fixture_append(&on_disk.fixture, 1, 0, 100000), ERR_NONE);
    cr_assert_eq(look(&on_disk, 1, NULL, &lease, &cold), FIND_FOUND);
    atomic_store(&disk.cold, true);
    cr_assert(lease_is_warm(&lease, 50000, on_disk.fixture.now)); /* a moment ago it was */
    wall_time later = wall_add(on_disk.fixture.now, 60 * NSEC_PER_SEC);
    cr_assert_not(lease_is_warm(&lease, 50000, later));
    cr_assert(lease_is_warm(&lease, 0, later));
    atomic_store(&disk.cold, false);
    cr_assert(lease_is_warm(&lease, 50000, later));
    lease_release(&lease);
    end(&on_disk);
}

/* ── the probes, on a real file ── */

static const struct {
    const char *name;
    probe_call *probe;
} probes[] = { { "cachestat", probe_by_cachestat },
               { "preadv2", probe_by_nowait },
               { "mincore", probe_by_mincore } };

enum { FILE_SIZE = 3 * MIB };

static int
make_file(void)
{
    char  name[] = "/tmp/larder-probe-XXXXXX";
    int   fd = mkstemp(name);
    char *bytes = calloc(1, FILE_SIZE);

    cr_assert_geq(fd, 0);
    unlink(name);
    cr_assert_eq(pwrite(fd, bytes, FILE_SIZE, 0), FILE_SIZE);
    cr_assert_eq(fsync(fd), 0);
    free(bytes);
    return fd;
}

Test(storage_cold, probes_tell_memory_from_disk)
{
    int         fd = make_file();
    const char *map = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
    bool        best = false;

    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        best |= probe_choose(fd) == probes[i].probe;
        if (!probes[i].probe(fd, map, 0, FILE_SIZE)) {
            cr_log_warn("%s says nothing of this file here", probes[i].name);
            continue;
        }
        cr_assert(probes[i].probe(fd, map, 100, 1), "%s", probes[i].name);
        cr_assert(probes[i].probe(fd, map, 4095, 2), "%s", probes[i].name);
        cr_assert_not(probes[i].probe(fd, map, FILE_SIZE, 1), "%s", probes[i].name);
    }
    cr_assert(best);
    /* From a file in memory (tmpfs) nothing can be dropped. */
    cr_assert_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
    if (!probe_by_mincore(fd, map, 0, 4096))
        for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++)
            if (probes[i].probe != probe_by_nowait || i == 0) /* that one may start a read */
                cr_assert_not(probes[i].probe(fd, map, 0, FILE_SIZE), "%s", probes[i].name);
    close(fd);
}
