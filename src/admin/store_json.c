/* store_json.c: see store_json.h. The store knows nothing of HTTP; what the meta of a record says is read here,
 * by the code that wrote it.
 */
#include <larder/admin/store_json.h>

#include <larder/base/text.h>
#include <larder/cache/object.h>
#include <stdio.h>

enum { KEYS_MAX = 256 * 1024, KEY_TEXT_MAX = 1 << 20, DAMAGED_KEY_MAX = 256 };

/* ── text ── */

/* Printable ASCII, whatever the bytes are: fit for JSON and for a terminal. */
static void
put_printable(struct text *text, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.at[i];
        if (byte >= ' ' && byte < 0x7f)
            text_append_byte(text, (char)byte);
        else
            text_printf(text, "%%%02X", byte);
    }
}

static json_t *
printable(struct span bytes)
{
    struct text text;

    text_init(&text, KEY_TEXT_MAX);
    put_printable(&text, bytes);
    json_t *json = text.failed ? NULL : json_string(text_cstr(&text));
    text_fini(&text);
    return json;
}

/* The key of a variant: the URL, the edition of its marker, and a line for each selecting field (key.h). */
static json_t *
variant_of(struct span lines)
{
    struct text text;
    struct span line;

    text_init(&text, KEY_TEXT_MAX);
    while (span_split(&lines, '\n', &line)) {
        if (line.len == 0)
            continue;
        text_append(&text, text.len == 0 ? SPAN("") : SPAN("; "));
        put_printable(&text, line);
    }
    json_t *json = text.failed ? NULL : json_string(text_cstr(&text));
    text_fini(&text);
    return json;
}

/* Takes `value` over; NULL: memory ended. */
static bool
set(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

static json_t *
cursor_of(const struct inspect_cursor *cursor, unsigned shards)
{
    char text[INSPECT_CURSOR_SIZE];

    if (cursor->shard >= shards)
        return json_null();
    inspect_cursor_format(cursor, text);
    return json_string(text);
}

/* ── info ── */

static json_t *
uuid_of(const unsigned char uuid[16])
{
    char text[40];

    snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             uuid[0], uuid[1], uuid[2], uuid[3], uuid[4], uuid[5], uuid[6], uuid[7], uuid[8], uuid[9],
             uuid[10], uuid[11], uuid[12], uuid[13], uuid[14], uuid[15]);
    return json_string(text);
}

static json_t *
logs_of(const struct inspect_info *info)
{
    json_t *logs = json_array();

    for (unsigned i = 0; i < info->logs; i++) {
        const struct inspect_log *log = &info->log[i];
        json_t                   *row =
            json_pack("{s:I, s:I, s:I, s:I}", "log", (json_int_t)i, "segments", (json_int_t)log->segments,
                      "objects", (json_int_t)log->objects, "bytes", (json_int_t)log->bytes);
        if (json_array_append_new(logs, row) != 0) {
            json_decref(logs);
            return NULL;
        }
    }
    return logs;
}

json_t *
store_info_json(const struct inspect_info *info, wall_time now)
{
    const char *state = info->running ? "running" : info->clean ? "stopped" : "killed";
    json_t     *oldest =
        info->has_oldest ? json_integer(wall_since(now, info->oldest) / NSEC_PER_SEC) : json_null();
    json_t *segments =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "size", (json_int_t)info->segment_size, "total",
                  (json_int_t)info->segments, "free", (json_int_t)info->segments_free, "open",
                  (json_int_t)info->segments_open, "sealed", (json_int_t)info->segments_sealed, "pinned",
                  (json_int_t)info->segments_pinned);

    return json_pack("{s:I, s:o, s:s, s:o, s:I, s:I, s:o, s:I, s:I, s:I, s:o, s:o}", "format",
                     (json_int_t)info->format, "uuid", uuid_of(info->uuid), "state", state, "policy",
                     printable(span_of_text(info->policy)), "shards", (json_int_t)info->shards,
                     "shards_damaged", (json_int_t)info->damaged, "segments", segments, "bytes_size",
                     (json_int_t)info->bytes_size, "bytes_live", (json_int_t)info->bytes_live, "objects",
                     (json_int_t)info->objects, "oldest", oldest, "logs", logs_of(info));
}

/* ── objects ── */

struct page {
    json_t   *rows;
    unsigned  limit, more;
    size_t    bytes; /* of keys */
    wall_time now;
    bool      no_memory;
};

