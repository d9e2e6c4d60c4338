/* message.h: a parsed message head, request or response, from whatever version of HTTP it came.
 *
 * The head is a view: spans point into the bytes it was parsed from. Fields keep their order; a known
 * field is found in O(1) through `first` and the `next` links, however many lines there are.
 */
#ifndef LARDER_HTTP_MESSAGE_H
#define LARDER_HTTP_MESSAGE_H

#include <larder/base/err.h>
#include <larder/http/field.h>

#define METHOD_TABLE(X) \
    X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(OPTIONS) X(PATCH) X(CONNECT) X(TRACE)

enum method {
    METHOD_OTHER, /* a token that is none of these: not safe, not idempotent */
#define METHOD_ENUM(name) METHOD_##name,
    METHOD_TABLE(METHOD_ENUM)
#undef METHOD_ENUM
};

/* Case-sensitive, RFC 9110 §9.1. */
enum method method_lookup(struct span name);
bool        method_is_safe(enum method method);       /* RFC 9110 §9.2.1 */
bool        method_is_idempotent(enum method method); /* RFC 9110 §9.2.2 */

struct head {
    /* request */
    enum method method;
    struct span method_text;
    struct span target; /* as sent, never empty */

    /* response */
    unsigned    status; /* 100 to 999 */
    struct span reason;

    uint8_t       minor; /* HTTP/1.x: 0 or 1 */
    uint16_t      count;
    uint16_t      room; /* of `fields`; set by the caller before parsing */
    struct field *fields;
    uint16_t      first[FIELD_ID_COUNT]; /* index + 1 of the first line, 0: absent (and of FIELD_OTHER) */
    uint16_t      last[FIELD_ID_COUNT];  /* of the last line: where head_add links the next one */
};

/* Makes it empty, with the caller's room for fields. */
void head_init(struct head *head, struct field *fields, uint16_t room);

/* Appends a field line and links it. False when `fields` is full. */
MUST_CHECK bool head_add(struct head *head, struct span name, struct span value, enum field_id id);

/* The bytes that the head points into were copied from `from` to `to`: moves all its spans along. */
void head_rebase(struct head *head, const char *from, const char *to);

static inline bool
head_has(const struct head *head, enum field_id id)
{
    return head->first[id] != 0;
}

/* The first line of that id, or NULL. */
static inline const struct field *
head_find(const struct head *head, enum field_id id)
{
    return head->first[id] == 0 ? NULL : &head->fields[head->first[id] - 1];
}

/* The next line of the same id, or NULL. */
static inline const struct field *
head_next(const struct head *head, const struct field *field)
{
    return field->next == 0 ? NULL : &head->fields[field->next - 1];
}

/* The value of the first line, or an empty span with NULL pointer. */
static inline struct span
head_value(const struct head *head, enum field_id id)
{
    const struct field *field = head_find(head, id);
    return field == NULL ? SPAN_EMPTY : field->value;
}

/* The first line of that name, in any letter case, known or not. O(fields) for unknown names. */
const struct field *head_find_name(const struct head *head, struct span name);
const struct field *head_next_name(const struct head *head, const struct field *field);

/* ── lists: a field's value is the join of its lines by commas (RFC 9110 §5.3) ── */

/* Walks the members of a comma list over all lines of `id`: quoted strings respected, white space
 * trimmed, empty members skipped. Start with a zeroed walk. */
struct list_walk {
    const struct field *field;
    struct span         rest;
    bool                started;
};
bool head_walk(const struct head *head, enum field_id id, struct list_walk *walk, struct span *member);

/* The same over one value. */
bool list_next(struct span *rest, struct span *member);

/* Whether a comma list has the token, in any letter case. */
bool head_lists_token(const struct head *head, enum field_id id, struct span token);

/* RFC 9110 §15: the registered reason phrase, "" when unknown. */
const char *status_reason(unsigned status);

#endif
