/* access_log.c: see access_log.h.
 *
 * The form is found from the date in brackets: before it are three words (host, ident, user), or four when
 * a virtual host comes first; behind it the request line in quotes, in which a quote is written as \".
 */
#include "access_log.h"

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
    struct span before, date, first = SPAN_EMPTY;

    if (!span_split(line, '[', &before) || line->at == NULL)
        return false;
    unsigned words = count_words(before, &first);
    if (words < 3 || !span_split(line, ']', &date) || line->at == NULL)
        return false;
    access->host = words > 3 && is_virtual_host(first) ? first : SPAN_EMPTY;
    return date.len > 0 && span_starts(*line, SPAN(" \""));
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
