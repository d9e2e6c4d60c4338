/* structured.c: the parser of structured fields (RFC 8941 §4.2), over views.
 *
 *      walk ──▶ member: [key "="] ( bare item | "(" items ")" ) *( ";" key ["=" bare item] )
 *
 * Each take_* takes one production off the front of a span, and says false where the bytes are no such thing.
 * What a walk gives was checked whole, with its parameters and inner items; the functions that open those up
 * later read the same bytes with the same productions.
 *
 * Lines are walked one after the other instead of being joined: §4.2 lets a parser fail on a member that is
 * split over two lines, and in all else the outcome is that of the joined text.
 */
#include <larder/http/structured.h>

#include "structured_bytes.h"

enum { INTEGER_DIGITS = 15, DECIMAL_DIGITS = 12, FRACTION_DIGITS = 3 }; /* §3.3.1, §3.3.2 */

static bool
is_next(struct span rest, char byte)
{
    return rest.len > 0 && rest.at[0] == byte;
}

static bool
take_byte(struct span *rest, char byte)
{
    if (!is_next(*rest, byte))
        return false;
    *rest = span_skip(*rest, 1);
    return true;
}

/* SP only, for there may be no HTAB inside of a member. */
static void
skip_spaces(struct span *rest)
{
    while (take_byte(rest, ' '))
        ;
}

static void
skip_ows(struct span *rest)
{
    while (take_byte(rest, ' ') || take_byte(rest, '\t'))
        ;
}

/* ── bare items ── */

/* At most `most` digits; false when there are more, or none. */
static bool
take_digits(struct span *rest, unsigned most, unsigned *count, int64_t *number)
{
    for (*count = 0; rest->len > 0 && byte_is(rest->at[0], BYTE_DIGIT); ++*count) {
        if (*count == most)
            return false;
        *number = *number * 10 + (rest->at[0] - '0');
        *rest = span_skip(*rest, 1);
    }
    return *count > 0;
}

/* §4.2.4 */
static bool
take_number(struct span *rest, struct sf_value *value)
{
    bool     negative = take_byte(rest, '-');
    unsigned whole, fraction;
    int64_t  number = 0;

    if (!take_digits(rest, INTEGER_DIGITS, &whole, &number))
        return false;
    value->type = SF_INTEGER;
    if (is_next(*rest, '.')) {
        *rest = span_skip(*rest, 1);
        if (whole > DECIMAL_DIGITS || !take_digits(rest, FRACTION_DIGITS, &fraction, &number))
            return false;
        for (; fraction < FRACTION_DIGITS; fraction++)
            number *= 10;
        value->type = SF_DECIMAL;
    }
    value->number = negative ? -number : number;
    return true;
}

/* §4.2.5 */
static bool
take_string(struct span *rest, struct sf_value *value)
{
    for (size_t i = 1; i < rest->len; i++) {
        char byte = rest->at[i];
        if (byte == '"') {
            value->type = SF_STRING;
            value->text = span_of(rest->at + 1, i - 1);
            *rest = span_skip(*rest, i + 1);
            return true;
        }
        if (byte < ' ' || byte > '~')
            return false;
        if (byte != '\\')
            continue;
        value->escaped = true;
        if (++i == rest->len || (rest->at[i] != '"' && rest->at[i] != '\\'))
            return false;
    }
    return false;
}

/* §4.2.6; the first byte was looked at. */
static bool
take_token(struct span *rest, struct sf_value *value)
{
    size_t length = 1;

    while (length < rest->len && sf_continues_token(rest->at[length]))
        length++;
    value->type = SF_TOKEN;
    value->text = span_head(*rest, length);
    *rest = span_skip(*rest, length);
    return true;
}