static const char *
kind_of(const struct object *object)
{
    if (object->flags & OBJECT_MARKER)
        return "variants";
    if (object->flags & OBJECT_ALIAS)
        return "alias";
    return object->flags & OBJECT_PARTIAL ? "part" : "object";
}

/* Only what was written by this version can be read. */
static bool
set_meta(json_t *row, struct span meta, wall_time now)
{
    struct object object;

    if (!object_read(meta, &object))
        return true;
    if (!set(row, "kind", json_string(kind_of(&object))))
        return false;
    if (object.flags & (OBJECT_MARKER | OBJECT_ALIAS))
        return true;
    return set(row, "status", json_integer(object.status))
           && set(row, "fresh", json_integer(wall_since(object.fresh_until, now) / NSEC_PER_SEC));
}

static json_t *
row_of(const struct inspect_object *object, wall_time now)
{
    struct span rest = object->key, url;
    (void)span_split(&rest, '\n', &url);
    json_t     *row = json_pack("{s:o, s:I, s:I, s:I, s:I}", "key", printable(url), "size",
                                (json_int_t)object->size, "body", (json_int_t)object->body, "age",
                                (json_int_t)(wall_since(now, object->created) / NSEC_PER_SEC), "remaining",
                                (json_int_t)(wall_since(object->expires, now) / NSEC_PER_SEC));
    struct span edition;
    bool        good = row != NULL;

    if (good && rest.at != NULL && span_split(&rest, '\n', &edition))
        good = set(row, "variant", variant_of(rest));
    if (good && set_meta(row, object->meta, now))
        return row;
    json_decref(row);
    return NULL;
}

static bool
put_object(const struct inspect_object *object, void *context)
{
    struct page *page = context;

    if (json_array_append_new(page->rows, row_of(object, page->now)) != 0) {
        page->no_memory = true;
        return false;
    }
    page->bytes += object->key.len;
    return json_array_size(page->rows) < page->limit && page->bytes < KEYS_MAX;
}

static enum err
finish(struct page *page, json_t *whole, json_t **out)
{
    *out = whole;
    if (whole != NULL && !page->no_memory)
        return ERR_NONE;
    json_decref(whole);
    *out = NULL;
    return ERR_NO_MEMORY;
}

enum err
store_objects_json(struct store_writer *writer, struct inspect_cursor *cursor, unsigned shards,
                   unsigned limit, wall_time now, json_t **out)
{
    struct page page = { .rows = json_array(), .limit = limit, .now = now };
    enum err    err = inspect_list(writer, cursor, put_object, &page);

    page.no_memory |= err != ERR_NONE;
    return finish(&page, json_pack("{s:o, s:o}", "objects", page.rows, "cursor", cursor_of(cursor, shards)),
                  out);
}

/* ── damage ── */

static json_t *
damage_of(const struct inspect_damage *damage)
{
    json_t *row = json_pack("{s:s, s:I, s:s}", "file", damage->file, "offset", (json_int_t)damage->offset,
                            "what", damage->what);
    bool    good = row != NULL;

    if (good && damage->segment >= 0)
        good = set(row, "segment", json_integer(damage->segment));
    if (good && damage->key.len > 0) {
        struct span rest = damage->key, url;
        (void)span_split(&rest, '\n', &url);
        good = set(row, "key", printable(span_head(url, DAMAGED_KEY_MAX)));
    }
    if (good)
        return row;
    json_decref(row);
    return NULL;
}

static void
put_damage(const struct inspect_damage *damage, void *context)
{
    struct page *page = context;

    if (json_array_size(page->rows) >= page->limit)
        page->more++;
    else if (json_array_append_new(page->rows, damage_of(damage)) != 0)
        page->no_memory = true;
}

enum err
store_verify_json(struct store_writer *writer, struct inspect_cursor *cursor, unsigned shards, json_t **out)
{
    struct page             page = { .rows = json_array(), .limit = STORE_PAGE_MAX };
    struct inspect_verified verified = { .segments = 0 };
    enum err                err = inspect_verify(writer, cursor, &verified, put_damage, &page);

    page.no_memory |= err != ERR_NONE;
    json_t *checked = json_pack("{s:I, s:I, s:I, s:I}", "segments", (json_int_t)verified.segments, "records",
                                (json_int_t)verified.records, "bytes", (json_int_t)verified.bytes, "unsealed",
                                (json_int_t)verified.unsealed);
    return finish(&page,
                  json_pack("{s:o, s:I, s:o, s:o}", "damage", page.rows, "more", (json_int_t)page.more,
                            "checked", checked, "cursor", cursor_of(cursor, shards)),
                  out);
}
