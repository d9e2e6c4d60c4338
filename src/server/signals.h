/* signals.h: SIGTERM, SIGINT, SIGHUP and SIGUSR1 as events of the control loop.
 *
 * They are blocked in the calling thread, and in all that it starts, from signals_open to signals_close;
 * what comes meanwhile waits in the descriptor. SIGPIPE is ignored for good: a write to a peer that left is
 * an error, not a death.
 *
 * Owner: the control thread.
 */
#ifndef SERVER_SIGNALS_H
#define SERVER_SIGNALS_H

#include <larder/net/loop.h>
#include <signal.h>

struct signals {
    struct watch watch;
    struct loop *loop;
    sigset_t     before;
    void (*caught)(struct signals *signals, int number, const char *name);
};

MUST_CHECK enum err signals_open(struct signals *signals, struct loop *loop,
                                 void (*caught)(struct signals *, int, const char *), struct fault *fault);

/* Idempotent, also on zeros. */
void signals_close(struct signals *signals);

#endif
