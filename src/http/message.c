/* message.c: the parsed head: field lines in order, and a chain through the lines of each known name.
 *
 *      fields    [Host] [Via a] [X-Foo] [Via b] [Via c]
 *      first[Via] ────────▲        next ▲  next ▲
 *      last[Via] ─────────┼─────────────┼───────┘       indices + 1; 0 is none
 *
 * `last` makes appending O(1), so a thousand equal lines cost a thousand steps, not a million.
 * Owner: whoever holds the head; the bytes and the array of fields are the caller's.
 */
#include <larder/http/message.h>

#include <larder/base/check.h>

void
head_init(struct head *head, struct field *fields, uint16_t room)
{
    *head = (struct head){ .fields = fields, .room = room };
}

static void
link_line(struct head *head, uint16_t index, enum field_id id)
{
    uint16_t here = (uint16_t)(index + 1);

    if (head->first[id] == 0)
        head->first[id] = here;
    else
        head->fields[head->last[id] - 1].next = here;
    head->last[id] = here;
}

bool
head_add(struct head *head, struct span name, struct span value, enum field_id id)
{
    CHECK(id < FIELD_ID_COUNT);
    if (head->count >= head->room)
        return false;
    head->fields[head->count] = (struct field){ .name = name, .value = value, .id = (uint16_t)id };
    if (id != FIELD_OTHER)
        link_line(head, head->count, id);
    head->count++;
    return true;
}

static void
move_span(struct span *span, const char *from, const char *to)
{
    if (span->at != NULL)
        span->at = to + (span->at - from);
}

void
head_rebase(struct head *head, const char *from, const char *to)
{
    move_span(&head->method_text, from, to);
    move_span(&head->target, from, to);
    move_span(&head->reason, from, to);
    for (uint16_t i = 0; i < head->count; i++) {
        move_span(&head->fields[i].name, from, to);
        move_span(&head->fields[i].value, from, to);
    }
}

/* The first line from `index` on that has an unknown name. */
static const struct field *
find_other(const struct head *head, size_t index, struct span name)
{
    for (; index < head->count; index++) {
        const struct field *field = &head->fields[index];
        if (field->id == FIELD_OTHER && span_equal_nocase(field->name, name))
            return field;
    }
    return NULL;
}

const struct field *
head_find_name(const struct head *head, struct span name)
{
    enum field_id id = field_lookup(name);
    return id == FIELD_OTHER ? find_other(head, 0, name) : head_find(head, id);
}

const struct field *
head_next_name(const struct head *head, const struct field *field)
{
    if (field->id != FIELD_OTHER)
        return head_next(head, field);
    return find_other(head, (size_t)(field - head->fields) + 1, field->name);
}
