/* knobs.h: the answer of the stub origin, spelt out in the path of the request.
 *
 *      /size/64k/delay/500ms/max-age/60/vary/accept-encoding/chunked
 *       ───────── ─────────── ────────── ──────────────────── ───────
 *
 * Knobs stand in any order; those with a value take the next segment. So a test, or somebody with a browser,
 * composes any answer without a configuration. The table of rows is also the page /knobs of the demo site.
 */
#ifndef BENCH_KNOBS_H
#define BENCH_KNOBS_H

#include "row.h"

struct knobs {
    int64_t      size;        /* bytes */
    int64_t      cut;         /* hang up after so many bytes of the body, or ROW_ABSENT */
    int64_t      delay, drip; /* nanoseconds; delay may be ROW_ABSENT */
    int64_t      status;
    int64_t      object; /* tells paths apart, and does nothing else */
    int64_t      max_age, s_maxage, stale_while_revalidate, stale_if_error; /* seconds, or ROW_ABSENT */
    int64_t      age, expires;                                              /* the same */
    bool         no_store, no_cache, is_private, is_public, must_revalidate;
    bool         etag, last_modified, cookie, count;
    bool         chunked, no_length, close;
    struct texts vary; /* spans into the path */
};

extern const struct row_table knobs_table;

/* Whether the first segment of the path is the name of a knob. */
bool knobs_begin(struct span path);

/* `path` without the query. The spans in *knobs point into it. The fault names the segment that is wrong. */
MUST_CHECK enum err knobs_parse(struct span path, struct knobs *knobs, struct fault *fault);

#endif
