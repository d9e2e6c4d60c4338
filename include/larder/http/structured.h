/* structured.h: structured fields (RFC 8941): lists, dictionaries, items, read in place, written from parts.
 *
 *      Cache-Status: larder;hit;ttl=30, "other cache";fwd=miss
 *                    ▲     ▲             ▲
 *                 value  params            value    sf_list_next, then sf_param_next
 *
 * Nothing is allocated: members are views. The grammar is strict and a mistake anywhere voids the whole
 * field (§4.2), so a caller acts only when the walk has come to its end and `failed` is false. Of RFC 9651's
 * additions, dates and display strings are refused.
 */
#ifndef LARDER_HTTP_STRUCTURED_H
#define LARDER_HTTP_STRUCTURED_H

#include <larder/http/message.h>
#include <larder/http/write.h>

enum sf_type { SF_INTEGER, SF_DECIMAL, SF_STRING, SF_TOKEN, SF_BYTES, SF_BOOLEAN, SF_INNER_LIST };

/* `text` of a string is what is between the quotes, of a token all of it, of bytes the base64 between the
 * colons, of an inner list what is between the parentheses. */
struct sf_value {
    enum sf_type type;
    bool         boolean; /* SF_BOOLEAN */
    bool         escaped; /* SF_STRING: `text` has backslashes to undo (sf_string_copy) */
    int64_t      number;  /* SF_INTEGER: at most 15 digits; SF_DECIMAL: in thousandths */
    struct span  text;
};

/* A member of a list or dictionary, an item of an inner list, or an item alone. */
struct sf_member {
    struct span     key; /* of a dictionary's member; else empty */
    struct sf_value value;
    struct span     params; /* ";a=1;b" or empty, for sf_param_next */
};

/* A walk over one value, or over all lines of a field as if joined by ", " (§4.2). A member cannot begin on
 * one line and end on another, and an empty line beside others fails, as the joined text would. */
struct sf_walk {
    const struct head  *head;
    const struct field *field;
    struct span         rest;
    bool                any;    /* a member was taken */
    bool                failed; /* the field breaks its grammar: nothing of it counts */
};

void sf_walk_value(struct sf_walk *walk, struct span value);
void sf_walk_head(struct sf_walk *walk, const struct head *head, enum field_id id);

/* The next member; false at the end and on failure. Of a key that appears twice in a dictionary the last
 * value counts (§3.2): the walk gives both, the caller overwrites. */
bool sf_list_next(struct sf_walk *walk, struct sf_member *member);
bool sf_dictionary_next(struct sf_walk *walk, struct sf_member *member);

/* One item and nothing else. */
MUST_CHECK bool sf_item_parse(struct span value, struct sf_member *item);

/* The items of an inner list that a walk has given: `*rest` begins as value.text. */
bool sf_inner_next(struct span *rest, struct sf_member *item);

/* The parameters that a walk has given: `*rest` begins as member.params. */
bool sf_param_next(struct span *rest, struct span *key, struct sf_value *value);

/* The parameter of that name; of two the last counts (§3.1.2). */
bool sf_param_find(struct span params, struct span key, struct sf_value *value);

/* The string's bytes without backslashes: at most `room`, the count is returned; value.text.len is always
 * room enough. */
size_t sf_string_copy(const struct sf_value *value, char *out, size_t room);

/* Whether a string is these bytes. */
bool sf_string_is(const struct sf_value *value, struct span bytes);

/* ── writing (§4.1) ──
 *
 * What cannot be said in the type marks the writer as failed: an integer of more than 15 digits, a string
 * with bytes that are not printable ASCII, a token or key that is none. */
void sf_write_integer(struct writer *writer, int64_t number);
void sf_write_boolean(struct writer *writer, bool boolean);
void sf_write_string(struct writer *writer, struct span text);
void sf_write_token(struct writer *writer, struct span text);
void sf_write_text(struct writer *writer,
                   struct span    text); /* a token where the text is one, else a string */

/* ";key", ";key=12", ";key=text" */
void sf_write_param_flag(struct writer *writer, struct span key);
void sf_write_param_integer(struct writer *writer, struct span key, int64_t number);
void sf_write_param_text(struct writer *writer, struct span key, struct span text);

#endif
