/* flight.c: the life of a flight: phases, ports, hooks.
 *
 * The leader writes what a phase publishes and then the phase itself (release); whoever reads the phase
 * (acquire) may read that without a lock. Ports are told under the table's lock but woken after it: waking may
 * cost a system call. A port that is told stays in memory until it has heard (flight_port_close).
 */
#include "tables.h"

#include <larder/base/check.h>
#include <larder/base/list.h>
#include <stdio.h>
#include <stdlib.h>

/* Copies to `*at`, which goes on behind it. An empty span stays empty, with a pointer. */
static struct span
keep(char **at, struct span from)
{
    struct span copy = span_of(*at, from.len);

    if (from.len > 0)
        memcpy(*at, from.at, from.len);
    *at += from.len;
    return copy;
}

static struct flight_table *
table_of(struct flight *flight)
{
    return cache_table(flight->cache, flight->name);
}

struct flight *
flight_create(struct cache *cache, const struct store_key *primary, const struct store_key *key,
              struct digest name, bool may_store)
{
    size_t         size = sizeof(struct flight) + cache->workers * sizeof(struct flight_port *);
    struct flight *flight = calloc(1, size + primary->text.len + key->text.len);
    if (flight == NULL)
        return NULL;
    char *texts = (char *)flight + size;
    flight->cache = cache;
    flight->may_store = may_store;
    flight->primary = (struct store_key){ primary->digest, keep(&texts, primary->text) };
    flight->key = (struct store_key){ key->digest, keep(&texts, key->text) };
    flight->name = name;
    flight->purges = atomic_load(&table_of(flight)->purges);
    atomic_init(&flight->refs, 1);
    atomic_init(&flight->phase, FLIGHT_OPEN);
    return flight;
}

struct flight *
flight_acquire(struct flight *flight)
{
    atomic_fetch_add_explicit(&flight->refs, 1, memory_order_relaxed);
    return flight;
}

void
flight_release(struct flight **pointer)
{
    struct flight *flight = *pointer;
    *pointer = NULL;
    if (flight == NULL || atomic_fetch_sub_explicit(&flight->refs, 1, memory_order_acq_rel) != 1)
        return;
    CHECK(!flight->hooked);
    slice_forget_run(flight);
    slice_run_release(&flight->feed);
    fill_release(&flight->fill);
    free(flight->kept);
    free(flight);
}

/* ── hooks ── */

static bool
has_digest(const struct map_node *node, const void *wanted)
{
    const struct flight *flight = CONTAINER_OF(node, struct flight, node);
    return digest_equal(flight->name, *(const struct digest *)wanted);
}

/* A hooked flight is referenced by its table. */
void
flight_hook(struct flight *flight)
{
    lock_assert_held(&table_of(flight)->lock);
    CHECK(!flight->hooked);
    map_insert(&table_of(flight)->flights, &flight_acquire(flight)->node, flight->name.low);
    flight->hooked = true;
    cache_count(&flight->cache->metrics.flights);
}

/* The table's reference is the caller's now. */
static void
take_off(struct flight_table *table, struct flight *flight)
{
    flight->hooked = false;
    map_remove(&table->flights, &flight->node);
    atomic_fetch_sub_explicit(&flight->cache->metrics.flights, 1, memory_order_relaxed);
}

struct flight *
flight_find(struct flight_table *table, struct digest digest)
{
    lock_assert_held(&table->lock);
    struct map_node *node = map_find(&table->flights, digest.low, has_digest, &digest);
    return node == NULL ? NULL : CONTAINER_OF(node, struct flight, node);
}

void
flight_unhook(struct flight *flight)
{
    struct flight_table *table = table_of(flight);
    struct flight       *hooked = NULL;

    lock_acquire(&table->lock);
    if (flight->hooked) {
        take_off(table, flight);
        hooked = flight;
    }
    lock_release(&table->lock);
    flight_release(&hooked);
}

