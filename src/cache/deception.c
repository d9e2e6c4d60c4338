/* deception.c: see deception.h. */
#include "deception.h"

static const struct span files[] = {
    SPAN("avif"), SPAN("bmp"),   SPAN("css"),  SPAN("csv"),  SPAN("doc"), SPAN("docx"), SPAN("eot"), SPAN("gif"),
    SPAN("gz"),   SPAN("ico"),   SPAN("jpeg"), SPAN("jpg"),  SPAN("js"),  SPAN("json"), SPAN("map"), SPAN("mjs"),
    SPAN("mp3"),  SPAN("mp4"),   SPAN("ogg"),  SPAN("otf"),  SPAN("pdf"), SPAN("png"),  SPAN("svg"), SPAN("tiff"),
    SPAN("ttf"),  SPAN("txt"),   SPAN("wasm"), SPAN("webm"), SPAN("webp"), SPAN("woff"), SPAN("woff2"), SPAN("zip"),
};

static struct span
path_of(struct span target)
{
    ssize_t query = span_find(target, '?');
    return query < 0 ? target : span_head(target, (size_t)query);
}

/* What is behind its last dot, without a slash in it; empty: nothing. */
static struct span
ending_of(struct span path)
{
    for (size_t at = path.len; at-- > 0 && path.at[at] != '/';)
        if (path.at[at] == '.')
            return span_skip(path, at + 1);
    return SPAN_EMPTY;
}

static bool
is_file(struct span ending)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (span_equal_nocase(ending, files[i]))
            return true;
    return false;
}

bool
deception_is_likely(const struct head *request, const struct head *response)
{
    struct span type = head_value(response, FIELD_CONTENT_TYPE);

    return (span_starts_nocase(type, SPAN("text/html")) || span_starts_nocase(type, SPAN("application/xhtml")))
           && is_file(ending_of(path_of(request->target)));
}
