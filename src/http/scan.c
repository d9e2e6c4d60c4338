/* scan.c: which scanners this processor gets.
 *
 * The choice is made at the first call and kept. Threads that come first together all find the same answer,
 * so it does not matter which of them writes it down: a relaxed atomic is enough, and what it points at is
 * constant.
 */
#include "scan_impl.h"

#include <stdatomic.h>

#if defined(__x86_64__)

static bool
has_sse42(void)
{
    return __builtin_cpu_supports("sse4.2") != 0;
}

static bool
has_avx2(void)
{
    return has_sse42() && __builtin_cpu_supports("avx2") != 0;
}

static const struct scan *
choose(void)
{
    return has_avx2() ? &scan_avx2 : has_sse42() ? &scan_sse42 : &scan_scalar;
}

const struct scan *
scan_by_name(const char *name)
{
    if (has_avx2() && strcmp(name, scan_avx2.name) == 0)
        return &scan_avx2;
    if (has_sse42() && strcmp(name, scan_sse42.name) == 0)
        return &scan_sse42;
    return strcmp(name, scan_scalar.name) == 0 ? &scan_scalar : NULL;
}

#else

static const struct scan *
choose(void)
{
    return &scan_scalar;
}

const struct scan *
scan_by_name(const char *name)
{
    return strcmp(name, scan_scalar.name) == 0 ? &scan_scalar : NULL;
}

#endif

const struct scan *
scan_best(void)
{
    static _Atomic(const struct scan *) chosen;

    const struct scan *scan = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (scan == NULL) {
        scan = choose();
        atomic_store_explicit(&chosen, scan, memory_order_relaxed);
    }
    return scan;
}
