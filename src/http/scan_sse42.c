/* scan_sse42.c: the scanners, 16 bytes at a time (SSE4.2).
 *
 *      byte 0xhl ──▶ nibbles[l] = rows of ASCII with column l in the class ─┐
 *                ──▶ rows[h]    = bit h, and 0 from 0x80 on ────────────────┴─ and ──▶ 0: not in the class
 *
 * Two table look-ups decide any class of ASCII (Langdale and Lemire, "Parsing gigabytes of JSON per second").
 * What is shorter than a vector goes to the scalar scanners. CMake compiles this file for SSE4.2; nobody
 * calls it before scan.c has asked the processor.
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

/* A bit for each byte that is outside of the class. */
static inline unsigned
outside_class(__m128i bytes, __m128i nibbles)
{
    const __m128i rows = _mm_setr_epi8(SCAN_ROWS), low = _mm_set1_epi8(0x0f);
    __m128i       column = _mm_shuffle_epi8(nibbles, _mm_and_si128(bytes, low));
    __m128i       row = _mm_shuffle_epi8(rows, _mm_and_si128(_mm_srli_epi16(bytes, 4), low));
    __m128i       outside = _mm_cmpeq_epi8(_mm_and_si128(column, row), _mm_setzero_si128());
    return (unsigned)_mm_movemask_epi8(outside);
}

/* Controls but HTAB, and DEL. */
static inline unsigned
outside_value(__m128i bytes)
{
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del));
}

static size_t
scan_token(struct span span)
{
    const __m128i nibbles = _mm_setr_epi8(SCAN_TOKEN_NIBBLES);
    size_t        n = 0;
    for (; span.len - n >= WIDTH; n += WIDTH) {
        unsigned outside = outside_class(load(span.at + n), nibbles);
        if (outside != 0)
            return n + (size_t)__builtin_ctz(outside);
    }
    return n + scan_scalar.token(span_skip(span, n));
}

static size_t
scan_value(struct span span)
{
    size_t n = 0;
    for (; span.len - n >= WIDTH; n += WIDTH) {
        unsigned outside = outside_value(load(span.at + n));
        if (outside != 0)
            return n + (size_t)__builtin_ctz(outside);
    }
    return n + scan_scalar.value(span_skip(span, n));
}

static size_t
scan_target(struct span span)
{
    const __m128i nibbles = _mm_setr_epi8(SCAN_TARGET_NIBBLES);
    size_t        n = 0;
    for (; span.len - n >= WIDTH; n += WIDTH) {
        unsigned outside = outside_class(load(span.at + n), nibbles);
        if (outside != 0)
            return n + (size_t)__builtin_ctz(outside);
    }
    return n + scan_scalar.target(span_skip(span, n));
}

const struct scan scan_sse42 = { "sse4.2", scan_token, scan_value, scan_target };

#endif
