/* text.h: a growing string with a bound, for what is built rarely: keys, messages, admin answers.
 *
 * Owner: whoever holds the struct; not shared. Once an append would pass the bound (or memory ends)
 * the text turns `failed`, keeps what it had, and ignores further appends, so a caller checks once
 * at the end.
 */
#ifndef LARDER_BASE_TEXT_H
#define LARDER_BASE_TEXT_H

#include <larder/base/span.h>

struct text {
    char  *at;
    size_t len, room;
    size_t limit;
    bool   failed;
};

void text_init(struct text *text, size_t limit);
void text_fini(struct text *text);
void text_clear(struct text *text);
void text_append(struct text *text, struct span span);
void text_append_byte(struct text *text, char byte);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The content as a C string (a NUL follows, not counted); "" when empty. Valid until the next change. */
const char *text_cstr(const struct text *text);

static inline struct span
text_span(const struct text *text)
{
    return (struct span){ text->at, text->len };
}

#endif
