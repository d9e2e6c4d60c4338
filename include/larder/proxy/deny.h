/* deny.h: what a site answers to nobody: addresses, paths, methods, fields.
 *
 * One match is enough, and there is no order. Paths are compared as they were sent and as an origin may understand them
 * (percent-decoded, slashes merged, without dot segments: RFC 3986 §5.2.4), so that "/x/..//%2egit/config" is "/.git/config".
 *
 * Frozen after it was published, but for the files (blocklist.h).
 */
#ifndef LARDER_PROXY_DENY_H
#define LARDER_PROXY_DENY_H

#include <larder/base/arena.h>
#include <larder/http/message.h>
#include <larder/proxy/blocklist.h>

enum { DENY_PATTERN_MAX = 256 };

/* A field of that name, in any letter case, with a value that the glob matches, in any letter case. */
struct deny_field {
    struct span name, pattern;
};

struct deny {
    struct networks   *from;
    unsigned          *files; /* their numbers */
    size_t             file_count;
    struct span       *paths; /* globs */
    size_t             path_count;
    struct span       *methods;
    size_t             method_count;
    struct deny_field *fields;
    size_t             field_count;
};

/* What is asked, and by whom. `lists` may be NULL when there are no files. */
struct deny_question {
    const struct network    *host;
    const struct generation *lists;
    const struct head       *head;
    struct span              path;
};

/* Why it is denied, a literal: "denied-address", "-path", "-method" or "-field"; NULL: it is not. `arena` is for the
 * path's other form; a request for which it has no room is denied. */
const char *deny_why(const struct deny *deny, const struct deny_question *question, struct arena *arena);

/* The path as an origin may understand it, in `out` of path.len bytes. */
struct span deny_plain_path(struct span path, char *out);

#endif
