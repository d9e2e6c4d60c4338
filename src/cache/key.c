/* key.c: keys are built here and nowhere else.
 *
 * The text is composed in the arena and hashed as a whole. A variant's text begins with the primary one, and a newline, which no
 * URL has, separates them: no two requests with different selecting values can have the same text.
 */
#include <larder/cache/key.h>

#include <larder/base/check.h>
#include <inttypes.h>
#include <stdio.h>

/* The shard is chosen by these bits (store.h): all keys of a URL share them. */
#define SHARD_BITS UINT64_C(0xff00000000000000)

/* ── normalisation ── */

/* Parameters that mark where a visitor came from. No origin answers differently for them, and each click has its own. */
static bool
is_tracker(struct span name)
{
    static const struct span trackers[] = { SPAN("gclid"),  SPAN("gclsrc"), SPAN("dclid"),   SPAN("gbraid"),
                                            SPAN("wbraid"), SPAN("fbclid"), SPAN("msclkid"), SPAN("yclid"),
                                            SPAN("twclid"), SPAN("ttclid"), SPAN("igshid"),  SPAN("mc_cid"),
                                            SPAN("mc_eid"), SPAN("_ga") };
    if (span_starts(name, SPAN("utm_")))
        return true;
    for (size_t i = 0; i < sizeof trackers / sizeof trackers[0]; i++)
        if (span_equal(name, trackers[i]))
            return true;
    return false;
}

static struct span
name_of(struct span parameter)
{
    ssize_t equals = span_find(parameter, '=');
    return equals < 0 ? parameter : span_head(parameter, (size_t)equals);
}

static bool
has_tracker(struct span query)
{
    struct span rest = query, parameter;
    while (span_split(&rest, '&', &parameter))
        if (is_tracker(name_of(parameter)))
            return true;
    return false;
}

enum err
key_normalise(struct arena *arena, const struct target *sent, struct target *normal)
{
    *normal = *sent;
    if (sent->query.len == 0 || !has_tracker(sent->query))
        return ERR_NONE;
    char *kept = arena_alloc(arena, sent->query.len);
    if (kept == NULL)
        return ERR_NO_MEMORY;

    struct span rest = sent->query, parameter;
    size_t      len = 0;
    bool        any = false;
    while (span_split(&rest, '&', &parameter)) {
        if (is_tracker(name_of(parameter)))
            continue;
        if (any)
            kept[len++] = '&';
        memcpy(kept + len, parameter.at, parameter.len);
        len += parameter.len;
        any = true;
    }
    normal->query = any ? span_of(kept, len) : SPAN_EMPTY;
    return ERR_NONE;
}

/* ── texts ── */

struct composer {
    char  *at;
    size_t len;
};

static void
put(struct composer *text, struct span bytes)
{
    if (bytes.len > 0)
        memcpy(text->at + text->len, bytes.at, bytes.len);
    text->len += bytes.len;
}

static void
put_lower(struct composer *text, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        text->at[text->len++] = ascii_lower(bytes.at[i]);
}

static bool
is_default_port(struct span scheme, struct span port)
{
    return port.len == 0 || span_equal(port, span_equal(scheme, SPAN("https")) ? SPAN("443") : SPAN("80"));
}

enum err
key_primary(struct arena *arena, const struct hash_seed *seed, struct span scheme,
            const struct target *normal, struct span host, struct store_key *key)
{
    struct span name = normal->host.len > 0 ? normal->host : host;
    size_t      room = scheme.len + name.len + normal->port.len + normal->path.len + normal->query.len + 8;
    struct composer text = { arena_alloc(arena, room), 0 };

    if (text.at == NULL)
        return ERR_NO_MEMORY;
    put(&text, scheme);
    put(&text, SPAN("://"));
    put_lower(&text, name);
    if (!is_default_port(scheme, normal->port)) {
        put(&text, SPAN(":"));
        put(&text, normal->port);
    }
    put(&text, normal->path);
    if (normal->query.at != NULL) {
        put(&text, SPAN("?"));
        put(&text, normal->query);
    }
    CHECK(text.len <= room);
    key->text = span_of(text.at, text.len);
    key->digest = hash_digest(seed, key->text);
    return ERR_NONE;
}

/* A key below another one. */
static enum err
compose_below(struct arena *arena, const struct hash_seed *seed, const struct store_key *above,
              struct span more, struct store_key *key)
{
    struct composer text = { arena_alloc(arena, above->text.len + more.len + 1), 0 };

