/* content.c: see content.h. */
#include "content.h"

#include <larder/base/check.h>

/* xorshift64 (Marsaglia 2003): the same noise in every process. */
static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

void
noise_fill(struct noise *noise)
{
    enum { LINE = 80 };
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    uint64_t          state = UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < NOISE_PERIOD; i++)
        noise->at[i] = i % LINE == LINE - 1 ? '\n' : letters[next_random(&state) >> 58];
}

/* The longest piece at `from` that lies in memory in one run, not yet bounded by what was asked for. */
static struct span
piece_at(const struct content *content, const struct noise *noise, uint64_t from)
{
    if (from < content->intro.len)
        return span_skip(content->intro, (size_t)from);
    size_t at = (size_t)((content->shift % NOISE_PERIOD + from) % NOISE_PERIOD);
    return span_of(noise->at + at, NOISE_PERIOD - at);
}

unsigned
content_map(const struct content *content, const struct noise *noise, uint64_t from, uint64_t len,
            struct iovec *into, unsigned max, uint64_t *covered)
{
    CHECK(from <= content->size && len <= content->size - from);
    unsigned count = 0;
    *covered = 0;
    while (*covered < len && count < max) {
        struct span piece = piece_at(content, noise, from + *covered);
        if (piece.len > len - *covered)
            piece.len = (size_t)(len - *covered);
        into[count++] = (struct iovec){ (void *)(uintptr_t)piece.at, piece.len };
        *covered += piece.len;
    }
    return count;
}
