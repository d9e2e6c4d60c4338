/* test_inspect_damage.c: every flipped byte under a sum is found, looking changes nothing, and what cannot be looked at
 * is refused.
 */
#include "look.h"

#include "journal.h"
#include "layout.h"
#include "super.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(storage_inspect_damage, .init = crash_make_root, .fini = crash_remove_root);

/* ── damage ── */

static void
expect_found(const char *file, uint64_t at, const char *what)
{
    crash_flip(file, at);
    struct looked looked = look_verify();
    cr_assert_gt(looked.damaged, 0, "%s, byte %llu", file, (unsigned long long)at);
    cr_assert_str_eq(looked.last.file, file, "byte %llu", (unsigned long long)at);
    if (what != NULL)
        cr_assert_str_eq(looked.last.what, what, "%s, byte %llu: %s", file, (unsigned long long)at,
                         looked.last.what);
    crash_flip(file, at);
}

Test(storage_inspect_damage, nothing_is_damaged_in_a_store_that_is_whole)
{
    look_make_stopped();
    struct looked looked = look_verify();
    cr_assert_eq(looked.damaged, 0, "%s: %s", looked.last.file, looked.last.what);
    cr_assert_eq(looked.verified.records, LOOK_MANY + LOOK_MANY / 3);
    cr_assert_eq(looked.verified.unsealed, 0);
    crash_run(look_append_and_remove);
    looked = look_verify();
    cr_assert_eq(looked.damaged, 0, "%s: %s", looked.last.file, looked.last.what);
    cr_assert_gt(looked.verified.unsealed, 0);
}

Test(storage_inspect_damage, a_flipped_byte_of_a_superblock)
{
    look_make_stopped();
    for (uint64_t at = 0; at < sizeof(struct super); at += 5) {
        expect_found("super.A", at, NULL);
        expect_found("super.B", at, NULL);
    }
    cr_assert_eq(look_verify().damaged, 0);
}

Test(storage_inspect_damage, a_superblock_that_is_gone)
{
    char path[128];
    look_make_stopped();
    snprintf(path, sizeof path, "%s/super.B", crash_root);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(look_verify().damaged, 1);
}

Test(storage_inspect_damage, a_flipped_byte_of_a_journal)
{
    look_make_stopped();
    for (uint64_t at = 0; at < sizeof(struct journal_header); at += 3)
        expect_found("journal-00.log", at, "the journal is not there, or not whole");
    for (uint64_t at = JOURNAL_HEAD + 5 * JOURNAL_SLOT; at < JOURNAL_HEAD + 6 * JOURNAL_SLOT; at += 3)
        expect_found("journal-00.log", at, "a slot of the journal");
    crash_flip("journal-00.log", JOURNAL_HEAD + 5 * JOURNAL_SLOT + 30);
    cr_assert_eq(look_verify().last.offset, JOURNAL_HEAD + 5 * JOURNAL_SLOT);
}

Test(storage_inspect_damage, a_flipped_byte_of_a_snapshot)
{
    look_make_stopped();
    for (uint64_t at = 0; at < 128; at += 7)
        expect_found("index-00.snap", at, "the header of the snapshot");
    for (uint64_t at = 128; at < crash_size("index-00.snap"); at += 997)
        expect_found("index-00.snap", at, "the body of the snapshot");
}

Test(storage_inspect_damage, a_flipped_byte_of_a_segment_header)
{
    look_make_stopped();
    uint64_t start = look_segment_of(look_place_of_key(200));
    for (uint64_t at = 0; at < sizeof(struct segment_header); at += 3)
        expect_found("shard-00.dat", start + at, "the header of a segment");
}

Test(storage_inspect_damage, a_flipped_byte_of_a_footer)
{
    look_make_stopped();
    uint64_t end = look_segment_of(look_place_of_key(200)) + CRASH_SEGMENT;
    for (uint64_t at = end - 64 - 320; at < end; at += 3)
        expect_found("shard-00.dat", at, "the footer of a segment");
}

static void
flip_record(uint64_t number)
{
    uint64_t key = look_place_of_key(number), record = key - RECORD_HEAD;
    char     text[KEY_TEXT];

    for (uint64_t at = 0; at < RECORD_HEAD; at += 3)
        expect_found("shard-00.dat", record + at, "the header, key or meta of a record");
    expect_found("shard-00.dat", key + 5, "the header, key or meta of a record");
    expect_found("shard-00.dat", key + 24, "the header, key or meta of a record");
    crash_flip("shard-00.dat", key + 300);
    struct looked looked = look_verify();
    cr_assert_eq(looked.damaged, 1);
    cr_assert_str_eq(looked.last.what, "the body of a record");
    cr_assert_eq(looked.last.offset, record);
    cr_assert_eq((uint64_t)looked.last.segment, record / CRASH_SEGMENT);
    snprintf(text, sizeof text, "http://test.example/%llu", (unsigned long long)number);
    cr_assert_str_eq(looked.key, text);
    crash_flip("shard-00.dat", key + 300);
    cr_assert_eq(look_verify().damaged, 0);
}

Test(storage_inspect_damage, a_flipped_byte_of_a_record)
{
    look_make_stopped();
    flip_record(200);
}

