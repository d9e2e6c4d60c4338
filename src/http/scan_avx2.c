/* scan_avx2.c: the scanners, 32 bytes at a time (AVX2).
 *
 *      byte 0xhl ──▶ nibbles[l] = rows of ASCII with column l in the class ─┐
 *                ──▶ rows[h]    = bit h, and 0 from 0x80 on ────────────────┴─ and ──▶ 0: not in the class
 *
 * Two table look-ups decide any class of ASCII (Langdale and Lemire, "Parsing gigabytes of JSON per second").
 * What is shorter than a vector goes to the SSE4.2 scanners. CMake compiles this file for AVX2; nobody calls
 * it before scan.c has asked the processor.
 */
#include "scan_impl.h"

#if defined(__x86_64__)

#include <immintrin.h>

enum { WIDTH = 32 };

static inline __m256i
load(const char *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

/* A bit for each byte that is outside of the class. */
static inline unsigned
outside_class(__m256i bytes, __m256i nibbles)
{
    const __m256i rows = _mm256_setr_epi8(SCAN_ROWS, SCAN_ROWS), low = _mm256_set1_epi8(0x0f);
    __m256i       column = _mm256_shuffle_epi8(nibbles, _mm256_and_si256(bytes, low));
    __m256i       row = _mm256_shuffle_epi8(rows, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low));
    __m256i       outside = _mm256_cmpeq_epi8(_mm256_and_si256(column, row), _mm256_setzero_si256());
    return (unsigned)_mm256_movemask_epi8(outside);
}

/* Controls but HTAB, and DEL. */
static inline unsigned
outside_value(__m256i bytes)
{
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes);
    __m256i tab = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t'));
    __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
    return (unsigned)_mm256_movemask_epi8(_mm256_or_si256(_mm256_andnot_si256(tab, control), del));
}

static size_t
scan_token(struct span span)
{
    const __m256i nibbles = _mm256_setr_epi8(SCAN_TOKEN_NIBBLES, SCAN_TOKEN_NIBBLES);
    size_t        n = 0;
    for (; span.len - n >= WIDTH; n += WIDTH) {
        unsigned outside = outside_class(load(span.at + n), nibbles);
        if (outside != 0)
            return n + (size_t)__builtin_ctz(outside);
    }
    return n + scan_sse42.token(span_skip(span, n));
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
    return n + scan_sse42.value(span_skip(span, n));
}

static size_t
scan_target(struct span span)
{
    const __m256i nibbles = _mm256_setr_epi8(SCAN_TARGET_NIBBLES, SCAN_TARGET_NIBBLES);
    size_t        n = 0;
    for (; span.len - n >= WIDTH; n += WIDTH) {
        unsigned outside = outside_class(load(span.at + n), nibbles);
        if (outside != 0)
            return n + (size_t)__builtin_ctz(outside);
    }
    return n + scan_sse42.target(span_skip(span, n));
}

const struct scan scan_avx2 = { "avx2", scan_token, scan_value, scan_target };

#endif
