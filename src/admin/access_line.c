/* access_line.c: see access_line.h.
 *
 * Of most texts nothing needs an escape: they are copied in runs, up to the next byte that does.
 */
#include "access_line.h"

#include <larder/base/check.h>
#include <time.h>

/* ── numbers and dates ── */

static void
write_padded(struct writer *writer, uint64_t number, unsigned digits)
{
    char text[20];

    for (unsigned i = digits; i-- > 0; number /= 10)
        text[i] = (char)('0' + number % 10);
    write_raw(writer, span_of(text, digits));
}

static void
set_dates(struct access_dates *dates, int64_t second)
{
    time_t    time = (time_t)second;
    struct tm utc;

    if (second == dates->second || gmtime_r(&time, &utc) == NULL)
        return;
    dates->second = second;
    dates->json_len = strftime(dates->json, sizeof dates->json, "%Y-%m-%dT%H:%M:%S", &utc);
    dates->combined_len = strftime(dates->combined, sizeof dates->combined, "%d/%b/%Y:%H:%M:%S +0000", &utc);
}

/* ── texts ── */

enum { WORD = sizeof(uint64_t) };

static struct span
text_of(const struct access_record *record, enum access_text text)
{
    const char *at = record->texts;

    for (unsigned i = 0; i < (unsigned)text; i++)
        at += record->lens[i];
    return span_of(at, record->lens[text]);
}

static bool
is_continuation(struct span text, size_t at)
{
    return at < text.len && ((unsigned char)text.at[at] & 0xc0) == 0x80;
}

/* How many bytes the character has that the text begins with (RFC 3629: no overlong forms, no surrogates); 0: it is none. */
static size_t
utf8_len(struct span text)
{
    unsigned char first = (unsigned char)text.at[0];
    unsigned char second = text.len > 1 ? (unsigned char)text.at[1] : 0;

    if (first < 0xc2 || first > 0xf4 || !is_continuation(text, 1))
        return 0;
    if (first < 0xe0)
        return 2;
    if (!is_continuation(text, 2) || (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f))
        return 0;
    if (first < 0xf0)
        return 3;
    bool out = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return is_continuation(text, 3) && !out ? 4 : 0;
}

static bool
is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* The same of eight bytes at once: of `x ^ c` a byte is 0 where x is c, and subtracting 1 from it borrows into bit 7 (Mycroft). No
 * byte of 0x80 and more is plain, so that bit is free to tell. */
static bool
are_plain(const char at[static WORD])
{
    const uint64_t ones = UINT64_MAX / 255, tops = ones * 0x80;
    uint64_t       bytes;

    memcpy(&bytes, at, sizeof bytes);
    uint64_t quote = (bytes ^ ones * '"') - ones, backslash = (bytes ^ ones * '\\') - ones;
    uint64_t control = bytes - ones * 0x20, delete = bytes + ones;
    return ((bytes | quote | backslash | control | delete) & tops) == 0;
}

/* Bytes at the front that stand for themselves. */
static size_t
plain_len(struct span text, bool utf8)
{
    size_t at = 0;

    while (at < text.len) {
        if (text.len >= WORD) {
            size_t from = text.len - at < WORD ? text.len - WORD : at; /* the last eight, if fewer are left */
            if (are_plain(text.at + from)) {
                at = from + WORD;
                continue;
            }
        }
        unsigned char byte = (unsigned char)text.at[at];
        if (is_plain(byte)) {
            at++;
            continue;
        }
        size_t len = utf8 && byte >= 0x80 ? utf8_len(span_skip(text, at)) : 0;
        if (len == 0)
            break;
        at += len;
    }
    return at;
}

