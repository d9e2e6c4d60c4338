/* object.h: a stored answer as it lies in a record's meta: fixed header, then the head ready to be sent.
 *
 *      meta:  object_header ── head ("HTTP/1.1 200 OK\r\n" ... field lines, no empty line) ── vary spec
 *      or:    object_header ── vary spec ── digests of the variants          (a marker)
 *
 * The head has everything a client gets but what changes from hit to hit (Age, Connection, Cache-Status): those are written
 * behind it, then the empty line. A marker stands under the primary key of a URL whose answers vary, and names the
 * selecting fields and every variant that was stored, so that one look finds the variant and a purge finds them all.
 * Each new marker has a random edition, which is part of its variants' keys: what an earlier marker named, one that
 * was purged or lost, cannot be found any more.
 *
 * Reading checks every offset: a record is bytes from a disk.
 */
#ifndef LARDER_CACHE_OBJECT_H
#define LARDER_CACHE_OBJECT_H

#include <larder/base/arena.h>
#include <larder/base/hash.h>
#include <larder/cache/policy.h>
#include <larder/http/conditional.h>
#include <larder/http/range.h>

enum object_flags {
    OBJECT_MARKER = 1,
    OBJECT_ALWAYS_VALIDATE = 2, /* no-cache */
    OBJECT_IMPLICIT = 4,        /* see verdict.implicit */
    OBJECT_STRICT = 8,          /* see verdict.strict */
    OBJECT_PARTIAL = 16, /* the body is a part of the representation: from `first`, of `complete` bytes */
    OBJECT_ALIAS = 32,   /* leads from a language to the variant in it: see vary.h */
    OBJECT_SLICED = 64,  /* no body here: it lies in slices, see slice.h */
    OBJECT_SLICE = 128,  /* one of them: a body and no head */
    OBJECT_UNRANGED = 256 /* with SLICED: a slice that is missing cannot be asked for alone */
};

/* A slice has 1 << bits bytes, but for the last one. */
enum { SLICE_BITS_MIN = 12, SLICE_BITS_MAX = 30 };

/* What is known of a stored answer; spans point into the record's meta. */
struct object {
    uint32_t          flags;
    unsigned          status;
    wall_time         born, fresh_until, refresh_until, error_until, expires;
    int64_t           first, complete; /* of a partial answer; of a sliced one `complete` is its length */
    uint64_t          edition;         /* of a marker: part of the keys of its variants */
    uint64_t          generation;      /* of a sliced one: which slices are its own */
    unsigned          slice_bits;
    struct span       head;
    struct span       vary; /* the spec under which it was stored, empty: none */
    struct validators validators;
    struct span       variants; /* of a marker: `variant_count` digests, 16 bytes each */
    size_t            variant_count;
};

/* Reads a meta. False when it is not one (other version, offsets outside): treat as a miss. */
bool object_read(struct span meta, struct object *object);

/* The meta of an answer, in the arena. The head is written from the response: hop-by-hop fields, Age and what `verdict` hides are left out, a
 * Date is added when missing (RFC 9110 §6.6.1), Via too. `length` >= 0 adds Content-Length. `part`: it is a 206 and holds this part; it is stored
 * as the 200 that it is a part of, without Content-Range. ERR_LIMIT: over OBJECT_HEAD_MAX. */
enum { OBJECT_HEAD_MAX = 64 * 1024 };
MUST_CHECK enum err object_write(struct arena *arena, const struct head *response,
                                 const struct verdict *verdict, struct span vary, int64_t length,
                                 const struct content_range *part, wall_time now, struct span *meta);

/* The stored meta with what a newer answer about the same representation says (a 304, RFC 9111 §4.3.4; a 200 to HEAD, §4.3.5): its
 * fields replace the stored ones but Content-Length, Content-Encoding, Content-Range, and a Content-Type of another media type; the verdict is
 * made anew from the joined head. When that forbids storing, verdict->store says so, and the meta is still what may be sent. */
MUST_CHECK enum err object_refresh(struct arena *arena, const struct object *stored,
                                   const struct head *answer, const struct head *request,
                                   const struct cache_settings *settings, wall_time requested,
                                   wall_time received, struct verdict *verdict, struct span *meta);

/* Whether a refreshed meta says something new about reuse or about the body. */
bool object_is_news(const struct object *stored, struct span meta);

/* The same meta with a Content-Length line added to its head: for a body whose length was not known when it began. */
MUST_CHECK enum err object_set_length(struct arena *arena, struct span meta, uint64_t length,
                                      struct span *with);

bool object_is_partial(struct span meta);
bool object_is_sliced(struct span meta);

/* A part's meta with another first byte. */
MUST_CHECK enum err object_set_first(struct arena *arena, struct span meta, int64_t first, struct span *with);

/* A part's meta as that of the whole, with its length. */
MUST_CHECK enum err object_make_whole(struct arena *arena, struct span meta, struct span *whole);

/* A marker's meta. */
MUST_CHECK enum err object_write_marker(struct arena *arena, uint64_t edition, struct span vary,
                                        const struct digest *variants, size_t count, wall_time expires,
                                        struct span *meta);

/* An alias's meta: its `vary` is the values under which the variant stands. */
MUST_CHECK enum err object_write_alias(struct arena *arena, struct span values, wall_time expires,
                                       struct span *meta);

/* A slice's meta. */
MUST_CHECK enum err object_write_slice(struct arena *arena, wall_time expires, struct span *meta);

/* The meta of an answer of known length, as the head of its slices. */
struct slicing {
    uint64_t generation;
    int64_t  complete;
    unsigned bits;
    bool     unranged;
};
MUST_CHECK enum err object_make_sliced(struct arena *arena, struct span meta, const struct slicing *slicing,
                                       struct span *sliced);

/* The same head, of slices that cannot be asked for alone. */
MUST_CHECK enum err object_set_unranged(struct arena *arena, struct span meta, struct span *with);

struct digest       object_variant(const struct object *marker, size_t index);

/* The head parsed again: for a conditional request of ours, for merging. Fields point into the meta. */
MUST_CHECK enum err object_parse_head(const struct object *object, struct head *head);

#endif
