/* slice.c: slices found, claimed and paced.
 *
 * Claiming is done as for whole objects: the flights' table is locked while the store is asked, and a flight is
 * unhooked only after its record can be found, so two runs never write one slice at the same time. Nobody waits for the disk:
 * what may be there and is not in memory is not free to be claimed.
 *
 * A run waits by the handshake that a fill has: the flag is raised, then the reason is looked at again; who takes
 * the reason away lowers the flag, and the one who has lowered it calls `wake`.
 */
#include <larder/cache/slice.h>

#include "tables.h"

#include <larder/base/check.h>
#include <stdlib.h>

enum {
    BITS_MOST = 20,
    RECORD_SPARE = 16 * 1024, /* for key text and meta; a URL is shorter by far */
    LANDING_MAX = 3,          /* slices of one run that wait to be written */
    AHEAD = 1,                /* so far a run goes before its fastest reader */
    LIFE_DAYS = 7             /* of a slice beyond its head: a 304 may give that one a longer life */
};

/* Owner: references. */
struct slice_run {
    _Atomic unsigned refs;
    _Atomic unsigned landing, readers;
    _Atomic uint64_t reached;
    _Atomic bool     paused;
    void (*wake)(void *owner);
    void *owner;
};

unsigned
slice_bits(const struct store *store)
{
    unsigned bits = BITS_MOST;
    while (bits > SLICE_BITS_MIN && ((size_t)1 << bits) + RECORD_SPARE > store_record_max(store))
        bits--;
    return bits;
}

/* ── finding ── */

/* MISSING, STORED or COLD. */
static enum slice_found
look_in_store(const struct slice_view *view, const struct store_key *key, wall_time now, struct lease *lease,
              struct cold **cold)
{
    switch (store_look(view->cache->store, view->reader, key, now, view->reads, lease, cold)) {
    case FIND_FOUND:
        return SLICE_STORED;
    case FIND_COLD:
        return SLICE_COLD;
    case FIND_MISSING:
        break;
    }
    return SLICE_MISSING;
}

static enum err
write_key(const struct slice_view *view, uint64_t number, struct store_key *key)
{
    const struct hash_seed *seed = store_seed(view->cache->store);
    return key_slice(view->arena, seed, &view->primary, view->generation, number, key);
}

/* A flight under way, or what has landed in the meantime: one step under the table's lock. */
static enum slice_found
look_under_way(const struct slice_view *view, const struct store_key *key, wall_time now, struct lease *lease,
               struct cold **cold, struct flight **flight)
{
    struct flight_table *table = cache_table(view->cache, key->digest);
    enum slice_found     found = SLICE_ARRIVING;

    lock_acquire(&table->lock);
    struct flight *under_way = flight_find(table, key->digest);
    if (under_way != NULL)
        *flight = flight_acquire(under_way);
    else
        found = look_in_store(view, key, now, lease, cold);
    lock_release(&table->lock);
    return found;
}

enum slice_found
slice_find(const struct slice_view *view, uint64_t number, wall_time now, struct lease *lease,
           struct cold **cold, struct flight **flight)
{
    struct arena_mark mark = arena_mark(view->arena);
    struct store_key  key;
    enum slice_found  found = SLICE_NO_MEMORY;

    *lease = (struct lease){ .shard = NULL };
    *cold = NULL;
    *flight = NULL;
    if (write_key(view, number, &key) == ERR_NONE) {
        found = look_in_store(view, &key, now, lease, cold);
        if (found == SLICE_MISSING)
            found = look_under_way(view, &key, now, lease, cold, flight);
    }
    arena_release(view->arena, mark);
    return found;
}

bool
slice_is_known(const struct slice_view *view, uint64_t number, wall_time now)
{
    struct arena_mark mark = arena_mark(view->arena);
    struct store_key  key;
    bool              known = true;

    if (write_key(view, number, &key) == ERR_NONE) {
        struct flight_table *table = cache_table(view->cache, key.digest);
        lock_acquire(&table->lock);
        known = flight_find(table, key.digest) != NULL || store_knows(view->cache->store, &key, now);
        lock_release(&table->lock);
    }
    arena_release(view->arena, mark);
    return known;
}

