/* store_source.h: where `larder store` gets its answers: a running server, or a directory that nobody uses.
 *
 *      admin socket ──GET /v1/store/...──┐
 *                                        ├─▶ the same JSON, page by page
 *      directory ──inspect_open──────────┘
 */
#ifndef CLI_STORE_SOURCE_H
#define CLI_STORE_SOURCE_H

#include <jansson.h>
#include <larder/storage/inspect.h>

struct store_source {
    const char     *admin;   /* of a server; NULL: the usual one */
    struct inspect *inspect; /* NULL: a server */
};

/* `directory` NULL: a server. `records` as in inspect_open. Ends with store_source_close. */
MUST_CHECK enum err store_source_open(struct store_source *source, const char *directory, const char *admin,
                                      bool records, struct fault *fault);
void                store_source_close(struct store_source *source);

MUST_CHECK enum err store_source_info(struct store_source *source, json_t **info, struct fault *fault);

enum store_question { STORE_OBJECTS, STORE_VERIFY };

/* A page; `cursor` NULL: the first. */
MUST_CHECK enum err store_source_page(struct store_source *source, enum store_question question,
                                      const char *cursor, json_t **page, struct fault *fault);

/* Puts the cursor of the next page, for free(), in place of this one's; NULL: there is none. A fault when a server does not
 * go on. */
MUST_CHECK enum err store_source_next(const json_t *page, char **cursor, struct fault *fault);

#endif
