/* vary.c: Vary (RFC 9110 §12.5.5, RFC 9111 §4.1) as sorted names and normalised values.
 *
 * Normalising is allowed where it cannot change the meaning: white space around commas, the order of field lines joined. Accept-Encoding is
 * reduced to the set of codings that we know, since an origin chooses among those; Accept-Language to an order by weight.
 */
#include <larder/cache/vary.h>

#include <larder/base/check.h>
#include <larder/http/language.h>
#include <larder/http/negotiate.h>
#include <larder/http/scan.h>

enum { NAME_MAX_LEN = 256 };

/* ── specs ── */

struct names {
    struct span at[VARY_NAMES_MAX];
    size_t      count;
};

static int
compare(struct span a, struct span b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int    order = memcmp(a.at, b.at, shorter);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Inserts in order, once. */
static enum err
insert(struct names *names, struct span name)
{
    size_t at = 0;
    while (at < names->count && compare(names->at[at], name) < 0)
        at++;
    if (at < names->count && compare(names->at[at], name) == 0)
        return ERR_NONE;
    if (names->count == VARY_NAMES_MAX)
        return ERR_LIMIT;
    memmove(&names->at[at + 1], &names->at[at], (names->count - at) * sizeof names->at[0]);
    names->at[at] = name;
    names->count++;
    return ERR_NONE;
}

static enum err
insert_spec(struct names *names, struct span spec)
{
    struct span rest = spec, name;
    enum err    err = ERR_NONE;

    while (err == ERR_NONE && span_split(&rest, ',', &name))
        if (name.len > 0)
            err = insert(names, name);
    return err;
}

static enum err
join(struct arena *arena, const struct names *names, struct span *spec)
{
    size_t room = 1;
    for (size_t i = 0; i < names->count; i++)
        room += names->at[i].len + 1;
    char *text = arena_alloc(arena, room);
    if (text == NULL)
        return ERR_NO_MEMORY;
    size_t len = 0;
    for (size_t i = 0; i < names->count; i++) {
        if (i > 0)
            text[len++] = ',';
        memcpy(text + len, names->at[i].at, names->at[i].len);
        len += names->at[i].len;
    }
    *spec = span_of(text, len);
    return ERR_NONE;
}

static struct span
lower(struct arena *arena, struct span name)
{
    char *copy = arena_alloc(arena, name.len);
    for (size_t i = 0; copy != NULL && i < name.len; i++)
        copy[i] = ascii_lower(name.at[i]);
    return copy == NULL ? SPAN_EMPTY : span_of(copy, name.len);
}

enum err
vary_spec(struct arena *arena, const struct head *response, struct span *spec, bool *star)
{
    struct list_walk walk = { 0 };
    struct names     names = { .count = 0 };
    struct span      member;

    *star = false;
    *spec = SPAN_EMPTY;
    while (head_walk(response, FIELD_VARY, &walk, &member)) {
        if (span_equal(member, SPAN("*"))) {
            *star = true;
            return ERR_NONE;
        }
        if (member.len > NAME_MAX_LEN || scan_best()->token(member) != member.len)
            return ERR_SYNTAX;
        struct span name = lower(arena, member);
        if (name.at == NULL)
            return ERR_NO_MEMORY;
        enum err err = insert(&names, name);
        if (err != ERR_NONE)
            return err;
    }
    return names.count == 0 ? ERR_NONE : join(arena, &names, spec);
}

enum err
vary_union(struct arena *arena, struct span a, struct span b, struct span *both)
{
    struct names names = { .count = 0 };

    enum err err = insert_spec(&names, a);
    if (err == ERR_NONE)
        err = insert_spec(&names, b);
    return err == ERR_NONE ? join(arena, &names, both) : err;
}

/* ── values ── */

/* A text that is measured first (at NULL) and written then. */
struct text_run {
    char  *at;
    size_t len;
};

static void
put(struct text_run *run, struct span bytes)
{
    if (run->at != NULL && bytes.len > 0)
        memcpy(run->at + run->len, bytes.at, bytes.len);
    run->len += bytes.len;
}

/* The part before the next comma, as span_split takes it; in a quoted string a comma is a byte like any other,
 * and so is white space (RFC 9110 §5.6.4). */
static bool
split_member(struct span *rest, struct span *member)
{
    size_t end = 0;
    bool   quoted = false;

    if (rest->at == NULL)
        return false;
    for (; end < rest->len && (quoted || rest->at[end] != ','); end++) {
        if (rest->at[end] == '"')
            quoted = !quoted;
        else if (quoted && rest->at[end] == '\\')
            end++;
    }
    *member = span_head(*rest, end);
    *rest = end < rest->len ? span_skip(*rest, end + 1) : SPAN_EMPTY;
    return true;
}

/* The lines of one name joined by ", ", white space around commas made one form. */
static void
put_field(struct text_run *run, const struct head *request, struct span name)
{
    bool any = false;
    for (const struct field *field = head_find_name(request, name); field != NULL;
         field = head_next_name(request, field)) {
        struct span rest = field->value, member;
        while (split_member(&rest, &member)) {
            put(run, any ? SPAN(", ") : SPAN(": "));
            put(run, span_trim(member));
            any = true;
        }
    }
}

/* The one form of a field, where we know what its values mean. */
static enum err
put_known(struct text_run *run, struct arena *arena, const struct head *request, enum field_id id)
{
    char        codings[ACCEPT_ENCODING_SIZE];
    struct span form;

    if (id == FIELD_ACCEPT_ENCODING) {
        put(run, SPAN(": "));
        put(run, accept_encoding_normalise(request, codings));
        return ERR_NONE;
    }
    enum err err = accept_language_normalise(arena, request, &form);
    if (err == ERR_NONE && form.at != NULL) {
        put(run, SPAN(": "));
        put(run, form);
    }
    return err;
}

static enum err
put_values(struct text_run *run, struct arena *arena, const struct head *request, struct span spec)
{
    struct span rest = spec, name;
    enum err    err = ERR_NONE;

    while (err == ERR_NONE && span_split(&rest, ',', &name)) {
        enum field_id id = field_lookup(name);
        put(run, name);
        if (id == FIELD_ACCEPT_ENCODING || id == FIELD_ACCEPT_LANGUAGE)
            err = put_known(run, arena, request, id);
        else
            put_field(run, request, name);
        put(run, SPAN("\n"));
    }
    return err;
}

enum err
vary_values(struct arena *arena, const struct head *request, struct span spec, struct span *values)
{
    struct text_run run = { NULL, 0 };

    enum err err = put_values(&run, arena, request, spec);
    if (err != ERR_NONE)
        return err;
    size_t size = run.len;
    run = (struct text_run){ arena_alloc(arena, size + 1), 0 };
    if (run.at == NULL || put_values(&run, arena, request, spec) != ERR_NONE)
        return ERR_NO_MEMORY;
    CHECK(run.len == size);
    *values = span_of(run.at, run.len);
    return ERR_NONE;
}

/* ── languages ── */

#define LANGUAGE_NAME "accept-language"

/* The values with this language for all that Accept-Language says. What a request says follows a colon, so no
 * request can say this. */
static enum err
name_language(struct arena *arena, struct span values, struct span language, struct span *out)
{
    struct text_run run = { arena_alloc(arena, values.len + language.len + sizeof LANGUAGE_NAME "=\n"), 0 };
    struct span     rest = values, line;
    bool            named = false;

    if (run.at == NULL)
        return ERR_NO_MEMORY;
    while (span_split(&rest, '\n', &line) && line.len > 0) {
        bool is_language =
            span_equal(line, SPAN(LANGUAGE_NAME)) || span_starts(line, SPAN(LANGUAGE_NAME ":"));
        if (is_language) {
            put(&run, SPAN(LANGUAGE_NAME "=")); /* no values of a request have that form */
            for (size_t i = 0; i < language.len; i++)
                run.at[run.len++] = ascii_lower(language.at[i]);
        } else {
            put(&run, line);
        }
        named = named || is_language;
        put(&run, SPAN("\n"));
    }
    *out = span_of(run.at, run.len);
    return named ? ERR_NONE : ERR_NOT_FOUND;
}

/* "de" or "de;q=0.7" with a well-formed tag; a weight of 1 is 1000. */
static bool
read_wish(struct span member, struct span *language, unsigned *weight)
{
    struct span rest = member;
    uint64_t    thousandths = 1000;

    if (!span_split(&rest, ';', language) || language->len == 0)
        return false;
    for (size_t i = 0; i < language->len; i++) {
        char c = language->at[i];
        if (c != '-' && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9'))
            return false;
    }
    if (rest.at != NULL) { /* "q=0.7": the form never has more than three digits */
        char   digits[4] = "000";
        size_t count = rest.len > 4 ? rest.len - 4 : 0;
        if (!span_starts(rest, SPAN("q=0")) || count > 3)
            return false;
        memcpy(digits, count > 0 ? rest.at + 4 : "", count);
        if (!span_to_u64(span_of(digits, 3), 999, &thousandths))
            return false;
    }
    *weight = (unsigned)thousandths;
    return true;
}

/* The one language that is wanted before all others. Where anything is odd, or "*" is there, none is. */
static bool
first_wish(struct span form, struct span *language)
{
    struct span rest = form, member, name;
    unsigned    best = 0, weight;
    bool        tie = true;

    while (span_split(&rest, ',', &member)) {
        if (!read_wish(member, &name, &weight))
            return false;
        tie = weight == best ? true : weight > best ? false : tie;
        if (weight > best) {
            best = weight;
            *language = name;
        }
    }
    return best > 0 && !tie;
}

enum err
vary_values_by_wish(struct arena *arena, const struct head *request, struct span values, struct span *by_wish)
{
    struct span form, language;

    if (!head_has(request, FIELD_ACCEPT_LANGUAGE))
        return ERR_NOT_FOUND;
    enum err err = accept_language_normalise(arena, request, &form);
    if (err != ERR_NONE)
        return err;
    return first_wish(form, &language) ? name_language(arena, values, language, by_wish) : ERR_NOT_FOUND;
}

enum err
vary_values_by_language(struct arena *arena, struct span values, struct span content_language,
                        struct span *by_language)
{
    struct span rest = content_language, first, second;

    if (!list_next(&rest, &first) || list_next(&rest, &second))
        return ERR_NOT_FOUND;
    return name_language(arena, values, first, by_language);
}
