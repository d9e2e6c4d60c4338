/* crew.c: see crew.h. */
#include "crew.h"

#include <errno.h>
#include <larder/base/check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

/* ── set up ── */

static void
hear_end(struct mail *mail)
{
    struct crew *crew = CONTAINER_OF(mail, struct hand, ended)->crew;

    crew->ended++;
    if (crew->ended == crew->started && crew->all_ended != NULL)
        crew->all_ended(crew);
}

static enum err
create_hand(struct crew *crew, const struct worker_config *config, struct access_log *access,
            struct sockets *sockets, struct fault *fault)
{
    struct hand         *hand = &crew->hands[crew->count];
    struct worker_config own = *config;

    own.id = crew->count;
    own.access = access == NULL ? NULL : access_log_ring(access, own.id);
    *hand = (struct hand){ .crew = crew, .ended = { .deliver = hear_end } };
    enum err err = worker_create(&hand->worker, &own, fault);
    if (err != ERR_NONE)
        return err;
    crew->count++;
    for (size_t i = 0; i < sockets->count && err == ERR_NONE; i++)
        err =
            worker_listen(hand->worker, sockets_take(sockets, i, own.id), sockets->proxy_protocol[i], fault);
    return err;
}

enum err
crew_create(struct crew *crew, struct loop *control, const struct worker_config *config,
            struct access_log *access, struct sockets *sockets, void (*all_ended)(struct crew *), struct fault *fault)
{
    enum err err = ERR_NONE;

    *crew = (struct crew){ .control = control, .all_ended = all_ended };
    crew->hands = calloc(sockets->workers, sizeof crew->hands[0]);
    if (crew->hands == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    for (unsigned i = 0; i < sockets->workers && err == ERR_NONE; i++)
        err = create_hand(crew, config, access, sockets, fault);
    return err;
}

/* ── threads ── */

/* A thread may name itself and needs no file of /proc for it. */
static void *
serve(void *argument)
{
    struct hand *hand = argument;
    char         name[24]; /* the kernel takes 15 of them: "larder-w255" */

    snprintf(name, sizeof name, "larder-w%u", (unsigned)(hand - hand->crew->hands));
    prctl(PR_SET_NAME, name);
    worker_run(hand->worker);
    loop_post(hand->crew->control, &hand->ended);
    return NULL;
}

static enum err
start_thread(struct hand *hand, unsigned id, struct fault *fault)
{
    int number = pthread_create(&hand->thread, NULL, serve, hand);
    if (number != 0)
        return fault_set_errno(fault, number, "cannot start the thread of worker %u", id);
    return ERR_NONE;
}

/* Signals are the control thread's business: a worker takes none. */
enum err
crew_go(struct crew *crew, struct fault *fault)
{
    sigset_t all, before;
    enum err err = ERR_NONE;

    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* a page of the store's map that cannot be read is a miss: the store takes it */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (crew->started < crew->count && err == ERR_NONE) {
        err = start_thread(&crew->hands[crew->started], crew->started, fault);
        if (err == ERR_NONE)
            crew->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return err;
}

void
crew_stop(struct crew *crew)
{
    for (unsigned i = 0; i < crew->started; i++)
        worker_stop(crew->hands[i].worker);
}

void
crew_join(struct crew *crew)
{
    for (unsigned i = 0; i < crew->started && !crew->joined; i++)
        pthread_join(crew->hands[i].thread, NULL);
    crew->joined = true;
    while (crew->ended < crew->started) /* their last mail is there; it refers to us */
        loop_turn(crew->control, 0);
}

void
crew_destroy(struct crew *crew)
{
    CHECK(crew->started == 0 || crew->joined);
    for (unsigned i = 0; i < crew->count; i++)
        worker_destroy(&crew->hands[i].worker);
    free(crew->hands);
    *crew = (struct crew){ .hands = NULL };
}