/* A walk ends at a head that is not true; what is true behind it proves it damaged. */
Test(storage_inspect_damage, a_flipped_byte_in_a_segment_without_a_footer)
{
    crash_run(look_append_many);
    uint64_t      key = look_place_of_key(200), record = key - RECORD_HEAD;
    struct looked before = look_verify();
    cr_assert_eq(before.verified.records, LOOK_MANY);
    for (uint64_t at = 0; at < RECORD_HEAD; at += 3)
        expect_found("shard-00.dat", record + at, "the header, key or meta of a record");
    expect_found("shard-00.dat", key + 300, "the body of a record");
    crash_flip("shard-00.dat", key + 5);
    struct looked looked = look_verify();
    cr_assert_eq(looked.damaged, 1);
    cr_assert_eq(looked.last.offset, record);
    cr_assert_eq(looked.verified.records, LOOK_MANY - 1, "those behind it are looked at too");
}

/* What is there when the machine was started anew is only what was synced. */
Test(storage_inspect_damage, a_segment_that_was_lost_with_the_power_is_not_damaged)
{
    crash_run(look_append_many);
    crash_change_boot();
    struct looked looked = look_verify();
    cr_assert_eq(looked.damaged, 0, "%s", looked.last.what);
    cr_assert_gt(looked.verified.unsealed, 0);
}

Test(storage_inspect_damage, a_file_that_was_cut)
{
    char path[128];
    look_make_stopped();
    snprintf(path, sizeof path, "%s/shard-00.dat", crash_root);
    cr_assert_eq(truncate(path, CRASH_SEGMENT + 5000), 0);
    cr_assert_gt(look_verify().damaged, 10); /* each segment that is not there */
    struct listed *listed = calloc(1, sizeof *listed);
    look_list(listed);
    free(listed);
}

/* ── nothing is changed ── */

static uint64_t
sum_of_files(void)
{
    uint64_t       sum = 0;
    DIR           *stream = opendir(crash_root);
    struct dirent *entry;

    while ((entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "lock") == 0)
            continue;
        size_t size = crash_size(entry->d_name);
        char  *bytes = malloc(size + 1);
        crash_read(entry->d_name, 0, bytes, size);
        sum += hash_checksum(span_of(bytes, size)) ^ hash_checksum(span_of_text(entry->d_name));
        free(bytes);
    }
    closedir(stream);
    return sum;
}

static void
expect_untouched(void)
{
    struct listed *listed = calloc(1, sizeof *listed);
    uint64_t       before = sum_of_files();

    look_verify();
    look_list(listed);
    cr_assert_eq(sum_of_files(), before);
    free(listed);
}

Test(storage_inspect_damage, looking_changes_nothing)
{
    char path[128];
    look_make_stopped();
    expect_untouched();
    crash_run(look_append_many);
    expect_untouched();
    crash_flip("journal-00.log", 20);
    expect_untouched();
    snprintf(path, sizeof path, "%s/lock", crash_root);
    cr_assert_eq(unlink(path), 0);
    expect_untouched();
    cr_assert_not(crash_exists("lock"));
}

/* ── what cannot be looked at ── */

static void
expect_refused(enum err code, const char *says)
{
    struct inspect *inspect;
    struct fault    fault;

    cr_assert_eq(inspect_open(&inspect, crash_root, true, &fault), code);
    cr_assert_null(inspect);
    cr_assert_not_null(strstr(fault.text, says), "%s", fault.text);
}

Test(storage_inspect_damage, a_directory_in_use)
{
    char           who[32];
    struct fixture fixture = crash_open();
    snprintf(who, sizeof who, "process %ld", (long)getpid());
    expect_refused(ERR_IN_USE, who);
    look_append_many(&fixture); /* and it did not notice */
    fixture_close(&fixture);
}

Test(storage_inspect_damage, a_directory_without_a_store)
{
    expect_refused(ERR_NOT_FOUND, "holds no store");
    cr_assert_not(crash_exists("lock"));
    crash_remove_root();
    expect_refused(ERR_NOT_FOUND, "No such file");
    cr_assert_neq(access(crash_root, F_OK), 0);
}

static void
forge_super(void (*change)(struct super *super))
{
    for (int i = 0; i < SUPER_COPIES; i++) {
        struct super super;
        crash_read(super_names[i], 0, &super, sizeof super);
        change(&super);
        super.sum = le64_of(hash_checksum(span_of(&super, offsetof(struct super, sum))));
        crash_write(super_names[i], 0, &super, sizeof super);
    }
}

static void
set_shards(struct super *super)
{
    super->shards = le32_of(1 << 30);
}

static void
set_segment(struct super *super)
{
    super->segment_size = le32_of(0);
}

static void
set_size(struct super *super)
{
    super->shard_size = le64_of(UINT64_C(1) << 62);
}

static void
set_format(struct super *super)
{
    super->format = le32_of(99);
}

static void
expect_forged_refused(void (*change)(struct super *super), enum err code, const char *says)
{
    look_make_stopped();
    forge_super(change);
    expect_refused(code, says);
}

Test(storage_inspect_damage, superblocks_that_make_no_sense)
{
    expect_forged_refused(set_shards, ERR_CORRUPT, "cannot be");
    expect_forged_refused(set_segment, ERR_CORRUPT, "cannot be");
    expect_forged_refused(set_size, ERR_CORRUPT, "cannot be");
    expect_forged_refused(set_format, ERR_UNSUPPORTED, "another format");
}

Test(storage_inspect_damage, both_superblocks_damaged)
{
    look_make_stopped();
    crash_flip("super.A", 60);
    crash_flip("super.B", 60);
    expect_refused(ERR_CORRUPT, "both");
}
