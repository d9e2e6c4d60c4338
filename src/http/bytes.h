/* bytes.h: the classes of bytes in HTTP's grammar, as one table of 256 entries.
 *
 *      BYTE_TOKEN    tchar (RFC 9110 §5.6.2): letters, digits and !#$%&'*+-.^_`|~
 *      BYTE_VALUE    HTAB, SP, VCHAR, obs-text: field values and reason phrases (RFC 9110 §5.5)
 *      BYTE_TARGET   VCHAR but '#': request targets (RFC 9112 §3.2; a fragment is never sent)
 *      BYTE_ETAG     etagc (RFC 9110 §8.8.3): VCHAR but DQUOTE, and obs-text
 *      BYTE_HOST     what a reg-name may have besides "%XX" (RFC 3986 §3.2.2), see target.c for the comma
 *      BYTE_DIGIT, BYTE_HEX
 *
 * The table is the truth; the vector scanners repeat three of its classes and are tested against it.
 */
#ifndef LARDER_HTTP_BYTES_H
#define LARDER_HTTP_BYTES_H

#include <stdbool.h>
#include <stdint.h>

enum byte_class {
    BYTE_TOKEN = 1,
    BYTE_VALUE = 2,
    BYTE_TARGET = 4,
    BYTE_ETAG = 8,
    BYTE_HOST = 16,
    BYTE_DIGIT = 32,
    BYTE_HEX = 64
};

extern const uint8_t byte_classes[256];

static inline bool
byte_is(char byte, enum byte_class class)
{
    return (byte_classes[(unsigned char)byte] & class) != 0;
}

/* '0' to '9', 'a' to 'f', 'A' to 'F' as a number; the byte must be BYTE_HEX. */
static inline unsigned
byte_hex(char byte)
{
    return byte <= '9' ? (unsigned)(byte - '0') : (unsigned)((byte | 0x20) - 'a') + 10;
}

#endif
