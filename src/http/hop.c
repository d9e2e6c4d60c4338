/* hop.c: which fields end at this hop (RFC 9110 §7.6.1).
 *
 *      always                             Connection, Keep-Alive, TE, Trailer, Transfer-Encoding, Upgrade, …
 *      what Connection names              known names as bits, unknown ones as a short list of spans
 *      never, although it is named        what decides about the answer: Host, lengths, conditions, …
 *
 * The last line is against peers who name, say, Authorization or Cookie in Connection, so that a careless
 * proxy drops it and asks for (and stores) somebody else's page.
 */
#include <larder/http/framing.h>
#include <larder/http/scan.h>

#include <assert.h>

#define BIT(word, id) ((id) / 64 == (word) ? UINT64_C(1) << ((id) % 64) : 0)
#define ALWAYS(word)                                                                                         \
    (BIT(word, FIELD_CONNECTION) | BIT(word, FIELD_KEEP_ALIVE) | BIT(word, FIELD_PROXY_CONNECTION)           \
     | BIT(word, FIELD_TE) | BIT(word, FIELD_TRAILER) | BIT(word, FIELD_UPGRADE)                             \
     | BIT(word, FIELD_TRANSFER_ENCODING) | BIT(word, FIELD_PROXY_AUTHENTICATE)                              \
     | BIT(word, FIELD_PROXY_AUTHORIZATION))

static_assert(sizeof((struct hop_set){ 0 }.known) == 2 * sizeof(uint64_t), "two words");

/* CDN-Loop must survive too, or a loop is never found (RFC 8586 §2). */
static const enum field_id kept[] = {
    FIELD_HOST, FIELD_CACHE_CONTROL, FIELD_AUTHORIZATION, FIELD_COOKIE, FIELD_VARY,          FIELD_RANGE,
    FIELD_DATE, FIELD_AGE,           FIELD_EXPIRES,       FIELD_ETAG,   FIELD_LAST_MODIFIED, FIELD_CDN_LOOP,
};

static void
mark(struct hop_set *set, enum field_id id)
{
    set->known[id / 64] |= UINT64_C(1) << (id % 64);
}

static bool
is_marked(const struct hop_set *set, enum field_id id)
{
    return (set->known[id / 64] >> (id % 64) & 1) != 0;
}

static bool
is_kept(struct span name, enum field_id id)
{
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (kept[i] == id)
            return true;
    return span_starts_nocase(name, SPAN("Content-")) || span_starts_nocase(name, SPAN("If-"));
}

static bool
is_listed(const struct hop_set *set, struct span name)
{
    for (unsigned i = 0; i < set->others; i++)
        if (span_equal_nocase(set->other[i], name))
            return true;
    return false;
}

/* False when there is no room for one more unknown name. */
static bool
mark_option(struct hop_set *set, struct span name)
{
    enum field_id id = field_lookup(name);

    if (is_kept(name, id))
        return true;
    if (id != FIELD_OTHER) {
        mark(set, id);
        return true;
    }
    if (is_listed(set, name))
        return true;
    if (set->others == sizeof set->other / sizeof set->other[0])
        return false;
    set->other[set->others++] = name;
    return true;
}

enum err
framing_mark_hop(const struct head *head, struct hop_set *set, enum refusal *refusal)
{
    struct list_walk walk = { 0 };
    struct span      option;

    set->known[0] = ALWAYS(0);
    set->known[1] = ALWAYS(1);
    set->others = 0;
    while (head_walk(head, FIELD_CONNECTION, &walk, &option)) {
        if (scan_best()->token(option) != option.len) {
            *refusal = REFUSAL_BAD_FIELD_VALUE;
            return ERR_SYNTAX;
        }
        if (!mark_option(set, option)) {
            *refusal = REFUSAL_TOO_MANY_FIELDS;
            return ERR_SYNTAX;
        }
    }
    return ERR_NONE;
}

bool
framing_is_hop(const struct hop_set *set, const struct field *field)
{
    return field->id == FIELD_OTHER ? is_listed(set, field->name) : is_marked(set, (enum field_id)field->id);
}
