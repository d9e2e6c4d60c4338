/* worker.c: a worker's life: set up, serve, stop.
 *
 * Stopping in order: no new connections, idle clients go, answers under way end, their fetches with them. What is not over
 * at the deadline is broken off, with RST, so that no client takes a part for the whole.
 */
#include "worker_impl.h"

#include "client.h"
#include "exchange.h"
#include "lead.h"
#include "port.h"
#include "relief.h"
#include "thaw.h"

#include <larder/base/check.h>
#include <larder/http/date.h>
#include <larder/http/structured.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <stdio.h>

/* ── stopping ── */

static void
end_useless_leads(struct worker *worker)
{
    LIST_EACH(&worker->leads, node)
    {
        struct lead *lead = lead_of_node(node);
        if (lead_is_idle(lead))
            lead_abort(lead);
    }
}

void
worker_check_stopped(struct worker *worker)
{
    if (!worker->stopping || !list_empty(&worker->clients) || worker->ending)
        return;
    worker->ending = true; /* aborting leads comes back here */
    end_useless_leads(worker);
    worker->ending = false;
    if (list_empty(&worker->leads) && worker->thaws == 0)
        loop_stop(worker->loop);
}

static void
end_everything(struct worker *worker)
{
    struct list *node;

    worker->ending = true;
    while ((node = list_first(&worker->clients)) != NULL)
        client_close(CONTAINER_OF(node, struct client, node), true);
    LIST_EACH(&worker->leads, lead)
    lead_abort(lead_of_node(lead));
    worker->ending = false;
    worker_check_stopped(worker);
}

static void
fire_stop_timer(struct timer *timer)
{
    end_everything(CONTAINER_OF(timer, struct worker, stop_timer));
}

static void
begin_stop(struct mail *mail)
{
    struct worker *worker = CONTAINER_OF(mail, struct worker, stop_mail[0]);

    worker->stopping = true;
    for (unsigned i = 0; i < worker->listener_count; i++)
        listener_close(&worker->listeners[i]);
    LIST_EACH(&worker->clients, node)
    client_stop(CONTAINER_OF(node, struct client, node));
    timer_set(worker->loop, &worker->stop_timer,
              mono_add(loop_now(worker->loop), worker->config.settings->stop_timeout));
    worker_check_stopped(worker);
}

static void
stop_now(struct mail *mail)
{
    end_everything(CONTAINER_OF(mail, struct worker, stop_mail[1]));
}

void
worker_stop(struct worker *worker)
{
    unsigned calls = atomic_fetch_add(&worker->stop_calls, 1);
    if (calls < 2)
        loop_post(worker->loop, &worker->stop_mail[calls]);
}

/* ── each second ── */

/* Of the calling thread: pages for which it had to wait for the disk. */
static uint64_t
count_faults(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint64_t)usage.ru_majflt : 0;
}

static void
set_tick(struct worker *worker)
{
    timer_set(worker->loop, &worker->tick, mono_add(loop_now(worker->loop), NSEC_PER_SEC));
}

static void
fire_tick(struct timer *timer)
{
    struct worker    *worker = CONTAINER_OF(timer, struct worker, tick);
    struct loop_stats loop = loop_stats_read(worker->loop);

    metric_set(&worker->metrics.major_faults, count_faults() - worker->faults_then);
    metric_set(&worker->metrics.loop_turns, loop.turns);
    metric_set(&worker->metrics.loop_slow, loop.slow_turns);
    relief_sweep(worker);
    if (worker->denied != NULL)
        blocklist_renew(worker->config.blocklists, &worker->denied);
    set_tick(worker);
}

/* ── life ── */

static void
init_slabs(struct worker *worker)
{
    slab_init(&worker->clients_slab, sizeof(struct client), 0);
    slab_init(&worker->exchanges_slab, sizeof(struct exchange), 0);
    slab_init(&worker->buffers, BUFFER_SIZE, 0);
    slab_init(&worker->arena_chunks, ARENA_CHUNK, 0);
    slab_init(&worker->leads_slab, lead_size(), 0);
    slab_init(&worker->ports_slab, port_size(), 0);
    slab_init(&worker->thaws_slab, thaw_size(), 0);
}

static void
fini_slabs(struct worker *worker)
{
    slab_fini(&worker->thaws_slab);
    slab_fini(&worker->ports_slab);
    slab_fini(&worker->leads_slab);
    slab_fini(&worker->arena_chunks);
    slab_fini(&worker->buffers);
    slab_fini(&worker->exchanges_slab);
    slab_fini(&worker->clients_slab);
}

/* The store's seed is secret and its own, so a digest under it is a name that no other has. */
static void
name_for_loops(struct worker *worker)
{
    const struct hash_seed *seed = store_seed(cache_store(worker->config.cache));
    snprintf(worker->loop_id, sizeof worker->loop_id, "larder-%08llx",
             (unsigned long long)(hash_digest(seed, SPAN("CDN-Loop")).low & 0xffffffff));
}

