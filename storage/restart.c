/* restart.c: see restart.h.
 */
#include "restart.h"
#include "recover.h"

#include <larder/base/check.h>

static void *
main_of_thread(void *argument)
{
    struct restart *restart = argument;
    unsigned        number;

    while ((number = atomic_fetch_add_explicit(&restart->next, 1, memory_order_relaxed)) < restart->count) {
        recover_run(restart->shards[number]);
        store_thread_wake(&restart->writers[number / restart->each]);
    }
    return NULL;
}

enum err
restart_begin(struct restart *restart, unsigned most, struct fault *fault)
{
    unsigned wanted = restart->count < most ? restart->count : most;

    CHECK(restart->started == 0 && wanted >= 1 && wanted <= RESTART_THREADS);
    for (; restart->started < wanted; restart->started++) {
        int error = store_thread_spawn(&restart->threads[restart->started], main_of_thread, restart);
        if (error != 0 && restart->started == 0)
            return fault_set_errno(fault, error, "cannot start a thread that recovers the store");
        if (error != 0)
            break;
    }
    return ERR_NONE;
}

void
restart_end(struct restart *restart)
{
    while (restart->started > 0) {
        int error = pthread_join(restart->threads[--restart->started], NULL);
        CHECK(error == 0);
    }
}
