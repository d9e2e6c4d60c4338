/* index.h: where a record lies, found by its hash: 12 bytes for each record, in buckets of 64.
 *
 *      hash ─┬─▶ bucket ─▶ { used │ entry × 5 }      two choices; where both are full entries move to
 *            └─▶ bucket ─▶ { used │ entry × 5 }      their other choice, or the least used of the ten goes
 *
 * An entry knows 20 bits of the hash (its tag), how often it was found, where the record lies, about how
 * large it is and when it expires: what is surely expired is not even looked at on the disk. A match of the
 * tag is a guess that the reader settles with digest and key text in the record.
 *
 * Memory. The hash space is (first buckets) × 2^20, and a bucket is a range of it, so bucket and tag
 * together give an entry's whole hash back. The table can thus be stretched to any size without a look at
 * the records: it starts with room for records of 16 KiB (a thousandth of the store's size, and untouched
 * pages cost nothing), and when it is filled to 7/9 it grows by a quarter. So 17 to 21 bytes for each
 * record, whatever their size is. Stretching goes bucket by bucket: `old` is in force from `moved` on, and
 * readers come in between. It costs tag bits: at 16 times the first size (records of 1 KiB) 16 of 20 are
 * left, at 128 times, which is the bound (the smallest records), 13.
 *
 * Guard: shard->lock for every call but init and fini. Only the store thread adds, moves and removes
 * entries; readers change `freq` and `unverified`. Places are in units of 64 bytes.
 */
#ifndef LARDER_STORAGE_INDEX_H
#define LARDER_STORAGE_INDEX_H

#include <assert.h>
#include <larder/base/err.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    INDEX_SLOTS = 5,
    INDEX_MATCHES = 2 * INDEX_SLOTS,
    INDEX_TAG_BITS = 20,
    INDEX_SEGMENTS_MAX = 1 << 23,
    INDEX_OFFSET_MAX = (1 << 17) - 1,
    INDEX_EXPIRY_UNIT = 8,            /* seconds */
    INDEX_EXPIRY_ASK = (1 << 22) - 1, /* later than can be said: ask the record */
    INDEX_STEP = 32,                  /* buckets that one step of growing or sweeping visits */
    INDEX_DROPS = INDEX_STEP * INDEX_SLOTS
};

/* 96 bits: tag 20, freq 4, expiry 22, unverified 1, size code 9, segment 23, offset 17. Offset 0 is a
 * segment's header: no record. */
struct index_entry {
    uint32_t words[3];
};

struct index_place {
    uint32_t segment;
    uint32_t offset; /* in units of 64 bytes */
};

/* What an entry says, unpacked. */
struct index_facts {
    struct index_place place;
    unsigned           freq;
    uint32_t           expiry; /* in units of 8 s since the index's epoch, rounded up; or INDEX_EXPIRY_ASK */
    bool               unverified; /* an earlier run wrote it, and its sums have not been looked at since */
    uint64_t           size;       /* in bytes; read back it may be up to a sixteenth too large */
};

struct index_bucket {
    uint32_t           used; /* the first so many entries are taken */
    struct index_entry entries[INDEX_SLOTS];
};

static_assert(sizeof(struct index_entry) == 12, "index entry");
static_assert(sizeof(struct index_bucket) == 64, "index bucket");

struct index_table {
    struct index_bucket *buckets;
    uint64_t             count;
};

struct index {
    struct index_table table;
    struct index_table old; /* while growing; no buckets else */
    uint64_t           moved;
    unsigned           bits; /* of the first table's count; the hash has `bits` + INDEX_TAG_BITS */
    uint64_t           count_max;
    uint64_t           entries;
};

/* Entries that lost their slot: the caller accounts for them. */
struct index_drops {
    unsigned           count;
    struct index_entry entries[INDEX_DROPS];
};

/* For a shard of so many bytes. */
MUST_CHECK enum err index_init(struct index *index, uint64_t bytes);
void                index_fini(struct index *index);

/* Where the entry of a hash may lie: worked out once, for several calls. Good until the table grows or is replaced. */
struct index_spot {
    struct index_bucket *first, *second; /* may be one */
    uint32_t             tag;
};

struct index_spot index_locate(const struct index *index, uint64_t hash);

/* It will be looked at soon: its buckets are on their way from memory. */
static inline void
index_prefetch(const struct index_spot *spot)
{
    __builtin_prefetch(spot->first, 1);
    __builtin_prefetch(spot->second, 1);
}

/* The entries that may be the one of `hash`; good until the next call that adds, moves or removes. */
unsigned index_match(const struct index *index, uint64_t hash, struct index_entry *found[INDEX_MATCHES]);
unsigned index_match_at(const struct index_spot *spot, struct index_entry *found[INDEX_MATCHES]);

/* The entry of `hash` that says `place`, or NULL. */
struct index_entry *index_at(const struct index *index, uint64_t hash, struct index_place place);

/* Adds an entry; one that had to give way goes to `drops`. */
void index_insert(struct index *index, uint64_t hash, const struct index_facts *facts,
                  struct index_drops *drops);
void index_insert_at(struct index *index, const struct index_spot *spot, const struct index_facts *facts,
                     struct index_drops *drops);
void index_remove(struct index *index, struct index_entry *entry);

struct index_facts index_read(const struct index_entry *entry);
void               index_set_freq(struct index_entry *entry, unsigned freq);
void               index_set_verified(struct index_entry *entry);
void               index_set_unverified(struct index_entry *entry);
void               index_set_place(struct index_entry *entry, struct index_place place);

/* Growing, by the store thread: prepare the larger table without the lock; then begin, step until it is
 * through, and end with it; then free what end gave back, without it. Prepare fails when memory ends or
 * the table is as large as it may be: then it drops. */
bool               index_is_full(const struct index *index);
bool               index_has_room(const struct index *index, uint64_t entries); /* ... for so many more */
bool               index_grow_prepare(const struct index *index, struct index_table *larger);
void               index_grow_begin(struct index *index, struct index_table larger);
bool               index_grow_step(struct index *index, struct index_drops *drops);
struct index_table index_grow_end(struct index *index);
void               index_table_free(struct index_table *table);

/* A table of that many buckets, empty; false when memory ends. */
bool index_table_create(struct index_table *table, uint64_t count);

/* Room for so many entries at once, where that is known before the first is added, instead of growing to it step by
 * step. Nothing changes when the room is there already, or memory ends. */
void index_reserve(struct index *index, uint64_t entries);

/* Takes over a table that was filled for an index of as many `bits`, in place of its own. */
void index_replace(struct index *index, struct index_table table, uint64_t entries);

/* Removes all entries of a segment, a step of buckets at a time; *at begins as 0. True when it is through. */
bool index_sweep(struct index *index, uint32_t segment, uint64_t *at, unsigned *removed);

/* The same for all entries. */
bool index_clear(struct index *index, uint64_t *at);

/* Bytes of memory that the table takes. */
uint64_t index_memory(const struct index *index);

#endif