/* What a hit says (RFC 9211), as far as it is always the same. */
static void
name_in_cache_status(struct worker *worker)
{
    struct writer writer;

    writer_init(&writer, worker->status_room, sizeof worker->status_room);
    write_raw(&writer, SPAN("Cache-Status: "));
    sf_write_text(&writer, span_of_text(worker->config.name));
    worker->status_named = writer.len;
    write_raw(&writer, SPAN(";hit;ttl="));
    CHECK(!writer.failed);
    worker->status_hit = writer_span(&writer);
}

enum err
worker_create(struct worker **out, const struct worker_config *config, struct fault *fault)
{
    struct worker *worker = calloc(1, sizeof *worker);
    *out = NULL;
    if (worker == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "no memory for a worker");
    worker->config = *config;
    worker->chunks = (struct chunk_limits){ (uint32_t)config->settings->extension_size,
                                            (uint32_t)config->settings->trailer_size };
    list_init(&worker->clients);
    list_init(&worker->idle);
    list_init(&worker->leads);
    list_init(&worker->slow);
    timer_init(&worker->tick, fire_tick);
    timer_init(&worker->stop_timer, fire_stop_timer);
    worker->stop_mail[0].deliver = begin_stop;
    worker->stop_mail[1].deliver = stop_now;
    name_for_loops(worker);
    init_slabs(worker);
    name_in_cache_status(worker);
    enum err err = loop_create(&worker->loop, fault);
    if (err == ERR_NONE
        && origin_create(&worker->origin, worker->loop, &worker->chunks, &worker->origin_metrics) != ERR_NONE)
        err = fault_set(fault, ERR_NO_MEMORY, "no memory for a worker");
    *out = worker;
    if (err != ERR_NONE)
        worker_destroy(out);
    return err;
}

/* Descriptors or memory have run out: who waits for nothing makes room for who asks for something. */
static void
shed_some(struct listener *listener)
{
    struct worker *worker = listener->owner;

    for (unsigned i = 0; i < SHED_AT_ONCE && client_shed_idle(worker); i++)
        ;
}

static void
accept_client(struct listener *listener, int fd, const struct addr *peer)
{
    struct worker *worker = listener->owner;

    client_open(worker, fd, peer, worker->proxy_protocol[listener - worker->listeners]);
}

enum err
worker_listen(struct worker *worker, int fd, bool proxy_protocol, struct fault *fault)
{
    if (worker->listener_count == LISTENERS_MAX) {
        close(fd);
        return fault_set(fault, ERR_LIMIT, "at most %d addresses to listen on", LISTENERS_MAX);
    }
    struct listener *listener = &worker->listeners[worker->listener_count];
    worker->proxy_protocol[worker->listener_count] = proxy_protocol;
    enum err         err = listener_open(listener, worker->loop, fd, accept_client, worker);
    listener->starved = shed_some;
    if (err != ERR_NONE)
        return fault_set(fault, err, "cannot accept connections: %s", err_text(err));
    worker->listener_count++;
    return ERR_NONE;
}

void
worker_run(struct worker *worker)
{
    worker->faults_then = count_faults();
    set_tick(worker);
    loop_run(worker->loop);
    timer_cancel(worker->loop, &worker->tick);
    timer_cancel(worker->loop, &worker->stop_timer);
}

/* Mail that readers on other workers sent late is delivered by loop_destroy; it frees the last leads and ports. */
void
worker_destroy(struct worker **pointer)
{
    struct worker *worker = *pointer;
    *pointer = NULL;
    if (worker == NULL)
        return;
    for (unsigned i = 0; i < worker->listener_count; i++)
        listener_close(&worker->listeners[i]);
    if (worker->origin != NULL)
        origin_destroy(&worker->origin);
    if (worker->loop != NULL)
        loop_destroy(&worker->loop);
    CHECK(list_empty(&worker->clients) && list_empty(&worker->leads));
    blocklist_release(&worker->denied);
    fini_slabs(worker);
    free(worker);
}

/* ── what others ask ── */

struct span
worker_date(struct worker *worker)
{
    int64_t second = wall_seconds(loop_wall(worker->loop));
    if (second != worker->date_second) {
        worker->date_second = second;
        date_format(second, worker->date);
    }
    return span_of(worker->date, DATE_SIZE);
}

bool
worker_metrics(const struct worker *worker, unsigned index, const struct metric_table **table,
               const void **cells)
{
    switch (index) {
    case 0:
        *table = &proxy_metrics_table;
        *cells = &worker->metrics;
        return true;
    case 1:
        *table = &origin_metrics_table;
        *cells = &worker->origin_metrics;
        return true;
    case 2:
        *table = &reason_metrics_table;
        *cells = &worker->reasons;
        return true;
    case 3:
        *table = &refusal_metrics_table;
        *cells = &worker->refusals;
        return true;
    default:
        return false;
    }
}
