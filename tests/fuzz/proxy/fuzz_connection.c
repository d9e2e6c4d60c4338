/* fuzz_connection.c: whole connections: a worker with cache and store, between clients and an origin that follow a script.
 *
 *      input = pieces, each 0xFF and a byte that says who does what, then the bytes:
 *
 *          low 3 bits   0 the first client sends       1 the second client sends   2 the origin sends
 *                       3 it sends and ends            4 it sends and resets       5 the first sends, half closes
 *                       6 the first sends and closes   7 the store settles, then the first sends
 *          next 2 bits  0 at once   1 a byte at a time   2 five at a time   3 at once, and the next piece with it
 *
 * From '@' on, such bytes are letters, and a script can be read: "\xff@GET ...", "\xffBHTTP/1.1 200 ...". All runs in one
 * thread, which turns the worker's loop; only the store has threads of its own.
 *
 * Holds: what reaches the origin has one framing and one Host each, and there are no more requests than larder began
 * (strict.h); what clients get are answers; when both sides are gone the worker is empty, soon; counters, memory and
 * descriptors are where they were.
 */
#include "peers.h"
#include "strict.h"
#include "worker_impl.h"

#include "client.h"

#include <larder/base/check.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPERATION = 7, TURNS = 3, QUIET_TURNS = 40, PATIENCE = 10 /* seconds */ };

#define NEVER (24 * 3600 * NSEC_PER_SEC) /* what a time limit ends would be stuck without it */
enum { FIRST, SECOND, ORIGIN, ORIGIN_ENDS, ORIGIN_RESETS, FIRST_ENDS, FIRST_CLOSES, FIRST_SETTLED };
enum { AT_ONCE, BYTEWISE, BY_FIVE, WITH_NEXT };

struct world {
    struct peers          peers;
    struct store         *store;
    struct cache         *cache;
    struct worker        *worker;
    struct site           site;
    struct site_table     sites;
    struct proxy_settings settings;
    struct span           host;
    struct addr           client;
};

/* ── made and ended for each input: nothing that an earlier one stored is there ── */

static void
make_site(struct world *world)
{
    struct pool_settings pool;

    option_defaults(&pool_options, &pool);
    pool.first_byte_timeout = pool.idle_timeout = NEVER;
    option_defaults(&cache_options, &world->site.cache);
    option_defaults(&proxy_options, &world->settings);
    world->settings.body_size = 1 << 20;
    world->settings.idle_timeout = world->settings.head_timeout = world->settings.body_timeout = NEVER;
    world->host = SPAN("*");
    world->site.name = "*";
    world->site.hosts = &world->host;
    world->site.host_count = 1;
    world->site.pool = pool_create("*", SPAN("origin"), 80, &pool);
    CHECK(world->site.pool != NULL);
    pool_set_addresses(world->site.pool, &world->peers.addr, 1, NULL);
    world->sites = (struct site_table){ &world->site, 1 };
}

static void
open_world(struct world *world)
{
    struct fault fault;

    *world = (struct world){ .store = NULL };
    peers_open(&world->peers);
    make_site(world);
    CHECK(addr_from_literal(SPAN("127.0.0.1"), 1, &world->client));
    const struct store_config store = { .size = STORE_SIZE_MIN, .readers = 1 };
    CHECK(store_open(&world->store, &store, &fault) == ERR_NONE);
    const struct cache_config cache = { .store = world->store, .workers = 1, .recent_slots = 64 };
    CHECK(cache_create(&world->cache, &cache) == ERR_NONE);
    const struct worker_config worker = {
        .cache = world->cache, .sites = &world->sites, .settings = &world->settings, .name = "larder"
    };
    CHECK(worker_create(&world->worker, &worker, &fault) == ERR_NONE);
}

static void
close_world(struct world *world)
{
    store_close(&world->store);
    worker_destroy(&world->worker);
    cache_destroy(&world->cache);
    pool_release(&world->site.pool);
    peers_close(&world->peers);
}

/* ── time goes by ── */

static void
turn(struct world *world, unsigned turns)
{
    for (unsigned i = 0; i < turns; i++) {
        loop_turn(world->worker->loop, 0);
        peers_look(&world->peers);
    }
}

struct barrier {
    struct store_job job;
    sem_t            done;
};

static void
pass_barrier(struct store_job *job, struct store_writer *writer)
{
    (void)writer;
    sem_post(&CONTAINER_OF(job, struct barrier, job)->done);
}

