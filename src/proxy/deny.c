/* deny.c: the rules, from the cheapest to the dearest. */
#include <larder/proxy/deny.h>

#include <larder/base/glob.h>

static bool
denies_host(const struct deny *deny, const struct deny_question *question)
{
    if (networks_have(deny->from, question->host))
        return true;
    for (size_t i = 0; i < deny->file_count; i++)
        if (blocklist_has(question->lists, deny->files[i], question->host))
            return true;
    return false;
}

static bool
denies_method(const struct deny *deny, struct span method)
{
    for (size_t i = 0; i < deny->method_count; i++)
        if (span_equal(deny->methods[i], method)) /* RFC 9110 §9.1: methods have a letter case */
            return true;
    return false;
}

/* ── paths ── */

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Once: what comes out of it is not decoded again. */
static size_t
decode(struct span path, char *out)
{
    size_t len = 0;

    for (size_t i = 0; i < path.len; i++) {
        char byte = path.at[i];
        if (byte == '%' && i + 2 < path.len && hex_digit(path.at[i + 1]) >= 0
            && hex_digit(path.at[i + 2]) >= 0) {
            byte = (char)(hex_digit(path.at[i + 1]) << 4 | hex_digit(path.at[i + 2]));
            i += 2;
        }
        out[len++] = byte;
    }
    return len;
}

/* In place: as each part has its slash before it, what is written never passes what is read. */
struct span
deny_plain_path(struct span path, char *out)
{
    struct span rest = span_of(out, decode(path, out)), part;
    size_t      len = 0;
    bool        ends_open = false; /* in a slash */

    if (!span_starts(rest, SPAN("/"))) /* the * of OPTIONS */
        return rest;
    while (span_split(&rest, '/', &part)) {
        bool up = span_equal(part, SPAN(".."));
        ends_open = part.len == 0 || up || span_equal(part, SPAN("."));
        if (up)
            while (len > 0 && out[--len] != '/')
                ;
        if (ends_open)
            continue;
        out[len++] = '/';
        memmove(out + len, part.at, part.len);
        len += part.len;
    }
    if (ends_open)
        out[len++] = '/';
    return span_of(out, len);
}

/* Whether the other form can be another one. */
static bool
is_disguised(struct span path)
{
    if (memchr(path.at, '%', path.len) != NULL)
        return true;
    for (size_t i = 0; i + 1 < path.len; i++)
        if (path.at[i] == '/' && (path.at[i + 1] == '/' || path.at[i + 1] == '.'))
            return true;
    return false;
}

static bool
matches_path(const struct deny *deny, struct span path)
{
    for (size_t i = 0; i < deny->path_count; i++)
        if (glob_match(deny->paths[i], path, false))
            return true;
    return false;
}

static bool
denies_path(const struct deny *deny, struct span path, struct arena *arena)
{
    if (deny->path_count == 0 || path.len == 0)
        return false;
    if (matches_path(deny, path))
        return true;
    if (!is_disguised(path))
        return false;
    char *room = arena_alloc(arena, path.len);
    return room == NULL || matches_path(deny, deny_plain_path(path, room));
}

/* ── fields ── */

static bool
denies_fields(const struct deny *deny, const struct head *head)
{
    for (size_t i = 0; i < deny->field_count; i++) {
        const struct field *field = head_find_name(head, deny->fields[i].name);
        for (; field != NULL; field = head_next_name(head, field))
            if (glob_match(deny->fields[i].pattern, field->value, true))
                return true;
    }
    return false;
}

const char *
deny_why(const struct deny *deny, const struct deny_question *question, struct arena *arena)
{
    if (denies_host(deny, question))
        return "denied-address";
    if (denies_method(deny, question->head->method_text))
        return "denied-method";
    if (denies_path(deny, question->path, arena))
        return "denied-path";
    return denies_fields(deny, question->head) ? "denied-field" : NULL;
}
