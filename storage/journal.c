/* journal.c: see journal.h.
 *
 * How damage is told from an end: slots are filled in order and hold rising positions, all zeros behind them
 * in the first lap. So a slot that is neither zeros nor true, a hole, or a second fall of the positions is
 * damage: a tombstone is missing.
 */
#include "journal.h"
#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <larder/base/check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PART = 512, LEAST = 64 * 1024, FLOOR_PARTS = 16, READ_SLOTS = 2048 };

static const unsigned char magic[8] = { 'l', 'a', 'r', 'd', 'e', 'r', 'J', 'R' };

static_assert(sizeof(struct journal_header) == 56, "journal header");
static_assert(offsetof(struct journal_header, floor) == 40, "journal header");
static_assert(sizeof(struct journal_slot) == JOURNAL_SLOT, "journal slot");

uint32_t
journal_slots(uint64_t shard_size)
{
    uint64_t bytes = shard_size / PART < LEAST ? LEAST : shard_size / PART;
    uint64_t slots = bytes / JOURNAL_SLOT;
    return (slots > INT32_MAX ? INT32_MAX : (uint32_t)slots) / FLOOR_PARTS * FLOOR_PARTS;
}

static uint64_t
place_of(uint32_t slot)
{
    return JOURNAL_HEAD + (uint64_t)slot * JOURNAL_SLOT;
}

static uint64_t
position_of(const struct journal_slot *slot)
{
    return le64_get(slot->what) & JOURNAL_POSITION_MAX;
}

/* A slot that was written elsewhere, or for another store, is not true here. */
static uint64_t
slot_sum(const struct journal *journal, uint32_t number, const struct journal_slot *slot)
{
    struct {
        unsigned char store[16];
        le32          shard, number;
        le64          digest_high, digest_low, what;
    } all = { .shard = le32_of(journal->shard),
              .number = le32_of(number),
              .digest_high = slot->digest_high,
              .digest_low = slot->digest_low,
              .what = slot->what };
    memcpy(all.store, journal->store, sizeof all.store);
    return hash_checksum(span_of(&all, sizeof all));
}

static enum err
put(struct journal *journal, uint64_t at, const void *bytes, size_t len)
{
    struct gather gather;
    gather_begin(&gather, &journal->disk, at);
    gather_add(&gather, span_of(bytes, len));
    return gather_end(&gather);
}

/* 56 bytes within one sector: the old header or the new one is there, whatever happens. */
static enum err
write_header(struct journal *journal)
{
    struct journal_header header = { .format = le32_of(LAYOUT_FORMAT),
                                     .shard = le32_of(journal->shard),
                                     .slots = le32_of(journal->slots),
                                     .floor = le64_of(journal->floor) };
    memcpy(header.magic, magic, sizeof magic);
    memcpy(header.store, journal->store, sizeof header.store);
    header.sum = le64_of(hash_checksum(span_of(&header, offsetof(struct journal_header, sum))));
    return put(journal, 0, &header, sizeof header);
}

/* ── opening ── */

static enum err
open_file(struct journal *journal, const char *path, struct fault *fault)
{
    bool     made;
    uint64_t size = place_of(journal->slots);

    journal->next = 0;
    journal->floor = journal->last = 0;
    journal->due = MONO_NEVER;
    journal->lost = false;
    if (journal->read_only)
        return disk_open_read(&journal->disk, journal->directory, path, journal->name, size,
                              journal->disk.calls, fault);
    return disk_open_file(&journal->disk, journal->directory, path, journal->name, size, journal->disk.calls,
                          &made, fault);
}

enum err
journal_create(struct journal *journal, const char *path, uint64_t floor, struct fault *fault)
{
    if (unlinkat(journal->directory, journal->name, 0) != 0 && errno != ENOENT)
        return fault_set_errno(fault, errno, "cannot replace %s/%s", path, journal->name);
    enum err err = open_file(journal, path, fault);
    if (err != ERR_NONE)
        return err;
    journal->floor = journal->last = floor;
    err = write_header(journal);
    if (err == ERR_NONE)
        err = disk_sync(&journal->disk);
    if (err == ERR_NONE)
        return ERR_NONE;
    disk_close(&journal->disk);
    unlinkat(journal->directory, journal->name, 0);
    return fault_set(fault, err, "cannot write %s/%s: %s", path, journal->name, err_text(err));
}

static bool
has_its_size(const struct journal *journal)
{
    struct stat status;
    return fstatat(journal->directory, journal->name, &status, AT_SYMLINK_NOFOLLOW) == 0
           && S_ISREG(status.st_mode) && (uint64_t)status.st_size == place_of(journal->slots);
}

static bool
read_header(struct journal *journal)
{
    struct journal_header header;
    if (disk_read(&journal->disk, 0, &header, sizeof header) != ERR_NONE)
        return false;
    journal->floor = le64_get(header.floor);
    return memcmp(header.magic, magic, sizeof magic) == 0 && le32_get(header.format) == LAYOUT_FORMAT
           && le32_get(header.shard) == journal->shard && le32_get(header.slots) == journal->slots
           && memcmp(header.store, journal->store, sizeof header.store) == 0
           && journal->floor <= JOURNAL_POSITION_MAX
           && le64_get(header.sum) == hash_checksum(span_of(&header, offsetof(struct journal_header, sum)));
}

