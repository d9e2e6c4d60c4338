/* start_line.c: the first line of a message, either way.
 *
 *      [CR LF] method SP target SP "HTTP/1." ("0" | "1") CR LF            RFC 9112 §3
 *      "HTTP/1." ("0" | "1") SP 3DIGIT [SP [reason]] CR LF                RFC 9112 §4
 *
 * Exactly one SP between the parts. One thing is taken that the grammar does not have: origins in the wild
 * leave the SP after the status code out when the reason is empty ("HTTP/1.1 200\r\n"). Nothing else can be
 * meant by it.
 */
#include "bytes.h"
#include "reader.h"

/* "HTTP/" DIGIT "." DIGIT, with the digits open. */
static bool
fits_version(char byte, size_t index)
{
    static const char pattern[] = "HTTP/0.0";
    return pattern[index] == '0' ? byte_is(byte, BYTE_DIGIT) : byte == pattern[index];
}

/* What is no version at all breaks the line (`malformed`); another version is one that we do not speak. */
static enum err
take_version(struct reader *reader, uint8_t *minor, enum refusal malformed)
{
    enum { SIZE = 8 };

    if (reader->rest.len >= SIZE && memcmp(reader->rest.at, "HTTP/1.1", SIZE) == 0) { /* as nearly always */
        reader_take(reader, SIZE);
        *minor = 1;
        return ERR_NONE;
    }
    for (size_t i = 0; i < SIZE; i++) {
        if (i == reader->rest.len)
            return ERR_AGAIN;
        if (!fits_version(reader->rest.at[i], i))
            return reader_refuse_byte(reader, reader->rest.at[i], malformed);
    }
    const char *version = reader_take(reader, SIZE).at;
    if (version[5] != '1' || version[7] > '1')
        return reader_refuse(reader, REFUSAL_BAD_VERSION);
    *minor = (uint8_t)(version[7] - '0');
    return ERR_NONE;
}

static enum err
take_method(struct reader *reader, struct head *head)
{
    size_t length = reader->scan->token(reader->rest);

    if (length == reader->rest.len)
        return ERR_AGAIN;
    if (reader->rest.at[length] == '\r')
        return reader_refuse(reader, REFUSAL_BAD_REQUEST_LINE);
    if (length == 0)
        return reader_refuse_byte(reader, reader->rest.at[0], REFUSAL_BAD_METHOD);
    head->method_text = reader_take(reader, length);
    head->method = method_lookup(head->method_text);
    return reader_take_space(reader, REFUSAL_BAD_METHOD);
}

static enum err
take_target(struct reader *reader, struct head *head, uint32_t limit)
{
    size_t length = reader->scan->target(reader->rest);

    if (length > limit)
        return reader_refuse(reader, REFUSAL_TARGET_TOO_LONG);
    if (length == reader->rest.len)
        return ERR_AGAIN;
    char after = reader->rest.at[length];
    if (after == '\r' || (after == ' ' && length == 0)) /* HTTP/0.9, or two SP */
        return reader_refuse(reader, REFUSAL_BAD_REQUEST_LINE);
    head->target = reader_take(reader, length);
    return reader_take_space(reader, REFUSAL_BAD_TARGET);
}

/* RFC 9112 §2.2: "a server SHOULD ignore at least one empty line (CRLF) received prior to the
 * request-line". */
static enum err
skip_empty_line(struct reader *reader)
{
    if (reader->rest.len == 0 || (reader->rest.at[0] != '\r' && reader->rest.at[0] != '\n'))
        return ERR_NONE;
    return reader_take_line_end(reader, REFUSAL_BAD_REQUEST_LINE);
}

enum err
reader_take_request_line(struct reader *reader, struct head *head, uint32_t target_limit)
{
    enum err err = skip_empty_line(reader);

    if (err == ERR_NONE)
        err = take_method(reader, head);
    if (err == ERR_NONE)
        err = take_target(reader, head, target_limit);
    if (err == ERR_NONE)
        err = take_version(reader, &head->minor, REFUSAL_BAD_REQUEST_LINE);
    if (err == ERR_NONE)
        err = reader_take_line_end(reader, REFUSAL_BAD_REQUEST_LINE);
    return err;
}

/* Exactly three digits, 100 to 999. */
static enum err
take_status(struct reader *reader, unsigned *status)
{
    unsigned sum = 0;

    for (size_t i = 0; i < 3; i++) {
        if (i == reader->rest.len)
            return ERR_AGAIN;
        char byte = reader->rest.at[i];
        if (!byte_is(byte, BYTE_DIGIT) || (i == 0 && byte == '0'))
            return reader_refuse_byte(reader, byte, REFUSAL_BAD_STATUS_LINE);
        sum = sum * 10 + (unsigned)(byte - '0');
    }
    reader_take(reader, 3);
    *status = sum;
    return ERR_NONE;
}

static enum err
take_reason(struct reader *reader, struct head *head)
{
    if (reader->rest.len > 0 && reader->rest.at[0] == '\r') /* the SP that the head of this file speaks of */
        return reader_take_line_end(reader, REFUSAL_BAD_STATUS_LINE);
    enum err err = reader_take_space(reader, REFUSAL_BAD_STATUS_LINE);
    if (err != ERR_NONE)
        return err;
    head->reason = reader_take(reader, reader->scan->value(reader->rest));
    return reader_take_line_end(reader, REFUSAL_BAD_STATUS_LINE);
}

enum err
reader_take_status_line(struct reader *reader, struct head *head)
{
    enum err err = take_version(reader, &head->minor, REFUSAL_BAD_STATUS_LINE);

    if (err == ERR_NONE)
        err = reader_take_space(reader, REFUSAL_BAD_STATUS_LINE);
    if (err == ERR_NONE)
        err = take_status(reader, &head->status);
    if (err == ERR_NONE)
        err = take_reason(reader, head);
    return err;
}
