/* parse.c: heads, from their first byte to the empty line.
 *
 *      start line (start_line.c)
 *      name ":" OWS value OWS CR LF        take_field, once per line
 *      CR LF                               the end
 *
 * One pass, left to right: the scanners run over names and values, everything between them is a handful of
 * compares. A head that is not whole yet is read again from its start when more has come: what was legal
 * stays so, and a head is bounded, so that a peer who drips its bytes costs himself more than us. Nothing is
 * allocated.
 */
#include "reader.h"

static enum err
take_name(struct reader *reader, struct span *name)
{
    size_t length = reader->scan->token(reader->rest);

    if (length == reader->rest.len)
        return ERR_AGAIN;
    /* RFC 9112 §5.1: no white space between name and colon. */
    if (length == 0 || reader->rest.at[length] != ':')
        return reader_refuse_byte(reader, reader->rest.at[length], REFUSAL_BAD_FIELD_NAME);
    *name = reader_take(reader, length);
    reader_take(reader, 1);
    return ERR_NONE;
}

static enum err
take_field(struct reader *reader, struct head *head)
{
    struct span name;
    enum err    err = take_name(reader, &name);

    if (err != ERR_NONE)
        return err;
    struct span value = reader_take(reader, reader->scan->value(reader->rest));
    err = reader_take_line_end(reader, REFUSAL_BAD_FIELD_VALUE);
    if (err != ERR_NONE)
        return err;
    if (!head_add(head, name, span_trim(value), field_lookup(name)))
        return reader_refuse(reader, REFUSAL_TOO_MANY_FIELDS);
    return ERR_NONE;
}

/* A line that begins with white space would continue the one before it (RFC 9112 §5.2), or the start line
 * (§2.2). */
static enum err
refuse_fold(const struct reader *reader, const struct head *head)
{
    return reader_refuse(reader, head->count > 0 ? REFUSAL_OBS_FOLD : REFUSAL_BAD_FIELD_NAME);
}

/* Field lines up to and including the empty line. */
static enum err
take_fields(struct reader *reader, struct head *head)
{
    for (;;) {
        if (reader->rest.len == 0)
            return ERR_AGAIN;
        char first = reader->rest.at[0];
        if (first == '\r')
            return reader_take_line_end(reader, REFUSAL_BAD_LINE_END);
        if (first == ' ' || first == '\t')
            return refuse_fold(reader, head);
        enum err err = take_field(reader, head);
        if (err != ERR_NONE)
            return err;
    }
}

/* The reader sees no byte beyond the limit, so what lies there cannot change the verdict. */
static struct reader
reader_of(struct span bytes, const struct parse_limits *limits, enum refusal *refusal)
{
    return (struct reader){ span_head(bytes, limits->head), scan_best(), refusal };
}

static enum err
finish(const struct reader *reader, enum err err, struct span bytes, const struct parse_limits *limits,
       size_t *size)
{
    if (err == ERR_AGAIN && bytes.len >= limits->head)
        return reader_refuse(reader, REFUSAL_HEAD_TOO_LONG);
    if (err == ERR_NONE)
        *size = span_head(bytes, limits->head).len - reader->rest.len;
    return err;
}

enum err
parse_request(struct head *head, struct span bytes, const struct parse_limits *limits, size_t *size,
              enum refusal *refusal)
{
    struct reader reader = reader_of(bytes, limits, refusal);

    head_init(head, head->fields, head->room); /* of an earlier call that got ERR_AGAIN nothing remains */
    enum err err = reader_take_request_line(&reader, head, limits->target);
    if (err == ERR_NONE)
        err = take_fields(&reader, head);
    return finish(&reader, err, bytes, limits, size);
}

enum err
parse_response(struct head *head, struct span bytes, const struct parse_limits *limits, size_t *size,
               enum refusal *refusal)
{
    struct reader reader = reader_of(bytes, limits, refusal);

    head_init(head, head->fields, head->room);
    enum err err = reader_take_status_line(&reader, head);
    if (err == ERR_NONE)
        err = take_fields(&reader, head);
    return finish(&reader, err, bytes, limits, size);
}

enum err
parse_fields(struct head *head, struct span bytes, const struct parse_limits *limits, size_t *size,
             enum refusal *refusal)
{
    struct reader reader = reader_of(bytes, limits, refusal);

    head_init(head, head->fields, head->room);
    return finish(&reader, take_fields(&reader, head), bytes, limits, size);
}

enum err
parse_stored(struct head *head, struct span bytes)
{
    enum refusal  refusal;
    struct reader reader = { bytes, scan_best(), &refusal };

    head_init(head, head->fields, head->room);
    enum err err = reader_take_status_line(&reader, head);
    while (err == ERR_NONE && reader.rest.len > 0)
        err = take_field(&reader, head);
    return err == ERR_NONE ? ERR_NONE : ERR_SYNTAX;
}