/* ── claiming ── */

static struct flight *
create_flight(const struct slice_view *view, const struct store_key *key, uint64_t number,
              struct slice_run *run)
{
    struct flight *flight = flight_create(view->cache, key, key, key->digest, true);
    if (flight == NULL)
        return NULL;
    atomic_fetch_add_explicit(&run->refs, 1, memory_order_relaxed);
    flight->run = run;
    flight->number = number;
    cache_count(&view->cache->metrics.slices_in_memory);
    return flight;
}

/* What is cold counts: who wants to know more has it read. */
static bool
may_be_stored(const struct slice_view *view, const struct store_key *key, wall_time now)
{
    struct lease lease;
    struct cold *cold;

    if (view->alone)
        return false;
    enum slice_found found = look_in_store(view, key, now, &lease, &cold);
    lease_release(&lease);
    cold_release(&cold);
    return found != SLICE_MISSING;
}

static enum err
hook(const struct slice_view *view, const struct store_key *key, wall_time now, struct flight *flight)
{
    struct flight_table *table = cache_table(view->cache, key->digest);

    lock_acquire(&table->lock);
    bool exists = flight_find(table, key->digest) != NULL || may_be_stored(view, key, now);
    if (!exists)
        flight_hook(flight);
    lock_release(&table->lock);
    return exists ? ERR_EXISTS : ERR_NONE;
}

enum err
slice_claim(const struct slice_view *view, uint64_t number, wall_time now, struct slice_run *run,
            struct flight **flight)
{
    struct arena_mark mark = arena_mark(view->arena);
    struct store_key  key;

    *flight = NULL;
    enum err err = write_key(view, number, &key);
    if (err == ERR_NONE && (*flight = create_flight(view, &key, number, run)) == NULL)
        err = ERR_NO_MEMORY;
    if (err == ERR_NONE)
        err = hook(view, &key, now, *flight);
    if (err != ERR_NONE)
        flight_release(flight);
    arena_release(view->arena, mark);
    return err;
}

/* ── runs ── */

struct slice_run *
slice_run_create(void (*wake)(void *owner))
{
    struct slice_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return NULL;
    atomic_init(&run->refs, 1);
    run->wake = wake;
    return run;
}

void
slice_run_set_owner(struct slice_run *run, void *owner)
{
    run->owner = owner;
}

void
slice_run_release(struct slice_run **pointer)
{
    struct slice_run *run = *pointer;
    *pointer = NULL;
    if (run != NULL && atomic_fetch_sub_explicit(&run->refs, 1, memory_order_acq_rel) == 1)
        free(run);
}

bool
slice_run_is_read(struct slice_run *run)
{
    return atomic_load(&run->readers) > 0;
}

static bool
is_to_wait(struct slice_run *run, uint64_t number, bool followed)
{
    if (atomic_load(&run->landing) > LANDING_MAX)
        return true;
    return (followed || slice_run_is_read(run)) && number > atomic_load(&run->reached) + AHEAD;
}

static void
wake(struct slice_run *run)
{
    if (atomic_exchange(&run->paused, false))
        run->wake(run->owner);
}

bool
slice_run_must_wait(struct slice_run *run, uint64_t number, bool followed)
{
    if (!is_to_wait(run, number, followed))
        return false;
    atomic_store(&run->paused, true);
    /* The reason may have gone before the flag could be seen: then nobody else will tell us. */
    return is_to_wait(run, number, followed) || !atomic_exchange(&run->paused, false);
}

bool
slice_run_forget(struct slice_run *run)
{
    return atomic_exchange(&run->paused, false);
}

void
slice_run_reach(struct slice_run *run, uint64_t number)
{
    uint64_t reached = atomic_load(&run->reached);
    while (reached < number && !atomic_compare_exchange_weak(&run->reached, &reached, number))
        ;
    if (reached < number)
        wake(run);
}

static struct slice_run *
acquire_run(struct slice_run *run)
{
    atomic_fetch_add_explicit(&run->refs, 1, memory_order_relaxed);
    return run;
}

static struct slice_run *
join(struct slice_run *run, uint64_t number)
{
    atomic_fetch_add(&run->readers, 1);
    slice_run_reach(run, number);
    return acquire_run(run);
}