enum err
journal_open(struct journal *journal, const char *path, struct fault *fault)
{
    if (!has_its_size(journal))
        return fault_set(fault, ERR_CORRUPT, "%s/%s is not there, or not whole", path, journal->name);
    enum err err = open_file(journal, path, fault);
    if (err != ERR_NONE)
        return err;
    if (read_header(journal))
        return ERR_NONE;
    disk_close(&journal->disk);
    return fault_set(fault, ERR_CORRUPT, "%s/%s is damaged", path, journal->name);
}

void
journal_close(struct journal *journal)
{
    disk_close(&journal->disk);
}

/* ── writing ── */

/* The last resort: without its journal a shard begins empty. */
static void
give_up(struct journal *journal)
{
    journal->lost = true;
    journal->due = MONO_NEVER;
    bool gone = unlinkat(journal->directory, journal->name, 0) == 0;
    log_write(journal->log, LOG_ERROR,
              "store: %s cannot be written: the next start begins without this shard%s", journal->name,
              gone ? "" : ", but the file cannot be removed either: remove it by hand");
}

void
journal_abandon(struct journal *journal)
{
    give_up(journal);
    disk_close(&journal->disk);
}

/* A tombstone that cannot be written is covered by a floor above it. The header's block is there. */
static void
cover(struct journal *journal, uint64_t position)
{
    journal->floor = position;
    if (write_header(journal) != ERR_NONE)
        give_up(journal);
    else
        log_write(
            journal->log, LOG_ERROR,
            "store: a purge cannot be written to %s: after a crash, what was stored until now is not read",
            journal->name);
}

static void
want_sync(struct journal *journal)
{
    if (journal->due.ns == MONO_NEVER.ns && !journal->lost)
        journal->due = mono_add(journal->disk.calls->mono(), JOURNAL_DELAY);
}

/* Before slots are written over, what they say must be covered, on the disk. A part of the ring at a time. */
static void
make_room(struct journal *journal)
{
    uint32_t            part = journal->slots / FLOOR_PARTS;
    uint32_t            last = journal->next + part - 1;
    struct journal_slot slot;

    if (journal->next % part != 0)
        return;
    if (disk_read(&journal->disk, place_of(last), &slot, sizeof slot) != ERR_NONE) {
        give_up(journal);
        return;
    }
    if (position_of(&slot) <= journal->floor) /* zeros too: the first lap */
        return;
    journal->floor = position_of(&slot);
    if (write_header(journal) != ERR_NONE || disk_sync(&journal->disk) != ERR_NONE)
        give_up(journal);
}

void
journal_add(struct journal *journal, enum journal_type type, struct digest digest, uint64_t position)
{
    if (journal->disk.fd < 0 || journal->lost)
        return;
    CHECK(position > journal->last && position <= JOURNAL_POSITION_MAX);
    make_room(journal);
    if (journal->lost)
        return;
    struct journal_slot slot = { .digest_high = le64_of(digest.high),
                                 .digest_low = le64_of(digest.low),
                                 .what = le64_of((uint64_t)type << 56 | position) };
    slot.sum = le64_of(slot_sum(journal, journal->next, &slot));
    if (put(journal, place_of(journal->next), &slot, sizeof slot) != ERR_NONE) {
        cover(journal, position); /* the slot is written again by the next one */
    } else {
        journal->next = (journal->next + 1) % journal->slots;
        journal->last = position;
    }
    want_sync(journal);
}

void
journal_raise_floor(struct journal *journal, uint64_t position)
{
    if (journal->disk.fd < 0 || journal->lost)
        return;
    CHECK(position > journal->floor && position <= JOURNAL_POSITION_MAX);
    journal->floor = position;
    if (write_header(journal) != ERR_NONE)
        give_up(journal);
    want_sync(journal);
}

void
journal_sync(struct journal *journal)
{
    if (journal->disk.fd < 0 || journal->due.ns == MONO_NEVER.ns)
        return;
    journal->due = MONO_NEVER;
    if (disk_sync(&journal->disk) != ERR_NONE)
        give_up(journal);
}

/* ── replay ── */

struct tomb {
    struct digest digest;
    uint64_t      position; /* 0: free */
};

enum { TOMBS_FIRST = 16 };

static enum err
tombs_init(struct tombs *tombs, uint64_t room)
{
    *tombs = (struct tombs){ .slots = calloc(room, sizeof tombs->slots[0]), .mask = room - 1 };
    return tombs->slots == NULL ? ERR_NO_MEMORY : ERR_NONE;
}

void
tombs_fini(struct tombs *tombs)
{
    free(tombs->slots);
    tombs->slots = NULL;
}

/* Linear probing: the slot of the digest, or the free one where it belongs. */
static struct tomb *
tomb_of(const struct tombs *tombs, struct digest digest)
{
    uint64_t at = digest.low & tombs->mask;
    while (tombs->slots[at].position != 0 && !digest_equal(tombs->slots[at].digest, digest))
        at = (at + 1) & tombs->mask;
    return &tombs->slots[at];
}

