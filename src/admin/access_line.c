/* access_line.c: see access_line.h.
 *
 * There is room for the longest line, so nobody looks for room: what writes takes the place to write to, and gives back the place
 * behind what it wrote. Of most texts nothing needs an escape: they are copied eight bytes at a time, as they are looked at.
 */
#include "access_line.h"

#include <larder/base/check.h>
#include <time.h>

/* ── pieces ── */

static inline char *
put(char *at, struct span bytes)
{
    memcpy(at, bytes.at, bytes.len);
    return at + bytes.len;
}

static char *
put_padded(char *at, uint64_t number, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    return at + digits;
}

static char *
put_number(char *at, uint64_t number)
{
    unsigned digits = 1;

    for (uint64_t rest = number; rest >= 10; rest /= 10)
        digits++;
    return put_padded(at, number, digits);
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

/* A record, and where its texts lie. */
struct facts {
    const struct access_record *record;
    struct span                 texts[ACCESS_TEXT_COUNT];
};

static void
find_texts(struct facts *facts, const struct access_record *record)
{
    const char *at = record->texts;

    facts->record = record;
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; at += record->lens[i], i++)
        facts->texts[i] = span_of(at, record->lens[i]);
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
are_plain(uint64_t bytes)
{
    const uint64_t ones = UINT64_MAX / 255, tops = ones * 0x80;
    uint64_t       quote = (bytes ^ ones * '"') - ones, backslash = (bytes ^ ones * '\\') - ones;
    uint64_t       control = bytes - ones * 0x20, delete = bytes + ones;
    return ((bytes | quote | backslash | control | delete) & tops) == 0;
}

/* Copies eight bytes if all of them stand for themselves. */
static inline bool
put_word(char *to, const char *from)
{
    uint64_t word;

    memcpy(&word, from, sizeof word);
    if (!are_plain(word))
        return false;
    memcpy(to, &word, sizeof word);
    return true;
}

/* As many of them as there are at the front, the last over the end of the one before it; how many bytes. */
static inline size_t
put_words(char *to, struct span text)
{
    size_t at = 0;

    if (text.len < WORD)
        return 0;
    for (; at <= text.len - WORD; at += WORD)
        if (!put_word(to + at, text.at + at))
            return at;
    return at == text.len || put_word(to + text.len - WORD, text.at + text.len - WORD) ? text.len : at;
}

/* The same for a character; 0: it needs an escape. */
static size_t
put_character(char *to, struct span text, bool utf8)
{
    unsigned char first = (unsigned char)text.at[0];
    size_t        len = is_plain(first) ? 1 : utf8 && first >= 0x80 ? utf8_len(text) : 0;

    for (size_t at = 0; at < len; at++)
        to[at] = text.at[at];
    return len;
}

static char *
put_escape(char *at, unsigned char byte, bool json)
{
    static const char digits[] = "0123456789abcdef", large[] = "0123456789ABCDEF";
    char              unicode[] = { '\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15] };
    char              hex[] = { '\\', 'x', large[byte >> 4], large[byte & 15] };

    if (json && (byte == '"' || byte == '\\'))
        return put(at, byte == '"' ? SPAN("\\\"") : SPAN("\\\\"));
    return json ? put(at, span_of(unicode, sizeof unicode)) : put(at, span_of(hex, sizeof hex));
}

/* What is short, or has something that is no plain byte. */
static char *
put_characters(char *at, struct span text, bool json)
{
    while (text.len > 0) {
        size_t len = put_character(at, text, json);
        if (len == 0) {
            at = put_escape(at, (unsigned char)text.at[0], json);
            text = span_skip(text, 1);
            continue;
        }
        text = span_skip(text, len);
        at += len;
        len = put_words(at, text);
        text = span_skip(text, len);
        at += len;
    }
    return at;
}

static char *
put_text(char *at, const struct facts *facts, enum access_text which, bool json)
{
    struct span text = facts->texts[which];
    size_t      len = put_words(at, text);

    at += len;
    if (len < text.len)
        at = put_characters(at, span_skip(text, len), json);
    return facts->record->cut >> which & 1 ? put(at, SPAN("...")) : at;
}

/* ── json ── */

/* Its label, to the opening quote, is there. */
static char *
put_value(char *at, const struct facts *facts, enum access_text text)
{
    return put(put_text(at, facts, text, true), SPAN("\""));
}

static char *
put_time(char *at, const struct access_dates *dates, wall_time received)
{
    at = put(at, span_of(dates->json, dates->json_len));
    at = put(at, SPAN("."));
    return put_padded(at, (uint64_t)(received.ns % NSEC_PER_SEC) / NSEC_PER_MSEC, 3);
}

static char *
put_seconds(char *at, nsec duration)
{
    uint64_t microseconds = duration < 0 ? 0 : (uint64_t)duration / 1000;

    at = put(put_number(at, microseconds / 1000000), SPAN("."));
    return put_padded(at, microseconds % 1000000, 6);
}

static char *
put_outcome(char *at, const struct facts *facts)
{
    const struct access_record *record = facts->record;

    at = put_value(put(at, SPAN(",\"cache\":\"")), facts, ACCESS_CACHE);
    if (record->lens[ACCESS_DETAIL] > 0)
        at = put_value(put(at, SPAN(",\"detail\":\"")), facts, ACCESS_DETAIL);
    if (record->origin_status != 0)
        at = put_number(put(at, SPAN(",\"origin_status\":")), record->origin_status);
    if (record->stored)
        at = put(at, SPAN(",\"stored\":true"));
    if (record->collapsed)
        at = put(at, SPAN(",\"collapsed\":true"));
    if (record->end == ACCESS_CUT)
        at = put(at, SPAN(",\"end\":\"cut\""));
    else if (record->end == ACCESS_GONE)
        at = put(at, SPAN(",\"end\":\"gone\""));
    return at;
}

static char *
put_json(char *at, const struct access_dates *dates, const struct facts *facts)
{
    const struct access_record *record = facts->record;

    at = put_time(put(at, SPAN("{\"time\":\"")), dates, record->received);
    at = put_value(put(at, SPAN("Z\",\"client\":\"")), facts, ACCESS_CLIENT);
    at = put_value(put(at, SPAN(",\"method\":\"")), facts, ACCESS_METHOD);
    at = put_value(put(at, SPAN(",\"host\":\"")), facts, ACCESS_HOST);
    at = put_value(put(at, SPAN(",\"target\":\"")), facts, ACCESS_TARGET);
    at = put(at, SPAN(",\"protocol\":\"HTTP/1."));
    *at++ = record->minor == 0 ? '0' : '1';
    at = put_number(put(at, SPAN("\",\"status\":")), record->status);
    at = put_number(put(at, SPAN(",\"bytes\":")), record->sent);
    at = put_seconds(put(at, SPAN(",\"seconds\":")), record->duration);
    at = put_outcome(at, facts);
    at = put_value(put(at, SPAN(",\"referer\":\"")), facts, ACCESS_REFERER);
    at = put_value(put(at, SPAN(",\"agent\":\"")), facts, ACCESS_AGENT);
    return put(at, SPAN("}\n"));
}

/* ── combined ── */

static char *
put_or_dash(char *at, const struct facts *facts, enum access_text text)
{
    return facts->texts[text].len == 0 ? put(at, SPAN("-")) : put_text(at, facts, text, false);
}

static char *
put_combined(char *at, const struct access_dates *dates, const struct facts *facts)
{
    const struct access_record *record = facts->record;

    at = put(put_text(at, facts, ACCESS_CLIENT, false), SPAN(" - - ["));
    at = put(at, span_of(dates->combined, dates->combined_len));
    at = put_or_dash(put(at, SPAN("] \"")), facts, ACCESS_METHOD);
    if (record->lens[ACCESS_METHOD] > 0) {
        at = put_text(put(at, SPAN(" ")), facts, ACCESS_TARGET, false);
        at = put(at, record->minor == 0 ? SPAN(" HTTP/1.0") : SPAN(" HTTP/1.1"));
    }
    at = put_number(put(at, SPAN("\" ")), record->status);
    at = put_number(put(at, SPAN(" ")), record->sent);
    at = put_or_dash(put(at, SPAN(" \"")), facts, ACCESS_REFERER);
    at = put_or_dash(put(at, SPAN("\" \"")), facts, ACCESS_AGENT);
    return put(at, SPAN("\"\n"));
}

void
access_line_write(struct writer *writer, enum access_format format, struct access_dates *dates,
                  const struct access_record *record)
{
    char        *begin = writer->at + writer->len;
    struct facts facts;

    CHECK(writer->room - writer->len >= ACCESS_LINE_MAX);
    set_dates(dates, wall_seconds(record->received));
    find_texts(&facts, record);
    char *end = format == ACCESS_JSON ? put_json(begin, dates, &facts) : put_combined(begin, dates, &facts);
    CHECK(end - begin <= ACCESS_LINE_MAX);
    writer->len += (size_t)(end - begin);
}
