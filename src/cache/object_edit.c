/* object_edit.c: metas that are changed afterwards: given a length, made whole, made the head of slices; and those that are no
 * answers: markers and aliases, which lead to variants, and slices.
 */
#include "object_layout.h"

#include <larder/base/check.h>
#include <larder/http/write.h>

enum err
object_set_length(struct arena *arena, struct span meta, uint64_t length, struct span *with)
{
    struct object_header header;
    struct object        object;
    char                 line[64];
    struct writer        writer;

    if (!object_read(meta, &object))
        return ERR_CORRUPT;
    writer_init(&writer, line, sizeof line);
    write_number(&writer, SPAN("Content-Length: "), length);
    char *memory = arena_alloc(arena, meta.len + writer.len);
    if (memory == NULL)
        return ERR_NO_MEMORY;
    size_t before = sizeof header + object.head.len;
    memcpy(memory, meta.at, before);
    memcpy(memory + before, writer.at, writer.len);
    memcpy(memory + before + writer.len, meta.at + before, meta.len - before);
    memcpy(&header, memory, sizeof header);
    header.head_len += (uint32_t)writer.len;
    memcpy(memory, &header, sizeof header);
    *with = span_of(memory, meta.len + writer.len);
    return ERR_NONE;
}

enum err
object_make_whole(struct arena *arena, struct span meta, struct span *whole)
{
    struct object_header header;
    struct object        object;

    if (!object_read(meta, &object))
        return ERR_CORRUPT;
    enum err err = object_set_length(arena, meta, (uint64_t)object.complete, whole);
    if (err != ERR_NONE)
        return err;
    char *memory = (char *)(uintptr_t)whole->at; /* ours, just written */
    memcpy(&header, memory, sizeof header);
    header.flags &= ~(uint32_t)OBJECT_PARTIAL;
    header.first = header.complete = 0;
    memcpy(memory, &header, sizeof header);
    return ERR_NONE;
}

bool
object_is_partial(struct span meta)
{
    struct object object;
    return object_read(meta, &object) && (object.flags & OBJECT_PARTIAL);
}

enum err
object_set_first(struct arena *arena, struct span meta, int64_t first, struct span *with)
{
    struct object_header header;
    struct span          copy = arena_copy(arena, meta);

    if (copy.at == NULL)
        return ERR_NO_MEMORY;
    CHECK(copy.len >= sizeof header);
    memcpy(&header, copy.at, sizeof header);
    header.first = first;
    memcpy((char *)(uintptr_t)copy.at, &header, sizeof header);
    *with = copy;
    return ERR_NONE;
}

/* ── no answers ── */

static enum err
write_signpost(struct arena *arena, uint32_t flags, uint64_t edition, struct span text,
               const struct digest *variants, size_t count, wall_time expires, struct span *meta)
{
    struct object_header header = { .magic = OBJECT_MAGIC,
                                    .version = OBJECT_VERSION,
                                    .flags = flags,
                                    .etag_len = NO_ETAG,
                                    .vary_len = (uint32_t)text.len,
                                    .variants = (uint32_t)count,
                                    .expires = expires.ns,
                                    .first = (int64_t)edition };
    size_t               size = sizeof header + text.len + count * sizeof variants[0];
    char                *memory = arena_alloc(arena, size);

    if (memory == NULL)
        return ERR_NO_MEMORY;
    memcpy(memory, &header, sizeof header);
    if (text.len > 0)
        memcpy(memory + sizeof header, text.at, text.len);
    if (count > 0)
        memcpy(memory + sizeof header + text.len, variants, count * sizeof variants[0]);
    *meta = span_of(memory, size);
    return ERR_NONE;
}

enum err
object_write_marker(struct arena *arena, uint64_t edition, struct span vary, const struct digest *variants,
                    size_t count, wall_time expires, struct span *meta)
{
    return write_signpost(arena, OBJECT_MARKER, edition, vary, variants, count, expires, meta);
}

enum err
object_write_alias(struct arena *arena, struct span values, wall_time expires, struct span *meta)
{
    return write_signpost(arena, OBJECT_ALIAS, 0, values, NULL, 0, expires, meta);
}

enum err
object_write_slice(struct arena *arena, wall_time expires, struct span *meta)
{
    return write_signpost(arena, OBJECT_SLICE, 0, SPAN_EMPTY, NULL, 0, expires, meta);
}

enum err
object_make_sliced(struct arena *arena, struct span meta, const struct slicing *slicing, struct span *sliced)
{
    struct object_header header;
    struct object        object;

    if (!object_read(meta, &object))
        return ERR_CORRUPT;
    struct span copy = arena_copy(arena, meta);
    if (copy.at == NULL)
        return ERR_NO_MEMORY;
    memcpy(&header, copy.at, sizeof header);
    CHECK(!(header.flags & OBJECT_PARTIAL));
    header.flags |= OBJECT_SLICED | (slicing->unranged ? OBJECT_UNRANGED : 0);
    header.complete = slicing->complete;
    header.generation = slicing->generation;
    header.slice_bits = slicing->bits;
    memcpy((char *)(uintptr_t)copy.at, &header, sizeof header);
    *sliced = copy;
    return ERR_NONE;
}

enum err
object_set_unranged(struct arena *arena, struct span meta, struct span *with)
{
    struct object_header header;
    struct span          copy = arena_copy(arena, meta);

    if (copy.at == NULL)
        return ERR_NO_MEMORY;
    CHECK(copy.len >= sizeof header);
    memcpy(&header, copy.at, sizeof header);
    CHECK(header.flags & OBJECT_SLICED);
    header.flags |= OBJECT_UNRANGED;
    memcpy((char *)(uintptr_t)copy.at, &header, sizeof header);
    *with = copy;
    return ERR_NONE;
}

bool
object_is_sliced(struct span meta)
{
    struct object object;
    return object_read(meta, &object) && (object.flags & OBJECT_SLICED);
}
