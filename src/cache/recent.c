/* recent.c: sets of eight words: 40 bits of the digest, 24 bits of time in seconds.
 *
 * A false match (2^-40 per slot) sends one request alone that could have been shared: harmless.
 */
#include "recent.h"

#include <larder/base/check.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WAYS = 8 };

#define TIME_MASK UINT64_C(0xffffff)

struct recent {
    size_t           sets;
    unsigned         seconds;
    _Atomic uint64_t words[];
};

struct recent *
recent_create(size_t slots, unsigned seconds)
{
    CHECK(slots >= WAYS && (slots & (slots - 1)) == 0);
    struct recent *table = calloc(1, sizeof *table + slots * sizeof table->words[0]);
    if (table != NULL) {
        table->sets = slots / WAYS;
        table->seconds = seconds;
    }
    return table;
}

void
recent_destroy(struct recent **table)
{
    free(*table);
    *table = NULL;
}

static _Atomic uint64_t *
set_of(const struct recent *table, struct digest digest)
{
    return (_Atomic uint64_t *)(uintptr_t)&table->words[(digest.low & (table->sets - 1)) * WAYS];
}

/* The digest's part of a word; never 0, which is an empty slot. */
static uint64_t
tag_of(struct digest digest)
{
    return (digest.high << 24) | (UINT64_C(1) << 24);
}

static uint64_t
seconds_of(mono_time now)
{
    return (uint64_t)(now.ns / NSEC_PER_SEC) & TIME_MASK;
}

/* Age of a word in seconds, right across the wrap of 24 bits. */
static uint64_t
age_of(uint64_t word, mono_time now)
{
    return (seconds_of(now) - (word & TIME_MASK)) & TIME_MASK;
}

void
recent_remember(struct recent *table, struct digest digest, mono_time now)
{
    _Atomic uint64_t *set = set_of(table, digest), *oldest = set;
    uint64_t          oldest_age = 0;

    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t word = atomic_load_explicit(&set[i], memory_order_relaxed);
        uint64_t age = word == 0 ? TIME_MASK : age_of(word, now);
        if ((word & ~TIME_MASK) == tag_of(digest)) {
            oldest = &set[i];
            break;
        }
        if (age >= oldest_age) {
            oldest = &set[i];
            oldest_age = age;
        }
    }
    atomic_store_explicit(oldest, tag_of(digest) | seconds_of(now), memory_order_relaxed);
}

void
recent_forget(struct recent *table, struct digest digest)
{
    _Atomic uint64_t *set = set_of(table, digest);
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t word = atomic_load_explicit(&set[i], memory_order_relaxed);
        if ((word & ~TIME_MASK) == tag_of(digest))
            atomic_compare_exchange_strong(&set[i], &word, 0);
    }
}

bool
recent_knows(const struct recent *table, struct digest digest, mono_time now)
{
    const _Atomic uint64_t *set = set_of(table, digest);
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t word = atomic_load_explicit(&set[i], memory_order_relaxed);
        if ((word & ~TIME_MASK) == tag_of(digest) && age_of(word, now) < table->seconds)
            return true;
    }
    return false;
}
