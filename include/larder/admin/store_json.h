/* store_json.h: what inspect.h finds, as JSON: the answers of /v1/store/..., and of the same questions to a
 * directory.
 *
 *      info     {"format": 2, "uuid": "...", ... "logs": [{"log": 0, "segments": 3, "objects": 17, "bytes": 4096}]}
 *      objects  {"objects": [{"key": "http://host/path", "size": 4096, "age": 3, ...}], "cursor": "0.1.9.4.17"}
 *      verify   {"damage": [{"file": "shard-00.dat", ...}], "more": 0, "checked": {...}, "cursor": null}
 *
 * A cursor of null: that was the last page. Times are in seconds. Keys are text: what is not printable ASCII is
 * written as %XX.
 */
#ifndef LARDER_ADMIN_STORE_JSON_H
#define LARDER_ADMIN_STORE_JSON_H

#include <jansson.h>
#include <larder/storage/inspect.h>

/* NULL: memory ended. */
json_t *store_info_json(const struct inspect_info *info, wall_time now);

enum { STORE_PAGE_MAX = 256 }; /* objects, or reports of damage, on one page */

/* One call of inspect_list or inspect_verify, which moves the cursor. `shards` is how many the store has. The
 * page is the caller's. ERR_NO_MEMORY only. */
MUST_CHECK enum err store_objects_json(struct store_writer *writer, struct inspect_cursor *cursor,
                                       unsigned shards, unsigned limit, wall_time now, json_t **page);
MUST_CHECK enum err store_verify_json(struct store_writer *writer, struct inspect_cursor *cursor,
                                      unsigned shards, json_t **page);

#endif
