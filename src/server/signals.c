/* signals.c: see signals.h. */
#include "signals.h"

#include <errno.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const struct {
    int         number;
    const char *name;
} wanted[] = { { SIGTERM, "SIGTERM" }, { SIGINT, "SIGINT" }, { SIGHUP, "SIGHUP" },
             { SIGUSR1, "SIGUSR1" } };

enum { WANTED = sizeof wanted / sizeof wanted[0] };

static const char *
name_of(uint32_t number)
{
    for (size_t i = 0; i < WANTED; i++)
        if ((uint32_t)wanted[i].number == number)
            return wanted[i].name;
    return "a signal";
}

static void
ready(struct watch *watch, unsigned events)
{
    struct signals         *signals = CONTAINER_OF(watch, struct signals, watch);
    struct signalfd_siginfo info;

    (void)events;
    while (read(watch->fd, &info, sizeof info) == (ssize_t)sizeof info)
        signals->caught(signals, (int)info.ssi_signo, name_of(info.ssi_signo));
}

enum err
signals_open(struct signals *signals, struct loop *loop, void (*caught)(struct signals *, int, const char *),
             struct fault *fault)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < WANTED; i++)
        sigaddset(&set, wanted[i].number);
    *signals = (struct signals){ .loop = loop, .caught = caught, .watch = { .fd = -1, .ready = ready } };
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) {
        signals->loop = NULL;
        return fault_set_errno(fault, errno, "cannot receive signals");
    }
    signals->watch.fd = fd;
    pthread_sigmask(SIG_BLOCK, &set, &signals->before);
    enum err err = loop_watch(loop, &signals->watch);
    if (err == ERR_NONE)
        return ERR_NONE;
    close(fd);
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
    signals->loop = NULL;
    return fault_set(fault, err, "cannot receive signals: %s", err_text(err));
}

void
signals_close(struct signals *signals)
{
    if (signals->loop == NULL)
        return;
    loop_unwatch(signals->loop, &signals->watch);
    close(signals->watch.fd);
    pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
    signals->loop = NULL;
}
