/* hash.c: XXH3, compiled in so that short keys cost no call. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <larder/base/check.h>
#include <larder/base/hash.h>
#include <stdlib.h>
#include <sys/random.h>

_Static_assert((int)HASH_SECRET_SIZE >= (int)XXH3_SECRET_SIZE_MIN, "XXH3 wants a longer secret");

static void
fill_random(void *at, size_t size)
{
    for (size_t have = 0; have < size;) {
        ssize_t got = getrandom((char *)at + have, size - have, 0);
        CHECK(got > 0); /* the kernel has no other answer for so few bytes once it has booted */
        have += (size_t)got;
    }
}

void
hash_seed_random(struct hash_seed *seed)
{
    fill_random(seed->seed, sizeof seed->seed);
    hash_seed_expand(seed);
}

uint64_t
hash_random(void)
{
    uint64_t bits;
    fill_random(&bits, sizeof bits);
    return bits;
}

void
hash_seed_expand(struct hash_seed *seed)
{
    XXH_errorcode made =
        XXH3_generateSecret(seed->secret, sizeof seed->secret, seed->seed, sizeof seed->seed);
    CHECK(made == XXH_OK);
}

struct digest
hash_digest(const struct hash_seed *seed, struct span bytes)
{
    XXH128_hash_t hash = XXH3_128bits_withSecret(bytes.at, bytes.len, seed->secret, sizeof seed->secret);
    return (struct digest){ hash.high64, hash.low64 };
}

uint64_t
hash_u64(const struct hash_seed *seed, struct span bytes)
{
    return XXH3_64bits_withSecret(bytes.at, bytes.len, seed->secret, sizeof seed->secret);
}

uint64_t
hash_checksum(struct span bytes)
{
    return XXH3_64bits(bytes.at, bytes.len);
}

struct hash_stream {
    XXH3_state_t state;
};

struct hash_stream *
hash_stream_create(void)
{
    struct hash_stream *stream = aligned_alloc(64, (sizeof *stream + 63) / 64 * 64);
    if (stream != NULL)
        hash_stream_begin(stream);
    return stream;
}

void
hash_stream_destroy(struct hash_stream **stream)
{
    free(*stream);
    *stream = NULL;
}

void
hash_stream_begin(struct hash_stream *stream)
{
    XXH3_64bits_reset(&stream->state);
}

void
hash_stream_add(struct hash_stream *stream, struct span bytes)
{
    XXH3_64bits_update(&stream->state, bytes.at, bytes.len);
}

uint64_t
hash_stream_end(const struct hash_stream *stream)
{
    return XXH3_64bits_digest(&stream->state);
}
