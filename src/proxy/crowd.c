/* crowd.c: see crowd.h. */
#include <larder/proxy/crowd.h>

#include <larder/base/check.h>
#include <larder/base/hash.h>
#include <larder/base/list.h>
#include <larder/base/lock.h>
#include <larder/base/map.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { STRIPES = 16, CHAINS = 64, LINE = 64, CLIENT_BITS = 64 };

/* Zeroed before it is filled: it is hashed and compared as bytes. */
struct name {
    uint64_t high, low, is_ipv6;
};

struct guest {
    struct map_node node;
    struct name     name;
    uint64_t        count;
};

struct stripe {
    _Alignas(LINE) struct lock lock; /* guards the rest, and the guests in it */
    struct map guests;
};

struct crowd {
    struct stripe    stripes[STRIPES];
    _Atomic uint64_t size;
    uint64_t         most, most_each;
    struct hash_seed seed;
};

/* ── life ── */

enum err
crowd_create(struct crowd **out, uint64_t most, uint64_t most_each)
{
    struct crowd *crowd = aligned_alloc(LINE, sizeof *crowd);

    *out = NULL;
    if (crowd == NULL)
        return ERR_NO_MEMORY;
    memset(crowd, 0, sizeof *crowd);
    crowd->most = most;
    crowd->most_each = most_each;
    hash_seed_random(&crowd->seed);
    hash_seed_expand(&crowd->seed);
    for (unsigned i = 0; i < STRIPES; i++)
        lock_init(&crowd->stripes[i].lock, LOCK_RANK_CROWD, "crowd");
    *out = crowd;
    for (unsigned i = 0; i < STRIPES; i++)
        if (map_init(&crowd->stripes[i].guests, CHAINS) != ERR_NONE) {
            crowd_destroy(out);
            return ERR_NO_MEMORY;
        }
    return ERR_NONE;
}

void
crowd_destroy(struct crowd **pointer)
{
    struct crowd *crowd = *pointer;

    *pointer = NULL;
    if (crowd == NULL)
        return;
    CHECK(atomic_load(&crowd->size) == 0);
    for (unsigned i = 0; i < STRIPES; i++) {
        map_fini(&crowd->stripes[i].guests);
        lock_fini(&crowd->stripes[i].lock);
    }
    free(crowd);
}

/* ── coming and going ── */

static struct name
name_of(const struct network *client)
{
    struct network wide = network_widen(*client, CLIENT_BITS);
    struct name    name;

    memset(&name, 0, sizeof name);
    name.high = wide.high;
    name.low = wide.low;
    name.is_ipv6 = wide.is_ipv6;
    return name;
}

static bool
is_named(const struct map_node *node, const void *wanted)
{
    return memcmp(&CONTAINER_OF((struct map_node *)(uintptr_t)node, struct guest, node)->name, wanted, sizeof(struct name)) == 0;
}

static struct stripe *
stripe_of(struct crowd *crowd, uint64_t hash)
{
    return &crowd->stripes[hash >> 60];
}

/* Under the stripe's lock. */
static enum crowd_answer
count_in(struct crowd *crowd, struct stripe *stripe, const struct name *name, uint64_t hash, struct guest **out)
{
    struct map_node *node = map_find(&stripe->guests, hash, is_named, name);
    struct guest    *guest = node == NULL ? calloc(1, sizeof *guest) : CONTAINER_OF(node, struct guest, node);

    if (guest == NULL)
        return CROWD_FULL;
    if (node != NULL && crowd->most_each > 0 && guest->count >= crowd->most_each)
        return CROWD_FULL_OF_CLIENT;
    if (node == NULL) {
        guest->name = *name;
        map_insert(&stripe->guests, &guest->node, hash);
    }
    guest->count++;
    *out = guest;
    return CROWD_IN;
}

enum crowd_answer
crowd_enter(struct crowd *crowd, const struct network *client, struct guest **guest)
{
    struct name    name = name_of(client);
    uint64_t       hash = hash_digest(&crowd->seed, span_of((const char *)&name, sizeof name)).high;
    struct stripe *stripe = stripe_of(crowd, hash);

    *guest = NULL;
    if (atomic_fetch_add_explicit(&crowd->size, 1, memory_order_relaxed) >= crowd->most && crowd->most > 0) {
        atomic_fetch_sub_explicit(&crowd->size, 1, memory_order_relaxed);
        return CROWD_FULL;
    }
    lock_acquire(&stripe->lock);
    enum crowd_answer answer = count_in(crowd, stripe, &name, hash, guest);
    lock_release(&stripe->lock);
    if (answer != CROWD_IN)
        atomic_fetch_sub_explicit(&crowd->size, 1, memory_order_relaxed);
    return answer;
}

void
crowd_leave(struct crowd *crowd, struct guest **pointer)
{
    struct guest *guest = *pointer;

    *pointer = NULL;
    if (guest == NULL)
        return;
    struct stripe *stripe = stripe_of(crowd, guest->node.hash);
    lock_acquire(&stripe->lock);
    bool last = --guest->count == 0;
    if (last)
        map_remove(&stripe->guests, &guest->node);
    lock_release(&stripe->lock);
    if (last)
        free(guest);
    atomic_fetch_sub_explicit(&crowd->size, 1, memory_order_relaxed);
}

uint64_t
crowd_size(const struct crowd *crowd)
{
    return atomic_load_explicit(&((struct crowd *)(uintptr_t)crowd)->size, memory_order_relaxed);
}
