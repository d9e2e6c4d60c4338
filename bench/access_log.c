/* access_log.c: see access_log.h.
 *
 * The form is found from the date in brackets: before it are three words (host, ident, user), or four when
 * a virtual host comes first; behind it the request line in quotes, in which a quote is written as \".
 */
#include "access_log.h"

#include <larder/http/date.h>
#include <stdio.h>

#define BYTES_MAX (UINT64_C(1) << 40)

static unsigned
count_words(struct span text, struct span *first)
{
    struct span word;
    unsigned    count = 0;

    while (span_split(&text, ' ', &word)) {
        if (word.len == 0)
            continue;
        if (count++ == 0)
            *first = word;
    }
    return count;
}

/* "www.example.com:443": a user's name with a space makes four words too. */
static bool
is_virtual_host(struct span word)
{
    uint64_t port;
    ssize_t  colon = -1;
    for (size_t i = 0; i < word.len; i++)
        if (word.at[i] == ':')
            colon = (ssize_t)i;
    return colon > 0 && span_to_u64(span_skip(word, (size_t)colon + 1), UINT16_MAX, &port);
}

/* Takes what stands before the date, and the date, off the line. */
static bool
take_client(struct span *line, struct access *access)
{
    struct span before, first = SPAN_EMPTY;

    if (!span_split(line, '[', &before) || line->at == NULL)
        return false;
    unsigned words = count_words(before, &first);
    if (words < 3 || !span_split(line, ']', &access->date) || line->at == NULL)
        return false;
    access->host = words > 3 && is_virtual_host(first) ? first : SPAN_EMPTY;
    return access->date.len > 0 && span_starts(*line, SPAN(" \""));
}

/* Takes the quoted text that the line begins with off it. */
static bool
take_quoted(struct span *line, struct span *quoted)
{
    struct span rest = span_skip(*line, 1);

    for (size_t i = 0; i < rest.len; i++) {
        if (rest.at[i] == '\\') {
            i++;
        } else if (rest.at[i] == '"') {
            *quoted = span_head(rest, i);
            *line = span_skip(rest, i + 1);
            return true;
        }
    }
    return false;
}

static bool
parse_request(struct span request, struct access *access)
{
    return span_split(&request, ' ', &access->method) && access->method.len > 0
           && span_split(&request, ' ', &access->url) && access->url.len > 0;
}

static bool
parse_answer(struct span rest, struct access *access)
{
    struct span status, bytes;
    uint64_t    number;

    if (!span_starts(rest, SPAN(" ")))
        return false;
    rest = span_skip(rest, 1);
    if (!span_split(&rest, ' ', &status) || status.len != 3 || !span_to_u64(status, 999, &number))
        return false;
    access->status = (unsigned)number;
    access->bytes = 0;
    return span_split(&rest, ' ', &bytes)
           && (span_equal(bytes, SPAN("-")) || span_to_u64(bytes, BYTES_MAX, &access->bytes));
}

bool
access_log_parse(struct span line, struct access *access)
{
    struct span request;

    if (!take_client(&line, access))
        return false;
    line = span_skip(line, 1);
    return take_quoted(&line, &request) && parse_request(request, access) && parse_answer(line, access);
}

/* ── dates ── */

/* "+0200" in seconds: how far the place's clock is ahead. */
static bool
parse_zone(struct span zone, int64_t *ahead)
{
    uint64_t digits;
    if (zone.len != 5 || (zone.at[0] != '+' && zone.at[0] != '-')
        || !span_to_u64(span_skip(zone, 1), 2359, &digits))
        return false;
    int64_t seconds = (int64_t)(digits / 100 * 3600 + digits % 100 * 60);
    *ahead = zone.at[0] == '+' ? seconds : -seconds;
    return true;
}

uint32_t
access_log_time(struct span date)
{
    enum { DAY = 2, MONTH = 3, YEAR = 7, CLOCK = 12, ZONE = 21, END = 26 };
    char    text[DATE_SIZE + 1] = "";
    int64_t seconds, ahead;
    if (date.len != END || date.at[DAY] != '/' || date.at[MONTH + 3] != '/' || date.at[CLOCK - 1] != ':'
        || !parse_zone(span_skip(date, ZONE), &ahead))
        return 0;
    snprintf(text, sizeof text, "Sun, %.2s %.3s %.4s %.8s GMT", date.at, date.at + MONTH, date.at + YEAR,
             date.at + CLOCK); /* HTTP's form, whose weekday nobody looks at */
    if (!date_parse(span_of(text, DATE_SIZE), (wall_time){ 0 }, &seconds))
        return 0;
    seconds -= ahead;
    return seconds > 0 && seconds <= UINT32_MAX ? (uint32_t)seconds : 0;
}