    if (text.at == NULL)
        return ERR_NO_MEMORY;
    put(&text, above->text);
    put(&text, SPAN("\n"));
    put(&text, more);
    key->text = span_of(text.at, text.len);
    key->digest = hash_digest(seed, key->text);
    return ERR_NONE;
}

/* And in the same shard. */
static enum err
key_below(struct arena *arena, const struct hash_seed *seed, const struct store_key *above, struct span more,
          struct store_key *key)
{
    enum err err = compose_below(arena, seed, above, more, key);
    if (err != ERR_NONE)
        return err;
    key->digest.high = (key->digest.high & ~SHARD_BITS) | (above->digest.high & SHARD_BITS);
    return ERR_NONE;
}

enum err
key_variant(struct arena *arena, const struct hash_seed *seed, const struct store_key *primary,
            uint64_t edition, struct span values, struct store_key *key)
{
    enum { EDITION_LEN = 17 }; /* 16 digits and the end of the line */
    char *text = arena_alloc(arena, EDITION_LEN + values.len + 1);

    if (text == NULL)
        return ERR_NO_MEMORY;
    snprintf(text, EDITION_LEN + 1, "%016" PRIx64 "\n", edition);
    if (values.len > 0)
        memcpy(text + EDITION_LEN, values.at, values.len);
    return key_below(arena, seed, primary, span_of(text, EDITION_LEN + values.len), key);
}

enum err
key_part(struct arena *arena, const struct hash_seed *seed, const struct store_key *whole,
         struct range_spec part, struct store_key *key)
{
    char text[RANGE_SPEC_SIZE + sizeof "range: "];
    char spec[RANGE_SPEC_SIZE];
    int  len = snprintf(text, sizeof text, "range: %.*s", SPAN_ARG(range_spec_format(part, spec)));

    return key_below(arena, seed, whole, span_of(text, (size_t)len), key);
}

/* Without a newline at its end, which all values of variants have. */
enum err
key_slice(struct arena *arena, const struct hash_seed *seed, const struct store_key *primary,
          uint64_t generation, uint64_t number, struct store_key *key)
{
    char text[64];
    int  len = snprintf(text, sizeof text, "slice: %016llx %llu", (unsigned long long)generation,
                        (unsigned long long)number);

    return compose_below(arena, seed, primary, span_of(text, (size_t)len), key);
}

/* ── as an operator types it ── */

static enum err
split_url(struct span url, struct span *scheme, struct target *target, struct fault *fault)
{
    if (span_starts_nocase(url, SPAN("http://")))
        *scheme = SPAN("http");
    else if (span_starts_nocase(url, SPAN("https://")))
        *scheme = SPAN("https");
    else
        return fault_set(fault, ERR_SYNTAX, "\"%.*s\" is not a URL: it must begin with http:// or https://",
                         SPAN_ARG(url));

    struct span rest = span_skip(url, scheme->len + 3);
    size_t      end = 0;
    while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?')
        end++;
    *target = (struct target){ .query = SPAN_EMPTY };
    if (!parse_authority(span_head(rest, end), &target->host, &target->port) || target->host.len == 0)
        return fault_set(fault, ERR_SYNTAX, "\"%.*s\" is not a URL: its host is missing or malformed",
                         SPAN_ARG(url));
    rest = span_skip(rest, end);
    for (size_t i = 0; i < rest.len; i++)
        if (rest.at[i] <= ' ' || rest.at[i] >= 0x7f || rest.at[i] == '#')
            return fault_set(fault, ERR_SYNTAX,
                             "\"%.*s\" is not a URL: byte %zu of its path must be written as %%XX",
                             SPAN_ARG(url), i + 1);
    ssize_t mark = span_find(rest, '?');
    target->path = mark < 0 ? rest : span_head(rest, (size_t)mark);
    if (mark >= 0)
        target->query = span_skip(rest, (size_t)mark + 1);
    if (target->path.len == 0)
        target->path = SPAN("/");
    return ERR_NONE;
}

enum err
key_of_url(struct arena *arena, const struct hash_seed *seed, struct span url, struct store_key *key,
           struct fault *fault)
{
    struct span   scheme;
    struct target sent, normal;

    enum err err = split_url(url, &scheme, &sent, fault);
    if (err != ERR_NONE)
        return err;
    if (key_normalise(arena, &sent, &normal) != ERR_NONE
        || key_primary(arena, seed, scheme, &normal, SPAN_EMPTY, key) != ERR_NONE)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    return ERR_NONE;
}