void
flight_doom_all(struct cache *cache, struct digest primary)
{
    struct flight_table *table = cache_table(cache, primary);
    struct flight       *dropped = NULL;

    do {
        dropped = NULL;
        lock_acquire(&table->lock);
        for (size_t i = 0; i <= table->flights.mask && dropped == NULL; i++)
            for (struct map_node *node = table->flights.chains[i]; node != NULL; node = node->next) {
                struct flight *flight = CONTAINER_OF(node, struct flight, node);
                if (digest_equal(flight->primary.digest, primary)) {
                    dropped = flight;
                    break;
                }
            }
        if (dropped != NULL) {
            dropped->doomed = true;
            take_off(table, dropped);
        }
        lock_release(&table->lock);
        flight_release(&dropped);
    } while (dropped != NULL);
}

bool
flight_is_doomed(struct flight *flight)
{
    struct flight_table *table = table_of(flight);

    lock_acquire(&table->lock);
    uint64_t purges = atomic_load(&table->purges);
    bool     doomed = flight->doomed || purges - flight->purges > PURGES_KEPT;
    for (uint64_t number = flight->purges; !doomed && number < purges; number++)
        doomed = digest_equal(table->purged[number % PURGES_KEPT], flight->primary.digest);
    lock_release(&table->lock);
    return doomed;
}

/* ── ports ── */

struct flight_port *
flight_port_of(struct flight *flight, unsigned worker)
{
    CHECK(worker < flight->cache->workers);
    return flight->ports[worker]; /* only this worker writes its slot */
}

void
flight_port_open(struct flight *flight, unsigned worker, struct flight_port *port)
{
    atomic_init(&port->told, false);
    lock_acquire(&table_of(flight)->lock);
    CHECK(flight->ports[worker] == NULL);
    flight->ports[worker] = port;
    lock_release(&table_of(flight)->lock);
}

bool
flight_port_close(struct flight *flight, unsigned worker)
{
    lock_acquire(&table_of(flight)->lock);
    struct flight_port *port = flight->ports[worker];
    CHECK(port != NULL);
    flight->ports[worker] = NULL;
    bool told = atomic_load(&port->told);
    lock_release(&table_of(flight)->lock);
    return !told;
}

void
flight_hear(struct flight_port *port)
{
    atomic_store(&port->told, false);
}

void
flight_tell(struct flight *flight)
{
    enum { BATCH = 64 };
    struct flight_port *wake[BATCH];
    unsigned            worker = 0, workers = flight->cache->workers;

    while (worker < workers) {
        unsigned count = 0;
        lock_acquire(&table_of(flight)->lock);
        for (; worker < workers && count < BATCH; worker++) {
            struct flight_port *port = flight->ports[worker];
            if (port != NULL && !atomic_exchange(&port->told, true))
                wake[count++] = port;
        }
        lock_release(&table_of(flight)->lock);
        for (unsigned i = 0; i < count; i++)
            wake[i]->wake(wake[i]);
    }
}

bool
flight_has_followers(struct flight *flight)
{
    bool any = false;
    lock_acquire(&table_of(flight)->lock);
    for (unsigned i = 0; i < flight->cache->workers && !any; i++)
        any = flight->ports[i] != NULL;
    lock_release(&table_of(flight)->lock);
    return any;
}

/* ── phases: the leader's worker ── */

static void
enter(struct flight *flight, enum flight_phase phase)
{
    CHECK(atomic_load(&flight->phase) == FLIGHT_OPEN);
    atomic_store_explicit(&flight->phase, phase, memory_order_release);
    flight_tell(flight);
}

/* An answer has come. Those who ask for a key whose answers cannot be reused need not wait for each other. */
static void
note_outcome(struct flight *flight)
{
    recent_forget(flight->cache->troubled, flight->name);
    if (flight->verdict.reusable)
        recent_forget(flight->cache->uncacheable, flight->name);
    else
        recent_remember(flight->cache->uncacheable, flight->name, clock_mono());
}

/* For what the answer brought; NULL when memory ends. It may have ended before, in an earlier try. */
static char *
make_room(struct flight *flight, size_t size)
{
    free(flight->kept);
    flight->kept = malloc(size + 1);
    return flight->kept;
}

enum err
flight_share(struct flight *flight, struct span meta, const struct verdict *verdict, struct span vary,
             struct span values, int64_t length)
{
    char        *at = make_room(flight, meta.len + vary.len + values.len);
    struct fill *fill = at == NULL ? NULL : fill_create(length > 0 ? (uint64_t)length : 0);

