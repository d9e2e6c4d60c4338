/* load.h: the workers of `larder-bench load`: threads with a loop each, and connections that ask and measure.
 *
 *      settle: all connections are made ─▶ begin ─▶ take a request ─▶ write ─▶ read ─▶ count ─┐
 *                                            ▲                                                │
 *      closed loop: at once · open loop: when the schedule says ◀─────────────────────────────┘
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "live.h"
#include "requests.h"
#include "schedule.h"
#include "tally.h"
#include "zipf.h"

#include <larder/net/stream.h>
#include <pthread.h>

/* What is to be done. Frozen. */
struct load_plan {
    struct requests requests;
    struct zipf     zipf;  /* who is drawn; its count is 0: they are asked in turn, or in this order: */
    const uint32_t *order; /* numbers of `total` requests; NULL */
    unsigned        connections, threads, pipeline;
    nsec            duration; /* 0: until `total` is done */
    nsec            timeout;
    uint64_t        total; /* 0: until the time is up */
    uint64_t        rate;  /* requests a second */
    const uint64_t *dues;  /* or when each of `total` is due; NULL and no rate: a closed loop */
    struct live    *live;  /* whom to tell while it runs; NULL: nobody */
};

/* Whether requests have their times, whatever the server does. */
static inline bool
load_is_open(const struct load_plan *plan)
{
    return plan->rate > 0 || plan->dues != NULL;
}

/* How many requests a closed loop has under way at once; 0 of an open one. */
static inline unsigned
load_users(const struct load_plan *plan)
{
    return load_is_open(plan) ? 0 : plan->connections * plan->pipeline;
}

/* A request under way. */
struct load_slot {
    mono_time due, sent;
    uint64_t  number; /* of plan->requests */
    size_t    size;   /* in bytes, once it is being written */
};

enum { LOAD_BUFFER = 32 * 1024, LOAD_WASTE = 1024 * 1024 };

/* Owner: its worker. */
struct load_conn {
    struct stream       stream;
    struct load_worker *worker;
    struct list         node; /* in worker->vacant while it can take a request */
    struct timer        retry;
    mono_time           since; /* when connecting began */
    bool                connected, settled;
    bool                proven; /* has brought an answer */
    struct answer       answer;
    char               *in;
    size_t              in_len;
    struct load_slot   *slots; /* a ring of plan->pipeline */
    unsigned            first, count;
    unsigned            unsent;  /* of them, at the end, not yet written */
    size_t              written; /* bytes of the first unsent one */
};

/* Owner: its thread; the main thread reads the tally after it has ended. */
struct load_worker {
    const struct load_plan *plan;
    unsigned                number;
    struct loop            *loop;
    struct tally            tally;
    struct schedule         schedule;
    struct load_conn       *conns;
    unsigned                conn_count, settled;
    struct list             vacant;
    struct task             start;
    struct timer            sweep, settle, end;
    struct watch            alarm;   /* a timerfd: the wheel's milliseconds are too coarse for a schedule */
    bool                    alarmed; /* it is set, and has not rung */
    uint64_t                share, taken, finished; /* requests; share 0: no bound */
    uint64_t                asked;                  /* requests that were numbered */
    uint64_t                random;                 /* the state of what is drawn */
    bool                    begun, ended;
    char                   *waste; /* where bodies go unseen */
    pthread_t               thread;
};

/* ── load_run.c ── */

/* Whether the numbers of the plan fit each other, and the limits of the system. */
MUST_CHECK enum err load_check(const struct load_plan *plan, struct fault *fault);

/* Runs the load, and returns when it is over. Shows how it goes when stderr is a terminal. */
MUST_CHECK enum err load_run(struct load_plan *plan, struct tally *tally, struct fault *fault);

/* ── load_worker.c ── */

MUST_CHECK enum err load_worker_init(struct load_worker *worker, const struct load_plan *plan,
                                     unsigned number, struct fault *fault);
void                load_worker_fini(struct load_worker *worker);
void               *load_worker_main(void *worker);

/* Takes the next request, when there is one to take now. */
bool load_worker_take(struct load_worker *worker, mono_time now, struct load_slot *slot);

/* Whether there may still be one to take, now or later. */
bool load_worker_has_more(const struct load_worker *worker);

/* A connection was made, or failed, for the first time. */
void load_worker_settled(struct load_worker *worker);

/* Gives what is due to connections that are vacant. */
void load_worker_dispatch(struct load_worker *worker);

/* So many requests came to an end. */
void load_worker_finished(struct load_worker *worker, uint64_t count);

/* ── load_conn.c ── */

MUST_CHECK enum err load_conn_init(struct load_conn *conn, struct load_worker *worker);
void                load_conn_fini(struct load_conn *conn);
void                load_conn_open(struct load_conn *conn);

/* Takes as many requests as it may, and writes them. False when there was none to take. */
bool load_conn_work(struct load_conn *conn);

/* Gives up what has taken longer than the limit. */
void load_conn_sweep(struct load_conn *conn, mono_time now);

#endif
