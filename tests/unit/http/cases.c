/* cases.c: see cases.h. */
#include "cases.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIRE_MAX = 8 << 20, PATH_MAX_SIZE = 512 };

static char
simple(char letter)
{
    switch (letter) {
    case 'r':
        return '\r';
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case '0':
        return '\0';
    default:
        return letter;
    }
}

static void unescape(struct text *out, struct span text, const char *path);

/* "{text*12}" or "{p}" at the front: how long it is; 0: neither. */
static size_t
take_braces(struct text *out, struct span text, const char *path)
{
    ssize_t end = span_find(text, '}');
    if (end < 0)
        return 0;
    struct span inner = span_head(span_skip(text, 1), (size_t)end - 1);
    if (span_equal(inner, SPAN("p"))) {
        text_append(out, span_of_text(path));
        return (size_t)end + 1;
    }
    ssize_t  star = span_find(inner, '*');
    uint64_t count;
    if (star < 0 || span_find(inner, '{') >= 0 || !span_to_u64(span_skip(inner, (size_t)star + 1), 1 << 20, &count))
        return 0;
    while (count-- > 0)
        unescape(out, span_head(inner, (size_t)star), path);
    return (size_t)end + 1;
}

static void
unescape(struct text *out, struct span text, const char *path)
{
    while (text.len > 0) {
        size_t taken = text.at[0] == '{' ? take_braces(out, text, path) : 0;
        if (taken == 0 && text.at[0] == '\\' && text.len >= 4 && text.at[1] == 'x') {
            char hex[3] = { text.at[2], text.at[3], '\0' };
            text_append_byte(out, (char)strtoul(hex, NULL, 16));
            taken = 4;
        } else if (taken == 0 && text.at[0] == '\\' && text.len >= 2) {
            text_append_byte(out, simple(text.at[1]));
            taken = 2;
        } else if (taken == 0) {
            text_append_byte(out, text.at[0]);
            taken = 1;
        }
        text = span_skip(text, taken);
    }
}

static void
begin(struct strict_case *read, struct span header, const char *kind, const char *theme)
{
    char name[96];

    cr_assert_eq(sscanf(header.at, "=== %7s %95s |", read->expect, name), 2, "%.*s", SPAN_ARG(header));
    snprintf(read->name, sizeof read->name, "/%s/%s/%s", kind, theme, name);
    text_clear(&read->wire);
    read->above = false;
}

static void
add_line(struct strict_case *read, struct span line)
{
    bool odd = span_ends(line, SPAN("\\")) && !span_ends(line, SPAN("\\\\"));

    if (span_starts(line, SPAN("?"))) {
        read->above |= span_starts(line, SPAN("? above"));
        return;
    }
    unescape(&read->wire, odd ? span_head(line, line.len - 1) : line, read->name);
    if (!odd)
        text_append(&read->wire, SPAN("\r\n"));
    cr_assert_not(read->wire.failed);
}

static unsigned
each_of_file(const char *path, const char *kind, void (*take)(const struct strict_case *read))
{
    FILE              *file = fopen(path, "r");
    char               theme[64], *line = NULL;
    size_t             room = 0;
    ssize_t            len;
    unsigned           count = 0;
    struct strict_case read = { .expect = "" };

    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(sscanf(strrchr(path, '/') + 1, "%63[^.]", theme), 1);
    text_init(&read.wire, WIRE_MAX);
    while ((len = getline(&line, &room, file)) > 0) {
        struct span text = span_of(line, (size_t)len - 1); /* each ends in a newline */
        if (span_starts(text, SPAN("==="))) {
            if (count++ > 0)
                take(&read);
            begin(&read, text, kind, theme);
        } else if (!span_starts(text, SPAN("#"))) {
            add_line(&read, text);
        }
    }
    if (count > 0)
        take(&read);
    text_fini(&read.wire);
    free(line);
    fclose(file);
    return count;
}

unsigned
cases_each(const char *kind, void (*take)(const struct strict_case *read))
{
    char     pattern[PATH_MAX_SIZE];
    glob_t   found;
    unsigned count = 0;

    snprintf(pattern, sizeof pattern, STRICT_CASES "/%s/*.cases", kind);
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "%s", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++)
        count += each_of_file(found.gl_pathv[i], kind, take);
    globfree(&found);
    return count;
}
