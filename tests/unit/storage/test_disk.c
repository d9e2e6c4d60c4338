/* test_disk.c: a disk that fails: writes refused, cut short, segments abandoned, footers and records damaged.
 */
#include "fixture.h"

#include "disk.h"
#include "layout.h"
#include "recover.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Each test is a process of its own, so this is the test's alone. */
static struct {
    atomic_int   error; /* the errno of the writes that fail */
    atomic_int   fail;  /* so many of the next writes fail */
    atomic_int   after; /* ... but so many come before them */
    atomic_int   most;  /* bytes that one call writes at most, 0: all */
    atomic_int   calls;
    _Atomic nsec ahead; /* of the clock */
} disk_mood;

static ssize_t
moody_pwritev(int fd, const struct iovec *pieces, int count, off_t at)
{
    atomic_fetch_add(&disk_mood.calls, 1);
    if (atomic_load(&disk_mood.after) > 0) {
        atomic_fetch_sub(&disk_mood.after, 1);
    } else if (atomic_load(&disk_mood.fail) > 0) {
        atomic_fetch_sub(&disk_mood.fail, 1);
        errno = atomic_load(&disk_mood.error);
        return -1;
    }
    size_t most = (size_t)atomic_load(&disk_mood.most);
    if (most == 0)
        return pwritev(fd, pieces, count, at);
    struct iovec first = pieces[0];
    first.iov_len = first.iov_len < most ? first.iov_len : most;
    return pwritev(fd, &first, 1, at);
}

static mono_time
moody_mono(void)
{
    return mono_add(clock_mono(), atomic_load(&disk_mood.ahead));
}

static const struct disk_calls moody = { .pwritev = moody_pwritev,
                                         .pread = pread,
                                         .fallocate = fallocate,
                                         .fdatasync = fdatasync,
                                         .mono = moody_mono };

static void
fail_writes(int after, int count, int error)
{
    atomic_store(&disk_mood.error, error);
    atomic_store(&disk_mood.fail, count);
    atomic_store(&disk_mood.after, after);
}

Test(storage_disk, a_failed_write_loses_one_record_and_no_other)
{
    int            errors[] = { EIO, ENOSPC };
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, &moody);

    for (uint64_t turn = 0; turn < 2; turn++) {
        uint64_t base = 100 * turn;
        for (uint64_t i = 0; i < 10; i++)
            cr_assert_eq(fixture_append(&fixture, base + i, 0, 5000), ERR_NONE);
        fail_writes(0, 1, errors[turn]);
        cr_assert_eq(fixture_append(&fixture, base + 3, 1, 5000), ERR_IO); /* and the older one is gone */
        for (uint64_t i = 0; i < 10; i++)
            cr_assert_eq(fixture_has(&fixture, base + i, NULL), i != 3);
        cr_assert_eq(fixture_append(&fixture, base + 3, 2, 5000), ERR_NONE); /* in another segment */
        cr_assert(fixture_has(&fixture, base + 3, NULL));
        cr_assert_eq(fixture_metric(&fixture, "write_errors"), turn + 1);
    }
    cr_assert_eq(fixture_metric(&fixture, "append_failed"), 2);
    cr_assert_eq(fixture_census(&fixture, 200), 20);
    fixture_close(&fixture);
}

Test(storage_disk, a_dead_disk_fails_appends_and_serves_what_is_there)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, &moody);

    for (uint64_t i = 0; i < 50; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 5000), ERR_NONE);
    fail_writes(0, 1000000, EIO);
    for (uint64_t i = 100; i < 300; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 5000), ERR_IO);
    for (uint64_t i = 0; i < 50; i++)
        cr_assert(fixture_has(&fixture, i, NULL));
    fail_writes(0, 0, 0); /* it comes back */
    for (uint64_t i = 100; i < 3000; i++)
        cr_assert_eq(fixture_append(&fixture, i, 0, 5000), ERR_NONE);
    fixture_census(&fixture, 3000);
    fixture_close(&fixture);
}

/* Every third write fails, under full churn and copying: records are lost, never wrong, never miscounted. */
Test(storage_disk, churn_on_a_failing_disk)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, &eviction_lru, &moody);
    uint64_t       random = 3;

    for (uint64_t i = 0; i < 5000; i++) {
        if (i % 3 == 0)
            fail_writes((int)(next_random(&random) % 4), 1, EIO);
        enum err err = fixture_append(&fixture, next_random(&random) % 1000, i, next_random(&random) % 20000);
        cr_assert(err == ERR_NONE || err == ERR_IO);
        fixture_has(&fixture, next_random(&random) % 1000, NULL);
    }
    fail_writes(0, 0, 0);
    cr_assert_gt(fixture_metric(&fixture, "write_errors"), 500);
    fixture_census(&fixture, 1000);
    fixture_close(&fixture);
}