/* Base64 (RFC 4648 §4); missing padding is made up for, as §4.2.7 has it, wrong padding is not. */
static bool
is_base64(struct span text)
{
    size_t letters = 0;

    while (letters < text.len
           && (sf_is_alpha(text.at[letters]) || byte_is(text.at[letters], BYTE_DIGIT)
               || text.at[letters] == '+' || text.at[letters] == '/'))
        letters++;
    for (size_t i = letters; i < text.len; i++)
        if (text.at[i] != '=')
            return false;
    return letters % 4 != 1 && (text.len == letters || (text.len % 4 == 0 && text.len - letters <= 2));
}

/* §4.2.7 */
static bool
take_bytes(struct span *rest, struct sf_value *value)
{
    struct span inside = span_skip(*rest, 1);
    ssize_t     end = span_find(inside, ':');

    if (end < 0 || !is_base64(span_head(inside, (size_t)end)))
        return false;
    value->type = SF_BYTES;
    value->text = span_head(inside, (size_t)end);
    *rest = span_skip(inside, (size_t)end + 1);
    return true;
}

/* §4.2.8 */
static bool
take_boolean(struct span *rest, struct sf_value *value)
{
    if (rest->len < 2 || (rest->at[1] != '0' && rest->at[1] != '1'))
        return false;
    value->type = SF_BOOLEAN;
    value->boolean = rest->at[1] == '1';
    *rest = span_skip(*rest, 2);
    return true;
}

/* §4.2.3.1: the first byte tells the type. */
static bool
take_bare_item(struct span *rest, struct sf_value *value)
{
    *value = (struct sf_value){ 0 };
    if (rest->len == 0)
        return false;
    char byte = rest->at[0];
    if (byte == '-' || byte_is(byte, BYTE_DIGIT))
        return take_number(rest, value);
    if (sf_starts_token(byte))
        return take_token(rest, value);
    switch (byte) {
    case '"':
        return take_string(rest, value);
    case ':':
        return take_bytes(rest, value);
    case '?':
        return take_boolean(rest, value);
    default:
        return false;
    }
}

/* ── keys, parameters, inner lists ── */

/* §4.2.3.3 */
static bool
take_key(struct span *rest, struct span *key)
{
    size_t length = 0;

    if (rest->len == 0 || !sf_starts_key(rest->at[0]))
        return false;
    while (length < rest->len && sf_continues_key(rest->at[length]))
        length++;
    *key = span_head(*rest, length);
    *rest = span_skip(*rest, length);
    return true;
}

/* ";" *SP key [ "=" bare-item ]; a key alone is true. */
static bool
take_param(struct span *rest, struct span *key, struct sf_value *value)
{
    if (!take_byte(rest, ';'))
        return false;
    skip_spaces(rest);
    if (!take_key(rest, key))
        return false;
    *value = (struct sf_value){ .type = SF_BOOLEAN, .boolean = true };
    return !take_byte(rest, '=') || take_bare_item(rest, value);
}

/* §4.2.3.2 */
static bool
take_params(struct span *rest, struct span *params)
{
    const char     *from = rest->at;
    struct span     key;
    struct sf_value value;

    while (is_next(*rest, ';'))
        if (!take_param(rest, &key, &value))
            return false;
    *params = span_of(from, (size_t)(rest->at - from));
    return true;
}

static bool
take_item(struct span *rest, struct sf_member *item)
{
    item->key = SPAN_EMPTY;
    return take_bare_item(rest, &item->value) && take_params(rest, &item->params);
}

/* §4.2.1.2: "(" *SP [ item *( 1*SP item ) *SP ] ")" */
static bool
take_inner_list(struct span *rest, struct sf_value *value)
{
    *rest = span_skip(*rest, 1);
    const char *from = rest->at;

    for (;;) {
        struct sf_member item;
        skip_spaces(rest);
        if (is_next(*rest, ')'))
            break;
        if (!take_item(rest, &item) || (!is_next(*rest, ' ') && !is_next(*rest, ')')))
            return false;
    }
    *value = (struct sf_value){ .type = SF_INNER_LIST, .text = span_of(from, (size_t)(rest->at - from)) };
    *rest = span_skip(*rest, 1);
    return true;
}

