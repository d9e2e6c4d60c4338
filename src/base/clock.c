/* clock.c: the clocks of the kernel. Reading them cannot fail for these ids. */
#include <larder/base/clock.h>

#include <time.h>

static nsec
read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (nsec)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

mono_time
clock_mono(void)
{
    return (mono_time){ read_clock(CLOCK_MONOTONIC) };
}

wall_time
clock_wall(void)
{
    return (wall_time){ read_clock(CLOCK_REALTIME) };
}

nsec
clock_thread_cpu(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

nsec
clock_process_cpu(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}