struct slice_run *
slice_run_join(struct flight *flight)
{
    return join(flight->run, flight->number);
}

void
slice_run_feed(struct slice_run *run, struct flight *main)
{
    CHECK(main->feed == NULL);
    main->feed = acquire_run(run);
}

struct slice_run *
slice_run_follow(struct flight *main, uint64_t number)
{
    return main->feed == NULL ? NULL : join(main->feed, number);
}

void
slice_run_leave(struct slice_run **run)
{
    if (*run == NULL)
        return;
    if (atomic_fetch_sub(&(*run)->readers, 1) == 1)
        wake(*run);
    slice_run_release(run);
}

uint64_t
slice_number(const struct flight *flight)
{
    return flight->number;
}

bool
slice_is_stored(const struct flight *flight)
{
    return atomic_load_explicit(&((struct flight *)(uintptr_t)flight)->stored, memory_order_relaxed);
}

void
slice_begin_landing(struct flight *flight)
{
    if (flight->run != NULL)
        atomic_fetch_add(&flight->run->landing, 1);
}

void
slice_end_landing(struct flight *flight)
{
    if (flight->run == NULL)
        return;
    atomic_fetch_sub(&flight->run->landing, 1);
    wake(flight->run);
}

void
slice_forget_run(struct flight *flight)
{
    if (flight->run == NULL)
        return;
    atomic_fetch_sub_explicit(&flight->cache->metrics.slices_in_memory, 1, memory_order_relaxed);
    slice_run_release(&flight->run);
}

/* ── what a flight tells ── */

/* A slice is found only through its head, so what is said of that one holds; its key is nobody's but the run's. */
static struct verdict
verdict_of(wall_time expires)
{
    return (struct verdict){ .store = true,
                             .reusable = true,
                             .expires = wall_add(expires, LIFE_DAYS * 24 * 3600 * NSEC_PER_SEC) };
}

enum err
slice_share(const struct slice_view *view, struct flight *flight, wall_time expires, int64_t length)
{
    struct arena_mark mark = arena_mark(view->arena);
    struct verdict    verdict = verdict_of(expires);
    struct span       meta;

    enum err err = object_write_slice(view->arena, verdict.expires, &meta);
    if (err == ERR_NONE)
        err = flight_share(flight, meta, &verdict, SPAN_EMPTY, SPAN_EMPTY, length);
    arena_release(view->arena, mark);
    return err;
}

/* ── growing ── */

/* Slice 0 has the bytes that the flight has got so far. */
static struct flight *
claim_first(const struct slice_view *view, struct slice_run *run, struct flight *main)
{
    struct flight *first;

    if (slice_claim(view, 0, (wall_time){ 0 }, run, &first) != ERR_NONE)
        return NULL;
    if (slice_share(view, first, main->verdict.expires, -1) != ERR_NONE) {
        flight_unhook(first);
        flight_release(&first);
        return NULL;
    }
    struct fill *own = first->fill;
    first->fill = fill_acquire(main->fill); /* nobody has seen this flight: its generation is not known yet */
    fill_release(&own);
    return first;
}

struct flight *
slice_grow(const struct slice_view *view, struct slice_run *run, struct flight *main, bool unranged)
{
    struct flight *first = claim_first(view, run, main);
    if (first == NULL)
        return NULL;
    main->slicing = (struct slicing){
        .generation = view->generation, .complete = -1, .bits = view->bits, .unranged = unranged
    };
    slice_run_feed(run, main);
    atomic_store_explicit(&main->complete, -1, memory_order_relaxed);
    atomic_store_explicit(&main->grown, true, memory_order_release);
    return first;
}

bool
slice_has_grown(const struct flight *main, struct slicing *slicing)
{
    struct flight *flight = (struct flight *)(uintptr_t)main;

    if (!atomic_load_explicit(&flight->grown, memory_order_acquire))
        return false;
    *slicing = flight->slicing;
    slicing->complete = atomic_load_explicit(&flight->complete, memory_order_acquire);
    return true;
}

void
slice_grown_end(struct flight *main, int64_t complete)
{
    atomic_store_explicit(&main->complete, complete, memory_order_release);
}
