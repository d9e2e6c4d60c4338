/* load_run.c: the threads of a load: started, waited for, and what they counted added up. See load.h. */
#include "load.h"
#include "descriptors.h"

#include <larder/base/check.h>
#include <stdlib.h>

enum err
load_check(const struct load_plan *plan, struct fault *fault)
{
    if (plan->threads > plan->connections)
        return fault_set(fault, ERR_RANGE, "--threads %u: each needs a connection, and there are %u",
                         plan->threads, plan->connections);
    if (plan->total > 0 && plan->total < plan->threads)
        return fault_set(fault, ERR_RANGE, "--threads %u: each needs a request", plan->threads);
    return descriptors_raise(plan->connections, fault);
}

static enum err
init_workers(struct load_worker *workers, const struct load_plan *plan, unsigned *count, struct fault *fault)
{
    while (*count < plan->threads) {
        unsigned number = (*count)++;
        enum err err = load_worker_init(&workers[number], plan, number, fault);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

static enum err
run_workers(struct load_worker *workers, unsigned count, struct fault *fault)
{
    unsigned started = 0;
    int      error = 0;
    while (started < count && error == 0) {
        error = pthread_create(&workers[started].thread, NULL, load_worker_main, &workers[started]);
        started += error == 0 ? 1 : 0;
    }
    for (unsigned i = 0; error != 0 && i < started; i++)
        loop_stop(workers[i].loop);
    if (error == 0 && workers[0].plan->live != NULL)
        live_watch(workers[0].plan->live, stderr);
    for (unsigned i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    return error == 0 ? ERR_NONE : fault_set_errno(fault, error, "cannot start a thread");
}

static enum err
run_all(const struct load_plan *plan, struct tally *tally, struct fault *fault)
{
    unsigned            count = 0;
    struct load_worker *workers = calloc(plan->threads, sizeof *workers);
    if (workers == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    enum err err = init_workers(workers, plan, &count, fault);
    if (err == ERR_NONE)
        err = run_workers(workers, count, fault);
    tally_init(tally);
    for (unsigned i = 0; i < count; i++) {
        if (err == ERR_NONE)
            tally_merge(tally, &workers[i].tally);
        load_worker_fini(&workers[i]);
    }
    free(workers);
    return err;
}

enum err
load_run(struct load_plan *plan, struct tally *tally, struct fault *fault)
{
    if (live_is_wanted(stderr))
        plan->live = live_create(plan->threads); /* without memory for it: not live */
    enum err err = run_all(plan, tally, fault);
    live_destroy(&plan->live);
    return err;
}
