/* reference.h: the manual, printed from the same table that the parser works by. */
#ifndef LARDER_CONFIG_REFERENCE_H
#define LARDER_CONFIG_REFERENCE_H

#include <larder/base/err.h>
#include <larder/base/span.h>
#include <stdio.h>

/* All directives, by context. */
void reference_print(FILE *out);

/* One directive, in every context that has it. ERR_NOT_FOUND: the fault offers what was perhaps meant. */
MUST_CHECK enum err reference_print_one(struct span name, FILE *out, struct fault *fault);

/* The flags of `larder run`, one a line. */
void reference_print_flags(FILE *out);

#endif