/* §4.2.1.1 */
static bool
take_item_or_inner_list(struct span *rest, struct sf_member *member)
{
    if (!is_next(*rest, '('))
        return take_item(rest, member);
    member->key = SPAN_EMPTY;
    return take_inner_list(rest, &member->value) && take_params(rest, &member->params);
}

/* §4.2.2: a key without "=" is true, and has parameters all the same. */
static bool
take_dictionary_member(struct span *rest, struct sf_member *member)
{
    struct span key;

    if (!take_key(rest, &key))
        return false;
    if (take_byte(rest, '=')) {
        if (!take_item_or_inner_list(rest, member))
            return false;
    } else {
        member->value = (struct sf_value){ .type = SF_BOOLEAN, .boolean = true };
        if (!take_params(rest, &member->params))
            return false;
    }
    member->key = key;
    return true;
}

/* ── walks ── */

void
sf_walk_value(struct sf_walk *walk, struct span value)
{
    *walk = (struct sf_walk){ .rest = value };
}

void
sf_walk_head(struct sf_walk *walk, const struct head *head, enum field_id id)
{
    const struct field *field = head_find(head, id);
    *walk =
        (struct sf_walk){ .head = head, .field = field, .rest = field == NULL ? SPAN_EMPTY : field->value };
}

static bool
fail(struct sf_walk *walk)
{
    walk->failed = true;
    return false;
}

/* To the beginning of the next line; false when there is none. */
static bool
begin_line(struct sf_walk *walk)
{
    walk->field = walk->field == NULL ? NULL : head_next(walk->head, walk->field);
    if (walk->field == NULL)
        return false;
    walk->rest = walk->field->value;
    skip_ows(&walk->rest);
    return walk->rest.len > 0 || fail(walk); /* the joined text would end in a comma, or have two in a row */
}

/* To the beginning of the first member. No members at all are an empty list. */
static bool
begin_first(struct sf_walk *walk)
{
    bool alone = walk->field == NULL || head_next(walk->head, walk->field) == NULL;

    skip_spaces(&walk->rest);
    return walk->rest.len > 0 || (!alone && fail(walk));
}

/* To the beginning of the next member, over the comma between the two. */
static bool
begin_next(struct sf_walk *walk)
{
    skip_ows(&walk->rest);
    if (walk->rest.len == 0)
        return begin_line(walk);
    if (!take_byte(&walk->rest, ','))
        return fail(walk);
    skip_ows(&walk->rest);
    return walk->rest.len > 0 || fail(walk);
}

static bool
walk_next(struct sf_walk *walk, struct sf_member *member,
          bool (*take)(struct span *rest, struct sf_member *member))
{
    if (walk->failed || !(walk->any ? begin_next(walk) : begin_first(walk)))
        return false;
    walk->any = true;
    return take(&walk->rest, member) || fail(walk);
}

bool
sf_list_next(struct sf_walk *walk, struct sf_member *member)
{
    return walk_next(walk, member, take_item_or_inner_list);
}

bool
sf_dictionary_next(struct sf_walk *walk, struct sf_member *member)
{
    return walk_next(walk, member, take_dictionary_member);
}

bool
sf_item_parse(struct span value, struct sf_member *item)
{
    skip_spaces(&value);
    if (!take_item(&value, item))
        return false;
    skip_spaces(&value);
    return value.len == 0;
}

bool
sf_inner_next(struct span *rest, struct sf_member *item)
{
    skip_spaces(rest);
    return rest->len > 0 && take_item(rest, item);
}

bool
sf_param_next(struct span *rest, struct span *key, struct sf_value *value)
{
    return take_param(rest, key, value);
}

bool
sf_param_find(struct span params, struct span key, struct sf_value *value)
{
    struct span     name;
    struct sf_value given;
    bool            found = false;

    while (take_param(&params, &name, &given))
        if (span_equal(name, key)) {
            *value = given;
            found = true;
        }
    return found;
}
