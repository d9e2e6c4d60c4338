/* listener.c: taking connections off one listening socket, without starving the loop.
 *
 *      event ─▶ accept up to 64 ─┬─ none left ──▶ wait for the next event
 *                                ├─ 64 taken  ──▶ a task goes on in the next turn: others come first
 *                                └─ no descriptors, no memory ──▶ pause 100 ms ─▶ try again
 *
 * The socket is edge-triggered, so accepting ends only at EAGAIN, or with something else that brings us
 * back. Without the pause, a full descriptor table would turn the loop as fast as it can: the connection
 * stays in the backlog.
 */
#include <larder/net/listener.h>

#include <larder/base/check.h>

#include <errno.h>
#include <unistd.h>

enum { ACCEPTS_PER_TURN = 64 };

#define PAUSE (100 * NSEC_PER_MSEC)

enum outcome { TAKEN, SKIPPED, EMPTY, SHORT };

/* The connection is what failed, not the listener: accept(2) passes on errors that are pending on the new
 * socket. */
static enum outcome
outcome_of(int number)
{
    switch (number) {
    case EAGAIN:
        return EMPTY;
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM: /* a firewall's rule */
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
    case ENONET:
    case ETIMEDOUT:
        return SKIPPED;
    default: /* EMFILE, ENFILE, ENOMEM, ENOBUFS; what is unknown must not make us spin */
        return SHORT;
    }
}

static enum outcome
accept_one(struct listener *listener)
{
    struct addr peer = { .len = sizeof peer.storage };
    int         fd = accept4(listener->watch.fd, (struct sockaddr *)&peer.storage, &peer.len,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return outcome_of(errno);
    listener->accepted(listener, fd, &peer);
    return TAKEN;
}

static void
accept_some(struct listener *listener)
{
    for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
        enum outcome outcome = accept_one(listener);
        if (listener->watch.fd < 0 || outcome == EMPTY)
            return; /* closed by `accepted`, or nothing left */
        if (outcome == SHORT) {
            listener->pauses++;
            if (listener->starved != NULL)
                listener->starved(listener);
            timer_set(listener->loop, &listener->pause, mono_add(loop_now(listener->loop), PAUSE));
            return;
        }
    }
    task_defer(listener->loop, &listener->again);
}

/* While a pause or a rest of the last batch is pending, that will see to the new connection too. */
static void
handle_events(struct watch *watch, unsigned events)
{
    struct listener *listener = CONTAINER_OF(watch, struct listener, watch);

    (void)events;
    if (!listener->pause.set && !listener->again.queued)
        accept_some(listener);
}

static void
end_pause(struct timer *timer)
{
    accept_some(CONTAINER_OF(timer, struct listener, pause));
}

static void
run_again(struct task *task)
{
    accept_some(CONTAINER_OF(task, struct listener, again));
}

enum err
listener_open(struct listener *listener, struct loop *loop, int fd,
              void (*accepted)(struct listener *, int, const struct addr *), void *owner)
{
    CHECK(fd >= 0);
    *listener = (struct listener){
        .watch = { .fd = fd, .ready = handle_events },
        .loop = loop,
        .accepted = accepted,
        .owner = owner,
    };
    timer_init(&listener->pause, end_pause);
    task_init(&listener->again, run_again);
    enum err err = loop_watch(loop, &listener->watch);
    if (err != ERR_NONE) {
        listener->watch.fd = -1;
        close(fd);
    }
    return err;
}

void
listener_close(struct listener *listener)
{
    if (listener->loop == NULL || listener->watch.fd < 0)
        return; /* never opened, or closed */
    timer_cancel(listener->loop, &listener->pause);
    task_cancel(listener->loop, &listener->again);
    loop_unwatch(listener->loop, &listener->watch);
    close(listener->watch.fd);
    listener->watch.fd = -1;
}
