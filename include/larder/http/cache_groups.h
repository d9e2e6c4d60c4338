/* cache_groups.h: Cache-Groups and Cache-Group-Invalidation (RFC 9875): names that answers share. */
#ifndef LARDER_HTTP_CACHE_GROUPS_H
#define LARDER_HTTP_CACHE_GROUPS_H

#include <larder/base/arena.h>
#include <larder/http/message.h>

/* RFC 9875 §2 and §3 ask for at least 32 groups of 32 bytes each. */
enum { CACHE_GROUPS_MAX = 64, CACHE_GROUP_MAX = 128 };

struct cache_groups {
    struct span name[CACHE_GROUPS_MAX]; /* each once, in the order sent; compared byte by byte */
    unsigned    count;
};

/* The groups in the lines of FIELD_CACHE_GROUPS or FIELD_CACHE_GROUP_INVALIDATION; none without the field.
 * Names point into the head, or into the arena where a backslash had to be undone. Parameters are ignored.
 * ERR_SYNTAX: no list of strings: ignore the field. ERR_LIMIT: too many, or too long, *groups has what was
 * within the bounds. ERR_NO_MEMORY. A Cache-Group-Invalidation counts only in the answer to an unsafe
 * request (§3), which the caller knows. */
MUST_CHECK enum err cache_groups_parse(struct arena *arena, const struct head *head, enum field_id id,
                                       struct cache_groups *groups);

#endif
