/* recall.h: places that a reader remembers, so that a hot hit takes no lock and looks into no index that others share.
 *
 *      slot: hash ▶ place, version ── pin it ──▶ is the segment's version still that? ──▶ then the index still says so
 *                                                        ▲
 *      store thread: an entry goes, or moves ──────── one more, and only then: pins_held
 *
 * Noted is what the index said under the lock, what turned out to be the wanted record, and what is so hot that another
 * hit would tell the eviction policy nothing. All else goes to the index. That a version is taken before the pins are
 * looked at, and a pin before the version, makes one of the two see the other (both in the one order of seq_cst).
 *
 * Owner: the reader, of its slots. The versions, one for each segment, are written by the store thread alone.
 */
#ifndef LARDER_STORAGE_RECALL_H
#define LARDER_STORAGE_RECALL_H

#include "index.h"

#include <stdatomic.h>
#include <stddef.h>

enum { RECALL_SLOTS = 16384, RECALL_SLOTS_LEAST = 1024 };

struct recall_slot {
    uint64_t           hash, version;
    struct index_place place;        /* offset 0: nothing */
    uint32_t           size, expiry; /* as in index_facts */
};

struct recall {
    struct recall_slot *slots;
    uint32_t            mask;
};

/* Of the slots that a reader has in all, this shard's part. */
MUST_CHECK enum err recall_init(struct recall *recall, unsigned shards);
void                recall_fini(struct recall *recall);

/* What is remembered of the hash, or NULL. It has two slots, and a newcomer pushes the older of two others out. */
static inline struct recall_slot *
recall_find(const struct recall *recall, uint64_t hash)
{
    struct recall_slot *pair = &recall->slots[hash & recall->mask & ~UINT64_C(1)];

    for (unsigned i = 0; i < 2; i++)
        if (pair[i].hash == hash && pair[i].place.offset != 0)
            return &pair[i];
    return NULL;
}

void recall_note(const struct recall *recall, const struct recall_slot *noted);

/* ── versions ── */

static inline uint64_t
recall_version(_Atomic uint64_t *versions, uint32_t segment)
{
    return atomic_load_explicit(&versions[segment], memory_order_seq_cst);
}

/* By the store thread: an entry of that segment has left the index. */
static inline void
recall_outdate(_Atomic uint64_t *versions, uint32_t segment)
{
    atomic_fetch_add_explicit(&versions[segment], 1, memory_order_seq_cst);
}

#endif
