/* cache_groups.c: the groups that an answer belongs to, or takes down (RFC 9875): a list of strings.
 *
 * A field that is no such list is ignored as a whole, so nothing is given before the walk has come to its
 * end.
 */
#include <larder/http/cache_groups.h>

#include <larder/base/check.h>
#include <larder/http/structured.h>

/* Without backslashes, in the arena where there were any. */
static struct span
name_of(struct arena *arena, const struct sf_value *value)
{
    if (!value->escaped)
        return value->text;
    char *copy = arena_alloc(arena, value->text.len);
    return copy == NULL ? SPAN_EMPTY : span_of(copy, sf_string_copy(value, copy, value->text.len));
}

static bool
has(const struct cache_groups *groups, struct span name)
{
    for (unsigned i = 0; i < groups->count; i++)
        if (span_equal(groups->name[i], name)) /* RFC 9875 §2.1: character by character */
            return true;
    return false;
}

static enum err
add(struct arena *arena, const struct sf_value *value, struct cache_groups *groups)
{
    if (value->text.len > 2 * CACHE_GROUP_MAX) /* too long even if every second byte is a backslash */
        return ERR_LIMIT;
    struct span name = name_of(arena, value);
    if (name.at == NULL)
        return ERR_NO_MEMORY;
    if (has(groups, name))
        return ERR_NONE;
    if (name.len > CACHE_GROUP_MAX || groups->count == CACHE_GROUPS_MAX)
        return ERR_LIMIT;
    groups->name[groups->count++] = name;
    return ERR_NONE;
}

enum err
cache_groups_parse(struct arena *arena, const struct head *head, enum field_id id,
                   struct cache_groups *groups)
{
    struct sf_walk   walk;
    struct sf_member member;
    enum err         worst = ERR_NONE;

    CHECK(id == FIELD_CACHE_GROUPS || id == FIELD_CACHE_GROUP_INVALIDATION);
    groups->count = 0;
    sf_walk_head(&walk, head, id);
    while (sf_list_next(&walk, &member)) {
        enum err err = ERR_SYNTAX;
        if (member.value.type == SF_STRING)
            err = add(arena, &member.value, groups);
        if (err == ERR_LIMIT)
            worst = err;
        else if (err != ERR_NONE) {
            groups->count = 0;
            return err;
        }
    }
    if (!walk.failed)
        return worst;
    groups->count = 0;
    return ERR_SYNTAX;
}
