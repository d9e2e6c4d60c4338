/* rate.c: GCRA in a table of eight-fold sets. See rate.h for why nobody gains by being forgotten. */
#include <larder/proxy/rate.h>

#include <larder/base/check.h>
#include <larder/base/hash.h>
#include <larder/base/lock.h>
#include <stdlib.h>

enum { WAYS = 8, STRIPES = 64, LINE = 64 };

/* 0, 0: nobody's yet. Its time is past in any case. */
struct bucket {
    uint64_t tag;
    nsec     full_at; /* on the monotonic clock */
};

/* Two lines of the processor's cache. */
struct set {
    struct bucket buckets[WAYS];
};

struct stripe {
    _Alignas(LINE) struct lock lock;
};

struct rates {
    struct stripe    stripes[STRIPES];
    struct hash_seed seed;
    struct set      *sets;
    uint64_t         mask; /* sets - 1 */
};

enum err
rate_set(struct rate *rate, uint64_t count, nsec period, uint64_t burst)
{
    const nsec year = 365 * 24 * 3600 * NSEC_PER_SEC;

    if (count == 0 || count > (uint64_t)period || burst == 0 || burst > RATE_BURST_MAX)
        return ERR_RANGE;
    nsec interval = period / (nsec)count, longest;
    if (__builtin_mul_overflow(interval, (nsec)burst, &longest) || longest > year)
        return ERR_RANGE;
    *rate = (struct rate){ .interval = interval, .burst = burst };
    return ERR_NONE;
}

/* ── the table ── */

enum err
rates_create(struct rates **out, size_t buckets)
{
    struct rates *rates = aligned_alloc(LINE, sizeof *rates);
    size_t        sets = 1;

    *out = NULL;
    if (rates == NULL)
        return ERR_NO_MEMORY;
    while (sets * WAYS < buckets)
        sets *= 2;
    rates->mask = sets - 1;
    rates->sets = calloc(sets, sizeof rates->sets[0]);
    if (rates->sets == NULL) {
        free(rates);
        return ERR_NO_MEMORY;
    }
    hash_seed_random(&rates->seed);
    hash_seed_expand(&rates->seed);
    for (unsigned i = 0; i < STRIPES; i++)
        lock_init(&rates->stripes[i].lock, LOCK_RANK_RATE, "rate");
    *out = rates;
    return ERR_NONE;
}

void
rates_destroy(struct rates **pointer)
{
    struct rates *rates = *pointer;

    *pointer = NULL;
    if (rates == NULL)
        return;
    for (unsigned i = 0; i < STRIPES; i++)
        lock_fini(&rates->stripes[i].lock);
    free(rates->sets);
    free(rates);
}

/* ── events ── */

/* The bucket of the tag, or the one that it takes over: that which is full first. */
static struct bucket *
find(struct set *set, uint64_t tag)
{
    struct bucket *first = &set->buckets[0];

    for (unsigned i = 0; i < WAYS; i++) {
        struct bucket *bucket = &set->buckets[i];
        if (bucket->tag == tag)
            return bucket;
        if (bucket->full_at < first->full_at)
            first = bucket;
    }
    return first;
}

static bool
take(struct bucket *bucket, uint64_t tag, const struct rate *rate, nsec now, nsec *wait)
{
    nsec full_at = bucket->full_at > now ? bucket->full_at : now;
    nsec ahead = full_at - now, most = rate->interval * (nsec)(rate->burst - 1);

    if (ahead > most) {
        *wait = ahead - most;
        return false;
    }
    *bucket = (struct bucket){ .tag = tag, .full_at = full_at + rate->interval };
    *wait = 0;
    return true;
}

bool
rates_take(struct rates *rates, struct span name, const struct rate *rate, mono_time now, nsec *wait)
{
    struct digest digest = hash_digest(&rates->seed, name);
    uint64_t      place = digest.high & rates->mask;
    struct lock  *lock = &rates->stripes[place % STRIPES].lock;

    CHECK(rate->interval > 0 && rate->burst > 0);
    lock_acquire(lock);
    bool may = take(find(&rates->sets[place], digest.low), digest.low, rate, now.ns, wait);
    lock_release(lock);
    return may;
}
