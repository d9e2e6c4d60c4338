/* scan_impl.h: the three scanners, for scan.c, which chooses.
 *
 *      scan.c ──▶ scan_scalar    a table look-up per byte, everywhere
 *             ──▶ scan_sse42     16 bytes at a time, x86-64
 *             ──▶ scan_avx2      32 bytes at a time, x86-64
 *
 * A vector scanner loads only while a whole vector lies inside the span, and leaves what remains to the next
 * smaller one; what is too short for any is loaded as two halves that overlap. No byte outside of the span is
 * read, not even within its page.
 */
#ifndef LARDER_HTTP_SCAN_IMPL_H
#define LARDER_HTTP_SCAN_IMPL_H

#include <larder/http/scan.h>

extern const struct scan scan_scalar;

#if defined(__x86_64__)
extern const struct scan scan_sse42;
extern const struct scan scan_avx2;

/* Byte classes of ASCII for pshufb: bit h of entry l says whether the byte 0xhl is in the class. */
#define SCAN_TOKEN_NIBBLES -24, -4, -8, -4, -4, -4, -4, -4, -8, -8, -12, 84, -48, 84, -12, 112
#define SCAN_TARGET_NIBBLES -8, -4, -4, -8, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, 124
/* 1 << h for the rows of ASCII, and no row for bytes above. */
#define SCAN_ROWS 1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0
#endif

#endif
