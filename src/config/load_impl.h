/* load_impl.h: what loading from a file and from a command line share. */
#ifndef CONFIG_LOAD_IMPL_H
#define CONFIG_LOAD_IMPL_H

#include "build.h"

/* Reads and applies a file. The fault: it cannot be read at all. */
MUST_CHECK enum err load_source(struct build *build, const char *path, struct source **source,
                                struct fault *fault);

#endif
