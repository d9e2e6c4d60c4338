/* reader.h: a place in the bytes of a head, and the steps that all its lines are read by.
 *
 *      bytes   GET /a HTTP/1.1\r\nHost: x\r\n…
 *                      ▲
 *                     rest: what is not read yet
 *
 * Every step answers ERR_NONE (taken), ERR_AGAIN (the bytes end here, and all of them are legal) or
 * ERR_SYNTAX (refused, *refusal says why). Steps look at bytes strictly from left to right, and the first
 * wrong byte decides: so a message is refused for the same reason however its bytes were cut into pieces.
 */
#ifndef LARDER_HTTP_READER_H
#define LARDER_HTTP_READER_H

#include <larder/http/parse.h>
#include <larder/http/scan.h>

struct reader {
    struct span        rest;
    const struct scan *scan;
    enum refusal      *refusal;
};

static inline enum err
reader_refuse(const struct reader *reader, enum refusal refusal)
{
    *reader->refusal = refusal;
    return ERR_SYNTAX;
}

/* The next byte is not the one that must come: a bare LF has its own reason everywhere. */
static inline enum err
reader_refuse_byte(const struct reader *reader, char byte, enum refusal refusal)
{
    return reader_refuse(reader, byte == '\n' ? REFUSAL_BAD_LINE_END : refusal);
}

/* Takes `size` bytes that are known to be there. */
static inline struct span
reader_take(struct reader *reader, size_t size)
{
    struct span taken = span_head(reader->rest, size);
    reader->rest = span_skip(reader->rest, size);
    return taken;
}

/* Takes CR LF; `refusal` when something else comes. */
static inline enum err
reader_take_line_end(struct reader *reader, enum refusal refusal)
{
    if (reader->rest.len == 0)
        return ERR_AGAIN;
    if (reader->rest.at[0] != '\r')
        return reader_refuse_byte(reader, reader->rest.at[0], refusal);
    if (reader->rest.len == 1)
        return ERR_AGAIN;
    if (reader->rest.at[1] != '\n')
        return reader_refuse(reader, REFUSAL_BAD_LINE_END);
    reader->rest = span_skip(reader->rest, 2);
    return ERR_NONE;
}

/* Takes exactly one SP; `refusal` when something else comes. */
static inline enum err
reader_take_space(struct reader *reader, enum refusal refusal)
{
    if (reader->rest.len == 0)
        return ERR_AGAIN;
    if (reader->rest.at[0] != ' ')
        return reader_refuse_byte(reader, reader->rest.at[0], refusal);
    reader->rest = span_skip(reader->rest, 1);
    return ERR_NONE;
}

/* start_line.c */
MUST_CHECK enum err reader_take_request_line(struct reader *reader, struct head *head, uint32_t target_limit);
MUST_CHECK enum err reader_take_status_line(struct reader *reader, struct head *head);

#endif
