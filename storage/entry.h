/* entry.h: the 96 bits of an index entry.
 *
 *      word 0   tag 20 │ freq 4 │ segment 22..15 (8)
 *      word 1   expiry 22 │ unverified 1 │ size code 9
 *      word 2   segment 14..0 (15) │ offset 17
 *
 * Size code: units of 64 bytes as exponent (5 bits) and mantissa (4 bits, the leading 1 left out), rounded
 * up. Exact up to 32 units. (`freq` and `unverified` change after an entry is written, and they share
 * their words with what never moves while the lock is free: readers may change them under the lock.)
 */
#ifndef LARDER_STORAGE_ENTRY_H
#define LARDER_STORAGE_ENTRY_H

#include "index.h"

enum {
    SIZE_UNIT = 64,
    MANTISSA_BITS = 4,
    MANTISSA_ONE = 1 << MANTISSA_BITS,
    SIZE_MASK = (1 << 9) - 1,
    UNVERIFIED = 1 << 9
};

static inline uint32_t
size_encode(uint64_t bytes)
{
    uint64_t units = (bytes + SIZE_UNIT - 1) / SIZE_UNIT;
    if (units < MANTISSA_ONE)
        return (uint32_t)units;
    unsigned shift = 63u - (unsigned)__builtin_clzll(units) - MANTISSA_BITS;
    /* The mantissa may round up to twice MANTISSA_ONE: the sum carries into the exponent, as it should. */
    uint64_t mantissa = (units + (UINT64_C(1) << shift) - 1) >> shift;
    return (uint32_t)(((uint64_t)(shift + 1) << MANTISSA_BITS) + mantissa - MANTISSA_ONE);
}

static inline uint64_t
size_decode(uint32_t code)
{
    uint32_t exponent = code >> MANTISSA_BITS, mantissa = code & (MANTISSA_ONE - 1);
    if (exponent == 0)
        return (uint64_t)mantissa * SIZE_UNIT;
    return ((uint64_t)(mantissa + MANTISSA_ONE) << (exponent - 1)) * SIZE_UNIT;
}

static inline uint32_t
entry_tag(const struct index_entry *entry)
{
    return entry->words[0] >> 12;
}

static inline unsigned
entry_freq(const struct index_entry *entry)
{
    return entry->words[0] >> 8 & 15;
}

static inline struct index_place
entry_place(const struct index_entry *entry)
{
    return (struct index_place){ .segment = (entry->words[0] & 255) << 15 | entry->words[2] >> 17,
                                 .offset = entry->words[2] & INDEX_OFFSET_MAX };
}

static inline void
entry_set_freq(struct index_entry *entry, unsigned freq)
{
    entry->words[0] = (entry->words[0] & ~(15u << 8)) | freq << 8;
}

static inline void
entry_set_place(struct index_entry *entry, struct index_place place)
{
    entry->words[0] = (entry->words[0] & ~255u) | place.segment >> 15;
    entry->words[2] = place.segment << 17 | place.offset;
}

static inline struct index_entry
entry_pack(uint32_t tag, const struct index_facts *facts)
{
    uint32_t           unverified = facts->unverified ? UNVERIFIED : 0;
    struct index_entry entry = { { tag << 12, facts->expiry << 10 | unverified | size_encode(facts->size),
                                   0 } };
    entry_set_freq(&entry, facts->freq);
    entry_set_place(&entry, facts->place);
    return entry;
}

static inline struct index_facts
entry_unpack(const struct index_entry *entry)
{
    return (struct index_facts){ .place = entry_place(entry),
                                 .freq = entry_freq(entry),
                                 .expiry = entry->words[1] >> 10,
                                 .unverified = (entry->words[1] & UNVERIFIED) != 0,
                                 .size = size_decode(entry->words[1] & SIZE_MASK) };
}

#endif