    if (fill == NULL)
        return ERR_NO_MEMORY;
    flight->meta = keep(&at, meta);
    flight->vary = keep(&at, vary);
    flight->values = keep(&at, values);
    flight->verdict = *verdict;
    flight->verdict.hidden[0] = flight->verdict.hidden[1] = SPAN_EMPTY; /* they point into the head */
    flight->length = length;
    flight->fill = fill;
    note_outcome(flight);
    enter(flight, FLIGHT_SHARED);
    return ERR_NONE;
}

/* Unhooks first: whoever comes now starts alone or leads again, and does not queue here in vain. */
enum err
flight_let_go(struct flight *flight, enum reason reason, bool remember)
{
    struct fill *fill = fill_create(0);
    if (fill == NULL)
        return ERR_NO_MEMORY;
    flight->fill = fill;
    flight->reason = reason;
    if (remember)
        recent_remember(flight->cache->uncacheable, flight->name, clock_mono());
    flight_unhook(flight);
    enter(flight, FLIGHT_RELEASED);
    return ERR_NONE;
}

enum err
flight_refresh(struct flight *flight, struct span meta, const struct verdict *verdict, wall_time created)
{
    char *at = make_room(flight, meta.len);
    if (at == NULL)
        return ERR_NO_MEMORY;
    flight->meta = keep(&at, meta);
    flight->verdict = *verdict;
    flight->refreshed_created = created;
    note_outcome(flight);
    enter(flight, FLIGHT_REFRESHED);
    return ERR_NONE;
}

void
flight_fail(struct flight *flight, int failure, const char *detail)
{
    flight->failure = failure;
    snprintf(flight->detail, sizeof flight->detail, "%s", detail);
    flight_unhook(flight);
    enter(flight, FLIGHT_FAILED);
}

void
flight_note_alone(struct flight *flight)
{
    recent_remember(flight->cache->uncacheable, flight->name, clock_mono());
}

void
flight_note_trouble(struct flight *flight)
{
    recent_remember(flight->cache->troubled, flight->name, clock_mono());
}

void
flight_outgrow(struct flight *flight, enum reason reason)
{
    flight->reason = reason;
    recent_remember(flight->cache->uncacheable, flight->name, clock_mono());
    flight_unhook(flight);
    /* Under the lock, because a worker that found the flight earlier may open its cursor just now. */
    lock_acquire(&table_of(flight)->lock);
    fill_pass(flight->fill);
    lock_release(&table_of(flight)->lock);
}

bool
flight_open_body(struct flight *flight, struct cursor *cursor)
{
    lock_acquire(&table_of(flight)->lock);
    bool kept = fill_is_kept(flight->fill);
    if (kept)
        cursor_open(cursor, flight->fill);
    lock_release(&table_of(flight)->lock);
    return kept;
}

void
flight_abandon(struct flight *flight)
{
    flight_unhook(flight);
}

/* ── reading ── */

enum flight_phase
flight_phase(const struct flight *flight)
{
    return atomic_load_explicit(&((struct flight *)(uintptr_t)flight)->phase, memory_order_acquire);
}

struct span
flight_meta(const struct flight *flight)
{
    return flight->meta;
}

const struct verdict *
flight_verdict(const struct flight *flight)
{
    return &flight->verdict;
}

struct span
flight_vary(const struct flight *flight)
{
    return flight->vary;
}

bool
flight_suits(const struct flight *flight, struct span values)
{
    return span_equal(flight->values, values);
}

int64_t
flight_length(const struct flight *flight)
{
    return flight->length;
}

wall_time
flight_refreshed_created(const struct flight *flight)
{
    return flight->refreshed_created;
}

enum reason
flight_reason(const struct flight *flight)
{
    return flight->reason;
}

int
flight_failure(const struct flight *flight, const char **detail)
{
    *detail = flight->detail;
    return flight->failure;
}

struct fill *
flight_fill(const struct flight *flight)
{
    return flight->fill;
}

bool
flight_may_store(const struct flight *flight)
{
    return flight->may_store;
}

const struct store_key *
flight_key(const struct flight *flight)
{
    return &flight->key;
}
