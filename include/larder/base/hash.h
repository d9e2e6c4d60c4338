/* hash.h: XXH3 with a secret, so that nobody outside can choose who collides with whom.
 *
 * The 128-bit digest names objects in the store (with a full-text compare behind it: a collision is
 * a miss, never a wrong page); the 64-bit hash serves tables in memory. A store that outlives the
 * process keeps its seed.
 */
#ifndef LARDER_BASE_HASH_H
#define LARDER_BASE_HASH_H

#include <larder/base/err.h>
#include <larder/base/span.h>

struct digest {
    uint64_t high, low;
};

enum { HASH_SECRET_SIZE = 192, HASH_SEED_SIZE = 32 };

/* Frozen after hash_seed_expand. */
struct hash_seed {
    unsigned char seed[HASH_SEED_SIZE];
    unsigned char secret[HASH_SECRET_SIZE];
};

/* A seed from getrandom(2). */
void hash_seed_random(struct hash_seed *seed);

/* 64 bits from getrandom(2). */
uint64_t hash_random(void);

/* Fills `secret` from `seed`. */
void hash_seed_expand(struct hash_seed *seed);

struct digest hash_digest(const struct hash_seed *seed, struct span bytes);
uint64_t      hash_u64(const struct hash_seed *seed, struct span bytes);

/* XXH3-64 without a secret: for checksums on disk. */
uint64_t hash_checksum(struct span bytes);

/* The same over pieces: begin, add any number, end. The state is opaque and on the heap. */
struct hash_stream;
struct hash_stream *hash_stream_create(void);
void                hash_stream_destroy(struct hash_stream **stream);
void                hash_stream_begin(struct hash_stream *stream);
void                hash_stream_add(struct hash_stream *stream, struct span bytes);
uint64_t            hash_stream_end(const struct hash_stream *stream);

static inline bool
digest_equal(struct digest a, struct digest b)
{
    return a.high == b.high && a.low == b.low;
}

#endif
