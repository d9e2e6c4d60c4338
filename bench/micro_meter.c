/* micro_meter.c: processor time and instructions of the calling thread.
 *
 * Instructions by the processor's own counter (perf_event_open), where kernel and machine have one for us: many virtual
 * machines have none, and perf_event_paranoid above 2 forbids it. Then they are not known; valgrind counts them too.
 */
#include "micro.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
open_counter(void)
{
    struct perf_event_attr attributes = { .type = PERF_TYPE_HARDWARE,
                                          .size = sizeof attributes,
                                          .config = PERF_COUNT_HW_INSTRUCTIONS,
                                          .disabled = 1,
                                          .exclude_kernel = 1,
                                          .exclude_hv = 1 };
    return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

void
meter_begin(struct meter *meter)
{
    meter->instructions = METER_UNKNOWN;
    meter->events = open_counter();
    meter->begun = clock_thread_cpu();
    if (meter->events >= 0)
        ioctl(meter->events, PERF_EVENT_IOC_ENABLE, 0);
}

void
meter_end(struct meter *meter)
{
    int64_t count;

    if (meter->events >= 0)
        ioctl(meter->events, PERF_EVENT_IOC_DISABLE, 0);
    meter->took = clock_thread_cpu() - meter->begun;
    if (meter->events < 0)
        return;
    if (read(meter->events, &count, sizeof count) == (ssize_t)sizeof count)
        meter->instructions = count;
    close(meter->events);
}
