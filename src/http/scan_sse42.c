/* scan_sse42.c: the scanners, 16 bytes at a time (SSE4.2).
 *
 *      byte 0xhl ──▶ nibbles[l] = rows of ASCII with column l in the class ─┐
 *                ──▶ rows[h]    = bit h, and 0 from 0x80 on ────────────────┴─ and ──▶ 0: not in the class
 *
 * Two table look-ups decide any class of ASCII (Langdale and Lemire, "Parsing gigabytes of JSON per second").
 * What is shorter than a vector fills one with two halves of itself, which overlap; under four bytes it goes to the
 * scalar scanners. CMake compiles this file for SSE4.2; nobody calls it before scan.c has asked the processor.
 */
#include "scan_impl.h"

#if defined(__x86_64__)

#include <immintrin.h>

enum { WIDTH = 16 };

static inline __m128i
load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* A bit for each byte that is outside of what is looked for. */
typedef unsigned outside_of(__m128i bytes, __m128i nibbles);

static inline unsigned
outside_class(__m128i bytes, __m128i nibbles)
{
    const __m128i rows = _mm_setr_epi8(SCAN_ROWS), low = _mm_set1_epi8(0x0f);
    __m128i       column = _mm_shuffle_epi8(nibbles, _mm_and_si128(bytes, low));
    __m128i       row = _mm_shuffle_epi8(rows, _mm_and_si128(_mm_srli_epi16(bytes, 4), low));
    __m128i       out = _mm_cmpeq_epi8(_mm_and_si128(column, row), _mm_setzero_si128());
    return (unsigned)_mm_movemask_epi8(out);
}

/* Controls but HTAB, and DEL. */
static inline unsigned
outside_value(__m128i bytes, __m128i none)
{
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    (void)none;
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del));
}

/* The first `half` bytes and the last, of 4 to 15 that there are: one behind the other. */
static inline __m128i
load_halves(struct span span, size_t half)
{
    uint64_t first = 0, last = 0;

    memcpy(&first, span.at, half);
    memcpy(&last, span.at + span.len - half, half);
    return half == 8 ? _mm_set_epi64x((long long)last, (long long)first)
                     : _mm_cvtsi64_si128((long long)(first | last << 32));
}

static inline size_t
scan_halves(struct span span, size_t half, outside_of *outside, __m128i nibbles)
{
    unsigned out = outside(load_halves(span, half), nibbles) & (half == 8 ? 0xffff : 0xff);
    if (out == 0)
        return span.len;
    size_t at = (size_t)__builtin_ctz(out);
    return at < half ? at : span.len - 2 * half + at;
}

static inline size_t
scan_by(struct span span, outside_of *outside, __m128i nibbles, size_t (*scalar)(struct span span))
{
    size_t n = 0;
    for (; span.len - n >= WIDTH; n += WIDTH) {
        unsigned out = outside(load(span.at + n), nibbles);
        if (out != 0)
            return n + (size_t)__builtin_ctz(out);
    }
    struct span rest = span_skip(span, n);
    if (rest.len < 4)
        return n + scalar(rest);
    return n
           + (rest.len < 8 ? scan_halves(rest, 4, outside, nibbles) : scan_halves(rest, 8, outside, nibbles));
}

static size_t
scan_token(struct span span)
{
    return scan_by(span, outside_class, _mm_setr_epi8(SCAN_TOKEN_NIBBLES), scan_scalar.token);
}

static size_t
scan_value(struct span span)
{
    return scan_by(span, outside_value, _mm_setzero_si128(), scan_scalar.value);
}

static size_t
scan_target(struct span span)
{
    return scan_by(span, outside_class, _mm_setr_epi8(SCAN_TARGET_NIBBLES), scan_scalar.target);
}

const struct scan scan_sse42 = { "sse4.2", scan_token, scan_value, scan_target };

#endif
