/* land_part.c: parts of a representation on their way into the store (RFC 9111 §3.3, §3.4).
 *
 *      stored  ████████           new     ██████     ▶   ████████████      joined, when both are surely of one
 *      stored  ████████    new         ██████        ▶        ██████       else the newer one is kept
 */
#include "land.h"

#include <larder/base/check.h>

enum { WORTH = 8 }; /* a part that has less than this share of what is stored is not worth writing both */

/* Whether their tags tell that they are of two representations. */
static bool
is_of_another(const struct validators *a, const struct validators *b)
{
    struct etag one, other;
    return etag_parse(a->etag, &one) && etag_parse(b->etag, &other) && !etag_match_weak(one, other);
}

/* A part does not take the place of the whole, when that is surely the same, or still fresh and not known to be
 * another one; nor does a small one make us write a much larger one anew. */
bool
land_is_covered(const struct place *place, const struct store_key *key, const struct object *part)
{
    struct record record;
    struct object stored;

    if (!writer_find(place->writer, key, &record) || record.expires.ns <= place->now.ns
        || !object_read(record.meta, &stored) || (stored.flags & OBJECT_MARKER))
        return false;
    bool fresh = place->now.ns < stored.fresh_until.ns;
    bool same = validators_share_strong(&stored.validators, &part->validators);
    if (stored.flags & OBJECT_PARTIAL)
        return fresh && same && fill_size(place->flight->fill) < record.body.len / WORTH;
    return same || (fresh && !is_of_another(&stored.validators, &part->validators));
}

/* The stored part, when it touches or overlaps the new one and has the same strong validator. */
static bool
find_neighbour(const struct place *place, const struct store_key *key, const struct object *part, int64_t end,
               struct object *stored, struct record *record)
{
    return writer_find(place->writer, key, record) && object_read(record->meta, stored)
           && (stored->flags & OBJECT_PARTIAL) && stored->complete == part->complete
           && validators_share_strong(&stored->validators, &part->validators) && stored->first <= end
           && stored->first + (int64_t)record->body.len >= part->first;
}

/* The new one's bytes count where both have them. */
enum err
land_join_parts(const struct place *place, const struct store_key *key, struct span *meta,
                struct iovec *pieces, int *count)
{
    struct record record;
    struct object stored, part;

    if (!object_read(*meta, &part))
        return ERR_CORRUPT;
    int64_t end = part.first + (int64_t)fill_size(place->flight->fill), first = part.first;
    if (*count + 2 > PIECES_MAX || !find_neighbour(place, key, &part, end, &stored, &record))
        return ERR_NONE;
    char   *body = (char *)(uintptr_t)record.body.at;
    int64_t stored_end = stored.first + (int64_t)record.body.len;
    if (stored.first < part.first) {
        memmove(pieces + 1, pieces, (size_t)*count * sizeof pieces[0]);
        pieces[0] = (struct iovec){ body, (size_t)(part.first - stored.first) };
        ++*count;
        first = stored.first;
    }
    if (stored_end > end) {
        pieces[(*count)++] = (struct iovec){ body + (end - stored.first), (size_t)(stored_end - end) };
        end = stored_end;
    }
    if (first == 0 && end == part.complete)
        return object_make_whole(place->arena, *meta, meta);
    return object_set_first(place->arena, *meta, first, meta);
}
