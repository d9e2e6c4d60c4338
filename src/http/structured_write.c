/* structured_write.c: structured fields written (RFC 8941 §4.1), and strings with their backslashes undone.
 *
 * A text goes out as a token where it can and as a string where it must, so that what we say about ourselves
 * reads as the registries of Cache-Status and its like spell it. What no string can say fails the writer.
 */
#include <larder/http/structured.h>

#include "digits.h"
#include "structured_bytes.h"

#define INTEGER_MAX INT64_C(999999999999999)

size_t
sf_string_copy(const struct sf_value *value, char *out, size_t room)
{
    size_t length = 0;

    for (size_t i = 0; i < value->text.len && length < room; i++) {
        if (value->text.at[i] == '\\')
            i++;
        out[length++] = value->text.at[i];
    }
    return length;
}

bool
sf_string_is(const struct sf_value *value, struct span bytes)
{
    size_t at = 0;

    if (value->type != SF_STRING)
        return false;
    for (size_t i = 0; i < value->text.len; i++, at++) {
        if (value->text.at[i] == '\\')
            i++;
        if (at == bytes.len || value->text.at[i] != bytes.at[at])
            return false;
    }
    return at == bytes.len;
}

/* ── writing ── */

typedef bool is_byte(char byte);

static bool
is_made_of(struct span text, is_byte *starts, is_byte *continues)
{
    if (text.len == 0 || !starts(text.at[0]))
        return false;
    for (size_t i = 1; i < text.len; i++)
        if (!continues(text.at[i]))
            return false;
    return true;
}

static bool
is_token(struct span text)
{
    return is_made_of(text, sf_starts_token, sf_continues_token);
}

void
sf_write_integer(struct writer *writer, int64_t number)
{
    char digits[DIGITS_MAX];

    if (number > INTEGER_MAX || number < -INTEGER_MAX) {
        writer->failed = true;
        return;
    }
    write_raw(writer, number < 0 ? SPAN("-") : SPAN(""));
    write_raw(writer, digits_format((uint64_t)(number < 0 ? -number : number), digits));
}

void
sf_write_boolean(struct writer *writer, bool boolean)
{
    write_raw(writer, boolean ? SPAN("?1") : SPAN("?0"));
}

void
sf_write_string(struct writer *writer, struct span text)
{
    write_raw(writer, SPAN("\""));
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.at[i];
        if (byte < ' ' || byte > '~')
            writer->failed = true;
        if (byte == '"' || byte == '\\')
            write_raw(writer, SPAN("\\"));
        write_raw(writer, span_of(&text.at[i], 1));
    }
    write_raw(writer, SPAN("\""));
}

void
sf_write_token(struct writer *writer, struct span text)
{
    if (!is_token(text))
        writer->failed = true;
    write_raw(writer, text);
}

void
sf_write_text(struct writer *writer, struct span text)
{
    if (is_token(text))
        write_raw(writer, text);
    else
        sf_write_string(writer, text);
}

void
sf_write_param_flag(struct writer *writer, struct span key)
{
    if (!is_made_of(key, sf_starts_key, sf_continues_key))
        writer->failed = true;
    write_raw(writer, SPAN(";"));
    write_raw(writer, key);
}

void
sf_write_param_integer(struct writer *writer, struct span key, int64_t number)
{
    sf_write_param_flag(writer, key);
    write_raw(writer, SPAN("="));
    sf_write_integer(writer, number);
}

void
sf_write_param_text(struct writer *writer, struct span key, struct span text)
{
    sf_write_param_flag(writer, key);
    write_raw(writer, SPAN("="));
    sf_write_text(writer, text);
}
