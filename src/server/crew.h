/* crew.h: the workers and their threads.
 *
 *      created ──crew_go──▶ running ──crew_stop──▶ ending ──mail──▶ all ended ──crew_join──▶ destroyed
 *
 * Owner: the control thread.
 */
#ifndef SERVER_CREW_H
#define SERVER_CREW_H

#include "sockets.h"

#include <larder/admin/access_log.h>
#include <larder/proxy/worker.h>
#include <pthread.h>

struct hand {
    struct crew   *crew;
    struct worker *worker;
    pthread_t      thread;
    struct mail    ended; /* from its thread, when worker_run has returned */
};

struct crew {
    struct loop *control;
    struct hand *hands;
    unsigned     count;   /* workers that were created */
    unsigned     started; /* threads that were started */
    unsigned     ended;
    bool         joined;
    void (*all_ended)(struct crew *crew);
};

/* Creates the workers and gives them their sockets and their rings of the access log (NULL: there is none). `config` is
 * the same for all but for these and the id. */
MUST_CHECK enum err crew_create(struct crew *crew, struct loop *control, const struct worker_config *config,
                                struct access_log *access, struct sockets *sockets,
                                void (*all_ended)(struct crew *), struct fault *fault);

/* Starts the threads. After a failure some may run: crew_stop and crew_join end them. */
MUST_CHECK enum err crew_go(struct crew *crew, struct fault *fault);

/* Asks all to stop; the second time, at once. */
void crew_stop(struct crew *crew);

/* Waits for the threads. Idempotent. */
void crew_join(struct crew *crew);

/* The threads are joined, and the store is closed: its last jobs still write to the workers. */
void crew_destroy(struct crew *crew);

#endif
