/* index.c: two-choice buckets over a hash space that can be stretched. See index.h for the picture.
 *
 * The second choice of a hash flips bits of it that hang on the tag alone, so it leads back from there by
 * the same flip: an entry can move between its two buckets without anyone knowing the key.
 */
#include "entry.h"

#include <larder/base/check.h>
#include <sys/mman.h>

enum { BYTES_PER_BUCKET = 4 * 16 * 1024, STRETCH_MAX = 128, TAG_MASK = (1 << INDEX_TAG_BITS) - 1 };

enum { FULL = 7, FULL_OF = 9 }; /* so full that it grows */

enum { MOVES_MAX = 2 }; /* to make room for one entry: what then still finds none is one of many millions */

__extension__ typedef unsigned __int128 wide;

/* ── hashes and buckets ── */

/* The upper bits of the caller's hash: bucket and tag come from these. */
static uint64_t
fold(const struct index *index, uint64_t hash)
{
    return hash >> (64 - INDEX_TAG_BITS - index->bits);
}

static uint64_t
other_choice(const struct index *index, uint64_t folded)
{
    uint64_t flip = ((folded & TAG_MASK) * UINT64_C(0x9e3779b97f4a7c15) >> 20) | 1;
    return folded ^ (flip & ((UINT64_C(1) << index->bits) - 1)) << INDEX_TAG_BITS;
}

static uint64_t
number_of(const struct index *index, const struct index_table *table, uint64_t folded)
{
    return (uint64_t)((wide)folded * table->count >> (INDEX_TAG_BITS + index->bits));
}

static struct index_bucket *
bucket_of(const struct index *index, uint64_t folded)
{
    if (index->old.buckets != NULL) {
        uint64_t number = number_of(index, &index->old, folded);
        if (number >= index->moved)
            return &index->old.buckets[number];
    }
    return &index->table.buckets[number_of(index, &index->table, folded)];
}

/* The only hash of that tag in the bucket's range, which is at most 2^20 wide. */
static uint64_t
folded_of(const struct index *index, const struct index_table *table, uint64_t number,
          const struct index_entry *entry)
{
    wide     space = (wide)1 << (INDEX_TAG_BITS + index->bits);
    uint64_t least = (uint64_t)((number * space + table->count - 1) / table->count);
    return least + ((entry_tag(entry) - least) & TAG_MASK);
}

static const struct index_table *
table_of(const struct index *index, const struct index_bucket *bucket)
{
    const struct index_table *old = &index->old;
    bool in_old = old->buckets != NULL && bucket >= old->buckets && bucket < old->buckets + old->count;
    return in_old ? old : &index->table;
}

static struct index_bucket *
other_bucket(const struct index *index, struct index_bucket *bucket, const struct index_entry *entry)
{
    const struct index_table *table = table_of(index, bucket);
    uint64_t                  folded = folded_of(index, table, (uint64_t)(bucket - table->buckets), entry);
    return bucket_of(index, other_choice(index, folded));
}

/* ── tables ── */

