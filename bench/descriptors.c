/* descriptors.c: see descriptors.h. */
#include "descriptors.h"

#include <sys/resource.h>

enum { OUR_OWN = 64 }; /* loops, timers, standard streams, libraries */

enum err
descriptors_raise(unsigned wanted, struct fault *fault)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return ERR_NONE; /* then the first socket that cannot be had will tell */
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < (rlim_t)wanted + OUR_OWN)
        return fault_set(fault, ERR_NO_DESCRIPTORS,
                         "%u connections need more open files than the %llu allowed (ulimit -Hn)", wanted,
                         (unsigned long long)limit.rlim_max);
    return ERR_NONE;
}