static void
write_escape(struct writer *writer, unsigned char byte, bool json)
{
    static const char digits[] = "0123456789abcdef", large[] = "0123456789ABCDEF";
    char              unicode[] = { '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15] };
    char              hex[] = { '\\', 'x', large[byte >> 4], large[byte & 15] };

    if (json && (byte == '"' || byte == '\\'))
        write_raw(writer, byte == '"' ? SPAN("\\\"") : SPAN("\\\\"));
    else if (json)
        write_raw(writer, span_of(unicode, sizeof unicode));
    else
        write_raw(writer, span_of(hex, sizeof hex));
}

static void
write_text(struct writer *writer, const struct access_record *record, enum access_text which, bool json)
{
    struct span text = text_of(record, which);

    for (;;) {
        size_t plain = plain_len(text, json);
        write_raw(writer, span_head(text, plain));
        text = span_skip(text, plain);
        if (text.len == 0)
            break;
        write_escape(writer, (unsigned char)text.at[0], json);
        text = span_skip(text, 1);
    }
    if (record->cut >> which & 1)
        write_raw(writer, SPAN("..."));
}

/* ── json ── */

/* `label`: from the end of the member before it to the opening quote. */
static void
member(struct writer *writer, struct span label, const struct access_record *record, enum access_text text)
{
    write_raw(writer, label);
    write_text(writer, record, text, true);
    write_raw(writer, SPAN("\""));
}

static void
number(struct writer *writer, struct span label, uint64_t value)
{
    char   text[20];
    size_t at = sizeof text;

    do
        text[--at] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    write_raw(writer, label);
    write_raw(writer, span_of(text + at, sizeof text - at));
}

static void
write_outcome(struct writer *writer, const struct access_record *record)
{
    member(writer, SPAN(",\"cache\":\""), record, ACCESS_CACHE);
    if (record->lens[ACCESS_DETAIL] > 0)
        member(writer, SPAN(",\"detail\":\""), record, ACCESS_DETAIL);
    if (record->origin_status != 0)
        number(writer, SPAN(",\"origin_status\":"), record->origin_status);
    if (record->stored)
        write_raw(writer, SPAN(",\"stored\":true"));
    if (record->collapsed)
        write_raw(writer, SPAN(",\"collapsed\":true"));
    if (record->end == ACCESS_CUT)
        write_raw(writer, SPAN(",\"end\":\"cut\""));
    else if (record->end == ACCESS_GONE)
        write_raw(writer, SPAN(",\"end\":\"gone\""));
}

static void
write_json(struct writer *writer, const struct access_dates *dates, const struct access_record *record)
{
    uint64_t duration = record->duration < 0 ? 0 : (uint64_t)record->duration / 1000;

    write_raw(writer, SPAN("{\"time\":\""));
    write_raw(writer, span_of(dates->json, dates->json_len));
    write_raw(writer, SPAN("."));
    write_padded(writer, (uint64_t)(record->received.ns % NSEC_PER_SEC) / NSEC_PER_MSEC, 3);
    member(writer, SPAN("Z\",\"client\":\""), record, ACCESS_CLIENT);
    member(writer, SPAN(",\"method\":\""), record, ACCESS_METHOD);
    member(writer, SPAN(",\"host\":\""), record, ACCESS_HOST);
    member(writer, SPAN(",\"target\":\""), record, ACCESS_TARGET);
    write_raw(writer, record->minor == 0 ? SPAN(",\"protocol\":\"HTTP/1.0\"")
                                         : SPAN(",\"protocol\":\"HTTP/1.1\""));
    number(writer, SPAN(",\"status\":"), record->status);
    number(writer, SPAN(",\"bytes\":"), record->sent);
    number(writer, SPAN(",\"seconds\":"), duration / 1000000);
    write_raw(writer, SPAN("."));
    write_padded(writer, duration % 1000000, 6);
    write_outcome(writer, record);
    member(writer, SPAN(",\"referer\":\""), record, ACCESS_REFERER);
    member(writer, SPAN(",\"agent\":\""), record, ACCESS_AGENT);
    write_raw(writer, SPAN("}\n"));
}

/* ── combined ── */

static void
write_or_dash(struct writer *writer, const struct access_record *record, enum access_text text)
{
    if (record->lens[text] == 0)
        write_raw(writer, SPAN("-"));
    else
        write_text(writer, record, text, false);
}

static void
write_combined(struct writer *writer, const struct access_dates *dates, const struct access_record *record)
{
    write_text(writer, record, ACCESS_CLIENT, false);
    write_raw(writer, SPAN(" - - ["));
    write_raw(writer, span_of(dates->combined, dates->combined_len));
    write_raw(writer, SPAN("] \""));
    write_or_dash(writer, record, ACCESS_METHOD);
    if (record->lens[ACCESS_METHOD] > 0) {
        write_raw(writer, SPAN(" "));
        write_text(writer, record, ACCESS_TARGET, false);
        write_raw(writer, record->minor == 0 ? SPAN(" HTTP/1.0") : SPAN(" HTTP/1.1"));
    }
    number(writer, SPAN("\" "), record->status);
    number(writer, SPAN(" "), record->sent);
    write_raw(writer, SPAN(" \""));
    write_or_dash(writer, record, ACCESS_REFERER);
    write_raw(writer, SPAN("\" \""));
    write_or_dash(writer, record, ACCESS_AGENT);
    write_raw(writer, SPAN("\"\n"));
}

void
access_line_write(struct writer *writer, enum access_format format, struct access_dates *dates,
                  const struct access_record *record)
{
    CHECK(writer->room - writer->len >= ACCESS_LINE_MAX);
    set_dates(dates, wall_seconds(record->received));
    if (format == ACCESS_JSON)
        write_json(writer, dates, record);
    else
        write_combined(writer, dates, record);
    CHECK(!writer->failed);
}
