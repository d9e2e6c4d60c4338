/* land.h: what the files of a landing share: land.c (objects, markers, aliases) and land_part.c (parts). */
#ifndef CACHE_LAND_H
#define CACHE_LAND_H

#include "tables.h"

enum { PIECES_MAX = 128 };

/* One landing while it runs. */
struct place {
    struct store_writer *writer;
    struct flight       *flight;
    struct arena        *arena;
    uint64_t             variants_max;
    wall_time            now;
};

/* Whether the part, or the head without slices, need not be stored: the whole is there, and as good. */
bool land_is_covered(const struct place *place, const struct store_key *key, const struct object *part);

/* Joins the new part with the stored one where that can be: meta and pieces (room for PIECES_MAX) are then those of both. */
MUST_CHECK enum err land_join_parts(const struct place *place, const struct store_key *key, struct span *meta,
                                    struct iovec *pieces, int *count);

#endif
