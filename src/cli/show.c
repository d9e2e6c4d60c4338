/* show.c: see show.h. */
#include "show.h"

#include <inttypes.h>

const char *
show_count(uint64_t value, char out[static UNITS_TEXT_SIZE])
{
    char   digits[UNITS_TEXT_SIZE];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value), put = 0;

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[put++] = ',';
        out[put++] = digits[i];
    }
    out[put] = '\0';
    return out;
}

const char *
show_time(uint64_t seconds, char out[static UNITS_TEXT_SIZE])
{
    if (seconds >= 86400)
        snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "d %" PRIu64 "h", seconds / 86400, seconds / 3600 % 24);
    else if (seconds >= 3600)
        snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "h %" PRIu64 "m", seconds / 3600, seconds / 60 % 60);
    else if (seconds >= 60)
        snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "m %" PRIu64 "s", seconds / 60, seconds % 60);
    else
        snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "s", seconds);
    return out;
}

uint64_t
show_number(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));
    return value < 0 ? 0 : (uint64_t)value;
}

const char *
show_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

void
show_raw(struct span body, FILE *out)
{
    fwrite(body.at, 1, body.len, out);
    if (!span_ends(body, SPAN("\n")))
        fputc('\n', out);
}