Test(storage_disk, short_writes_are_gone_on_with)
{
    struct fixture fixture = fixture_open(8 * MIB, 1, NULL, &moody);

    atomic_store(&disk_mood.most, 777);
    for (uint64_t i = 0; i < 300; i++)
        cr_assert_eq(fixture_append(&fixture, i, i, i * 61), ERR_NONE);
    cr_assert_gt(atomic_load(&disk_mood.calls), 3000);
    for (uint64_t i = 0; i < 300; i++)
        cr_assert(fixture_has(&fixture, i, NULL));
    cr_assert_eq(fixture_metric(&fixture, "write_errors"), 0);
    cr_assert_eq(fixture_census(&fixture, 300), 300);
    fixture_close(&fixture);
}

/* ── damage in the file, under a running store ── */

struct on_disk {
    struct fixture fixture;
    char           path[64];
    int            fd; /* of the shard's file */
};

static void
open_on_disk(struct on_disk *on_disk, const struct eviction *eviction)
{
    struct fault fault;
    char         name[128];

    snprintf(on_disk->path, sizeof on_disk->path, "/tmp/larder-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(on_disk->path));
    struct store_config config = {
        .directory = on_disk->path, .size = 8 * MIB, .readers = 1, .eviction = eviction
    };
    on_disk->fixture = (struct fixture){ .now = clock_wall(), .lifetime = HOUR };
    cr_assert_eq(store_open_with(&on_disk->fixture.store, &config, &moody, &fault), ERR_NONE, "%s",
                 fault.text);
    snprintf(name, sizeof name, "%s/shard-00.dat", on_disk->path);
    on_disk->fd = open(name, O_RDWR | O_CLOEXEC);
    cr_assert_geq(on_disk->fd, 0);
}

static void
close_on_disk(struct on_disk *on_disk)
{
    const char *names[] = { "shard-00.dat", "journal-00.log", "index-00.snap", "super.A", "super.B", "lock" };
    char        name[128];

    fixture_close(&on_disk->fixture);
    close(on_disk->fd);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(name, sizeof name, "%s/%s", on_disk->path, names[i]);
        cr_assert_eq(unlink(name), 0);
    }
    cr_assert_eq(rmdir(on_disk->path), 0); /* nothing else was made */
}

/* All that can be on the disk by now is. */
static void
settle(struct on_disk *on_disk)
{
    atomic_fetch_add(&disk_mood.ahead, 60 * NSEC_PER_SEC);
    fixture_settle(&on_disk->fixture);
}

enum { SEGMENT = 256 * 1024 };

/* Headers, records and footers are where FORMAT.md says, with true sums. */
Test(storage_disk, the_file_is_as_the_format_says)
{
    struct on_disk        on_disk;
    struct segment_header header;
    struct footer_trailer trailer;
    struct footer_entry   entry;

    open_on_disk(&on_disk, NULL);
    for (uint64_t i = 0; i < 6; i++)
        cr_assert_eq(fixture_append(&on_disk.fixture, i, 0, 50000), ERR_NONE);
    settle(&on_disk);
    cr_assert_eq(pread(on_disk.fd, &header, sizeof header, 0), sizeof header);
    cr_assert_eq(le32_get(header.magic), SEGMENT_MAGIC);
    cr_assert_eq(le32_get(header.format), LAYOUT_FORMAT);
    uint64_t first = le64_get(header.stamp.seq);
    cr_assert_eq(first, recover_first_position(1) + 1);
    cr_assert_eq(le64_get(header.sum), hash_checksum(span_of(&header, offsetof(struct segment_header, sum))));

    cr_assert_eq(pread(on_disk.fd, &trailer, sizeof trailer, SEGMENT - sizeof trailer), sizeof trailer);
    cr_assert_eq(le32_get(trailer.magic), FOOTER_MAGIC);
    cr_assert_eq(le32_get(trailer.count), 5);
    cr_assert_eq(memcmp(&trailer.stamp, &header.stamp, sizeof header.stamp), 0);
    off_t at = (off_t)(SEGMENT - sizeof trailer - 5 * sizeof entry);
    cr_assert_eq(pread(on_disk.fd, &entry, sizeof entry, at), sizeof entry);
    cr_assert_eq(le32_get(entry.offset), SEGMENT_HEAD / 64);
    cr_assert_eq(le32_get(entry.order), 1);
    cr_assert_eq(le32_get(trailer.used), SEGMENT_HEAD + 5 * le32_get(entry.size) * 64);

    static _Alignas(64) char record_bytes[60000];
    struct record            record;
    struct digest            digest;
    struct hash_stream      *stream = hash_stream_create();
    cr_assert_eq(pread(on_disk.fd, record_bytes, sizeof record_bytes, SEGMENT_HEAD), sizeof record_bytes);
    cr_assert(record_parse(span_of(record_bytes, sizeof record_bytes), &record, &digest));
    cr_assert(digest_equal(digest, footer_digest(&entry)));
    cr_assert_eq(le32_get(((struct record_header *)(void *)record_bytes)->order), 1);
    cr_assert_eq(pread(on_disk.fd, &header, sizeof header, SEGMENT), sizeof header);
    cr_assert_eq(le64_get(header.stamp.seq), first + 6); /* one segment and five records came before */
    memcpy(&header.stamp, &trailer.stamp, sizeof header.stamp);
    cr_assert(record_head_intact(&record, &header.stamp, stream));
    cr_assert(record_body_intact(&record));
    hash_stream_destroy(&stream);
    close_on_disk(&on_disk);
}

