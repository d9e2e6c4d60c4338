/* store.h: what `larder store` can do, one function for each word after it.
 */
#ifndef CLI_STORE_H
#define CLI_STORE_H

#include "flags.h"
#include "store_source.h"

#include <larder/cli/command.h>

struct store_flags {
    const char *admin;
    const char *match, *host, *min_size, *limit;
    bool        json, expired;
};

/* Each sets *failed when what it found out is bad news, for the exit code. */
MUST_CHECK enum err store_info(struct store_source *source, const struct store_flags *flags, FILE *out,
                               bool *failed, struct fault *fault);
MUST_CHECK enum err store_verify(struct store_source *source, const struct store_flags *flags, FILE *out,
                                 bool *failed, struct fault *fault);
MUST_CHECK enum err store_list(struct store_source *source, const struct store_flags *flags, FILE *out,
                               bool *failed, struct fault *fault);

/* A JSON document and a newline. ERR_NO_MEMORY. */
MUST_CHECK enum err store_print_json(const json_t *json, FILE *out, struct fault *fault);

#endif
