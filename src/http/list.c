/* list.c: comma-separated lists (RFC 9110 §5.6.1), over one line or over all lines of a name.
 *
 *      a, "b,c" ,, d  ──▶  a | "b,c" | d
 *
 * A quoted string keeps its commas; inside it a backslash takes the next byte along (§5.6.4). A quoted string
 * that is not closed reaches to the end of its line, never into the next one. One pass, nothing is copied.
 */
#include <larder/http/message.h>

/* Where the member at the front ends: the first comma outside of quotes. */
static size_t
member_length(struct span rest)
{
    bool quoted = false;

    for (size_t i = 0; i < rest.len; i++) {
        char byte = rest.at[i];
        if (byte == '"')
            quoted = !quoted;
        else if (byte == '\\' && quoted)
            i++;
        else if (byte == ',' && !quoted)
            return i;
    }
    return rest.len;
}

bool
list_next(struct span *rest, struct span *member)
{
    while (rest->len > 0) {
        size_t length = member_length(*rest);
        *member = span_trim(span_head(*rest, length));
        *rest = span_skip(*rest, length + 1); /* the comma too, where there is one */
        if (member->len > 0)
            return true;
    }
    return false;
}

bool
head_walk(const struct head *head, enum field_id id, struct list_walk *walk, struct span *member)
{
    if (!walk->started) {
        walk->started = true;
        walk->field = head_find(head, id);
        walk->rest = walk->field == NULL ? SPAN_EMPTY : walk->field->value;
    }
    while (walk->field != NULL) {
        if (list_next(&walk->rest, member))
            return true;
        walk->field = head_next(head, walk->field);
        walk->rest = walk->field == NULL ? SPAN_EMPTY : walk->field->value;
    }
    return false;
}

bool
head_lists_token(const struct head *head, enum field_id id, struct span token)
{
    struct list_walk walk = { 0 };
    struct span      member;

    while (head_walk(head, id, &walk, &member))
        if (span_equal_nocase(member, token))
            return true;
    return false;
}
