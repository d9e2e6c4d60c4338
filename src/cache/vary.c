/* vary.c: Vary (RFC 9110 §12.5.5, RFC 9111 §4.1) as sorted names and normalised values.
 *
 * Normalising is allowed where it cannot change the meaning: white space around commas, the order of field lines joined. Accept-Encoding is
 * reduced to the set of codings that we know, since an origin chooses among those.
 */
#include <larder/cache/vary.h>

#include <larder/base/check.h>
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

/* The lines of one name joined by ", ", white space around commas made one form. */
static void
put_field(struct text_run *run, const struct head *request, struct span name)
{
    bool any = false;
    for (const struct field *field = head_find_name(request, name); field != NULL;
         field = head_next_name(request, field)) {
        struct span rest = field->value, member;
        while (span_split(&rest, ',', &member)) {
            put(run, any ? SPAN(", ") : SPAN(": "));
            put(run, span_trim(member));
            any = true;
        }
    }
}

static void
put_values(struct text_run *run, const struct head *request, struct span spec)
{
    struct span rest = spec, name;

    while (span_split(&rest, ',', &name)) {
        put(run, name);
        if (field_lookup(name) == FIELD_ACCEPT_ENCODING) {
            char codings[ACCEPT_ENCODING_SIZE];
            put(run, SPAN(": "));
            put(run, accept_encoding_normalise(request, codings));
        } else {
            put_field(run, request, name);
        }
        put(run, SPAN("\n"));
    }
}

enum err
vary_values(struct arena *arena, const struct head *request, struct span spec, struct span *values)
{
    struct text_run run = { NULL, 0 };

    put_values(&run, request, spec);
    size_t size = run.len;
    run = (struct text_run){ arena_alloc(arena, size + 1), 0 };
    if (run.at == NULL)
        return ERR_NO_MEMORY;
    put_values(&run, request, spec);
    CHECK(run.len == size);
    *values = span_of(run.at, run.len);
    return ERR_NONE;
}