bool
index_table_create(struct index_table *table, uint64_t count)
{
    void *memory = mmap(NULL, count * sizeof(struct index_bucket), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    *table = (struct index_table){ memory, count };
    return true;
}

void
index_table_free(struct index_table *table)
{
    if (table->buckets != NULL)
        munmap(table->buckets, table->count * sizeof(struct index_bucket));
    *table = (struct index_table){ NULL, 0 };
}

void
index_replace(struct index *index, struct index_table table, uint64_t entries)
{
    CHECK(index->old.buckets == NULL && table.count <= index->count_max);
    index_table_free(&index->table);
    index->table = table;
    index->entries = entries;
}

/* All of it will be filled at once, in no order: large pages are fewer faults, and fewer misses of the TLB. Where there
 * are none it goes without. */
static void
expect_full(struct index_table *table)
{
    madvise(table->buckets, table->count * sizeof table->buckets[0], MADV_HUGEPAGE);
}

/* At the load at which it would grow. */
void
index_reserve(struct index *index, uint64_t entries)
{
    uint64_t           count = entries * FULL_OF / (INDEX_SLOTS * FULL) + 1;
    struct index_table table;

    CHECK(index->entries == 0);
    count = count < index->count_max ? count : index->count_max;
    if (count <= index->table.count || !index_table_create(&table, count))
        return;
    expect_full(&table);
    index_replace(index, table, 0);
}

enum err
index_init(struct index *index, uint64_t bytes)
{
    unsigned bits = 1;
    while (bits < 40 && (uint64_t)BYTES_PER_BUCKET << bits < bytes)
        bits++;
    *index = (struct index){ .bits = bits, .count_max = (UINT64_C(1) << bits) * STRETCH_MAX };
    return index_table_create(&index->table, UINT64_C(1) << bits) ? ERR_NONE : ERR_NO_MEMORY;
}

void
index_fini(struct index *index)
{
    index_table_free(&index->table);
    index_table_free(&index->old);
}

uint64_t
index_memory(const struct index *index)
{
    return (index->table.count + index->old.count) * sizeof(struct index_bucket);
}

/* ── finding ── */

static unsigned
match_in(struct index_bucket *bucket, uint32_t tag, struct index_entry **found, unsigned count)
{
    for (uint32_t i = 0; i < bucket->used; i++)
        if (entry_tag(&bucket->entries[i]) == tag)
            found[count++] = &bucket->entries[i];
    return count;
}

static struct index_spot
spot_of(const struct index *index, uint64_t folded)
{
    return (struct index_spot){ .first = bucket_of(index, folded),
                                .second = bucket_of(index, other_choice(index, folded)),
                                .tag = (uint32_t)(folded & TAG_MASK) };
}

struct index_spot
index_locate(const struct index *index, uint64_t hash)
{
    return spot_of(index, fold(index, hash));
}

unsigned
index_match_at(const struct index_spot *spot, struct index_entry *found[INDEX_MATCHES])
{
    unsigned count = match_in(spot->first, spot->tag, found, 0);
    return spot->first == spot->second ? count : match_in(spot->second, spot->tag, found, count);
}

unsigned
index_match(const struct index *index, uint64_t hash, struct index_entry *found[INDEX_MATCHES])
{
    struct index_spot spot = index_locate(index, hash);
    return index_match_at(&spot, found);
}

struct index_entry *
index_at(const struct index *index, uint64_t hash, struct index_place place)
{
    struct index_entry *found[INDEX_MATCHES];
    unsigned            count = index_match(index, hash, found);

    for (unsigned i = 0; i < count; i++) {
        struct index_place at = entry_place(found[i]);
        if (at.segment == place.segment && at.offset == place.offset)
            return found[i];
    }
    return NULL;
}

struct index_facts
index_read(const struct index_entry *entry)
{
    return entry_unpack(entry);
}

void
index_set_freq(struct index_entry *entry, unsigned freq)
{
    entry_set_freq(entry, freq);
}

void
index_set_verified(struct index_entry *entry)
{
    entry->words[1] &= ~(uint32_t)UNVERIFIED;
}

void
index_set_unverified(struct index_entry *entry)
{
    entry->words[1] |= UNVERIFIED;
}

void
index_set_place(struct index_entry *entry, struct index_place place)
{
    entry_set_place(entry, place);
}

/* ── adding and removing ── */

static bool
put_in(struct index_bucket *bucket, const struct index_entry *entry)
{
    if (bucket->used == INDEX_SLOTS)
        return false;
    bucket->entries[bucket->used++] = *entry;
    return true;
}

/* One cuckoo move: an entry of the full bucket goes to its own other choice, and leaves its slot. With `moves` left, room is
 * made there first: what goes from there cannot come here, where all is full. At most two, since a third could. */
static bool
make_room(const struct index *index, struct index_bucket *bucket, unsigned moves)
{
    for (uint32_t i = 0; i < INDEX_SLOTS; i++) {
        struct index_bucket *other = other_bucket(index, bucket, &bucket->entries[i]);
        if (other == bucket || (moves > 1 && !make_room(index, other, moves - 1)))
            continue;
        if (put_in(other, &bucket->entries[i])) {
            bucket->entries[i] = bucket->entries[--bucket->used];
            return true;
        }
    }
    return false;
}

static bool
put_with_moves(const struct index *index, struct index_bucket *first, struct index_bucket *second,
               const struct index_entry *entry)
{
    for (unsigned moves = 1; moves <= MOVES_MAX; moves++)
        if (make_room(index, first, moves))
            return put_in(first, entry);
        else if (make_room(index, second, moves))
            return put_in(second, entry);
    return false;
}

static struct index_entry *
least_used(struct index_bucket *first, struct index_bucket *second)
{
    struct index_entry *least = &first->entries[0];
    for (unsigned i = 1; i < INDEX_MATCHES; i++) {
        struct index_entry *entry = i < INDEX_SLOTS ? &first->entries[i] : &second->entries[i - INDEX_SLOTS];
        if (entry_freq(entry) < entry_freq(least))
            least = entry;
    }
    return least;
}

static void
put(struct index *index, const struct index_spot *spot, const struct index_entry *entry,
    struct index_drops *drops)
{
    struct index_bucket *first = spot->first, *second = spot->second;

    if (put_in(second->used < first->used ? second : first, entry)
        || put_with_moves(index, first, second, entry))
        return;
    struct index_entry *victim = least_used(first, second);
    CHECK(drops->count < INDEX_DROPS);
    drops->entries[drops->count++] = *victim;
    *victim = *entry;
    index->entries--;
}

void
index_insert_at(struct index *index, const struct index_spot *spot, const struct index_facts *facts,
                struct index_drops *drops)
{
    struct index_entry entry = entry_pack(spot->tag, facts);

    put(index, spot, &entry, drops);
    index->entries++;
}

void
index_insert(struct index *index, uint64_t hash, const struct index_facts *facts, struct index_drops *drops)
{
    struct index_spot spot = index_locate(index, hash);
    index_insert_at(index, &spot, facts, drops);
}

void
index_remove(struct index *index, struct index_entry *entry)
{
    size_t               beyond = (uintptr_t)entry % sizeof(struct index_bucket);
    struct index_bucket *bucket = (struct index_bucket *)(void *)((char *)entry - beyond);

    CHECK(bucket->used > 0);
    *entry = bucket->entries[--bucket->used];
    index->entries--;
}

bool
index_sweep(struct index *index, uint32_t segment, uint64_t *at, unsigned *removed)
{
    uint64_t end = *at + INDEX_STEP < index->table.count ? *at + INDEX_STEP : index->table.count;

    CHECK(index->old.buckets == NULL);
    for (; *at < end; ++*at) {
        struct index_bucket *bucket = &index->table.buckets[*at];
        for (uint32_t i = bucket->used; i-- > 0;) {
            if (entry_place(&bucket->entries[i]).segment == segment) {
                index_remove(index, &bucket->entries[i]);
                ++*removed;
            }
        }
    }
    return end == index->table.count;
}

bool
index_clear(struct index *index, uint64_t *at)
{
    uint64_t end = *at + INDEX_STEP < index->table.count ? *at + INDEX_STEP : index->table.count;

    CHECK(index->old.buckets == NULL);
    for (; *at < end; ++*at) {
        index->entries -= index->table.buckets[*at].used;
        index->table.buckets[*at].used = 0;
    }
    return end == index->table.count;
}

/* ── growing ── */

bool
index_has_room(const struct index *index, uint64_t entries)
{
    return (index->entries + entries) * FULL_OF <= index->table.count * INDEX_SLOTS * FULL;
}

bool
index_is_full(const struct index *index)
{
    return !index_has_room(index, 0);
}

bool
index_grow_prepare(const struct index *index, struct index_table *larger)
{
    uint64_t count = index->table.count + index->table.count / 4 + 1;
    return count <= index->count_max && index_table_create(larger, count);
}

void
index_grow_begin(struct index *index, struct index_table larger)
{
    CHECK(index->old.buckets == NULL && larger.count > index->table.count);
    index->old = index->table;
    index->table = larger;
    index->moved = 0;
}

/* The bucket counts as moved before its entries go, so that none of them comes back to it. */
static void
move_bucket(struct index *index, struct index_drops *drops)
{
    uint64_t             number = index->moved++;
    struct index_bucket *bucket = &index->old.buckets[number];

    for (uint32_t i = 0; i < bucket->used; i++) {
        uint64_t          folded = folded_of(index, &index->old, number, &bucket->entries[i]);
        struct index_spot spot = spot_of(index, folded);
        if (!put_in(spot.first, &bucket->entries[i]))
            put(index, &spot, &bucket->entries[i], drops);
    }
}

bool
index_grow_step(struct index *index, struct index_drops *drops)
{
    for (unsigned i = 0; i < INDEX_STEP && index->moved < index->old.count; i++)
        move_bucket(index, drops);
    return index->moved == index->old.count;
}

struct index_table
index_grow_end(struct index *index)
{
    struct index_table old = index->old;
    CHECK(index->moved == old.count);
    index->old = (struct index_table){ NULL, 0 };
    return old;
}
