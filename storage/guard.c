/* guard.c: see guard.h.
 *
 * Where to go on is the thread's own and must be found by a signal handler, so it is one of the few
 * variables of this house that hang on nothing. The jump does not restore the signal mask, so that a guard
 * costs no system call; who lands unblocks SIGBUS by himself. (The thread sanitizer blocks all in a handler.)
 */
#include "guard.h"

#include <larder/base/check.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

static _Thread_local sigjmp_buf *landing;

static void
on_bus_error(int number)
{
    if (landing != NULL)
        siglongjmp(*landing, 1);
    signal(number, SIG_DFL); /* the touch is repeated, and ends the process */
}

static void
install(void)
{
    struct sigaction action = { .sa_handler = on_bus_error };
    sigemptyset(&action.sa_mask);
    int failed = sigaction(SIGBUS, &action, NULL);
    CHECK(failed == 0);
}

void
guard_install(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
}

static void
land(void)
{
    sigset_t bus;

    landing = NULL;
    sigemptyset(&bus);
    sigaddset(&bus, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &bus, NULL);
}

bool
guard_run(guard_work *work, void *context)
{
    sigjmp_buf here;

    CHECK(landing == NULL);
    if (sigsetjmp(here, 0) != 0) {
        land();
        return false;
    }
    landing = &here;
    work(context);
    landing = NULL;
    return true;
}
