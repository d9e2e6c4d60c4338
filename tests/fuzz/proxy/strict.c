/* strict.c: see strict.h. Slow and plain on purpose: none of larder's parsers is used. */
#include "strict.h"

#include <larder/base/check.h>
#include <stdlib.h>

struct framing_seen {
    unsigned hosts, lengths, codings, upgrades;
    size_t   length;
};

/* ── small parts ── */

/* The line at the front, without its CRLF; false when it is cut. A bare CR or LF, or a NUL, is never sent. */
static bool
take_line(struct span *rest, struct span *line)
{
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->at[i];
        CHECK(c != '\n' && c != '\0');
        if (c != '\r')
            continue;
        if (i + 1 == rest->len)
            return false;
        CHECK(rest->at[i + 1] == '\n');
        *line = span_head(*rest, i);
        *rest = span_skip(*rest, i + 2);
        return true;
    }
    return false;
}

static bool
is_token(struct span text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && strchr(others, c) == NULL)
            return false;
    }
    return text.len > 0;
}

static void
check_visible(struct span text, bool space)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        CHECK(c != 0x7f && (c > 0x20 || (space && (c == ' ' || c == '\t'))));
    }
}

static size_t
number(struct span digits, int base)
{
    char   text[20], *end;
    size_t len = digits.len;

    CHECK(len > 0 && len < sizeof text);
    memcpy(text, digits.at, len);
    text[len] = '\0';
    CHECK(text[0] != '+' && text[0] != '-' && text[0] != ' ');
    size_t value = strtoull(text, &end, base);
    CHECK(*end == '\0');
    return value;
}

/* ── the head ── */

static void
check_request_line(struct span line)
{
    ptrdiff_t first = span_find(line, ' ');
    CHECK(first > 0 && is_token(span_head(line, (size_t)first)));
    struct span rest = span_skip(line, (size_t)first + 1);
    ptrdiff_t   second = span_find(rest, ' ');
    CHECK(second > 0 && span_equal(span_skip(rest, (size_t)second + 1), SPAN("HTTP/1.1")));
    struct span target = span_head(rest, (size_t)second);
    check_visible(target, false);
    CHECK(target.at[0] == '/' || span_equal(target, SPAN("*")));
    CHECK(span_find(target, '#') < 0);
}

static void
check_field(struct span line, struct framing_seen *seen)
{
    ptrdiff_t colon = span_find(line, ':');
    CHECK(colon > 0 && is_token(span_head(line, (size_t)colon)));
    struct span name = span_head(line, (size_t)colon);
    struct span value = span_trim(span_skip(line, (size_t)colon + 1));

    check_visible(value, true);
    if (span_equal_nocase(name, SPAN("Host"))) {
        check_visible(value, false);
        seen->hosts++;
    } else if (span_equal_nocase(name, SPAN("Content-Length"))) {
        seen->lengths++;
        seen->length = number(value, 10);
    } else if (span_equal_nocase(name, SPAN("Transfer-Encoding"))) {
        seen->codings++;
        CHECK(span_equal(value, SPAN("chunked")));
    } else if (span_equal_nocase(name, SPAN("Upgrade"))) {
        seen->upgrades++;
    }
}

/* False: it is cut. */
static bool
take_head(struct span *rest, struct framing_seen *seen)
{
    struct span line;

    if (!take_line(rest, &line))
        return false;
    check_request_line(line);
    while (take_line(rest, &line)) {
        if (line.len == 0) {
            CHECK(seen->hosts == 1 && seen->lengths + seen->codings <= 1);
            return true;
        }
        check_field(line, seen);
    }
    return false;
}

/* ── the body ── */

static bool
take_bytes(struct span *rest, size_t count)
{
    bool whole = count <= rest->len;
    *rest = span_skip(*rest, whole ? count : rest->len);
    return whole;
}

static bool
take_chunks(struct span *rest)
{
    struct span line;

    while (take_line(rest, &line)) {
        size_t size = number(line, 16);
        if (size > 0 && !take_bytes(rest, size))
            return false;
        if (!take_line(rest, &line))
            return false;
        CHECK(line.len == 0);
        if (size == 0)
            return true;
    }
    return false;
}

unsigned
strict_requests(struct span rest)
{
    unsigned requests = 0;

    while (rest.len > 0) {
        struct framing_seen seen = { .hosts = 0 };
        if (!take_head(&rest, &seen))
            return requests;
        requests++;
        if (seen.upgrades > 0 || !(seen.codings > 0 ? take_chunks(&rest) : take_bytes(&rest, seen.length)))
            return requests;
    }
    return requests;
}

void
strict_answer(struct span bytes)
{
    struct span begin = SPAN("HTTP/1.1 ");
    size_t      length = bytes.len < begin.len ? bytes.len : begin.len;

    CHECK(span_equal(span_head(bytes, length), span_head(begin, length)));
}
