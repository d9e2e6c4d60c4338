/* text.c: a string that grows by doubling, up to its bound. */
#include <larder/base/text.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
text_init(struct text *text, size_t limit)
{
    *text = (struct text){ .limit = limit };
}

void
text_fini(struct text *text)
{
    free(text->at);
    *text = (struct text){ .limit = text->limit };
}

void
text_clear(struct text *text)
{
    text->len = 0;
    text->failed = false;
    if (text->at != NULL)
        text->at[0] = '\0';
}

/* Room for `more` bytes and the NUL. */
static bool
reserve(struct text *text, size_t more)
{
    size_t needed, room = text->room == 0 ? 128 : text->room;

    if (text->failed)
        return false;
    if (more > text->limit || text->len > text->limit - more) {
        text->failed = true;
        return false;
    }
    needed = text->len + more + 1;
    if (needed <= text->room)
        return true;
    while (room < needed)
        room *= 2;
    char *grown = realloc(text->at, room);
    if (grown == NULL) {
        text->failed = true;
        return false;
    }
    text->at = grown;
    text->room = room;
    return true;
}

void
text_append(struct text *text, struct span span)
{
    if (!reserve(text, span.len))
        return;
    if (span.len > 0)
        memcpy(text->at + text->len, span.at, span.len);
    text->len += span.len;
    text->at[text->len] = '\0';
}

void
text_append_byte(struct text *text, char byte)
{
    text_append(text, span_of(&byte, 1));
}

void
text_printf(struct text *text, const char *format, ...)
{
    va_list arguments, again;

    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    if (size < 0) {
        text->failed = true;
    } else if (reserve(text, (size_t)size)) {
        vsnprintf(text->at + text->len, (size_t)size + 1, format, again);
        text->len += (size_t)size;
    }
    va_end(again);
    va_end(arguments);
}

const char *
text_cstr(const struct text *text)
{
    return text->at == NULL ? "" : text->at;
}