/* The footer of a sealed segment is overwritten: its cleaning finds what it held by a look at the whole
 * index. */
Test(storage_disk, a_damaged_footer_costs_the_segment_and_nothing_else)
{
    struct on_disk on_disk;

    open_on_disk(&on_disk, &eviction_lru);
    for (uint64_t i = 0; i < 300; i++)
        cr_assert_eq(fixture_append(&on_disk.fixture, i, 0, 4000), ERR_NONE);
    settle(&on_disk);
    cr_assert_eq(pwrite(on_disk.fd, "damage", 6, SEGMENT - 500), 6);
    for (uint64_t i = 300; i < 4000; i++) {
        cr_assert_eq(fixture_append(&on_disk.fixture, i, 0, 4000), ERR_NONE);
        fixture_has(&on_disk.fixture, i % 100, NULL); /* hot, and lost all the same */
    }
    cr_assert_not(fixture_has(&on_disk.fixture, 0, NULL));
    fixture_census(&on_disk.fixture, 4000);
    close_on_disk(&on_disk);
}

/* Bytes of record headers are overwritten while the store runs: it finds less, and breaks in nothing;
 * when all damaged segments have been cleaned the accounts are exact again. */
static void
damage_headers(struct on_disk *on_disk, off_t from, size_t len, uint64_t *random)
{
    enum { RECORD = 4096 }; /* 64 + key 21 to 24 + meta 8 + body 4000, rounded up */
    char junk[64];

    for (int segment = 0; segment < 16; segment++) {
        for (off_t k = 0; k < 60; k += 3) {
            fill_bytes(junk, sizeof junk, next_random(random));
            off_t at = (off_t)segment * SEGMENT + SEGMENT_HEAD + k * RECORD + from;
            cr_assert_eq(pwrite(on_disk->fd, junk, len, at), (ssize_t)len);
        }
    }
}

static bool
touch(struct fixture *fixture, uint64_t number)
{
    char             text[KEY_TEXT];
    struct lease     lease;
    struct store_key key = fixture_key(fixture, number, text);
    bool             found = store_find(fixture->store, 0, &key, fixture->now, &lease);
    if (found)
        cr_assert(span_equal(lease.record.key, key.text));
    lease_release(&lease);
    return found;
}

static void
live_with_damage(off_t from, size_t len)
{
    struct on_disk on_disk;
    uint64_t       random = 5, found = 0;

    open_on_disk(&on_disk, &eviction_lru);
    for (uint64_t i = 0; i < 1500; i++)
        cr_assert_eq(fixture_append(&on_disk.fixture, i, 0, 4000), ERR_NONE);
    damage_headers(&on_disk, from, len, &random);
    for (uint64_t i = 0; i < 1500; i++)
        found += touch(&on_disk.fixture, i);
    cr_assert_lt(found, 1300); /* more than 200 headers were hit */
    cr_assert_gt(found, 900);
    for (uint64_t i = 0; i < 1000; i++) {
        fixture_remove(&on_disk.fixture, next_random(&random) % 1500);
        cr_assert_eq(fixture_append(&on_disk.fixture, next_random(&random) % 1500, i, 4000), ERR_NONE);
    }
    for (uint64_t i = 0; i < 1500; i++) /* what is left of it goes */
        fixture_remove(&on_disk.fixture, i);
    for (uint64_t i = 2000; i < 7000; i++)
        cr_assert_eq(fixture_append(&on_disk.fixture, i, 0, 4000), ERR_NONE);
    cr_assert_gt(fixture_census(&on_disk.fixture, 7000), 1000);
    close_on_disk(&on_disk);
}

Test(storage_disk, damaged_digests_are_lived_with)
{
    live_with_damage(0, 24);
}

Test(storage_disk, damaged_lengths_are_lived_with)
{
    live_with_damage(36, 12);
}

/* The flags of the map that holds an address, as smaps has them: " rd sh mr mw me dd ". */
static void
flags_of_map(const void *at, char flags[static 256])
{
    char          line[512];
    unsigned long from, to;
    bool          here = false;
    FILE         *file = fopen("/proc/self/smaps", "r");

    cr_assert_not_null(file);
    flags[0] = '\0';
    while (flags[0] == '\0' && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = (unsigned long)at >= from && (unsigned long)at < to;
        else if (here && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(flags, 256, "%.200s", line + 8);
    }
    fclose(file);
}

Test(storage_disk, is_no_part_of_a_core)
{
    struct disk  disk;
    struct fault fault = { .text = "" };
    char         flags[256];

    cr_assert_eq(disk_open_memory(&disk, 8 * MIB, &disk_calls_real, &fault), ERR_NONE, "%s", fault.text);
    flags_of_map(disk.map, flags);
    cr_expect_not_null(strstr(flags, " dd "), "%s", flags);
    disk_close(&disk);
}
