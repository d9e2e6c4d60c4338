/* negotiate.c: weights (RFC 9110 §12.4.2), and Accept-Encoding (§12.5.3) in one form.
 *
 *      "gzip;q=0.8, x-gzip, *;q=0"  ──▶ per coding: its own weight, else that of "*", else none
 *                                   ──▶ the known ones that are taken, sorted: "gzip"
 *
 * Two clients that wish for the same then have the same key, whatever words they wish in.
 */
#include <larder/http/negotiate.h>

#include "bytes.h"

enum { WEIGHT_MAX = 1000, UNLISTED = WEIGHT_MAX + 1 };

/* Takes the part up to the next ";" outside of quotes, trimmed. */
static struct span
take_part(struct span *rest)
{
    size_t end = 0;
    bool   quoted = false;

    for (; end < rest->len && (quoted || rest->at[end] != ';'); end++) {
        if (rest->at[end] == '"')
            quoted = !quoted;
        else if (rest->at[end] == '\\' && quoted && end + 1 < rest->len)
            end++;
    }
    struct span part = span_trim(span_head(*rest, end));
    *rest = span_skip(*rest, end + 1);
    return part;
}

/* ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3"0" ] ) in thousandths; anything else is 1000. */
static unsigned
read_weight(struct span text)
{
    unsigned sum = 0, unit = WEIGHT_MAX;

    if (text.len == 0 || text.len > 5 || text.at[0] < '0' || text.at[0] > '1'
        || (text.len > 1 && text.at[1] != '.'))
        return WEIGHT_MAX;
    for (size_t i = 0; i < text.len; i++) {
        if (i == 1)
            continue;
        if (!byte_is(text.at[i], BYTE_DIGIT))
            return WEIGHT_MAX;
        sum += (unsigned)(text.at[i] - '0') * unit;
        unit /= 10;
    }
    return sum < WEIGHT_MAX ? sum : WEIGHT_MAX;
}

unsigned
weight_of(struct span member, struct span *name)
{
    *name = take_part(&member);
    while (member.len > 0) {
        struct span part = take_part(&member);
        if (span_starts_nocase(part, SPAN("q=")))
            return read_weight(span_skip(part, 2));
    }
    return WEIGHT_MAX;
}

/* RFC 9110 §8.4.1.3: x-gzip is gzip. */
static bool
same_coding(struct span a, struct span b)
{
    static const struct span old = { "x-gzip", 6 }, gzip = { "gzip", 4 };
    return span_equal_nocase(span_equal_nocase(a, old) ? gzip : a, span_equal_nocase(b, old) ? gzip : b);
}

/* The weights that the list gives to `count` codings, in one pass; of a coding that is named twice the first
 * counts. */
static void
find_weights(const struct head *request, const struct span *codings, size_t count, unsigned *weights)
{
    struct list_walk walk = { 0 };
    struct span      member, name;

    for (size_t i = 0; i < count; i++)
        weights[i] = UNLISTED;
    while (head_walk(request, FIELD_ACCEPT_ENCODING, &walk, &member)) {
        unsigned weight = weight_of(member, &name);
        for (size_t i = 0; i < count; i++)
            if (weights[i] == UNLISTED && same_coding(name, codings[i]))
                weights[i] = weight;
    }
}

static unsigned
settle(unsigned own, unsigned any, unsigned otherwise)
{
    return own != UNLISTED ? own : any != UNLISTED ? any : otherwise;
}

unsigned
accept_encoding_quality(const struct head *request, struct span coding)
{
    const struct span codings[] = { coding, SPAN("*") };
    unsigned          weights[2];

    find_weights(request, codings, 2, weights);
    return settle(weights[0], weights[1], span_equal_nocase(coding, SPAN("identity")) ? WEIGHT_MAX : 0);
}

static char *
append(char *at, struct span text)
{
    memcpy(at, text.at, text.len);
    return at + text.len;
}

static char *
append_member(char *out, char *at, struct span text)
{
    if (at > out)
        *at++ = ',';
    return append(at, text);
}

/* Who refuses identity (RFC 9110 §12.5.3) may be answered with a 406 where others are not, and so has a form of
 * his own. */
struct span
accept_encoding_normalise(const struct head *request, char out[static ACCEPT_ENCODING_SIZE])
{
    enum { KNOWN = 4, ANY = KNOWN, IDENTITY };
    static const struct span codings[] = {
        { "br", 2 }, { "deflate", 7 }, { "gzip", 4 }, { "zstd", 4 }, { "*", 1 }, { "identity", 8 },
    };
    unsigned weights[IDENTITY + 1];
    char    *at = out;

    find_weights(request, codings, IDENTITY + 1, weights);
    for (size_t i = 0; i < KNOWN; i++)
        if (settle(weights[i], weights[ANY], 0) > 0)
            at = append_member(out, at, codings[i]);
    if (settle(weights[IDENTITY], weights[ANY], WEIGHT_MAX) == 0)
        at = append_member(out, at, SPAN("identity;q=0"));
    else if (at == out)
        at = append(at, SPAN("identity"));
    *at = '\0';
    return span_of(out, (size_t)(at - out));
}
