/* descriptors.h: as many open files as the system allows. */
#ifndef BENCH_DESCRIPTORS_H
#define BENCH_DESCRIPTORS_H

#include <larder/base/err.h>

/* Raises the soft limit to the hard one, and tells whether `wanted` connections fit in. */
MUST_CHECK enum err descriptors_raise(unsigned wanted, struct fault *fault);

#endif