void
tombs_prefetch(const struct tombs *tombs, struct digest digest)
{
    __builtin_prefetch(&tombs->slots[digest.low & tombs->mask]);
}

bool
tombs_cover(const struct tombs *tombs, struct digest digest, uint64_t position)
{
    return position <= tombs->floor || position <= tomb_of(tombs, digest)->position;
}

/* As large as what is in it asks for, and not as the ring could: each record that is found again looks here, and most
 * rings hold little. */
static enum err
tombs_grow(struct tombs *tombs)
{
    struct tombs larger;
    enum err     err = tombs_init(&larger, 2 * (tombs->mask + 1));

    if (err != ERR_NONE)
        return err;
    for (uint64_t i = 0; i <= tombs->mask; i++)
        if (tombs->slots[i].position != 0)
            *tomb_of(&larger, tombs->slots[i].digest) = tombs->slots[i];
    larger.count = tombs->count;
    tombs_fini(tombs);
    *tombs = larger;
    return ERR_NONE;
}

static enum err
tombs_add(struct tombs *tombs, struct digest digest, uint64_t position)
{
    if (2 * (tombs->count + 1) > tombs->mask + 1 && tombs_grow(tombs) != ERR_NONE)
        return ERR_NO_MEMORY;
    struct tomb *tomb = tomb_of(tombs, digest);
    tombs->count += tomb->position == 0;
    tomb->digest = digest;
    tomb->position = position > tomb->position ? position : tomb->position;
    return ERR_NONE;
}

struct replay {
    struct journal *journal;
    struct tombs   *tombs;
    uint64_t        before; /* position in the slot before */
    uint64_t        first;  /* ... in slot 0 */
    unsigned        falls;  /* how often positions fell */
    uint32_t        number;
    bool            ended; /* zeros have begun */
};

static enum err
replay_slot(struct replay *replay, const struct journal_slot *slot)
{
    static const struct journal_slot zeros;
    struct journal                  *journal = replay->journal;
    uint32_t                         number = replay->number++;

    if (memcmp(slot, &zeros, sizeof zeros) == 0) {
        if (!replay->ended)
            journal->next = number;
        replay->ended = true;
        return replay->falls == 0 ? ERR_NONE : ERR_CORRUPT;
    }
    uint64_t position = position_of(slot);
    if (replay->ended || le64_get(slot->sum) != slot_sum(journal, number, slot) || position == 0
        || le64_get(slot->what) >> 56 != JOURNAL_PURGE)
        return ERR_CORRUPT;
    if (position <= replay->before) {
        replay->falls++;
        journal->next = number;
    }
    if (number == 0)
        replay->first = position;
    replay->before = position;
    journal->last = position > journal->last ? position : journal->last;
    struct digest digest = { le64_get(slot->digest_high), le64_get(slot->digest_low) };
    return tombs_add(replay->tombs, digest, position);
}

static enum err
replay_all(struct replay *replay, struct journal_slot *slots)
{
    struct journal *journal = replay->journal;
    enum err        err = ERR_NONE;

    while (replay->number < journal->slots && err == ERR_NONE) {
        uint32_t left = journal->slots - replay->number;
        uint32_t count = left < READ_SLOTS ? left : READ_SLOTS;
        if (disk_read(&journal->disk, place_of(replay->number), slots, count * sizeof slots[0]) != ERR_NONE)
            return ERR_CORRUPT;
        for (uint32_t i = 0; i < count && err == ERR_NONE; i++)
            err = replay_slot(replay, &slots[i]);
    }
    return err;
}

enum err
journal_replay(struct journal *journal, struct tombs *tombs)
{
    struct replay        replay = { .journal = journal, .tombs = tombs };
    struct journal_slot *slots = malloc(READ_SLOTS * sizeof slots[0]);
    enum err             err = tombs_init(tombs, TOMBS_FIRST);

    if (slots == NULL || err != ERR_NONE)
        err = ERR_NO_MEMORY;
    else
        err = replay_all(&replay, slots);
    free(slots);
    /* All around: positions fall where the ring begins; they may do so once, and then the first is above the
     * last. */
    if (err == ERR_NONE && (replay.falls > 1 || (replay.falls == 1 && replay.first <= replay.before)))
        err = ERR_CORRUPT;
    if (err == ERR_NONE && !replay.ended && replay.falls == 0)
        journal->next = 0;
    tombs->floor = journal->floor;
    if (err == ERR_NONE)
        return ERR_NONE;
    tombs_fini(tombs);
    if (replay.number > 0) /* one behind it already */
        journal->next = replay.number - 1;
    return err;
}

enum err
journal_check(const struct journal *journal, uint64_t *at)
{
    struct journal copy = *journal; /* a replay finds where to go on writing: not here */
    struct tombs   tombs;

    *at = 0;
    if (!read_header(&copy))
        return ERR_CORRUPT;
    enum err err = journal_replay(&copy, &tombs);
    if (err == ERR_NONE)
        tombs_fini(&tombs);
    *at = place_of(copy.next);
    return err;
}