/* What was handed to the store before is stored after this: a store of this size is one shard. */
static void
settle(struct world *world)
{
    struct barrier barrier = { .job.run = pass_barrier };

    turn(world, TURNS);
    CHECK(sem_init(&barrier.done, 0, 0) == 0);
    if (store_submit(world->store, (struct digest){ .low = 0 }, &barrier.job) == ERR_NONE)
        while (sem_wait(&barrier.done) != 0)
            ;
    sem_destroy(&barrier.done);
    turn(world, TURNS);
}

/* ── the script ── */

static struct peer *
client_of(struct world *world, unsigned number)
{
    struct peer *client = peers_client(&world->peers, number);

    if (world->peers.theirs >= 0)
        client_open(world->worker, world->peers.theirs, &world->client, false);
    world->peers.theirs = -1;
    return client;
}

static struct peer *
who(struct world *world, unsigned what)
{
    switch (what) {
    case SECOND:
        return client_of(world, 1);
    case ORIGIN:
    case ORIGIN_ENDS:
    case ORIGIN_RESETS:
        return peers_link(&world->peers);
    default:
        return client_of(world, 0);
    }
}

static void
send_in_parts(struct world *world, struct peer *peer, struct span bytes, unsigned mode)
{
    size_t step = mode == BYTEWISE ? 1 : mode == BY_FIVE ? 5 : bytes.len;

    while (bytes.len > step) {
        peer_send(peer, span_head(bytes, step));
        bytes = span_skip(bytes, step);
        turn(world, 1);
    }
    peer_send(peer, bytes);
}

static void
play(struct world *world, unsigned operation, struct span bytes)
{
    unsigned what = operation & OPERATION, mode = operation >> 3 & 3;

    if (what == FIRST_SETTLED)
        settle(world);
    struct peer *peer = who(world, what);
    if (peer == NULL)
        return;
    send_in_parts(world, peer, bytes, mode);
    if (what == ORIGIN_ENDS || what == FIRST_ENDS)
        peer_end(peer);
    if (what == ORIGIN_RESETS || what == FIRST_CLOSES)
        peer_close(peer, what == ORIGIN_RESETS);
    if (mode != WITH_NEXT)
        turn(world, TURNS);
}

static void
play_all(struct world *world, struct span rest)
{
    while (rest.len > 1) {
        ptrdiff_t mark = span_find(rest, '\xff');
        if (mark < 0)
            return;
        rest = span_skip(rest, (size_t)mark + 1);
        if (rest.len == 0)
            return;
        unsigned operation = (unsigned char)rest.at[0];
        rest = span_skip(rest, 1);
        ptrdiff_t next = span_find(rest, '\xff');
        play(world, operation, next < 0 ? rest : span_head(rest, (size_t)next));
    }
}

/* ── the end ── */

static bool
is_empty(const struct worker *worker)
{
    return list_empty(&worker->clients) && list_empty(&worker->leads) && worker->thaws == 0;
}

/* Answers still on their way may arrive; then everybody leaves, and so must all that the worker holds for them. */
static void
leave(struct world *world)
{
    mono_time begin = clock_mono();

    turn(world, QUIET_TURNS);
    for (unsigned i = 0; i < CLIENTS; i++)
        peer_close(&world->peers.clients[i], false);
    while (!is_empty(world->worker)) {
        loop_turn(world->worker->loop, NSEC_PER_MSEC);
        peers_look(&world->peers);
        peers_end_links(&world->peers);
        CHECK(mono_since(clock_mono(), begin) < PATIENCE * NSEC_PER_SEC);
    }
}

static void
check_world(struct world *world)
{
    struct worker *worker = world->worker;
    unsigned       requests = 0;

    for (unsigned i = 0; i < world->peers.link_count; i++) {
        const struct heard *heard = &world->peers.links[i].heard;
        requests += strict_requests(span_of(heard->bytes, heard->len));
    }
    CHECK(requests
          <= metric_read(&worker->origin_metrics.fetches) + metric_read(&worker->origin_metrics.retries));
    for (unsigned i = 0; i < CLIENTS; i++) {
        const struct heard *heard = &world->peers.clients[i].heard;
        strict_answer(span_of(heard->bytes, heard->len));
    }
    CHECK(metric_read(&worker->metrics.connections) == 0
          && metric_read(&worker->metrics.requests_active) == 0);
}

/* The lowest number that is free: the same again when nothing was left open. */
static int
free_descriptor(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    int                 before = free_descriptor();

    open_world(&world);
    play_all(&world, span_of(data, size));
    leave(&world);
    check_world(&world);
    close_world(&world);
    CHECK(free_descriptor() == before);
    return 0;
}
